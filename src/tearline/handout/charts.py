"""A review as one HTML page that fetches nothing: charts, tables, and what each figure means."""

from __future__ import annotations

import html
from typing import Any

import orjson

from tearline.handout import assets, shell
from tearline.review.report import Kind, Review, Table, shown, tables

_SHOWN = 200
"""Rows of a table that are open; the rest is one click away."""


def page(review: Review) -> str:
    """The page. Whatever texts are in the review are shown as text."""
    found = tables(review)
    title, at = html.escape(review.scenario.title), f"{review.at:%Y-%m-%d %H:%M} UTC"
    lead = html.escape(f"A review by {review.own}, {at}. It decides nothing. {' '.join(review.inputs)}")
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in review.notes)
    nav = "".join(f'<a href="#{each.name}">{html.escape(each.title)}</a>' for each in found)
    return shell.page(
        review.scenario.title,
        style=shell.read("charts.css"),
        body=f'<header><h1>{title}</h1><p class="lead">{lead}</p><ul class="notes">{notes}</ul>'
        f'<nav aria-label="Parts">{nav}</nav></header><main>{"".join(map(_section, found))}</main>',
        scripts=[assets.read("echarts.common.min.js").decode(), shell.read("charts.js")],
    )


def _section(table: Table) -> str:
    title = html.escape(table.title)
    chart = ""
    if (bars := bars_of(table)) is not None:
        data = html.escape(orjson.dumps(bars).decode())
        chart = f'<div class="chart" role="img" aria-label="{title}" data-chart="{data}"></div>'
    return (
        f'<section id="{table.name}"><h2>{title}</h2>'
        f"<details><summary>What these figures mean, and how to get them again</summary>"
        f"<p>{html.escape(table.definition)}</p><p><code>{html.escape(table.command)}</code></p></details>"
        f"{chart}{_rows(table)}</section>"
    )


def _rows(table: Table) -> str:
    if not table.rows:
        return "<p>Nothing.</p>"
    number = [column.kind is not Kind.TEXT for column in table.columns]
    head = "".join(
        f'<th scope="col"{_CLASS[n]}>{html.escape(column.name)}</th>'
        for column, n in zip(table.columns, number, strict=True)
    )
    lines = [
        "<tr>"
        + "".join(
            f"<td{_CLASS[n]}{_exact(value)}>{html.escape(shown(value, column.kind))}</td>"
            for value, column, n in zip(row, table.columns, number, strict=True)
        )
        + "</tr>"
        for row in table.rows
    ]

    def made(some: list[str]) -> str:
        body = "".join(some)
        return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'

    if len(lines) <= _SHOWN:
        return made(lines)
    rest = f"<details><summary>{len(lines) - _SHOWN:,} more rows</summary>{made(lines[_SHOWN:])}</details>"
    return made(lines[:_SHOWN]) + rest


_CLASS = {True: ' class="n"', False: ""}


def _exact(value: str | int | float) -> str:
    return "" if isinstance(value, str) else f' data-value="{value!r}"'


def bars_of(table: Table) -> dict[str, Any] | None:
    """What `charts.js` draws of a table: bars and their parts, summed up over the rows. None: no chart."""
    chart = table.chart
    if chart is None or not table.rows:
        return None
    places = {column.name: number for number, column in enumerate(table.columns)}
    bars: dict[str, int] = {}
    parts: dict[str, dict[str, float]] = {}
    for row in table.rows:
        bar = str(row[places[chart.of]])
        bars.setdefault(bar, len(bars))
        sums = parts.setdefault(str(row[places[chart.parts]]) if chart.parts else chart.long, {})
        sums[bar] = sums.get(bar, 0.0) + float(row[places[chart.long]])
    return {
        "bars": list(bars),
        "parts": list(parts),
        "values": [[sums.get(bar, 0.0) for bar in bars] for sums in parts.values()],
        "share": table.columns[places[chart.long]].kind is Kind.SHARE,
        "stacked": chart.stacked,
    }
