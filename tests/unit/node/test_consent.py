"""The third-party rule between nodes: asked, granted, refused, ended; GBR made it, USA holds it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tearline.adapters import store
from tearline.agreement.suspension import Scope as Stopped
from tearline.deliver import Form, Scope
from tearline.deliver.extension import EXTENSION
from tearline.ledger import Act
from tearline.node import Node, consider, hand_over, receive, reconsider, verify_ledger
from tearline.node import consent as acts
from tearline.node.custody import onward_of
from tearline.node.suspend import RESUME, attend, resume, suspend
from tearline.terms import BadInput, Category, Label, Refused
from tests.adoption import OFFICERS, approve
from tests.unit.node.world import (
    GREEN,
    REPORT,
    bundle,
    codes,
    entries,
    held,
    malware,
    names,
    nodes,
    page,
    take,
    work,
)

BY = OFFICERS[0]
FOR_ALL = """\
//GBR SECRET//REL TO USA, AUS, CAN, GBR
Title: (//GBR U) Barges at Velna
Date: 2026-10-02T05:00:00Z
Topics: maritime

(//GBR S//REL TO USA, AUS, CAN, GBR) Nine barges lay at Velna on 1 October.

//GBR SECRET//REL TO USA, AUS, CAN, GBR
"""


@pytest.fixture
def four(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA", "CAN", "AUS") as made:
        yield made


def carry(giver: Node, *takers: Node) -> None:
    """All that waits at a node reaches these others, and is worked on there."""
    work(giver)
    for taker in takers:
        receive(taker, giver.party, page(giver, taker))
        work(taker)


def given(gbr: Node, usa: Node, *contents: bytes) -> list[str]:
    """Products of GBR that USA holds: their ids."""
    for content in contents or (bundle(malware("a", GREEN)),):
        take(gbr, content)
    carry(gbr, usa)
    return [item.product.id for item in held(usa) if item.product.originator == "GBR"]


def granted(gbr: Node, usa: Node, product: str, party: str = "CAN", **how: Any) -> str:
    """USA asks, GBR grants; the serial."""
    asked = acts.request(usa, product, party)
    carry(usa, gbr)
    made = acts.grant(gbr, asked.id, officer=BY, **how)
    carry(gbr, usa)
    return made.serial


def got(giver: Node, taker: Node) -> list[str]:
    return names(page(giver, taker))


def refusals(node: Node) -> list[str]:
    return [entry.body["reason"] for entry in entries(node, Act.RELEASE_REFUSED)]


def sound(*made: Node) -> bool:
    return all(verify_ledger(node)[1] == [] for node in made)


# --- one product ----------------------------------------------------------------------------------


def test_without_consent_nothing_goes_on_and_with_it_the_originators_own_does(four: list[Node]) -> None:
    gbr, usa, can, aus = four
    (product,) = given(gbr, usa)
    assert got(usa, can) == got(usa, aus) == []
    assert codes(usa)["CAN", "withhold", "consent.originator"] == 1
    granted(gbr, usa, product)
    assert got(usa, can) == ["a"]
    assert got(usa, aus) == []
    assert codes(usa)["CAN", "whole", "agreement.permit"] == 1
    assert codes(usa)["AUS", "withhold", "consent.originator"] == 1
    carry(usa, can)
    (item,) = held(can)
    assert item.product.originator == "GBR"
    assert isinstance(item.product.label, Label)
    assert item.product.label.owners == {"GBR"}
    assert entries(can, Act.PRODUCT_TAKEN_IN)[-1].body["via"] == "USA"
    assert got(can, aus) == []
    assert onward_of(usa, held(usa)[0].product).keys() == {"CAN"}
    assert sound(gbr, usa, can)


def test_a_report_goes_on_as_it_was_signed_to_one_who_is_on_the_originators_list(four: list[Node]) -> None:
    gbr, usa, can, _ = four
    (product,) = given(gbr, usa, FOR_ALL.encode())
    granted(gbr, usa, product)
    assert got(usa, can) == ["Barges at Velna"]
    carry(usa, can)
    (item,) = held(can)
    assert isinstance(item.product.label, Label)
    assert item.product.label.release == {"GBR", "CAN"}
    assert refusals(can) == []


def test_the_originators_label_decides_whom_it_can_consent_to(four: list[Node]) -> None:
    gbr, usa, *_ = four
    (tearline,) = given(gbr, usa, REPORT.replace("USA, FVEY", "USA, GBR").encode())
    asked = acts.request(usa, tearline, "CAN")
    carry(usa, gbr)
    (waiting,) = acts.requests(gbr)
    assert (waiting.title, waiting.request.party, waiting.request.recipient) == (
        "Barges at Velna",
        "USA",
        "CAN",
    )
    assert "label" in waiting.obstacle
    with pytest.raises(Refused, match="label does not let CAN in"):
        acts.grant(gbr, asked.id, officer=BY)


def test_a_refusal_says_no_more_and_reaches_nobody_else(four: list[Node]) -> None:
    gbr, usa, can, _ = four
    (product,) = given(gbr, usa)
    before = page(usa, can), page(gbr, can)
    asked = acts.request(usa, product, "CAN", why="They asked.")
    carry(usa, gbr)
    acts.refuse(gbr, asked.id, officer=BY)
    carry(gbr, usa)
    assert (page(usa, can), page(gbr, can)) == before
    (said,) = [item["body"] for item in page(gbr, usa) if item.get("kind") == "consent-answer"]
    assert said == {"answer": "refused", "request": asked.id}
    assert acts.listed(usa)[1][0].answer == "refused"
    again = acts.request(usa, product, "CAN")
    assert again.id != asked.id


def test_the_same_is_asked_once(four: list[Node]) -> None:
    gbr, usa, *_ = four
    (product,) = given(gbr, usa)
    assert acts.request(usa, product, "CAN") == acts.request(usa, product, "CAN", why="Again.")
    carry(usa, gbr)
    assert len(acts.requests(gbr)) == 1


def test_what_was_not_given_is_refused_like_anything_else(four: list[Node]) -> None:
    """CAN asks about what GBR gave to USA, and about what nobody has: the officer sees that neither fits."""
    gbr, usa, can, _ = four
    (product,) = given(gbr, usa, FOR_ALL.replace("AUS, CAN, ", "").encode())
    with usa.reading() as db:
        (row,) = store.custody_of_object(db, store.THEIRS, product)
    with pytest.raises(Refused, match="nobody can be asked"):
        acts.request(can, product, "AUS")
    answers = []
    for number, about in enumerate([row, store.Custodian(**{**_fields(row), "object_id": "malware--1"})]):
        with can.writing() as db:
            asked = acts._request(can, db, about, "AUS", "")
        carry(can, gbr)
        waiting = acts.requests(gbr)[-1]
        assert (waiting.title, waiting.obstacle.startswith("CAN was not given this")) == ("", True), number
        with pytest.raises(Refused, match="was not given this"):
            acts.grant(gbr, asked.id, officer=BY)
        acts.refuse(gbr, asked.id, officer=BY)
        carry(gbr, can)
        answers.append([item["body"] for item in page(gbr, can) if item.get("kind")][-1] | {"request": ""})
    assert answers[0] == answers[1]


def _fields(row: store.Custodian) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__struct_fields__}


# --- ends -----------------------------------------------------------------------------------------


def test_a_consent_expires(four: list[Node]) -> None:
    gbr, usa, can, _ = four
    (product,) = given(gbr, usa)
    granted(gbr, usa, product, until=gbr.clock() + timedelta(days=1))
    usa.clock.now += timedelta(days=2)  # type: ignore[attr-defined]
    newer = malware("b", GREEN)
    take(gbr, bundle(newer))
    carry(gbr, usa)
    assert got(usa, can) == ["a"]
    with usa.reading() as db:
        assert store.consents(db, store.THEIRS, in_force_at=store.stamp(usa.clock())) == []
    can.clock.now += timedelta(days=2)  # type: ignore[attr-defined]
    carry(usa, can)
    assert held(can) == []
    assert "check 11, consent" in refusals(can)[0]


def queued(gbr: Node, usa: Node, **how: Any) -> str:
    """What USA may give to CAN is in its outbox, not sealed; the serial."""
    (product,) = given(gbr, usa)
    asked = acts.request(usa, product, "CAN")
    carry(usa, gbr)
    made = acts.grant(gbr, asked.id, officer=BY, **how)
    work(gbr)
    receive(usa, "GBR", page(gbr, usa))
    while consider(usa):
        pass
    with usa.reading() as db:
        assert store.parties_with_waiting(db) == ["CAN"]
    return made.serial


def test_what_is_queued_stops_when_consent_is_revoked_and_goes_when_it_is_given_again(
    four: list[Node],
) -> None:
    gbr, usa, can, _ = four
    serial = queued(gbr, usa)
    acts.revoke(gbr, serial, officer=BY, why="Example.")
    carry(gbr, usa)
    assert got(usa, can) == []
    assert codes(usa)["CAN", "withhold", "consent.originator"] == 1
    product = held(usa)[0].product.id
    again = granted(gbr, usa, product)
    assert got(usa, can) == ["a"]
    carry(usa, can)
    assert [item.product.id for item in held(can)] == [product]
    assert again != serial
    assert sound(gbr, usa, can)


def test_what_is_queued_stops_when_the_time_of_its_consent_is_over(four: list[Node]) -> None:
    gbr, usa, can, _ = four
    queued(gbr, usa, until=gbr.clock() + timedelta(days=1))
    usa.clock.now += timedelta(days=2)  # type: ignore[attr-defined]
    work(usa)
    assert got(usa, can) == []
    assert entries(usa, Act.RELEASES_STOPPED)[-1].body["by"] == "consent"
    assert sound(usa)


@pytest.mark.parametrize("how", ["revoked", "over"])
def test_what_is_sealed_and_was_never_served_is_held_back_when_its_consent_ends(
    four: list[Node], how: str
) -> None:
    gbr, usa, can, _ = four
    serial = queued(gbr, usa, until=gbr.clock() + timedelta(days=1))
    hand_over(usa)
    assert [release for _, release in usa.view("CAN").unserved(-1, 10)]
    if how == "revoked":
        acts.revoke(gbr, serial, officer=BY, why="Example.")
        carry(gbr, usa)
    else:
        usa.clock.now += timedelta(days=2)  # type: ignore[attr-defined]
    attend(usa)
    assert got(usa, can) == []
    assert usa.view("CAN").unserved(-1, 10) == []
    assert sound(gbr, usa)


def test_what_was_sealed_with_a_consent_that_is_over_does_not_go_with_another(four: list[Node]) -> None:
    gbr, usa, can, _ = four
    serial = queued(gbr, usa)
    hand_over(usa)
    acts.revoke(gbr, serial, officer=BY, why="Example.")
    carry(gbr, usa)
    attend(usa)
    granted(gbr, usa, held(usa)[0].product.id)
    carry(usa, can)
    assert got(usa, can) == held(can) == []
    assert sound(gbr, usa, can)


def test_a_revocation_that_comes_before_the_consent_holds(four: list[Node]) -> None:
    gbr, usa, can, _ = four
    (product,) = given(gbr, usa)
    asked = acts.request(usa, product, "CAN")
    carry(usa, gbr)
    made = acts.grant(gbr, asked.id, officer=BY)
    acts.revoke(gbr, made.serial, officer=BY, why="Example.")
    work(gbr)
    said = [item for item in page(gbr, usa) if item.get("kind") == "consent-answer"]
    for item in reversed(said):
        receive(usa, "GBR", [item])
    work(usa)
    assert got(usa, can) == []


# --- standing -------------------------------------------------------------------------------------


def test_a_standing_consent_lets_go_what_is_in_its_scope(four: list[Node]) -> None:
    gbr, usa, can, aus = four
    given(gbr, usa, bundle(malware("a", GREEN)), REPORT.replace("//REL TO USA, FVEY", "").encode())
    cyber = Scope(categories=frozenset({Category.CYBER}))
    made = acts.give_standing(gbr, "USA", "CAN", cyber, officer=BY)
    carry(gbr, usa)
    assert got(usa, can) == ["a"]
    take(gbr, bundle(malware("b", GREEN)))
    carry(gbr, usa)
    assert got(usa, can) == ["a", "b"]
    assert got(usa, aus) == []
    carry(usa, can)
    assert {item.product.title for item in held(can)} == {"a", "b"}
    acts.revoke(gbr, made.serial, officer=BY, why="Example.")
    take(gbr, bundle(malware("c", GREEN)))
    carry(gbr, usa)
    assert got(usa, can) == ["a", "b"]


def test_a_holder_down_the_chain_needs_a_consent_of_its_own(four: list[Node]) -> None:
    gbr, usa, can, aus = four
    (product,) = given(gbr, usa)
    granted(gbr, usa, product)
    carry(usa, can)
    assert got(can, aus) == []
    asked = acts.request(can, product, "AUS")
    carry(can, gbr)
    assert acts.requests(gbr)[0].obstacle == ""
    acts.grant(gbr, asked.id, officer=BY)
    carry(gbr, can)
    assert got(can, aus) == ["a"]
    carry(can, aus)
    (item,) = held(aus)
    assert item.product.originator == "GBR"
    assert entries(aus, Act.PRODUCT_TAKEN_IN)[-1].body["via"] == "CAN"
    (release,) = [item for item in page(can, aus) if item["type"] == "malware"]
    chain = release["extensions"][EXTENSION]["chain"]
    assert len(chain["consents"]) == 1
    assert sound(*four)


def test_automatic_requests_are_made_once_and_only_where_nothing_else_is_missing(
    four: list[Node],
) -> None:
    gbr, usa, *_ = four
    usa.home.config = msgspec.structs.replace(usa.home.config, ask_consent="automatic")
    (product,) = given(gbr, usa)
    asked = acts.listed(usa)[1]
    assert {(each.object_id, each.recipient) for each in asked} == {(product, "CAN"), (product, "AUS")}
    reconsider(usa)
    work(usa)
    assert acts.listed(usa)[1] == asked
    red = bundle(malware("r", "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"))
    given(gbr, usa, red)  # TLP:AMBER+STRICT: wider than CAN undertakes
    assert acts.listed(usa)[1] == asked


# --- suspension at the originator -----------------------------------------------------------------


def test_consents_for_a_suspended_partner_are_suspended_and_given_again(four: list[Node]) -> None:
    gbr, usa, can, _ = four
    given(gbr, usa)
    acts.give_standing(gbr, "USA", "CAN", Scope(), officer=BY)
    acts.give_standing(gbr, "USA", "AUS", Scope(), officer=BY)
    carry(gbr, usa)
    assert got(usa, can) == ["a"]
    suspension = suspend(gbr, "CAN", Stopped(), officer=BY, reason="Example.")
    with pytest.raises(Refused, match="CAN is suspended here"):
        acts.give_standing(gbr, "USA", "CAN", Scope(), officer=BY)
    take(gbr, bundle(malware("b", GREEN)))
    carry(gbr, usa)
    assert got(usa, can) == ["a"]
    assert got(usa, four[3]) == ["a", "b"]
    approve(gbr, RESUME, f"CAN@{suspension.id}")
    resume(gbr, "CAN", officer=BY, why="Example.")
    carry(gbr, usa)
    assert got(usa, can) == ["a", "b"]
    carry(usa, can)
    assert {item.product.title for item in held(can)} == {"a", "b"}


def test_what_cannot_be_is_refused_in_one_sentence(four: list[Node]) -> None:
    gbr, usa, *_ = four
    (product,) = given(gbr, usa)
    with pytest.raises(Refused, match="not a partner"):
        acts.request(usa, product, "FRA")
    with pytest.raises(Refused, match="made it"):
        acts.request(usa, product, "GBR")
    with pytest.raises(BadInput, match="--why"):
        acts.request(usa, product, "CAN", why="\n")
    with pytest.raises(Refused, match="officer"):
        acts.refuse(gbr, "0" * 32, officer="nobody")
    with pytest.raises(Refused, match="no request waits"):
        acts.refuse(gbr, "0" * 32, officer=BY)
    with pytest.raises(Refused, match="no consent of this node"):
        acts.revoke(gbr, "0" * 32, officer=BY, why="Example.")
    with pytest.raises(BadInput, match="has passed"):
        acts.give_standing(gbr, "USA", "CAN", Scope(), officer=BY, until=gbr.clock())
    with pytest.raises(BadInput, match="one form"):
        acts.give_standing(gbr, "USA", "CAN", Scope(), officer=BY, forms=frozenset())
    assert Form.WHOLE in acts.give_standing(gbr, "USA", "CAN", Scope(), officer=BY).forms
