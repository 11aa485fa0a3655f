"""What leaks say where copies differ, and what each partner's copy says there.

A place is read without any key and without a look at any copy: the bound on accusing an innocent rests on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from tearline.adapters import store
from tearline.node.marks import ZERO_WIDTH, key_of, letters, marked_unseen, option_of, slots_of, unseen
from tearline.node.opened import Node
from tearline.terms import Party
from tearline.trace import canary as canaries
from tearline.trace import codes, likeness, slots
from tearline.trace.terms import Bit, Match, Mode, Seen, Slot
from tearline.vault import Canary


class Reading(NamedTuple):
    """A leak against one form."""

    matches: tuple[Match, ...]
    bits: dict[str, Bit]
    slots: tuple[Slot, ...]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place at which copies differ and the leak could be read. Of a canary, `bit` is 1."""

    form: str
    start: int
    end: int
    """Code points of the form."""
    kind: str
    options: tuple[str, ...]
    read: int
    """The number of the option that the leak says."""
    chance: float
    """That an innocent's copy says the same."""
    seen: Seen
    letters: dict[Party, Bit]
    """What each copy says: 1 for the second option, or, of a canary, where it says the same as the leak."""


def read_form(form: store.Form, body: str) -> Reading:
    """A leak against a form: where it is alike, and what it says at the form's places."""
    matches, places = likeness.align(form.text, body), slots_of(form.slots)
    return Reading(matches, dict(slots.read(places, form.text, body, matches)), places)


class Places:
    """All places that the leaks of a case could be read at."""

    def __init__(self, node: Node) -> None:
        self._key = key_of(node)
        self._places: dict[str, Place] = {}
        self._read: list[_Form] = []
        self._unseen: dict[str, set[int]] = {}
        self.contradicted: set[str] = set()

    def read(
        self,
        forms: Mapping[str, store.Form],
        readings: Mapping[str, Reading],
        copies: Iterable[store.Delivered],
        body: str,
    ) -> None:
        """Add what one leak says, and what these copies of the forms do."""
        its: dict[str, list[store.Copy]] = {name: [] for name in forms}
        for each in copies:
            its[each.copy.form].append(each.copy)
        for name, some in its.items():
            self._read.append(_Form(name, forms[name], readings[name], some, body))
            for copy in some:
                if copy.mode:
                    self._add(name, readings[name], copy)

    def _add(self, form: str, reading: Reading, copy: store.Copy) -> None:
        mode = Mode(copy.mode)
        its = letters(self._key, reading.slots, copy.partner, mode)
        for slot in reading.slots:
            if slot.key not in reading.bits:
                continue
            name, bit = f"{slot.key} {mode}", reading.bits[slot.key]
            p = codes.bias(self._key, slot.key, mode)
            self._note(
                name,
                Place(
                    form=form,
                    start=slot.start,
                    end=slot.end,
                    kind=slot.kind,
                    options=slot.options,
                    read=bit,
                    chance=p if bit else 1 - p,
                    seen=Seen(name, p, bit),
                    letters={copy.partner: its[slot.key]},
                ),
            )

    def read_canary(self, canary: Canary) -> None:
        """Add what the leaks say of a canary, where copies were given with it."""
        for each in self._read:
            for copy in each.copies:
                for start, end, said in copy.dress:
                    if each.form.text[start:end] == canary.phrase and said in canary.options:
                        self._add_canary(canary, each, (start, end), copy)

    def _add_canary(self, canary: Canary, each: _Form, span: tuple[int, int], copy: store.Copy) -> None:
        near = canaries.window(span, each.reading.matches, each.body)
        which = canaries.read(canary.options, near)
        if which is None or copy.partner in canary.by_hand:  # what was chosen by hand was not drawn
            return
        own = option_of(self._key, canary, copy.partner)
        name, options = f"{canary.id} canary", len(canary.options)
        self._note(
            name,
            Place(
                form=each.name,
                start=span[0],
                end=span[1],
                kind="canary",
                options=canary.options,
                read=which,
                chance=1 / options,
                seen=Seen(name, 1 / options, 1, options),
                letters={copy.partner: 1 if own == which else 0},
            ),
        )

    def read_unseen(self) -> None:
        """Add the marks that cannot be seen. Of a product one place: which of the marks that are there any
        copy has. An innocent's mark is one of so many with that many times the chance."""
        for each in self._read:
            there = slots.hidden(each.body) - slots.hidden(each.form.text)
            for copy in each.copies if there else ():
                if (product := marked_unseen(copy.dress)) is not None:
                    self._unseen.setdefault(product, set()).update(there)
        for each in self._read:
            for copy in each.copies:
                if (product := marked_unseen(copy.dress)) in self._unseen:
                    self._add_unseen(product, self._unseen[product], each.name, copy)

    def _add_unseen(self, product: str, there: set[int], form: str, copy: store.Copy) -> None:
        name, options = f"{product} {ZERO_WIDTH}", slots.MARKS // len(there)
        spot = next(start for start, _, said in copy.dress if marked_unseen(((0, 0, said),)))
        self._note(
            name,
            Place(
                form=form,
                start=spot,
                end=spot,
                kind=ZERO_WIDTH,
                options=tuple(f"{mark:08x}" for mark in sorted(there)),
                read=0,
                chance=1 / options,
                seen=Seen(name, 1 / options, 1, options),
                letters={copy.partner: 1 if unseen(self._key, product, copy.partner) in there else 0},
            ),
        )

    def _note(self, name: str, place: Place) -> None:
        known = self._places.setdefault(name, place)
        if known.read != place.read:
            self.contradicted.add(name)
        known.letters.update(place.letters)

    def agreed(self) -> dict[str, Place]:
        """The places at which all that was read says the same, by their names."""
        return {name: place for name, place in self._places.items() if name not in self.contradicted}

    def seen(self) -> Iterator[Seen]:
        """What was read."""
        return (place.seen for place in self.agreed().values())

    def copies(self) -> dict[Party, dict[str, Bit]]:
        """What each partner's copies say there."""
        found: dict[Party, dict[str, Bit]] = {}
        for name, place in self.agreed().items():
            for party, bit in place.letters.items():
                found.setdefault(party, {})[name] = bit
        return found


class _Form(NamedTuple):
    name: str
    form: store.Form
    reading: Reading
    copies: list[store.Copy]
    body: str
