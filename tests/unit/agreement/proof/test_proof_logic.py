"""Terms: whatever is simplified holds at the same points, and both solvers find what is there."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise, product

import pytest

from tearline.agreement.proof.logic import Among, Point, Term, Terms
from tearline.agreement.proof.revision import SOLVERS

SIZES = (2, 2, 3, 5, 1)
POINTS = list(product(*map(range, SIZES)))

Meaning = Callable[[Point], bool]


def drawn(terms: Terms, draw: random.Random, depth: int) -> tuple[Term, Meaning]:
    """A term, and what it should mean."""
    kind = draw.choice(["leaf", "every", "some", "no"]) if depth else "leaf"
    if kind == "leaf":
        variable = draw.choice(terms.variables)
        values = draw.sample(range(variable.size), draw.randint(0, variable.size))
        return terms.among(variable, values), lambda point: point[variable.number] in values
    parts = [drawn(terms, draw, depth - 1) for _ in range(1 if kind == "no" else draw.randint(0, 4))]
    made, meant = [term for term, _ in parts], [meaning for _, meaning in parts]
    if kind == "no":
        return terms.no(made[0]), lambda point: not meant[0](point)
    if kind == "every":
        return terms.every(made), lambda point: all(meaning(point) for meaning in meant)
    return terms.some(made), lambda point: any(meaning(point) for meaning in meant)


def made(seed: int) -> tuple[Terms, list[tuple[Term, Meaning]]]:
    terms, draw = Terms(), random.Random(seed)
    for size in SIZES:
        terms.variable(size)
    return terms, [drawn(terms, draw, 4) for _ in range(20)]


@pytest.mark.parametrize("seed", range(40))
def test_a_term_means_what_it_was_made_of(seed: int) -> None:
    terms, given = made(seed)
    truth = terms.truth(POINTS)
    for term, meaning in given:
        wanted = [meaning(point) for point in POINTS]
        assert [bool(truth[term] >> bit & 1) for bit in range(len(POINTS))] == wanted
        assert [terms.holds(term, point) for point in POINTS] == wanted
        if not any(wanted):
            assert not terms.holds(term, terms.guess(term, 0))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("seed", range(15))
def test_a_solver_finds_what_is_there(solver: type, seed: int) -> None:
    terms, given = made(seed)
    asked = solver(terms, 10.0)
    for (one, meant), (other, meant_too) in pairwise(given):
        point = asked.find([one, other])
        there = [each for each in POINTS if meant(each) and meant_too(each)]
        assert (point in there) if there else point is None


def test_leaves_about_one_variable_become_one() -> None:
    terms = Terms()
    rank = terms.variable(5)
    low, high = terms.among(rank, range(3)), terms.among(rank, range(2, 5))
    assert terms.nodes[terms.every([low, high])] == Among(rank, 0b00100)
    assert terms.some([low, high]) == terms.TRUE
    assert terms.every([low, terms.no(low)]) == terms.FALSE
    assert terms.no(low) == terms.among(rank, [3, 4])


def test_equal_terms_are_one() -> None:
    terms = Terms()
    one, two, three = (terms.among(terms.variable(2), [1]) for _ in range(3))
    assert terms.every([one, terms.every([two, three])]) == terms.every([three, one, two, two])
    assert terms.no(terms.no(terms.some([one, two]))) == terms.some([two, one])
    assert terms.every([]) == terms.TRUE == terms.no(terms.FALSE)


@pytest.mark.parametrize("count", range(5))
def test_at_most(count: int) -> None:
    terms = Terms()
    words = [terms.among(terms.variable(2), [1]) for _ in range(5)]
    few = terms.at_most(count, words)
    for point in product(range(2), repeat=5):
        assert terms.holds(few, point) is (sum(point) <= count)


def test_guesses_take_turns() -> None:
    terms = Terms()
    rank, word, other = (terms.variable(size) for size in (5, 2, 2))
    either = terms.some([terms.among(word, [1]), terms.among(other, [1])])
    wanted = terms.every([terms.among(rank, [1, 2]), either])
    assert [terms.guess(wanted, turn) for turn in range(4)] == [(1, 1, 0), (2, 1, 0), (1, 0, 1), (2, 0, 1)]
