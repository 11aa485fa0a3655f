"""Imagery and signals before the gate: which form, with which label, and when none goes by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from tearline import gate
from tearline.agreement import Agreements
from tearline.gate import Exposure
from tearline.terms import (
    BadInput,
    Box,
    Category,
    Imagery,
    ImageryForm,
    Label,
    Level,
    Media,
    MediaForm,
    Outcome,
    Product,
    Reach,
    Refer,
    SignalForm,
    Tearline,
    Use,
    Whole,
    Withhold,
)
from tearline.vault import Obligations
from tests import strategies_gate as made

OWN, GBR, SWE = "USA", "GBR", "SWE"
NOW = made.NOW
HOUR = timedelta(hours=1)
ROWS = {"USA": {level: level for level in Level}}
OPEN = Label(level=(("USA", Level.SECRET),), owners=frozenset({OWN}))
CLOSED = msgspec.structs.replace(OPEN, release=frozenset({OWN}), display=frozenset({OWN}))
SHARP, COARSE = ImageryForm(name="sharp", gsd_m=2), ImageryForm(name="coarse", gsd_m=30)
LATE = ImageryForm(name="late", gsd_m=2, delay_h=24)
MARKED = ImageryForm(name="marked", gsd_m=30, marking="CONFIDENTIAL//REL TO USA, GBR")
LINES = made.Clause("permit", (), ("releaseTearline",))


def picture(label: Label = OPEN, taken: datetime | None = NOW - HOUR, **changed: Any) -> Product:
    facts = Imagery(
        format="nitf",
        width=9,
        height=9,
        bands=1,
        dtype="uint8",
        gsd_m=0.4,
        box=Box(20.0, 40.0, 20.1, 40.1),
        taken=taken,
    )
    plain = Product(
        id="imagery--1",
        version="2026-10-01T00:00:00.000Z",
        originator=OWN,
        category=Category.IMAGERY,
        title="",
        created=datetime(2026, 10, 1, tzinfo=UTC),
        marking=None,
        label=label,
        content=msgspec.json.encode(Media(sha256="0" * 64, size=9, media_type="image/nitf", facts=facts)),
    )
    return msgspec.structs.replace(plain, **changed)


def rules(*forms: MediaForm, clauses: tuple[made.Clause, ...] = (LINES,), name: str = "deal") -> Agreements:
    return made.compiled((made.Deal(name, frozenset({OWN, GBR, SWE}), ROWS, clauses, forms=forms),))


def only(rank: int, action: str = "releaseTearline") -> made.Clause:
    """Permits what is no sharper than this class."""
    return made.Clause("permit", (), (action,), (("compare", "gsd", ">=", rank),))


def one(product: Product, agreements: Agreements, party: str = GBR, **more: Any) -> Outcome:
    return gate.consider(product, [made.partner(party)], agreements, more.pop("now", NOW), **more)[party]


def said(outcome: Outcome) -> list[tuple[str, str]]:
    return [(reason.code, reason.detail) for reason in outcome.reasons]


def form_of(outcome: Outcome) -> MediaForm | None:
    assert isinstance(outcome, Tearline)
    assert outcome.portions == ()
    return outcome.form


def test_the_first_form_that_is_permitted_goes() -> None:
    assert form_of(one(picture(), rules(SHARP, COARSE))) == SHARP
    assert form_of(one(picture(), rules(COARSE, SHARP))) == COARSE
    outcome = one(picture(), rules(SHARP, COARSE, clauses=(only(3),)))
    assert form_of(outcome) == COARSE
    assert said(outcome) == [
        ("agreement.no-clause", ""),
        ("agreement.no-clause", "sharp"),
        ("agreement.permit", "coarse"),
    ]


def test_the_whole_is_judged_by_its_own_classes() -> None:
    assert isinstance(one(picture(), rules(SHARP, clauses=(only(0, "release"),))), Whole)
    assert isinstance(one(picture(), rules(SHARP, clauses=(only(1, "release"),))), Withhold)


def test_without_a_form_that_fits_nothing_goes() -> None:
    elsewhere = ImageryForm(name="elsewhere", area=Box(0.0, 0.0, 1.0, 1.0))
    for agreements in (rules(), rules(elsewhere, SignalForm(name="log", samples=False))):
        outcome = one(picture(), agreements)
        assert isinstance(outcome, Withhold)
        assert ("form.none", "") in said(outcome)


def test_forms_are_those_of_agreements_in_force_with_the_partner() -> None:
    deals = (
        made.Deal("b", frozenset({OWN, GBR, SWE}), ROWS, (LINES,), forms=(COARSE,)),
        made.Deal("a", frozenset({OWN, SWE}), ROWS, (LINES,), forms=(SHARP,)),
        made.Deal("0", frozenset({OWN, GBR}), ROWS, (LINES,), end=NOW.date(), forms=(SHARP,)),
    )
    outcomes = gate.consider(picture(), [made.partner(GBR), made.partner(SWE)], made.compiled(deals), NOW)
    assert [form_of(outcome) for outcome in outcomes.values()] == [COARSE, SHARP]


def test_a_form_that_is_too_young_is_chosen_and_waits() -> None:
    outcome = one(picture(), rules(LATE, COARSE))
    assert form_of(outcome) == LATE
    assert said(outcome)[-1] == ("form.waits", "late")
    when = gate.due(picture(), LATE)
    assert when == NOW + 23 * HOUR
    then = one(picture(), rules(LATE, COARSE), now=when)
    assert form_of(then) == LATE
    assert ("form.waits", "late") not in said(then)


def test_what_must_wait_since_nobody_knows_when_is_referred() -> None:
    outcome = one(picture(taken=None), rules(LATE, COARSE))
    assert isinstance(outcome, Refer)
    assert said(outcome)[-1] == ("form.taken", "")
    assert gate.due(picture(taken=None), LATE) is None
    assert form_of(one(picture(taken=None), rules(COARSE, LATE))) == COARSE


def test_what_has_no_such_forms_is_never_due() -> None:
    with pytest.raises(BadInput, match="report has no such forms"):
        gate.due(picture(category=Category.REPORT), LATE)


@pytest.mark.parametrize("clauses", [(LINES,), (made.Clause("permit", (), ("release",)),)])
def test_what_touches_a_source_goes_in_no_form(clauses: tuple[made.Clause, ...]) -> None:
    touching = picture(sources=frozenset({"OBLONG-KETTLE"}))
    outcome = one(touching, rules(SHARP, clauses=clauses))
    assert isinstance(outcome, Refer)
    assert ("source.touched", "") in said(outcome)
    owed = {"OBLONG-KETTLE": Obligations(forbidden=frozenset({GBR}))}
    hidden = one(touching, rules(SHARP, clauses=clauses), exposure=Exposure(owed=owed))
    assert isinstance(hidden, Withhold)
    assert said(hidden)[-1] == ("source.forbidden", "")


def test_content_that_is_no_media_is_withheld() -> None:
    assert said(one(picture(content=b"Text"), rules(SHARP))) == [("error", "")]


# --- Marking --------------------------------------------------------------------------------------


def marked(marking: str, label: Label, **changed: Any) -> Label | None:
    form = ImageryForm(name="x", marking=marking)
    return gate.forms.label_in(form, picture(label, **changed), label, OWN)


def test_a_marking_of_our_own_opens_what_is_ours() -> None:
    assert isinstance(one(picture(CLOSED), rules(COARSE)), Withhold)
    outcome = one(picture(CLOSED), rules(COARSE, MARKED))
    assert isinstance(outcome, Tearline)
    assert outcome.form == MARKED
    assert outcome.label.level == (("USA", Level.CONFIDENTIAL),)
    assert outcome.label.release == {OWN, GBR}
    assert ("label.release", "coarse") in said(outcome)
    assert isinstance(one(picture(CLOSED), rules(MARKED), SWE), Withhold)


def test_it_opens_nothing_of_others() -> None:
    theirs = picture(CLOSED, originator="AUS")
    yes = {GBR: frozenset({"AUS"})}
    assert isinstance(one(theirs, rules(MARKED), consents=yes), Withhold)
    for axis in ("owners", "consent"):
        shared = msgspec.structs.replace(CLOSED, **{axis: frozenset({"AUS", OWN})})
        assert marked(MARKED.marking, shared) == shared


def test_it_keeps_what_its_scheme_does_not_speak_of() -> None:
    label = Label(
        level=(("JOINT", Level.SECRET), ("USA", Level.TOP_SECRET)),
        need=frozenset({"SI"}),
        release=frozenset({OWN}),
        display=frozenset({OWN}),
        reach=Reach.RED,
        use=Use.RED,
        owners=frozenset({OWN}),
        consent=frozenset({OWN}),
        duties=frozenset({"FOUO"}),
    )
    tlp = marked("TLP:GREEN", label)
    assert tlp == msgspec.structs.replace(label, reach=Reach.GREEN)
    pap = marked("TLP:GREEN PAP:AMBER", label)
    assert pap == msgspec.structs.replace(label, reach=Reach.GREEN, use=Use.AMBER)
    assert marked("CONFIDENTIAL//REL TO USA, GBR", label) == msgspec.structs.replace(
        label,
        level=(("JOINT", Level.SECRET), ("USA", Level.CONFIDENTIAL)),
        release=frozenset({OWN, GBR}),
        display=frozenset({OWN, GBR}),
    )


def test_anothers_mark_only_narrows() -> None:
    both = frozenset({GBR, OWN})
    assert marked("//GBR SECRET//REL TO USA, GBR", OPEN) == msgspec.structs.replace(
        OPEN,
        level=(("GBR", Level.SECRET), ("USA", Level.SECRET)),
        owners=both,
        release=both,
        display=both,
    )


def test_a_marking_that_cannot_be_read_makes_no_form() -> None:
    unread = ImageryForm(name="unread", marking="SECRET//REL TO NOWHERE")
    assert form_of(one(picture(), rules(unread, COARSE))) == COARSE
    assert marked("SECRET//REL TO NOWHERE", OPEN, originator="AUS") is None
