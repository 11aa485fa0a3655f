"""The gate against the naive one: random agreements, partners and products; every outcome must be equal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tearline import gate
from tearline.label.tables import coalitions_of
from tearline.terms import Outcome, Partner, Product, Tearline
from tests import strategies_gate as made
from tests.model import naive_gate

EXAMPLES, PRODUCTS = 150, 6
Seen = Counter[str]


def answer(outcome: Outcome) -> tuple[str, ...]:
    texts = (portion.text for portion in outcome.portions) if isinstance(outcome, Tearline) else ()
    return (str(outcome.__struct_config__.tag), *texts)


def compare(
    deals: tuple[made.Deal, ...],
    products: Sequence[Product],
    partners: Sequence[Partner],
    consents: dict[str, frozenset[str]],
    now: datetime,
    seen: Seen,
) -> None:
    rules = made.compiled(deals)
    for product in products:
        outcomes = gate.consider(product, partners, rules, now, consents)
        for partner in partners:
            expected = naive_gate.consider(product, partner, made.OWN, deals, now, consents, coalitions_of)
            assert answer(outcomes[partner.party]) == expected, (partner.party, outcomes[partner.party])
            seen[expected[0]] += 1


def run_oracle(examples: int = EXAMPLES) -> Seen:
    """The differential test; returns how often each kind of outcome was met."""
    seen: Seen = Counter()

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(
        deals=made.deals(),
        products=st.lists(made.products(), min_size=PRODUCTS, max_size=PRODUCTS),
        partners=made.partner_lists,
        consents=made.consents,
        now=made.instants,
    )
    def agree(deals: Any, products: Any, partners: Any, consents: Any, now: Any) -> None:
        compare(deals, products, partners, consents, now, seen)

    agree()
    return seen


def test_gate_and_naive_gate_agree() -> None:
    seen = run_oracle()
    assert seen.total() >= 4_000
    assert min(seen[kind] for kind in ("whole", "tearline", "refer", "withhold")) >= 30, seen
    print(seen)
