"""Marks that cannot be seen: an extra that is mostly lost, and that neither hides a source nor frames one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tearline.ledger import Act
from tearline.node import Node, receive, verify_ledger
from tearline.node import marks as room
from tearline.node.marks import ZERO_WIDTH, key_of, text_of, unseen
from tearline.node.trace import trace
from tearline.node.variants import switch_off, switch_on
from tearline.terms import Refused
from tearline.trace import slots
from tearline.trace.leak import read_leak
from tests import middleman
from tests.adoption import OFFICERS
from tests.traced import TEXTS, mark, report, reports
from tests.unit.node.test_consent import carry, refusals
from tests.unit.node.test_marks import PART, WHOLE, WHY, Vault, bodies, kept, passed_on, with_vault
from tests.unit.node.world import GREEN, entries, held, nodes, releases, take, work

NAME = "Zvenyslava Chornoloziuk"


@pytest.fixture
def four(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA", "CAN", "AUS") as made:
        mark(made[0], zero_width=True)
        yield made


def named(gbr: Node, *texts: str) -> tuple[str, ...]:
    leaks = [read_leak("leak.txt", text.encode()) for text in texts]
    return trace(gbr, leaks, officer=OFFICERS[0]).named


def sentence(text: str, number: int) -> str:
    """The nth of those with a mark behind it."""
    bare = slots.bare(text)
    ends = list(slots.spots(bare))
    start, end = ends[number - 1], ends[number]
    (sign,) = slots.hidden(text)
    return bare[start:end] + slots.signs(sign)


@pytest.mark.parametrize("text", [WHOLE, PART])
def test_each_copy_has_a_mark_of_its_own_that_is_made_again(four: list[Node], text: str) -> None:
    gbr, *others = four
    take(gbr, text.encode())
    carry(gbr, *others)
    product = held(gbr)[0].product.id
    (form,), copies = kept(gbr)
    assert slots.hidden(form.text) == set()
    for each in copies:
        (taker,) = [one for one in others if one.party == each.copy.partner]
        (item,) = reports(gbr, taker)
        told = item["description"]
        assert text_of(key_of(gbr), form, each.copy) == told
        assert slots.hidden(told) == {unseen(key_of(gbr), product, taker.party)}
        assert told.count(slots.signs(unseen(key_of(gbr), product, taker.party))) > 4
        assert slots.signs(0)[:2] not in str(each.copy.dress), "letters are not kept"
        assert refusals(taker) == []
        assert [each.product.title for each in held(taker)] == ["Lorries at Velna"]
    assert {entry.body["marks"]["unseen"] for entry in entries(gbr, Act.PRODUCT_RELEASED)} == {"yes"}
    assert verify_ledger(gbr)[1] == []


def test_they_change_no_id_and_nothing_that_is_seen(tmp_path: Path) -> None:
    given = {}
    for zero_width in (False, True):
        with nodes(tmp_path / str(zero_width), "GBR", "USA", "CAN") as (gbr, usa, _):
            take(mark(gbr, zero_width=zero_width), PART.encode())
            work(gbr)
            given[zero_width] = [row[:4] for row in releases(gbr)], slots.bare(bodies(gbr, usa)[0])
    assert given[False] == given[True]


def test_one_sentence_that_was_copied_names_its_recipient(four: list[Node]) -> None:
    gbr, usa, can, aus = four
    take(gbr, WHOLE.encode())
    carry(gbr, usa, can, aus)
    one, other = (sentence(bodies(gbr, each)[0], number) for each, number in ((usa, 2), (can, 3)))
    assert named(gbr, one) == ("USA",)
    assert named(gbr, one, other) == named(gbr, one + other) == ("CAN", "USA"), "both had a part in it"
    assert named(gbr, slots.bare(one)) == (), "what is retyped has lost it"
    forged = slots.bare(one) + slots.signs(12345)
    assert named(gbr, forged) == (), "what nobody was given is nobody's"
    case = trace(gbr, [read_leak("leak.txt", (one + forged).encode())], officer=OFFICERS[0])
    (place,) = [each for each in case.places.values() if each.kind == ZERO_WIDTH]
    assert place.seen.p == place.chance == 1 / 2**31, "any of two marks: twice the chance"
    assert case.named == ("USA",)


def test_wordings_are_read_through_them(four: list[Node]) -> None:
    gbr, usa, *_ = four
    take(gbr, WHOLE.encode())
    carry(gbr, usa)
    (text,) = bodies(gbr, usa)
    places = [
        {
            name
            for name, place in trace(gbr, [leak], officer=OFFICERS[0]).places.items()
            if place.kind != ZERO_WIDTH
        }
        for leak in (read_leak("a", text.encode()), read_leak("b", slots.bare(text).encode()))
    ]
    assert places[0] == places[1]
    assert len(places[0]) > 20


def test_an_officer_switches_them_off(four: list[Node]) -> None:
    gbr, usa, *_ = four
    switch_off(gbr, ZERO_WIDTH, **WHY)
    take(gbr, WHOLE.encode())
    work(gbr)
    assert slots.hidden(bodies(gbr, usa)[0]) == set()
    with pytest.raises(Refused):
        switch_off(gbr, ZERO_WIDTH, **WHY)
    switch_on(gbr, ZERO_WIDTH, **WHY)
    take(gbr, report(TEXTS[2:], title="The old pier").encode())
    work(gbr)
    assert len(slots.hidden(bodies(gbr, usa)[0])) == 1
    assert verify_ledger(gbr)[1] == []


def test_what_others_made_keeps_the_marks_of_others(four: list[Node]) -> None:
    """Each recipient can follow its own copy; who passes it on adds nothing."""
    gbr, usa, can, _ = four
    take(gbr, WHOLE.encode())
    mark(usa, zero_width=True)
    carry(gbr, usa, can)
    (product,) = [item.product.id for item in held(usa)]
    passed_on(gbr, usa, product)
    assert bodies(usa, can) == bodies(gbr, usa) != bodies(gbr, can)
    carry(usa, can)
    assert refusals(can) == []
    assert [item.product.id for item in held(can)] == [product]


@pytest.mark.parametrize("stripped", [False, True])
def test_a_stolen_copy_is_known_with_and_without_them(four: list[Node], stripped: bool) -> None:
    """USA passes its own copy off as its own work; CAN holds another copy of it."""
    gbr, usa, can, _ = four
    take(gbr, WHOLE.encode())
    carry(gbr, usa, can)
    (mine,) = reports(gbr, usa)
    del mine["extensions"]
    if stripped:
        mine |= {"description": slots.bare(mine["description"])}
    stolen = mine | {"created_by_ref": usa.identity.id, "object_marking_refs": [GREEN]}
    stolen |= {"id": "report--7c0f9b3c-0c54-4c0e-9a50-0d2f6a4f0f55", "modified": "2026-11-01T00:00:00.000Z"}
    before = held(can)
    receive(can, "USA", [middleman.release(usa, stolen, "CAN", None)])
    assert "check 12, claim" in refusals(can)[-1]
    assert held(can) == before


# --- Sources --------------------------------------------------------------------------------------


def test_they_do_not_touch_what_stands_for_a_source(
    four: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    gbr, usa, *_ = four
    with_vault(gbr, Vault(NAME), monkeypatch)
    take(gbr, report([f"Lorries were seen at noon. {NAME} counted them. They left.", TEXTS[0]]).encode())
    work(gbr)
    (text,) = bodies(gbr, usa)
    (mark_,) = slots.hidden(text)
    masks = [part for part in text.split(slots.signs(mark_)) if "source" in part]
    assert len(masks) == 1
    assert "hornol" not in text
    assert any(part.endswith("counted them.") for part in masks)
    assert "\u200c" not in masks[0]
    assert "\u200d" not in masks[0]


@pytest.mark.parametrize("at", [1, 5, 10, 11, 17, len(NAME) - 1])
def test_an_identity_that_marks_would_part_is_still_found(
    four: list[Node], monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Marks within a name, that a fault of ours or a canary has put there: the last scan finds it."""
    gbr, *others = four
    take(gbr, WHOLE.encode())
    vault, seen = Vault(NAME), []
    scan = vault.scan
    monkeypatch.setattr(vault, "scan", lambda texts: seen.extend(texts) or scan(texts))
    with_vault(gbr, vault, monkeypatch)
    plain = room._said
    parted = NAME[:at] + slots.signs(7) + NAME[at:]
    monkeypatch.setattr(room, "_said", lambda key, said, partner: f" {parted}." + plain(key, said, partner))
    work(gbr)
    assert any(parted in text for text in seen), "what is scanned last has the marks in it"
    for told in bodies(gbr, *others):
        assert slots.hidden(told) == set()
        assert "hornol" not in slots.bare(told)
    _, copies = kept(gbr)
    assert {each.copy.mode for each in copies} == {""}
