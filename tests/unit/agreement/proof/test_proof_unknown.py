"""What is not known is said to be unknown: missing, slow, lying and disagreeing solvers; strange clauses."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import pytest

from tearline.agreement.proof import Proof, Status
from tearline.agreement.proof.encode import Encoder, NotEncoded
from tearline.agreement.proof.logic import Point, Term, Terms
from tearline.agreement.proof.revision import SOLVERS
from tearline.agreement.proof.solvers import CVC5, Z3, OutOfTime, Solver
from tests.unit.agreement.proof.texts import NO_PERSON, agreement, answer, clause, proved

OLD = agreement(clause("reports", f"resource.level <= 2 && {NO_PERSON}"))
WIDER = agreement(clause("reports", f"resource.level <= 3 && {NO_PERSON}"))


def nothing_is_known(proof: Proof, sentence: str) -> None:
    assert {each.status for each in proof.answers} == {Status.UNKNOWN}
    assert {each.sentence for each in proof.answers} == {sentence}
    assert {each.question for each in proof.answers} == {
        "releases-more",
        "withholds-more",
        "charter",
        "dead",
        "shadowed",
    }
    assert proof.unknown
    assert not proof.keeps_charter


@pytest.mark.parametrize("missing", ["z3", "cvc5"])
def test_a_solver_that_is_not_installed(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    really = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:
        if name == missing:
            raise ImportError(name)
        return really(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    proof = proved([OLD], OLD)
    nothing_is_known(proof, f"The solver {missing} is not installed: pip install 'tearline[proof]'.")


def test_a_clause_that_the_encoder_cannot_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Term:
        raise NotEncoded

    monkeypatch.setattr(Encoder, "number", refuse)
    nothing_is_known(proved([OLD], OLD), "Clause club/reports says what the prover does not know.")


def test_time_that_is_out() -> None:
    ticks = count(0.0, 40.0)
    proof = proved([OLD], OLD, clock=lambda: next(ticks))
    late = [each for each in proof.answers if each.status is Status.UNKNOWN]
    assert late
    assert {each.sentence for each in late} == {"Z3 did not decide within 60 seconds."} | (
        {"Cvc5 did not decide within 60 seconds."} & {each.sentence for each in late}
    )
    assert proof.unknown


def lying(base: type[Solver], lie: Callable[[Point | None], Point | None]) -> type[Solver]:
    class Lying(base):  # type: ignore[misc, valid-type]
        def find(self, wanted: Sequence[Term]) -> Point | None:
            return lie(super().find(wanted))

    return Lying


def slow(base: type[Solver]) -> type[Solver]:
    class Slow(base):  # type: ignore[misc, valid-type]
        def find(self, wanted: Sequence[Term]) -> Point | None:
            raise OutOfTime

    return Slow


def failing(base: type[Solver]) -> type[Solver]:
    class Failing(base):  # type: ignore[misc, valid-type]
        def find(self, wanted: Sequence[Term]) -> Point | None:
            raise RuntimeError("an internal error")

    return Failing


def nothing(point: Point | None) -> Point | None:
    return None


def first_values(point: Point | None) -> Point | None:
    return tuple(0 for _ in point) if point is not None else None


@pytest.mark.parametrize(
    ("solvers", "sentence"),
    [
        ((lying(Z3, nothing), CVC5), "Cvc5 finds a case where z3 finds none."),
        ((Z3, lying(CVC5, nothing)), "Z3 finds a case where cvc5 finds none."),
        ((CVC5, lying(Z3, nothing)), "Cvc5 finds a case where z3 finds none."),
        ((lying(Z3, first_values), CVC5), "Z3 gave as a case what is none."),
        ((Z3, lying(CVC5, first_values)), "Cvc5 gave as a case what is none."),
        ((slow(Z3), CVC5), "Z3 did not decide within 60 seconds."),
        ((Z3, slow(CVC5)), "Cvc5 did not decide within 60 seconds."),
        ((failing(Z3), CVC5), "Z3 failed (RuntimeError)."),
        ((Z3, failing(CVC5)), "Cvc5 failed (RuntimeError)."),
    ],
)
def test_a_solver_that_lies_or_is_slow(solvers: tuple[type[Solver], type[Solver]], sentence: str) -> None:
    proof = proved([OLD], WIDER, solvers=solvers)
    told = answer(proof, "releases-more", "release")
    assert (told.status, told.sentence, told.example) == (Status.UNKNOWN, sentence, None)
    assert proof.unknown


def test_no_charter_is_kept_on_the_word_of_one_solver() -> None:
    proof = proved([], agreement(clause("all")), solvers=(lying(Z3, nothing), CVC5))
    assert answer(proof, "charter", "C5").status is Status.UNKNOWN
    assert not proof.keeps_charter


def test_clauses_too_need_both() -> None:
    odd = agreement(clause("a", NO_PERSON), clause("b", NO_PERSON + " && resource.reach < 2"))
    first = proved([odd], odd, solvers=(lying(Z3, nothing), CVC5))
    assert answer(first, "dead", "club").sentence == "Cvc5 finds a case where z3 finds none."
    second = proved([odd], odd, solvers=(Z3, slow(CVC5)))
    assert answer(second, "shadowed", "club").status is Status.UNKNOWN


def test_what_cedar_does_not_confirm_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the encoder forgets what a clause asks of the originator."""
    right = Encoder.equal
    monkeypatch.setattr(Encoder, "equal", lambda encoder, op, same: encoder.terms.TRUE)
    more = agreement(clause("all", f'resource.category == Category::"imagery" && {NO_PERSON}'))
    told = answer(proved([], more), "releases-more", "release")
    assert told.sentence == "Cedar does not confirm the case that the solvers found."
    monkeypatch.setattr(Encoder, "equal", right)
    assert answer(proved([], more), "releases-more", "release").status is Status.COUNTEREXAMPLE


def test_progress_is_told_once_for_each_question_and_clause() -> None:
    told: list[tuple[int, int]] = []
    proved([OLD], WIDER, progress=lambda done, total: told.append((done, total)))
    assert told == [(number, 10) for number in range(1, 11)]


def test_the_solvers_are_two() -> None:
    assert [solver.name for solver in SOLVERS] == ["z3", "cvc5"]


@pytest.fixture(params=SOLVERS)
def solver(request: pytest.FixtureRequest) -> tuple[Terms, Solver]:
    terms = Terms()
    return terms, request.param(terms, 10.0)


def test_a_solver_is_told_more_between_questions(solver: tuple[Terms, Solver]) -> None:
    terms, asked = solver
    colour = terms.variable(5)
    assert asked.find([terms.among(colour, [1, 3])]) in [(1,), (3,)]
    size = terms.variable(4)
    small = terms.every([terms.among(size, [0, 1]), terms.among(colour, [0, 2, 4])])
    point = asked.find([small, terms.no(terms.among(colour, [0, 4]))])
    assert point is not None
    assert (point[0], point[1] <= 1) == (2, True)
    assert asked.find([small, terms.among(colour, [1, 3])]) is None
    assert asked.find([terms.FALSE]) is None
    assert asked.find([terms.TRUE]) is not None
    assert asked.find([]) is not None


@pytest.mark.parametrize("kind", SOLVERS)
def test_a_real_solver_gives_up_in_time(kind: type[Solver]) -> None:
    """Twelve pigeons in eleven holes: no solver of this kind sees it soon."""
    terms = Terms()
    pigeons = [terms.variable(11) for _ in range(12)]
    apart = [
        terms.some([terms.no(terms.among(one, [hole])), terms.no(terms.among(other, [hole]))])
        for number, one in enumerate(pigeons)
        for other in pigeons[:number]
        for hole in range(11)
    ]
    with pytest.raises(OutOfTime):
        kind(terms, 0.2).find(apart)
