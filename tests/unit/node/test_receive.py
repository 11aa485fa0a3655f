from __future__ import annotations

import copy
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tearline import deliver
from tearline.adapters import store
from tearline.deliver.extension import EXTENSION
from tearline.ledger import Act, canonical
from tearline.node import Node, quarantined, receipts, receive, resolve, take_inbox
from tearline.terms import Label, Quarantine, Reach, Whole
from tests.releases import cyber, read, sealed
from tests.unit.node.world import (
    GREEN,
    RED,
    add_to_inbox,
    bundle,
    codes,
    entries,
    held,
    malware,
    names,
    nodes,
    page,
    sealed_in_log,
    state,
    take,
    work,
)

OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
DEFINED = "marking-definition--11111111-1111-4111-8111-111111111111"


@pytest.fixture
def three(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA", "CAN") as made:
        yield made


def ids(node: Node) -> set[str]:
    return {item.product.id for item in held(node)}


def refused(node: Node) -> list[str]:
    return [entry.body["reason"] for entry in entries(node, Act.RELEASE_REFUSED)]


def forged(giver: Node, *items: dict[str, Any], recipient: str = "USA", **how: Any) -> list[dict[str, Any]]:
    """Objects that a giver signs, whatever they are: it holds the key, so it can."""
    shape = deliver.compose(
        cyber(malware("shape"), read("TLP:GREEN")),
        Whole(partner=recipient, reasons=()),
        node=giver.identity,
        issued=giver.clock(),
    )
    drafts = [
        msgspec.structs.replace(
            shape,
            release_id=sha256(canonical(item)).hexdigest(),
            object={},
            object_id=item["id"],
            version=item.get("modified", item.get("created")),
            digest=sha256(canonical(item)).hexdigest(),
        )
        for item in items
    ]
    bodies = sealed(drafts, **how) if how else sealed_in_log(giver, drafts)
    return [item | orjson.loads(body) for item, body in zip(items, bodies, strict=True)]


def given(giver: Node, taker: Node, *items: dict[str, Any]) -> list[dict[str, Any]]:
    take(giver, bundle(*items))
    work(giver)
    return page(giver, taker)


def test_releases_are_taken_once_and_are_their_givers(three: list[Node]) -> None:
    gbr, usa, _ = three
    objects = given(gbr, usa, malware("a", GREEN), malware("b", GREEN))
    assert receive(usa, "GBR", objects) == 2
    assert {item.product.originator for item in held(usa)} == {"GBR"}
    assert all(
        isinstance(item.product.label, Label) and "GBR" in item.product.label.owners for item in held(usa)
    )
    before = state(usa)
    assert receive(usa, "GBR", objects) == 0
    assert state(usa) == before


def test_two_versions_in_one_page_each_came_by_their_release(three: list[Node]) -> None:
    gbr, usa, _ = three
    newer = malware("a", GREEN, modified="2026-04-01T00:00:00.5Z")
    receive(usa, "GBR", given(gbr, usa, malware("a", GREEN), newer))
    by_version = {
        entry.body["version"]: entry.body["release"]
        for entry in entries(gbr, Act.PRODUCT_RELEASED)
        if entry.body["partner"] == "USA"
    }
    assert {item.product.version: item.received_as for item in held(usa)} == by_version
    assert len(set(by_version.values())) == 2


def test_an_exception_takes_nothing_and_remembers_nothing(
    three: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    gbr, usa, _ = three
    objects = given(gbr, usa, malware("a", GREEN), malware("b", GREEN))
    before = state(usa)

    def failing(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(receipts, "give", failing)  # the last that is done
    with pytest.raises(MemoryError):
        receive(usa, "GBR", objects)
    assert state(usa) == before
    monkeypatch.undo()
    assert receive(usa, "GBR", objects) == 2


# --- a partner that cheats -----------------------------------------------------------------------


def test_a_tampered_object_is_recorded_and_its_neighbour_taken(three: list[Node]) -> None:
    gbr, usa, _ = three
    objects = given(gbr, usa, malware("a", GREEN), malware("b", GREEN))
    for item in objects:
        if item.get("name") == "a":
            item["name"] = "changed"
    assert receive(usa, "GBR", objects) == 1
    assert ids(usa) == {malware("b")["id"]}
    assert [reason for reason in refused(usa) if "digest" in reason] == refused(usa)
    assert len(refused(usa)) == 1


def test_a_release_for_another_is_refused(three: list[Node]) -> None:
    gbr, usa, can = three
    given(gbr, usa, malware("a", GREEN))
    assert receive(usa, "GBR", page(gbr, can)) == 0
    assert ids(usa) == set()
    assert "parties" in refused(usa)[0]


def test_a_partners_partners_release_is_refused(three: list[Node]) -> None:
    gbr, usa, can = three
    objects = given(gbr, usa, malware("a", GREEN))
    assert receive(usa, "CAN", objects) == 0
    assert receive(can, "GBR", objects) == 0
    assert ids(usa) == ids(can) == set()


def test_a_release_signed_by_another_key_is_refused(three: list[Node]) -> None:
    gbr, usa, _ = three
    assert receive(usa, "GBR", forged(gbr, malware("a", GREEN), key=OTHER_KEY)) == 0
    assert ids(usa) == set()
    assert "signature" in refused(usa)[0]


def test_a_replayed_release_changes_nothing(three: list[Node]) -> None:
    gbr, usa, _ = three
    objects = given(gbr, usa, malware("a", GREEN))
    receive(usa, "GBR", objects)
    before = state(usa)
    assert receive(usa, "GBR", [*objects, *copy.deepcopy(objects)]) == 0
    assert state(usa) == before


def test_claims_of_another_originator_do_not_count(three: list[Node]) -> None:
    gbr, usa, can = three
    claims = malware("a", GREEN, originator="USA", owner="USA", x_owners=["USA"])
    assert receive(usa, "GBR", forged(gbr, claims)) == 1
    (item,) = held(usa)
    assert item.product.originator == "GBR"
    assert isinstance(item.product.label, Label)
    assert item.product.label.owners == frozenset({"GBR"})
    work(usa)
    assert names(page(usa, can)) == []


def test_an_object_that_names_another_node_as_its_creator_is_refused(three: list[Node]) -> None:
    gbr, usa, can = three
    for number, maker in enumerate((usa, can)):
        claims = malware(str(number), GREEN, created_by_ref=maker.identity.id)
        assert receive(usa, "GBR", forged(gbr, claims)) == 1
    assert [reason for reason in refused(usa) if "check 12, claim" in reason] == refused(usa)
    assert held(usa) == []


def test_an_object_without_a_marking_is_in_quarantine(three: list[Node]) -> None:
    gbr, usa, can = three
    assert receive(usa, "GBR", forged(gbr, malware("a"))) == 1
    assert [row[0] for row in quarantined(usa)] == [malware("a")["id"]]
    work(usa)
    assert names(page(usa, can)) == []
    assert codes(usa)["CAN", "withhold", "label.quarantine"] == 1
    resolve(usa, malware("a")["id"], "TLP:CLEAR")
    work(usa)
    assert names(page(usa, can)) == []
    assert codes(usa)["CAN", "withhold", "consent.originator"] == 1


def definition(reach: str) -> dict[str, Any]:
    extension = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": DEFINED,
        "created": "2026-01-01T00:00:00.000Z",
        "extensions": {extension: {"extension_type": "property-extension", "tlp_2_0": reach}},
    }


def test_a_marking_that_is_defined_anew_keeps_its_first_form(three: list[Node]) -> None:
    """A giver can only mark its own products so; and those go nowhere from here, whatever it says later."""
    gbr, usa, can = three
    receive(usa, "GBR", [definition("red"), *forged(gbr, malware("a", DEFINED))])
    receive(usa, "GBR", [definition("clear"), *forged(gbr, malware("b", DEFINED))])
    assert [getattr(item.product.label, "reach", None) for item in held(usa)] == [Reach.RED, Reach.RED]
    # Another giver's definitions are its own.
    receive(usa, "CAN", [definition("green"), *forged(can, malware("c", DEFINED))])
    assert getattr(held(usa)[-1].product.label, "reach", None) == Reach.GREEN
    work(usa)
    assert names(page(usa, gbr)) == names(page(usa, can)) == []


def test_a_standard_marking_cannot_be_defined_anew(three: list[Node]) -> None:
    gbr, usa, _ = three
    wider = definition("clear") | {"id": RED}
    receive(usa, "GBR", [wider, *forged(gbr, malware("a", RED))])
    assert isinstance(held(usa)[0].product.label, Quarantine)


def test_an_undefined_marking_is_quarantine(three: list[Node]) -> None:
    gbr, usa, _ = three
    receive(usa, "GBR", forged(gbr, malware("a", DEFINED)))
    assert isinstance(held(usa)[0].product.label, Quarantine)


def test_a_definition_of_a_part_is_found(three: list[Node]) -> None:
    gbr, usa, _ = three
    part = malware("a", GREEN, granular_markings=[{"selectors": ["name"], "marking_ref": DEFINED}])
    receive(usa, "GBR", [definition("red"), *forged(gbr, part)])
    assert getattr(held(usa)[0].product.label, "reach", None) == Reach.RED


def deep(levels: int) -> Any:
    """JSON that can be read, and has a canonical form, but that orjson does not write."""
    value: Any = 0.5
    for _ in range(levels):
        value = [value]
    return value


GARBAGE: list[dict[str, Any]] = [
    {},
    {"type": []},
    {"type": {"a": 1}, "id": 7},
    {"type": "marking-definition"},
    {"type": "marking-definition", "id": [], "extensions": 3},
    {"type": "marking-definition", "id": DEFINED, "definition": deep(400)},
    {"type": "malware", "extensions": {EXTENSION: None}},
    {"type": "malware", "extensions": {EXTENSION: {"dsse": 1}}},
    {"type": "malware", "extensions": {EXTENSION: deep(400)}},
    {"type": "malware", "extensions": [EXTENSION]},
]


def test_garbage_stops_nobody(three: list[Node]) -> None:
    gbr, usa, _ = three
    objects = given(gbr, usa, malware("a", GREEN))
    assert receive(usa, "GBR", [*GARBAGE, *objects, *GARBAGE]) == 1
    assert ids(usa) == {malware("a")["id"]}


@pytest.mark.parametrize(
    "bad",
    [
        malware("bad", GREEN, object_marking_refs=None),
        malware("bad", GREEN, object_marking_refs=5),
        malware("bad", GREEN, object_marking_refs=[[], 7]),
        malware("bad", GREEN, granular_markings=[7]),
        malware("bad", GREEN, x_deep=deep(400)),
        malware("bad", GREEN, modified="yesterday"),
        malware("bad", GREEN, id="malware--1"),
        {"id": "x"},
    ],
)
def test_signed_garbage_is_recorded_and_stops_nobody(three: list[Node], bad: dict[str, Any]) -> None:
    gbr, usa, _ = three
    objects = forged(gbr, malware("a", GREEN)) + forged(gbr, bad)
    receive(usa, "GBR", objects)
    assert ids(usa) == {malware("a")["id"]}
    assert len(refused(usa)) == 1


def test_a_version_released_with_other_content_is_recorded_and_the_first_stays(three: list[Node]) -> None:
    gbr, usa, _ = three
    receive(usa, "GBR", forged(gbr, malware("a", RED)))
    receive(usa, "GBR", forged(gbr, malware("a", GREEN)))
    (item,) = held(usa)
    assert isinstance(item.product.label, Label)
    assert item.product.label.reach is Reach.RED
    assert "other content" in refused(usa)[0]


# --- what a partner adds to its inbox here -------------------------------------------------------


def test_the_inbox_is_taken_once(three: list[Node]) -> None:
    usa = three[1]
    add_to_inbox(usa, "GBR", malware("a", GREEN), malware("b"))
    assert take_inbox(usa) == 2
    assert take_inbox(usa) == 0
    assert {item.product.originator for item in held(usa)} == {"GBR"}
    assert {item.received_as for item in held(usa)} == {"inbox of GBR"}
    assert [row[0] for row in quarantined(usa)] == [malware("b")["id"]]


def test_the_inbox_takes_nothing_half(three: list[Node], monkeypatch: pytest.MonkeyPatch) -> None:
    usa = three[1]
    add_to_inbox(usa, "GBR", malware("a", GREEN))
    before = state(usa)

    def failing(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(store, "set_inbox_seen", failing)
    with pytest.raises(MemoryError):
        take_inbox(usa)
    assert state(usa) == before
    monkeypatch.undo()
    assert take_inbox(usa) == 1
    assert ids(usa) == {malware("a")["id"]}
