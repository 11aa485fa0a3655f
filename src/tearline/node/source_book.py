"""What officers see of protected sources without an identity: what each is owed, and what partners learnt.

While the vault is shut, only the sources are known that the mosaic or a product names, and not what they are
owed.
"""

from __future__ import annotations

import msgspec

from tearline.adapters import store
from tearline.adapters.store import exchange
from tearline.node.counts import Counts
from tearline.node.mosaic import told_of
from tearline.node.opened import Node
from tearline.node.sources import ask_vault, has_vault, vault_mark
from tearline.terms import Broken, Party, Refused
from tearline.vault import PlaceGrain, Standing, TimeGrain

__all__ = [
    "PLACES",
    "TIMES",
    "Learnt",
    "Standing",
    "Touched",
    "Vault",
    "learnt",
    "names",
    "products",
    "standings",
    "touched",
    "vault",
]


class Vault(msgspec.Struct, frozen=True, kw_only=True):
    """`version`: of the file, by the ledger. The counts are there while it is open."""

    made: bool
    open: bool
    version: int | None = None
    sources: int | None = None
    why: str = ""
    """Why it does not answer."""


class Learnt(msgspec.Struct, frozen=True, kw_only=True):
    """How many persons a source could be: at the outset, by all that was told to anybody, and by partner."""

    population: str
    persons: int
    pooled: int
    partners: dict[Party, tuple[int, int]]
    """(facts told, persons left), of those who were told any."""


class Touched(msgspec.Struct, frozen=True):
    """Products held that rest on a source, and of these the releases by partner."""

    products: int = 0
    released: dict[Party, int] = {}


TIMES, PLACES = tuple(map(str, TimeGrain)), tuple(map(str, PlaceGrain))
"""How coarse a time and a place can be asked to be, the finest first."""
_touched: Counts[dict[str, int]] = Counts()


def vault(node: Node) -> Vault:
    """How the vault stands."""
    mark = vault_mark(node)
    version = mark.version if mark else None
    try:
        with ask_vault(node) as client:
            now = client.status()
    except (Refused, Broken) as error:
        return Vault(made=has_vault(node), open=False, version=version, why=str(error))
    return Vault(made=True, open=True, version=version, sources=now.sources)


def standings(node: Node) -> dict[str, Standing] | None:
    """What each source is owed, by cryptonym; `None` while the vault does not answer."""
    try:
        with ask_vault(node) as client:
            return {each.cryptonym: each for each in client.sources()}
    except (Refused, Broken):
        return None


def names(node: Node) -> set[str]:
    """The sources that are known here without the vault."""
    with node.reading() as db:
        return {*store.links(db), *products(node)}


def products(node: Node) -> dict[str, int]:
    """How many products held rest on each source; counts of a while ago where there are very many."""

    def count() -> dict[str, int]:
        with node.reading() as db:
            return exchange.products_by_source(db)

    return _touched.get(node.home.database, count)


def touched(node: Node, cryptonym: str) -> Touched:
    """Of one source, as of now."""
    with node.reading() as db:
        return Touched(*exchange.touching(db, cryptonym))


def learnt(node: Node, cryptonyms: list[str]) -> dict[str, Learnt]:
    """Of those of these sources that are linked to a population."""
    with node.reading() as db:
        links = store.links(db)
        known = told_of(db, cryptonyms)
    return {
        name: Learnt(
            population=links.get(name, ""),
            persons=table.size,
            pooled=len(table.candidates(told.to_all())),
            partners={
                party: (sum(map(len, facts)), len(table.candidates(facts)))
                for party, facts in sorted(told.by_partner.items())
                if facts
            },
        )
        for name, (table, told) in known.items()
    }
