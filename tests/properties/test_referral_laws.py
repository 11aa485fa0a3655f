"""An officer's decision holds for exactly what was referred, and opens nothing that the gate keeps shut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tearline import gate
from tearline.agreement import Agreements
from tearline.gate import Choice, Decision, Exposure
from tearline.label import bars
from tearline.scan import Disposition, Hit
from tearline.terms import Outcome, Partner, Party, Portion, Product, Reason, Refer, Tearline, Withhold
from tearline.vault import Obligations
from tearline.vault.source import PlaceGrain, TimeGrain
from tests import strategies_gate as made

OWED = {
    "KETTLE": Obligations(time=TimeGrain.EXACT, place=PlaceGrain.EXACT),
    "TEAPOT": Obligations(ask=("desk-four",), time=TimeGrain.EXACT, place=PlaceGrain.EXACT),
}


Case = tuple[Product, Sequence[Partner], Agreements, Exposure]

_own = [each for each in made.PRODUCTS if each.originator == made.OWN and each.portions]
_texts = ("The barges left.", "“We never sleep there”, said KETTLE.", "A man told TEAPOT of it.")


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A product that names sources in some of its portions, under agreements that mostly permit tearlines."""
    product = draw(st.sampled_from(_own))
    portions = tuple(
        replace(portion, text=draw(st.sampled_from(_texts[:1] + _texts))) for portion in product.portions
    )
    product = replace(product, portions=portions)
    hits = tuple(tuple(_hits(portion)) for portion in portions)
    rules = made.compiled(draw(st.one_of(st.sampled_from(made.TELLING), made.deals())))
    return product, draw(made.partner_lists), rules, Exposure(hits=(*hits, ()), owed=OWED)


def _hits(portion: Portion) -> Iterator[Hit]:
    for name in OWED:
        if (at := portion.text.find(name)) >= 0:
            yield Hit(at, at + len(name), name, 1.0, Disposition.HOLD, "exact")


def asked(case: Case, decisions: Mapping[Party, Decision]) -> dict[Party, Outcome]:
    product, parties, rules, exposure = case
    return gate.consider(product, parties, rules, made.NOW, exposure=exposure, decisions=decisions)


@settings(deadline=None, max_examples=150)
@given(cases(), st.data())
def test_a_decision_changes_what_it_was_made_on_and_nothing_else(case: Case, data: st.DataObject) -> None:
    product, parties, _, _ = case
    before = asked(case, {})
    referred = [outcome for outcome in before.values() if isinstance(outcome, Refer)]
    choices = {
        each.partner: data.draw(st.sampled_from(Choice)) for each in referred if data.draw(st.booleans())
    }
    seals = {each.partner: gate.seal(product, each) for each in referred}
    after = asked(
        case, {party: Decision(choice=choice, seal=seals[party]) for party, choice in choices.items()}
    )
    for party, outcome in before.items():
        new = after[party]
        if party not in choices or (choices[party] is Choice.TEARLINE and not _portions(outcome)):
            assert new == outcome
        elif choices[party] is Choice.WITHHOLD:
            assert isinstance(new, Withhold)
        else:
            assert isinstance(new, Tearline)
            assert new.portions == _portions(outcome)
            recipient = next(each for each in parties if each.party == party)
            assert not bars(new.label, gate.recipient_of(recipient, frozenset({made.OWN})))


def _portions(outcome: Outcome) -> tuple[Portion, ...]:
    return outcome.portions if isinstance(outcome, Refer) else ()


@settings(deadline=None, max_examples=150)
@given(cases(), st.sampled_from(Choice), st.data())
def test_a_decision_on_something_else_is_none(case: Case, choice: Choice, data: st.DataObject) -> None:
    """Sealed for another partner, another reason, other words: whatever it says, nothing changes."""
    product, *_ = case
    before = asked(case, {})
    others = [
        lambda each: replace(each, partner=each.partner + "X"),
        lambda each: replace(each, reasons=(*each.reasons, Reason(check=6, code="sanitize.finer"))),
        lambda each: replace(each, portions=(*each.portions, *product.portions[:1]), label=None),
    ]
    decisions = {
        party: Decision(choice=choice, seal=gate.seal(product, data.draw(st.sampled_from(others))(outcome)))
        for party, outcome in before.items()
        if isinstance(outcome, Refer) and product.portions
    }
    assert asked(case, decisions) == before


@settings(deadline=None, max_examples=60)
@given(cases(), st.lists(st.text(max_size=5), max_size=3))
def test_words_that_do_not_fit_the_portions_let_nothing_go(case: Case, texts: list[str]) -> None:
    product, *_ = case
    before = asked(case, {})
    decisions = {
        party: Decision(choice=Choice.TEARLINE, seal=gate.seal(product, outcome), texts=tuple(texts))
        for party, outcome in before.items()
        if isinstance(outcome, Refer) and len(outcome.portions) != len(texts)
    }
    assert asked(case, decisions) == before


def test_the_cases_are_referred_with_and_without_a_tearline() -> None:
    """Else the properties above would say nothing."""
    seen = set()

    @settings(deadline=None, max_examples=150, derandomize=True)
    @given(cases())
    def look(case: Case) -> None:
        seen.update(bool(each.portions) for each in asked(case, {}).values() if isinstance(each, Refer))

    look()
    assert seen == {True, False}
