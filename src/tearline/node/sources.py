"""The node's side of the vault: asking it, and putting every act on it on the ledger.

A serving node only asks (`ask_vault`): whole texts go to the vault's process, hits come back. The other
functions are for an officer's command, which unlocks the file itself and then ends, and three of
them (`show_source`, `retire_source`, `oblige_source`) for the officers' desk; no process that serves partners
calls them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from tearline.adapters import store
from tearline.adapters.home import PARTY
from tearline.adapters.vault import VaultClient, VaultFile
from tearline.ledger import Act
from tearline.node.opened import Node
from tearline.terms import BadInput, Refused
from tearline.vault import (
    Mark,
    Obligations,
    Opened,
    Passphrase,
    Register,
    Source,
    Unlock,
    make,
    mark,
    oblige,
    unseal,
)

Told = tuple[Act, dict[str, Any]]
"""An act and what the ledger tells of it: cryptonyms, never an identity."""
Edit = Callable[[Opened], tuple[Register, Sequence[Told]]]
"""What a change makes of the register, and the acts that it is."""


def ask_vault(node: Node, *, timeout: float = 30.0) -> VaultClient:
    """A client of this node's vault. While it raises, nothing may go out (law 1)."""
    return node.vault(timeout)


def has_vault(node: Node) -> bool:
    """Whether this node was ever given a vault: from then on nothing goes unscanned."""
    return vault_mark(node) is not None or VaultFile(node.home.folder).exists()


def vault_mark(node: Node) -> Mark | None:
    """The newest state of the vault's file that the ledger tells of."""
    with node.reading() as db:
        state = store.vault_state(db)
    return None if state is None else Mark(*state)


def make_vault(node: Node, passphrase: Passphrase, by: str) -> None:
    """An empty vault. Raises `Refused` where there is one, or was one by the ledger."""
    file = VaultFile(node.home.folder)
    with file.locked():
        if has_vault(node):
            raise Refused("this node has a vault already")
        opened = make(passphrase, secrets.token_bytes)
        _save(node, file, opened.sealed(Register(), secrets.token_bytes), [], by)


def open_vault(node: Node, unlock: Unlock, by: str) -> Opened:
    """The vault, open: for an officer's command or the vault's process, never for one that serves partners.

    A wrong passphrase is put on the ledger. Raises as `VaultFile.settle` and `vault.unseal` do.
    """
    file = VaultFile(node.home.folder)
    with file.locked():
        return _opened(node, file, unlock, by)


def serve_vault(node: Node, unlock: Unlock, by: str) -> Opened:
    """`open_vault` for the vault's process: that it was opened is on the ledger before it answers."""
    opened = open_vault(node, unlock, by)
    with node.writing():
        node.record(Act.VAULT_OPENED, {"version": opened.header.version, "by": by})
    return opened


def unlocking(passphrase: str) -> Unlock:
    """What unlocks the vault with what was typed."""
    return Passphrase(passphrase)


def show_source(node: Node, unlock: Unlock, cryptonym: str, by: str, why: str = "") -> Source:
    """One source with its identities. That it was shown, and to whom, is on the ledger before it is."""
    source = open_vault(node, unlock, by).register.find(cryptonym)
    with node.writing():
        reason = {"why": why} if why else {}
        node.record(Act.SOURCE_SHOWN, {"source": cryptonym, "by": by} | reason)
    return source


def retire_source(node: Node, unlock: Unlock, cryptonym: str, by: str) -> None:
    """Mark a source as no longer reporting. Its identity stays protected, and scanned for, for ever."""
    told: list[Told] = [(Act.SOURCE_RETIRED, {"source": cryptonym})]
    change_vault(node, unlock, by, lambda opened: (opened.register.retire(cryptonym), told))


def oblige_source(node: Node, unlock: Unlock, cryptonym: str, changes: Mapping[str, Any], by: str) -> None:
    """Change what a source is owed: fields of `Obligations`; those that are not named stay.

    Raises `BadInput` where one cannot be, `Refused` where an identity is found in the texts.
    """

    def edit(opened: Opened) -> tuple[Register, list[Told]]:
        held = opened.register.find(cryptonym).obligations
        try:
            owed = msgspec.convert(msgspec.to_builtins(held) | msgspec.to_builtins(changes), Obligations)
        except msgspec.ValidationError as error:  # of its text only the place: the rest could be anything
            place = str(error).partition("$.")[2].rstrip("`")
            raise BadInput("obligations", place, "it cannot be read") from None
        if any(PARTY.fullmatch(code) is None for code in owed.forbidden):
            raise BadInput("obligations", "forbidden", "one is no organisation's code", "such as USA")
        made = oblige(opened.register, cryptonym, owed, key=opened.index_key)
        return made, [(Act.SOURCE_OBLIGED, {"source": cryptonym})]

    change_vault(node, unlock, by, edit)


def change_vault(node: Node, unlock: Unlock, by: str, edit: Edit) -> None:
    """Change the register: on disk, then on the ledger, then in force."""
    file = VaultFile(node.home.folder)
    with file.locked():
        opened = _opened(node, file, unlock, by)
        register, told = edit(opened)
        _save(node, file, opened.sealed(register, secrets.token_bytes), told, by)


def change_passphrase(node: Node, unlock: Unlock, new: Passphrase, by: str) -> None:
    """Wrap the data key anew. A vault that is being served stays open."""
    file = VaultFile(node.home.folder)
    with file.locked():
        opened = _opened(node, file, unlock, by)
        data = opened.sealed(opened.register, secrets.token_bytes, new=new)
        _save(node, file, data, [(Act.PASSPHRASE_CHANGED, {})], by)


def restore_vault(node: Node, backup: bytes, unlock: Unlock, by: str) -> None:
    """Put a kept copy of the vault's file in force, as a state newer than any that the ledger tells of."""
    file = VaultFile(node.home.folder)
    with file.locked():
        recorded = vault_mark(node)
        opened = _unsealed(node, backup, unlock, by)
        after = recorded.version if recorded else 0
        data = opened.sealed(opened.register, secrets.token_bytes, after=after)
        _save(node, file, data, [(Act.VAULT_RESTORED, {"copy": mark(backup).sha256})], by)


def _opened(node: Node, file: VaultFile, unlock: Unlock, by: str) -> Opened:
    file.settle(vault_mark(node))
    return _unsealed(node, file.read(), unlock, by)


def _unsealed(node: Node, data: bytes, unlock: Unlock, by: str) -> Opened:
    try:
        return unseal(data, unlock)
    except Refused:
        with node.writing():
            node.record(Act.VAULT_REFUSED, {"by": by})
        raise


def _save(node: Node, file: VaultFile, data: bytes, told: Sequence[Told], by: str) -> None:
    state = file.prepare(data)
    with node.writing() as db:
        for act, body in told:
            node.record(act, {**body, "by": by})
        node.record(Act.VAULT_WRITTEN, {"version": state.version, "sha256": state.sha256, "by": by})
        store.put_vault_state(db, state.version, state.sha256)
    file.commit()
