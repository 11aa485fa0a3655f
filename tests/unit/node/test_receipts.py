"""Receipts go back for what was taken; a giver with two histories is found; both records are compared."""

from __future__ import annotations

import base64
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from tearline import deliver
from tearline.adapters import store
from tearline.adapters.view import OUT
from tearline.agreement.suspension import Scope
from tearline.deliver import Kind, witness
from tearline.deliver.extension import EXTENSION
from tearline.deliver.receipt import Receipt, read_receipt
from tearline.ledger import Act, canonical
from tearline.node import Node, hand_over, messages, receive, suspend, take_inbox, verify_ledger
from tearline.node import export as room
from tearline.node.export import export, verify_with
from tearline.node.partner_record import Record, verify_partner
from tearline.node.receipts import decode_proof, notices, settle_fork
from tearline.terms import BadInput, Refused
from tests.adoption import OFFICERS
from tests.unit.node.world import (
    EVERYTHING,
    GREEN,
    REPORT,
    Clock,
    add_to_inbox,
    bundle,
    entries,
    held,
    malware,
    nodes,
    page,
    sealed_in_log,
    state,
    take,
    work,
)

OFFICER = OFFICERS[0]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA") as made:
        yield made


def make(giver: Node, *names: str) -> None:
    """Products that go to the partner, a batch each."""
    for name in names:
        take(giver, bundle(malware(name, GREEN)))
        work(giver)


def fetched(giver: Node, taker: Node) -> list[dict[str, Any]]:
    """What the taker is served of all that stands in its view."""
    view = giver.view(taker.party)
    return [orjson.loads(body) for body in view.serve(OUT, EVERYTHING, after=-1, limit=10_000).items]


def fetch(giver: Node, taker: Node) -> int:
    return receive(taker, giver.party, fetched(giver, taker))


def exchange(one: Node, other: Node) -> None:
    """Until neither has anything new for the other."""
    while fetch(one, other) + fetch(other, one) + hand_over(one) + hand_over(other):
        pass


def receipts(taker: Node, giver: Node) -> list[Receipt]:
    return [read_receipt(item["body"]) for item in page(taker, giver) if deliver.is_message(item)]


def clean(*made: Node) -> None:
    one, other = made
    for node, partner in ((one, other.party), (other, one.party)):
        assert verify_ledger(node)[1] == []
        assert verify_partner(node, partner).differences == []


def kinds(record: Record) -> set[str]:
    return {finding.kind for finding in record.differences}


# --- receipts ------------------------------------------------------------------------------------


def test_what_was_taken_is_receipted_and_both_sides_have_it(pair: list[Node]) -> None:
    gbr, usa = pair
    make(gbr, "a", "b")
    assert verify_partner(gbr, "USA").given.not_fetched == 2
    fetch(gbr, usa)
    missing = verify_partner(gbr, "USA")
    assert [finding.kind for finding in missing.open] == ["no-receipt", "no-receipt"]
    assert missing.differences == []
    exchange(gbr, usa)
    (receipt,) = receipts(usa, gbr)
    assert [(line.index, line.size, line.became.value) for line in receipt.releases] == [
        (0, 1, "held"),
        (1, 2, "held"),
    ]
    assert [each.size for each in receipt.checkpoints] == [1, 2]
    record = verify_partner(gbr, "USA")
    assert (record.given.releases, record.given.receipted, record.open) == (2, 2, [])
    other = verify_partner(usa, "GBR")
    assert (other.taken.releases, other.taken.receipted, other.open) == (2, 2, [])
    clean(gbr, usa)
    sent, got = entries(usa, Act.MESSAGE_SENT)[0].body, entries(gbr, Act.MESSAGE_RECEIVED)[0].body
    assert (sent["release"], sent["digest"]) == (got["release"], got["digest"])


def test_a_receipt_tells_what_became_of_each_and_never_why(pair: list[Node]) -> None:
    gbr, usa = pair
    shape = deliver.compose_message(
        deliver.Message(Kind.RECEIPT, {}), recipient="USA", about="x", node=gbr.identity, issued=gbr.clock()
    )
    items = [malware("fine", GREEN), malware("unmarked"), malware("bad", GREEN, modified="yesterday")]
    drafts = [
        msgspec.structs.replace(
            shape,
            release_id=f"{n:064x}",
            object=item,
            object_id=item["id"],
            version=item["modified"],
            digest=digest_of(item),
        )
        for n, item in enumerate(items)
    ]
    receive(usa, "GBR", [orjson.loads(body) for body in sealed_in_log(gbr, drafts)])
    hand_over(usa)
    (receipt,) = receipts(usa, gbr)
    assert [line.became.value for line in receipt.releases] == ["held", "quarantined", "refused"]
    assert "yesterday" not in repr(page(usa, gbr))


def digest_of(item: dict[str, Any]) -> str:
    return sha256(canonical(item)).hexdigest()


def test_what_does_not_verify_gets_no_receipt(pair: list[Node]) -> None:
    gbr, usa = pair
    make(gbr, "a")
    spoilt = [item | {"name": "changed"} if item["type"] == "malware" else item for item in page(gbr, usa)]
    receive(usa, "GBR", spoilt)
    assert hand_over(usa) == 0
    assert page(usa, gbr) == []


def test_doubles_and_other_orders_are_harmless(pair: list[Node]) -> None:
    gbr, usa = pair
    make(gbr, "a", "b", "c", "d")
    objects = fetched(gbr, usa)
    for some in (objects[::-1], objects, objects[::2] * 3):
        receive(usa, "GBR", some)
    hand_over(usa)
    back = fetched(usa, gbr)
    for some in (back[::-1], back, back):
        receive(gbr, "USA", some)
    clean(gbr, usa)
    assert verify_partner(gbr, "USA").given.receipted == 4
    assert usa.forked == gbr.forked == frozenset()
    before = state(gbr), state(usa)
    exchange(gbr, usa)
    assert (state(gbr), state(usa)) == before


def test_a_crash_before_the_receipt_is_queued_leaves_nothing_taken(
    pair: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    gbr, usa = pair
    make(gbr, "a")
    before = state(usa)

    def failing(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(store, "add_message", failing)
    with pytest.raises(MemoryError):
        fetch(gbr, usa)
    monkeypatch.undo()
    assert state(usa) == before
    exchange(gbr, usa)
    assert verify_partner(gbr, "USA").given.receipted == 1
    clean(gbr, usa)


def test_a_hundred_releases_are_one_receipt(pair: list[Node]) -> None:
    gbr, usa = pair
    take(gbr, bundle(*(malware(f"m{n}", GREEN) for n in range(130))))
    work(gbr)
    fetch(gbr, usa)
    hand_over(usa)
    assert [len(receipt.releases) for receipt in receipts(usa, gbr)] == [100, 30]


@pytest.mark.parametrize(
    ("whose", "change"),
    [
        (0, "DELETE FROM receipt"),
        (0, "UPDATE receipt SET partner = 'CAN'"),
        (1, "DELETE FROM message"),
        (1, "UPDATE message SET release_id = 'other'"),
        (1, "DELETE FROM received"),
        (1, "DELETE FROM sighting"),
        (1, "UPDATE sighting SET proof = x'00'"),
        (0, "UPDATE receipt SET sealed = replace(sealed, 'held', 'holy')"),
    ],
)
def test_what_is_changed_in_the_record_is_found(pair: list[Node], whose: int, change: str) -> None:
    make(pair[0], "a")
    exchange(*pair)
    clean(*pair)
    node, partner = pair[whose], pair[1 - whose].party
    with closing(sqlite3.connect(node.home.database)) as db, db:
        assert db.execute(change).rowcount == 1
    assert verify_ledger(node)[1] or verify_partner(node, partner).differences


# --- a recipient that cheats -----------------------------------------------------------------------

Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda body: body["releases"][0].update(statement="0" * 64), "differs from what was sent"),
        (lambda body: body["releases"][0].update(release="other"), "another release there"),
        (lambda body: body["checkpoints"][0].update(root="A" * 43 + "="), "never sent: our log never was"),
        (
            lambda body: (body["checkpoints"][0].update(size=9), body["releases"][0].update(size=9)),
            "never sent: our log never was",
        ),
        (lambda body: body["releases"][0].update(index=8), "never sent: our log never was"),
    ],
)
def test_a_false_receipt_is_kept_as_a_difference(pair: list[Node], change: Change, says: str) -> None:
    gbr, usa = pair
    make(gbr, "a")
    take(gbr, bundle(malware("b", GREEN), malware("c", GREEN)))
    work(gbr)
    fetch(gbr, usa)
    with usa.writing() as db:
        body = queued(usa, db).to_body()
        body["releases"] = body["releases"][:1]
        body["checkpoints"] = body["checkpoints"][:1]
        change(body)
        messages.send(usa, db, "GBR", Kind.RECEIPT, body, about="a lie")
    exchange(gbr, usa)
    record = verify_partner(gbr, "USA")
    assert [says in finding.says for finding in record.differences] == [True]
    assert kinds(record) == {"receipt"}
    assert len(entries(gbr, Act.RECEIPT_DIFFERS)) == 1
    assert record.given.receipted == 3  # the true receipt stands
    assert verify_ledger(gbr)[1] == []


def queued(node: Node, db: Any) -> Receipt:
    (message,) = store.waiting_messages(db, "GBR", 10)
    draft = msgspec.json.decode(message.draft, type=deliver.Draft)
    return read_receipt(draft.object["body"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"releases": [], "checkpoints": [], "at": ""},
        {"releases": [{"release": "x"}], "checkpoints": [{"size": 1, "root": "AA=="}], "at": "now"},
    ],
)
def test_a_receipt_that_is_none_is_refused_whole(pair: list[Node], body: dict[str, Any]) -> None:
    gbr, usa = pair
    with usa.writing() as db:
        messages.send(usa, db, "GBR", Kind.RECEIPT, body, about="nothing")
    exchange(gbr, usa)
    assert len(entries(gbr, Act.RELEASE_REFUSED)) == 1
    with gbr.reading() as db:
        assert list(store.receipts(db, "USA")) == []
    clean(gbr, usa)


# --- a giver with two histories --------------------------------------------------------------------


@pytest.fixture
def copied(pair: list[Node], tmp_path: Path) -> Iterator[Callable[[], Node]]:
    """Copies of the giver as it is now."""
    made: list[Node] = []

    def copy() -> Node:
        folder = tmp_path / f"copy-{len(made)}"
        with pair[0].writing():  # nothing is being written
            shutil.copytree(pair[0].home.folder, folder)
        node = Node.open(folder)
        node.clock = Clock()
        node.clock.now += timedelta(hours=1 + len(made))
        made.append(node)
        return node

    yield copy
    for node in made:
        node.close()


def is_found(usa: Node, *, taken: set[str]) -> None:
    """A fork is on record and proves itself; what it came with was not taken."""
    assert usa.refresh()
    assert usa.forked == {"GBR"}
    assert {item.product.title for item in held(usa)} == taken
    assert len(entries(usa, Act.FORK_FOUND)) == 1
    assert "two histories" in notices(usa)[0]
    record = verify_partner(usa, "GBR")
    assert kinds(record) == {"fork"}
    assert verify_ledger(usa)[1] == []
    with usa.reading() as db:
        (fork,) = store.forks(db, "GBR")
    proofs = [decode_proof(fork.before), decode_proof(fork.now)]
    key = deliver.public_key(usa.partners["GBR"].signing_key)
    logs = [deliver.open_proof(each, giver="GBR", keys=[key], recipient="USA")[1] for each in proofs]
    assert witness.contradict(proofs[0], logs[0], proofs[1], logs[1])


def test_a_node_restored_from_an_old_copy_that_goes_on_is_found(
    pair: list[Node], copied: Callable[[], Node]
) -> None:
    gbr, usa = pair
    make(gbr, "a")
    fetch(gbr, usa)
    old = copied()
    make(gbr, "b")
    fetch(gbr, usa)
    make(old, "c")
    receive(usa, "GBR", fetched(old, usa))
    is_found(usa, taken={"a", "b"})


def test_two_histories_to_one_partner_are_found(pair: list[Node], copied: Callable[[], Node]) -> None:
    gbr, usa = pair
    make(gbr, "a")
    other = copied()
    make(gbr, "b", "c")
    make(other, "x", "y", "z")
    receive(usa, "GBR", fetched(gbr, usa))
    receive(usa, "GBR", [item for item in fetched(other, usa) if item.get("name") == "z"])
    is_found(usa, taken={"a", "b", "c"})


def test_a_smaller_log_signed_anew_is_found(pair: list[Node], copied: Callable[[], Node]) -> None:
    gbr, usa = pair
    empty = copied()
    make(gbr, "a", "b", "c")
    fetch(gbr, usa)
    make(empty, "b")
    receive(usa, "GBR", fetched(empty, usa))
    is_found(usa, taken={"a", "b", "c"})


def test_a_dropped_entry_is_found(pair: list[Node], copied: Callable[[], Node]) -> None:
    gbr, usa = pair
    make(gbr, "a")
    without = copied()
    make(gbr, "b", "c")
    fetch(gbr, usa)
    make(without, "c", "d")
    receive(usa, "GBR", [item for item in fetched(without, usa) if item.get("name") == "d"])
    is_found(usa, taken={"a", "b", "c"})


def test_what_was_taken_before_can_tell_of_a_fork(pair: list[Node], copied: Callable[[], Node]) -> None:
    """The same release, proved in another log."""
    gbr, usa = pair
    other = copied()
    make(gbr, "a")
    make(other, "x", "a")
    fetch(gbr, usa)
    receive(usa, "GBR", [item for item in fetched(other, usa) if item.get("name") == "a"])
    is_found(usa, taken={"a"})


def test_after_a_fork_nothing_is_taken_until_it_is_settled(
    pair: list[Node], copied: Callable[[], Node]
) -> None:
    gbr, usa = pair
    make(gbr, "a")
    fetch(gbr, usa)
    old = copied()
    make(gbr, "b")
    fetch(gbr, usa)
    make(old, "c", "d")
    inbox = [item for item in fetched(old, usa) if item["type"] == "malware"]
    add_to_inbox(usa, "GBR", *inbox, malware("beside it", GREEN))
    take_inbox(usa)
    is_found(usa, taken={"a", "b"})
    for _ in range(2):
        assert take_inbox(usa) == 0
        receive(usa, "GBR", inbox)
    add_to_inbox(usa, "GBR", malware("not sealed", GREEN))
    receive(usa, "GBR", [malware("not sealed", GREEN)])
    make(gbr, "of the first history")
    fetch(gbr, usa)
    assert len(entries(usa, Act.FORK_FOUND)) == 1
    assert {item.product.title for item in held(usa)} == {"a", "b"}
    with pytest.raises(Refused, match="not an officer"):
        settle_fork(usa, "GBR", officer="nobody", why="They said so.")
    with pytest.raises(Refused, match="no fork"):
        settle_fork(gbr, "USA", officer=OFFICER, why="They said so.")
    settle_fork(usa, "GBR", officer=OFFICER, why="They restored a copy; told by telephone.")
    assert usa.forked == frozenset()
    take_inbox(usa)
    assert {item.product.title for item in held(usa)} == {"a", "b", "c", "d", "not sealed", "beside it"}
    assert len(entries(usa, Act.FORK_SETTLED)) == 1
    assert verify_partner(usa, "GBR").differences == []
    # The old history once more is another fork; settled again, it goes on.
    make(gbr, "e", "f")
    fetch(gbr, usa)
    assert usa.refresh()
    assert usa.forked == {"GBR"}
    settle_fork(usa, "GBR", officer=OFFICER, why="They have mended it.")
    fetch(gbr, usa)
    assert {item.product.title for item in held(usa)} >= {"e", "f"}


def test_a_giver_that_was_restored_learns_it_from_receipts(
    pair: list[Node], copied: Callable[[], Node]
) -> None:
    gbr, usa = pair
    make(gbr, "a")
    old = copied()
    make(gbr, "b")
    fetch(gbr, usa)
    hand_over(usa)
    receive(old, "USA", fetched(usa, old))
    record = verify_partner(old, "USA")
    assert [finding.says for finding in record.differences] == [
        "receipted and never sent: our log never was as the receipt has it"
    ]


# --- gaps ------------------------------------------------------------------------------------------


def test_what_is_held_back_and_put_back_accuses_nobody(pair: list[Node]) -> None:
    gbr, usa = pair
    make(gbr, "a")
    fetch(gbr, usa)
    take(gbr, bundle(malware("b", GREEN), malware("c", GREEN)))
    work(gbr)
    made = suspend.suspend(
        gbr,
        "USA",
        Scope.read("category=cyber"),
        officer=OFFICER,
        reason="Until Monday.",
        until=gbr.clock() + timedelta(hours=1),
    )
    exchange(gbr, usa)
    take(gbr, REPORT.encode())
    work(gbr)
    exchange(gbr, usa)
    gbr.clock.now = made.until + timedelta(seconds=1)  # type: ignore[attr-defined, operator]
    suspend.end_due(gbr)
    work(gbr)
    exchange(gbr, usa)
    assert {item.product.title for item in held(usa)} >= {"a", "b", "c"}
    clean(gbr, usa)
    record = verify_partner(usa, "GBR")
    assert (record.open, record.taken.forks, record.taken.open_checkpoints) == ([], 0, 0)


def test_a_gap_that_stays_is_closed_by_the_proof_that_a_receipt_asks_for(pair: list[Node]) -> None:
    gbr, usa = pair
    make(gbr, *"abcdefgh")
    objects = {item["name"]: item for item in fetched(gbr, usa) if item["type"] == "malware"}
    receive(usa, "GBR", [objects["e"]])
    receive(usa, "GBR", [objects["h"]])  # f and g never come
    (found,) = verify_partner(usa, "GBR").open
    assert (found.kind, found.about) == ("checkpoint", "5")
    hand_over(usa)
    fetch(usa, gbr)  # its newest receipt asks for 5
    make(gbr, "i")
    newest = fetched(gbr, usa)[-1]
    assert newest["extensions"][EXTENSION]["previous"]["size"] == 5
    receive(usa, "GBR", [newest])
    assert verify_partner(usa, "GBR").open == []
    clean(gbr, usa)


# --- both records ----------------------------------------------------------------------------------


def exported(node: Node, partner: Node, folder: Path) -> Path:
    path = folder / f"{node.party}-{partner.party}.jsonl"
    path.write_bytes(b"".join(export(node, partner.party)))
    return path


def test_honest_exports_agree(pair: list[Node], tmp_path: Path) -> None:
    gbr, usa = pair
    make(gbr, "a", "b")
    make(usa, "c")
    exchange(gbr, usa)
    for one, other in ((gbr, usa), (usa, gbr)):
        record = verify_with(one, other.party, exported(other, one, tmp_path))
        assert (record.differences, record.open) == ([], [])
        assert record.other is not None
    make(gbr, "late")
    record = verify_with(usa, "GBR", exported(gbr, usa, tmp_path))
    assert (record.differences, record.open) == ([], [])  # what was not served yet is not told
    fetched(gbr, usa)
    record = verify_with(usa, "GBR", exported(gbr, usa, tmp_path))
    assert [finding.kind for finding in record.open] == ["not-received"]


def signed_anew(node: Node, partner: Node, keep: Callable[[dict[str, Any]], bool]) -> bytes:
    """An export that leaves lines out and is signed as if it were whole."""
    real = room._lines
    room._lines = lambda *who: (line for line in real(*who) if keep(line))
    try:
        return b"".join(export(node, partner.party))
    finally:
        room._lines = real


def test_what_a_partner_leaves_out_the_other_holds(pair: list[Node], tmp_path: Path) -> None:
    gbr, usa = pair
    make(gbr, "a")
    make(usa, "c")
    exchange(gbr, usa)
    path = tmp_path / "export"
    for kind, says in (
        ("given", "it gave us, signed, and does not show"),
        ("taken", "it receipted it, signed, and does not show that it has it"),
        ("receipt_given", "a receipt that it gave us and does not show"),
    ):
        path.write_bytes(signed_anew(usa, gbr, lambda line, kind=kind: kind not in line))
        record = verify_with(gbr, "USA", path)
        assert {finding.says for finding in record.differences} == {says}
    path.write_bytes(signed_anew(usa, gbr, lambda line: "receipt_taken" not in line))
    record = verify_with(gbr, "USA", path)
    assert [finding.kind for finding in record.open] == ["receipt-not-arrived"]


def test_who_rewrote_its_own_log_is_shown_its_own_signature(
    pair: list[Node], copied: Callable[[], Node], tmp_path: Path
) -> None:
    gbr, usa = pair
    make(usa, "c")
    exchange(gbr, usa)
    old = copied()
    make(gbr, "a")
    exchange(gbr, usa)
    record = verify_with(old, "USA", exported(usa, gbr, tmp_path))
    assert "our-log" in kinds(record)
    make(old, "x")
    fetched(old, usa)
    record = verify_with(usa, "GBR", exported(old, usa, tmp_path))
    assert kinds(record) == {"fork", "left-out"}


def test_an_export_that_was_changed_or_cut_is_refused(pair: list[Node], tmp_path: Path) -> None:
    gbr, usa = pair
    make(gbr, "a")
    exchange(gbr, usa)
    whole = exported(usa, gbr, tmp_path).read_bytes()
    lines = whole.splitlines(keepends=True)
    path = tmp_path / "changed"
    for changed in (
        b"",
        b"\n",
        b"{}\n",
        b"".join(lines[:-1]),
        b"".join(lines[:1] + lines[2:]),
        b"".join([lines[0], *lines[2:], lines[1]]),
        whole.replace(b'"held"', b'"refused"'),
        b"".join(export(gbr, "USA")),
    ):
        path.write_bytes(changed)
        with pytest.raises(BadInput):
            verify_with(gbr, "USA", path)


def test_a_line_that_does_not_hold_is_a_difference(pair: list[Node], tmp_path: Path) -> None:
    gbr, usa = pair
    make(gbr, "a")
    exchange(gbr, usa)
    real = room._lines
    for bad in ({"given": 1}, {"taken": {}}, {"receipt_given": []}, {"x": 1}, [], {"receipt_taken": {}}):
        room._lines = lambda *who, bad=bad: [*real(*who), bad]
        try:
            path = exported(usa, gbr, tmp_path)
        finally:
            room._lines = real
        assert kinds(verify_with(gbr, "USA", path)) == {"export"}, bad


def test_an_export_tells_nothing_that_is_held_back(pair: list[Node]) -> None:
    gbr, usa = pair
    make(gbr, "a")
    fetched(gbr, usa)
    make(gbr, "b")
    (release,) = [row.release for row in gbr.view("USA").released() if not row.served]
    suspend.suspend(gbr, "USA", Scope.read("all"), officer=OFFICER, reason="Until Monday.")
    text = b"".join(export(gbr, "USA")).decode()
    held_back = gbr.view("USA").held_back()
    assert held_back == {release}
    for line in text.splitlines()[1:-1]:
        payload = base64.b64decode(orjson.loads(line)["given"]["dsse"]["payload"])
        assert release.encode() not in payload
