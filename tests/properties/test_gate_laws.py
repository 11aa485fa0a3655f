"""Laws 1 and 4 of the charter at the gate, and that a partner's outcome is its own affair."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline import gate
from tearline.agreement import Agreements
from tearline.gate import recipient_of
from tearline.label import join_all, may
from tearline.terms import (
    Label,
    Outcome,
    Partner,
    Product,
    Quarantine,
    Refer,
    Role,
    Tearline,
    Whole,
    Withhold,
)
from tests import strategies_gate as made

FEW = settings(max_examples=60, deadline=None)
AT = made.NOW
agreements = st.one_of(made.deals(), st.sampled_from(made.TELLING))


def released(outcomes: dict[str, Outcome]) -> set[str]:
    return {party for party, outcome in outcomes.items() if isinstance(outcome, Whole | Tearline)}


@FEW
@given(product=made.products, partners=made.partner_lists, consents=made.consents)
def test_law_1_without_an_agreement_nobody_is_given_anything(
    product: Product, partners: tuple[Partner, ...], consents: dict[str, frozenset[str]]
) -> None:
    assert not released(gate.consider(product, partners, Agreements(made.OWN, []), AT, consents))


@FEW
@given(
    product=made.products,
    partners=made.partner_lists,
    deals=agreements,
    place=st.integers(min_value=-1, max_value=2),
)
def test_law_1_what_has_one_unread_mark_goes_to_nobody(
    product: Product, partners: tuple[Partner, ...], deals: tuple[made.Deal, ...], place: int
) -> None:
    if place < 0 or not product.portions:
        unread = msgspec.structs.replace(product, label=made.UNREAD)
    else:
        portions = list(product.portions)
        place %= len(portions)
        portions[place] = msgspec.structs.replace(portions[place], label=made.UNREAD)
        unread = msgspec.structs.replace(product, portions=tuple(portions))
    outcomes = gate.consider(unread, partners, made.compiled(deals), AT)
    assert all(isinstance(outcome, Withhold) for outcome in outcomes.values())


@FEW
@given(product=made.products, partners=made.partner_lists, deals=agreements)
def test_law_1_without_rows_in_the_tables_nothing_classified_goes(
    product: Product, partners: tuple[Partner, ...], deals: tuple[made.Deal, ...]
) -> None:
    bare = tuple(made.Deal(deal.id, deal.parties, {}, deal.clauses, deal.first, deal.end) for deal in deals)
    for outcome in gate.consider(product, partners, made.compiled(bare), AT).values():
        if isinstance(outcome, Whole):
            assert isinstance(product.label, Label)
            assert product.label.level == ()
        elif isinstance(outcome, Tearline):
            assert outcome.label.level == ()


@FEW
@given(
    products=st.lists(made.products, min_size=5, max_size=5),
    partners=made.partner_lists,
    deals=made.deals(),
    consents=made.consents,
)
def test_law_1_no_clause_less_and_no_forbid_more_gives_anybody_more(
    products: list[Product],
    partners: tuple[Partner, ...],
    deals: tuple[made.Deal, ...],
    consents: dict[str, frozenset[str]],
) -> None:
    """Everybody who is given something under the narrower agreements is given something under the wider."""
    first, *rest = deals
    permits = tuple(clause for clause in first.clauses if clause.effect == "permit")
    wider = made.Deal("first", first.parties, first.levels, permits, first.first, first.end)
    forbid = made.Clause("forbid", (), ("release", "releaseTearline"), (("compare", "level", ">=", 2),))
    narrower = made.Deal("first", first.parties, first.levels, (*permits[1:], forbid), first.first, first.end)
    wide, narrow = made.compiled((wider, *rest)), made.compiled((narrower, *rest))
    for product in products:
        given_now = released(gate.consider(product, partners, narrow, AT, consents))
        assert given_now <= released(gate.consider(product, partners, wide, AT, consents))


@FEW
@given(
    products=st.lists(made.products, min_size=5, max_size=5),
    partners=made.partner_lists,
    deals=agreements,
    consents=made.consents,
)
def test_laws_1_and_4_whatever_goes_its_label_lets_in_and_its_owners_have_agreed(
    products: list[Product],
    partners: tuple[Partner, ...],
    deals: tuple[made.Deal, ...],
    consents: dict[str, frozenset[str]],
) -> None:
    rules = made.compiled(deals)
    known = {partner.party: partner for partner in partners}
    for product in products:
        for party, outcome in gate.consider(product, partners, rules, AT, consents).items():
            if isinstance(outcome, Withhold | Refer):
                continue
            yes = consents.get(party, frozenset()) | {made.OWN}
            recipient = recipient_of(known[party], yes)
            assert product.originator in yes
            assert party not in {made.OWN, product.originator}
            if isinstance(outcome, Tearline):
                assert outcome.label == join_all(
                    portion.label for portion in outcome.portions if isinstance(portion.label, Label)
                )
                assert all(portion in product.portions for portion in outcome.portions)
                assert all(portion.role is not Role.SOURCE for portion in outcome.portions)
                assert may(outcome.label, recipient)
                assert outcome.label.owners | outcome.label.consent <= yes | {party}
            else:
                assert not isinstance(product.label, Quarantine)
                labels = [product.label, *(portion.label for portion in product.portions)]
                assert all(isinstance(label, Label) and may(label, recipient) for label in labels)
                assert product.label.owners | product.label.consent <= yes | {party}


@FEW
@given(
    products=st.lists(made.products, min_size=4, max_size=4),
    partners=made.partner_lists,
    deals=agreements,
    asked=st.sets(made.parties, min_size=1),
)
def test_a_partners_outcome_depends_neither_on_who_else_is_asked_nor_on_what_was_asked_before(
    products: list[Product], partners: tuple[Partner, ...], deals: tuple[made.Deal, ...], asked: set[str]
) -> None:
    used = made.compiled(deals)
    for product in products:
        together = gate.consider(product, partners, used, AT)
        some = [partner for partner in partners if partner.party in asked]
        assert gate.consider(product, some, used, AT) == {
            party: together[party] for party in together if party in asked
        }
    again = made.compiled(deals)
    for product in reversed(products):
        alone = {
            partner.party: gate.consider(product, [partner], again, AT)[partner.party] for partner in partners
        }
        assert alone == gate.consider(product, partners, used, AT)


@FEW
@given(product=made.products, partners=made.partner_lists, deals=agreements, consents=made.consents)
def test_every_outcome_has_its_reasons_and_every_reason_a_meaning(
    product: Product,
    partners: tuple[Partner, ...],
    deals: tuple[made.Deal, ...],
    consents: dict[str, frozenset[str]],
) -> None:
    outcomes = gate.consider(product, partners, made.compiled(deals), AT, consents)
    assert list(outcomes) == [partner.party for partner in partners]
    for party, outcome in outcomes.items():
        assert outcome.partner == party
        assert outcome.reasons
        assert all(reason.code in gate.CODES and reason.code != "error" for reason in outcome.reasons)
        checks = [reason.check for reason in outcome.reasons]
        assert checks == sorted(checks)
