"""What a proposed version would change, and whether it keeps the charter: asked about every case at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from tearline.agreement.evaluate import Action, Agreements, Ruling, Verdict
from tearline.agreement.forms import in_words
from tearline.agreement.manifest import Agreement
from tearline.agreement.proof import words
from tearline.agreement.proof.answers import Answer, Example, Proof, Status
from tearline.agreement.proof.charter import CHARTER, Law, Sets
from tearline.agreement.proof.encode import Encoder, NotEncoded
from tearline.agreement.proof.idle import idle
from tearline.agreement.proof.logic import Point, Term, Terms
from tearline.agreement.proof.pair import Pair, Unknown
from tearline.agreement.proof.smallest import Wishes
from tearline.agreement.proof.solvers import CVC5, Z3, Solver
from tearline.agreement.proof.universe import Case, Universe
from tearline.agreement.suspension import ID as SUSPENSIONS
from tearline.terms import Party, Refused

SOLVERS: tuple[type[Solver], type[Solver]] = (Z3, CVC5)

Progress = Callable[[int, int], None]
"""Told how many questions are answered, and how many there are."""


def prove(
    own: Party,
    present: Sequence[Agreement],
    proposed: Agreement,
    *,
    since: datetime,
    members: Mapping[Party, frozenset[str]] | None = None,
    seconds: float = 60.0,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.monotonic,
    solvers: tuple[type[Solver], type[Solver]] = SOLVERS,
) -> Proof:
    """Compare `present`, the agreements in force, with the same where `proposed` has its version's place.

    The suspensions among them are left out of the comparison, and count for the charter alone.

    Every item, partner and instant from `since` on is covered, those that nobody has seen yet included.
    `members`: today's partners with their coalitions; they are only preferred in examples. What is not
    found out within `seconds` is unknown. Raises `Refused` where an agreement is not sound or `own` is no
    party to the proposed one, `ValueError` where `since` knows no time zone.
    """
    if since.tzinfo is None:
        raise ValueError("the instant from which on is asked must know its time zone")
    if own not in proposed.parties:
        raise Refused(f"{proposed.id} is not an agreement of {own}: it is not among its parties")
    if proposed.id == SUSPENSIONS:
        raise Refused(f"{SUSPENSIONS} is no name for an agreement: it stands for the node's suspensions")
    revision = _Revision(own, present, proposed, since, members or {})
    try:
        revision.encode()
        pair = Pair(revision.terms, solvers, seconds, clock)
    except NotEncoded as clause:
        answers = revision.unknown(f"clause {clause} says what the prover does not know")
    except Unknown as unknown:
        answers = revision.unknown(str(unknown))
    else:
        answers = revision.answers(pair, progress or (lambda done, all_: None))
    return Proof(
        own=own,
        agreement=proposed.id,
        version=proposed.version,
        against=tuple(sorted(f"{each.id} {each.version}" for each in present)),
        since=since,
        answers=tuple(answers),
    )


class _Shown(NamedTuple):
    """How a case that Cedar confirms is told: the clauses that permit it, and the words around its own."""

    clauses: tuple[str, ...]
    would: str
    tail: str


class _Question(NamedTuple):
    code: str
    about: str
    proved: str
    """The sentence where there is no case."""
    actions: tuple[Action, ...]
    term: Callable[[Action], Term]
    """Where there is one."""
    confirm: Callable[[Case, Action], _Shown | None]


class _Revision:
    """The present and the proposed set, for Cedar and as terms."""

    def __init__(
        self,
        own: Party,
        present: Sequence[Agreement],
        proposed: Agreement,
        since: datetime,
        members: Mapping[Party, frozenset[str]],
    ) -> None:
        self.own, self.proposed, self.since = own, proposed, since
        # A suspension ends one day: until then it would hide what the agreements themselves change.
        self.stopped = [each for each in present if each.id == SUSPENSIONS]
        self.present = [each for each in present if each.id != SUSPENSIONS]
        self.after = [each for each in self.present if each.id != proposed.id] + [proposed]
        self.old, self.new = Agreements(own, self.present), Agreements(own, self.after)
        self.terms = Terms()
        held = [each for each in (*present, proposed) if own in each.parties]
        self.universe = Universe(own, held, since, self.terms)
        self.members = {
            party: names & self.universe.coalitions.keys()
            for party, names in members.items()
            if party in self.universe.partners
        }
        self.encoder = Encoder(self.universe)
        self.questions = [
            *(self._releases_more(action) for action in Action),
            *(self._withholds_more(action) for action in Action),
            *(self._keeps(law) for law in CHARTER),
        ]

    def encode(self) -> None:
        """Raises `NotEncoded`."""
        self.sets = Sets(self.encoder, [*self.after, *self.stopped], self.proposed, self.stopped)
        self.rules_before = {action: self.encoder.rules(self.present, action) for action in Action}
        self.rules_after = {action: self.encoder.rules(self.after, action) for action in Action}
        self.wishes = Wishes(self.universe, self.members)

    def unknown(self, why: str) -> list[Answer]:
        """Nothing is known."""
        whole = [_unknown(question.code, question.about, why) for question in self.questions]
        return [*self._forms(), *whole, *_clauses_unknown(self.proposed, why)]

    def answers(self, pair: Pair, progress: Progress) -> list[Answer]:
        answers = self._forms()
        total = len(self.questions) + len(self.proposed.parsed)
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            progress(done, total)

        for question in self.questions:
            try:
                answers.append(self._answer(question, pair))
            except Unknown as unknown:
                answers.append(_unknown(question.code, question.about, str(unknown)))
            step()
        try:
            answers += idle(self.encoder, self.rules_after, self.proposed, pair, step)
        except Unknown as unknown:
            answers += _clauses_unknown(self.proposed, str(unknown))
        return answers

    def _forms(self) -> list[Answer]:
        """All else is asked about items as they go; which there are of a picture, its forms say."""
        before = {form for each in self.present if each.id == self.proposed.id for form in each.forms}
        return [
            Answer(
                question="forms",
                about=f"{self.proposed.id}/{form.name}",
                status=Status.PROVED,
                sentence=f"Form {form.name}, {in_words(form)}: what clauses permit of it newly goes.",
            )
            for form in self.proposed.forms
            if form not in before
        ]

    # --- Questions -------------------------------------------------------------------------------

    def _releases_more(self, action: Action) -> _Question:
        def confirm(case: Case, action: Action) -> _Shown | None:
            old, new = _ruling(self.old, case, action), _ruling(self.new, case, action)
            if old.verdict is Verdict.PERMIT or new.verdict is not Verdict.PERMIT:
                return None
            return _Shown(new.clauses, "would newly", f" ({words.by(new.clauses)})")

        return _Question(
            "releases-more",
            action,
            f"Nothing would newly {words.goes(action)}.",
            (action,),
            lambda action: self._more(
                self.rules_after[action].permitted, self.rules_before[action].permitted
            ),
            confirm,
        )

    def _withholds_more(self, action: Action) -> _Question:
        def confirm(case: Case, action: Action) -> _Shown | None:
            old, new = _ruling(self.old, case, action), _ruling(self.new, case, action)
            if old.verdict is not Verdict.PERMIT or new.verdict is Verdict.PERMIT:
                return None
            return _Shown(
                old.clauses, "would no longer", f" (now {words.by(old.clauses)}; then {words.barred(new)})"
            )

        return _Question(
            "withholds-more",
            action,
            f"All that may {words.goes(action)} now still may.",
            (action,),
            lambda action: self._more(
                self.rules_before[action].permitted, self.rules_after[action].permitted
            ),
            confirm,
        )

    def _keeps(self, law: Law) -> _Question:
        def confirm(case: Case, action: Action) -> _Shown | None:
            by = [self.proposed] if law.alone else [*self.after, *self.stopped]
            ruling = _ruling(Agreements(self.own, by), case, action)
            if ruling.verdict is not Verdict.PERMIT:
                return None
            return _Shown(
                ruling.clauses, "would", f" ({words.by(ruling.clauses)}), against {law.code}; {law.remedy}"
            )

        return _Question(
            "charter",
            law.code,
            law.statement,
            tuple(Action),
            lambda action: law.breach(self.sets, action),
            confirm,
        )

    def _more(self, these: Term, those: Term) -> Term:
        return self.terms.every([these, self.terms.no(those)])

    # --- An answer -------------------------------------------------------------------------------

    def _answer(self, question: _Question, pair: Pair) -> Answer:
        """Raises `Unknown`."""
        for action in question.actions:
            term = self.terms.every(
                [question.term(action), self.universe.others(), self.universe.possible(action)]
            )
            point = pair.both([term])
            if point is not None:
                return self._counterexample(
                    question, action, term, self.wishes.smallest(term, point, pair.find)
                )
        return Answer(
            question=question.code, about=question.about, status=Status.PROVED, sentence=question.proved
        )

    def _counterexample(self, question: _Question, action: Action, term: Term, point: Point) -> Answer:
        case = self.universe.case(point)
        shown = question.confirm(case, action)
        if shown is None:
            raise Unknown("Cedar does not confirm the case that the solvers found")
        example = Example(
            facts=case.facts,
            partner=case.partner,
            coalitions=case.coalitions,
            supposed=case.coalitions != self.members.get(case.partner, frozenset()),
            action=action,
            at=case.now,
            until=self._until(term, point, shown.clauses),
            clauses=shown.clauses,
        )
        what = f"{words.product(case.facts)}, {shown.would} {words.goes(action)} to {words.partner(example)}"
        sentence = f"{what[0].upper()}{what[1:]}{words.lasting(example, self.since)}{shown.tail}."
        return Answer(
            question=question.code,
            about=question.about,
            status=Status.COUNTEREXAMPLE,
            sentence=sentence,
            example=example,
        )

    def _until(self, term: Term, point: Point, clauses: Iterable[str]) -> datetime | None:
        """When `term` ceases to hold, if that is before the agreements that permit it end."""
        span = self.universe.span.number
        later = range(point[span] + 1, len(self.universe.instants))
        truth = self.terms.truth([(*point[:span], number, *point[span + 1 :]) for number in later])[term]
        end = next((self.universe.instants[n] for bit, n in enumerate(later) if not truth >> bit & 1), None)
        ids = {clause.partition("/")[0] for clause in clauses}
        ends = {each.bounds[1] for each in (*self.present, self.proposed) if each.id in ids}
        return None if end in ends else end


def _ruling(agreements: Agreements, case: Case, action: Action) -> Ruling:
    return agreements.rule(case.facts, {case.partner: case.coalitions}, action, case.now)[case.partner]


def _unknown(code: str, about: str, why: str) -> Answer:
    return Answer(question=code, about=about, status=Status.UNKNOWN, sentence=f"{why[0].upper()}{why[1:]}.")


def _clauses_unknown(proposed: Agreement, why: str) -> list[Answer]:
    return [_unknown(code, proposed.id, why) for code in ("dead", "shadowed")]
