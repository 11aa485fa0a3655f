"""What one side shows the other of their exchange, line by line, and how the other checks it (law 9).

An export is JSON lines. Each but the first and the last is evidence that one of the two signed, as it was
given: so a side can leave lines out, but not invent them; and what it leaves out, the other holds. The last
line is the exporter's signature over all before it: it cannot say later that it showed something else.

    {"export": 1, "party": WHO, "partner": TO WHOM, "at": WHEN}
    {"given": PROOF}               what the exporter gave and the partner was served: its place in the log
    {"taken": PROOF, ...}          what the partner gave, as the exporter holds it, and what became of it
    {"receipt_given": OBJECT}      a receipt of the exporter, sealed
    {"receipt_taken": OBJECT}      a receipt of the partner, sealed
    {"end": ENVELOPE}              DSSE over party, partner, the number of lines, and the SHA-256 of them

It tells the partner nothing that the exporter did not give it before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import orjson
from sqlalchemy import Connection

from tearline.adapters import store
from tearline.deliver import Kind, Opened, Proof, Statement, dsse, witness
from tearline.deliver.extension import EXTENSION
from tearline.ledger import Checkpoint, canonical
from tearline.node.opened import Node
from tearline.node.partner_record import (
    Finding,
    Keys,
    Record,
    compared,
    is_message,
    receipt_in,
    sightings_of,
    verify_partner,
)
from tearline.node.receipts import decode_proof, recall
from tearline.terms import BadInput, Broken, Party

PAYLOAD_TYPE = "application/vnd.tearline.export+json"
_MOST = 32 * 1024 * 1024
"""Bytes in one line, at most."""


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    export: int
    party: Party
    partner: Party
    at: str


class _End(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    party: Party
    partner: Party
    lines: int
    sha256: str


# --- making one ----------------------------------------------------------------------------------


def export(node: Node, party: Party) -> Iterator[bytes]:
    """What `party` gets to see, a line at a time, each with its newline. Raises `Refused` for a stranger."""
    Keys(node, party)
    running, count = sha256(), 0
    for line in _lines(node, party):
        data = orjson.dumps(line) + b"\n"
        running.update(data)
        count += 1
        yield data
    end = _End(node.party, party, count, running.hexdigest())
    envelope = dsse.sign(PAYLOAD_TYPE, canonical(msgspec.structs.asdict(end)), node.home.signing_key)
    yield orjson.dumps({"end": msgspec.to_builtins(envelope)}) + b"\n"


def _lines(node: Node, party: Party) -> Iterator[dict[str, Any]]:
    yield msgspec.structs.asdict(_Header(1, node.party, party, store.stamp(node.clock())))
    with node.reading() as db:
        receipted = {line.release_id for line in store.receipt_lines(db, party)}
    for row in node.view(party).released():
        # What a suspension may still hold back is not told (law 7).
        if row.served or row.release in receipted:
            item = orjson.loads(row.body)
            yield {"given": item["extensions"][EXTENSION]}
            if is_message(row) and item["kind"] == Kind.RECEIPT:
                yield {"receipt_given": item}
    with node.reading() as db:
        for sighting in store.sightings(db, party):
            proof = msgspec.to_builtins(decode_proof(sighting.proof))
            yield {"taken": proof, "became": sighting.became, "receipt": sighting.receipt}
        for _, sealed in store.receipts(db, party):
            yield {"receipt_taken": orjson.loads(sealed)}


# --- checking one --------------------------------------------------------------------------------


def verify_with(node: Node, party: Party, path: Path) -> Record:
    """`verify_partner`, compared line by line with the export that `party` made for us.

    Raises `BadInput` where the file is no whole export of that partner for this node.
    """
    record = verify_partner(node, party)
    at = _check_whole(node, party, path)
    differences, open_ = list(record.differences), list(record.open)
    with node.reading() as db:
        reader = _Reader(node, db, party, differences, open_)
        for number, line in enumerate(_read(path), 1):
            reader.take(number, line)
        reader.finish()
    return msgspec.structs.replace(record, differences=differences, open=open_, other=at)


def _check_whole(node: Node, party: Party, path: Path) -> str:
    """When the export was made. Raises `BadInput` where it is not whole, or not of `party` for us."""
    running, count, last, header = sha256(), 0, b"", None
    for data in _raw(path):
        if header is None:
            header = _header(path, data)
        running.update(last)
        last, count = data, count + 1
    signing = Keys(node, party).signing
    try:
        envelope = msgspec.convert(orjson.loads(last)["end"], dsse.Envelope)
        end = msgspec.json.decode(dsse.verify(envelope, signing, PAYLOAD_TYPE), type=_End)
    except (Broken, ValueError, KeyError, TypeError, msgspec.ValidationError):
        raise BadInput(
            str(path), "end", f"{party} did not sign it as it stands", "ask for it again"
        ) from None
    said = _End(party, node.party, count - 1, running.hexdigest())
    if end != said or header is None or (header.party, header.partner) != (party, node.party):
        raise BadInput(str(path), "end", f"it is not what {party} signed for us", "ask for it again")
    return header.at


def _header(path: Path, data: bytes) -> _Header:
    try:
        return msgspec.json.decode(data, type=_Header)
    except msgspec.DecodeError:
        raise BadInput(str(path), "line 1", "this is not an export of a partner") from None


def _raw(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while data := file.readline(_MOST):
            yield data


def _read(path: Path) -> Iterator[dict[str, Any]]:
    for data in _raw(path):
        try:
            line = orjson.loads(data)
        except orjson.JSONDecodeError:
            line = None
        yield line if isinstance(line, dict) else {}


class _Reader:
    """Compares the lines of an export with what we hold, and tells what either side lacks."""

    def __init__(
        self, node: Node, db: Connection, party: Party, differences: list[Finding], open_: list[Finding]
    ) -> None:
        self._node, self._db, self._party = node, db, party
        self._differences, self._open = differences, open_
        self._keys = Keys(node, party)
        self._telling: dict[Checkpoint, list[tuple[int, Proof]]] = {}
        self._given: dict[str, str] = {}  # release id to the digest of its statement, as they say they gave
        self._taken: set[str] = set()
        self._receipts_given: set[str] = set()
        self._receipts_taken: set[str] = set()
        self._receipts = {name for name, _ in store.receipts(db, party)}
        self._held = {
            statement.release_id: sha256(proof.dsse.payload).hexdigest()
            for statement, proof, _ in sightings_of(db, party, self._keys, [])
        }

    def take(self, number: int, line: dict[str, Any]) -> None:
        """Check one line. What does not hold is a difference: the exporter signed that it shows it."""
        try:
            match line:
                case {"given": proof}:
                    self._theirs(number, msgspec.convert(proof, Proof))
                case {"taken": proof}:
                    self._ours(msgspec.convert(proof, Proof))
                case {"receipt_given": item}:
                    opened = self._keys.opened(item)
                    self._compare_receipt(opened)
                case {"receipt_taken": item}:
                    opened = self._keys.opened(item, ours=True)
                    receipt_in(opened)
                    self._receipts_taken.add(opened.statement.release_id)
                    self._must_be_logged(opened.statement, opened.proof, opened.log, "a receipt")
                case {"end": _} | {"export": _}:
                    pass
                case _:
                    self._differ(
                        "export", f"line {number}", "a line of the export is of no kind that we know"
                    )
        except (Broken, msgspec.ValidationError, TypeError, AttributeError) as error:
            why = str(error) if isinstance(error, Broken) else "it cannot be read"
            self._differ("export", f"line {number}", f"a line of the export does not hold: {why}")

    def finish(self) -> None:
        """What is missing on one side."""
        self._see_log()
        self._missing(self._held.keys() - self._given.keys(), "it gave us, signed, and does not show")
        for release in sorted(self._given.keys() - self._held.keys()):
            self._wait("not-received", release, "it says that it gave it, signed and logged; it is not here")
        self._missing(self._receipts - self._receipts_given, "a receipt that it gave us and does not show")
        for name in sorted(self._receipts_given - self._receipts):
            self._wait("receipt-not-received", name, "a receipt that it shows has not come here")
        receipted = {
            line.release_id for line in store.receipt_lines(self._db, self._party) if line.difference is None
        }
        self._missing(receipted - self._taken, "it receipted it, signed, and does not show that it has it")
        ours = {row.receipt for row in store.sightings(self._db, self._party) if row.receipt is not None}
        for name in sorted(ours - self._receipts_taken):
            self._wait("receipt-not-arrived", name, "it does not show a receipt that we gave")

    # --- lines -----------------------------------------------------------------------------------

    def _theirs(self, number: int, proof: Proof) -> None:
        """A release of theirs: it must be the one that we hold under this id, in the same log."""
        statement, log = self._keys.proved(proof)
        digest = sha256(proof.dsse.payload).hexdigest()
        self._given[statement.release_id] = digest
        self._telling.setdefault(log, []).append((number, proof))
        held = self._held.get(statement.release_id)
        if held is not None and held != digest:
            self._differ("other-release", statement.release_id, "it signed two releases under one id")

    def _ours(self, proof: Proof) -> None:
        """A release of ours, as they hold it: our own log must have it."""
        statement, log = self._keys.proved_ours(proof)
        self._taken.add(statement.release_id)
        self._must_be_logged(statement, proof, log, "a release")

    def _must_be_logged(self, statement: Statement, proof: Proof, log: Checkpoint, what: str) -> None:
        index = proof.inclusion.index
        entries, roots = self._node.view(self._party).logged([index], [log.size])
        if entries.get(index) != proof.dsse.payload or roots.get(log.size) != log.root:
            says = f"it holds our signature on {what} that our own log does not have so"
            self._differ("our-log", statement.release_id, says)

    def _compare_receipt(self, opened: Opened) -> None:
        differences = compared(self._node, self._party, receipt_in(opened))
        self._receipts_given.add(opened.statement.release_id)
        if opened.statement.release_id in self._receipts:
            return  # compared already
        for release in sorted(name for name, found in differences.items() if found is not None):
            self._differ("receipt", release, "a receipt that it shows differs from what our log has")

    def _see_log(self) -> None:
        """All that they show of their log, against all that we saw of it."""
        telling = {log: witness.told(log, proofs) for log, proofs in self._telling.items()}
        know = recall(self._db, self._party, store.standing_of_log(self._db, self._party)[0], telling)
        for log, told in telling.items():
            if know.see(log, told, 0) is not None:
                says = "the log that it shows is another than the one that it gave us"
                self._differ("fork", f"checkpoint of {log.size}", says)

    def _missing(self, names: Iterable[str], says: str) -> None:
        for name in sorted(names):
            self._differ("left-out", name, says)

    def _differ(self, kind: str, about: str, says: str) -> None:
        self._differences.append(Finding(kind, about, says))

    def _wait(self, kind: str, about: str, says: str) -> None:
        self._open.append(Finding(kind, about, says))
