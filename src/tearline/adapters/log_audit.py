"""Recomputes a stored log and says what was changed. Streams: memory does not grow with the log.

Three witnesses must agree: the entries, the hashes over them, and the signed checkpoints. A log is as long as
its widest valid checkpoint says: what lies beyond is reported, what falls short of it is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, CursorResult

from tearline.ledger import Checkpoint, Verifier, open_note, tree
from tearline.terms import Broken

_REMEMBERED = 10_000
"""So many changed entries at most are compared with one another, to tell moved ones from rewritten ones."""


class Fault(StrEnum):
    """What may be found of entries."""

    CHANGED = "not as written"
    MOVED = "not in their place"
    MISSING = "missing"
    HASHES = "at odds with the hashes over them"
    UNSIGNED = "beyond what any checkpoint signs"
    CHECKPOINT = "at odds with a checkpoint"


@dataclass(frozen=True)
class Finding:
    """A fault in the log `origin`: in its entries from `start` up to `stop`, or as `detail` says."""

    origin: str
    fault: Fault
    start: int
    stop: int
    detail: str = ""

    def __str__(self) -> str:
        one = self.stop <= self.start + 1
        entries = f"entry {self.start}" if one else f"entries {self.start} to {self.stop - 1}"
        return f"{self.origin}: {self.detail or f'{entries}: {self.fault}'}"


def audit(conn: Connection, log: str, origin: str, verifier: Verifier, known: Sequence[str]) -> list[Finding]:
    """Every fault in the log `log` of this database, in the order of its entries; see `Log.verify`."""
    auditor = _Auditor(conn, log, origin)
    checkpoints = auditor.stored(verifier)
    checkpoints += auditor.outside(verifier, known, checkpoints)
    size = max((checkpoint.size for checkpoint in checkpoints), default=0)
    auditor.walk(size, checkpoints)
    auditor.beyond(size)
    return sorted(auditor.findings, key=lambda finding: (finding.start, finding.stop))


class _Auditor:
    def __init__(self, conn: Connection, log: str, origin: str) -> None:
        self._conn, self._log, self._origin = conn, log, origin
        self._doubtful = -1
        """The last entry in doubt: hashes that cover it cannot agree, and need no finding of their own."""
        self._changed: list[tuple[int, bytes]] = []
        """(number, hash) of entries that are not what was recorded of them."""
        self._written: set[bytes] = set()
        """What was recorded of these, and of missing entries."""
        self.findings: list[Finding] = []

    # --- checkpoints -------------------------------------------------------------------------------

    def stored(self, verifier: Verifier) -> list[Checkpoint]:
        """The valid checkpoints in the database."""
        valid: list[Checkpoint] = []
        expected, last = 0, -1
        rows = self._rows("SELECT number, size, note FROM log_checkpoint WHERE log = ? ORDER BY number")
        for number, size, note in rows:
            if number != expected:
                self._add(Fault.CHECKPOINT, last, last, f"checkpoint {expected} is missing")
            expected = number + 1 if isinstance(number, int) else expected + 1
            checkpoint = self._open(note, verifier, f"checkpoint {number}")
            if checkpoint is not None:
                if checkpoint.size != size or checkpoint.size <= last:
                    self._add(
                        Fault.CHECKPOINT, last, checkpoint.size, f"checkpoint {number} is not in its place"
                    )
                last = checkpoint.size
                valid.append(checkpoint)
        return valid

    def outside(
        self, verifier: Verifier, known: Sequence[str], stored: Sequence[Checkpoint]
    ) -> list[Checkpoint]:
        """The valid ones among those kept elsewhere. Each must be stored here too."""
        opened = [self._open(note, verifier, "a checkpoint kept elsewhere") for note in known]
        valid = [checkpoint for checkpoint in opened if checkpoint is not None]
        for checkpoint in valid:
            if checkpoint not in stored:
                self._add(Fault.CHECKPOINT, 0, checkpoint.size, "a checkpoint kept elsewhere is missing here")
        return valid

    def _open(self, note: object, verifier: Verifier, which: str) -> Checkpoint | None:
        try:
            return open_note(str(note), verifier, origin=self._origin)
        except Broken as error:
            self._add(Fault.CHECKPOINT, 0, 0, f"{which}: {error}")
            return None

    # --- entries and hashes ------------------------------------------------------------------------

    def walk(self, size: int, checkpoints: Sequence[Checkpoint]) -> None:
        """Entries, hashes and checkpoints side by side, up to `size`."""
        roots: dict[int, set[bytes]] = {}
        for checkpoint in checkpoints:
            roots.setdefault(checkpoint.size, set()).add(checkpoint.root)
        entries = self._stream("SELECT seq, data FROM log_entry WHERE log = ? AND seq >= 0 ORDER BY seq")
        levels = [
            self._stream(
                "SELECT idx, hash FROM log_node WHERE log = ? AND level = ? AND idx >= 0 ORDER BY idx", level
            )
            for level in range(size.bit_length())
        ]
        growing, agreed = tree.CompactRange(), 0
        for seq in range(size):
            leaf = self._leaf(seq, entries.take(seq), levels[0].take(seq))
            for level, index, computed in growing.append(leaf)[1:]:
                if levels[level].take(index) != computed:
                    self._doubt(Fault.HASHES, index << level, index + 1 << level)
            if seq + 1 in roots:
                if roots[seq + 1] == {growing.root()}:
                    agreed = seq + 1
                else:
                    self._doubt(Fault.CHECKPOINT, agreed, seq + 1)
        self._tell_changed()

    def _leaf(self, seq: int, data: object, recorded: object) -> bytes:
        """The hash to build on: the recorded one if there is one, which what stands above it can bear out."""
        computed = tree.leaf_hash(data) if isinstance(data, bytes) else b""
        if computed == recorded:
            return computed
        self._doubtful = seq
        if isinstance(recorded, bytes) and len(self._written) < _REMEMBERED:
            self._written.add(recorded)
        if data is None:
            self._add(Fault.MISSING, seq, seq + 1)
        elif not isinstance(recorded, bytes):
            self._add(Fault.HASHES, seq, seq + 1)
        elif len(self._changed) < _REMEMBERED:
            self._changed.append((seq, computed))
        else:
            self._add(Fault.CHANGED, seq, seq + 1)
        return recorded if isinstance(recorded, bytes) else computed

    def _doubt(self, fault: Fault, start: int, stop: int) -> None:
        if self._doubtful < start:
            self._add(fault, start, stop)
            self._doubtful = stop - 1

    def _tell_changed(self) -> None:
        """A changed entry with the hash that was recorded of another was moved."""
        for seq, computed in self._changed:
            self._add(Fault.MOVED if computed in self._written else Fault.CHANGED, seq, seq + 1)

    def beyond(self, size: int) -> None:
        """What stands where no entry should be."""
        count = self._rows(
            "SELECT count(*) FROM log_entry"
            " WHERE log = ? AND NOT (typeof(seq) = 'integer' AND seq >= 0 AND seq < ?)",
            size,
        ).scalar_one()
        if count:
            self._add(Fault.UNSIGNED, size, size + count)
            return
        count = self._rows(
            "SELECT count(*) FROM log_node"
            " WHERE log = ? AND NOT (typeof(level) = 'integer' AND typeof(idx) = 'integer'"
            " AND level BETWEEN 0 AND 62 AND idx >= 0 AND idx < (? >> level))",
            size,
        ).scalar_one()
        if count:
            self._add(Fault.HASHES, size, size, f"hashes over nothing: {count}")

    # --- inside ------------------------------------------------------------------------------------

    def _add(self, fault: Fault, start: int, stop: int, detail: str = "") -> None:
        last = self.findings[-1] if self.findings else None
        if last and not detail and (last.fault, last.stop, last.detail) == (fault, start, ""):
            self.findings[-1] = replace(last, stop=stop)
        else:
            self.findings.append(Finding(self._origin, fault, start, stop, detail))

    def _rows(self, sql: str, *parameters: int) -> CursorResult[*tuple[Any, ...]]:
        return self._conn.exec_driver_sql(sql, (self._log, *parameters))

    def _stream(self, sql: str, *parameters: int) -> _Stream:
        return _Stream(self._rows(sql, *parameters))


class _Stream:
    """Rows of (number, value) in order, of which those with given numbers are taken."""

    def __init__(self, rows: Iterable[Sequence[Any]]) -> None:
        self._rows = iter(rows)
        self._next = next(self._rows, None)

    def take(self, number: int) -> object:
        """The value at `number`, which rises from call to call; `None` where there is none."""
        while self._next is not None and _before(self._next[0], number):
            self._next = next(self._rows, None)
        return self._next[1] if self._next is not None and self._next[0] == number else None


def _before(key: object, number: int) -> bool:
    return isinstance(key, int | float) and key < number
