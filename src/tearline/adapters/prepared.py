"""Statements that are built and compiled once.

To build a statement costs SQLAlchemy fifty times what SQLite takes to answer it, so those that run for every
release are built when their module is read, and go straight to the driver.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, cast

import orjson
from sqlalchemy import BindParameter, Connection, ScalarSelect, bindparam, func, select
from sqlalchemy.sql.elements import CompilerElement


def any_of(name: str) -> ScalarSelect[Any]:
    """For `column.in_(any_of("ids"))`: any of the values that are given for `name` as a collection."""
    return select(func.json_each(bindparam(name)).table_valued("value").c.value).scalar_subquery()


def driver(db: Connection) -> sqlite3.Connection:
    """The driver's own connection."""
    return cast(sqlite3.Connection, db.connection.driver_connection)


def columns(*names: str) -> dict[str, BindParameter[Any]]:
    """For `insert(...).values`: these columns, each given by its name."""
    return {name: bindparam(name) for name in names}


class Prepared:
    """A statement whose `bindparam`s are given by name at each call; its rows are plain tuples."""

    def __init__(self, statement: CompilerElement) -> None:
        self._statement = statement
        self._sql = ""
        self._names: tuple[str, ...] = ()
        self._fixed: dict[str, object] = {}

    def __call__(self, db: Connection, **values: object) -> sqlite3.Cursor:
        """Run it. A collection is given to `any_of`. Raises `KeyError` where a value is missing."""
        if not self._sql:
            self._compile(db)
        return driver(db).execute(self._sql, self._row(values))

    def many(self, db: Connection, rows: Iterable[Mapping[str, object]]) -> None:
        """Run it for each row of values."""
        if not self._sql:
            self._compile(db)
        driver(db).executemany(self._sql, [self._row(row) for row in rows])

    def _compile(self, db: Connection) -> None:
        compiled: Any = self._statement.compile(dialect=db.dialect)
        wanted = {name for name, bind in compiled.binds.items() if bind.required}
        state = compiled.construct_expanded_state(dict.fromkeys(wanted))  # lists of constants, written out
        self._sql, self._names = state.statement, tuple(state.positiontup or ())
        self._fixed = {name: value for name, value in state.parameters.items() if name not in wanted}

    def _row(self, values: Mapping[str, object]) -> list[object]:
        return [self._fixed[name] if name in self._fixed else _plain(values[name]) for name in self._names]


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | bytes):
        return value
    return orjson.dumps(list(cast(Iterable[object], value))).decode()
