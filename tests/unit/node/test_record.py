from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tearline.ledger import Act
from tearline.node import (
    Node,
    checkpoint,
    ledger_tail,
    progress,
    receive,
    releases_on_ledger,
    tally,
    verify_ledger,
)
from tests.unit.node.world import GREEN, bundle, entries, malware, nodes, page, releases, take, work


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA") as made:
        take(made[0], bundle(malware("a", GREEN), malware("b", GREEN), malware("c")))
        work(made[0])
        receive(made[1], "GBR", page(*made))
        yield made


def test_an_honest_record_is_clean(pair: list[Node]) -> None:
    for node in pair:
        sizes, findings = verify_ledger(node, [checkpoint(node)])
        assert findings == []
        assert sizes[f"{node.party}/ledger"] == len(entries(node))


def test_the_tail_is_the_newest_in_order(pair: list[Node]) -> None:
    every = ledger_tail(pair[0], 1000)
    assert [number for number, _ in every] == list(range(len(every)))
    assert every[0][1].act is Act.NODE_CREATED
    assert ledger_tail(pair[0], 3) == every[-3:]


def test_progress_counts_ones_own_products(pair: list[Node]) -> None:
    gbr, usa = map(progress, pair)
    assert (gbr.products, gbr.considered, gbr.released, gbr.delivered, gbr.received) == (3, 3, 2, 2, 0)
    assert (usa.products, usa.considered, usa.released, usa.delivered, usa.received) == (0, 0, 0, 0, 2)
    work(pair[1])
    assert sum(count for *_, count in tally(pair[1])) == 2
    assert tally(pair[1], own=True) == []


def test_the_ledger_names_every_release(pair: list[Node]) -> None:
    assert releases_on_ledger(pair[0]) == {release for _, release, *_ in releases(pair[0])}


NODE_DB = [
    "UPDATE log_entry SET data = replace(data, 'product-taken-in', 'partner-added') WHERE seq = 3",
    "UPDATE log_entry SET data = x'00' WHERE seq = 3",
    "DELETE FROM log_entry WHERE seq = (SELECT max(seq) FROM log_entry)",
    'UPDATE product SET body = replace(body, \'"title":"a"\', \'"title":"x"\')',
    "UPDATE product SET digest = (SELECT digest FROM product WHERE seq = 2) WHERE seq = 1",
    "DELETE FROM outbox WHERE seq = 1",
    "UPDATE outbox SET release_id = 'other' WHERE seq = 1",
    "INSERT INTO outbox (partner, release_id, product, form, draft) VALUES ('USA', 'new', 1, 'whole', x'')",
]
VIEW = [
    'DELETE FROM "out" WHERE release IS NOT NULL AND added = (SELECT max(added) FROM "out")',
    "UPDATE log_entry SET data = x'00' WHERE seq = 0",
    "DELETE FROM log_checkpoint",
]


@pytest.mark.parametrize(("where", "change"), [("node", c) for c in NODE_DB] + [("view", c) for c in VIEW])
def test_what_was_changed_is_found(pair: list[Node], where: str, change: str) -> None:
    gbr = pair[0]
    path = gbr.home.database if where == "node" else gbr.home.view("USA")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA foreign_keys = OFF")
        assert db.execute(change).rowcount > 0
    assert verify_ledger(gbr)[1], change


def test_a_view_that_is_gone_is_found(pair: list[Node]) -> None:
    folder = pair[0].home.folder
    pair[0].close()
    for path in (folder / "views").iterdir():
        path.unlink()
    with Node.open(folder) as again:
        assert "not in the view of USA" in str(verify_ledger(again)[1][0])


def test_an_entry_that_cannot_be_read_hides_no_other(pair: list[Node]) -> None:
    gbr = pair[0]
    with closing(sqlite3.connect(gbr.home.database)) as db, db:
        db.execute("UPDATE log_entry SET data = x'00' WHERE seq = 1")
    assert len(releases_on_ledger(gbr)) == 2


def test_a_ledger_cut_back_is_found_by_a_checkpoint_kept_elsewhere(pair: list[Node]) -> None:
    gbr = pair[0]
    kept = checkpoint(gbr)
    assert verify_ledger(gbr, [kept, "no note"])[1]
    with closing(sqlite3.connect(gbr.home.database)) as db, db:
        for table in ("log_entry", "log_node", "log_checkpoint", "product", "outbox", "outcome"):
            db.execute(f"DELETE FROM {table}")
    assert verify_ledger(gbr, [kept])[1]
