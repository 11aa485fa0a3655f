"""A crash at any instant of a change leaves the vault as it was or as it was to be, and the ledger agrees."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tearline.adapters.home import Config
from tearline.adapters.vault import VaultFile
from tearline.ledger import Act
from tearline.node import Node, ledger_tail, verify_ledger
from tearline.node.sources import change_passphrase, change_vault, make_vault, open_vault, vault_mark
from tearline.terms import BadInput, Refused
from tearline.vault import Passphrase, Register, mark
from tearline.vault import sealed as sealing
from tests.unit.vault.world import CHEAP, TIBOR, WORDS, ZVENYSLAVA

OLD, NEW = Register().add([TIBOR]), Register().add([TIBOR, ZVENYSLAVA])
KEY, NEW_KEY = Passphrase(WORDS), Passphrase("another twelve")
FILE_STEPS = ("open", "fsync", "fdopen")
PATH_STEPS = ("replace", "unlink", "mkdir", "chmod")


class Crash(BaseException):
    """The machine stops here."""


class Steps:
    """Stops at the `last`-th step that touches the disk; a write is half done then."""

    def __init__(self, patch: pytest.MonkeyPatch, last: int) -> None:
        self.left, self.last, self.stopped = last, last, False
        for name in FILE_STEPS:
            patch.setattr(os, name, self._wrapped(getattr(os, name)))
        for name in PATH_STEPS:
            patch.setattr(Path, name, self._wrapped(getattr(Path, name)))
        patch.setattr(Node, "record", self._wrapped(Node.record))

    def _wrapped(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            self.count()
            done = real(*arguments, **named)
            if hasattr(done, "write"):
                done = Torn(done, self)
            else:
                self.count()
            return done

        return step

    def count(self) -> None:
        self.left -= 1
        if self.left <= 0:
            self.stopped = True
            raise Crash


class Torn:
    """A file whose write can stop half way."""

    def __init__(self, file: Any, steps: Steps) -> None:
        self.file, self.steps = file, steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def __enter__(self) -> Torn:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def write(self, data: bytes) -> None:
        self.file.write(data[: len(data) // 2])
        self.file.flush()
        self.steps.count()
        self.file.write(data[len(data) // 2 :])


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    monkeypatch.setattr(sealing, "COST", CHEAP)
    return Node.create(tmp_path / "GBR", Config(party="GBR", name="Desk GBR"))


def crashed(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any], last: int) -> bool:
    """Whether the machine stopped in the middle of `act`."""
    with monkeypatch.context() as patch:
        steps = Steps(patch, last)
        with suppress(Crash):
            act()
        return steps.stopped


def reopened(node: Node, key: Passphrase = KEY) -> Register:
    """The register after a restart; the ledger must tell of this very file."""
    with Node.open(node.home.folder) as again:
        register = open_vault(again, key, "pat").register
        assert vault_mark(again) == mark(VaultFile(node.home.folder).read())
        assert verify_ledger(again)[1] == []
    left = {path.name for path in VaultFile(node.home.folder).folder.iterdir()}
    assert left == {"lock", "sources.vault"}
    return register


def told(node: Node) -> list[Act]:
    return [entry.act for _, entry in ledger_tail(node, 1_000)]


def test_a_change(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    make_vault(node, KEY, "pat")
    change_vault(node, KEY, "pat", lambda _: (OLD, []))
    seen = set()
    for last in range(1, 200):

        def edit(_: object) -> tuple[Register, list[tuple[Act, dict[str, Any]]]]:
            return NEW, [(Act.SOURCE_ADDED, {"source": "OBLONG-KETTLE"})]

        before = told(node).count(Act.SOURCE_ADDED)
        stopped = crashed(monkeypatch, lambda: change_vault(node, KEY, "pat", edit), last)
        after = reopened(node)
        assert after in (OLD, NEW)
        assert (after == NEW) == (told(node).count(Act.SOURCE_ADDED) == before + 1)
        seen.add((stopped, after == NEW))
        if not stopped:
            assert after == NEW
            break
        change_vault(node, KEY, "pat", lambda _: (OLD, []))
    assert seen == {(True, False), (True, True), (False, True)}
    assert last > 12


def test_a_new_passphrase(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    make_vault(node, KEY, "pat")
    change_vault(node, KEY, "pat", lambda _: (OLD, []))
    for last in range(1, 200):
        stopped = crashed(monkeypatch, lambda: change_passphrase(node, KEY, NEW_KEY, "pat"), last)
        opened = []
        for key in (KEY, NEW_KEY):
            with suppress(Refused):
                assert reopened(node, key) == OLD
                opened.append(key)
        assert len(opened) == 1
        if not stopped:
            assert opened == [NEW_KEY]
            return
        if opened == [NEW_KEY]:
            change_passphrase(node, NEW_KEY, KEY, "pat")
    pytest.fail("the change never came to its end")


def test_making_a_vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "COST", CHEAP)
    for last in range(1, 200):
        folder = tmp_path / str(last)
        with Node.create(folder, Config(party="GBR", name="Desk GBR")) as node:
            stopped = crashed(monkeypatch, lambda: make_vault(node, KEY, "pat"), last)
            try:
                assert reopened(node) == Register()
            except BadInput:  # there is none
                assert stopped
                make_vault(node, KEY, "pat")
                assert reopened(node) == Register()
        if not stopped:
            return
    pytest.fail("the making never came to its end")
