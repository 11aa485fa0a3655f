"""Opens a SQLite file so that what is committed is on disk, and readers never wait for a writer.

`engine.begin()` is a transaction that writes: it takes the write lock at once (`BEGIN IMMEDIATE`), so that
what it read cannot have changed when it writes. `engine.connect()` is for reading: one snapshot, no lock.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from tearline.adapters import log
from tearline.adapters.prepared import driver
from tearline.terms import BadInput, Broken

_BUSY_MS = 10_000
"""How long to wait for another process's write before giving up."""
_IMMEDIATE = "tearline_immediate"


class _Database(Engine):
    """An engine whose `begin` takes the write lock; see the module."""

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with self.connect().execution_options(**{_IMMEDIATE: True}) as conn, conn.begin():
            yield conn


class Disk(Protocol):
    """Where databases are kept. `FILES` is the real one; the simulator has one that can lose what it must."""

    def open(self, path: Path, *, metadata: MetaData) -> Engine:
        """As `open_database`."""

    def watch(self, path: Path) -> sqlite3.Connection:
        """A connection outside any transaction to a database that was opened."""


class _Files:
    def open(self, path: Path, *, metadata: MetaData) -> Engine:
        return open_database(path, metadata=metadata)

    def watch(self, path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


FILES: Disk = _Files()


def open_database(path: Path, *, metadata: MetaData, read_only: bool = False) -> Engine:
    """The database at `path`, with the tables of `metadata` and of logs; made, for its owner only, if absent.

    A connection may be used by one thread at a time. With `read_only` nothing is made, and nothing can be
    written. Raises `BadInput` where `path` is no such database, `Broken` where it is damaged.
    """
    if read_only and not path.is_file():
        raise BadInput(str(path), "", "there is no database")
    try:
        if not read_only:
            _make(path)
            path.chmod(0o600)  # the files that SQLite puts beside it take their mode from it
        engine = _engine(path, read_only=read_only)
        if read_only:
            with engine.connect() as conn:
                conn.exec_driver_sql("SELECT count(*) FROM sqlite_schema")
        else:
            with engine.begin() as conn:
                metadata.create_all(conn)
                log.metadata.create_all(conn)
    except OSError as error:
        raise BadInput(str(path), "", f"it cannot be opened ({error.strerror})") from None
    except DatabaseError as error:
        raise _explained(path, error) from None
    return engine


@contextmanager
def soon_durable(engine: Engine) -> Iterator[Connection]:
    """As `engine.begin()`, but without waiting for the disk: a crash of the machine, not of the program, may
    undo it, unless a later transaction was waited for."""
    with engine.connect().execution_options(**{_IMMEDIATE: True}) as conn:
        driver(conn).execute("PRAGMA synchronous = NORMAL")
        try:
            with conn.begin():
                yield conn
        finally:
            driver(conn).execute("PRAGMA synchronous = FULL")


def _make(path: Path) -> None:
    """Make an empty file. One that is there must not be opened but by SQLite: closing it would drop the locks
    that this process has on it, and the next to close the database would take its log of writes away."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _engine(path: Path, *, read_only: bool) -> Engine:
    # Path and mode go as a URI, in which SQLite gives ?, # and % a meaning of their own.
    uri = path.absolute().as_uri() + ("?mode=ro" if read_only else "?mode=rw")
    plain = create_engine(
        URL.create("sqlite", database=uri, query={"uri": "true"}),
        connect_args={"isolation_level": None, "check_same_thread": False},
    )
    return configured(plain, read_only=read_only)


def configured(plain: Engine, *, read_only: bool = False) -> Engine:
    """An engine as this module promises it, over the connections of a plain one."""
    engine = _Database(plain.pool, plain.dialect, plain.url, hide_parameters=True)
    event.listen(engine, "connect", _configure if not read_only else _configure_reader)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(conn: Connection) -> None:
    # The driver would begin only at the first write, after the reads that led to it: so it is told not to.
    immediate = conn.get_execution_options().get(_IMMEDIATE, False)
    driver(conn).execute("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _configure_reader(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    connection.execute("PRAGMA query_only = ON")


def _configure(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # in WAL mode: a commit is on disk when it returns
    connection.execute("PRAGMA foreign_keys = ON")


def _explained(path: Path, error: DBAPIError) -> Exception:
    """SQLite's own error codes, as what they mean to the one who opens the file."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_NOTADB:
        return BadInput(str(path), "", "this is not a database of a node")
    if code is not None and code & 0xFF == sqlite3.SQLITE_CORRUPT:
        return Broken(f"{path}: the database is damaged")
    return BadInput(str(path), "", f"the database cannot be opened ({error.orig})")
