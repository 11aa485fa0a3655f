from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from tearline.adapters import store
from tearline.intake import Fault
from tearline.ledger import Act
from tearline.node import AlreadyHeld, Node, TakenIn, quarantined, resolve, take_in, verify_ledger
from tearline.terms import BadInput, Broken, Label, Reach, Refused
from tests.unit.node.world import (
    GREEN,
    RED,
    REPORT,
    bundle,
    codes,
    entries,
    held,
    malware,
    names,
    nodes,
    page,
    releases,
    state,
    take,
    work,
)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA") as made:
        yield made


def test_each_product_once(pair: list[Node]) -> None:
    gbr = pair[0]
    first = take(gbr, bundle(malware("a", GREEN), malware("b", GREEN)))
    assert [type(answer) for answer in first] == [TakenIn, TakenIn]
    before = state(gbr)
    again = take(gbr, bundle(malware("b", GREEN), malware("a", GREEN)))
    assert [type(answer) for answer in again] == [AlreadyHeld, AlreadyHeld]
    assert state(gbr) == before
    assert len(entries(gbr, Act.PRODUCT_TAKEN_IN)) == 2


def test_a_new_version_is_a_product_of_its_own(pair: list[Node]) -> None:
    gbr = pair[0]
    newer = malware("a", GREEN, modified="2026-04-01T00:00:00.000Z", is_family=True)
    take(gbr, bundle(malware("a", GREEN), newer))
    assert [item.product.version for item in held(gbr)] == [
        "2026-03-01T00:00:00.000Z",
        "2026-04-01T00:00:00.000Z",
    ]


def test_the_same_version_with_other_content_is_a_fault_and_the_old_stays(pair: list[Node]) -> None:
    gbr = pair[0]
    take(gbr, bundle(malware("a", RED)))
    before = state(gbr)
    wider, *_ = take(gbr, bundle(malware("a", GREEN)))
    other, *_ = take(gbr, bundle(malware("a", RED, is_family=True)))
    for answer in (wider, other):
        assert isinstance(answer, Fault)
        assert answer.place == malware("a")["id"]
        assert "other content" in str(answer)
    assert state(gbr) == before


def test_faults_leave_good_neighbours(pair: list[Node]) -> None:
    answers = take(pair[0], bundle(malware("a", GREEN), {"type": "malware"}, 7, malware("b", GREEN)))
    assert [type(answer) for answer in answers] == [TakenIn, Fault, Fault, TakenIn]


def test_quarantine_goes_to_nobody_until_it_is_resolved(pair: list[Node]) -> None:
    gbr, usa = pair
    answer, *_ = take(gbr, bundle(malware("a")))
    assert isinstance(answer, TakenIn)
    assert answer.quarantine == f"{answer.product_id}: no marking"
    work(gbr)
    assert codes(gbr) == {("USA", "withhold", "label.quarantine"): 1}
    assert page(gbr, usa) == []
    assert [row[0] for row in quarantined(gbr)] == [answer.product_id]

    resolve(gbr, answer.product_id, "TLP:GREEN")
    assert quarantined(gbr) == []
    assert [entry.body["marking"] for entry in entries(gbr, Act.QUARANTINE_RESOLVED)] == ["TLP:GREEN"]
    work(gbr)
    assert codes(gbr) == {("USA", "whole", "agreement.permit"): 1}
    assert [row[0] for row in releases(gbr)] == ["USA"]
    assert answer.product_id in {item["id"] for item in page(gbr, usa)}


def test_taking_in_again_with_a_marking_resolves_a_quarantine(pair: list[Node]) -> None:
    gbr, usa = pair
    take(gbr, bundle(malware("a"), malware("b", GREEN)))
    work(gbr)
    assert take(gbr, bundle(malware("a"))) == [AlreadyHeld(malware("a")["id"])]
    assert names(page(gbr, usa)) == ["b"]
    answers = take(gbr, bundle(malware("a"), malware("b", GREEN)), "TLP:GREEN")
    assert answers == [TakenIn(malware("a")["id"], None), AlreadyHeld(malware("b")["id"])]
    assert quarantined(gbr) == []
    work(gbr)
    assert names(page(gbr, usa)) == ["b", "a"]
    assert len(entries(gbr, Act.QUARANTINE_RESOLVED)) == 1
    assert verify_ledger(gbr)[1] == []


def test_another_marking_does_not_change_what_is_held(pair: list[Node]) -> None:
    gbr, _ = pair
    take(gbr, bundle(malware("a")), "TLP:RED")
    before = state(gbr)
    assert take(gbr, bundle(malware("a")), "TLP:GREEN") == [AlreadyHeld(malware("a")["id"])]
    assert state(gbr) == before


def test_resolve_refuses_what_it_cannot_do(pair: list[Node]) -> None:
    gbr = pair[0]
    take(gbr, bundle(malware("a"), malware("b", GREEN)))
    before = state(gbr)
    with pytest.raises(BadInput):
        resolve(gbr, malware("a")["id"], "TLP:PINK")
    with pytest.raises(Refused):
        resolve(gbr, malware("b")["id"], "TLP:RED")
    assert state(gbr) == before


def test_resolving_keeps_portions_that_could_be_read(pair: list[Node]) -> None:
    gbr = pair[0]
    take(gbr, REPORT.replace("(//GBR S) SOURCE", "(//GBR SS) SOURCE").encode())
    resolve(gbr, held(gbr)[0].product.id, "//GBR SECRET//REL TO USA, FVEY")
    product = held(gbr)[0].product
    assert isinstance(product.label, Label)
    assert all(isinstance(portion.label, Label) for portion in product.portions)
    title = product.portions[0].label
    assert isinstance(title, Label)
    assert title.release is None


def test_what_another_made_stays_its_originators_when_resolved(pair: list[Node]) -> None:
    gbr, usa = pair
    text = "Originator: CAN\nDate: 2026-10-02\n\nNine barges lay at Velna.\n"
    take(gbr, text.encode())
    resolve(gbr, held(gbr)[0].product.id, "TLP:CLEAR")
    label = held(gbr)[0].product.label
    assert isinstance(label, Label)
    assert (label.owners, label.reach) == (frozenset({"CAN"}), Reach.CLEAR)
    work(gbr)
    assert page(gbr, usa) == []


def test_an_exception_leaves_nothing_half_stored(pair: list[Node], monkeypatch: pytest.MonkeyPatch) -> None:
    gbr = pair[0]
    before, calls = state(gbr), []
    add = store.add_product

    def failing(*arguments: object, **more: object) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise MemoryError
        return add(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "add_product", failing)
    with pytest.raises(MemoryError):
        take(gbr, bundle(malware("a", GREEN), malware("b", GREEN)))
    assert state(gbr) == before
    monkeypatch.undo()
    take(gbr, bundle(malware("c", GREEN)))
    taken = entries(gbr, Act.PRODUCT_TAKEN_IN)
    assert [entry.body["product"] for entry in taken] == [malware("c")["id"]], "nothing of the lost one"


def test_what_fails_to_be_signed_is_not_stored(pair: list[Node], monkeypatch: pytest.MonkeyPatch) -> None:
    gbr = pair[0]
    before = state(gbr)

    def failing(*_: object) -> str:
        raise Broken("no")

    monkeypatch.setattr(gbr.log, "checkpoint", failing)
    with pytest.raises(Broken):
        take(gbr, bundle(malware("a", GREEN)))
    assert state(gbr) == before


def test_an_act_is_recorded_only_in_its_transaction(pair: list[Node]) -> None:
    with pytest.raises(Broken):
        pair[0].record(Act.NODE_CREATED, {})


def test_what_was_yielded_before_a_crash_stays(pair: list[Node]) -> None:
    gbr = pair[0]
    many = bundle(*(malware(f"{number}", GREEN) for number in range(150)))
    answers = take_in(gbr, BytesIO(many), "file")
    first = next(answers)
    answers.close()  # the reader is gone after the first batch
    assert isinstance(first, TakenIn)
    assert 0 < len(held(gbr)) < 150
    again = take(gbr, many)
    assert {type(answer) for answer in again} == {AlreadyHeld, TakenIn}
    assert len(held(gbr)) == len(entries(gbr, Act.PRODUCT_TAKEN_IN)) == 150
