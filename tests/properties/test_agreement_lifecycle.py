"""The life of agreements, against a model that a child could keep: who is proposed, who is in force."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tearline.agreement import Action, Agreements, lifecycle
from tearline.agreement.lifecycle import (
    Case,
    Need,
    Reviewed,
    State,
    Step,
    lacking,
    must_be_adoptable,
    red_lines,
)
from tearline.terms import Refused
from tests.agreements import OWN, World, permitted, random_worlds

VERSIONS = ("v1", "v2", "v3")
version = st.sampled_from(VERSIONS)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Lives(RuleBasedStateMachine):
    """Three versions of one agreement. The model: those proposed, the one in force, whether it is silent."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[tuple[str, Step]] = []
        self.proposed: set[str] = set()
        self.ended: set[str] = set()
        self.in_force: str | None = None
        self.suspended = False
        self.expired: set[str] = set()

    def states(self) -> dict[str, State]:
        return lifecycle.states(self.steps)

    def state(self, one: str) -> State:
        return self.states().get(one, State.DRAFT)

    def take(self, one: str, step: Step, *, allowed: bool) -> bool:
        """Whether it was taken; the program must think of it as the model does."""
        assert lifecycle.allows(self.state(one), step) == allowed
        if not allowed:
            with pytest.raises(Refused, match=f"cannot {step}"):
                lifecycle.after(self.state(one), step)
            return False
        if step is Step.ADOPT:
            others = {other: state for other, state in self.states().items() if other != one}
            self.steps += lifecycle.adoption(one, others)
        else:
            self.steps.append((one, step))
        return True

    @rule(one=version)
    def propose(self, one: str) -> None:
        fresh = one not in self.proposed | self.expired and one != self.in_force
        if self.take(one, Step.PROPOSE, allowed=fresh):
            self.proposed.add(one)

    @rule(one=version)
    def review(self, one: str) -> None:
        self.take(one, Step.REVIEW, allowed=one in self.proposed)

    @rule(one=version)
    def adopt(self, one: str) -> None:
        if self.take(one, Step.ADOPT, allowed=one in self.proposed):
            self.proposed.discard(one)
            self.expired.clear()
            self.in_force, self.suspended = one, False

    @rule(one=version)
    def suspend(self, one: str) -> None:
        if self.take(one, Step.SUSPEND, allowed=one == self.in_force and not self.suspended):
            self.suspended = True

    @rule(one=version)
    def resume(self, one: str) -> None:
        if self.take(one, Step.RESUME, allowed=one == self.in_force and self.suspended):
            self.suspended = False

    @rule(one=version)
    def withdraw(self, one: str) -> None:
        if self.take(one, Step.WITHDRAW, allowed=one in self.proposed | self.expired or one == self.in_force):
            self.proposed.discard(one)
            self.expired.discard(one)
            self.in_force = None if one == self.in_force else self.in_force

    @precondition(lambda self: self.in_force)
    @rule()
    def expire(self) -> None:
        assert self.in_force is not None
        self.take(self.in_force, Step.EXPIRE, allowed=True)
        self.expired.add(self.in_force)
        self.in_force = None

    @invariant()
    def the_program_thinks_the_same(self) -> None:
        states = self.states()
        in_force = [one for one, state in states.items() if state in lifecycle.IN_FORCE]
        assert in_force == ([self.in_force] if self.in_force else [])
        assert {one for one, state in states.items() if state is State.PROPOSED} == self.proposed
        assert {one for one, state in states.items() if state is State.EXPIRED} == self.expired
        if self.in_force:
            assert states[self.in_force] is (State.SUSPENDED if self.suspended else State.ADOPTED)


Lives.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestLives = Lives.TestCase


# --- Suspension -------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(random_worlds, st.integers(0, 99))
def test_suspending_never_releases_anything(world: World, which: int) -> None:
    """Whatever one agreement is reduced to its red lines: who is permitted then was permitted before."""
    number = which % len(world.agreements)
    reduced = [red_lines(each) if place == number else each for place, each in enumerate(world.agreements)]
    before, after = Agreements(OWN, world.agreements), Agreements(OWN, reduced)
    for facts, action, now in product(world.facts, Action, world.instants):
        gets = permitted(after, facts, world.members, action, now)
        assert gets <= permitted(before, facts, world.members, action, now)
    # The suspended one permits nothing by itself.
    alone = Agreements(OWN, [red_lines(world.agreements[number])])
    for facts, action, now in product(world.facts, Action, world.instants):
        assert not permitted(alone, facts, world.members, action, now)


# --- Law 6 ------------------------------------------------------------------------------------------

names = st.sampled_from(["heron-1", "heron-2", "heron-3"])
against = st.sampled_from([(), ("a",), ("a", "b")])
cases = st.builds(
    Case,
    version=version,
    now=st.just(NOW),
    ends=st.sampled_from([NOW - timedelta(days=1), NOW, NOW + timedelta(days=1)]),
    against=against,
    approved_by=st.frozensets(names),
    quorum=st.integers(0, 3),
    review=st.none()
    | st.builds(
        Reviewed,
        version=version,
        at=st.sampled_from([NOW - timedelta(days=days) for days in (0, 30, 31, -1)]),
        against=against,
    ),
    max_age=st.just(timedelta(days=30)),
    proof_of=st.tuples(version, against),
    keeps_charter=st.booleans(),
    unknown=st.booleans(),
)


def adoptable(case: Case) -> bool:
    """Law 6, said once more."""
    return (
        case.ends > NOW
        and len(case.approved_by) >= case.quorum
        and len(case.approved_by) >= 1
        and case.review is not None
        and case.review.version == case.version
        and case.review.against == case.against
        and 0 <= (NOW - case.review.at).days <= 30
        and case.proof_of == (case.version, case.against)
        and case.keeps_charter
        and not case.unknown
    )


def sound(case: Case) -> Case:
    """The same case with everything that adoption asks for."""
    officers = frozenset({"heron-1", "heron-2", "heron-3"})
    review = Reviewed(case.version, NOW - timedelta(days=30), case.against)
    return Case(
        version=case.version,
        now=NOW,
        ends=NOW + timedelta(seconds=1),
        against=case.against,
        approved_by=officers,
        quorum=case.quorum,
        review=review,
        max_age=case.max_age,
        proof_of=(case.version, case.against),
        keeps_charter=True,
        unknown=False,
    )


@settings(max_examples=500)
@given(cases, st.sets(st.sampled_from(Case.__struct_fields__), max_size=2))
def test_nothing_is_adopted_without_all_that_law_6_asks_for(case: Case, odd: set[str]) -> None:
    whole = sound(case)
    mixed = Case(**{f: getattr(case if f in odd else whole, f) for f in Case.__struct_fields__})
    if adoptable(mixed):
        must_be_adoptable(mixed)
    else:
        with pytest.raises(Refused) as refused:
            must_be_adoptable(mixed)
        assert "\n" not in str(refused.value)
        assert str(refused.value) == next(iter(lacking(mixed).values()))
    needs = {
        Need.DAYS: mixed.now >= mixed.ends,
        Need.OFFICERS: len(mixed.approved_by) < max(1, mixed.quorum),
        Need.PROOF: mixed.proof_of != (mixed.version, mixed.against)
        or mixed.unknown
        or not mixed.keeps_charter,
    }
    assert {need for need, lacks in needs.items() if lacks} == lacking(mixed).keys() - {Need.REVIEW}


@given(st.sampled_from(State), st.booleans(), st.booleans(), st.booleans(), st.sampled_from(list(Step)))
def test_how_a_version_stands(state: State, approved: bool, shadowed: bool, over: bool, step: Step) -> None:
    shown = lifecycle.standing(state, approved=approved, shadowed=shadowed, over=over)
    live = {State.PROPOSED, State.ADOPTED, State.SUSPENDED}
    assert (shown is State.EXPIRED) == (state is State.EXPIRED or (over and state in live))
    assert (shown in {State.APPROVED, State.SHADOW}) <= (state not in live - {State.PROPOSED})
    assert lifecycle.standing(state) is state
