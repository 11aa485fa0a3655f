"""What is released points only to what its recipient was given, and names nothing that it was not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import stix2

from tearline import deliver
from tearline.adapters import store
from tearline.adapters.view import OUT
from tearline.agreement.suspension import Scope
from tearline.node import Node, consider, hand_over, reconsider, references, verify_ledger
from tearline.node.suspend import suspend
from tests.adoption import OFFICERS
from tests.unit.node.world import EVERYTHING, GREEN, RED, bundle, codes, malware, nodes, page, take, work

ATTACK = Path(__file__).parents[4] / "shared" / "data" / "attack-ics-18.1.json"


@pytest.fixture
def gbr(tmp_path: Path) -> Iterator[Node]:
    with nodes(tmp_path, "GBR", "USA", "CAN") as made:
        yield made[0]


def thing(kind: str, name: str, mark: str = GREEN, **more: Any) -> dict[str, Any]:
    item = malware(name, mark) | {"type": kind}
    item["id"] = item["id"].replace("malware", kind, 1)
    if kind != "malware":
        del item["is_family"]
    if kind in {"relationship", "sighting", "note", "opinion"}:
        del item["name"]
    return item | more


def link(one: dict[str, Any], other: dict[str, Any], mark: str = GREEN, name: str = "") -> dict[str, Any]:
    ends = {"source_ref": one["id"], "target_ref": other["id"], "relationship_type": "related-to"}
    return thing("relationship", f"{one['id']} {other['id']} {name}", mark, **ends)


def seen(node: Node, party: str = "USA") -> list[dict[str, Any]]:
    """The releases to a partner, in order."""
    view = node.view(party).page(OUT, EVERYTHING, after=-1, limit=10_000).items
    return [item for item in map(orjson.loads, view) if deliver.is_release(item)]


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items]


def later(node: Node, seconds: float = 2) -> None:
    node.clock.now += timedelta(seconds=seconds)  # type: ignore[attr-defined]
    work(node)


def test_a_relationship_waits_for_both_ends(gbr: Node) -> None:
    heron, otter = thing("malware", "Heron"), thing("tool", "Otter")
    take(gbr, bundle(link(heron, otter), heron))
    work(gbr)
    assert ids(seen(gbr)) == [heron["id"]]
    assert codes(gbr)["USA", "whole", "reference.waits"] == 1
    later(gbr)
    assert ids(seen(gbr)) == [heron["id"]]
    take(gbr, bundle(otter))
    work(gbr)
    assert ids(seen(gbr)) == [heron["id"], otter["id"], link(heron, otter)["id"]]
    assert ("USA", "whole", "reference.waits") not in codes(gbr)
    assert verify_ledger(gbr)[1] == []
    with gbr.reading() as db:
        assert store.parked(db) == []


def test_an_end_that_is_withheld_and_one_that_is_not_there_are_alike(gbr: Node) -> None:
    heron, otter = thing("malware", "Heron"), thing("tool", "Otter", RED)
    take(gbr, bundle(heron, otter, link(heron, otter), link(heron, thing("tool", "Absent"))))
    work(gbr)
    later(gbr)
    assert ids(seen(gbr)) == [heron["id"]]
    assert codes(gbr)["USA", "whole", "reference.waits"] == 2


def test_what_can_be_without_waits_a_moment_and_then_goes_without(gbr: Node) -> None:
    report = thing(
        "report",
        "Two things",
        published="2026-03-01T00:00:00Z",
        object_refs=[malware("Heron")["id"], malware("Secret")["id"]],
        x_more=[
            {"object_ref": malware("Secret")["id"], "at": "noon"},
            {"object_ref": malware("Heron")["id"]},
        ],
    )
    take(gbr, bundle(report, malware("Secret", RED), malware("Heron", GREEN)))
    work(gbr)
    assert ids(seen(gbr)) == [malware("Heron")["id"]]
    later(gbr)
    (_, given) = seen(gbr)
    assert given["object_refs"] == [malware("Heron")["id"]]
    assert given["x_more"] == [{"object_ref": malware("Heron")["id"]}]
    stix2.parse(given, allow_custom=True)


def test_a_report_whose_objects_come_behind_it_is_whole(gbr: Node) -> None:
    refs = [malware("Heron")["id"], malware("Otter")["id"]]
    report = thing("report", "Two things", published="2026-03-01T00:00:00Z", object_refs=refs)
    take(gbr, bundle(report, malware("Heron", GREEN), malware("Otter", GREEN)))
    work(gbr)
    assert ids(seen(gbr)) == [*refs, report["id"]]
    assert seen(gbr)[2]["object_refs"] == refs


def test_a_report_on_nothing_that_was_given_names_the_node(gbr: Node) -> None:
    report = thing("report", "None", published="2026-03-01T00:00:00Z", object_refs=[malware("x")["id"]])
    note = thing("note", "About none", content="Example.", object_refs=[malware("x")["id"]])
    take(gbr, bundle(report, note))
    work(gbr)
    later(gbr)
    assert [(item["id"], item["object_refs"]) for item in seen(gbr)] == [(report["id"], [gbr.identity.id])]
    stix2.parse(seen(gbr)[0], allow_custom=True)


def test_the_creator_comes_first_or_is_the_node(gbr: Node) -> None:
    maker = thing("identity", "Heronry", identity_class="organization")
    made = thing("tool", "Otter", created_by_ref=maker["id"])
    other = thing("tool", "Stoat", created_by_ref=thing("identity", "Secret")["id"])
    take(gbr, bundle(made, other, maker))
    work(gbr)
    assert [(item["id"], item.get("created_by_ref")) for item in seen(gbr)] == [
        (maker["id"], None),
        (made["id"], maker["id"]),
        (other["id"], gbr.identity.id),
    ]


def test_what_waits_goes_right_behind_what_it_waited_for(gbr: Node) -> None:
    """However many products the node works on at a time: order tells nothing of others."""
    a, b, c = (thing("malware", name) for name in ("Aa", "Bb", "Cc"))
    first, second = link(a, b), link(a, c)
    chain = link(first, second)
    for content in ([chain, second, first, a], [b, thing("malware", "Dd"), c, thing("malware", "Ee")]):
        take(gbr, bundle(*content))
        work(gbr)
    wanted = [a, b, first, thing("malware", "Dd"), c, second, chain, thing("malware", "Ee")]
    assert ids(seen(gbr)) == ids(wanted)


def test_what_was_stopped_was_not_given(gbr: Node) -> None:
    heron = malware("Heron", GREEN)
    take(gbr, bundle(heron))
    consider(gbr)
    suspend(gbr, "USA", Scope(topics=frozenset({"malware"})), officer=OFFICERS[0], reason="Example.")  # type: ignore[arg-type]
    note = thing("note", "About it", content="Example.", object_refs=[heron["id"]])
    take(gbr, bundle(note))
    work(gbr)
    later(gbr)
    assert seen(gbr) == []
    assert ids(seen(gbr, "CAN")) == [heron["id"], note["id"]]


def test_judged_again_it_waits_once(gbr: Node) -> None:
    heron, otter = thing("malware", "Heron"), thing("tool", "Otter")
    take(gbr, bundle(link(heron, otter), heron))
    work(gbr)
    reconsider(gbr)
    work(gbr)
    take(gbr, bundle(otter))
    work(gbr)
    assert ids(seen(gbr)) == [heron["id"], otter["id"], link(heron, otter)["id"]]


def test_what_waits_is_judged_anew_when_it_goes(gbr: Node) -> None:
    heron, otter = thing("malware", "Heron"), thing("tool", "Otter")
    take(gbr, bundle(link(heron, otter), heron))
    work(gbr)
    suspend(gbr, "USA", Scope(), officer=OFFICERS[0], reason="Example.")
    take(gbr, bundle(otter))
    work(gbr)
    assert link(heron, otter)["id"] not in ids(seen(gbr))
    assert link(heron, otter)["id"] in ids(seen(gbr, "CAN"))
    with gbr.reading() as db:
        assert store.parked(db) == []


def test_due_is_due(gbr: Node) -> None:
    take(gbr, bundle(thing("tool", "Otter", x_ref=malware("none")["id"])))
    work(gbr)
    assert not references.is_due(gbr)
    gbr.clock.now += timedelta(seconds=2)  # type: ignore[attr-defined]
    assert references.is_due(gbr)
    assert consider(gbr) == 2, "one for each partner"
    hand_over(gbr)
    assert "x_ref" not in seen(gbr)[0]
    assert not references.is_due(gbr)


# --- Names ---------------------------------------------------------------------------------------


def test_lists_lose_what_names_the_withheld(gbr: Node) -> None:
    secret = thing("malware", "Quiet Heron", RED, aliases=["GreyReed"])
    otter = thing(
        "tool",
        "Otter",
        labels=["quiet-heron", "energy", "greyreed"],
        aliases=["Quiet Heron", "Lutra"],
        external_references=[
            {"source_name": "About GreyReed", "url": "https://example.org/1"},
            {"source_name": "About otters", "url": "https://example.org/2"},
            {"source_name": "by id", "url": f"https://example.org/{malware('Quiet Heron')['id']}"},
        ],
    )
    take(gbr, bundle(secret, otter))
    work(gbr)
    (given,) = seen(gbr)
    assert given["labels"] == ["energy"]
    assert given["aliases"] == ["Lutra"]
    assert [each["source_name"] for each in given["external_references"]] == ["About otters"]


@pytest.mark.parametrize("behind", [True, False])
def test_running_text_that_names_the_withheld_goes_to_an_officer(gbr: Node, behind: bool) -> None:
    secret = thing("malware", "Quiet Heron", RED)
    otter = thing("tool", "Otter", description="It drops the quiet heron.")
    fine = thing("tool", "Stoat", description="It is quiet; a heron is not.")
    take(gbr, bundle(*([otter, fine, secret] if behind else [secret, otter, fine])))
    work(gbr)
    assert ids(seen(gbr)) == [fine["id"]]
    assert codes(gbr)["USA", "refer", "name.withheld"] == 1
    with gbr.reading() as db:
        reasons = db.exec_driver_sql("SELECT reasons FROM outcome WHERE kind = 'refer'").scalars().all()
    assert all(b"name.withheld" in each for each in reasons)


def test_what_may_be_given_may_be_named_wherever_it_stands(gbr: Node) -> None:
    heron = thing("malware", "Quiet Heron")
    otter = thing("tool", "Otter", description="It drops the quiet heron.", labels=["Quiet Heron"])
    take(gbr, bundle(otter, heron))
    work(gbr)
    assert ids(seen(gbr)) == [otter["id"], heron["id"]]
    assert seen(gbr)[0]["labels"] == ["Quiet Heron"]


def test_its_own_name_is_its_own(gbr: Node) -> None:
    take(gbr, bundle(thing("malware", "Quiet Heron", RED), thing("tool", "Quiet Heron")))
    work(gbr)
    assert len(seen(gbr)) == 1


# --- Real objects --------------------------------------------------------------------------------


@pytest.mark.skipif(not ATTACK.is_file(), reason="the shared data folder is not beside this repository")
def test_attack_released_in_parts_is_valid_and_closed(gbr: Node) -> None:
    """Every third object is withheld. What is given parses (stix2, strict), and points to what was given."""
    content = orjson.loads(ATTACK.read_bytes())
    if not os.environ.get("TEARLINE_LONG"):
        links = [item for item in content["objects"] if item["type"] == "relationship"]
        rest = [item for item in content["objects"] if item["type"] != "relationship"]
        content["objects"] = [*rest[::2], *links[::8], *rest[1::2]]
    for number, item in enumerate(content["objects"]):
        if number % 3 == 0 and item["type"] not in {"marking-definition", "relationship"}:
            item["object_marking_refs"] = [RED]
    take(gbr, orjson.dumps(content), "TLP:GREEN")
    work(gbr)
    later(gbr)
    given = seen(gbr)
    assert len(given) > 250
    have: set[str] = set()
    for item in page(gbr, type("Usa", (), {"party": "USA"})):  # type: ignore[arg-type]
        stix2.parse(
            item, allow_custom=item["type"].startswith("x-") or any(key.startswith("x_") for key in item)
        )
        if deliver.is_release(item):
            item["extensions"] = {}
            assert deliver.mentioned(item) - set(item["object_marking_refs"]) <= have | {
                item["id"],
                gbr.identity.id,
            }
        have.add(item["id"])
    assert {
        item["id"] for item in content["objects"] if item.get("object_marking_refs") == [RED]
    } & have == set()
