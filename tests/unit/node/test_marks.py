"""Marks at release: each recipient of an own report gets wordings of its own, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import msgspec
import pytest

from tearline import deliver
from tearline.adapters import store
from tearline.deliver.extension import EXTENSION
from tearline.node import Node, protect, receive, reconsider, verify_ledger
from tearline.node import consent as consents
from tearline.node.canaries import too_late_for
from tearline.node.marks import key_of, short, text_of
from tearline.node.variants import switch_off, switch_on, variants
from tearline.scan import Identity, Kind, Scanner
from tearline.terms import BadInput, Refused
from tearline.vault import Canary
from tests import middleman
from tests.adoption import OFFICERS
from tests.traced import FIRST, TEXTS, body, mark, report, reports
from tests.unit.node.test_consent import carry, refusals
from tests.unit.node.test_protect import FakeVault
from tests.unit.node.test_recall import call_back, deliver_to, put_right
from tests.unit.node.world import GREEN, bundle, held, malware, nodes, page, releases, take, work

WHY = {"officer": OFFICERS[0], "why": "Example."}
SAID = " ".join(FIRST.split())
WHOLE = report(TEXTS[:2], name="velna-1")
PART = report(TEXTS[:2], narrow="Nine barges lay there too.", name="velna-2")


def bodies(giver: Node, *takers: Node) -> list[str]:
    """What each was told, without portion marks, in the last report."""
    return [body(reports(giver, taker)[-1]) for taker in takers]


def passed_on(gbr: Node, usa: Node, product: str) -> None:
    """USA may pass a product of GBR on to CAN, and does."""
    asked = consents.request(usa, product, "CAN")
    carry(usa, gbr)
    consents.grant(gbr, asked.id, officer=OFFICERS[0])
    carry(gbr, usa)


def kept(node: Node) -> tuple[list[store.Form], list[store.Delivered]]:
    with node.reading() as db:
        rows = store.forms_before(db, 1 << 60, 100)
        return [form for *_, form in rows], store.copies_of(db, [name for _, name, _ in rows])


@pytest.fixture
def four(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA", "CAN", "AUS") as made:
        yield made


@pytest.mark.parametrize("text", [WHOLE, PART])
def test_each_recipient_has_wordings_of_its_own(four: list[Node], text: str) -> None:
    gbr, *others = four
    take(mark(gbr), text.encode())
    work(gbr)
    told = bodies(gbr, *others)
    assert len(set(told)) == 3
    assert not any("Nine barges" in each for each in told)
    (form,), copies = kept(gbr)
    assert form.text not in told
    assert [(each.copy.partner, each.copy.mode) for each in copies] == [
        (party, "single") for party in ("AUS", "CAN", "USA")
    ]
    for each in copies:
        (taker,) = [one for one in others if one.party == each.copy.partner]
        assert text_of(key_of(gbr), form, each.copy) == reports(gbr, taker)[0]["description"]
        assert each.at is not None
    assert verify_ledger(gbr)[1] == []


def test_marks_change_no_id_and_nothing_but_the_text(tmp_path: Path) -> None:
    given = {}
    for name in ("without", "with"):
        with nodes(tmp_path / name, "GBR", "USA", "CAN") as (gbr, usa, _):
            if name == "with":
                mark(gbr)
            take(gbr, PART.encode())
            work(gbr)
            ids = [row[:4] for row in releases(gbr)]
            (item,) = reports(gbr, usa)
            del item["extensions"]
            given[name] = ids, {key: value for key, value in item.items() if key != "description"}, item
    (ids, rest, plain), (again, same, marked) = given.values()
    assert (ids, rest) == (again, same)
    assert plain["description"] != marked["description"]


def test_asked_again_the_gate_gives_nothing_else(four: list[Node]) -> None:
    gbr, *others = four
    take(mark(gbr), WHOLE.encode())
    work(gbr)
    before = [page(gbr, each) for each in others], kept(gbr)
    reconsider(gbr)
    work(gbr)
    assert ([page(gbr, each) for each in others], kept(gbr)) == before


def test_without_marks_the_text_is_kept_and_stays_as_it_is(four: list[Node]) -> None:
    gbr, usa, *_ = four
    take(gbr, WHOLE.encode())
    work(gbr)
    (form,), copies = kept(gbr)
    assert {each.copy.mode for each in copies} == {""}
    assert bodies(gbr, usa) == [form.text]
    assert SAID in form.text
    assert verify_ledger(gbr)[1] == []


def test_what_machines_read_is_not_marked(four: list[Node]) -> None:
    gbr, usa, *_ = four
    item = malware("a", GREEN, description=SAID)
    named = item | {
        "type": "report",
        "id": item["id"].replace("malware", "report"),
        "published": item["created"],
    }
    named |= {"object_refs": [item["id"]], "name": "Lorries"}
    del named["is_family"]
    take(mark(gbr), bundle(item, named))
    work(gbr)
    assert [each.get("description") for each in page(gbr, usa) if each["type"] in {"malware", "report"}] == [
        SAID,
        SAID,
    ]


# --- What others made, and who gets two copies ----------------------------------------------------


def test_what_others_made_goes_on_as_they_signed_it(four: list[Node]) -> None:
    gbr, usa, can, _ = four
    take(mark(gbr), WHOLE.encode())
    mark(usa)
    carry(gbr, usa)
    (product,) = [item.product.id for item in held(usa)]
    passed_on(gbr, usa, product)
    assert bodies(usa, can) == bodies(gbr, usa)
    assert bodies(usa, can) != bodies(gbr, can)


@pytest.mark.parametrize("first", ["direct", "onward"])
def test_one_who_gets_two_copies_holds_one_product(four: list[Node], first: str) -> None:
    gbr, usa, can, _ = four
    take(mark(gbr), WHOLE.encode())
    carry(gbr, usa)
    (product,) = [item.product.id for item in held(usa)]
    passed_on(gbr, usa, product)
    assert bodies(usa, can) != bodies(gbr, can)
    for giver in (gbr, usa) if first == "direct" else (usa, gbr):
        carry(giver, can)
    assert refusals(can) == []
    assert [(item.product.id, item.product.originator) for item in held(can)] == [(product, "GBR")]
    carry(can, gbr, usa)
    assert refusals(gbr) == refusals(usa) == []
    for node in (gbr, usa, can):
        assert verify_ledger(node)[1] == []


def test_a_copy_that_its_originator_did_not_sign_is_none(four: list[Node]) -> None:
    """The middleman changes a word in the copy that it passes on."""
    gbr, usa, can, _ = four
    take(mark(gbr), WHOLE.encode())
    carry(gbr, usa, can)
    (mine,) = reports(gbr, usa)
    chain = msgspec.convert(mine.pop("extensions")[EXTENSION]["chain"], deliver.Chain)
    before = held(can)
    forged = mine | {"description": mine["description"].replace("40 lorries", "41 lorries")}
    assert forged != mine
    receive(can, "USA", [middleman.release(usa, forged, "CAN", chain)])
    assert "check 10, core" in refusals(can)[-1]
    assert held(can) == before


def test_a_copy_is_known_as_its_originators_in_every_wording(four: list[Node]) -> None:
    """USA passes its own copy off as its own work; CAN holds another copy of it."""
    gbr, usa, can, _ = four
    take(mark(gbr), WHOLE.encode())
    carry(gbr, usa, can)
    (mine,), (theirs,) = reports(gbr, usa), reports(gbr, can)
    assert body(mine) != body(theirs)
    del mine["extensions"]
    stolen = mine | {"created_by_ref": usa.identity.id, "object_marking_refs": [GREEN]}
    stolen |= {"id": "report--7c0f9b3c-0c54-4c0e-9a50-0d2f6a4f0f55", "modified": "2026-11-01T00:00:00.000Z"}
    before = held(can)
    receive(can, "USA", [middleman.release(usa, stolen, "CAN", None)])
    assert "check 12, claim" in refusals(can)[-1]
    assert held(can) == before


# --- Recall and revision --------------------------------------------------------------------------


@pytest.mark.parametrize("text", [WHOLE, PART])
def test_a_revision_changes_what_changed_alone(four: list[Node], text: str) -> None:
    gbr, usa, *_ = four
    take(mark(gbr), text.encode())
    work(gbr)
    carry(gbr, usa)
    (old,) = bodies(gbr, usa)
    product = held(gbr)[0].product.id
    newer = text.replace("40 lorries", "50 lorries").replace("14T05", "15T05")
    put_right(gbr, product, newer.encode())
    carry(gbr, usa)
    (new,) = bodies(gbr, usa)
    one, other = (set(each.split(". ")) for each in (old, new))
    assert len(one - other) == len(other - one) == 1  # the sentence with the lorries
    assert verify_ledger(gbr)[1] == []
    assert refusals(usa) == []


def test_a_marked_text_is_recalled(four: list[Node]) -> None:
    gbr, usa, *_ = four
    take(mark(gbr), PART.encode())
    work(gbr)
    deliver_to(gbr, usa)
    call_back(gbr, held(gbr)[0].product.id)
    work(gbr)
    deliver_to(gbr, usa)
    assert reports(gbr, usa)[-1]["revoked"] is True
    assert refusals(usa) == []
    assert verify_ledger(gbr)[1] == []


# --- Officers -------------------------------------------------------------------------------------


def test_an_officer_sees_every_variant_and_switches_it_off_for_all(four: list[Node]) -> None:
    gbr, *others = four
    mark(gbr)
    take(gbr, PART.encode())
    product = held(gbr)[0].product.id
    (before,) = variants(gbr, product)
    assert not before.released
    one, two, *_ = before.slots
    switch_off(gbr, short(one), **WHY)
    switch_off(gbr, two.entry, **WHY)
    with pytest.raises(Refused):
        switch_off(gbr, two.entry, **WHY)
    with pytest.raises(BadInput):
        switch_off(gbr, "en.no-such-entry", **WHY)
    work(gbr)
    (after,) = variants(gbr, product)
    assert after.released
    assert not {one.key, two.key} & {slot.key for slot in after.slots}
    assert len(after.slots) < len(before.slots)
    for told in bodies(gbr, *others):
        assert before.text[one.start : one.end] in told
    assert verify_ledger(gbr)[1] == []
    switch_on(gbr, two.entry, **WHY)
    with pytest.raises(Refused):
        switch_on(gbr, two.entry, **WHY)
    assert verify_ledger(gbr)[1] == []


def test_only_an_officer_switches_off(four: list[Node]) -> None:
    with pytest.raises(Refused):
        switch_off(four[0], "0" * 16, officer="nobody-9", why="Example.")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE form SET text = text || ' '",
        "UPDATE form SET slots = '[]'",
        "UPDATE copy SET mode = 'collusion'",
        "DELETE FROM copy WHERE partner = 'USA'",
        "INSERT INTO slot_off VALUES ('en.about')",
    ],
)
def test_what_is_changed_in_what_is_kept_is_found(four: list[Node], change: str) -> None:
    gbr, *_ = four
    take(mark(gbr), WHOLE.encode())
    work(gbr)
    assert verify_ledger(gbr)[1] == []
    with gbr.writing() as db:
        db.exec_driver_sql(change)
    assert verify_ledger(gbr)[1] != []


# --- Sources --------------------------------------------------------------------------------------


class Vault(FakeVault):
    """Protects a phrase that only a variant spells, and has a canary."""

    def __init__(self, name: str, canaries: tuple[Canary, ...] = ()) -> None:
        super().__init__()
        self.scanner = Scanner([Identity("OBLONG-KETTLE", name, Kind.PERSON, "en")], key=bytes(32))
        self._canaries = canaries

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def canaries(self, products: tuple[str, ...]) -> tuple[Canary, ...]:
        return tuple(each for each in self._canaries if each.product in products)


def with_vault(node: Node, vault: Vault, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(protect, "ask_vault", lambda _: vault)
    with node.writing() as db:
        store.put_vault_state(db, 1, "0" * 64)


def test_a_protected_name_that_a_variant_makes_goes_to_nobody(
    four: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text names nobody; one wording of one recipient would. That one gets it without marks."""
    gbr, *others = four
    canary = Canary(id="c1", product="", options=("the railway station", "Zvenyslava Chornoloziuk"))
    take(mark(gbr), WHOLE.encode())
    product = held(gbr)[0].product.id
    canary = msgspec.structs.replace(canary, product=product, by_hand={"USA": 1, "CAN": 0, "AUS": 0})
    with_vault(gbr, Vault("Zvenyslava Chornoloziuk", (canary,)), monkeypatch)
    work(gbr)
    told = dict(zip([each.party for each in others], bodies(gbr, *others), strict=True))
    (form,), copies = kept(gbr)
    assert told["USA"] == form.text
    assert form.text not in {told["CAN"], told["AUS"]}
    assert {each.copy.partner: each.copy.mode for each in copies} == {
        "USA": "",
        "CAN": "single",
        "AUS": "single",
    }


def test_a_canary_that_comes_too_late_for_some_is_told_in_the_next_version(
    four: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    gbr, *others = four
    take(mark(gbr), WHOLE.encode())
    product = held(gbr)[0].product.id
    canary = Canary(id="c1", product=product, options=("40 lorries", "41 lorries"), by_hand={"USA": 1})
    assert too_late_for(gbr, canary) == set()
    vault = Vault("Nobody Atall")
    with_vault(gbr, vault, monkeypatch)
    work(gbr)
    assert too_late_for(gbr, canary) == {"USA", "CAN", "AUS"}
    vault._canaries = (canary,)
    reconsider(gbr)
    work(gbr)
    assert "40 lorries" in bodies(gbr, others[0])[0]
    put_right(gbr, product, WHOLE.replace("14T05", "15T05").encode())
    work(gbr)
    assert "41 lorries" in bodies(gbr, others[0])[0]
    assert too_late_for(gbr, canary) == set()


def test_a_canary_is_told_to_each_in_its_own_way(four: list[Node], monkeypatch: pytest.MonkeyPatch) -> None:
    gbr, *others = four
    take(mark(gbr), WHOLE.encode())
    product = held(gbr)[0].product.id
    ways = ("40 lorries", "41 lorries", "42 lorries")
    canary = Canary(id="c1", product=product, options=ways, by_hand={"USA": 0, "CAN": 1, "AUS": 2})
    with_vault(gbr, Vault("Nobody Atall", (canary,)), monkeypatch)
    work(gbr)
    for way, other in zip(ways, others, strict=True):
        (told,) = bodies(gbr, other)
        assert way in told
    (form,), copies = kept(gbr)
    assert "40 lorries" in form.text
    for each in copies:
        (taker,) = [one for one in others if one.party == each.copy.partner]
        assert text_of(key_of(gbr), form, each.copy) == reports(gbr, taker)[0]["description"]
