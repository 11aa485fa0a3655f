"""Two solvers that check each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tearline.agreement.proof.logic import Point, Term, Terms
from tearline.agreement.proof.solvers import NotInstalled, OutOfTime, Solver

REMEDY = "pip install 'tearline[proof]'"


class Unknown(Exception):
    """Nothing is known; says why in one sentence."""


class Pair:
    """Asks the first, and lets the second check that there is nothing where the first finds nothing.

    What a solver finds is checked by evaluating the terms there. Raises `Unknown` where a solver is not
    installed (when made), time is out, one fails or finds what is none, or the two disagree.
    """

    def __init__(
        self,
        terms: Terms,
        kinds: tuple[type[Solver], type[Solver]],
        seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._terms, self._seconds, self._clock = terms, seconds, clock
        self._end = clock() + seconds
        try:
            self._first, self._second = (kind(terms, seconds) for kind in kinds)
        except NotInstalled as missing:
            raise Unknown(f"the solver {missing} is not installed: {REMEDY}") from None

    def find(self, wanted: Sequence[Term]) -> Point | None:
        """What the first finds. Nothing is proved by it: ask `agree` for that."""
        return self._ask(self._first, wanted)

    def agree(self, wanted: Sequence[Term]) -> None:
        """The second, too, finds nothing."""
        if self._ask(self._second, wanted) is not None:
            raise Unknown(f"{self._second.name} finds a case where {self._first.name} finds none")

    def both(self, wanted: Sequence[Term]) -> Point | None:
        """What the first finds; whether there is anything, both say."""
        point = self.find(wanted)
        if point is None:
            self.agree(wanted)
        elif self._ask(self._second, wanted) is None:
            raise Unknown(f"{self._first.name} finds a case where {self._second.name} finds none")
        return point

    def _ask(self, solver: Solver, wanted: Sequence[Term]) -> Point | None:
        late = Unknown(f"{solver.name} did not decide within {self._seconds:g} seconds")
        if self._clock() > self._end:
            raise late
        try:
            point = solver.find(wanted)
        except OutOfTime:
            raise late from None
        except Exception as error:  # whatever goes wrong in a solver: nothing is proved by it
            raise Unknown(f"{solver.name} failed ({type(error).__name__})") from error
        if point is not None and not all(self._terms.holds(term, point) for term in wanted):
            raise Unknown(f"{solver.name} gave as a case what is none")
        return point
