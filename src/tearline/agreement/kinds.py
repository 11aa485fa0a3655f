"""Who could get what kinds of products, read from the clauses alone: an upper bound, for whoever writes them.

Of a condition only what it says of category and recipient counts; the rest is taken to be able to hold and
to be able to fail. So nothing that an agreement gives is missing here, and label, third-party rule, sources
and other agreements can only take from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
from cedarpy import pst

from tearline.agreement.manifest import Agreement
from tearline.agreement.wording import Condition, Joined, Test, actions, exceptions, requirements
from tearline.terms import Category, Party


class GivenKind(msgspec.Struct, frozen=True, kw_only=True):
    """What some recipients could get of one category, each of them the same. Each tuple names clauses."""

    category: Category
    partners: tuple[Party, ...]
    whole: tuple[str, ...]
    tearline: tuple[str, ...]
    red_lines: tuple[str, ...]
    """That stop some of it, or all."""


def kinds(agreement: Agreement, own: Party, members: Mapping[Party, frozenset[str]]) -> tuple[GivenKind, ...]:
    """What `own` could give under a sound agreement to the other parties, by category.

    `members`: the coalitions of the parties. Every party is in one answer of each category; there is none
    where `own` is not a party.
    """
    if own not in agreement.parties:
        return ()
    found: dict[tuple[Category, _Clauses], list[Party]] = {}
    for category in Category:
        for party in sorted(agreement.parties - {own}):
            clauses = _clauses(agreement, party, category, members.get(party, frozenset()))
            found.setdefault((category, clauses), []).append(party)
    return tuple(
        GivenKind(
            category=category,
            partners=tuple(partners),
            whole=clauses.whole,
            tearline=clauses.tearline,
            red_lines=clauses.red_lines,
        )
        for (category, clauses), partners in found.items()
    )


class _Clauses(NamedTuple):
    whole: tuple[str, ...]
    tearline: tuple[str, ...]
    red_lines: tuple[str, ...]


def _clauses(
    agreement: Agreement, partner: Party, category: Category, coalitions: frozenset[str]
) -> _Clauses:
    found: dict[str, list[str]] = {"release": [], "releaseTearline": [], "forbid": []}
    for clause in agreement.parsed:
        if _could_apply(clause.tree, partner, category, coalitions):
            for name in ("forbid",) if clause.tree.effect == "forbid" else actions(clause.tree):
                found[name].append(clause.id)
    return _Clauses(*map(tuple, found.values()))


def _could_apply(tree: pst.Template, partner: Party, category: Category, coalitions: frozenset[str]) -> bool:
    match tree.principal:
        case pst.ScopeEq(pst.EntityUid(_, name)) if name != partner:
            return False
        case pst.ScopeIn(pst.EntityUid(_, name)) if name not in coalitions:
            return False
    known = _Known(partner, category, coalitions)
    return all(map(known.could, requirements(tree))) and not any(map(known.must, exceptions(tree)))


class _Known(msgspec.Struct, frozen=True):
    partner: Party
    category: Category
    coalitions: frozenset[str]

    def could(self, condition: Condition) -> bool:
        """Whether it holds for some product of the category."""
        return self._holds(condition, otherwise=True)

    def must(self, condition: Condition) -> bool:
        """Whether it holds for every product of the category."""
        return self._holds(condition, otherwise=False)

    def _holds(self, condition: Condition, *, otherwise: bool) -> bool:
        if isinstance(condition, Joined):
            parts: Iterable[bool] = (self._holds(part, otherwise=otherwise) for part in condition.order)
            return all(parts) if condition.word == "and" else any(parts)
        return _known(condition, self) if condition.about in {"category", "principal"} else otherwise


def _known(test: Test, known: _Known) -> bool:
    if test.about == "category":
        return (known.category in test.names) == (test.how == "any")
    same = test.names[0] == known.partner if test.how in {"==", "!="} else test.names[0] in known.coalitions
    return same == (test.how in {"==", "in"})
