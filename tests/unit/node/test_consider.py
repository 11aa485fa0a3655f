from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tearline import deliver, gate
from tearline.adapters import store
from tearline.ledger import Act
from tearline.node import (
    Card,
    Node,
    add_partner,
    consider,
    hand_over,
    receive,
    reconsider,
    resolve,
    take_inbox,
    verify_ledger,
)
from tearline.terms import Level, Reach, Refused
from tests.adoption import adopt
from tests.unit.node.world import (
    GREEN,
    RED,
    REPORT,
    TERMS,
    add_to_inbox,
    bundle,
    codes,
    entries,
    five_eyes,
    held,
    make,
    malware,
    names,
    nodes,
    page,
    releases,
    state,
    take,
    work,
)

NOTHING = """
@id("nothing") @reason("Example.") @review("2027-06-30")
forbid (principal, action in Action::"share", resource);
"""


@pytest.fixture
def three(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA", "CAN") as made:
        yield made


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let `act` happen between consider's read and its write, once."""
    real, done = gate.consider, []

    def asked(*arguments: object, **named: object) -> object:
        if not done:
            done.append(1)
            act()
        return real(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(gate, "consider", asked)


def test_outcomes_their_entry_and_the_outbox_are_one_transaction(three: list[Node]) -> None:
    gbr = three[0]
    take(gbr, bundle(malware("a", GREEN), malware("b", RED)))
    assert consider(gbr) == 2
    assert consider(gbr) == 0
    assert codes(gbr) == {
        ("CAN", "whole", "agreement.permit"): 1,
        ("USA", "whole", "agreement.permit"): 1,
        ("CAN", "withhold", "label.reach"): 1,
        ("USA", "withhold", "label.reach"): 1,
    }
    assert sorted(row[0] for row in releases(gbr)) == ["CAN", "USA"]
    told = {entry.body["release"]: entry.body["partner"] for entry in entries(gbr, Act.PRODUCT_RELEASED)}
    assert told == {release: partner for partner, release, *_ in releases(gbr)}
    assert [set(entry.body["outcomes"]) for entry in entries(gbr, Act.PRODUCT_CONSIDERED)] == [
        {"CAN", "USA"}
    ] * 2


@pytest.mark.parametrize("broken", ["add_outcomes", "add_to_outbox", "mark_considered"])
def test_an_exception_leaves_nothing_decided(
    three: list[Node], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    gbr = three[0]
    take(gbr, bundle(malware("a", GREEN)))
    before = state(gbr)

    def failing(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(store, broken, failing)
    with pytest.raises(MemoryError):
        consider(gbr)
    assert state(gbr) == before
    monkeypatch.undo()
    work(gbr)
    assert len(releases(gbr)) == len(entries(gbr, Act.PRODUCT_RELEASED)) == 2


def test_an_agreement_that_changes_meanwhile_is_asked_again(
    three: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    gbr = three[0]
    take(gbr, bundle(malware("a", GREEN)))
    with Node.open(gbr.home.folder) as officer:
        meanwhile(monkeypatch, lambda: adopt(officer, five_eyes(NOTHING)))
        assert consider(gbr) == 1
        assert codes(gbr) == {}, "the answer of the old agreement is not used"
        work(gbr)
    assert codes(gbr) == {
        ("CAN", "withhold", "agreement.forbid"): 1,
        ("USA", "withhold", "agreement.forbid"): 1,
    }
    assert releases(gbr) == []


def test_a_partner_that_changes_meanwhile_is_asked_again(
    three: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    gbr, usa, _ = three
    take(gbr, bundle(malware("a", "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421")))
    less = msgspec.structs.replace(TERMS, reach=Reach.GREEN)
    with Node.open(gbr.home.folder) as officer:
        meanwhile(monkeypatch, lambda: add_partner(officer, Card.of(usa), less))
        work(gbr)
    assert codes(gbr)["USA", "withhold", "label.reach"] == 1
    assert [row[0] for row in releases(gbr)] == ["CAN"]


def test_what_is_resolved_meanwhile_is_asked_again(
    three: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    gbr = three[0]
    take(gbr, bundle(malware("a")))
    with Node.open(gbr.home.folder) as officer:
        meanwhile(monkeypatch, lambda: resolve(officer, malware("a")["id"], "TLP:GREEN"))
        work(gbr)
    assert sorted(row[0] for row in releases(gbr)) == ["CAN", "USA"]


def test_received_products_never_go_on(three: list[Node]) -> None:
    """Law 4, though label, clearance and agreement would let them."""
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN)))
    take(gbr, REPORT.encode())
    work(gbr)
    assert receive(usa, "GBR", page(gbr, usa)) == 2
    work(usa)
    assert [item.product.originator for item in held(usa)] == ["GBR", "GBR"]
    assert codes(usa) == {
        ("CAN", "withhold", "consent.originator"): 2,
        ("GBR", "withhold", "party.originator"): 2,
    }
    assert page(usa, can) == []
    # The same object of one's own goes: it is the originator that bars, nothing else.
    take(usa, bundle(malware("own", GREEN)))
    work(usa)
    assert names(page(usa, can)) == ["own"]


def test_an_officers_marking_does_not_set_received_products_free(three: list[Node]) -> None:
    _, usa, can = three
    item = malware("a")
    add_to_inbox(usa, "GBR", item)
    assert take_inbox(usa) == 1
    resolve(usa, item["id"], "TLP:CLEAR")
    work(usa)
    assert page(usa, can) == []
    label = held(usa)[0].product.label
    assert getattr(label, "owners", None) == frozenset({"GBR"})


def test_what_cannot_be_composed_goes_to_an_officer(
    three: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    gbr = three[0]
    real = deliver.compose

    def composing(product: object, outcome: object, **more: object) -> object:
        if getattr(outcome, "partner", "") == "USA":
            raise Refused("no")
        return real(product, outcome, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(deliver, "compose", composing)
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    assert codes(gbr) == {
        ("USA", "refer", "release.not-composed"): 1,
        ("CAN", "whole", "agreement.permit"): 1,
    }
    assert [row[0] for row in releases(gbr)] == ["CAN"]


def test_a_tearline_that_a_new_version_does_not_change_is_no_new_release(three: list[Node]) -> None:
    gbr, usa, _ = three
    take(gbr, REPORT.replace("Title", "Id: 7\nTitle").encode())
    work(gbr)
    newer = REPORT.replace("Title", "Id: 7\nTitle").replace("05:00:00Z", "06:00:00Z")
    take(gbr, newer.replace("pilot", "master").encode())
    work(gbr)
    assert len(held(gbr)) == 2
    assert sorted(row[0] for row in releases(gbr)) == ["CAN", "USA"]
    assert {row[3] for row in releases(gbr)} == {"tearline"}
    assert len(names(page(gbr, usa))) == 1
    assert "pilot" not in repr(page(gbr, usa))
    assert verify_ledger(gbr)[1] == []


def test_without_partners_everything_is_considered_and_nothing_goes(tmp_path: Path) -> None:
    with nodes(tmp_path, "GBR") as (gbr,):
        take(gbr, bundle(malware("a", GREEN)))
        assert consider(gbr) == 1
        assert hand_over(gbr) == 0
        assert (codes(gbr), releases(gbr)) == ({}, [])


def test_a_partner_without_clearance_gets_nothing_classified(three: list[Node]) -> None:
    gbr, usa, _ = three
    none = msgspec.structs.replace(TERMS, clearance=(("USA", Level.SECRET),))
    add_partner(gbr, Card.of(usa), none)
    take(gbr, REPORT.encode())
    work(gbr)
    assert [row[0] for row in releases(gbr)] == ["CAN"]


def test_a_newcomer_gets_what_was_held_before_only_when_an_officer_asks_again(tmp_path: Path) -> None:
    with nodes(tmp_path, "GBR", "USA", "CAN") as (gbr, usa, can):
        take(gbr, bundle(malware("a", GREEN), malware("b")))
        work(gbr)
        aus = make(tmp_path / "AUS", "AUS")
        add_partner(gbr, Card.of(aus), TERMS)
        work(gbr)
        assert page(gbr, aus) == []
        before = page(gbr, usa), page(gbr, can)

        assert reconsider(gbr) == 1
        work(gbr)
        assert names(page(gbr, aus)) == ["a"]
        assert (page(gbr, usa), page(gbr, can)) == before
        assert [entry.body for entry in entries(gbr, Act.ALL_RECONSIDERED)] == [{"products": 1}]
        assert verify_ledger(gbr)[1] == []
        aus.close()
