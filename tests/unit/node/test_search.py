"""Searching what a node holds: the index is as `node.db` is, and source lines are not in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from tearline.adapters import store
from tearline.adapters.search import Search
from tearline.cli import main
from tearline.node import Node, resolve, search
from tearline.node.search import Asked
from tearline.terms import Category, Region, Topic
from tests.unit.node.world import GREEN, REPORT, bundle, malware, nodes, take


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with nodes(tmp_path, "GBR", "USA") as (made, _):
        take(made, REPORT.encode())
        take(made, bundle(malware("Kettle", GREEN, description="Sold at Osk."), malware("Teapot", GREEN)))
        yield made


def titles(node: Node, words: str = "", **more: object) -> list[str]:
    found = search.search(node, Asked(words=words, newest=True, **more))  # type: ignore[arg-type]
    return ["".join(piece.text for piece in hit.title) for hit in found.hits]


def test_products_are_found_by_words_marks_and_dates(node: Node) -> None:
    assert titles(node) == ["Teapot", "Kettle", "Barges at Velna"]
    assert titles(node, "barges") == ["Barges at Velna"]
    assert titles(node, "osk") == ["Kettle"]
    assert titles(node, topic=Topic.MARITIME, region=Region.EASTERN_EUROPE) == ["Barges at Velna"]
    assert titles(node, category=Category.CYBER) == ["Teapot", "Kettle"]
    assert titles(node, since=date(2026, 10, 2), until=date(2026, 10, 2)) == ["Barges at Velna"]
    assert titles(node, level="GBR SECRET") == ["Barges at Velna"]
    assert titles(node, tlp="GREEN") == ["Teapot", "Kettle"]
    assert titles(node, rel=search.EVERYONE) == ["Teapot", "Kettle"]
    facets = search.search(node, Asked()).facets
    assert facets["category"] == (("cyber", 2), ("report", 1))
    assert ("GBR", 3) in facets["originator"]


def test_source_lines_are_not_found(node: Node) -> None:
    assert titles(node, "barges lay")
    assert not titles(node, "pilot")
    assert b"harbour pilot" not in (node.home.folder / "search.db").read_bytes()


def test_what_came_since_is_found_and_nothing_is_read_twice(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not titles(node, "samovar")
    put: list[int] = []
    before = Search.put
    monkeypatch.setattr(Search, "put", lambda self, some: (put.append(len(some)), before(self, some))[1])
    take(node, bundle(malware("Samovar", GREEN)))
    assert titles(node, "samovar") == ["Samovar"]
    assert titles(node, "samovar") == ["Samovar"]
    assert put == [1]


def test_what_left_quarantine_is_found_as_it_is_now(node: Node) -> None:
    take(node, REPORT.replace("//GBR SECRET", "//GBR SECRE").replace("Velna", "Tarn").encode())
    found = search.search(node, Asked(words="tarn"))
    (hit,) = found.hits
    assert hit.in_quarantine
    assert found.facets["level"] == (("quarantine", 1),)
    resolve(node, hit.product, "//GBR SECRET")
    found = search.search(node, Asked(words="tarn"))
    assert not found.hits[0].in_quarantine
    assert found.facets["level"] == (("GBR SECRET", 1),)


def test_an_index_that_is_ahead_is_made_anew(node: Node) -> None:
    """A crash of the machine may take back from `node.db` what the index has read."""
    assert len(titles(node)) == 3
    with node.reading() as db:
        last = store.newest_product(db)
    index = Search(node.home.folder / "search.db")
    with index._engine.begin() as db:
        db.exec_driver_sql("UPDATE item SET digest = 'x' WHERE seq = ?", (last,))
        db.exec_driver_sql("UPDATE text SET title = 'Gone' WHERE rowid = ?", (last,))
    index.close()
    assert titles(node) == ["Teapot", "Kettle", "Barges at Velna"]


def test_the_command_finds_the_same(node: Node) -> None:
    said = ["--home", str(node.home.folder), "search"]
    asked = CliRunner().invoke(
        main, [*said, "barges", "--topic", "maritime", "--from", "2026-01-01", "--json"]
    )
    answer = json.loads(asked.output)
    assert (answer["total"], answer["hits"][0]["originator"]) == (1, "GBR")
    assert "1 to 3 of 3." in CliRunner().invoke(main, said).output
    assert "Nothing was found." in CliRunner().invoke(main, [*said, "samovar"]).output
