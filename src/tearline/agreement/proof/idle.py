"""Clauses of the proposed agreement that do nothing: dead, or shadowed by the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from tearline.agreement.evaluate import Action
from tearline.agreement.manifest import Agreement
from tearline.agreement.proof.answers import Answer, Status
from tearline.agreement.proof.encode import Encoder, Rules, Spoken
from tearline.agreement.proof.logic import Point, Term, Terms
from tearline.agreement.proof.pair import Pair

GUESSES = 8
"""How many cases are guessed for a clause and action before a solver is asked."""


class _Part(NamedTuple):
    """What one clause does for one action."""

    spoken: Spoken
    says: Term
    """Where its head and conditions hold, of an item that there can be."""
    decides: Term
    """Where it matches, and for a permit nothing forbids."""
    sole: Term
    """Where it decides and no other clause of its effect matches."""
    others: Mapping[str, Term]
    """Where each clause of its effect matches, itself included."""


def idle(
    encoder: Encoder,
    rules: Mapping[Action, Rules],
    proposed: Agreement,
    pair: Pair,
    progress: Callable[[], None],
) -> list[Answer]:
    """An answer for each clause that is dead or shadowed. Raises `Unknown`.

    For most clauses a case that they alone decide is guessed. For the others the first solver looks for
    one; the second confirms all at once that there is none where it finds none.
    """
    terms = encoder.terms
    parts: dict[str, list[_Part]] = {f"{proposed.id}/{clause.id}": [] for clause in proposed.parsed}
    for action, action_rules in rules.items():
        for part in _parts(encoder, action_rules, parts.keys(), encoder.universe.possible(action)):
            parts[part.spoken.name].append(part)
    guessed = _guessed(terms, [part for each in parts.values() for part in each])
    answers: list[Answer] = []
    claims: list[Term] = []
    for clause in proposed.parsed:
        name = f"{proposed.id}/{clause.id}"
        if not any(guessed[part.sole] for part in parts[name]):
            found = _Clause(name, clause.tree.effect, parts[name], terms, pair, claims, guessed)
            if not found.does_something():
                answers.append(found.dead(encoder, proposed) or found.shadowed())
        progress()
    if claims:
        pair.agree([terms.some(claims)])
    return answers


def _parts(encoder: Encoder, rules: Rules, names: Collection[str], possible: Term) -> Iterator[_Part]:
    terms = encoder.terms
    allowed = terms.no(rules.forbidden)
    for effect in (rules.permits, rules.forbids):
        matches = {spoken.name: encoder.matches(spoken) for spoken in effect}
        for spoken, rest in zip(effect, _none_but(terms, list(matches.values())), strict=True):
            if spoken.name not in names:
                continue
            says = terms.every([spoken.says, possible])
            own = terms.every([matches[spoken.name], possible])
            decides = terms.every([own, allowed]) if effect is rules.permits else own
            yield _Part(spoken, says, decides, terms.every([decides, rest]), matches)


def _guessed(terms: Terms, parts: Sequence[_Part]) -> list[int]:
    """For each term, at which of the cases guessed it holds."""
    guesses = {terms.guess(part.others[part.spoken.name], turn) for part in parts for turn in range(GUESSES)}
    return terms.truth(sorted(guesses))


def _none_but(terms: Terms, matches: Sequence[Term], rest: Term = Terms.TRUE) -> Iterator[Term]:
    """For each, that `rest` holds and none of the others does: by halves, so that terms stay shallow."""
    if len(matches) <= 1:
        yield from [rest] * len(matches)
        return
    left, right = matches[: len(matches) // 2], matches[len(matches) // 2 :]
    yield from _none_but(terms, left, terms.every([rest, *map(terms.no, right)]))
    yield from _none_but(terms, right, terms.every([rest, *map(terms.no, left)]))


class _Clause:
    """One clause; what the first solver finds nowhere is put on the list of claims."""

    def __init__(
        self,
        name: str,
        effect: str,
        parts: Sequence[_Part],
        terms: Terms,
        pair: Pair,
        claims: list[Term],
        guessed: Sequence[int],
    ) -> None:
        self.name, self.effect, self.parts = name, effect, parts
        self._terms, self._pair, self._claims, self._guessed = terms, pair, claims, guessed

    def does_something(self) -> bool:
        return not self._nowhere(part.sole for part in self.parts)

    def dead(self, encoder: Encoder, proposed: Agreement) -> Answer | None:
        """That it never decides, and why: what is asked for narrows until nothing is left."""
        if not self._nowhere(part.decides for part in self.parts):
            return None
        in_force, shared = encoder.in_force(proposed), encoder.shared(proposed)
        says = [part.says for part in self.parts]
        narrower: list[tuple[str, list[Term]]] = [
            ("nothing ever meets its conditions, from now on", says),
            (
                "it holds only when the agreement is not in force",
                [self._terms.every([each, in_force]) for each in says],
            ),
        ]
        if self.effect == "permit":
            narrower += [
                (
                    "it names only partners that are no party to the agreement",
                    [self._terms.every([each, in_force, shared]) for each in says],
                ),
                (
                    "the agreement's table has no row for the levels that it asks for",
                    [self._terms.every([part.says, part.spoken.counts]) for part in self.parts],
                ),
            ]
        why = next(
            (reason for reason, stage in narrower if self._nowhere(stage)), "clauses that forbid override it"
        )
        return self._answer("dead", f"Clause {self.name} never decides: {why}.")

    def shadowed(self) -> Answer:
        verb = f"{self.effect}s" if self.effect == "permit" else "forbids"
        done = "permitted" if self.effect == "permit" else "forbidden"
        alone = self._alone()
        cover = f"by clause {alone} alone" if alone else "by other clauses together"
        return self._answer("shadowed", f"All that clause {self.name} {verb} is {done} {cover}.")

    def _alone(self) -> str | None:
        """The one other clause that matches wherever this one decides; each case found rules out more."""
        cases: list[Point] = []
        holds = self._terms.holds
        for other in sorted({name for part in self.parts for name in part.others} - {self.name}):
            pairs = [(part.decides, part.others.get(other, self._terms.FALSE)) for part in self.parts]
            if any(self._guessed[does] & ~self._guessed[match] for does, match in pairs):
                continue
            if any(holds(does, case) and not holds(match, case) for case in cases for does, match in pairs):
                continue
            left = self._terms.some(
                self._terms.every([decides, self._terms.no(match)]) for decides, match in pairs
            )
            point = self._pair.find([left])
            if point is None:
                self._claims.append(left)
                return other
            cases.append(point)
        return None

    def _nowhere(self, given: Iterator[Term] | Sequence[Term]) -> bool:
        term = self._terms.some(given)
        if self._pair.find([term]) is not None:
            return False
        self._claims.append(term)
        return True

    def _answer(self, question: str, sentence: str) -> Answer:
        return Answer(question=question, about=self.name, status=Status.PROVED, sentence=sentence)
