"""Who could get what kinds of products, read from the clauses alone: an upper bound, for whoever writes them.

Of a condition only what it says of category and recipient counts; the rest is taken to be able to hold and
to be able to fail. So nothing that an agreement gives is missing here, and label, third-party rule, sources
and other agreements can only take from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from cedarpy import pst

from tearline.agreement.manifest import Agreement
from tearline.agreement.wording import Condition, Joined, Test, actions, exceptions, requirements
from tearline.terms import Category, Party


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What one recipient could get of one category. Each tuple names clauses."""

    partner: Party
    category: Category
    whole: tuple[str, ...]
    tearline: tuple[str, ...]
    red_lines: tuple[str, ...]
    """That stop some of it, or all."""


def kinds(agreement: Agreement, own: Party, members: Mapping[Party, frozenset[str]]) -> tuple[Given, ...]:
    """What `own` could give under a sound agreement to each other party, by party and category.

    `members`: the coalitions of the parties. Nothing where `own` is none of its parties.
    """
    if own not in agreement.parties:
        return ()
    return tuple(
        _kind(agreement, party, category, members.get(party, frozenset()))
        for party in sorted(agreement.parties - {own})
        for category in Category
    )


def _kind(agreement: Agreement, partner: Party, category: Category, coalitions: frozenset[str]) -> Given:
    found: dict[str, list[str]] = {"release": [], "releaseTearline": [], "forbid": []}
    for clause in agreement.parsed:
        if not _could_apply(clause.tree, partner, category, coalitions):
            continue
        named = ("forbid",) if clause.tree.effect == "forbid" else actions(clause.tree)
        for name in named:
            found[name].append(clause.id)
    whole, tearline, red_lines = (tuple(each) for each in found.values())
    return Given(partner=partner, category=category, whole=whole, tearline=tearline, red_lines=red_lines)


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
