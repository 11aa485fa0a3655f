"""Unknown persons are flagged after the gate's answer, change nothing, and leave no name anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tearline.node import Node, consider, persons
from tests.unit.node.world import REPORT, entries, nodes, state, take, work


class Velnas:
    """Takes the word Velna for a person."""

    def persons(self, text: str, language: str) -> Iterable[tuple[int, int]]:
        at = text.find("Velna")
        return [(at, at + 5)] if at >= 0 else []


def flag(node: Node, recogniser: Velnas | Faulty) -> int:
    products = persons.waiting(node)
    assert persons.keep(node, products, persons.look(products, recogniser))
    return len(products)


class Faulty:
    def persons(self, text: str, language: str) -> Iterable[tuple[int, int]]:
        raise ValueError(text)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with nodes(tmp_path, "GBR", "USA") as (made, _):
        take(made, REPORT.encode())
        yield made


def test_only_what_was_considered_is_looked_through_and_once(node: Node) -> None:
    assert flag(node, Velnas()) == 0
    consider(node)
    assert flag(node, Velnas()) == 1
    assert flag(node, Velnas()) == 0
    ((product, spans),) = persons.flagged(node, 10)
    texts = persons.texts_of(product)
    assert [texts[portion][start:end] for portion, start, end in spans] == ["Velna", "Velna"]
    assert persons.count(node) == 1


def test_nothing_else_changes_and_the_ledger_tells_nothing(node: Node) -> None:
    work(node)
    before = entries(node), state(node)
    flag(node, Velnas())
    assert (entries(node), state(node)) == before


def test_while_the_vault_is_shut_they_wait(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    consider(node)

    def shut(guard: persons.Guard, texts: object) -> None:
        raise persons.VaultShut("the vault is shut")

    products = persons.waiting(node)
    with monkeypatch.context() as patch:
        patch.setattr(persons.Guard, "hits", shut)
        assert not persons.keep(node, products, persons.look(products, Velnas()))
    assert persons.waiting(node) == products


def test_a_recogniser_that_fails_disturbs_nothing(node: Node) -> None:
    consider(node)
    assert flag(node, Faulty()) == 1
    assert persons.count(node) == 0


def test_whom_the_vault_knows_is_not_flagged(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    consider(node)

    class Hit:
        start, end = 0, 999

    monkeypatch.setattr(persons.Guard, "hits", lambda guard, texts: [(Hit(),) for _ in texts])
    assert flag(node, Velnas()) == 1
    assert persons.count(node) == 0
