"""What a suspension would do, shown before anybody orders it.

What is on its way is counted as `suspend` would stop it; what would no longer go is asked of a replay of all
that is held. What the partner was served already stays with it, whatever is ordered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from tearline.adapters import store
from tearline.adapters.store.exchange import given_in
from tearline.agreement.suspension import Scope, Suspension
from tearline.agreement.tables import Columns, Words
from tearline.node.consent import ended_by
from tearline.node.exchange import must_be_partner
from tearline.node.opened import Node
from tearline.node.replay import Progress, compare
from tearline.node.review import AFTER, Inputs, review, supposed
from tearline.node.suspend import CHUNK
from tearline.review import Change
from tearline.review.count import Rows
from tearline.review.coverage import Covered
from tearline.review.replay import bits_of
from tearline.review.requirements import Requirement
from tearline.review.scenario import suspension_of
from tearline.terms import Party, Product


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """Counts. `stopped` and `held_back` are by category."""

    at: datetime
    generation: int
    """Of partners, agreements and suspensions: where it has changed, this no longer holds."""
    stopped: dict[str, int]
    """On their way to the partner, and not yet in its view."""
    held_back: dict[str, int]
    """In its view, and never served."""
    served: int
    """Given already: they stay with it."""
    consents: int
    """Consents of ours, by which others may give it what is ours, that would be revoked."""
    withheld: dict[tuple[str, str], int]
    """By month and category: products held that went, or would have gone, and would not any more."""
    coverage: tuple[Covered, ...] = ()
    """Of the requirements that were given, those that lose something; the worst first."""


def effect(
    node: Node,
    partner: Party,
    scope: Scope,
    requirements: tuple[Requirement, ...] = (),
    *,
    progress: Progress | None = None,
    doing: Callable[[str], None] = lambda what: None,
) -> Effect:
    """What it would do to let nothing in `scope` go to `partner`. Raises `Refused` where it is no partner."""
    node.refresh()
    must_be_partner(node, partner)
    generation, scenario = node.generation, suspension_of(partner, str(scope))
    doing("counting what is on its way")
    with node.reading() as db:
        stopped = _counted(scope, dict(store.waiting_products(db, partner)))
        ordered = Suspension(
            partner=partner, scope=scope, since=node.clock(), until=None, reason=scenario.title, officer=""
        )
        consents = len(ended_by(node, db, ordered))
    held_back, served = _in_view(node, partner, scope)
    doing("replaying what was judged")
    heard = _Months(partner)
    compare(node, supposed(node, scenario), partners=[partner], examples=0, progress=progress, heard=heard)
    covered: tuple[Covered, ...] = ()
    if requirements:
        made = review(node, scenario, Inputs(requirements=requirements), partners=[partner], doing=doing)
        then = made.coverage.stages.index(AFTER) if made.coverage else 0
        rows = made.coverage.rows if made.coverage else ()
        covered = tuple(each for each in rows if each.covered[then] < each.covered[0])
    return Effect(
        at=node.clock(),
        generation=generation,
        stopped=stopped,
        held_back=held_back,
        served=served,
        consents=consents,
        withheld=dict(sorted(heard.found.items())),
        coverage=covered,
    )


def _counted(scope: Scope, products: Mapping[str, Product]) -> dict[str, int]:
    """The releases in scope, by category."""
    found = Counter(str(product.category) for product in products.values() if scope.covers(product))
    return dict(sorted(found.items()))


def _in_view(node: Node, partner: Party, scope: Scope) -> tuple[dict[str, int], int]:
    """Of what stands in the view in scope: what was never served, by category, and how much was."""
    view, after, never = node.view(partner), -1, Counter[str]()
    while rows := view.unserved(after, CHUNK):
        after = rows[-1][0]
        with node.reading() as db:
            products = store.products_of(db, [release for _, release in rows])
        never.update(_counted(scope, products))
    with node.reading() as db:
        there = given_in(db, partner, scope)
    return dict(sorted(never.items())), max(0, there - never.total())


class _Months:
    """Told by the replay what would be withheld: counts it by month and category."""

    def __init__(self, partner: Party) -> None:
        self._partner = partner
        self.found: Counter[tuple[str, str]] = Counter()

    def __call__(self, part: Columns, items: Rows, found: Words) -> None:
        for _, number in bits_of(found, Change.WITHHELD, items, [self._partner]):
            row = part.row(number)
            self.found[f"{row.at:%Y-%m}", str(row.facts.category)] += 1
