"""The gate against the naive one: random agreements, partners and products; every outcome must be equal.

Then faults are planted in the gate, one at a time: the comparison must notice each of them.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from cedarpy import pst
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tearline import gate
from tearline.agreement import Action, Agreement, Agreements, Facts, Ruling, Verdict, cedar, evaluate
from tearline.gate import decide, openings
from tearline.label import BOTTOM
from tearline.label.tables import coalitions_of
from tearline.terms import Level, Outcome, Partner, Product, Tearline
from tests import strategies_gate as made
from tests.model import naive_gate

Case = tuple[
    Sequence[made.Deal],
    Sequence[Product],
    Sequence[Partner],
    dict[str, frozenset[str]],
    tuple[datetime, datetime],
]

cases = st.tuples(
    st.one_of(*[made.deals()] * 9, st.sampled_from(made.TELLING)),
    st.lists(made.products, min_size=5, max_size=5),
    made.partner_lists,
    made.consents,
    made.instant_pairs,
)


def answer(outcome: Outcome) -> tuple[str, ...]:
    texts = (portion.text for portion in outcome.portions) if isinstance(outcome, Tearline) else ()
    return (str(outcome.__struct_config__.tag), *texts)


def compare(case: Case) -> Iterator[str]:
    """Assert that both gates agree on every partner and product; gives the kinds of outcome met."""
    deals, products, partners, consents, instants = case
    rules = made.compiled(deals)
    for product, now in itertools.product(products, instants):
        outcomes = gate.consider(product, partners, rules, now, consents)
        for partner in partners:
            expected = naive_gate.consider(product, partner, made.OWN, deals, now, consents, coalitions_of)
            outcome = outcomes[partner.party]
            if any(reason.code.endswith("error") for reason in outcome.reasons):
                raise RuntimeError(
                    f"the gate failed: {outcome}"
                )  # not what a planted fault is to be found by
            assert answer(outcome) == expected, outcome
            yield expected[0]


def test_gate_and_naive_gate_agree() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def agree(case: Case) -> None:
        seen.update(compare(case))

    agree()
    assert seen.total() >= 4_000
    assert {"whole", "tearline", "refer", "withhold"} <= seen.keys()


# --- Planted faults ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn() -> list[Case]:
    """The same cases for every fault."""
    found: list[Case] = []

    @settings(
        max_examples=150,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    trusted = [made.partner(party) for party in made.PARTIES]
    return found + [
        (deals, made.PRODUCTS[:100], trusted, {}, (made.NOW, made.AFTER)) for deals in made.TELLING
    ]


def test_without_a_fault_they_agree_on_the_same_cases(drawn: list[Case]) -> None:
    seen = Counter(kind for case in drawn for kind in compare(case))
    assert min(seen[kind] for kind in ("whole", "tearline", "refer", "withhold")) >= 20, seen


Plant = Callable[[pytest.MonkeyPatch], None]


def no_owners_check(patch: pytest.MonkeyPatch) -> None:
    real = gate.recipient_of
    patch.setattr(openings, "recipient_of", lambda partner, _: real(partner, frozenset(made.PARTIES)))


def no_originators_consent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        openings.Openings,
        "_concerns",
        lambda self, party: (
            party not in {self.own, self.product.originator}
            or bool(self.settled.update({party: decide.Withhold(partner=party, reasons=())}))
        ),
    )


def originator_may_receive(patch: pytest.MonkeyPatch) -> None:
    real = openings.Openings._concerns

    def concerns(self: Any, party: str) -> bool:
        return party == self.product.originator != self.own or real(self, party)

    patch.setattr(openings.Openings, "_concerns", concerns)


def unread_marks_are_open(patch: pytest.MonkeyPatch) -> None:
    real = openings.label_of

    def label_of(product: Product) -> Any:
        found = real(product)
        return found if isinstance(found, decide.Label) else BOTTOM

    patch.setattr(openings, "label_of", label_of)


def banner_alone_is_judged(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(openings, "label_of", lambda product: product.label)


def source_lines_stay(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(openings, "Role", type("Role", (), {"SOURCE": None, "BODY": openings.Role.BODY}))


def all_portions_are_a_tearline(patch: pytest.MonkeyPatch) -> None:
    real = openings.Openings._no_tearline
    patch.setattr(
        openings.Openings,
        "_no_tearline",
        lambda self, portions, sanitized: (
            "" if (why := real(self, portions, sanitized)) == "tearline.nothing-dropped" else why
        ),
    )


def a_title_is_a_tearline(patch: pytest.MonkeyPatch) -> None:
    real = openings.Openings._no_tearline
    patch.setattr(
        openings.Openings,
        "_no_tearline",
        lambda self, portions, sanitized: (
            "" if (why := real(self, portions, sanitized)) == "tearline.no-body" else why
        ),
    )


def shown_is_given(patch: pytest.MonkeyPatch) -> None:
    real = openings.bars
    patch.setattr(
        openings,
        "bars",
        lambda label, recipient: () if openings.may_be_shown(label, recipient) else real(label, recipient),
    )


def nothing_is_referred(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(openings, "may_be_shown", lambda *_: False)


def coalitions_of_today(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decide, "_coalitions", lambda party, _: coalitions_of(party, made.NOW.date()))


def form_is_judged_by_its_portions_alone(patch: pytest.MonkeyPatch) -> None:
    """The label of the form left open, so that clauses see level 0."""
    real = Facts.of
    patch.setattr(
        decide.Facts,
        "of",
        lambda product, label, detail: real(
            product, label if label == openings.label_of(product) else BOTTOM, detail
        ),
    )


def release_covers_the_tearline(patch: pytest.MonkeyPatch) -> None:
    real = Agreements.rule
    patch.setattr(
        Agreements,
        "rule",
        lambda self, facts, partners, _, now: real(self, facts, partners, Action.RELEASE, now),
    )


def forbids_are_not_global(patch: pytest.MonkeyPatch) -> None:
    real = evaluate._Span._clauses_for

    def clauses_for(self: Any, table: Any, party: str, *rest: Any) -> Any:
        return real(self, [each for each in table if each.id in self._shared[party]], party, *rest)

    patch.setattr(evaluate._Span, "_clauses_for", clauses_for)


def _ruling_with(patch: pytest.MonkeyPatch, change: Callable[[Any], Any]) -> None:
    real = evaluate._ruling
    patch.setattr(evaluate, "_ruling", lambda answers: real([change(answer) for answer in answers]))


def a_missing_row_permits(patch: pytest.MonkeyPatch) -> None:
    _ruling_with(patch, lambda answer: answer._replace(rank=answer.rank or Level.UNCLASSIFIED))


def a_missing_row_is_below_forbids(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(evaluate, "ABOVE_ALL", 0)


def forbids_are_ignored(patch: pytest.MonkeyPatch) -> None:
    real = evaluate._ruling

    def ruling(answers: Any) -> Ruling:
        found = real(answers)
        return Ruling(Verdict.PERMIT) if found.verdict is Verdict.FORBID else found

    patch.setattr(evaluate, "_ruling", ruling)


def levels_are_not_mapped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        Agreement,
        "common_rank",
        lambda _, level: max((rank for _, rank in level), default=Level.UNCLASSIFIED),
    )


def agreements_never_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Agreement, "bounds", tuple(datetime(year, 1, 1, tzinfo=UTC) for year in (1, 9999)))


def actions_share_what_is_remembered(patch: pytest.MonkeyPatch) -> None:
    real = evaluate._Span.rule
    whole: Any = type("Same", (str,), {"__eq__": lambda *_: True, "__hash__": lambda _: 0})
    patch.setattr(
        evaluate._Span,
        "rule",
        lambda self, facts, partners, action, now: real(self, facts, partners, whole(action), now),
    )


def the_clock_stands_still(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(evaluate, "moments", lambda _: iter(()))
    real = cedar.Clauses.__init__
    patch.setattr(cedar.Clauses, "__init__", lambda self, clauses, **_: real(self, clauses, reads_clock=True))


def partners_are_taken_for_alike(patch: pytest.MonkeyPatch) -> None:
    real = cedar.shape
    patch.setattr(
        cedar, "shape", lambda text, _: re.sub(rb'{"id":"[^"]*","type":"Partner"}', b"", real(text, ""))
    )


def actions_heads_are_not_read(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(evaluate, "_concerns", lambda tree, *_: isinstance(tree.action, pst.ActionEq))


def a_coalition_in_a_head_is_not_read(patch: pytest.MonkeyPatch) -> None:
    real = evaluate._concerns
    patch.setattr(
        evaluate, "_concerns", lambda tree, party, _, action: real(tree, party, frozenset(), action)
    )


def entities_without_the_schema(patch: pytest.MonkeyPatch) -> None:
    real = cedar.roster.__wrapped__

    def roster(members: Any) -> Any:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(cedar, "schema", lambda: None)
            return real(members)

    def with_products(base: Any, products: Any) -> Any:
        rows = [cedar._entity("Product", name, attributes) for name, attributes in products.items()]
        return base.with_added_json_str(cedar.orjson.dumps(rows).decode(), None)

    patch.setattr(cedar, "roster", roster)
    patch.setattr(cedar, "with_products", with_products)


FAULTS: list[Plant] = [
    no_owners_check,
    no_originators_consent,
    originator_may_receive,
    unread_marks_are_open,
    banner_alone_is_judged,
    source_lines_stay,
    all_portions_are_a_tearline,
    a_title_is_a_tearline,
    shown_is_given,
    nothing_is_referred,
    coalitions_of_today,
    form_is_judged_by_its_portions_alone,
    release_covers_the_tearline,
    forbids_are_not_global,
    a_missing_row_permits,
    a_missing_row_is_below_forbids,
    forbids_are_ignored,
    levels_are_not_mapped,
    agreements_never_end,
    actions_share_what_is_remembered,
    the_clock_stands_still,
    partners_are_taken_for_alike,
    actions_heads_are_not_read,
    a_coalition_in_a_head_is_not_read,
    entities_without_the_schema,
]


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_the_comparison_notices_a_planted_fault(
    plant: Plant, drawn: list[Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        Counter(kind for case in drawn for kind in compare(case))
