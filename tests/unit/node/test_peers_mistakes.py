"""What users of other sharing platforms suffer from, each a test that it does not happen here.

What recalls have to do with it (a narrowed distribution that takes nothing back, a recall that does not reach
relationships) is tested with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
import stix2

from tearline import label
from tearline.adapters.view import OUT, Item, pages
from tearline.agreement.suspension import Scope
from tearline.deliver import is_release
from tearline.gate import consider as gate_consider
from tearline.node import Node, hand_over, receive, take_inbox
from tearline.node.suspend import suspend
from tearline.terms import Label, Recipient, Withhold
from tests.adoption import OFFICERS
from tests.silence import ask, opened
from tests.unit.node.test_references import later, link, seen, thing
from tests.unit.node.world import (
    EVERYTHING,
    GREEN,
    RED,
    REPORT,
    add_to_inbox,
    bundle,
    codes,
    held,
    malware,
    nodes,
    page,
    page_of,
    take,
    work,
)

AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
SECRET = thing("malware", "Dusky Petrel", RED)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA", "CAN") as made:
        yield made


def test_names_of_the_withheld_do_not_survive_in_secondary_fields(two: list[Node]) -> None:
    """Elsewhere the withheld object goes, and its name stays in sightings, tags, references and notes."""
    gbr = two[0]
    heron = thing("malware", "Plain Heron", labels=["Dusky Petrel", "energy"])
    about = {"source_name": "report", "description": "On Dusky Petrel and others"}
    sighting = thing("sighting", "s", sighting_of_ref=heron["id"], external_references=[about], count=3)
    note = thing("note", "n", content="Looks like Dusky Petrel.", object_refs=[heron["id"], SECRET["id"]])
    of_secret = thing("sighting", "t", sighting_of_ref=SECRET["id"])
    take(gbr, bundle(SECRET, heron, sighting, note, of_secret))
    work(gbr)
    later(gbr)
    everything = b"".join(page_of(gbr, "USA"))
    assert b"Petrel" not in everything
    assert SECRET["id"].encode() not in everything
    assert {item["id"] for item in seen(gbr)} == {heron["id"], sighting["id"]}


def test_no_count_includes_the_withheld() -> None:
    """Elsewhere totals, page counts and `more` are made before what is withheld is left out."""
    with opened() as made:
        made.fresh()
        mixed = [malware(f"m{number}", GREEN if number % 3 == 0 else RED) for number in range(9)]
        take(made.node, bundle(*mixed))
        work(made.node)
        answer = ask(made, "GET", "/api/collections/releases/objects/?match[type]=malware&limit=3")
        given = orjson.loads(answer.body)
        assert len(given["objects"]) == 3
        assert given.keys() == {"objects"}, "there are no more"
        (extension,) = given["objects"][-1]["extensions"].values()
        assert extension["checkpoint"].split("\n")[1] == "3", "the log has three entries"
        assert extension["inclusion"]["index"] == 2
        assert b"total" not in answer.body


def test_a_late_restriction_is_not_seen_as_made_and_then_deleted(two: list[Node]) -> None:
    """Elsewhere members see an object appear, and then an event that it was deleted.

    Who has read it is told of a recall: `test_recall.py`.
    """
    gbr = two[0]
    take(gbr, bundle(malware("Heron", GREEN)))
    work(gbr)
    restricted = malware("Heron", RED, modified="2026-04-01T00:00:00.000Z")
    take(gbr, bundle(restricted))
    work(gbr)
    assert page_of(gbr, "USA") == [], "it has read nothing, and there is nothing"
    # Restricted before it was ever given: as though it had never been there.
    take(gbr, bundle(malware("Otter", GREEN), malware("Otter", RED, modified="2026-04-01T00:00:00.000Z")))
    suspend(gbr, "USA", Scope(), officer=OFFICERS[0], reason="Example.")
    work(gbr)
    assert page_of(gbr, "USA") == []


def test_a_changed_marking_takes_the_place_of_the_old_one(two: list[Node]) -> None:
    """Elsewhere the new marking is added, and the old one stays beside it."""
    gbr, usa, _ = two
    for mark, day in ((AMBER, "03"), (GREEN, "04")):
        take(gbr, bundle(malware("Heron", mark, modified=f"2026-{day}-01T00:00:00.000Z")))
        work(gbr)
    receive(usa, "GBR", page(gbr, usa))
    given = [item for item in seen(gbr) if item["type"] == "malware"]
    assert [item["object_marking_refs"] for item in given] == [[GREEN]], "nobody had read the old one"
    reaches = {each.product.version: label_of(each.product.label).reach.name for each in held(usa)}
    assert reaches == {"2026-04-01T00:00:00.000Z": "GREEN"}


def label_of(own: Any) -> Label:
    assert isinstance(own, Label)
    return own


def test_nobody_deletes_what_is_not_theirs_and_relationships_are_no_exception() -> None:
    """Elsewhere deletions are applied where they are switched off, or forget relationships."""
    with opened() as made:
        made.fresh()
        a, b = malware("Heron", GREEN), malware("Otter", GREEN)
        take(made.node, bundle(a, b, link(a, b)))
        work(made.node)
        for kind, item in (("malware", a), ("relationship", link(a, b))):
            where = f"/api/collections/releases/objects/{item['id']}/"
            assert ask(made, "DELETE", where).status == 403, kind
            assert ask(made, "GET", where).status == 200, kind
        posted = [malware("theirs", GREEN), link(a, b)]
        ask(made, "POST", "/api/collections/inbox/objects/", {"objects": posted})
        take_inbox(made.node)
        count = len(held(made.node))
        for item in posted:
            where = f"/api/collections/inbox/objects/{item['id']}/"
            assert ask(made, "DELETE", where).status == 200
            assert ask(made, "GET", where).status == 404
        take_inbox(made.node)
        assert len(held(made.node)) == count, "what was taken in is the node's to keep or to recall"


def test_an_empty_group_is_nobody(two: list[Node]) -> None:
    """Elsewhere a list of recipients that comes out empty means that there is no restriction."""
    gbr = two[0]
    nobody = Label(release=frozenset(), display=frozenset())
    for partner in gbr.partners.values():
        assert not label.may(nobody, Recipient(party=partner.party, clearance=partner.clearance))
    take(gbr, bundle(malware("Heron", GREEN)))
    (product,) = [each.product for each in held(gbr)]
    closed = msgspec.structs.replace(product, label=nobody)
    outcomes = gate_consider(closed, list(gbr.partners.values()), gbr.rules, gbr.clock())
    assert all(isinstance(outcome, Withhold) for outcome in outcomes.values())
    assert gate_consider(product, [], gbr.rules, gbr.clock()) == {}
    # An agreement whose coalition had no members on the product's day permits nobody.
    ancient = msgspec.structs.replace(product, created=product.created.replace(year=1900))
    outcomes = gate_consider(ancient, list(gbr.partners.values()), gbr.rules, gbr.clock())
    assert all(isinstance(outcome, Withhold) for outcome in outcomes.values())
    # And a suspension that names nothing in particular stops everything.
    suspend(gbr, "USA", Scope(), officer=OFFICERS[0], reason="Example.")
    work(gbr)
    assert {kind for party, kind, _ in codes(gbr) if party == "USA"} == {"withhold"}


def test_members_are_not_told_the_group_or_who_is_in_it(two: list[Node]) -> None:
    """Elsewhere each member sees the name of the sharing group, and all organisations in it."""
    gbr = two[0]
    take(gbr, REPORT.encode())
    take(gbr, bundle(malware("Heron", GREEN)))
    work(gbr)
    assert len(seen(gbr)) == 2
    everything = b"".join(page_of(gbr, "USA")).decode()
    for word in ("FVEY", "CAN", "AUS", "NZL", "Desk CAN", "five-eyes"):
        assert word not in everything, word


def test_what_is_cut_is_still_whole(two: list[Node]) -> None:
    """Elsewhere a reference is blanked, and the client's parser fails on the object, or on all of them."""
    gbr = two[0]
    heron, gone = thing("malware", "Heron", sample_refs=[_file(1)["id"], _file(2)["id"]]), SECRET["id"]
    items = [
        SECRET,
        heron,
        _file(1),
        thing("report", "r", published="2026-03-01T00:00:00Z", object_refs=[gone]),
        thing("grouping", "g", context="unspecified", object_refs=[gone, heron["id"]]),
        thing("note", "n", content="x", object_refs=[heron["id"], gone]),
        thing("opinion", "o", opinion="agree", object_refs=[gone]),
        thing("sighting", "s", sighting_of_ref=heron["id"], where_sighted_refs=[_identity()["id"]]),
        thing("infrastructure", "i", created_by_ref=_identity()["id"]),
        _traffic(1, src_ref=_address(1)["id"], dst_ref=_address(2)["id"]),
        _traffic(2, src_ref=_address(2)["id"]),
        _address(1),
    ]
    take(gbr, bundle(*items), "TLP:GREEN")
    work(gbr)
    later(gbr)
    for item in page(gbr, two[1]):
        stix2.parse(item, allow_custom=False)
    given = {item["id"]: item for item in seen(gbr)}
    waits = {items[6]["id"], items[10]["id"], SECRET["id"]}
    assert set(given) == {item["id"] for item in items} - waits
    assert given[heron["id"]]["sample_refs"] == [_file(1)["id"]]
    assert given[items[3]["id"]]["object_refs"] == [gbr.identity.id]
    assert "where_sighted_refs" not in given[items[7]["id"]]
    assert "dst_ref" not in given[items[9]["id"]]


def _file(number: int) -> dict[str, Any]:
    return _observable("file", number, name=f"a{number}.exe")


def _address(number: int) -> dict[str, Any]:
    return _observable("ipv4-addr", number, value=f"192.0.2.{number}")


def _traffic(number: int, **more: Any) -> dict[str, Any]:
    return _observable("network-traffic", number, protocols=["tcp"], **more)


def _identity() -> dict[str, Any]:
    return thing("identity", "Nobody", identity_class="organization")


def _observable(kind: str, number: int, **more: Any) -> dict[str, Any]:
    ident = f"{kind}--00000000-0000-4000-8000-{number:012}"
    return {"type": kind, "spec_version": "2.1", "id": ident} | more


def test_a_poll_with_nothing_new_costs_the_same_however_much_there_is(two: list[Node]) -> None:
    """Elsewhere a poll walks through everything that was ever shared, for hours."""
    gbr, costs = two[0], []
    for size in (20, 4_000):
        items = [
            Item(f"{size} {number}", each["id"], "malware", each["modified"], "2.1", b"{}")
            for number in range(size)
            for each in [malware(f"{size} {number}", GREEN)]
        ]
        view = gbr.view("USA")
        with view.begin() as writer:
            last = writer.add(OUT, items, gbr.clock())
        assert len(last) == size
        end = view.page(OUT, EVERYTHING, after=-1, limit=10_000).last
        steps: list[int] = []
        with view._borrowed() as db:
            db.set_progress_handler(partial(_count, steps), 1)
            for match in (EVERYTHING, type(EVERYTHING)(), type(EVERYTHING)(types=("malware",))):
                assert pages.objects(db, OUT, match, end, 100).items == []
                assert pages.manifest(db, OUT, match, end, 100).items == []
            db.set_progress_handler(None, 0)
        costs.append(len(steps))
    assert 0 < costs[1] <= costs[0] * 1.2, costs
    assert hand_over(gbr) == 0


def _count(steps: list[int]) -> None:
    steps.append(1)


def test_unsigned_support_from_a_partner_is_no_product(two: list[Node]) -> None:
    """What only comes along with releases (the giver's own identity) is not held, nor quarantined."""
    gbr, usa, _ = two
    take(gbr, bundle(malware("Heron", GREEN)))
    work(gbr)
    for item in page(gbr, usa):
        if is_release(item) or "modified" in item:
            add_to_inbox(usa, "GBR", item)
    take_inbox(usa)
    assert [each.product.id for each in held(usa)] == [malware("Heron")["id"]]
