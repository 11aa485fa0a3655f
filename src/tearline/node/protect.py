"""The node before the vault: what the products at hand could show of sources, and what drafts still show.

Whole texts go to the vault's process, and hits come back. Once a node has a vault, nothing is considered that
was not scanned: while the vault is shut or does not answer, products wait (law 1).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Self

import orjson
from msgspec.structs import replace
from sqlalchemy import Connection

from tearline import deliver
from tearline.adapters import store
from tearline.adapters.vault import VaultClient
from tearline.gate import Exposure
from tearline.node import mosaic
from tearline.node.opened import Node
from tearline.node.sources import ask_vault
from tearline.scan import Disposition, Hit
from tearline.terms import Broken, Product, Refused
from tearline.vault import Canary, Obligations

_BETWEEN = "\n\n"


class VaultShut(Refused):
    """The vault is shut, or does not answer."""


class Guard:
    """What the vault says, for one round of considering. Raises `VaultShut` where it says nothing.

    A node that never had a vault has no sources to protect: nothing is found, and nothing is owed.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        with node.reading() as db:
            has_vault = store.vault_state(db) is not None
        self._vault: VaultClient | None = ask_vault(node) if has_vault else None
        self._owed: dict[str, Obligations] = {}

    def __enter__(self) -> Self:
        if self._vault is not None:
            with _or_shut():
                self._owed = {each.cryptonym: each.obligations for each in self._vault.sources()}
        return self

    def __exit__(self, *_: object) -> None:
        if self._vault is not None:
            self._vault.close()

    def exposures(self, waiting: Sequence[store.Held]) -> list[Exposure]:
        """One for each of the products that wait."""
        texts = [texts_of(held.product) for held in waiting]
        found = iter(self._scan([text for own in texts for text in own]))
        sources = {name for held in waiting for name in held.product.sources}
        with self._node.reading() as db:
            told = mosaic.told_of(db, sources) if sources else {}
            cleared = self._cleared(db, waiting)
        exposures = []
        for held, own in zip(waiting, texts, strict=True):
            product = held.product
            document, *others = (
                self._without(cleared.get(held.seq, ()), held, text, hits)
                for text, hits in zip(own, islice(found, len(own)), strict=True)
            )
            hits = (*_by_portion(product, document), tuple(hit for each in others for hit in each))
            exposures.append(Exposure(hits=hits, owed=self._owed, mosaic=told))
        return exposures

    def betrays(self, drafts: Iterable[tuple[store.Held, deliver.Draft]]) -> set[str]:
        """The release ids of those in which a protected identity is found, other than an officer cleared."""
        texts = [(held, draft, text) for held, draft in drafts for text in set(_strings(draft.object))]
        found = self._scan([text for *_, text in texts])
        with self._node.reading() as db:
            cleared = self._cleared(db, [held for held, *_ in texts])
        return {
            draft.release_id
            for (held, draft, text), hits in zip(texts, found, strict=True)
            if any(
                hit.disposition is not Disposition.NOTE
                for hit in self._without(cleared.get(held.seq, ()), held, text, hits)
            )
        }

    def canaries(self, products: Iterable[str]) -> list[Canary]:
        """The canaries that officers put into these products."""
        names = tuple(dict.fromkeys(products))
        if self._vault is None or not names:
            return []
        with _or_shut():
            return list(self._vault.canaries(names))

    def _cleared(self, db: Connection, waiting: Sequence[store.Held]) -> dict[int, frozenset[str]]:
        """By product: the hits that officers cleared, as `told_apart` names them."""
        return store.cleared(db, [held.seq for held in waiting]) if self._vault is not None else {}

    def _without(
        self, cleared: Collection[str], held: store.Held, text: str, hits: tuple[Hit, ...]
    ) -> tuple[Hit, ...]:
        if not cleared:
            return hits
        return tuple(hit for hit in hits if told_apart(self._node, held, text, hit) not in cleared)

    def hits(self, texts: Sequence[str]) -> list[tuple[Hit, ...]]:
        """What the vault finds in each of `texts`."""
        return self._scan(texts)

    def finds(self, text: str) -> bool:
        """Whether a protected identity is found in a text."""
        return any(hit.disposition is not Disposition.NOTE for hit in self._scan([text])[0])

    def _scan(self, texts: Sequence[str]) -> list[tuple[Hit, ...]]:
        if self._vault is None:
            return [()] * len(texts)
        with _or_shut():
            return self._vault.scan(texts)


def told_apart(node: Node, held: store.Held, text: str, hit: Hit) -> str:
    """What a hit in a version of a product is called once it is cleared: nobody can read a name off it."""
    said = text[hit.start : hit.end].casefold()
    return node.identity.opaque("cleared", held.digest, hit.id, said).hex()


@contextmanager
def _or_shut() -> Iterator[None]:
    try:
        yield
    except (Refused, Broken) as error:
        raise VaultShut(str(error)) from None


def texts_of(product: Product) -> list[str]:
    """Every text that is scanned: all portions as one, then whatever else there is."""
    return [_document(product), *_others(product)]


def _document(product: Product) -> str:
    """All portions as one text: a surname alone in one of them is known by the full name in another."""
    return _BETWEEN.join(portion.text for portion in product.portions)


def _by_portion(product: Product, hits: Iterable[Hit]) -> Iterator[tuple[Hit, ...]]:
    """The hits of the document in each portion, with offsets in it; one that reaches over two is in both."""
    start = 0
    for portion in product.portions:
        size = len(portion.text)
        yield tuple(
            replace(hit, start=max(hit.start - start, 0), end=min(hit.end - start, size))
            for hit in hits
            if hit.start < start + size and hit.end > start
        )
        start += size + len(_BETWEEN)


def _others(product: Product) -> list[str]:
    """Every other string that the product has: a name may stand in any field."""
    others = {product.title}
    if not product.portions:
        others |= set(_content(product.content))
    return sorted(others)


def _content(content: bytes) -> Iterator[str]:
    """Every string of a JSON content, keys too; a text as it is."""
    try:
        read = orjson.loads(content)
    except orjson.JSONDecodeError:
        read = content.decode("utf-8", errors="replace")
    yield from _strings(read)


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for key, inner in value.items():
                yield key
                yield from _strings(inner)
        case list() | tuple():
            for inner in value:
                yield from _strings(inner)
