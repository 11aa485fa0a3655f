"""Faults are planted in the compiler of tables, one at a time: the comparison must notice each of them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from cedarpy import pst
from msgspec import structs

from tearline.agreement import Action, Agreement
from tearline.agreement.clauses import Clause
from tearline.agreement.tables import judge, lookup, program, rules
from tests import agreements as made
from tests.judged import compare, worlds


@pytest.fixture(scope="module")
def drawn() -> list[made.World]:
    """The same worlds for every fault, some of them with more partners than a word has bits."""
    return [*worlds(7, 3, partners=70), *worlds(20261123, 60)]


def test_without_a_fault_they_agree(drawn: list[made.World]) -> None:
    seen = sum(map(compare, drawn), Counter[bool]())
    assert seen[True] > 500


Plant = Callable[[pytest.MonkeyPatch], None]


# --- The program ----------------------------------------------------------------------------------


def _expressions(patch: pytest.MonkeyPatch, change: Callable[[Any], Any]) -> None:
    real = program.Program._expression
    patch.setattr(program.Program, "_expression", lambda self, expr, scale: real(self, change(expr), scale))


def _operator(patch: pytest.MonkeyPatch, old: str, new: str) -> None:
    def change(expr: Any) -> Any:
        if isinstance(expr, pst.BinaryOp) and expr.op == old:
            return pst.BinaryOp(new, expr.left, expr.right)  # type: ignore[arg-type]
        return expr

    _expressions(patch, change)


def or_is_and(patch: pytest.MonkeyPatch) -> None:
    _operator(patch, "or", "and")


def and_is_or(patch: pytest.MonkeyPatch) -> None:
    _operator(patch, "and", "or")


def unequal_is_equal(patch: pytest.MonkeyPatch) -> None:
    _operator(patch, "not_eq", "eq")


def all_is_any(patch: pytest.MonkeyPatch) -> None:
    _operator(patch, "contains_all", "contains_any")


def any_is_all(patch: pytest.MonkeyPatch) -> None:
    _operator(patch, "contains_any", "contains_all")


def less_or_equal_is_less(patch: pytest.MonkeyPatch) -> None:
    _operator(patch, "less_eq", "less")


def not_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    def change(expr: Any) -> Any:
        return expr.arg if isinstance(expr, pst.UnaryOp) and expr.op == "not" else expr

    _expressions(patch, change)


def _conditions(patch: pytest.MonkeyPatch, change: Callable[[Any], Any]) -> None:
    """Change the conditions of each clause before it is compiled."""
    real = program.Program.clauses

    def clauses(self: program.Program, agreement: Agreement) -> Any:
        changed = structs.replace(agreement)
        changed.__dict__["parsed"] = [
            Clause(each.text, each.start, dataclasses.replace(each.tree, clauses=change(each.tree.clauses)))
            for each in agreement.parsed
        ]
        return real(self, changed)

    patch.setattr(program.Program, "clauses", clauses)


def unless_is_when(patch: pytest.MonkeyPatch) -> None:
    _conditions(patch, lambda found: [pst.When(each.expr) for each in found])


def only_the_first_condition_counts(patch: pytest.MonkeyPatch) -> None:
    _conditions(patch, lambda found: found[:1])


def the_head_is_for_anybody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(program.Program, "_head", lambda self, _, parties: (parties, self.add("true")))


def sharing_is_whole_only(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(program, "_GROUPS", {"share": frozenset({Action.RELEASE})})


def tables_of_levels_are_all_one(patch: pytest.MonkeyPatch) -> None:
    real = program.Program._scale
    patch.setattr(program.Program, "_scale", lambda self, agreement: real(self, agreement) * 0)


def forbids_are_of_parties_only(patch: pytest.MonkeyPatch) -> None:
    real = program.Program.clauses
    patch.setattr(
        program.Program,
        "clauses",
        lambda self, agreement: [
            structs.replace(each, parties=agreement.parties) for each in real(self, agreement)
        ],
    )


def permits_are_for_everyone(patch: pytest.MonkeyPatch) -> None:
    real = program.Program.clauses
    patch.setattr(
        program.Program,
        "clauses",
        lambda self, agreement: [structs.replace(each, parties=None) for each in real(self, agreement)],
    )


def _tests(patch: pytest.MonkeyPatch, name: str, change: Callable[[Any, Any], Any]) -> None:
    """Change the truths of one kind of test."""
    real = getattr(lookup, name)
    patch.setattr(lookup, name, lambda test, *more: change(test, real(test, *more)))


# --- Lookups --------------------------------------------------------------------------------------


def a_missing_row_permits(patch: pytest.MonkeyPatch) -> None:
    _tests(patch, "_is_level", lambda test, truths: truths | (test.op == "ranked"))


def a_missing_row_is_below_forbids(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lookup, "ABOVE_ALL", 0)


def agreements_never_end(patch: pytest.MonkeyPatch) -> None:
    _tests(patch, "_is_time", lambda test, truths: truths | (test.op == "within"))


def microseconds_count(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lookup, "MILLISECOND", 1)


def the_clock_changes_at_the_moment_only(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        judge,
        "edges",
        lambda tests: sorted(
            {each for test in tests for each in (test.constant if test.op == "within" else (test.constant,))}
        ),
    )


def empty_sets_are_not_empty(patch: pytest.MonkeyPatch) -> None:
    _tests(patch, "_is_set", lambda test, truths: truths & (test.op != "empty"))


def classes_are_all_of_one_attribute(patch: pytest.MonkeyPatch) -> None:
    real = lookup._is_detail
    patch.setattr(
        lookup,
        "_is_detail",
        lambda test, values: real(structs.replace(test, constant=("gsd", test.constant[1])), values),
    )


def at_most_is_at_least(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(lookup._COMPARE, "less_eq", lookup._COMPARE["greater_eq"])


def coalitions_have_no_members(patch: pytest.MonkeyPatch) -> None:
    _tests(patch, "_is_among", lambda test, truths: truths & (test.op != "in"))


def classes_are_told_by_eight_truths(patch: pytest.MonkeyPatch) -> None:
    real = np.packbits

    def packbits(bits: Any, **more: Any) -> Any:
        return real(bits, **more)[:, :1] if more == {"axis": 1} else real(bits, **more)

    patch.setattr(lookup.np, "packbits", packbits)


# --- Evaluation and kinds -------------------------------------------------------------------------


def forbids_do_not_count(patch: pytest.MonkeyPatch) -> None:
    real = rules._sums
    patch.setattr(
        rules, "_sums", lambda clauses, forbids, *more: [] if forbids else real(clauses, forbids, *more)
    )


def alike_clauses_keep_one_set_of_parties(patch: pytest.MonkeyPatch) -> None:
    real = rules._sums

    def sums(clauses: Iterable[Any], *more: Any) -> Any:
        return real({(each.node, each.who): each for each in clauses}.values(), *more)

    patch.setattr(rules, "_sums", sums)


def a_word_has_thirty_two_bits(patch: pytest.MonkeyPatch) -> None:
    real = rules.pack
    patch.setattr(rules, "pack", lambda truths, words: real(truths, words) & np.uint64(2**32 - 1))


def the_last_epoch_is_for_all_days(patch: pytest.MonkeyPatch) -> None:
    real = judge._between
    patch.setattr(
        judge,
        "_between",
        lambda edges, column: (
            np.full(len(column), len(edges)) if column.dtype == np.int32 else real(edges, column)
        ),
    )


def the_day_before_the_first_epoch_is_in_it(patch: pytest.MonkeyPatch) -> None:
    real = judge._between
    patch.setattr(
        judge,
        "_between",
        lambda edges, column: (
            np.maximum(real(edges, column), 1) if column.dtype == np.int32 else real(edges, column)
        ),
    )


def kinds_are_mixed_up(patch: pytest.MonkeyPatch) -> None:
    real = rules.Rules.evaluate
    patch.setattr(rules.Rules, "evaluate", lambda *given: real(*given)[..., ::-1])


def foreign_agreements_count(patch: pytest.MonkeyPatch) -> None:
    """Those of others, to which the node is no party."""
    real = rules.Rules.__init__

    def init(self: Any, own: str, sets: Any, partners: Any) -> None:
        joined = [
            [structs.replace(each, parties=each.parties | {own}) for each in agreements]
            for agreements in sets
        ]
        real(self, own, joined, partners)

    patch.setattr(rules.Rules, "__init__", init)


FAULTS: list[Plant] = [
    or_is_and,
    and_is_or,
    unequal_is_equal,
    all_is_any,
    any_is_all,
    less_or_equal_is_less,
    not_is_forgotten,
    unless_is_when,
    only_the_first_condition_counts,
    the_head_is_for_anybody,
    sharing_is_whole_only,
    tables_of_levels_are_all_one,
    forbids_are_of_parties_only,
    permits_are_for_everyone,
    a_missing_row_permits,
    a_missing_row_is_below_forbids,
    agreements_never_end,
    microseconds_count,
    the_clock_changes_at_the_moment_only,
    empty_sets_are_not_empty,
    classes_are_all_of_one_attribute,
    at_most_is_at_least,
    coalitions_have_no_members,
    classes_are_told_by_eight_truths,
    forbids_do_not_count,
    alike_clauses_keep_one_set_of_parties,
    a_word_has_thirty_two_bits,
    the_last_epoch_is_for_all_days,
    the_day_before_the_first_epoch_is_in_it,
    kinds_are_mixed_up,
    foreign_agreements_count,
]


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_the_comparison_notices_a_planted_fault(
    plant: Plant, drawn: list[made.World], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        sum(map(compare, drawn), Counter[bool]())
