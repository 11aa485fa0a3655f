"""The charter: the laws that are statements about agreements, each as a term that must hold nowhere.

The list is documented in `docs/charter.md`. C1 to C4 hold of every text, by the way agreements are
evaluated: proving them guards evaluator and encoder. C5 is what a text can break.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tearline.agreement.evaluate import Action
from tearline.agreement.manifest import Agreement
from tearline.agreement.proof.encode import Encoder
from tearline.agreement.proof.logic import Term
from tearline.terms import Discipline, Topic


class Sets(NamedTuple):
    """What a law may speak of."""

    encoder: Encoder
    after: Sequence[Agreement]
    """The agreements that would be in force."""
    proposed: Agreement
    suspensions: Sequence[Agreement]

    def permitted(self, action: Action) -> Term:
        return self.encoder.rules(self.after, action).permitted

    def forbids(self, agreements: Sequence[Agreement], action: Action) -> Term:
        """A forbid of one of them matches while its agreement is in force."""
        terms = self.encoder.terms
        return terms.some(
            terms.every([_in_force(self, each), spoken.says])
            for each in agreements
            for spoken in self.encoder.spoken(each, "forbid", action)
        )


class Law(NamedTuple):
    code: str
    statement: str
    breach: Callable[[Sets, Action], Term]
    """Where the law is broken by what the action permits."""
    alone: bool
    """Whether the proposed agreement must keep it by itself. A law that only the whole set kept could be
    broken by changing another agreement, which had kept it on behalf of this one."""
    remedy: str


# What the laws say is said here anew, not taken from the encoder: a fault there must not hide itself.


def _in_force(sets: Sets, agreement: Agreement) -> Term:
    first, end = agreement.bounds
    universe = sets.encoder.universe
    return universe.when([first <= now < end for now in universe.instants])


def _shared(sets: Sets, agreement: Agreement) -> Term:
    universe = sets.encoder.universe
    if universe.own not in agreement.parties:
        return universe.terms.FALSE
    return universe.terms.every([_in_force(sets, agreement), universe.partner_among(agreement.parties)])


def _stranger(sets: Sets, action: Action) -> Term:
    terms = sets.encoder.terms
    known = terms.some(_shared(sets, each) for each in sets.after)
    return terms.every([sets.permitted(action), terms.no(known)])


def _unranked(sets: Sets, action: Action) -> Term:
    """No permit of an agreement with rows for all levels of the item is behind it."""
    encoder, terms = sets.encoder, sets.encoder.terms

    def rows(agreement: Agreement) -> Term:
        return terms.every(
            terms.among(variable, [0, *(1 + level for level in agreement.levels.get(policy, {}))])
            for policy, variable in encoder.universe.levels.items()
        )

    behind = terms.some(
        terms.every([rows(each), _shared(sets, each), spoken.says])
        for each in sets.after
        for spoken in sets.encoder.spoken(each, "permit", action)
    )
    return terms.every([sets.permitted(action), terms.no(behind)])


def _forbidden(sets: Sets, action: Action) -> Term:
    return sets.encoder.terms.every([sets.permitted(action), sets.forbids(sets.after, action)])


def _suspended(sets: Sets, action: Action) -> Term:
    return sets.encoder.terms.every([sets.permitted(action), sets.forbids(sets.suspensions, action)])


def _person(sets: Sets, action: Action) -> Term:
    if action is not Action.RELEASE:
        return sets.encoder.terms.FALSE
    universe, terms = sets.encoder.universe, sets.encoder.terms
    person = universe.has(universe.disciplines[Discipline.HUMINT])
    warning = universe.has(universe.topics[Topic.THREAT_TO_LIFE])
    return terms.every([sets.encoder.rules([sets.proposed], action).permitted, person, terms.no(warning)])


_OURS = "this is a fault of the program, not of the text: report it"

CHARTER = (
    Law(
        "C1",
        "Nothing is permitted to a partner that shares no agreement in force with the node.",
        _stranger,
        False,
        _OURS,
    ),
    Law(
        "C2",
        "Nothing is permitted at a level for which the permitting agreement's table has no row.",
        _unranked,
        False,
        _OURS,
    ),
    Law("C3", "Nothing that a forbid matches is permitted.", _forbidden, False, _OURS),
    Law(
        "C4",
        "Nothing in the scope of a suspension in force is permitted to the suspended partner.",
        _suspended,
        False,
        _OURS,
    ),
    Law(
        "C5",
        "What a person told us (discipline humint) goes whole only as a warning of a threat to life.",
        _person,
        True,
        'write unless { resource.disciplines.contains(Discipline::"humint") } there',
    ),
)
