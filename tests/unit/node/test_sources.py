"""The node's side of the vault: every state of its file is on the ledger, and is found there again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tearline.adapters import store
from tearline.adapters.vault import VaultFile
from tearline.ledger import Act
from tearline.node import Node, sources, verify_ledger
from tearline.node.sources import (
    ask_vault,
    change_vault,
    has_vault,
    make_vault,
    open_vault,
    restore_vault,
    serve_vault,
    show_source,
    vault_mark,
)
from tearline.terms import BadInput, Broken, Refused
from tearline.vault import Opened, Passphrase, mark
from tearline.vault import sealed as sealing
from tests.unit.node.world import entries, make
from tests.unit.vault.world import BOTH, CHEAP, TIBOR, WORDS

KEY, WRONG = Passphrase(WORDS), Passphrase("entirely wrong words")


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    monkeypatch.setattr(sealing, "COST", CHEAP)
    with make(tmp_path / "GBR", "GBR") as node:
        yield node


def put(_: Opened) -> tuple[sources.Register, list[sources.Told]]:
    return BOTH, [(Act.SOURCE_ADDED, {"source": name}) for name in BOTH.sources]


def test_a_node_without_a_vault(node: Node) -> None:
    assert not has_vault(node)
    assert vault_mark(node) is None
    with pytest.raises(BadInput, match="there is no vault"):
        open_vault(node, KEY, "pat")
    with pytest.raises(Refused, match="not open"):
        ask_vault(node).scan(["anything"])


def test_the_ledger_tells_of_the_newest_state(node: Node) -> None:
    make_vault(node, KEY, "pat")
    change_vault(node, KEY, "pat", put)
    assert vault_mark(node) == mark(VaultFile(node.home.folder).read())
    assert has_vault(node)
    assert not verify_ledger(node)[1]
    VaultFile(node.home.folder).path.unlink()
    assert has_vault(node), "what the ledger tells of was there"


def test_a_note_of_the_vault_that_was_changed_is_found(node: Node) -> None:
    make_vault(node, KEY, "pat")
    with node.writing() as db:
        store.put_vault_state(db, 1, "0" * 64)
    assert [
        "the vault's file is not noted as it was recorded" in str(each) for each in verify_ledger(node)[1]
    ]


def test_an_act_is_recorded_with_its_state_and_by_whom(node: Node) -> None:
    make_vault(node, KEY, "pat")
    change_vault(node, KEY, "kim", put)
    assert serve_vault(node, KEY, "sam").register == BOTH
    assert [one.body["by"] for one in entries(node, Act.VAULT_WRITTEN)] == ["pat", "kim"]
    assert [one.body for one in entries(node, Act.SOURCE_ADDED)] == [
        {"source": name, "by": "kim"} for name in BOTH.sources
    ]
    assert [one.body for one in entries(node, Act.VAULT_OPENED)] == [{"version": 2, "by": "sam"}]


def test_a_refused_change_changes_nothing(node: Node) -> None:
    make_vault(node, KEY, "pat")
    before = VaultFile(node.home.folder).read()

    def refuse(_: Opened) -> tuple[sources.Register, list[sources.Told]]:
        raise Refused("no")

    with pytest.raises(Refused, match="no"):
        change_vault(node, KEY, "pat", refuse)
    assert VaultFile(node.home.folder).read() == before
    assert len(entries(node, Act.VAULT_WRITTEN)) == 1


def test_a_wrong_passphrase_is_recorded(node: Node) -> None:
    make_vault(node, KEY, "pat")
    for act in (
        lambda: open_vault(node, WRONG, "kim"),
        lambda: show_source(node, WRONG, "MUTED-LADDER", "kim"),
        lambda: change_vault(node, WRONG, "kim", put),
        lambda: restore_vault(node, VaultFile(node.home.folder).read(), WRONG, "kim"),
    ):
        with pytest.raises(Refused, match="passphrase is wrong"):
            act()
    assert [one.body for one in entries(node, Act.VAULT_REFUSED)] == [{"by": "kim"}] * 4
    assert entries(node, Act.SOURCE_SHOWN) == []


def test_what_is_shown_is_recorded_first(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    make_vault(node, KEY, "pat")
    change_vault(node, KEY, "pat", put)
    assert show_source(node, KEY, "MUTED-LADDER", "kim") == TIBOR
    assert [one.body for one in entries(node, Act.SOURCE_SHOWN)] == [{"source": "MUTED-LADDER", "by": "kim"}]

    def full(*_: object) -> None:
        raise Broken("the disk is full")

    monkeypatch.setattr(Node, "record", full)
    with pytest.raises(Broken):
        show_source(node, KEY, "MUTED-LADDER", "kim")
