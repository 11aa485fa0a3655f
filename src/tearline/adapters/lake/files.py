"""Files of holdings: their columns, checked before anything is asked, and written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from tearline.adapters.items import write_rows
from tearline.terms import BadInput, Category, Party, Refused

NEEDED = ("holder", "item", "originator", "giver", "at", "category")
COLUMNS = (*NEEDED, "topics", "regions", "form", "uses")
WHOLE, TEARLINE = "whole", "tearline"


class Copy(NamedTuple):
    """One copy: `holder` has the item because `giver` gave it; what it made itself it has of itself."""

    holder: Party
    item: str
    originator: Party
    giver: Party
    at: datetime
    category: Category
    topics: Sequence[str] = ()
    regions: Sequence[str] = ()
    form: str = WHOLE
    uses: int = 0
    """How many products of the holder refer to it."""


def module(name: str) -> Any:
    """A module of the extra, imported when it is needed."""
    try:
        return import_module(name)
    except ImportError:
        raise Refused("reviews of holdings need Ibis and DuckDB: pip install 'tearline[analytics]'") from None


def check(path: Path) -> int:
    """How many rows a file of holdings has. Raises `BadInput` where it is none, with the column."""
    pa, pq = module("pyarrow"), module("pyarrow.parquet")
    try:
        file = pq.ParquetFile(path)
    except FileNotFoundError:
        raise BadInput(str(path), "", "there is no such file") from None
    except (pa.ArrowException, OSError):
        raise BadInput(str(path), "", "this is not a Parquet file") from None
    schema = file.schema_arrow
    for name in NEEDED:
        if name not in schema.names:
            raise BadInput(str(path), f"column {name}", "it is missing", "see docs/review.md")
    for field in schema:
        if field.name not in COLUMNS or schema.names.count(field.name) > 1:
            raise BadInput(
                str(path), f"column {field.name}", "the format has none", f"it has {', '.join(COLUMNS)}"
            )
        if not _fits(pa.types, field.name, field.type):
            raise BadInput(str(path), f"column {field.name}", f"it is {field.type}", "see docs/review.md")
    return int(file.metadata.num_rows)


def _fits(types: Any, name: str, kind: Any) -> bool:
    def text(kind: Any) -> bool:
        kind = kind.value_type if types.is_dictionary(kind) else kind
        return bool(types.is_string(kind) or types.is_large_string(kind))

    if name == "at":
        return bool(types.is_timestamp(kind) and kind.tz is not None)
    if name == "uses":
        return bool(types.is_integer(kind))
    if name in {"topics", "regions"} and (types.is_list(kind) or types.is_large_list(kind)):
        return text(kind.value_type)
    return text(kind)


def write(path: Path, batches: Iterable[Sequence[Copy]]) -> int:
    """Write copies into a new file, for its owner only; how many. It is there whole or not at all."""
    return write_rows(path, _schema(), (list(map(_fields, copies)) for copies in batches))


def write_changed(path: Path, copies: Iterable[tuple[Copy, bool]]) -> int:
    """Write copies with whether they are gone: what new agreements change."""
    pa = module("pyarrow")
    schema = _schema().append(pa.field("gone", pa.bool_()))
    return write_rows(path, schema, [[_fields(copy) | {"gone": gone} for copy, gone in copies]])


def _schema() -> Any:
    pa = module("pyarrow")
    types = {"at": pa.timestamp("us", tz="UTC"), "uses": pa.int64()}
    return pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])


def _fields(copy: Copy) -> dict[str, Any]:
    """Sets of words as one text: engines read it in half the time of a list."""
    topics, regions = (",".join(sorted(words)) for words in (copy.topics, copy.regions))
    return {**copy._asdict(), "category": str(copy.category), "topics": topics, "regions": regions}
