"""The simulated disk loses what a real one would lose, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, insert, select

from tearline.simulate.disk import Crashed, SimulatedDisk

metadata = MetaData()
table = Table("number", metadata, Column("n", Integer, primary_key=True))
PATH = Path("/nowhere/some.db")


@pytest.fixture
def disk() -> SimulatedDisk:
    return SimulatedDisk(lambda _: None)


def add(engine: Engine, number: int) -> None:
    with engine.begin() as db:
        db.execute(insert(table).values(n=number))


def numbers(disk: SimulatedDisk) -> list[int]:
    with disk.open(PATH, metadata=metadata).connect() as db:
        return [n for (n,) in db.execute(select(table.c.n).order_by(table.c.n))]


def test_what_is_committed_survives_a_power_cut(disk: SimulatedDisk) -> None:
    add(disk.open(PATH, metadata=metadata), 1)
    assert disk.lose(synced_only=True) == []
    disk.restart()
    assert numbers(disk) == [1]


def test_what_is_not_committed_is_lost(disk: SimulatedDisk) -> None:
    engine = disk.open(PATH, metadata=metadata)
    add(engine, 1)
    with engine.begin() as db:
        db.execute(insert(table).values(n=2))
        disk.lose(synced_only=False)
        with pytest.raises(Crashed):
            db.execute(insert(table).values(n=3))
        db.rollback()
    disk.restart()
    assert numbers(disk) == [1]


@pytest.mark.parametrize(("power", "left"), [(True, [1]), (False, [1, 2, 3])])
def test_commits_that_are_not_synced_go_with_the_power(
    disk: SimulatedDisk, power: bool, left: list[int]
) -> None:
    engine = disk.open(PATH, metadata=metadata)
    add(engine, 1)
    with engine.connect() as db:
        driver = db.connection.driver_connection
        assert driver is not None
        db.rollback()
        driver.execute("PRAGMA synchronous = NORMAL")
        for number in (2, 3):
            driver.execute("BEGIN IMMEDIATE")
            driver.execute("INSERT INTO number VALUES (?)", (number,))
            driver.execute("COMMIT")
    assert disk.lose(synced_only=power) == (["some.db"] if power else [])
    disk.restart()
    assert numbers(disk) == left


def test_a_synced_commit_takes_those_before_it_along(disk: SimulatedDisk) -> None:
    engine = disk.open(PATH, metadata=metadata)
    with engine.connect() as db:
        driver = db.connection.driver_connection
        assert driver is not None
        db.rollback()
        driver.execute("PRAGMA synchronous = NORMAL")
        driver.execute("BEGIN IMMEDIATE")
        driver.execute("INSERT INTO number VALUES (1)")
        driver.execute("COMMIT")
        driver.execute("PRAGMA synchronous = FULL")
    add(engine, 2)
    assert disk.lose(synced_only=True) == []
    disk.restart()
    assert numbers(disk) == [1, 2]


@pytest.mark.parametrize(("before", "left"), [(True, [1]), (False, [1, 2])])
def test_a_process_dies_at_a_commit(disk: SimulatedDisk, before: bool, left: list[int]) -> None:
    engine = disk.open(PATH, metadata=metadata)
    disk.crash_at(1, before=before)
    add(engine, 1)
    with pytest.raises(Crashed):
        add(engine, 2)
    with pytest.raises(Crashed):  # nothing of the dying process writes any more
        add(engine, 3)
    disk.lose(synced_only=True)
    disk.restart()
    assert numbers(disk) == left


def test_a_watch_sees_commits(disk: SimulatedDisk) -> None:
    engine = disk.open(PATH, metadata=metadata)
    watch = disk.watch(PATH)
    before = watch.execute("PRAGMA data_version").fetchone()
    add(engine, 1)
    assert watch.execute("PRAGMA data_version").fetchone() != before
