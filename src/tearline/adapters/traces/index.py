"""The features of every released form, in a SQLite file of their own, and which forms share most with a leak.

A row a form: its features, four bytes each. To add one is to append one row, whatever the size of the index;
to look a leak up is to read all rows once to count, once to weigh. A trace is rare and may take a second;
a release may not wait. Inverted lists answer sooner and cost more at every release (docs/likeness.md has
the measurement).

What is here can be made again from the forms in `node.db`: so nothing waits for the disk, and after a crash
`known` tells what is missing. It holds hashes, no text; but whoever guesses a sentence can check the guess,
so the file is as private as `node.db`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from heapq import nlargest
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, Text, delete, select
from sqlalchemy.dialects.sqlite import insert

from tearline.adapters.database import FILES, Disk, soon_durable
from tearline.adapters.prepared import Prepared, any_of, columns, driver

Ints = npt.NDArray[np.int64]
_METADATA = MetaData()
_FORM = Table(
    "form",
    _METADATA,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("features", LargeBinary, nullable=False),
)
_ADD = Prepared(insert(_FORM).values(columns("id", "features")).on_conflict_do_nothing())
_REMOVE = Prepared(delete(_FORM).where(_FORM.c.id.in_(any_of("ids"))))
_KNOWN = Prepared(select(_FORM.c.id).where(_FORM.c.id.in_(any_of("ids"))))
_ALL = Prepared(select(_FORM.c.seq, _FORM.c.features).order_by(_FORM.c.seq))
_NAMES = Prepared(select(_FORM.c.seq, _FORM.c.id).where(_FORM.c.seq.in_(any_of("seqs"))))
_BATCH = 8192
"""Forms held at a time: a few megabytes."""
_BITS = 20


class Asked(Protocol):
    """What is looked up. `codes`: ascending, each once."""

    @property
    def codes(self) -> npt.NDArray[np.uint32]: ...

    def weights(self, counts: Ints, size: int, /) -> npt.NDArray[np.float64]:
        """What each feature tells, where `counts` of `size` forms hold it."""


class Found(NamedTuple):
    """How many forms there are, how many hold each feature asked for, and of the forms whose shared features
    weigh most which of them they hold (row numbers, in their order), and how many times as many features as
    a mean form they have in all."""

    size: int
    counts: Ints
    shared: dict[str, Ints]
    lengths: dict[str, float]


class Traces:
    """The index in the file at `path`, made if absent. `version`: of the features that are put into it."""

    def __init__(self, path: Path, *, version: int, disk: Disk = FILES) -> None:
        """Raises `BadInput` where `path` is no such file, `Broken` where it is damaged.

        What another version of the features put there is thrown away: nothing of it would be found.
        """
        self._engine = disk.open(path, metadata=_METADATA)
        with self._engine.begin() as db:
            (held,) = driver(db).execute("PRAGMA user_version").fetchone()
            if held != version:
                driver(db).execute("DELETE FROM form")
                driver(db).execute(f"PRAGMA user_version = {int(version)}")

    def add(self, forms: Iterable[tuple[str, bytes]]) -> None:
        """Add forms: id, and features as ascending codes of four bytes, least first. Those known stay."""
        with soon_durable(self._engine) as db:
            _ADD.many(db, ({"id": name, "features": features} for name, features in forms))

    def remove(self, ids: Collection[str]) -> None:
        """Forget forms; those not known are ignored."""
        with soon_durable(self._engine) as db:
            _REMOVE(db, ids=ids)

    def known(self, ids: Collection[str]) -> set[str]:
        """Which of these forms are in the index."""
        with self._engine.connect() as db:
            return {name for (name,) in _KNOWN(db, ids=ids)}

    def candidates(self, asked: Asked, limit: int) -> Found:
        """The `limit` forms whose shared features weigh most. Memory does not grow with the index."""
        sieve = _Sieve(asked.codes)
        counts, size, held = np.zeros(len(asked.codes), np.int64), 0, 0
        best: list[_Weighed] = []
        with self._engine.connect() as db, db.begin():
            for batch in _batches(_ALL(db)):
                counts += np.bincount(sieve.rows(batch.codes)[1], minlength=len(counts))
                size += len(batch.seqs)
                held += len(batch.codes)
            mean = max(held / max(size, 1), 1.0)
            weights = asked.weights(counts, size)
            for batch in _batches(_ALL(db)):
                more = _weighed(batch, sieve, weights, mean, limit)
                best = nlargest(limit, [*best, *more], key=itemgetter(0))
            names: dict[int, str] = dict(_NAMES(db, seqs=[each.seq for each in best]).fetchall())
        shared = {names[each.seq]: each.rows for each in best}
        return Found(size, counts, shared, {names[each.seq]: each.length for each in best})


class _Batch(NamedTuple):
    """Some forms: their numbers, all their features in a row, and where each form's end in it."""

    seqs: list[int]
    codes: npt.NDArray[np.uint32]
    ends: Ints


class _Weighed(NamedTuple):
    weight: float
    seq: int
    rows: Ints
    length: float


def _batches(rows: sqlite3.Cursor) -> Iterator[_Batch]:
    while some := rows.fetchmany(_BATCH):
        seqs, held = zip(*some, strict=True)
        ends = np.cumsum([len(each) // 4 for each in held])
        yield _Batch(list(seqs), np.frombuffer(b"".join(held), "<u4"), ends)


def _weighed(
    batch: _Batch, sieve: _Sieve, weights: npt.NDArray[np.float64], mean: float, limit: int
) -> list[_Weighed]:
    """The forms of a batch whose shared features weigh most; in a long form each weighs less."""
    at, rows = sieve.rows(batch.codes)
    form = np.searchsorted(batch.ends, at, "right")
    lengths = np.diff(batch.ends, prepend=0) / mean
    less = np.log(np.maximum(lengths, 1.0))
    totals = np.bincount(form, np.maximum(weights[rows] - less[form], 0.0), minlength=len(batch.seqs))
    top = np.argsort(-totals, kind="stable")[:limit]
    top = top[totals[top] > 0]
    first, stop = np.searchsorted(form, top, "left"), np.searchsorted(form, top, "right")
    return [
        _Weighed(float(totals[k]), batch.seqs[k], rows[a:b], float(lengths[k]))
        for k, a, b in zip(top.tolist(), first.tolist(), stop.tolist(), strict=True)
    ]


class _Sieve:
    """Finds the codes asked for among many: by their first bits, then whole."""

    def __init__(self, asked: npt.NDArray[np.uint32]) -> None:
        self._asked = asked
        self._may_be = np.zeros(1 << _BITS, np.bool_)
        self._may_be[asked >> (32 - _BITS)] = True

    def rows(self, codes: npt.NDArray[np.uint32]) -> tuple[Ints, Ints]:
        """Where codes that are asked for stand, and which row of `asked` each is."""
        at = self._may_be[codes >> (32 - _BITS)].nonzero()[0]
        row = np.searchsorted(self._asked, codes[at])
        row[row == len(self._asked)] = 0
        same = self._asked[row] == codes[at] if len(self._asked) else np.zeros(len(at), np.bool_)
        return at[same], row[same]
