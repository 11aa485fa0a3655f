"""The mosaic: tables of who a source could be, which source is in which, and what was told of each."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from tearline.adapters.store import tables as t
from tearline.adapters.store.products import Held, replace_product
from tearline.adapters.store.relations import next_generation
from tearline.terms import Party, Product

_decode_product = msgspec.json.Decoder(Product).decode
_decode_facts = msgspec.json.Decoder(dict[str, str]).decode

_told = t.disclosure.c
# Asked before every decision, so it is made once.
_DISCLOSURES = (
    select(_told.seq, _told.batch, _told.cryptonym, _told.partner, _told.release_id, _told.facts, _told.at)
    .where(_told.seq >= bindparam("start"))
    .order_by(_told.seq)
)


class KeptPopulation(msgspec.Struct, frozen=True):
    """A version of a population table; its persons are kept by value, see `classes_of`."""

    name: str
    digest: str
    """SHA-256 of all that it says, hexadecimal."""
    size: int
    """How many persons."""
    coarser: Mapping[str, str]
    """For an attribute the coarser one."""
    at: str


class Class(msgspec.Struct, frozen=True):
    """The persons who have one value of one attribute: `persons` is a serialised roaring bitmap."""

    attribute: str
    value: str
    size: int
    persons: bytes


class Disclosure(msgspec.Struct, frozen=True):
    """What one release told one partner about one source, as attributes and values."""

    cryptonym: str
    partner: Party
    release_id: str
    facts: Mapping[str, str]
    at: str


def put_population(db: Connection, kept: KeptPopulation, classes: Iterable[Class]) -> None:
    """Keep a version of a population; it is the one of its name from now on."""
    values = {"name": kept.name, "digest": kept.digest, "size": kept.size, "at": kept.at}
    db.execute(insert(t.population), values | {"coarser": t.encode(kept.coarser)})
    rows = [msgspec.structs.asdict(each) | {"digest": kept.digest} for each in classes]
    if rows:
        db.execute(upsert(t.population_class).on_conflict_do_nothing(), rows)
    next_generation(db)


def populations(db: Connection) -> list[KeptPopulation]:
    """The newest version of each population, by name."""
    newest = select(func.max(t.population.c.seq)).group_by(t.population.c.name)
    rows = db.execute(
        select(t.population).where(t.population.c.seq.in_(newest)).order_by(t.population.c.name)
    )
    return [_kept(row) for row in rows]


def classes_of(db: Connection, digest: str) -> Iterator[Class]:
    """The persons of one version, by attribute and value in order."""
    c = t.population_class.c
    rows = db.execute(
        select(c.attribute, c.value, c.size, c.persons)
        .where(c.digest == digest)
        .order_by(c.attribute, c.value)
    )
    return (Class(*row) for row in rows)


def link_source(db: Connection, cryptonym: str, population: str) -> None:
    """The source is one of this population's persons, and of no other's."""
    row = t.source_population.c.cryptonym == cryptonym
    if db.execute(update(t.source_population).where(row).values(population=population)).rowcount == 0:
        db.execute(insert(t.source_population).values(cryptonym=cryptonym, population=population))
    next_generation(db)


def links(db: Connection) -> dict[str, str]:
    """The population's name of each source that has one."""
    rows = db.execute(select(t.source_population).order_by(t.source_population.c.cryptonym))
    return {row.cryptonym: row.population for row in rows}


def populations_of(db: Connection) -> dict[str, KeptPopulation]:
    """The newest version of the population of each source that has one."""
    newest = {kept.name: kept for kept in populations(db)}
    return {cryptonym: newest[name] for cryptonym, name in links(db).items() if name in newest}


def put_facts(db: Connection, seq: int, product: Product, digest: str) -> None:
    """Hold a product with more facts than before; it waits for the gate, which must not decide on the old."""
    replace_product(db, seq, product, digest)
    next_generation(db)


def add_disclosures(db: Connection, disclosures: Sequence[Disclosure]) -> None:
    """Keep what is told, in the transaction that queues the release which tells it."""
    batch = secrets.token_hex(8)
    rows = [
        msgspec.structs.asdict(each) | {"facts": t.encode(each.facts), "batch": batch} for each in disclosures
    ]
    if rows:
        db.execute(insert(t.disclosure), rows)


def disclosures(db: Connection, start: int = 0) -> Iterator[tuple[int, str, Disclosure]]:
    """Everything told from number `start` on, in order: its number, the call that added it, and what it is.

    A number may be given again after a transaction was undone; the call is never the same then.
    """
    rows = db.execute(_DISCLOSURES, {"start": start})
    for seq, batch, cryptonym, partner, release_id, facts, at in rows:
        yield seq, batch, Disclosure(cryptonym, partner, release_id, _decode_facts(facts), at)


def versions_of(db: Connection, product_id: str) -> list[Held]:
    """Every version held of the products that bear this id."""
    c = t.product.c
    rows = db.execute(
        select(c.seq, c.digest, c.received_as, c.body).where(c.id == product_id).order_by(c.seq)
    )
    return [Held(seq, digest, received_as, _decode_product(body)) for seq, digest, received_as, body in rows]


def releases_of(db: Connection, product: int) -> list[tuple[Party, str, str]]:
    """What was queued of a product, delivered or not, recalls apart: (partner, release id, form)."""
    c = t.outbox.c
    given = (c.product == product) & (c.form != "recall")
    rows = db.execute(select(c.partner, c.release_id, c.form).where(given).order_by(c.seq))
    return [(partner, release_id, form) for partner, release_id, form in rows]


def _kept(row: object) -> KeptPopulation:
    name, digest, size, coarser, at = (
        getattr(row, key) for key in ("name", "digest", "size", "coarser", "at")
    )
    return KeptPopulation(name, digest, size, msgspec.json.decode(coarser, type=dict[str, str]), at)
