"""Recall and revision: what was given goes to nobody any more, and exactly those who have it are told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest

from tearline.adapters import store
from tearline.adapters.view import OUT, Closing
from tearline.agreement.suspension import Scope
from tearline.deliver import RecallAction, RecallKind, RecallReason
from tearline.deliver.extension import RECALL
from tearline.ledger import Act
from tearline.node import Node, consider, hand_over, receive, reconsider, verify_ledger
from tearline.node import suspend as suspended
from tearline.node.protect import Guard, VaultShut
from tearline.node.recall import Order, recall, revise
from tearline.node.recall_record import recalls, show
from tearline.node.recalled import Recalled
from tearline.node.suspend import resume, suspend
from tearline.terms import Category, Refused
from tests.adoption import OFFICERS, adopt, approve
from tests.unit.node.test_receive import OTHER_KEY, forged
from tests.unit.node.world import (
    EVERYTHING,
    GREEN,
    RED,
    REPORT,
    bundle,
    codes,
    entries,
    five_eyes,
    held,
    malware,
    names,
    nodes,
    page,
    page_of,
    take,
    work,
)

AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
REPORT_ID = "report--3f1a9d0e-5d0f-4c57-9c9a-0d3c8f3b5c11"


@pytest.fixture
def three(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA", "CAN") as made:
        yield made


def call_back(node: Node, product: str, **more: Any) -> Order:
    given: dict[str, Any] = {
        "kind": RecallKind.SUBSTANTIVE_RECALL,
        "reason": RecallReason.FACTUAL_ERROR,
        "actions": [RecallAction.DESTROY],
        "officer": OFFICERS[0],
    }
    return recall(node, product, **(given | more))


def put_right(node: Node, product: str, new: bytes, **more: Any) -> Order:
    given: dict[str, Any] = {
        "kind": RecallKind.SUBSTANTIVE_REVISION,
        "reason": RecallReason.FACTUAL_ERROR,
        "actions": [RecallAction.REPLACE],
        "officer": OFFICERS[0],
    }
    return revise(node, product, BytesIO(new), "new", **(given | more))


def serve(node: Node, party: str) -> list[dict[str, Any]]:
    """What the door sends to a partner that asks for everything."""
    served = node.view(party).serve(OUT, EVERYTHING, after=-1, limit=10_000).items
    return [orjson.loads(body) for body in served]


def deliver_to(giver: Node, *takers: Node) -> None:
    for taker in takers:
        receive(taker, giver.party, serve(giver, taker.party))
        work(taker)


def versions(objects: list[dict[str, Any]], name: str) -> list[tuple[str, bool]]:
    """(modified, revoked) of each version of an object."""
    return [(item["modified"], item.get("revoked", False)) for item in objects if item["id"] == name]


A = malware("a")["id"]
OLD, NEW = "2026-03-01T00:00:00.000Z", "2026-04-01T00:00:00.000Z"


def test_who_has_it_is_told_and_nobody_else(three: list[Node]) -> None:
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    deliver_to(gbr, usa)  # CAN never asked
    order = call_back(gbr, A)
    work(gbr)
    (first, second) = versions(page(gbr, usa), A)
    assert first == (OLD, False)
    assert second == (order.before, True)
    assert versions(page(gbr, can), A) == []
    assert {line.partner: line.state for line in recalls(gbr)[0].lines} == {
        "USA": "given",
        "CAN": "never-left",
    }
    assert verify_ledger(gbr)[1] == []
    deliver_to(gbr, usa)
    reconsider(usa)
    work(usa)
    assert codes(usa)["CAN", "withhold", "product.recalled"] == 1
    assert recalls(usa)[0].order.giver == "GBR"
    assert [item.product.version for item in held(usa)] == [OLD]
    assert verify_ledger(usa)[1] == []


def test_the_receipt_says_that_it_was_done(three: list[Node]) -> None:
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN), malware("b", GREEN)))
    work(gbr)
    deliver_to(gbr, usa, can)
    call_back(gbr, A)
    put_right(gbr, malware("b")["id"], bundle(malware("b", GREEN, modified=NEW, description="So.")))
    work(gbr)
    assert {line.state for each in recalls(gbr, open_only=True) for line in each.lines} == {"given"}
    deliver_to(gbr, usa)
    deliver_to(usa, gbr)
    for each in recalls(gbr, open_only=True):
        assert {line.partner: line.state for line in each.lines} == {"USA": "confirmed", "CAN": "given"}
    assert len(recalls(gbr, open_only=True)) == 2
    assert verify_ledger(gbr)[1] == verify_ledger(usa)[1] == []


def test_a_revision_takes_the_place_of_the_old(three: list[Node]) -> None:
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    deliver_to(gbr, usa, can)
    put_right(gbr, A, bundle(malware("a", GREEN, modified=NEW, description="Corrected.")))
    work(gbr)
    assert versions(page(gbr, usa), A) == [(OLD, False), (NEW, False)]
    notice = page(gbr, usa)[-1]["extensions"][RECALL]
    assert (notice["kind"], notice["actions"]) == ("substantive-revision", ["replace"])
    deliver_to(gbr, usa, can)
    assert [item.product.version for item in held(usa)] == [OLD, NEW]
    assert verify_ledger(gbr)[1] == verify_ledger(usa)[1] == []


def test_who_may_not_have_the_new_version_hears_of_a_recall_only(three: list[Node]) -> None:
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    deliver_to(gbr, usa, can)
    put_right(
        gbr, A, bundle(malware("a", RED, modified=NEW, description="More.")), instruction="See the new one."
    )
    work(gbr)
    (_, told) = versions(page(gbr, usa), A)
    assert told == ("2026-03-01T00:00:00.000001Z", True)
    assert page(gbr, usa)[-1]["extensions"][RECALL] == {
        "extension_type": "property-extension",
        "kind": "substantive-recall",
        "date": recalls(gbr)[0].order.notice.date,
        "reason": "factual-error",
        "actions": ["destroy"],
        "object": A,
        "before": "2026-03-01T00:00:00.001Z",
    }


# --- who must not notice, and what must not leave -------------------------------------------------


def test_what_waits_or_was_never_read_does_not_leave(three: list[Node]) -> None:
    gbr, _, can = three
    take(gbr, bundle(malware("a", GREEN)))
    consider(gbr)
    call_back(gbr, A)
    work(gbr)
    assert page_of(gbr, "USA") == page_of(gbr, "CAN") == []
    take(gbr, bundle(malware("b", GREEN)))
    work(gbr)
    before = page_of(gbr, "CAN")
    take(gbr, bundle(malware("c", GREEN)))
    work(gbr)
    assert sorted(names(page(gbr, can))) == ["b", "c"]
    serve(gbr, "USA")
    call_back(gbr, malware("c")["id"])
    work(gbr)
    assert page_of(gbr, "CAN") == before  # held back: as though it had never been there
    reconsider(gbr)
    work(gbr)
    assert page_of(gbr, "CAN") == before
    assert verify_ledger(gbr)[1] == []


def test_what_a_suspension_held_back_is_cancelled_and_does_not_come_back(three: list[Node]) -> None:
    gbr = three[0]
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    name = suspend(gbr, "USA", Scope(), officer=OFFICERS[0], reason="Example.").id
    call_back(gbr, A)
    approve(gbr, "resume-partner", f"USA@{name}")
    resume(gbr, "USA", name, officer=OFFICERS[1], why="Example.")
    work(gbr)
    assert page_of(gbr, "USA") == []
    assert {line.state for line in recalls(gbr)[0].lines} == {"never-left"}


def test_a_recall_waits_while_its_recipient_is_suspended(three: list[Node]) -> None:
    gbr, usa, _ = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    serve(gbr, "USA")
    name = suspend(gbr, "USA", Scope(), officer=OFFICERS[0], reason="Example.").id
    before = page_of(gbr, "USA")
    call_back(gbr, A)
    work(gbr)
    assert page_of(gbr, "USA") == before
    assert [line.state for line in recalls(gbr, open_only=True)[0].lines if line.partner == "USA"] == [
        "stopped"
    ]
    approve(gbr, "resume-partner", f"USA@{name}")
    resume(gbr, "USA", name, officer=OFFICERS[1], why="Example.")
    work(gbr)
    assert [revoked for _, revoked in versions(page(gbr, usa), A)] == [False, True]


def test_an_agreement_that_changes_lets_nothing_recalled_go(three: list[Node]) -> None:
    gbr = three[0]
    take(gbr, bundle(malware("a", GREEN)))
    consider(gbr)
    call_back(gbr, A)
    fewer = 'forbid (principal == Partner::"CAN", action in Action::"share", resource);'
    adopt(gbr, five_eyes(f'\n@id("no-can") @reason("Example.") {fewer}'))
    reconsider(gbr)
    work(gbr)
    assert page_of(gbr, "USA") == []


def test_one_partner_alone_and_the_others_see_nothing(three: list[Node]) -> None:
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    serve(gbr, "USA")
    before = everything(gbr, "CAN")
    call_back(gbr, A, to=["USA"])
    work(gbr)
    assert everything(gbr, "CAN") == before
    take(gbr, bundle(malware("b", GREEN)))
    call_back(gbr, malware("b")["id"], to=["USA"])  # before the gate was asked: CAN gets it
    work(gbr)
    assert (names(page(gbr, can)), names(page(gbr, usa))) == (["a", "b"], ["a", "a"])
    before = everything(gbr, "CAN")
    reconsider(gbr)
    work(gbr)
    assert [revoked for _, revoked in versions(page(gbr, usa), A)] == [False, True]
    assert everything(gbr, "CAN") == before


def everything(node: Node, party: str) -> tuple[Any, ...]:
    """All that a partner can come to know: objects, their record, the log's checkpoint."""
    view = node.view(party)
    with view.begin() as writer:
        checkpoint = writer.checkpoint(OUT)
    return page_of(node, party), view.manifest(OUT, EVERYTHING, after=-1, limit=10_000), checkpoint


def test_killed_after_the_ledger_entry_it_goes_on(three: list[Node], monkeypatch: pytest.MonkeyPatch) -> None:
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    serve(gbr, "USA")
    with monkeypatch.context() as patched:
        patched.setattr("tearline.node.recall.attend", crash)
        with pytest.raises(KeyboardInterrupt):
            call_back(gbr, A)
    with pytest.raises(Closing):
        serve(gbr, "CAN")
    work(gbr)
    assert [revoked for _, revoked in versions(page(gbr, usa), A)] == [False, True]
    assert versions(page(gbr, can), A) == []
    assert verify_ledger(gbr)[1] == []


def test_killed_before_the_ledger_entry_nothing_has_changed(
    three: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    gbr, usa, _ = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    serve(gbr, "USA")
    with monkeypatch.context() as patched:
        patched.setattr(store, "add_affected", crash)
        with pytest.raises(KeyboardInterrupt):
            call_back(gbr, A)
    suspended.attend(gbr)
    work(gbr)
    assert versions(serve(gbr, "USA"), A) == [(OLD, False)]
    assert recalls(gbr) == []
    assert names(page(gbr, usa)) == ["a"]


def crash(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_release_that_the_view_has_and_the_outbox_not_yet_is_recalled(
    three: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the commit of the view and that of `node.db`, and then served."""
    gbr = three[0]
    take(gbr, bundle(malware("a", GREEN)))
    consider(gbr)
    with monkeypatch.context() as patched:
        patched.setattr(store, "mark_delivered", crash)
        with pytest.raises(KeyboardInterrupt):
            hand_over(gbr)
    given = [party for party in ("USA", "CAN") if versions(serve(gbr, party), A)]
    assert len(given) == 1
    call_back(gbr, A)
    work(gbr)
    assert {line.partner: line.state for line in recalls(gbr)[0].lines} == {
        party: "given" if party in given else "never-left" for party in ("USA", "CAN")
    }
    assert verify_ledger(gbr)[1] == []


# --- forms, versions, and the way back that there is not ------------------------------------------


def test_every_form_and_version_that_a_partner_has(three: list[Node]) -> None:
    gbr, usa, _ = three
    take(gbr, bundle(malware("a", GREEN), malware("a", GREEN, modified=NEW, description="New.")))
    work(gbr)
    serve(gbr, "USA")
    order = call_back(gbr, A)
    work(gbr)
    assert versions(page(gbr, usa), A) == [(OLD, False), (NEW, False), (order.before, True)]


def test_a_version_and_those_before_it_where_a_newer_one_stays(three: list[Node]) -> None:
    gbr, usa, _ = three
    take(gbr, bundle(malware("a", GREEN), malware("a", GREEN, modified=NEW, description="New.")))
    work(gbr)
    call_back(gbr, A, version=OLD, to=["CAN"])
    deliver_to(gbr, usa)
    call_back(gbr, A, version=OLD)
    call_back(gbr, A, version=OLD)  # said again, it is another version
    work(gbr)
    found = versions(page(gbr, usa), A)
    assert found == [
        (OLD, False),
        (NEW, False),
        ("2026-03-01T00:00:00.000002Z", True),
        ("2026-03-01T00:00:00.000003Z", True),
    ]
    deliver_to(gbr, usa)
    assert dict(outcomes(usa, "CAN")) == {
        OLD: "product.recalled",
        NEW: "consent.originator",
    }


def outcomes(node: Node, party: str) -> list[tuple[str, str]]:
    """(version, code) of the newest answers of the gate, after all was asked again."""
    reconsider(node)
    work(node)
    found = {}
    for entry in entries(node, Act.PRODUCT_CONSIDERED):
        found[entry.body["version"]] = entry.body["outcomes"][party][1].split()[1]
    return list(found.items())


def test_a_tearline_is_recalled_under_its_own_id_and_given_anew_as_another(three: list[Node]) -> None:
    gbr, usa, _ = three
    text = REPORT.replace("Topics", f"Id: {REPORT_ID}\nTopics")
    take(gbr, text.encode())
    work(gbr)
    (first,) = [item for item in serve(gbr, "USA") if item["type"] == "report"]
    call_back(gbr, REPORT_ID)
    work(gbr)
    recalled = [item for item in page(gbr, usa) if item["type"] == "report"][-1]
    assert (recalled["id"], recalled["revoked"], "description" in recalled) == (first["id"], True, False)
    assert first["id"] != REPORT_ID
    assert REPORT_ID not in orjson.dumps(page(gbr, usa)).decode()
    take(gbr, text.replace("2026-10-02T05", "2027-10-02T05").encode())
    work(gbr)
    anew = [item for item in page(gbr, usa) if item["type"] == "report"][-1]
    assert (anew["description"], "revoked" in anew) == (first["description"], False)
    assert anew["id"] not in {first["id"], REPORT_ID}


def test_there_is_no_way_back_but_a_new_version(three: list[Node]) -> None:
    gbr, usa, _ = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    deliver_to(gbr, usa)
    call_back(gbr, A)
    work(gbr)
    deliver_to(gbr, usa)
    take(gbr, bundle(malware("a", GREEN, modified=NEW)))  # made before the recall: it is recalled too
    later = malware("a", GREEN, modified="2027-01-01T00:00:00.000Z")
    take(gbr, bundle(later))
    work(gbr)
    assert [revoked for _, revoked in versions(page(gbr, usa), A)] == [False, True, False]
    deliver_to(gbr, usa)
    assert dict(outcomes(usa, "CAN")) == {OLD: "product.recalled", later["modified"]: "consent.originator"}


def test_what_stix_cannot_revoke_gets_a_note(three: list[Node]) -> None:
    gbr, usa, can = three
    address = {"type": "ipv4-addr", "spec_version": "2.1", "value": "198.51.100.7"}
    address |= {"id": "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd", "object_marking_refs": [GREEN]}
    take(gbr, bundle(address))
    work(gbr)
    deliver_to(gbr, usa)
    call_back(gbr, address["id"])
    work(gbr)
    (note,) = [item for item in page(gbr, usa) if item["type"] == "note"]
    assert note["object_refs"] == [address["id"]]
    assert "something that it says is wrong" in note["content"]
    deliver_to(gbr, usa)
    assert [item.product.id for item in held(usa)] == [address["id"]]  # the note is no product
    assert outcomes(usa, "CAN") == [("1970-01-01T00:00:00.000Z", "product.recalled")]
    assert page(usa, can) == []


def test_a_replacement_of_another_id_is_named_to_whom_it_goes(three: list[Node]) -> None:
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    deliver_to(gbr, usa, can)
    suspend(
        gbr, "CAN", Scope(categories=frozenset({Category.REPORT})), officer=OFFICERS[0], reason="Example."
    )
    put_right(gbr, A, bundle(malware("z", GREEN, modified=NEW)))
    work(gbr)
    told = [item for item in page(gbr, usa) if item.get("revoked")]
    assert [item["id"] for item in told] == [A]
    notice = told[0]["extensions"][RECALL]
    assert notice["kind"] == "substantive-revision"
    assert notice["replaced_by"] == {"id": malware("z")["id"], "version": NEW}
    deliver_to(gbr, usa)
    assert [item.product.id for item in held(usa)] == [A, malware("z")["id"]]
    assert recalls(usa)[0].order.notice.replaced_by is not None


# --- what peers' users suffer from ----------------------------------------------------------------


def test_a_late_restriction_removes_downstream_and_is_no_create_then_delete(three: list[Node]) -> None:
    """A label narrowed by a new version: recalled from who has it, unnoticed by who never had it."""
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    deliver_to(gbr, usa)
    take(gbr, bundle(malware("a", RED, modified=NEW)))
    work(gbr)
    assert [revoked for _, revoked in versions(page(gbr, usa), A)] == [False, True]
    assert page(gbr, can) == []
    assert NEW not in orjson.dumps(page(gbr, usa)).decode()
    deliver_to(gbr, usa)
    assert outcomes(usa, "CAN") == [(OLD, "product.recalled")]


def test_a_changed_marking_takes_the_place_of_the_old_one_downstream(three: list[Node]) -> None:
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    deliver_to(gbr, usa)
    take(gbr, bundle(malware("a", AMBER, modified=NEW)))
    work(gbr)
    assert versions(page(gbr, usa), A) == [(OLD, False), (NEW, False)]
    deliver_to(gbr, usa)
    assert dict(outcomes(usa, "CAN")) == {OLD: "product.recalled", NEW: "consent.originator"}
    # Who reads now for the first time finds the new marking alone.
    assert [item["object_marking_refs"] for item in serve(gbr, "CAN") if item["id"] == A] == [[AMBER]]
    assert page(usa, can) == []


@pytest.mark.parametrize("read", [True, False])
def test_a_revision_of_what_is_withheld_is_not_noticed(three: list[Node], read: bool) -> None:
    gbr, usa, _ = three
    old, new = report("CAN, GBR", 2), report("AUS, GBR", 3)
    take(gbr, old)
    work(gbr)
    if read:
        serve(gbr, "USA")
    before = everything(gbr, "USA")
    assert [item["type"] for item in page(gbr, usa)].count("report") == 1
    put_right(gbr, REPORT_ID, new)
    work(gbr)
    after = everything(gbr, "USA")
    assert after == before if read else (after[0], after[2]) == (before[0], before[2])
    (shown,) = recalls(gbr)
    assert {line.partner: line.replaced for line in shown.lines} == {"CAN": False, "USA": read}


def report(others: str, day: int) -> bytes:
    """The same text, marked as releasable to USA and others."""
    text = REPORT.replace("Topics", f"Id: {REPORT_ID}\nTopics").replace("USA, FVEY", f"USA, {others}")
    return text.replace("2026-10-02T05", f"2026-10-0{day}T05").encode()


def test_a_version_with_new_content_recalls_nothing_by_itself(three: list[Node]) -> None:
    """It may be withheld for what is new in it, and then its being there must not be noticed (law 5)."""
    gbr = three[0]
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    serve(gbr, "USA")
    before = everything(gbr, "USA")
    take(gbr, bundle(malware("a", RED, modified=NEW, description="From the harbour.")))
    work(gbr)
    assert everything(gbr, "USA") == before


def test_a_recall_means_relationships_too(three: list[Node]) -> None:
    gbr, usa, _ = three
    link = {
        "type": "relationship",
        "spec_version": "2.1",
        "id": "relationship--2f9a9aa9-108a-4333-83e2-4fb25add0463",
        "created": OLD,
        "modified": OLD,
        "relationship_type": "uses",
        "source_ref": A,
        "target_ref": malware("b")["id"],
        "object_marking_refs": [GREEN],
    }
    take(gbr, bundle(malware("a", GREEN), malware("b", GREEN), link))
    work(gbr)
    deliver_to(gbr, usa)
    call_back(gbr, link["id"])
    work(gbr)
    assert [revoked for _, revoked in versions(page(gbr, usa), link["id"])] == [False, True]
    _, derived = show(gbr, call_back(gbr, A).id)
    assert derived == [f"{link['id']} {OLD}"]


# --- a partner that cheats ------------------------------------------------------------------------


def test_only_the_giver_can_recall_what_it_gave(three: list[Node]) -> None:
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    deliver_to(gbr, usa)
    take(can, bundle(malware("a", GREEN)))
    work(can)
    serve(can, "USA")  # CAN says that it made the same, and takes it back
    call_back(can, A)
    work(can)
    deliver_to(can, usa)
    with usa.reading() as db:
        recalled = Recalled(db, [item.product for item in held(usa)])
    assert {item.product.originator: recalled.wholly(item.product) for item in held(usa)} == {"GBR": False}


@pytest.mark.parametrize(
    "change",
    [
        {"object": malware("b")["id"]},
        {"kind": "substantive-revision"},
        {"before": "2030-01-01T00:00:00.000Z"},
        {"before": "soon"},
        {"reason": "because"},
        {"actions": []},
        {"more": 1},
        {"instruction": "\x1b[2J"},
        {"instruction": "x" * 3000},
    ],
)
def test_a_recall_that_does_not_hold_is_recorded_and_nothing_else(
    three: list[Node], change: dict[str, Any]
) -> None:
    gbr, usa, _ = three
    take(gbr, bundle(malware("a", GREEN), malware("b", GREEN)))
    work(gbr)
    deliver_to(gbr, usa)
    call_back(gbr, A)
    work(gbr)
    true = next(item for item in page(gbr, usa) if item.get("revoked"))
    extensions = {RECALL: true["extensions"][RECALL] | change}
    receive(usa, "GBR", forged(gbr, true | {"extensions": extensions}))
    assert recalls(usa) == []
    assert len(entries(usa, Act.RELEASE_REFUSED)) == 1
    assert len(held(usa)) == 2


def test_a_forged_recall_is_nothing(three: list[Node]) -> None:
    gbr, usa, _ = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    deliver_to(gbr, usa)
    call_back(gbr, A)
    work(gbr)
    true = next(item for item in page(gbr, usa) if item.get("revoked"))
    receive(usa, "CAN", [true])
    receive(usa, "GBR", forged(gbr, true, key=OTHER_KEY))
    assert recalls(usa) == []


def test_a_recall_that_comes_first_means_what_comes_later(three: list[Node]) -> None:
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    first = serve(gbr, "USA")
    call_back(gbr, A)
    work(gbr)
    recall_alone = [item for item in page(gbr, usa) if item not in first]
    receive(usa, "GBR", recall_alone)
    assert [each.held for each in recalls(usa)] == [()]
    receive(usa, "GBR", first)
    work(usa)
    assert outcomes(usa, "CAN") == [(OLD, "product.recalled")]
    assert page(usa, can) == []
    assert [each.held for each in recalls(usa)] == [(OLD,)]


def test_what_is_said_to_officers_is_scanned(three: list[Node], monkeypatch: pytest.MonkeyPatch) -> None:
    gbr, usa, _ = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    serve(gbr, "USA")
    monkeypatch.setattr(Guard, "finds", lambda _, text: "Olena" in text)
    with pytest.raises(Refused, match="protected source"):
        call_back(gbr, A, instruction="Olena was found out.")
    assert recalls(gbr) == []
    call_back(gbr, A, instruction="Ask the desk.")
    work(gbr)
    assert page(gbr, usa)[-1]["extensions"][RECALL]["instruction"] == "Ask the desk."
    assert "Ask the desk." not in str(entries(gbr))


def test_a_shut_vault_holds_up_no_recall(three: list[Node], monkeypatch: pytest.MonkeyPatch) -> None:
    gbr, usa, _ = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    serve(gbr, "USA")

    def shut(_: Guard) -> Guard:
        raise VaultShut("the vault is shut")

    monkeypatch.setattr(Guard, "__enter__", shut)
    call_back(gbr, A)
    work(gbr)
    assert [revoked for _, revoked in versions(page(gbr, usa), A)] == [False, True]
    with pytest.raises(VaultShut):
        call_back(gbr, A, instruction="Ask the desk.")


def test_a_changed_record_is_found(three: list[Node]) -> None:
    gbr = three[0]
    take(gbr, bundle(malware("a", GREEN)))
    call_back(gbr, A)
    assert verify_ledger(gbr)[1] == []
    with sqlite3.connect(gbr.home.database) as db:
        db.execute("UPDATE recall SET before = '2020-01-01T00:00:00.000Z'")
    assert [each.detail for each in verify_ledger(gbr)[1] if "recall" in each.detail]
