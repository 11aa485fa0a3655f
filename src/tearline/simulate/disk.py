"""A node's disk that can fail: real SQLite on files in memory, and crashes that lose what a disk would lose.

What a crash loses: every transaction that was not committed, and every commit that was made with less than
`PRAGMA synchronous = FULL` since the last one that was. Both are read off the connections at work, not off
what the code should have asked for.

A process dies at a `COMMIT`, before or after it takes effect. After that the disk refuses everything, so that
no `finally` of the dying node can write; `restart` lets it be opened again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine, MetaData, QueuePool, create_engine

from tearline.adapters import log
from tearline.adapters.database import configured

_FULL = 2
_MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory, where there is one


class Crashed(BaseException):
    """The node's process died here. No `except Exception` of the node may catch it."""


class SimulatedDisk:
    """The databases of one node. `committed` is called with the name of each database that commits."""

    def __init__(self, committed: Callable[[str], None]) -> None:
        self._committed = committed
        where = str(_MEMORY) if _MEMORY.is_dir() else None
        self._folder = TemporaryDirectory(prefix="tearline-simulate-", dir=where)
        self._stores: dict[str, _Store] = {}
        self._engines: list[Engine] = []
        self._life = _Life()

    def open(self, path: Path, *, metadata: MetaData) -> Engine:
        store = self._stores.get(path.name)
        if store is None:
            store = self._stores[path.name] = _Store(Path(self._folder.name) / path.name, metadata)
        life, stored = self._life, store

        def connect() -> _Connection:
            return _Connection(stored, life, self._committed)

        plain = create_engine("sqlite://", creator=connect, poolclass=QueuePool)
        engine = configured(plain)
        self._engines.append(engine)
        return engine

    def watch(self, path: Path) -> sqlite3.Connection:
        return self._stores[path.name].connect()

    def close(self) -> None:
        """The end of this disk."""
        self.lose(synced_only=False)
        self._folder.cleanup()

    def crash_at(self, commit: int, *, before: bool) -> None:
        """Let the process die at its next commit but `commit`, `before` it takes effect or after."""
        self._life.left, self._life.before = commit, before

    def lose(self, synced_only: bool) -> list[str]:
        """The process is dead: drop what was open. `synced_only`: the power failed too, so that commits which
        were not synced are lost; returns in which databases that was so."""
        self._life.dead = True
        for engine in self._engines:
            engine.dispose()
        self._engines.clear()
        return [name for name, store in self._stores.items() if store.settle(synced_only)]

    def restart(self) -> None:
        self._life = _Life()

    def bytes_of(self, name: str) -> bytes:
        """All that stands in a database."""
        return self._stores[name].image()

    def newest_checkpoints(self, name: str) -> bytes:
        """The newest signed state of every log in a database."""
        query = "SELECT note FROM log_checkpoint ORDER BY log, number"
        with closing(self._stores[name].connect()) as db:
            return "".join(note for (note,) in db.execute(query)).encode()

    @property
    def names(self) -> list[str]:
        return sorted(self._stores)


class _Life:
    """One process of a node, from its start to its death."""

    def __init__(self) -> None:
        self.dead, self.left, self.before = False, -1, False

    def dies(self, *, before: bool) -> bool:
        if self.left < 0 or before is not self.before:
            return False
        self.left -= 1
        return self.left < 0


class _Store:
    """One database, and its last synced state where its present one is not."""

    _patterns: dict[int, bytes] = {}  # noqa: RUF012 - one for the process: empty databases

    def __init__(self, path: Path, metadata: MetaData) -> None:
        self.name, self.path = path.name, path
        self._synced: bytes | None = None
        self._unsynced = False
        self._weak: set[int] = set()
        path.write_bytes(self._pattern(metadata))

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)

    def image(self) -> bytes:
        """All that is committed."""
        with closing(self.connect()) as db:
            return db.serialize()

    @classmethod
    def _pattern(cls, metadata: MetaData) -> bytes:
        if id(metadata) not in cls._patterns:
            with closing(sqlite3.connect(":memory:", check_same_thread=False)) as made:
                engine = create_engine("sqlite://", creator=lambda: made)
                with engine.begin() as conn:
                    metadata.create_all(conn)
                    log.metadata.create_all(conn)
                cls._patterns[id(metadata)] = made.serialize()
        return cls._patterns[id(metadata)]

    def weaken(self, connection: _Connection, *, weak: bool) -> None:
        """From now on commits of a connection are synced, or are not. It is in no transaction."""
        if weak:
            self._weak.add(id(connection))
            if self._synced is None:
                self._synced = self.image()
        else:
            self._weak.discard(id(connection))
            if not (self._weak or self._unsynced):
                self._synced = None

    def committed(self, connection: _Connection) -> None:
        self._unsynced = id(connection) in self._weak
        if not self._unsynced:  # a sync takes all before it along
            self._synced = self.image() if self._weak else None

    def settle(self, synced_only: bool) -> bool:
        lost = synced_only and self._unsynced and self._synced is not None
        if lost and self._synced is not None:
            with closing(sqlite3.connect(":memory:")) as before, closing(self.connect()) as db:
                # A database in memory has no log of writes: its header (bytes 18, 19) must not say so.
                before.deserialize(self._synced[:18] + b"\1\1" + self._synced[20:])
                before.backup(db)
        self._synced, self._unsynced = None, False
        self._weak.clear()
        return lost


class _Connection(sqlite3.Connection):
    """A connection of a process that can die."""

    def __init__(self, store: _Store, life: _Life, committed: Callable[[str], None]) -> None:
        self._store, self._life, self._told = store, life, committed
        super().__init__(store.path, isolation_level=None, check_same_thread=False)

    def cursor(self, *arguments: Any) -> Any:
        self._must_live()
        return super().cursor(*arguments)

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        self._must_live()
        if sql == "COMMIT":
            self.commit()
            return super().cursor()
        done = super().execute(sql, *arguments)
        if sql.startswith("PRAGMA synchronous"):
            (level,) = super().execute("PRAGMA synchronous").fetchone()
            self._store.weaken(self, weak=level < _FULL)
        return done

    def commit(self) -> None:
        self._must_live()
        if not self.in_transaction:
            return
        changed = self.total_changes
        if changed == getattr(self, "_changes", 0):  # it only read
            super().commit()
            return
        self._changes = changed
        if self._life.dies(before=True):
            self._die()
        super().commit()
        self._store.committed(self)
        self._told(self._store.name)
        if self._life.dies(before=False):
            self._die()

    def _die(self) -> None:
        self._life.dead = True
        raise Crashed

    def _must_live(self) -> None:
        if self._life.dead:
            raise Crashed
