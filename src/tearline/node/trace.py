"""Whose copy was it? Leaked texts against all that was released, and the marks in them.

1. Each leak is looked up in the index of released texts, and aligned with the forms that it comes from.
2. Of each form it is known who was given a copy; and so who held all that leaked.
3. What the leak says at the places where copies differ is read, without any key; then the letters of the
   copies are made again, and compared (`trace.verdict`).
4. Each copy is shown with the statement and the receipt that commit its recipient to it.

Who asked, and the digests of question and answer, are on the ledger before the answer is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from tearline import deliver
from tearline.adapters import store
from tearline.adapters.traces import Traces
from tearline.ledger import Act
from tearline.node import officers
from tearline.node.copies import Shown, shown
from tearline.node.marks import key_of, letters, slots_of
from tearline.node.opened import Node
from tearline.terms import Party
from tearline.trace import likeness, slots
from tearline.trace.leak import Leak
from tearline.trace.terms import Bit, Match, Mode, Slot

ENOUGH_OF_IT = 0.9
"""Who was given so much of what leaked held it: a word or two may be alike by chance."""
_BATCH = 500

Tell = Callable[[int, int], None]
"""Told how much is done, of how much."""


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a leak that comes from a product of which copies were given."""

    leak: int
    """Which leak, from 0."""
    form: str
    product: str
    version: str
    title: str
    chance: float
    """How many unrelated texts may be expected to be as like."""
    portions: dict[int, float]
    """Of each paragraph of the form (from 0) that leaked, how much of it."""
    matches: tuple[Match, ...]
    """Empty where only facts are alike, as in a translation."""
    held: dict[Party, float]
    """How much of it each partner was given."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place where the copies differ and the leak could be read."""

    slot: Slot
    form: str
    bit: Bit
    letters: dict[Party, Bit]
    """What each marked copy says there."""
    modes: dict[Party, Mode]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found. `id`: SHA-256 of the digests of the leaks."""

    id: str
    at: str
    leaks: tuple[Leak, ...]
    pieces: tuple[Piece, ...]
    forms: dict[str, store.Form]
    places: dict[str, Place]
    contradicted: int
    """Places at which two leaks, or two forms, say different things: none of them counts."""
    copies: tuple[Shown, ...]


class _Reading(NamedTuple):
    """A leak against one form."""

    matches: tuple[Match, ...]
    bits: dict[str, Bit]
    slots: tuple[Slot, ...]


def catch_up(node: Node, tell: Tell = lambda *_: None) -> Traces:
    """The index of released texts, with all that was released since the last time."""
    index = Traces(node.home.folder / "traces.db", version=likeness.VERSION)
    missing: list[str] = []
    with node.reading() as db:
        before = 1 << 62
        while rows := store.forms_before(db, before, _BATCH):
            before = rows[-1][0]
            known = index.known([name for _, name, _ in rows])
            missing += [name for _, name, _ in rows if name not in known]
            if known:  # forms are added in their order: all older ones are there
                break
        missing.reverse()
        for start in range(0, len(missing), _BATCH):
            names = missing[start : start + _BATCH]
            forms = store.forms_named(db, names)
            index.add((name, likeness.features(forms[name].text).stored()) for name in names)
            tell(start + len(names), len(missing))
    return index


def investigate(node: Node, leaks: Sequence[Leak], tell: Tell = lambda *_: None) -> Case:
    """All that can be said about these leaks, taken together."""
    index = catch_up(node, tell)
    with node.reading() as db:
        pieces: list[Piece] = []
        forms: dict[str, store.Form] = {}
        copies: dict[str, store.Delivered] = {}
        places = _Places(node)
        for number, leak in enumerate(leaks):
            body, _ = deliver.undressed(leak.text)
            for source in likeness.candidates(index, likeness.features(body)):
                names = [source.best.form, *(each.form for each in source.alternatives)]
                some = store.forms_named(db, names)
                its = store.copies_of(db, names)
                readings = {name: _read(form, body) for name, form in some.items()}
                pieces.append(_piece(db, number, body, source, some, readings, its))
                forms |= some
                copies |= {each.copy.release_id: each for each in its}
                places.add(readings, its)
        found = shown(node, db, forms, copies.values())
    return Case(
        id=sha256("\n".join(sorted(leak.digest for leak in leaks)).encode()).hexdigest(),
        at=store.stamp(node.clock()),
        leaks=tuple(leaks),
        pieces=tuple(pieces),
        forms=forms,
        places=places.agreed(),
        contradicted=len(places.contradicted),
        copies=tuple(found),
    )


def record(node: Node, case: Case, answer: bytes, *, officer: str) -> None:
    """Put a trace on the ledger, before anybody sees its answer. Raises `Refused` where nobody may ask."""
    with node.writing() as db:
        officers.must_be_officer(db, officer)
        told = {"case": case.id, "leaks": len(case.leaks), "answer": sha256(answer).hexdigest()}
        node.record(Act.TRACED, told | {"officer": officer})


def paragraphs(text: str) -> list[tuple[int, int]]:
    """Where the paragraphs of a form are: its portions, as far as they were released."""
    spans, at = [], 0
    for part in text.split("\n\n"):
        spans.append((at, at + len(part)))
        at += len(part) + 2
    return spans


def _read(form: store.Form, body: str) -> _Reading:
    matches = likeness.align(form.text, body)
    places = slots_of(form.slots)
    return _Reading(matches, slots.read(places, form.text, body, matches), places)


def _piece(
    db: Connection,
    number: int,
    body: str,
    source: likeness.Source,
    forms: Mapping[str, store.Form],
    readings: Mapping[str, _Reading],
    copies: Iterable[store.Delivered],
) -> Piece:
    best = forms[source.best.form]
    product = store.numbered(db, [best.product])[best.product].product
    reading = readings[source.best.form]
    spans = paragraphs(best.text)
    shares = (
        likeness.covered(best.text, spans, reading.matches)
        if reading.matches
        else likeness.echoed(best.text, spans, body)
    )
    held: dict[Party, float] = {}
    for each in copies:
        form = each.copy.form
        share = _share_held(reading, readings[form], best, forms[form], body)
        held[each.copy.partner] = max(share, held.get(each.copy.partner, 0.0))
    return Piece(
        leak=number,
        form=source.best.form,
        product=product.id,
        version=product.version,
        title=product.title,
        chance=source.best.chance,
        portions={at: share for at, share in enumerate(shares) if share > 0},
        matches=reading.matches,
        held=held,
    )


def _share_held(best: _Reading, other: _Reading, form: store.Form, others: store.Form, body: str) -> float:
    """How much of what leaked of the best form another form has too."""
    if form == others:
        return 1.0
    if best.matches:
        return min(_size(other.matches) / _size(best.matches), 1.0)
    whole, part = (sum(likeness.echoed(each.text, [(0, len(each.text))], body)) for each in (form, others))
    return min(part / whole, 1.0) if whole else 0.0


def _size(matches: Iterable[Match]) -> int:
    return sum(match.leak_size for match in matches)


class _Places:
    """What the leaks say at places, and what the copies of partners say there."""

    def __init__(self, node: Node) -> None:
        self._key = key_of(node)
        self._places: dict[str, Place] = {}
        self.contradicted: set[str] = set()

    def add(self, readings: Mapping[str, _Reading], copies: Iterable[store.Delivered]) -> None:
        for each in copies:
            copy, reading = each.copy, readings[each.copy.form]
            if not copy.mode:
                continue
            mode = Mode(copy.mode)
            its = letters(self._key, reading.slots, copy.partner, mode)
            for slot in reading.slots:
                if slot.key not in reading.bits:
                    continue
                bit = reading.bits[slot.key]
                place = self._places.setdefault(
                    slot.key, Place(slot=slot, form=copy.form, bit=bit, letters={}, modes={})
                )
                if place.bit != bit:
                    self.contradicted.add(slot.key)
                place.letters[copy.partner] = its[slot.key]
                place.modes[copy.partner] = mode

    def agreed(self) -> dict[str, Place]:
        return {name: place for name, place in self._places.items() if name not in self.contradicted}
