"""A review as one HTML page that fetches nothing: charts, tables, and what each figure means.

ECharts lies beside this; `manifest.json` says where it is from. Only the scripts whose hashes the page names
may run, and none of them is made of data.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from importlib.resources import files
from typing import Any

import orjson

from tearline.review.report import Chart, Kind, Review, Table, shown, tables

_PLACE = re.compile(r"\{\{([a-z]+)\}\}")
_SHOWN = 200
"""Rows of a table that are open; the rest is one click away."""


def page(review: Review) -> str:
    """The page. Whatever texts are in the review are shown as text."""
    found = tables(review)
    scripts = {"echarts": _read("echarts.common.min.js"), "script": _read("charts.js")}
    at = f"{review.at:%Y-%m-%d %H:%M} UTC"
    parts = {
        **scripts,
        "title": html.escape(review.scenario.title),
        "lead": html.escape(f"A review by {review.own}, {at}. It decides nothing. {' '.join(review.inputs)}"),
        "notes": "".join(f"<li>{html.escape(note)}</li>" for note in review.notes),
        "nav": "".join(f'<a href="#{each.name}">{html.escape(each.title)}</a>' for each in found),
        "sections": "".join(map(_section, found)),
        "charts": orjson.dumps([_bars(each, each.chart) for each in found if each.chart and each.rows])
        .decode()
        .replace("<", "\\u003c"),
        "hashes": " ".join(f"'sha256-{_hash(script)}'" for script in scripts.values()),
    }
    return _PLACE.sub(lambda match: parts[match[1]], _read("page.html"))


def _section(table: Table) -> str:
    title = html.escape(table.title)
    chart = f'<div class="chart" id="chart-{table.name}" role="img" aria-label="{title}"></div>'
    return (
        f'<section id="{table.name}"><h2>{title}</h2>'
        f"<details><summary>What these figures mean, and how to get them again</summary>"
        f"<p>{html.escape(table.definition)}</p><p><code>{html.escape(table.command)}</code></p></details>"
        f"{chart if table.chart and table.rows else ''}{_rows(table)}</section>"
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


def _bars(table: Table, chart: Chart) -> dict[str, Any]:
    """Bars and their parts, summed up over the rows."""
    places = {column.name: number for number, column in enumerate(table.columns)}
    bars: dict[str, int] = {}
    parts: dict[str, dict[str, float]] = {}
    for row in table.rows:
        bar = str(row[places[chart.of]])
        bars.setdefault(bar, len(bars))
        sums = parts.setdefault(str(row[places[chart.parts]]) if chart.parts else chart.long, {})
        sums[bar] = sums.get(bar, 0.0) + float(row[places[chart.long]])
    return {
        "name": table.name,
        "bars": list(bars),
        "parts": list(parts),
        "values": [[sums.get(bar, 0.0) for bar in bars] for sums in parts.values()],
        "share": table.columns[places[chart.long]].kind is Kind.SHARE,
        "stacked": chart.stacked,
    }


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")
