"""A cheating middleman: GBR made it, USA passes it on to CAN in every way that it may not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tearline import deliver
from tearline.deliver import Chain, Consent, Envelope, Form, Scope, Subject, sign_consent
from tearline.ledger import Act
from tearline.node import Node, receive, reconsider
from tearline.node import consent as acts
from tearline.terms import Category, Label, Refused, Topic
from tests import middleman
from tests.unit.node.test_consent import BY, FOR_ALL, carry, got, granted, refusals
from tests.unit.node.world import GREEN, bundle, codes, entries, held, malware, nodes, page, take, work


@pytest.fixture
def four(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA", "CAN", "AUS") as made:
        yield made


class Loot:
    """What USA has: the reports `velna` and `osk` of GBR, each with a consent, `velna`'s for CAN."""

    def __init__(self, gbr: Node, usa: Node) -> None:
        take(gbr, FOR_ALL.encode())
        take(gbr, FOR_ALL.replace("Velna", "Osk").encode())
        carry(gbr, usa)
        reports = {item["name"]: item for item in page(gbr, usa) if item["type"] == "report"}
        self.velna, self.chain = middleman.taken_apart(reports["Barges at Velna"])
        self.osk, self.other = middleman.taken_apart(reports["Barges at Osk"])
        granted(gbr, usa, self.velna["id"])
        granted(gbr, usa, self.osk["id"], "AUS")
        said = [item["body"] for item in page(gbr, usa) if item.get("kind") == "consent-answer"]
        self.for_can, self.for_aus = (msgspec.convert(body["consent"], Envelope) for body in said)


def refused(usa: Node, can: Node, item: dict[str, Any], chain: Chain | None) -> str:
    """CAN does not take it; why not."""
    before, known = held(can), len(refusals(can))
    receive(can, "USA", [middleman.release(usa, item, "CAN", chain)])
    assert held(can) == before
    (why,) = refusals(can)[known:]
    return why


def loose(item: dict[str, Any]) -> dict[str, Any]:
    """Under a marking that every node knows."""
    return item | {"object_marking_refs": [GREEN]}


def test_the_honest_way(four: list[Node]) -> None:
    gbr, usa, can, _ = four
    loot = Loot(gbr, usa)
    chain = Chain(loot.chain.custody, [loot.for_can])
    assert receive(can, "USA", [middleman.release(usa, loose(loot.velna), "CAN", chain)]) == 1
    (item,) = held(can)
    assert item.product.originator == "GBR"


def test_a_looser_marking_does_not_loosen_the_label(four: list[Node]) -> None:
    gbr, usa, can, _ = four
    loot = Loot(gbr, usa)
    chain = Chain(loot.chain.custody, [loot.for_can])
    receive(can, "USA", [middleman.release(usa, loose(loot.velna), "CAN", chain)])
    (item,) = held(can)
    own = item.product.label
    assert isinstance(own, Label)
    assert (dict(own.level), own.owners, own.release) == ({"GBR": 3}, {"GBR"}, {"GBR", "CAN"})


def test_strips_the_custody_and_says_it_is_its_own(four: list[Node]) -> None:
    """Its creator, its id or its text gives it away, each alone, as far as CAN knows them."""
    gbr, usa, can, _ = four
    loot = Loot(gbr, usa)
    assert "check 12, claim" in refused(usa, can, loose(loot.velna), None)
    stolen = loose(loot.velna) | {"created_by_ref": usa.identity.id}
    mine = Chain(middleman.custody(usa, stolen, loot.chain.custody, originator="USA"))
    assert "check 11, consent" in refused(usa, can, stolen, mine)  # the label names GBR still
    said = deliver.custody_in(loot.chain.custody)
    own = msgspec.structs.replace(said.label, owners=frozenset({"USA"}))
    mine = Chain(middleman.custody(usa, stolen, loot.chain.custody, originator="USA", label=own))
    # CAN has never seen it, so nothing tells: docs/consent.md says so.
    assert receive(can, "USA", [middleman.release(usa, stolen, "CAN", mine)]) == 1


def test_what_the_recipient_holds_from_its_originator_cannot_be_claimed(four: list[Node]) -> None:
    gbr, usa, can, _ = four
    loot = Loot(gbr, usa)
    honest = Chain(loot.chain.custody, [loot.for_can])
    receive(can, "USA", [middleman.release(usa, loose(loot.velna), "CAN", honest)])
    stolen = loose(loot.velna) | {"created_by_ref": usa.identity.id}
    fresh = {"id": "report--7c0f9b3c-0c54-4c0e-9a50-0d2f6a4f0f55", "modified": "2026-11-01T00:00:00.000Z"}
    for item in (stolen, stolen | fresh, stolen | {"name": "Other", "description": "Other."}):
        assert "check 12, claim" in refused(usa, can, item, None)


def test_the_marks_cannot_name_an_owner_of_whom_no_consent_is_shown(four: list[Node]) -> None:
    gbr, usa, can, _ = four
    loot = Loot(gbr, usa)
    marked = loot.velna | {"created_by_ref": usa.identity.id}
    marks = [item for item in page(gbr, usa) if item["type"] == "marking-definition"]
    before = len(held(can))
    receive(can, "USA", [*marks, middleman.release(usa, marked, "CAN", None)])
    assert len(held(can)) == before
    assert "name an owner" in refusals(can)[-1]


def test_alters_the_content(four: list[Node]) -> None:
    gbr, usa, can, _ = four
    loot = Loot(gbr, usa)
    honest = Chain(loot.chain.custody, [loot.for_can])
    for change in ({"description": "Ten barges."}, {"created": "2026-10-03T05:00:00.000Z"}, {"x_more": 1}):
        assert "check 10, core" in refused(usa, can, loose(loot.velna) | change, honest)
    newer = loose(loot.velna) | {"modified": "2026-11-20T00:00:00.000Z"}
    assert "check 10, core" in refused(usa, can, newer, honest)
    forged = Chain(middleman.custody(usa, newer, loot.chain.custody), [loot.for_can])
    assert "check 9, originator" in refused(usa, can, newer, forged)


def test_swaps_envelopes(four: list[Node]) -> None:
    gbr, usa, can, _ = four
    loot = Loot(gbr, usa)
    assert "check 10, core" in refused(usa, can, loose(loot.osk), Chain(loot.chain.custody, [loot.for_can]))
    assert "check 11, consent" in refused(
        usa, can, loose(loot.osk), Chain(loot.other.custody, [loot.for_can])
    )
    assert "check 8, custody" in refused(usa, can, loose(loot.osk), Chain(loot.for_can, [loot.for_can]))


def test_replays_consents_that_are_not_for_it(four: list[Node]) -> None:
    gbr, usa, can, aus = four
    loot = Loot(gbr, usa)
    base = deliver.consent_in(loot.for_can)
    key = gbr.home.signing_key
    wrong = [
        ("none", []),
        ("for another product", [_signed(base, key, subject=Subject(loot.osk["id"], None, "0" * 64))]),
        ("for another recipient", [_signed(base, key, recipient="AUS")]),
        ("of another holder", [_signed(base, key, holder="AUS")]),
        ("expired", [_signed(base, key, until=can.clock())]),
        ("for tearlines only", [_signed(base, key, forms=frozenset({Form.TEARLINE}))]),
        ("for another scope", [_signed(base, key, subject=Scope(categories=frozenset({Category.CYBER})))]),
        ("on another topic", [_signed(base, key, subject=Scope(topics=frozenset({Topic.AIR})))]),
        ("of another originator", [_signed(base, aus.home.signing_key, originator="AUS")]),
        ("signed by another", [sign_consent(base, usa.home.signing_key)]),
        ("said by another", [_signed(base, key, originator="USA")]),
    ]
    for name, consents in wrong:
        why = refused(usa, can, loose(loot.velna), Chain(loot.chain.custody, consents))
        assert "check 11, consent" in why, name
    scoped = _signed(base, key, subject=Scope(topics=frozenset({Topic.MARITIME})))
    good = Chain(loot.chain.custody, [*(each for _, some in wrong for each in some), scoped])
    assert receive(can, "USA", [middleman.release(usa, loose(loot.velna), "CAN", good)]) == 1


def _signed(base: Consent, key: Any, **other: Any) -> Envelope:
    return sign_consent(msgspec.structs.replace(base, **other), key)


def test_extends_the_chain(four: list[Node]) -> None:
    """What CAN got with GBR's consent it cannot pass on with it, nor with its own."""
    gbr, usa, can, aus = four
    loot = Loot(gbr, usa)
    said = deliver.consent_in(loot.for_can)
    own = sign_consent(
        msgspec.structs.replace(said, originator="CAN", holder="CAN", recipient="AUS"), can.home.signing_key
    )
    for consents in ([loot.for_can], [loot.for_can, own], [loot.for_aus]):
        chain = Chain(loot.chain.custody, consents)
        receive(aus, "CAN", [middleman.release(can, loose(loot.velna), "AUS", chain)])
        assert held(aus) == []
        assert "check 11, consent" in refusals(aus)[-1]


def test_gives_back_to_its_originator_what_it_made(four: list[Node]) -> None:
    gbr, usa, *_ = four
    loot = Loot(gbr, usa)
    before = held(gbr)
    for item, chain in (
        (loose(loot.velna), loot.chain),
        (loose(loot.velna), None),
        (loose(loot.velna) | {"created_by_ref": usa.identity.id}, None),
    ):
        receive(gbr, "USA", [middleman.release(usa, item, "GBR", chain)])
        assert held(gbr) == before
    assert len(refusals(gbr)) == 3


def test_takes_back_what_it_passed_on_and_nothing_else(four: list[Node]) -> None:
    """Who passed something on can withdraw it without its originator; as the originator's it is held."""
    gbr, usa, can, aus = four
    loot = Loot(gbr, usa)
    gone = {"revoked": True, "modified": "2026-11-20T00:00:00.000Z"}
    early = {"revoked": True, "modified": "2026-11-19T00:00:00.000Z"}
    assert "check 12, claim" in refused(usa, can, loose(loot.velna) | early, None)
    honest = Chain(loot.chain.custody, [loot.for_can])
    receive(can, "USA", [middleman.release(usa, loose(loot.velna), "CAN", honest)])
    before = len(refusals(can))
    receive(can, "AUS", [middleman.release(aus, loose(loot.velna) | gone, "CAN", None)])
    assert "check 12, claim" in refusals(can)[before]
    receive(can, "USA", [middleman.release(usa, loose(loot.velna) | gone, "CAN", None)])
    assert [item.product.originator for item in held(can)] == ["GBR", "GBR"]
    work(can)
    assert got(can, aus) == []


def test_garbage_in_the_place_of_custody(four: list[Node]) -> None:
    gbr, usa, can, _ = four
    loot = Loot(gbr, usa)
    good = deliver.custody_in(loot.chain.custody)
    for payload in (b"", b"{}", b"[]", b"\xff", msgspec.json.encode(good) + b" ", msgspec.json.encode(good)):
        envelope = msgspec.structs.replace(loot.chain.custody, payload=payload)
        assert "check 8, custody" in refused(usa, can, loose(loot.velna), Chain(envelope, [loot.for_can]))
    bad = msgspec.structs.replace(loot.for_can, payload=b"{}")
    assert "check 11, consent" in refused(usa, can, loose(loot.velna), Chain(loot.chain.custody, [bad]))


def test_an_originator_that_is_not_known_here(four: list[Node]) -> None:
    gbr, usa, can, aus = four
    loot = Loot(gbr, usa)
    del can.partners["GBR"]
    honest = Chain(loot.chain.custody, [loot.for_can])
    both = Chain(loot.chain.custody, [loot.for_can, loot.for_aus])
    assert "check 9, originator" in refused(usa, can, loose(loot.velna), both)
    can.home.config = msgspec.structs.replace(can.home.config, unknown_originators="accept")
    receive(can, "USA", [middleman.release(usa, loose(loot.velna), "CAN", honest)])
    (item,) = held(can)
    assert item.product.originator == "GBR"
    (told,) = entries(can, Act.CUSTODY_UNVERIFIED)
    assert (told.body["originator"], told.body["giver"]) == ("GBR", "USA")
    work(can)
    assert got(can, aus) == []
    assert codes(can)["AUS", "withhold", "consent.originator"] == 1
    with pytest.raises(Refused, match="nobody can be asked"):
        acts.request(can, item.product.id, "AUS")


def test_what_came_by_two_ways_is_held_once(four: list[Node]) -> None:
    gbr, usa, can, _ = four
    take(gbr, bundle(malware("a", GREEN)))
    carry(gbr, usa, can)
    granted(gbr, usa, malware("a")["id"])
    receive(can, "USA", page(usa, can))
    assert [item.product.originator for item in held(can)] == ["GBR"]
    assert refusals(can) == []


# --- texts that a holder makes of another's -------------------------------------------------------

BY_HAND = """\
Title: (TLP:GREEN) Barges at Velna
Originator: GBR
Date: 2026-10-02T05:00:00Z
Topics: maritime

(TLP:GREEN) Nine barges lay at Velna on 1 October.

(TLP:RED) They were counted from the pier.
"""


@pytest.mark.parametrize(
    ("forms", "goes"), [({Form.WHOLE}, False), ({Form.TEARLINE}, True), ({Form.WHOLE, Form.TEARLINE}, True)]
)
def test_a_tearline_of_anothers_report_goes_only_where_its_consent_says_so(
    four: list[Node], forms: set[Form], goes: bool
) -> None:
    """The report came by hand, as GBR's. What USA makes of it USA signs, and names GBR as an owner in it."""
    gbr, usa, can, aus = four
    take(usa, BY_HAND.encode())
    acts.give_standing(gbr, "USA", "CAN", Scope(), officer=BY, forms=frozenset(forms))
    carry(gbr, usa)
    assert got(usa, can) == (["Barges at Velna"] if goes else [])
    if goes:
        carry(usa, can)
        (item,) = held(can)
        assert item.product.originator == "USA"
        assert isinstance(item.product.label, Label)
        assert item.product.label.owners == {"GBR", "USA"}
        assert got(can, aus) == []
    else:
        assert codes(usa)["CAN", "withhold", "consent.form"] == 1


def test_what_came_by_hand_does_not_go_on_whole(four: list[Node]) -> None:
    gbr, usa, can, _ = four
    take(usa, BY_HAND.replace("TLP:RED", "TLP:GREEN").encode())
    acts.give_standing(gbr, "USA", "CAN", Scope(), officer=BY, forms=frozenset(Form))
    carry(gbr, usa)
    assert got(usa, can) == []
    assert codes(usa)["CAN", "withhold", "consent.custody"] == 1


def test_what_several_own_needs_all_of_them(four: list[Node]) -> None:
    """A joint product of GBR and AUS: GBR made it, and gives it to CAN once AUS has consented."""
    gbr, _, can, aus = four
    joint = "//JOINT SECRET AUS GBR//REL TO USA, AUS, CAN, GBR"
    text = FOR_ALL.replace("//GBR SECRET//REL TO USA, AUS, CAN, GBR", joint).replace(
        "(//GBR S//REL TO USA, AUS, CAN, GBR)", "(//JOINT S AUS GBR//REL TO USA, AUS, CAN, GBR)"
    )
    take(gbr, text.encode())
    carry(gbr, can)
    assert got(gbr, can) == []
    assert codes(gbr)["CAN", "withhold", "label.owners"] == 1
    acts.give_standing(aus, "GBR", "CAN", Scope(), officer=BY, forms=frozenset({Form.TEARLINE}))
    carry(aus, gbr)
    reconsider(gbr)
    work(gbr)
    assert got(gbr, can) == ["Barges at Velna"]
    carry(gbr, can)
    (item,) = held(can)
    assert isinstance(item.product.label, Label)
    assert (item.product.originator, item.product.label.owners) == ("GBR", {"AUS", "GBR"})
