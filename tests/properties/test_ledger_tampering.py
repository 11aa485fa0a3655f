"""Whatever is done to the tables of a log is found; an untouched log is never accused (law 9)."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import IntegrityError

from tearline.adapters.database import open_database
from tearline.adapters.log import Log

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOG = Log("out", "ARN/BEL/out")
TABLES = {
    "log_entry": ("seq", "data"),
    "log_node": ("level", "idx", "hash"),
    "log_checkpoint": ("number", "size", "note"),
}


@pytest.fixture(scope="module")
def conn() -> Connection:
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(Path(folder) / "view.db", metadata=MetaData())
        with engine.connect() as conn:
            yield conn


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, str, list[object]]:
    """A table, what is done to it, and with which values."""
    table = draw(st.sampled_from(sorted(TABLES)))
    column = draw(st.sampled_from(TABLES[table]))
    value = draw(
        st.integers(-2, 40)
        | st.binary(max_size=40)
        | st.text(max_size=5)
        | st.sampled_from([0.5, 2**62, bytes(32)])
    )
    kind = draw(st.sampled_from(["update", "delete", "insert", "swap"]))
    row, other = draw(st.integers(0, 99)), draw(st.integers(0, 99))
    return table, kind, [column, value, row, other]


def tamper(conn: Connection, table: str, kind: str, column: str, value: object, row: int, other: int) -> None:
    names = TABLES[table]
    keys = names[: len(names) - 1] if table == "log_node" else names[:1]
    rows = conn.exec_driver_sql(f"SELECT {', '.join(names)} FROM {table}").all()
    if not rows:
        return
    one, two = (dict(zip(names, rows[at % len(rows)], strict=True)) for at in (row, other))
    where = " AND ".join(f"{key} = ?" for key in keys)

    def write(target: dict[str, object], column: str, value: object) -> None:
        values = (value, *(target[key] for key in keys))
        conn.exec_driver_sql(f"UPDATE {table} SET {column} = ? WHERE {where}", values)

    match kind:
        case "update":
            write(one, column, value)
        case "delete":
            conn.exec_driver_sql(f"DELETE FROM {table} WHERE {where}", tuple(one[key] for key in keys))
        case "insert":
            fresh = one | {column: value}
            marks = ", ".join("?" * len(names))
            conn.exec_driver_sql(f"INSERT INTO {table} VALUES ('out', {marks})", tuple(fresh.values()))
        case "swap":
            write(one, names[-1], two[names[-1]])
            write(two, names[-1], one[names[-1]])


def contents(conn: Connection) -> list[object]:
    return [conn.exec_driver_sql(f"SELECT * FROM {table}").all() for table in TABLES]


@settings(max_examples=500, deadline=None)
@given(
    batches=st.lists(st.lists(st.binary(max_size=8), max_size=9), min_size=1, max_size=5),
    done=st.lists(changes(), max_size=3),
)
def test_tampering_is_found(
    conn: Connection, batches: list[list[bytes]], done: list[tuple[str, str, list[object]]]
) -> None:
    conn.rollback()
    conn.begin()  # else the log, which goes round SQLAlchemy, would stay from one example to the next
    for batch in batches:
        LOG.append(conn, batch)
        known = LOG.checkpoint(conn, KEY)
    before = contents(conn)
    assert LOG.verify(conn, KEY.public_key(), [known]) == []
    for table, kind, values in done:
        with suppress(IntegrityError):
            tamper(conn, table, kind, *values)
    findings = LOG.verify(conn, KEY.public_key(), [known])
    assert bool(findings) == (contents(conn) != before)
    assert all(str(finding).startswith("ARN/BEL/out: ") for finding in findings)
