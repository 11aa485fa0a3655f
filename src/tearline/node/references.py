"""What goes when objects refer to each other, and what their texts name: law 5 in what is said.

For each partner its releases are a sequence, and everything here is a function of that sequence alone: of
which objects it was given before, never of what is withheld from it or of how many products the node works
on at a time.

- An object that refers to nothing but what was given goes at once.
- Another is *parked*. When the last object that it refers to goes, it goes right behind that one. When it was
  parked for `PATIENCE`, it goes without the references that it can be without. What it cannot be without
  (the two ends of a relationship) it waits for, however long.
- The gate judges it anew when it goes.

Names (see `deliver.names`) are compared with those of objects that the gate does not let the partner have
whole. A member of a list that bears one is left out; where running text does, an officer is asked.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from weakref import WeakKeyDictionary

import orjson
from msgspec.structs import replace
from sqlalchemy import Connection, Engine

from tearline import deliver
from tearline.adapters import store
from tearline.deliver import names, references
from tearline.node.opened import Node
from tearline.terms import Outcome, Party, Product, Reason, Refer

PATIENCE = timedelta(seconds=1)
"""How long an object waits for what it refers to and can be without: its file may bring that."""

Drafted = tuple[store.Held, dict[Party, Outcome], deliver.Draft]
_Key = tuple[Party, int]
"""A partner and a product's number."""


# --- Names ---------------------------------------------------------------------------------------


def _is_stix(product: Product) -> bool:
    """Whether its content is a STIX object; the portions of a report carry their own marks."""
    return product.content.startswith(b"{") and not deliver.is_media(product)


def note_names(db: Connection, product: Product) -> None:
    """Note the names that a product bears, in the transaction in which it is taken in."""
    if _is_stix(product):
        bears = names.names_of(orjson.loads(product.content))
        store.add_names(db, product.id, (" ".join(name) for name in bears))


class _Kept:
    """All names, as far as they were read of one `node.db`. Rows are only added."""

    def __init__(self) -> None:
        self.names, self._last = names.Names(), 0

    def read_on(self, db: Connection) -> names.Names:
        for number, name, object_id in store.names(db, self._last):
            self.names.add(tuple(name.split(" ")), object_id)
            self._last = number
        return self.names


_KEPT: WeakKeyDictionary[Engine, _Kept] = WeakKeyDictionary()

LetGo = Callable[[Sequence[store.Held]], Mapping[Party, Collection[str]]]
"""Of products that the gate has yet to judge: the ids of those that it lets each partner have whole."""


class Named:
    """What the objects at hand name."""

    def __init__(self, db: Connection, drafted: Iterable[Drafted], let_go: LetGo) -> None:
        known = _KEPT.setdefault(db.engine, _Kept()).read_on(db)
        self._said: dict[int, dict[tuple[str, bool], list[names.Found]]] = {}
        for held, _, draft in drafted:
            if held.seq not in self._said and (_is_stix(held.product) or deliver.is_media(held.product)):
                own = {draft.object_id}, {names.fold(str(draft.object.get("name", "")))}
                self._said[held.seq] = _said(draft, known, *own)
        texts = [found for said in self._said.values() for found in said.values()]
        ids = {each for found in texts for one in found for each in one.objects}
        releasable, open_ = store.bearers(db, ids) if ids else ({}, [])
        self._releasable = {party: set(found) for party, found in releasable.items()}
        for party, more in (let_go(open_) if open_ else {}).items():
            self._releasable.setdefault(party, set()).update(more)

    def without(self, drafted: Drafted, given: Collection[str]) -> deliver.Draft | None:
        """The draft without members of lists that name what is withheld; `None` where running text does."""
        held, _, draft = drafted
        said = self._said.get(held.seq)
        if not said:
            return draft
        releasable = self._releasable.get(draft.recipient, set())

        def is_named(text: str, listed: bool) -> bool:
            if any(ref[0] not in given for ref in references.ID.finditer(text)):
                return True
            return any(releasable.isdisjoint(found.objects) for found in said.get((text, listed), ()))

        try:
            return deliver.with_object(draft, names.unnamed(draft.object, is_named))
        except names.Telling:
            return None


def _said(
    draft: deliver.Draft, known: names.Names, own_ids: set[str], own: set[names.Name]
) -> dict[tuple[str, bool], list[names.Found]]:
    """The texts of an object that name others, or hold an id. Empty for nearly all."""
    said = {}
    for text, listed in set(names.texts_of(draft.object)):
        found = [
            names.Found(name, others)
            for name, bearers in known.find(text, listed=listed)
            if name not in own and (others := bearers - own_ids)
        ]
        if found or references.ID.search(text):
            said[text, listed] = found
    return said


# --- Order ---------------------------------------------------------------------------------------


class Circle(NamedTuple):
    """Parked products that may go with those at hand: because they are due, or wait for one of them."""

    parked: dict[_Key, store.Parked]
    products: dict[int, store.Held]

    def parties(self) -> dict[int, set[Party]]:
        """For each product, the partners for whom it is parked."""
        found: dict[int, set[Party]] = {}
        for party, seq in self.parked:
            found.setdefault(seq, set()).add(party)
        return found


def circle(db: Connection, late: Sequence[store.Parked], fresh: Sequence[store.Held]) -> Circle:
    """Those that are `late`, what waits for them or for what is `fresh`, what waits for that, and so on."""
    parked = {(each.partner, each.product): each for each in late}
    products = store.numbered(db, {each.product for each in late})
    anew = {held.seq for held in fresh}
    frontier = {held.product.id for held in (*fresh, *products.values())}
    while frontier:
        for each in store.waiting_for(db, frontier):
            if each.product not in anew:
                parked[each.partner, each.product] = each
        more = store.numbered(db, {seq for _, seq in parked} - products.keys())
        products |= more
        frontier = {held.product.id for held in more.values()}
    return Circle(parked, products)


def maker(held: store.Held) -> str:
    """The identity of a product's originator: who is given what it made learns that anyway."""
    return deliver.identity_id(held.product.originator)


class _Entry:
    """A draft, and which of the objects that it refers to were not given yet."""

    def __init__(self, drafted: Drafted, given: Collection[str]) -> None:
        held, _, draft = drafted
        self.drafted, self.key = drafted, (draft.recipient, held.seq)
        self.missing = references.awaited(draft.object) - set(given) - {maker(held)} - draft.brings


class Order:
    """Who goes, in which order, and who waits: see the module. `going` is in the order of each partner."""

    def __init__(
        self,
        node: deliver.NodeIdentity,
        given: Mapping[Party, set[str]],
        around: Circle,
        named: Named,
        now: datetime,
    ) -> None:
        """`given`: of the objects that the drafts refer to, those that each partner was given before."""
        self._node, self._circle, self._named = node, around, named
        self._given = defaultdict[Party, set[str]](lambda: {node.id})
        for party, ids in given.items():
            self._given[party] |= ids
        self._now, self._until = store.stamp(now), store.stamp(now + PATIENCE)
        self._waiting: defaultdict[tuple[Party, str], list[_Entry]] = defaultdict(list)
        self.going: list[Drafted] = []
        self.parked: list[tuple[store.Parked, set[str]]] = []
        """Of the fresh: those that wait, and for what."""
        self.settled: set[_Key] = set()
        """Of the parked: those that went, or do not go any more."""
        self.needing: set[_Key] = set()
        """Of the late: those that still wait for what they cannot be without."""

    def run(self, fresh: Sequence[Drafted], called: Sequence[Drafted]) -> None:
        """`fresh` in the order of taking in; `called`: the drafts of the circle, in its order."""
        entries = [_Entry(each, self._given[each[2].recipient]) for each in called]
        # Those that the gate lets go no longer do not wait for anything.
        self.settled |= self._circle.parked.keys() - {entry.key for entry in entries}
        for entry in entries:
            self._wait(entry)
        for entry in entries:
            if entry.key not in self.settled and self._is_late(entry):
                self._go([entry])
        self.needing -= self.settled
        for each in fresh:
            entry = _Entry(each, self._given[each[2].recipient])
            if entry.missing:
                self._park(entry)
            else:
                self._go([entry])
        self.parked = [
            (parked, awaited)
            for parked, awaited in self.parked
            if (parked.partner, parked.product) not in self.settled
        ]

    def park_again(self, parked: store.Parked) -> None:
        """Let this wait, for no object, once all has run."""
        self.settled.add((parked.partner, parked.product))
        self.parked.append((parked, set()))

    def _park(self, entry: _Entry) -> None:
        self.parked.append((store.Parked(*entry.key, self._until), set(entry.missing)))
        self._wait(entry)

    def _wait(self, entry: _Entry) -> None:
        for ref in entry.missing:
            self._waiting[entry.key[0], ref].append(entry)

    def _is_late(self, entry: _Entry) -> bool:
        parked = self._circle.parked.get(entry.key)
        return parked is not None and (parked.due is None or parked.due <= self._now)

    def _go(self, entries: Iterable[_Entry]) -> None:
        """Let these go, right behind each what waited for it, and so on."""
        queue = deque(entries)
        while queue:
            entry = queue.popleft()
            if entry.key in self.settled or not (sent := self._sent(entry)):
                continue
            self.settled.add(entry.key)
            if not isinstance(sent, deliver.Draft):
                continue
            party = sent.recipient
            self.going.append((*entry.drafted[:2], sent))
            self._given[party].add(sent.object_id)
            behind = self._waiting.pop((party, sent.object_id), [])
            for each in sorted(behind, key=lambda entry: entry.key[1]):
                each.missing.discard(sent.object_id)
                if not each.missing or self._is_late(each):
                    queue.append(each)

    def _sent(self, entry: _Entry) -> deliver.Draft | Refer | None:
        """What goes; or that an officer is asked; or `None`: it cannot be without what is missing."""
        held, outcomes, draft = entry.drafted
        given = self._given[draft.recipient]
        if maker(held) not in given or draft.brings:
            given = {*given, maker(held), *draft.brings}
        within = deliver.pointing_within(draft, given, self._node)
        if within is None and entry.missing:
            self.needing.add(entry.key)
            return None
        if within is None:
            return _referred(outcomes, draft.recipient, "release.not-composed")
        unnamed = self._named.without((held, outcomes, within), given)
        return unnamed or _referred(outcomes, draft.recipient, "name.withheld")


def _referred(outcomes: dict[Party, Outcome], party: Party, code: str) -> Refer:
    reasons = (*outcomes[party].reasons, Reason(check=7, code=code))
    outcomes[party] = refer = Refer(partner=party, reasons=reasons)
    return refer


def mark_waiting(
    parked: Iterable[tuple[store.Parked, object]], outcomes: Mapping[int, dict[Party, Outcome]]
) -> None:
    """Say of these outcomes that what may go waits."""
    for (party, seq, _), _ in parked:
        outcome = outcomes[seq][party]
        reasons = (*outcome.reasons, Reason(check=7, code="reference.waits"))
        outcomes[seq][party] = replace(outcome, reasons=reasons)


def keep(db: Connection, order: Order, anew: Collection[int]) -> None:
    """Write down who goes and who waits. `anew`: the products that the gate judged for everybody."""
    store.unpark_products(db, anew)
    store.unpark(db, order.settled)
    store.no_longer_due(db, order.needing)
    store.park(db, order.parked)
    store.add_given(db, ((draft.recipient, draft.object_id, draft.release_id) for _, _, draft in order.going))


def is_due(node: Node) -> bool:
    """Whether something has waited long enough, so that `consider` has something to do."""
    with node.reading() as db:
        return store.is_due(db, store.stamp(node.clock()))
