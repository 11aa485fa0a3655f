"""The log in a database: it grows, proves, and names what was tampered with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, MetaData

from tearline.adapters.database import open_database
from tearline.adapters.log import Log
from tearline.adapters.log_audit import Fault
from tearline.ledger import (
    Checkpoint,
    Verifier,
    leaf_hash,
    open_note,
    sign,
    verify_consistency,
    verify_inclusion,
)
from tearline.terms import Broken

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
VERIFIER = Verifier("ARN", KEY.public_key())
LOG = Log("out", "ARN/BEL/out")


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[Connection]:
    with open_database(tmp_path / "view.db", metadata=MetaData()).begin() as conn:
        yield conn


def datas(start: int, stop: int) -> list[bytes]:
    return [f"entry {n}".encode() for n in range(start, stop)]


def grow(conn: Connection, *sizes: int, log: Log = LOG) -> list[str]:
    """Batches up to each size, a checkpoint after each."""
    notes = []
    for size in sizes:
        log.append(conn, datas(log.size(conn), size))
        notes.append(log.checkpoint(conn, KEY))
    return notes


def found(conn: Connection, known: list[str] | None = None, log: Log = LOG) -> list[tuple[Fault, int, int]]:
    findings = log.verify(conn, KEY.public_key(), known or [])
    return [(finding.fault, finding.start, finding.stop) for finding in findings]


def test_appending_gives_numbers(conn: Connection) -> None:
    assert LOG.size(conn) == 0
    assert LOG.append(conn, datas(0, 3)) == range(3)
    assert LOG.append(conn, []) == range(3, 3)
    assert LOG.append(conn, datas(3, 10)) == range(3, 10)
    assert LOG.size(conn) == 10
    assert list(LOG.entries(conn, 2, 5)) == datas(2, 5)
    assert list(LOG.entries(conn, 8, 99)) == datas(8, 10)


def test_logs_in_one_database_do_not_mix(conn: Connection) -> None:
    other = Log("in", "ARN/BEL/in")
    grow(conn, 5)
    assert other.size(conn) == 0
    grow(conn, 3, log=other)
    assert LOG.size(conn) == 5
    assert found(conn) == found(conn, log=other) == []


def test_batches_do_not_change_the_tree(conn: Connection) -> None:
    other = Log("in", "ARN/BEL/in")
    LOG.append(conn, datas(0, 37))
    for at in range(37):
        other.append(conn, datas(at, at + 1))
    assert LOG.root(conn) == other.root(conn)


def test_every_proof_verifies(conn: Connection) -> None:
    (note,) = grow(conn, 37)
    signed = open_note(note, VERIFIER, origin="ARN/BEL/out")
    assert signed == Checkpoint("ARN/BEL/out", 37, LOG.root(conn))
    for index, proof in enumerate(LOG.inclusions(conn, range(37), 37)):
        assert proof == LOG.inclusion(conn, index, 37)
        verify_inclusion(leaf_hash(f"entry {index}".encode()), index, 37, proof, signed.root)
    for old in range(1, 37):
        proof = LOG.consistency(conn, old, 37)
        verify_consistency(old, 37, LOG.root(conn, old), signed.root, proof)


def test_a_checkpoint_of_the_same_state_is_the_same(conn: Connection) -> None:
    notes = grow(conn, 0, 4, 4, 9)
    assert notes[1] == notes[2]
    assert len(set(notes)) == 3
    assert found(conn) == []


def test_a_thousand_proofs_are_more_than_one_statement(conn: Connection) -> None:
    LOG.append(conn, datas(0, 1500))
    root = LOG.root(conn)
    proofs = list(LOG.inclusions(conn, range(1500), 1500))
    assert len(proofs) == 1500
    verify_inclusion(leaf_hash(b"entry 1499"), 1499, 1500, proofs[1499], root)


# --- tampering: each entry that was touched is named -----------------------------------------------


def test_untouched_logs_have_no_findings(conn: Connection) -> None:
    assert found(conn) == []
    notes = grow(conn, 1, 2, 7, 8, 21)
    assert found(conn) == []
    assert found(conn, notes) == []


def test_a_changed_entry(conn: Connection) -> None:
    grow(conn, 5, 9)
    conn.exec_driver_sql("UPDATE log_entry SET data = ? WHERE seq = 3", (b"other",))
    assert found(conn) == [(Fault.CHANGED, 3, 4)]
    assert [str(finding) for finding in LOG.verify(conn, KEY.public_key())] == [
        "ARN/BEL/out: entry 3: not as written"
    ]


def test_changed_neighbours_are_one_finding(conn: Connection) -> None:
    grow(conn, 9)
    conn.exec_driver_sql("UPDATE log_entry SET data = ? WHERE seq BETWEEN 3 AND 5", (b"other",))
    assert [str(finding) for finding in LOG.verify(conn, KEY.public_key())] == [
        "ARN/BEL/out: entries 3 to 5: not as written"
    ]


def test_a_changed_entry_with_its_hash(conn: Connection) -> None:
    grow(conn, 5, 9)
    for seq, expected in ((3, (Fault.HASHES, 2, 4)), (8, (Fault.CHECKPOINT, 5, 9))):
        conn.exec_driver_sql("SAVEPOINT before")
        conn.exec_driver_sql("UPDATE log_entry SET data = ? WHERE seq = ?", (b"other", seq))
        conn.exec_driver_sql(
            "UPDATE log_node SET hash = ? WHERE level = 0 AND idx = ?", (leaf_hash(b"other"), seq)
        )
        assert found(conn) == [expected]
        conn.exec_driver_sql("ROLLBACK TO before")


def test_a_log_rewritten_whole(conn: Connection) -> None:
    grow(conn, 5, 9)
    forged = Log("forged", "ARN/BEL/out")
    forged.append(conn, [b"other", *datas(1, 9)])
    conn.exec_driver_sql("UPDATE log_checkpoint SET log = 'forged'")
    assert found(conn, log=forged) == [(Fault.CHECKPOINT, 0, 5)]


def test_swapped_entries(conn: Connection) -> None:
    grow(conn, 9)
    conn.exec_driver_sql(
        "UPDATE log_entry SET seq = CASE seq WHEN 2 THEN -6 WHEN 6 THEN -2 END WHERE seq IN (2, 6)"
    )
    conn.exec_driver_sql("UPDATE log_entry SET seq = -seq WHERE seq < 0")
    assert found(conn) == [(Fault.MOVED, 2, 3), (Fault.MOVED, 6, 7)]


def test_a_missing_entry(conn: Connection) -> None:
    grow(conn, 9)
    conn.exec_driver_sql("DELETE FROM log_entry WHERE seq = 4")
    assert found(conn) == [(Fault.MISSING, 4, 5)]
    conn.exec_driver_sql("DELETE FROM log_node WHERE level = 0 AND idx = 4")
    assert found(conn) == [(Fault.MISSING, 4, 5)]


def test_a_missing_entry_closed_up(conn: Connection) -> None:
    grow(conn, 9)
    conn.exec_driver_sql("DELETE FROM log_entry WHERE seq = 4")
    conn.exec_driver_sql("UPDATE log_entry SET seq = seq - 1 WHERE seq > 4")
    assert found(conn) == [(Fault.MOVED, 4, 8), (Fault.MISSING, 8, 9)]


def test_an_entry_pushed_in(conn: Connection) -> None:
    grow(conn, 9)
    conn.exec_driver_sql("UPDATE log_entry SET seq = -seq - 1 WHERE seq >= 4")
    conn.exec_driver_sql("UPDATE log_entry SET seq = -seq WHERE seq < 0")
    conn.exec_driver_sql("INSERT INTO log_entry VALUES ('out', 4, ?)", (b"other",))
    assert found(conn) == [(Fault.CHANGED, 4, 5), (Fault.MOVED, 5, 9), (Fault.UNSIGNED, 9, 10)]


def test_a_tail_cut_off(conn: Connection) -> None:
    grow(conn, 5, 9)
    conn.exec_driver_sql("DELETE FROM log_entry WHERE seq >= 7")
    conn.exec_driver_sql("DELETE FROM log_node WHERE (idx + 1) << level > 7")
    assert found(conn) == [(Fault.MISSING, 7, 9)]


def test_a_tail_cut_off_with_its_checkpoint_needs_one_kept_elsewhere(conn: Connection) -> None:
    notes = grow(conn, 5, 9)
    conn.exec_driver_sql("DELETE FROM log_entry WHERE seq >= 5")
    conn.exec_driver_sql("DELETE FROM log_node WHERE (idx + 1) << level > 5")
    conn.exec_driver_sql("DELETE FROM log_checkpoint WHERE size = 9")
    assert found(conn) == []
    assert found(conn, notes[1:]) == [(Fault.CHECKPOINT, 0, 9), (Fault.MISSING, 5, 9)]


def test_an_entry_that_nobody_signed(conn: Connection) -> None:
    grow(conn, 8)
    LOG.append(conn, [b"one more"])
    assert found(conn) == [(Fault.UNSIGNED, 8, 9)]


@pytest.mark.parametrize("seq", [-1, 99, 3.5, "x"])
def test_a_stray_entry(conn: Connection, seq: object) -> None:
    grow(conn, 8)
    conn.exec_driver_sql("INSERT INTO log_entry VALUES ('out', ?, ?)", (seq, b"stray"))
    assert found(conn) == [(Fault.UNSIGNED, 8, 9)]


@pytest.mark.parametrize(("level", "index"), [(0, 8), (4, 0), (-1, 0), (99, 0), (0, 2.5), (0.5, 0), (0, "x")])
def test_a_stray_hash(conn: Connection, level: object, index: object) -> None:
    grow(conn, 8)
    conn.exec_driver_sql("INSERT INTO log_node VALUES ('out', ?, ?, ?)", (level, index, bytes(32)))
    assert found(conn) == [(Fault.HASHES, 8, 8)]


@pytest.mark.parametrize(("level", "index", "expected"), [(0, 3, (3, 4)), (1, 1, (2, 4)), (3, 0, (0, 8))])
def test_a_changed_or_missing_hash(
    conn: Connection, level: int, index: int, expected: tuple[int, int]
) -> None:
    grow(conn, 9)
    where = f"WHERE level = {level} AND idx = {index}"
    conn.exec_driver_sql(f"UPDATE log_node SET hash = ? {where}", (bytes(32),))
    assert found(conn) == [(Fault.CHANGED if level == 0 else Fault.HASHES, *expected)]
    conn.exec_driver_sql(f"DELETE FROM log_node {where}")
    assert found(conn) == [(Fault.HASHES, *expected)]


def test_checkpoints_tampered_with(conn: Connection) -> None:
    notes = grow(conn, 3, 5, 9)
    forged = sign(Checkpoint("ARN/BEL/out", 5, bytes(32)), OTHER_KEY, "ARN")
    for change, parameters in (
        ("UPDATE log_checkpoint SET note = ? WHERE number = 1", (forged,)),
        ("UPDATE log_checkpoint SET note = ? WHERE number = 1", (notes[0],)),
        ("UPDATE log_checkpoint SET size = 6 WHERE number = 1", ()),
        ("DELETE FROM log_checkpoint WHERE number = 0", ()),
        ("DELETE FROM log_checkpoint WHERE number = 1", ()),
        ("INSERT INTO log_checkpoint VALUES ('out', 3, 9, ?)", (notes[2],)),
        ("INSERT INTO log_checkpoint VALUES ('out', 'x', 9, ?)", (notes[2],)),
    ):
        conn.exec_driver_sql("SAVEPOINT before")
        conn.exec_driver_sql(change, parameters)
        assert Fault.CHECKPOINT in {fault for fault, _, _ in found(conn)}, change
        conn.exec_driver_sql("ROLLBACK TO before")
    assert found(conn) == []


def test_no_checkpoint_at_all(conn: Connection) -> None:
    grow(conn, 9)
    conn.exec_driver_sql("DELETE FROM log_checkpoint")
    assert found(conn) == [(Fault.UNSIGNED, 0, 9)]


def test_a_false_checkpoint_of_the_empty_log(conn: Connection) -> None:
    false = sign(Checkpoint("ARN/BEL/out", 0, bytes(32)), KEY, "ARN")
    assert found(conn, [false]) == [(Fault.CHECKPOINT, 0, 0)]


def test_a_known_checkpoint_of_another_log(conn: Connection) -> None:
    grow(conn, 3)
    foreign = grow(conn, 3, log=Log("in", "ARN/BEL/in"))
    assert found(conn, foreign) == [(Fault.CHECKPOINT, 0, 0)]


# --- a log that was tampered with is not built on --------------------------------------------------


def test_no_append_over_hashes_of_entries_that_are_gone(conn: Connection) -> None:
    grow(conn, 9)
    conn.exec_driver_sql("DELETE FROM log_entry WHERE seq >= 7")
    with pytest.raises(Broken, match="entries that are gone"):
        LOG.append(conn, [b"more"])


def test_no_append_without_the_hashes_before(conn: Connection) -> None:
    grow(conn, 9)
    conn.exec_driver_sql("DELETE FROM log_node WHERE level = 3")
    with pytest.raises(Broken, match="lacks a hash"):
        LOG.append(conn, [b"more"])


def test_nothing_is_signed_that_contradicts_what_was_signed(conn: Connection) -> None:
    grow(conn, 9)
    conn.exec_driver_sql("DELETE FROM log_entry WHERE seq >= 7")
    conn.exec_driver_sql("DELETE FROM log_node WHERE (idx + 1) << level > 7")
    with pytest.raises(Broken, match="contradicts"):
        LOG.checkpoint(conn, KEY)
    LOG.append(conn, [b"a", b"b", b"c"])
    with pytest.raises(Broken, match="contradicts"):
        LOG.checkpoint(conn, KEY)


def test_a_newest_checkpoint_that_is_not_the_one_remembered_is_read_again(conn: Connection) -> None:
    log = Log("out", "ARN/BEL/out")
    grow(conn, 3, log=log)
    forged = sign(Checkpoint("ARN/BEL/out", 3, bytes(32)), KEY, "ARN")
    conn.exec_driver_sql("UPDATE log_checkpoint SET note = ?", (forged,))
    with pytest.raises(Broken):
        grow(conn, 4, log=log)
