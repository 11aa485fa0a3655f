"""Files of item attributes: Parquet, read in batches of columns, and written. `docs/items-format.md`.

Needs pyarrow (the extra `analytics`). Nothing is guessed: a column that the format does not know, a value
outside the vocabularies and a gap where a value is needed are refused, with their place.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from tearline.agreement import Detail
from tearline.agreement.tables import TEARLINE, WHOLE, Columns, Row
from tearline.terms import BadInput, Refused

BATCH = 1 << 18
"""Rows held at a time."""
NEEDED = ("id", "at", "originator", "category", "level")
COLUMNS = (
    *(*NEEDED, "version", "day", "topics", "regions", "disciplines", "reach", "use"),
    *(*Detail._fields, "to", "form"),
)
LISTS = {"level", "topics", "regions", "disciplines", "to"}


def count(path: Path) -> int:
    """How many rows a file has. Raises `BadInput` where it is not Parquet."""
    return int(_open(path).metadata.num_rows)


def read(path: Path, *, batch: int = BATCH) -> Iterator[Columns]:
    """The items of a file in batches, none of them split. Raises `BadInput`, which names column and row."""
    pa, _, reading = _arrow()
    file = _open(path)
    left, start = _checked(path, file.schema_arrow).empty_table(), 0
    try:
        for each in file.iter_batches(batch_size=batch):
            table = pa.concat_tables([left, pa.Table.from_batches([each])]).combine_chunks()
            end = _last_item(table)
            if end:
                yield reading.Batch(path, table.slice(0, end), start).columns()
            left, start = table.slice(end), start + end
    except (pa.ArrowException, OSError) as error:
        raise BadInput(str(path), "", f"it is damaged ({_line(error)})") from None
    if len(left):
        yield reading.Batch(path, left, start).columns()


def write(path: Path, batches: Iterable[Sequence[Row]]) -> int:
    """Write rows into a new file, for its owner only; how many. It is there whole or not at all."""
    pa, _, _ = _arrow()
    text, texts, at = pa.string(), pa.list_(pa.string()), pa.timestamp("us", tz="UTC")
    types = {"at": at, "day": pa.date32()} | dict.fromkeys(LISTS, texts)
    types |= dict.fromkeys(Detail._fields, pa.int64())
    schema = pa.schema([(name, types.get(name, text)) for name in COLUMNS])
    return write_rows(path, schema, ([_fields(row) for row in rows] for rows in batches))


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str | int]]) -> None:
    """Write other rows into a new file, for its owner only; the last column is a number, the rest texts."""
    pa, _, _ = _arrow()
    schema = pa.schema([(name, pa.int64() if name == columns[-1] else pa.string()) for name in columns])
    write_rows(path, schema, [[dict(zip(columns, row, strict=True)) for row in rows]])


def write_rows(path: Path, schema: Any, batches: Iterable[Sequence[Mapping[str, Any]]]) -> int:
    """Write rows of an Arrow schema into a new file, for its owner only; how many. Whole or not at all."""
    pa, pq, _ = _arrow()
    part, written = path.with_name(f".{path.name}.part"), 0
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as sink:
        try:
            with pq.ParquetWriter(sink, schema) as writer:
                for rows in batches:
                    writer.write_table(pa.Table.from_pylist(list(rows), schema=schema))
                    written += len(rows)
            sink.flush()
            os.fsync(sink.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return written


def _fields(row: Row) -> dict[str, Any]:
    facts = row.facts
    return {
        "id": row.id,
        "version": row.version,
        "at": row.at,
        "day": row.day,
        "originator": facts.originator,
        "category": facts.category.value,
        "level": [f"{policy}:{level.name}" for policy, level in facts.level],
        "topics": sorted(facts.topics),
        "regions": sorted(facts.regions),
        "disciplines": sorted(facts.disciplines),
        "reach": facts.reach.name.replace("AMBER_STRICT", "AMBER+STRICT"),
        "use": facts.use.name,
        **facts.detail._asdict(),
        "to": None if row.to is None else sorted(row.to),
        "form": {WHOLE: "whole", TEARLINE: "tearline"}.get(row.form),
    }


# --- Opening --------------------------------------------------------------------------------------


def _arrow() -> tuple[Any, Any, Any]:
    """pyarrow, its Parquet, and what reads columns with them: imported when they are needed, as an extra."""
    try:
        pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise Refused("Parquet files need pyarrow: pip install 'tearline[analytics]'") from None
    return pyarrow, parquet, import_module("tearline.adapters.items_columns")


def _open(path: Path) -> Any:
    pa, pq, _ = _arrow()
    try:
        return pq.ParquetFile(path)
    except FileNotFoundError:
        raise BadInput(str(path), "", "there is no such file") from None
    except (pa.ArrowException, OSError) as error:
        raise BadInput(str(path), "", f"this is not a Parquet file ({_line(error)})") from None


def _checked(path: Path, schema: Any) -> Any:
    """The schema, if it is one of items."""
    pa, _, _ = _arrow()

    def is_text(kind: Any) -> bool:
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))

    for name in NEEDED:
        if name not in schema.names:
            raise BadInput(str(path), f"column {name}", "it is missing", "see docs/items-format.md")
    for field in schema:
        kind = field.type
        if field.name not in COLUMNS or schema.names.count(field.name) > 1:
            known = ", ".join(COLUMNS)
            raise BadInput(str(path), f"column {field.name}", "the format has none", f"it has {known}")
        if field.name == "at":
            right, should = (
                pa.types.is_timestamp(kind) and kind.tz is not None,
                "a timestamp with a time zone",
            )
        elif field.name == "day":
            right, should = pa.types.is_date(kind), "a date"
        elif field.name in Detail._fields:
            right, should = pa.types.is_integer(kind), "an integer"
        elif field.name in LISTS:
            is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
            right, should = is_list and is_text(kind.value_type), "a list of strings"
        else:
            right, should = is_text(kind), "a string"
        if not right:
            raise BadInput(str(path), f"column {field.name}", f"it is {kind}", f"make it {should}")
    return schema


def _last_item(table: Any) -> int:
    """The first row of the last item, which may go on in the next batch."""
    if "form" not in table.column_names or not len(table):
        return len(table)
    return int(np.flatnonzero(_arrow()[2].firsts(table))[-1])


def _line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0].rstrip(".")
