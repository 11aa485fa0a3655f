"""What is opened is durable, private, and what it says it is."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table
from sqlalchemy.exc import OperationalError

from tearline.adapters.database import open_database
from tearline.terms import BadInput, Broken

METADATA = MetaData()
THING = Table("thing", METADATA, Column("id", Integer, primary_key=True))


def test_commits_are_durable_and_private(tmp_path: Path) -> None:
    path = tmp_path / "node #1?.db"
    engine = open_database(path, metadata=METADATA)
    with engine.begin() as conn:
        conn.execute(THING.insert(), {"id": 1})
        pragma = {
            name: conn.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
        assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        beside = list(tmp_path.iterdir())
    assert {file.name for file in beside} == {path.name, f"{path.name}-wal", f"{path.name}-shm"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in beside} == {0o600}
    with open_database(path, metadata=METADATA).connect() as conn:
        assert conn.execute(THING.select()).all() == [(1,)]


def test_an_existing_file_is_made_private(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    path.touch(mode=0o644)
    open_database(path, metadata=METADATA)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "node.db", metadata=METADATA)

    def fail() -> None:
        with engine.begin() as conn:
            conn.execute(THING.insert(), {"id": 1})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with engine.connect() as conn:
        assert conn.execute(THING.select()).all() == []


def test_a_writer_locks_at_once_and_a_reader_keeps_its_snapshot(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "node.db", metadata=METADATA)
    with engine.connect() as reader:
        assert reader.execute(THING.select()).all() == []
        with engine.begin() as writer:
            # Nothing is written yet, and still another writer has to wait.
            rival = sqlite3.connect(tmp_path / "node.db", timeout=0, isolation_level=None)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                rival.execute("BEGIN IMMEDIATE")
            rival.close()
            writer.execute(THING.insert(), {"id": 1})
        assert reader.execute(THING.select()).all() == []
    with engine.connect() as reader:
        assert reader.execute(THING.select()).all() == [(1,)]


def test_read_only_cannot_write(tmp_path: Path) -> None:
    open_database(tmp_path / "node.db", metadata=METADATA).dispose()
    engine = open_database(tmp_path / "node.db", metadata=METADATA, read_only=True)
    with engine.connect() as conn:
        assert conn.execute(THING.select()).all() == []
        with pytest.raises(OperationalError, match="readonly"):
            conn.execute(THING.insert(), {"id": 1})


def test_read_only_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no database"):
        open_database(tmp_path / "node.db", metadata=METADATA, read_only=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_database(tmp_path: Path, read_only: bool) -> None:
    path = tmp_path / "node.db"
    path.write_bytes(b"not a database, though long enough to be one. " * 100)
    with pytest.raises(BadInput, match="not a database"):
        open_database(path, metadata=METADATA, read_only=read_only)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_damaged_database(tmp_path: Path, read_only: bool) -> None:
    path = tmp_path / "node.db"
    open_database(path, metadata=METADATA).dispose()
    data = bytearray(path.read_bytes())
    data[100:400] = b"\xff" * 300
    path.write_bytes(data)
    with pytest.raises(Broken, match="damaged"):
        open_database(path, metadata=METADATA, read_only=read_only)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be opened"):
        open_database(tmp_path / "nowhere" / "node.db", metadata=METADATA)


def test_opening_it_again_takes_no_locks_from_who_has_it_open(tmp_path: Path) -> None:
    """A process that closes a file loses its locks on it (POSIX); others would take its log away."""
    path = tmp_path / "one.db"
    first = open_database(path, metadata=MetaData())
    with first.begin() as conn:
        conn.exec_driver_sql("CREATE TABLE a (b INTEGER)")
    second = open_database(path, metadata=MetaData())
    elsewhere = f"import sqlite3; d = sqlite3.connect({str(path)!r}); d.execute('SELECT 1 FROM a'); d.close()"
    subprocess.run([sys.executable, "-c", elsewhere], check=True)
    with first.begin() as conn:
        conn.exec_driver_sql("INSERT INTO a VALUES (7)")
    count = f"import sqlite3; print(sqlite3.connect({str(path)!r}).execute('SELECT b FROM a').fetchall())"
    seen = subprocess.run([sys.executable, "-c", count], check=True, capture_output=True, text=True)
    assert seen.stdout == "[(7,)]\n"
    second.dispose()
    first.dispose()
