"""The node's side of the mosaic (law 3): who a source could be, and what was told of it to whom.

`told_of` is what the gate asks before a decision, `tell` what is written in the transaction that queues a
release. The other functions are for officers. Nothing here is for partners.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from weakref import WeakKeyDictionary

import msgspec
from pyroaring import BitMap
from sqlalchemy import Connection, Engine

from tearline.adapters import population, store
from tearline.adapters.store import Class, Disclosure, KeptPopulation
from tearline.gate.mosaic import Facts, Plan, Population, Told, add_facts, facts_told, plan, worst_case
from tearline.gate.openings import label_of
from tearline.ledger import Act, Entry
from tearline.node.officers import must_be_officer, must_say_why
from tearline.node.opened import Node
from tearline.node.sources import ask_vault
from tearline.terms import BadInput, Broken, Party, Portion, Product, Quarantine, Refused, Role
from tearline.vault.source import CRYPTONYM

Known = tuple[Population, Told]


# --- Before and at a release ---------------------------------------------------------------------


class _Cache:
    """What was read of one `node.db`: populations, and all that was told, merged."""

    def __init__(self) -> None:
        self._generation = -1
        self._kept: dict[str, KeptPopulation] = {}
        self._tables: dict[str, Population] = {}
        self._forget()

    def look_again(self, db: Connection) -> None:
        """Which source is in which version of which population, where that may have changed."""
        if (generation := store.generation(db)) != self._generation:
            self._kept, self._generation = store.populations_of(db), generation
            used = {kept.digest for kept in self._kept.values()}
            self._tables = {digest: table for digest, table in self._tables.items() if digest in used}

    def table(self, db: Connection, cryptonym: str) -> Population | None:
        kept = self._kept.get(cryptonym)
        if kept is None:
            return None
        if kept.digest not in self._tables:
            self._tables[kept.digest] = Population.of_bitmaps(kept.size, _values(db, kept), kept.coarser)
        return self._tables[kept.digest]

    def _forget(self) -> None:
        self._last, self._batch = 0, ""
        self._told: dict[str, dict[Party, list[dict[str, str]]]] = {}

    def told(self, cryptonym: str) -> Told:
        return Told(
            {party: tuple(map(dict, facts)) for party, facts in self._told.get(cryptonym, {}).items()}
        )

    def read_on(self, db: Connection) -> None:
        """Take in what was told since; all of it anew where a transaction that was read here was undone.

        Rows are only added, in transactions one after the other. So the last one that was read being there
        still, of the same call, means that so are all before it.
        """
        rows = store.disclosures(db, self._last)
        if self._last and next(rows, (0, ""))[:2] != (self._last, self._batch):
            self._forget()
            rows = store.disclosures(db)
        for self._last, self._batch, each in rows:
            add_facts(self._told.setdefault(each.cryptonym, {}).setdefault(each.partner, []), each.facts)


_CACHES: WeakKeyDictionary[Engine, _Cache] = WeakKeyDictionary()


def told_of(db: Connection, cryptonyms: Collection[str]) -> dict[str, Known]:
    """Who each of these sources could be, and what was told of it before.

    A source that is linked to no population is left out: nothing can be decided about it. What was told is
    merged: each fact stands once for each partner, however often it was told.
    """
    if not cryptonyms:
        return {}
    cache = _CACHES.setdefault(db.engine, _Cache())
    cache.look_again(db)
    cache.read_on(db)
    return {name: (table, cache.told(name)) for name in cryptonyms if (table := cache.table(db, name))}


def _values(db: Connection, kept: KeptPopulation) -> Mapping[str, Mapping[str, BitMap]]:
    values: dict[str, dict[str, BitMap]] = {}
    try:
        for each in store.classes_of(db, kept.digest):
            values.setdefault(each.attribute, {})[each.value] = population.unpack(each.persons)
    except (ValueError, IndexError):
        values = {}
    if population.Table(kept.size, values).digest(kept.coarser) != kept.digest:
        raise Broken(f"the population {kept.name} is not as it was recorded")
    return values


def tell(node: Node, db: Connection, partner: Party, release_id: str, portions: Iterable[Portion]) -> None:
    """Write down what a release tells of sources, in the transaction that puts it into the outbox."""
    at = store.stamp(node.clock())
    rows = [
        Disclosure(cryptonym, partner, release_id, facts, at)
        for cryptonym, sets in facts_told(portions).items()
        for facts in sets
    ]
    for row in rows:
        node.record(Act.FACTS_TOLD, _told_body(row))
    store.add_disclosures(db, rows)


def _told_body(row: Disclosure) -> dict[str, object]:
    return {
        "source": row.cryptonym,
        "partner": row.partner,
        "release": row.release_id,
        "facts": dict(row.facts),
    }


# --- Populations and sources ---------------------------------------------------------------------


def keep_population(
    node: Node, name: str, path: Path, coarser: Mapping[str, str], by: str
) -> tuple[KeptPopulation, bool]:
    """Read a table and put it in force under `name`; tells whether that is a change.

    Raises `BadInput` where the table cannot be read, or its ladders contradict it.
    """
    if not (name.isprintable() and 0 < len(name.strip()) <= 100):
        raise BadInput("population", "", "its name is not one line of 1 to 100 characters")
    table = population.read(path)
    try:
        Population.of_bitmaps(table.size, table.values, coarser)
    except BadInput as bad:
        raise BadInput(str(path), bad.place, bad.reason, bad.remedy) from None
    at = store.stamp(node.clock())
    kept = KeptPopulation(name, table.digest(coarser), table.size, dict(coarser), at)
    with node.writing() as db:
        before = next((each for each in store.populations(db) if each.name == name), None)
        if before is not None and before.digest == kept.digest:
            return before, False
        body = {"population": name, "digest": kept.digest, "persons": kept.size, "by": by}
        node.record(Act.POPULATION_KEPT, body)
        store.put_population(db, kept, _classes(table))
    return kept, True


def _classes(table: population.Table) -> Iterator[Class]:
    for attribute, values in table.values.items():
        for value, persons in values.items():
            yield Class(attribute, value, len(persons), population.pack(persons))


def populations(node: Node) -> list[KeptPopulation]:
    """The newest version of each population, by name."""
    with node.reading() as db:
        return store.populations(db)


def show_population(node: Node, name: str) -> tuple[KeptPopulation, dict[str, list[int]]]:
    """A population, and for each attribute how many persons have each value, the fewest first."""
    with node.reading() as db:
        kept = _find(db, name)
        sizes: dict[str, list[int]] = {}
        for each in store.classes_of(db, kept.digest):
            sizes.setdefault(each.attribute, []).append(each.size)
    return kept, {attribute: sorted(found) for attribute, found in sizes.items()}


def _find(db: Connection, name: str) -> KeptPopulation:
    for kept in store.populations(db):
        if kept.name == name:
            return kept
    raise Refused("there is no population of this name; see `tearline mosaic population list`")


def link_source(node: Node, cryptonym: str, name: str, by: str) -> None:
    """The source is one of the population's persons. Raises `Refused` where there is no such population."""
    _must_be_cryptonym(cryptonym)
    with node.writing() as db:
        _find(db, name)
        node.record(Act.SOURCE_LINKED, {"source": cryptonym, "population": name, "by": by})
        store.link_source(db, cryptonym, name)


def links(node: Node) -> dict[str, str]:
    """The population of each source that has one."""
    with node.reading() as db:
        return store.links(db)


class Counted(msgspec.Struct, frozen=True):
    """How many persons a source could be, for each partner, before and after more is told.

    `k`: what it is owed, `None` where the vault is shut or does not know it. `plans` then say how many would
    be left if everything were told as it is, which nobody has decided.
    """

    population: str
    persons: int
    k: int | None
    plans: dict[Party, Plan]


def count(node: Node, cryptonym: str, names: Collection[str] = (), partner: Party | None = None) -> Counted:
    """How many persons the source could be, and would be at least if these attributes were told of it.

    For each partner, or the one that is named. Raises `Refused` where the source is in no population, or the
    partner is not known; `BadInput` for an attribute that the population does not have.
    """
    _must_be_cryptonym(cryptonym)
    node.refresh()
    with node.reading() as db:
        known = told_of(db, [cryptonym]).get(cryptonym)
        name = store.links(db).get(cryptonym, "")
    if known is None:
        raise Refused("the source is in no population; see `tearline mosaic source`")
    table, told = known
    parties = sorted({*node.partners, *told.by_partner})
    if partner is not None and partner not in parties:
        raise Refused(f"{partner} is not a partner of this node")
    if unknown := sorted(set(names) - table.attributes):
        remedy = f"known are {', '.join(sorted(table.attributes))}"
        raise BadInput("--if", "", f"the population has no attribute {unknown[0]}", remedy)
    k = _owed(node, cryptonym)
    plans = {
        party: plan(table, told, party, names, k) if k else _undecided(table, told, party, names)
        for party in parties
        if partner in {None, party}
    }
    return Counted(name, table.size, k, plans)


def _owed(node: Node, cryptonym: str) -> int | None:
    try:
        with ask_vault(node) as client:
            return next(
                (each.obligations.k for each in client.sources() if each.cryptonym == cryptonym), None
            )
    except Refused:
        return None


def _undecided(table: Population, told: Told, party: Party, names: Collection[str]) -> Plan:
    before = worst_case(table, told, party, ())
    return Plan({name: name for name in names}, before, worst_case(table, told, party, names))


def _must_be_cryptonym(text: str) -> None:
    if CRYPTONYM.fullmatch(text) is None:  # it is not shown: a name may stand there
        raise BadInput("source", "", "this is not a cryptonym", "give one, such as FALCON-RIVER")


class Left(msgspec.Struct, frozen=True):
    """How many persons a source could be before a product goes to a partner, and at least after it.

    `before`, `after`: for the partner alone, and for all partners pooled. `told`: what the partner was told
    of it. `k`: as in `Counted`. `doubt`: why nothing can be said; empty where something can.
    """

    source: str
    attributes: tuple[str, ...]
    told: dict[str, str]
    persons: int = 0
    k: int | None = None
    before: tuple[int, int] = (0, 0)
    after: tuple[int, int] = (0, 0)
    doubt: str = ""


def left_after(node: Node, portions: Iterable[Portion], partner: Party) -> list[Left]:
    """What would be left of the sources that these portions tell of, if they went as they are."""
    of = {name: {key for facts in sets for key in facts} for name, sets in facts_told(portions).items()}
    with node.reading() as db:
        known = told_of(db, of)
    found = []
    for name, attributes in sorted(of.items()):
        names = tuple(sorted(attributes))
        if name not in known:
            found.append(Left(name, names, {}, doubt="the source is in no population"))
            continue
        table, told = known[name]
        before = {key: value for facts in told.to(partner) for key, value in facts.items()}
        if unknown := attributes - table.attributes:
            doubt = f"the population has no attribute {min(unknown)}"
            found.append(Left(name, names, before, table.size, doubt=doubt))
            continue
        now, then = (worst_case(table, told, partner, each) for each in ((), names))
        found.append(Left(name, names, before, table.size, _owed(node, name), now, then))
    return found


# --- Facts that an officer adds ------------------------------------------------------------------


def facts_of(node: Node, product_id: str, version: str | None = None) -> Product:
    """The newest version of a product, or the one that is named, with its portions and their facts."""
    with node.reading() as db:
        return _product(db, product_id, version).product


def add_fact(
    node: Node,
    product_id: str,
    portion: int,
    cryptonym: str,
    facts: Facts,
    *,
    officer: str,
    why: str,
    version: str | None = None,
) -> list[Party]:
    """Say that a portion, counted from 1, tells these facts about a source; the gate answers anew.

    Facts are only added: what went out has told them. So they count for every partner who was given the
    portion, and for whom that cannot be known; these are returned. Raises `Refused` and `BadInput`.
    """
    _must_be_cryptonym(cryptonym)
    must_say_why(why)
    with node.writing() as db:
        must_be_officer(db, officer)
        held = _product(db, product_id, version)
        changed = _with_facts(held.product, portion, cryptonym, facts)
        digest = hashlib.sha256(store.encode_product(changed)).hexdigest()
        body = {
            "product": product_id,
            "version": changed.version,
            "digest": digest,
            "portion": portion,
            "source": cryptonym,
            "facts": dict(facts),
            "officer": officer,
            "why": why,
        }
        node.record(Act.FACTS_ADDED, body)
        store.put_facts(db, held.seq, changed, digest)
        added = msgspec.structs.replace(
            changed.portions[portion - 1], facts=((cryptonym, tuple(sorted(facts.items()))),)
        )
        given = [
            (partner, release)
            for partner, release, form in store.releases_of(db, held.seq)
            if form == "whole" or added.role is not Role.SOURCE
        ]
        for partner, release in given:
            tell(node, db, partner, release, [added])
    return sorted({partner for partner, _ in given})


def _product(db: Connection, product_id: str, version: str | None) -> store.Held:
    found = [held for held in store.versions_of(db, product_id) if version in {None, held.product.version}]
    if not found:
        raise Refused(f"{product_id} is not held" + (f" in the version {version}" if version else ""))
    held = max(found, key=lambda held: (held.product.version, held.seq))
    if isinstance(label_of(held.product), Quarantine):
        raise Refused(f"{product_id} is in quarantine; see `tearline quarantine resolve`")
    if not held.product.portions:
        raise Refused(f"{product_id} has no separately marked portions, so it can tell no facts")
    return held


def _with_facts(product: Product, number: int, cryptonym: str, facts: Facts) -> Product:
    if not 1 <= number <= len(product.portions):
        raise BadInput("--portion", "", f"there is no portion {number}", f"give 1 to {len(product.portions)}")
    portion = product.portions[number - 1]
    known = {source: dict(told) for source, told in portion.facts}
    of_source = known.setdefault(cryptonym, {})
    if clash := sorted(name for name, value in facts.items() if of_source.get(name, value) != value):
        raise Refused(f"the portion tells another {clash[0]} of {cryptonym} already; facts are only added")
    if facts.items() <= of_source.items():
        raise Refused("the portion tells this already")
    of_source |= facts
    told = tuple((source, tuple(sorted(its.items()))) for source, its in sorted(known.items()))
    portions = list(product.portions)
    portions[number - 1] = msgspec.structs.replace(portion, facts=told)
    return msgspec.structs.replace(product, portions=tuple(portions), sources=product.sources | {cryptonym})


# --- The record ----------------------------------------------------------------------------------


def mismatches(db: Connection, entries: Iterable[Entry]) -> Iterator[str]:
    """Where what is held of the mosaic is not what the ledger tells of."""
    told: Counter[str] = Counter()
    kept: dict[str, str] = {}
    linked: dict[str, str] = {}
    for entry in entries:
        if entry.act is Act.FACTS_TOLD:
            told[_spelt(entry.body)] += 1
        elif entry.act is Act.POPULATION_KEPT:
            kept[entry.body["population"]] = entry.body["digest"]
        elif entry.act is Act.SOURCE_LINKED:
            linked[entry.body["source"]] = entry.body["population"]
    there = Counter(_spelt(_told_body(each)) for _, _, each in store.disclosures(db))
    if told != there:
        odd = sum(((told - there) | (there - told)).values())
        yield f"{odd} disclosures about sources are not as they were recorded"
    populations = store.populations(db)
    if kept != {each.name: each.digest for each in populations}:
        yield "the populations are not those that were recorded"
    if linked != store.links(db):
        yield "the sources are not in the populations that were recorded"
    for each in populations:
        try:
            _values(db, each)
        except Broken as broken:
            yield str(broken)


def _spelt(body: Mapping[str, object]) -> str:
    return msgspec.json.encode(body, order="deterministic").decode()
