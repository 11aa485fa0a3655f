"""Persons whom the vault does not know: flagged for the officer after the gate has answered, never before.

It decides nothing and records no name: `node.db` keeps where in a product one seems to stand.
"""

from __future__ import annotations

from collections.abc import Sequence

from tearline.adapters import store
from tearline.gate.sanitize import Flag, Recogniser, notices
from tearline.node.opened import Node
from tearline.node.protect import Guard, VaultShut
from tearline.terms import Category, Product

AT_ONCE = 10


def waiting(node: Node) -> list[store.Held]:
    """The next considered products that nobody has looked through."""
    with node.reading() as db:
        return store.to_flag(db, AT_ONCE)


def look(products: Sequence[store.Held], recogniser: Recogniser) -> list[tuple[Flag, ...]]:
    """What the recogniser takes for persons in each. Slow, and needs no node: not for the worker's thread."""
    return [_noticed(held.product, recogniser) for held in products]


def keep(node: Node, products: Sequence[store.Held], found: Sequence[Sequence[Flag]]) -> bool:
    """Note those whom the vault does not know; tells whether it could: not while the vault is shut."""
    try:
        with Guard(node) as guard:
            spans = [
                _unknown(each.product, flags, guard) for each, flags in zip(products, found, strict=True)
            ]
    except VaultShut:
        return False
    with node.writing() as db:
        for each, unknown in zip(products, spans, strict=True):
            store.put_flags(db, each.seq, unknown)
    return True


def texts_of(product: Product) -> list[str]:
    """What is looked through: the portions, or a report's whole text where it has none."""
    if product.portions or product.category is Category.CYBER:
        return [portion.text for portion in product.portions]
    return [product.content.decode("utf-8", errors="replace")]


def _noticed(product: Product, recogniser: Recogniser) -> tuple[Flag, ...]:
    try:
        return notices(texts_of(product), product.language, recogniser)
    except Exception:  # a recogniser's fault disturbs nothing, and its words could hold a name
        return ()


def _unknown(product: Product, flags: Sequence[Flag], guard: Guard) -> store.Spans:
    known = guard.hits(texts_of(product)) if flags else []
    return [
        (each.text, each.start, each.end)
        for each in flags
        if not any(hit.start < each.end and each.start < hit.end for hit in known[each.text])
    ]


def flagged(node: Node, limit: int) -> list[tuple[Product, store.Spans]]:
    """The newest products that seem to name unknown persons, and where."""
    with node.reading() as db:
        return list(store.flagged(db, limit))


def count(node: Node) -> int:
    """How many products do."""
    with node.reading() as db:
        return store.count_flagged(db)
