"""Replay: present agreements against proposed ones, over the items of years, each at its own time.

An item goes to a partner whole if its whole form is permitted `release` and lets the partner in; else as a
tearline if one of its forms for the partner is permitted `releaseTearline`; else it is withheld. That is
what the gate does (`gate.decide`, checks 5 to 7) where label and third-party rule have spoken.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tearline.agreement import Action, Agreement, Agreements, Ruling, Verdict
from tearline.agreement.tables import (
    TEARLINE,
    WHOLE,
    Codes,
    Columns,
    Epochs,
    Row,
    Tables,
    Words,
)
from tearline.review.changes import CHANGES, Change, Changes, Example, Side, Totals, agree, counted
from tearline.review.clauses import Groups, rows_of
from tearline.review.count import Cells, Rows, Tally, unpack
from tearline.terms import Party

FORMS = "The text changes how imagery and signals may be sanitized: only what clauses say is counted."
BOTH_ACTIONS = "The items have no forms: whole and tearline were judged on the same facts."


Heard = Callable[[Columns, Rows, Words], None]


def revised(present: Sequence[Agreement], proposed: Agreement) -> tuple[Agreement, ...]:
    """The agreements with `proposed` in the place of the version with its id, or added."""
    return (*(each for each in present if each.id != proposed.id), proposed)


class Replay:
    """Add columns, any number of times; then ask for the `changes`. Items must not be split between them.

    `epochs`: who was in which coalition from which day on. `examples`: at most how many for each partner and
    kind of change. `heard` is told of every item that changes: some columns, the first rows of items in
    them, and for whom each of `CHANGES` happens to it, as bits (changes, words, items).
    """

    def __init__(
        self,
        own: Party,
        present: Sequence[Agreement],
        proposed: Sequence[Agreement],
        partners: Sequence[Party],
        epochs: Epochs,
        *,
        examples: int = 3,
        heard: Heard | None = None,
    ) -> None:
        self.own, self.present, self.proposed = own, present, proposed
        self.partners, self.epochs = sorted(set(partners)), epochs
        self._tables = Tables(own, [present, proposed], self.partners, epochs)
        self._cedar = [Agreements(own, agreements) for agreements in (present, proposed)]
        self._items, self._heard = 0, heard
        before, after = ({each.id: each.forms for each in some if each.forms} for some in (present, proposed))
        self._notes = [FORMS] if before != after else []
        # Who gets what whole, and who as a tearline: all of it now, and what of it becomes what.
        words = 2 * self._tables.shape[-1]
        self._given, self._less, self._more = Tally(words), Tally(words), Tally(words)
        self._cells, self._groups = Cells(len(self.partners)), Groups()
        self._left = np.full((len(CHANGES), len(self.partners)), examples)
        self._found: list[_Found] = []

    def add(self, columns: Columns) -> None:
        """Judge these items by both sets."""
        if not len(columns):
            return
        to = np.stack([self._tables.bits(parties) for parties in columns.to.values], axis=-1)
        if columns.form is None and BOTH_ACTIONS not in self._notes:
            self._notes.append(BOTH_ACTIONS)
        for rows, kinds, table in self._tables.chunks(columns):
            self._judge(columns.part(rows), kinds, table, np.take(to, columns.to.codes[rows], axis=-1))

    def _judge(self, part: Columns, kinds: Codes, table: Words, let_in: Words) -> None:
        """`table`: (sets, actions, words, kinds); `let_in`: (words, rows)."""
        items = np.arange(len(part)) if part.first is None else np.flatnonzero(part.first)
        self._items += len(items)
        before = _given(table[0], kinds, let_in, part.form, items)
        self._given.add(_flat(before))
        differs = np.take((table[0] != table[1]).any(axis=(0, 1)), kinds)
        if len(items) == len(part):  # then only rows that can differ are judged again
            some = np.flatnonzero(differs)
            form = None if part.form is None else part.form[some]
            after = _given(table[1], kinds[some], let_in[:, some], form, some)
        else:
            some = np.flatnonzero(np.logical_or.reduceat(differs, items))
            after = _given(table[1], kinds, let_in, part.form, items)[..., some]
        if some.size:
            found = self._compare(before[..., some], after)
            some = some[found.any(axis=(0, 1))]
            found = found[..., found.any(axis=(0, 1))]
            if some.size:
                groups = self._groups.number(part, kinds, let_in, items[some], self._tables)
                self._cells.add(part, items[some], groups, found)
                if self._heard:
                    self._heard(part, items[some], found)
                self._keep(part, items[some], found)

    def changes(self) -> Changes:
        """What has been found so far."""
        self._cells.settle()
        return Changes(
            own=self.own,
            present=tuple(sorted(each.version for each in self.present)),
            proposed=tuple(sorted(each.version for each in self.proposed)),
            items=self._items,
            totals=self._totals(),
            cells=self._cells.cells(self.partners),
            examples=self._examples(),
            reasons=self._groups.reasons(self._cells.groups, self.partners, self._fares),
            notes=tuple(self._notes),
        )

    def _compare(self, before: Words, after: Words) -> Words:
        """What becomes of items: for whom each of `CHANGES` happens, (changes, words, items).

        `before` and `after`: who gets each whole, and who as a tearline; (forms, words, items).
        """
        self._less.add(_flat(before))
        self._more.add(_flat(after))
        return _changes(before, after)

    def _totals(self) -> tuple[Totals, ...]:
        now, less, more = (each.total().reshape(2, -1) for each in (self._given, self._less, self._more))
        return tuple(
            Totals(
                partner=party,
                whole=(int(now[0, number]), int((now - less + more)[0, number])),
                tearline=(int(now[1, number]), int((now - less + more)[1, number])),
                counts=counted(self._cells.totals[:, number].tolist()),
            )
            for number, party in enumerate(self.partners)
        )

    # --- Examples ------------------------------------------------------------------------------------

    def _keep(self, part: Columns, items: Rows, found: Words) -> None:
        """Keep the first items of each kind of change and partner as examples."""
        some = unpack(np.bitwise_or.reduce(found, axis=2).T)[:, : len(self.partners)]
        for number, partner in np.argwhere(some & (self._left > 0)):
            words = found[number, partner // 64] >> np.uint64(partner % 64) & np.uint64(1)
            for item in items[np.flatnonzero(words)[: self._left[number, partner]]]:
                self._left[number, partner] -= 1
                self._found.append(_Found(CHANGES[number], self.partners[partner], rows_of(part, int(item))))

    def _examples(self) -> tuple[Example, ...]:
        """What was kept, with the rulings of Cedar. Raises `Broken` where it says something else."""
        made = []
        for each in sorted(self._found, key=lambda found: (found.partner, CHANGES.index(found.change))):
            first = each.forms[0]
            ((before, after),) = self._fares(each.forms, [each.partner]).values()
            agree(each.change, before, after)
            made.append(
                Example(
                    change=each.change,
                    partner=each.partner,
                    id=first.id,
                    version=first.version,
                    at=first.at,
                    originator=first.facts.originator,
                    category=first.facts.category,
                    topics=tuple(sorted(first.facts.topics)),
                    before=before,
                    after=after,
                )
            )
        return tuple(made)

    def _fares(self, forms: Sequence[Row], partners: Sequence[Party]) -> dict[Party, tuple[Side, Side]]:
        """How an item of these forms fares now and then with these partners, by Cedar."""
        now, then = (self._sides(rules, forms, partners) for rules in self._cedar)
        return {party: (now[party], then[party]) for party in partners}

    def _sides(self, rules: Agreements, forms: Sequence[Row], partners: Sequence[Party]) -> dict[Party, Side]:
        rulings: dict[int, dict[Party, Ruling]] = {WHOLE: {}, TEARLINE: {}}
        left = set(partners)
        for form, action in ((WHOLE, Action.RELEASE), (TEARLINE, Action.RELEASE_TEARLINE)):
            for row in forms:
                asked = {
                    party: self._coalitions(party, row.day)
                    for party in sorted(left)
                    if row.form & form and (row.to is None or party in row.to)
                }
                if asked:
                    rulings[form] |= rules.rule(row.facts, asked, action, row.at)
                    left -= {party for party in asked if rulings[form][party].verdict is Verdict.PERMIT}
        return {party: _side(rulings[WHOLE].get(party), rulings[TEARLINE].get(party)) for party in partners}

    def _coalitions(self, partner: Party, day: date) -> frozenset[str]:
        number = bisect_right(self.epochs, day, key=lambda epoch: epoch[0])
        return self.epochs[number - 1][1].get(partner, frozenset()) if number else frozenset()


def _side(whole: Ruling | None, tearline: Ruling | None) -> Side:
    """Of the ruling on the whole form and the last one on a tearline form."""
    outcome = "withheld"
    if whole and whole.verdict is Verdict.PERMIT:
        outcome = "whole"
    elif tearline and tearline.verdict is Verdict.PERMIT:
        outcome = "tearline"
    return Side(outcome=outcome, whole=whole, tearline=tearline)


def bits_of(
    found: Words, change: Change, items: Rows, partners: Sequence[Party]
) -> Iterator[tuple[Party, int]]:
    """For whom a change happens to which rows, of what `Heard` is told."""
    bits = unpack(found[CHANGES.index(change)])[:, : len(partners)]
    for item, partner in np.argwhere(bits).tolist():
        yield partners[partner], int(items[item])


# --- Outcomes of a piece --------------------------------------------------------------------------


class _Found(NamedTuple):
    change: Change
    partner: Party
    forms: list[Row]


def _given(
    permitted: Words, kinds: Codes, let_in: Words, form: NDArray[np.uint8] | None, items: Rows
) -> Words:
    """Who gets each item whole, and who as a tearline: (forms, words, items).

    `permitted`: (actions, words, kinds); the rest by row; `items`: the first row of each.
    """
    given = np.take(permitted, kinds, axis=-1) & let_in
    if form is not None:
        given[0][:, form & WHOLE == 0] = 0
        given[1][:, form & TEARLINE == 0] = 0
    if len(items) < len(kinds):
        given = np.bitwise_or.reduceat(given, items, axis=-1)
    given[1] &= ~given[0]
    return given


def _flat(given: Words) -> Words:
    """(forms, words, items) to (forms * words, items)."""
    return given.reshape(-1, given.shape[-1])


def _changes(before: Words, after: Words) -> Words:
    """In the order of `CHANGES`, for whom it happens: (changes, words, items)."""
    (whole, line), (then_whole, then_line) = before, after
    now, then = whole | line, then_whole | then_line
    return np.stack([then & ~now, line & then_whole, whole & then_line, now & ~then])
