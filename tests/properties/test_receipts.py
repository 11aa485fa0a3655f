"""Whatever happens between honest nodes, nobody is accused and all is receipted in the end.

Whoever goes on from an old copy of itself is found.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.adapters import store
from tearline.adapters.view import OUT
from tearline.agreement.suspension import Scope
from tearline.node import Node, hand_over, receive, suspend, verify_ledger
from tearline.node.partner_record import verify_partner
from tests.adoption import OFFICERS
from tests.unit.node.world import EVERYTHING, GREEN, REPORT, Clock, bundle, held, malware, nodes, take, work

MORE = 20 if os.environ.get("TEARLINE_LONG") else 1
PAIR = ("GBR", "USA")
who = st.sampled_from([0, 1])
acts = st.one_of(
    st.tuples(st.just("make"), who, st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=3)),
    st.tuples(st.just("report"), who, st.sampled_from(["Velna", "Osk", "Tirn"])),
    st.tuples(st.just("fetch"), who, st.randoms(use_true_random=False)),
    st.tuples(st.just("fetch"), who, st.none()),
    st.tuples(
        st.just("crash"),
        who,
        st.sampled_from(["add_message", "add_sightings", "add_receipt", "mark_delivered"]),
    ),
    st.tuples(st.just("suspend"), who, st.sampled_from(["category=cyber", "category=report", "all"])),
    st.tuples(st.just("resume"), who, st.none()),
)


def fetched(giver: Node, taker: Node) -> list[dict[str, Any]]:
    view = giver.view(taker.party)
    return [orjson.loads(body) for body in view.serve(OUT, EVERYTHING, after=-1, limit=10_000).items]


def do(one: Node, other: Node, act: str, what: Any) -> None:
    match act:
        case "make":
            take(one, bundle(*(malware(name + one.party, GREEN) for name in what)))
            work(one)
        case "report":
            take(one, REPORT.replace("Velna", what).replace("//GBR", f"//{one.party}").encode())
            work(one)
        case "fetch":
            objects = fetched(one, other)
            if what is not None:
                objects = [item for item in objects * 2 if what.random() < 0.6]
                what.shuffle(objects)
            receive(other, one.party, objects)
        case "crash":
            with pytest.MonkeyPatch.context() as patch:

                def failing(*_: object, **__: object) -> None:
                    raise MemoryError

                patch.setattr(store, what, failing)
                with suppress(MemoryError):
                    hand_over(one)
                with suppress(MemoryError):
                    receive(one, other.party, fetched(other, one))
        case "suspend":
            until = one.clock() + timedelta(hours=1)
            scope = Scope.read(what)
            suspend.suspend(one, other.party, scope, officer=OFFICERS[0], reason="Example.", until=until)
        case "resume":
            one.clock.now += timedelta(hours=2)  # type: ignore[attr-defined]
            suspend.end_due(one)
            work(one)


@settings(max_examples=12 * MORE, deadline=None)
@given(st.lists(acts, min_size=3, max_size=14))
def test_honest_nodes_are_never_accused(done: list[tuple[str, int, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder, nodes(Path(folder), *PAIR) as made:
        for act, whose, what in done:
            do(made[whose], made[1 - whose], act, what)
            for node in made:
                node.refresh()
                assert node.forked == frozenset()
        for node in made:  # all suspensions end, and all that is there arrives
            do(node, node, "resume", None)
        for _ in range(4):
            for one, other in (made, made[::-1]):
                work(one)
                receive(other, one.party, fetched(one, other))
        for one, other in (made, made[::-1]):
            assert verify_ledger(one)[1] == []
            record = verify_partner(one, other.party)
            assert (record.differences, record.open) == ([], [])
            assert record.given.receipted == record.given.releases
            assert record.taken.receipted == record.taken.releases
            assert record.given.releases == verify_partner(other, one.party).taken.releases


@settings(max_examples=10 * MORE, deadline=None)
@given(
    before=st.lists(acts, max_size=6),
    truth=st.lists(st.sampled_from("klmn"), min_size=1, max_size=4, unique=True),
    lie=st.lists(st.sampled_from("stuv"), min_size=1, max_size=4, unique=True),
    at_once=st.booleans(),
    order=st.randoms(use_true_random=False),
)
def test_who_goes_on_from_a_copy_is_found(
    before: list[tuple[str, int, Any]], truth: list[str], lie: list[str], at_once: bool, order: Any
) -> None:
    with tempfile.TemporaryDirectory() as folder, nodes(Path(folder), *PAIR) as (gbr, usa):
        for act, whose, what in before:
            do((gbr, usa)[whose], (usa, gbr)[whose], act, what)
        do(gbr, gbr, "resume", None)
        shutil.copytree(gbr.home.folder, Path(folder) / "copy")
        with Node.open(Path(folder) / "copy") as copy:
            copy.clock = Clock()
            copy.clock.now = gbr.clock() + timedelta(minutes=1)
            for node, names in ((gbr, truth), (copy, lie)):
                for some in [names] if at_once else names:
                    do(node, usa, "make", some)
            told, lied = fetched(gbr, usa), fetched(copy, usa)
            order.shuffle(told)
            receive(usa, "GBR", told)
            usa.refresh()
            assert usa.forked == frozenset()
            order.shuffle(lied)
            receive(usa, "GBR", lied)
            usa.refresh()
            assert usa.forked == {"GBR"}
            before_it = {item.product.title for item in held(usa)}
            receive(usa, "GBR", lied)
            assert {item.product.title for item in held(usa)} == before_it
            assert {finding.kind for finding in verify_partner(usa, "GBR").differences} == {"fork"}
            assert verify_ledger(usa)[1] == []
