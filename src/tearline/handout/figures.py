"""A review for machines: the same tables as JSON, CSV and Parquet; and the page, as bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import orjson

from tearline.adapters.lake.files import module
from tearline.handout import charts
from tearline.review.report import Review, Table, Value

FORMS = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
"""Each with its media type."""


def written(form: str, review: Review, found: Sequence[Table]) -> bytes:
    """The tables in one of `FORMS`; the page shows all of the review. Parquet needs the extra `analytics`."""
    if form == "html":
        return charts.page(review).encode()
    if form == "json":
        return orjson.dumps(_data(review, found), option=orjson.OPT_INDENT_2)
    if form == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("table", "row", "column", "value"))
        writer.writerows(_cells(found))
        return text.getvalue().encode()
    pa, pq, sink = module("pyarrow"), module("pyarrow.parquet"), io.BytesIO()
    text_, number = pa.string(), pa.float64()
    kinds = {"table": text_, "row": pa.int64(), "column": text_, "text": text_, "number": number}
    rows = [
        {
            "table": table,
            "row": row,
            "column": column,
            "text": value if isinstance(value, str) else None,
            "number": None if isinstance(value, str) else float(value),
        }
        for table, row, column, value in _cells(found)
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(kinds)), sink)
    return sink.getvalue()


def _cells(found: Sequence[Table]) -> Iterator[tuple[str, int, str, Value]]:
    for each in found:
        for number, row in enumerate(each.rows):
            for column, value in zip(each.columns, row, strict=True):
                yield each.name, number, column.name, value


def _data(made: Review, found: Sequence[Table]) -> dict[str, Any]:
    return {
        "own": made.own,
        "at": made.at.isoformat(),
        "scenario": msgspec.to_builtins(made.scenario),
        "inputs": made.inputs,
        "notes": made.notes,
        "tables": [
            {
                "name": each.name,
                "title": each.title,
                "definition": each.definition,
                "command": each.command,
                "rows": [
                    dict(zip([column.name for column in each.columns], row, strict=True)) for row in each.rows
                ],
            }
            for each in found
        ],
    }
