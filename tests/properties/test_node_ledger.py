"""Law 9: whatever a node did, its ledger tells of it; and what was changed afterwards is found."""

from __future__ import annotations

import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.ledger import Act
from tearline.node import (
    Card,
    Node,
    Terms,
    add_partner,
    consider,
    hand_over,
    quarantined,
    receive,
    releases_on_ledger,
    resolve,
    take_inbox,
    verify_ledger,
)
from tests.adoption import adopt
from tests.unit.node.world import (
    GREEN,
    RED,
    REPORT,
    TERMS,
    add_to_inbox,
    bundle,
    entries,
    five_eyes,
    held,
    malware,
    nodes,
    page,
    page_of,
    releases,
    take,
)

DENIAL = '@id("no") @reason("Example.") forbid (principal, action == Action::"release", resource);'
WHO = st.sampled_from(["GBR", "USA"])
names = st.sampled_from(["a", "b", "c"])
marks = st.sampled_from([(GREEN,), (RED,), (), ("marking-definition--1",)])
acts = st.one_of(
    st.tuples(st.just("take"), WHO, st.lists(st.tuples(names, marks, st.booleans()), min_size=1, max_size=3)),
    st.tuples(st.just("report"), WHO, st.sampled_from(["Velna", "Osk"])),
    st.tuples(st.just("consider"), WHO, st.none()),
    st.tuples(st.just("hand over"), WHO, st.none()),
    st.tuples(st.just("receive"), WHO, st.booleans()),
    st.tuples(st.just("resolve"), WHO, st.none()),
    st.tuples(st.just("inbox"), WHO, names),
    st.tuples(st.just("partner"), WHO, st.booleans()),
    st.tuples(st.just("agreement"), WHO, st.booleans()),
)


def do(one: Node, other: Node, act: str, what: Any) -> None:
    match act:
        case "take":
            items = [malware(name, *mark, is_family=family) for name, mark, family in what]
            take(one, bundle(*items, {"type": "malware"}))
        case "report":
            take(one, REPORT.replace("Velna", what).replace("//GBR", f"//{one.party}").encode())
        case "consider":
            consider(one)
        case "hand over":
            hand_over(one)
        case "receive":
            objects = page(other, one)
            if what and objects:
                objects[-1]["name"] = "changed"
            receive(one, other.party, objects)
        case "resolve":
            for ident, _, _ in quarantined(one)[:1]:
                resolve(one, ident, "TLP:GREEN")
        case "inbox":
            add_to_inbox(one, other.party, malware(what, GREEN))
            take_inbox(one)
        case "partner":
            add_partner(one, Card.of(other), TERMS if what else Terms())
        case "agreement":
            if one.agreements[0] != (wanted := five_eyes(DENIAL if what else "")):
                adopt(one, wanted)


def check(node: Node, partner: str) -> None:
    assert verify_ledger(node)[1] == []
    rows = releases(node)
    assert Counter(release for _, release, *_ in rows) == Counter(releases_on_ledger(node))
    taken = Counter(entry.body["product"] for entry in entries(node, Act.PRODUCT_TAKEN_IN))
    assert taken == Counter(item.product.id for item in held(node))
    delivered = [release for _, release, _, _, at in rows if at]
    with closing(sqlite3.connect(node.home.view(partner))) as view:
        query = 'SELECT release FROM "out" WHERE release IS NOT NULL'
        assert Counter(release for (release,) in view.execute(query)) == Counter(delivered)
    foreign = {item.seq for item in held(node) if item.product.originator != node.party}
    assert not foreign & {row[2] for row in rows}


@settings(max_examples=25, deadline=None)
@given(st.lists(acts, min_size=4, max_size=14))
def test_the_ledger_tells_of_every_act(done: list[tuple[str, str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder, nodes(Path(folder), "GBR", "USA") as made:
        by_party = {node.party: node for node in made}
        for act, who, what in done:
            other = by_party["USA" if who == "GBR" else "GBR"]
            do(by_party[who], other, act, what)
        check(made[0], "USA")
        check(made[1], "GBR")


CHANGES = [
    "UPDATE log_entry SET data = CAST(replace(CAST(data AS TEXT), 'GBR', 'USA') AS BLOB) WHERE seq = {n}",
    "DELETE FROM log_entry WHERE seq = {n}",
    "UPDATE product SET digest = '{n}' WHERE seq = 1 + {n} % 2",
    "DELETE FROM outbox WHERE seq = 1 + {n} % 2",
    "INSERT INTO outbox (partner, release_id, product, form, draft) VALUES ('USA', '{n}', 1, 'whole', x'')",
]


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with nodes(tmp_path_factory.mktemp("honest"), "GBR", "USA") as (gbr, usa):
        take(gbr, bundle(malware("a", GREEN), malware("b", GREEN)))
        consider(gbr)
        hand_over(gbr)
        assert page_of(gbr, usa.party)
        assert verify_ledger(gbr)[1] == []
        return gbr.home.folder


@settings(max_examples=30, deadline=None)
@given(change=st.sampled_from(CHANGES), number=st.integers(0, 7))
def test_what_is_changed_is_found(honest: Path, change: str, number: int) -> None:
    with Node.open(honest) as node, closing(sqlite3.connect(node.home.database)) as db:
        saved = sqlite3.connect(":memory:")
        db.backup(saved)
        try:
            with db:
                assert db.execute(change.format(n=number)).rowcount == 1
            assert verify_ledger(node)[1]
        finally:
            saved.backup(db)
            saved.close()
        assert verify_ledger(node)[1] == []
