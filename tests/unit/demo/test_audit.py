"""The audit at the end of the demo finds what it says it looks for."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tearline.demo.audit import audit
from tearline.node import receive
from tests.unit.node.world import GREEN, REPORT, bundle, make, malware, nodes, page, take, work

Homes = dict[str, Path]


@pytest.fixture
def homes(tmp_path: Path) -> Homes:
    """GBR has given USA a malware object whole and a report as a tearline."""
    with nodes(tmp_path, "GBR", "USA") as (gbr, usa):
        take(gbr, bundle(malware("a", GREEN)))
        take(gbr, REPORT.encode())
        work(gbr)
        receive(usa, "GBR", page(gbr, usa))
        work(usa)
    return {"GBR": tmp_path / "GBR", "USA": tmp_path / "USA"}


def change(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        assert db.execute(statement, values).rowcount > 0


def make_third(folder: Path) -> Path:
    make(folder / "AUS", "AUS").close()
    return folder / "AUS"


def test_when_the_laws_held_it_finds_nothing(homes: Homes) -> None:
    assert audit(homes) == []


def lost_at_the_taker(homes: Homes) -> None:
    change(homes["USA"] / "node.db", "DELETE FROM received WHERE object_id LIKE 'malware--%'")


def never_delivered(homes: Homes) -> None:
    change(homes["GBR"] / "node.db", "UPDATE outbox SET delivered_at = NULL WHERE form = 'tearline'")


def released_without_a_ledger_entry(homes: Homes) -> None:
    change(homes["GBR"] / "node.db", "UPDATE outbox SET release_id = 'other' WHERE form = 'tearline'")


def a_changed_ledger(homes: Homes) -> None:
    change(homes["GBR"] / "node.db", "UPDATE log_entry SET data = x'7b7d' WHERE seq = 1")


def a_source_line_in_the_view(homes: Homes) -> None:
    body = b'{"description":"A harbour pilot with direct access."}'
    change(homes["GBR"] / "views" / "USA.db", 'UPDATE "out" SET body = ? WHERE id LIKE ?', body, "report--%")


def a_marking_that_names_another(homes: Homes) -> None:
    body = b'{"type":"marking-definition","text":"SECRET//REL TO USA, AUS"}'
    change(
        homes["GBR"] / "views" / "USA.db", 'UPDATE "out" SET body = ? WHERE id LIKE ?', body, "identity--%"
    )


def whole_against_the_label(homes: Homes) -> None:
    change(homes["GBR"] / "node.db", "UPDATE outbox SET form = 'whole' WHERE form = 'tearline'")


def another_s_product_passed_on(homes: Homes) -> None:
    change(
        homes["USA"] / "node.db",
        "INSERT INTO outbox (partner, release_id, product, form, draft, delivered_at) "
        "SELECT 'GBR', 'onward', seq, 'whole', x'', 'now' FROM product LIMIT 1",
    )


@pytest.mark.parametrize(
    ("breach", "law"),
    [
        (whole_against_the_label, "law 1"),
        (a_source_line_in_the_view, "law 2"),
        (another_s_product_passed_on, "law 4"),
        (a_marking_that_names_another, "law 5"),
        (lost_at_the_taker, "law 8"),
        (never_delivered, "law 8"),
        (released_without_a_ledger_entry, "law 9"),
        (a_changed_ledger, "law 9"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_each_breach_is_found(
    homes: Homes, tmp_path: Path, breach: Callable[[Homes], None], law: str
) -> None:
    breach(homes)
    homes = homes | {"AUS": make_third(tmp_path)}
    assert any(sentence.startswith(law) for sentence in audit(homes))
