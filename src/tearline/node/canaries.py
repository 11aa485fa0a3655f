"""Officers' acts on canaries: they change the vault. The ledger knows them by id and product alone."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from tearline.adapters import store
from tearline.ledger import Act
from tearline.node.marks import key_of, may_mark, option_of
from tearline.node.opened import Node
from tearline.node.sources import Told, ask_vault, change_vault
from tearline.terms import BadInput, Party, Refused
from tearline.vault import Canary, Opened, Register, Unlock


def add_canary(
    node: Node,
    unlock: Unlock,
    product: str,
    options: Sequence[str],
    by_hand: Mapping[Party, int],
    by: str,
) -> Canary:
    """Tell a detail of a product to each recipient in another way from now on.

    `options`: the phrase as it stands in the text, and its alternatives. The product may be one that is not
    taken in yet; whoever has its newest version keeps that copy (`too_late_for`). Raises `Refused` where
    texts are not marked here, or not this one; `BadInput` where the phrase does not stand in the newest
    version of the product.
    """
    if not node.home.config.marks.text:
        raise Refused("texts are not marked here: set `text = true` under [marks] in node.toml")
    with node.reading() as db:
        held = [each.product for each in store.versions_of(db, product)]
    for newest in [each for each in held if each.originator == node.party][-1:]:
        if not may_mark(node, newest):
            raise Refused("only a report in words, which is this node's own alone, has canaries")
        texts = [portion.text for portion in newest.portions] or [newest.content.decode()]
        if not any(options[0] in text for text in texts):
            raise BadInput("--phrase", "", "it does not stand in the newest version of the product")
    canary = Canary(id=secrets.token_hex(6), product=product, options=tuple(options), by_hand=dict(by_hand))

    def edit(opened: Opened) -> tuple[Register, Sequence[Told]]:
        told = {"canary": canary.id, "product": product, "options": len(canary.options)}
        return opened.register.set_canary(canary), [(Act.CANARY_ADDED, told)]

    change_vault(node, unlock, by, edit)
    return canary


def remove_canary(node: Node, unlock: Unlock, name: str, by: str) -> None:
    """No later release has this canary. Those that were given keep theirs, and it is read no more.

    Raises `Refused` where there is none of this id.
    """

    def edit(opened: Opened) -> tuple[Register, Sequence[Told]]:
        return opened.register.drop_canary(name), [(Act.CANARY_REMOVED, {"canary": name})]

    change_vault(node, unlock, by, edit)


def canaries(node: Node, products: Sequence[str] = ()) -> list[Canary]:
    """Those of these products, or all, from the vault's process. Raises as `VaultClient` does."""
    with ask_vault(node) as vault:
        return list(vault.canaries(products))


def too_late_for(node: Node, canary: Canary) -> frozenset[Party]:
    """Who was given the newest version of the product without it, or is about to be: what was released is
    not changed. It is told in the next version."""
    with node.reading() as db:
        versions = [
            each for each in store.versions_of(db, canary.product) if each.product.originator == node.party
        ]
        if not versions:
            return frozenset()
        newest = versions[-1].seq
        forms = {form.id: form for form in store.forms_of(db, canary.product) if form.product == newest}
        told = {
            each.copy.partner
            for each in store.copies_of(db, list(forms))
            if any(
                said in canary.options and forms[each.copy.form].text[start:end] == canary.phrase
                for start, end, said in each.copy.dress
            )
        }
        return store.parties_given(db, newest) - told


def given(node: Node, canary: Canary) -> dict[Party, str]:
    """What each partner of today is told, or would be, in what is released from now on."""
    key = key_of(node)
    return {party: canary.options[option_of(key, canary, party)] for party in sorted(node.partners)}
