"""Each numbered check of the gate, its reasons, and what it does when something breaks."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tearline import gate
from tearline.agreement import Action, Agreements, Ruling, Verdict
from tearline.gate import decide, openings, referral, sanitize
from tearline.label import join_all
from tearline.terms import (
    Category,
    Label,
    Level,
    Outcome,
    Partner,
    Portion,
    Product,
    Quarantine,
    Reach,
    Refer,
    Role,
    Tearline,
    Topic,
    Use,
    Whole,
    Withhold,
)
from tests import strategies_gate as made

OWN, GBR, AUS, UKR = "USA", "GBR", "AUS", "UKR"
NOW = made.NOW
ROWS = {"USA": {level: level for level in Level}}
ALL = ("release", "releaseTearline")
PERMIT = made.Clause("permit", (), ALL)
OPEN = Label(level=(("USA", Level.SECRET),), owners=frozenset({OWN}))
CLOSED = msgspec.structs.replace(OPEN, release=frozenset({OWN}), display=frozenset({OWN}))
UNREAD = Quarantine(scheme="capco", mark="REL TO EDU", reason="is no country")
WHOLE_ONLY = made.Clause("permit", (), ("release",))
LINES_ONLY = made.Clause("permit", (), ("releaseTearline",))


def product(label: Label | Quarantine = OPEN, *portions: Portion, **changed: Any) -> Product:
    plain = Product(
        id="report--1",
        version="2026-10-01T00:00:00.000Z",
        originator=OWN,
        category=Category.REPORT,
        title="Title",
        created=datetime(2026, 10, 1, tzinfo=UTC),
        topics=frozenset({Topic.AIR}),
        marking=None,
        label=label,
        portions=portions,
        content=b"Text",
    )
    return msgspec.structs.replace(plain, **changed)


def portion(text: str, label: Label | Quarantine = OPEN, role: Role = Role.BODY) -> Portion:
    return Portion(text=text, role=role, marking=None, label=label)


def rules(*clauses: made.Clause, parties: str = "USA GBR AUS UKR") -> Agreements:
    return made.compiled((made.Deal("deal", frozenset(parties.split()), ROWS, clauses or (PERMIT,)),))


def one(
    of: Product,
    agreements: Agreements | None = None,
    partner: Partner | None = None,
    consents: dict[str, frozenset[str]] | None = None,
    now: datetime = NOW,
) -> Outcome:
    whom = partner or made.partner(GBR)
    return gate.consider(of, [whom], agreements or rules(), now, consents or {})[whom.party]


def said(outcome: Outcome) -> list[str]:
    return [f"{reason.check} {reason.code} {reason.clause}".strip() for reason in outcome.reasons]


SOURCE = portion("A driver.", CLOSED, Role.SOURCE)
REPORT = product(CLOSED, portion("T", role=Role.TITLE), portion("Seen."), portion("Where.", CLOSED), SOURCE)


# --- 1 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unread",
    [
        product(UNREAD),
        product(OPEN, portion("a"), portion("b", UNREAD)),
        product(OPEN, portion("a"), portion("b", Quarantine(scheme="", mark="", reason=""))),
    ],
)
def test_1_a_marking_that_cannot_be_read_goes_to_nobody(unread: Product) -> None:
    outcomes = gate.consider(unread, [made.partner(party) for party in (GBR, AUS)], rules(), NOW)
    assert [(type(each), said(each)) for each in outcomes.values()] == [
        (Withhold, ["1 label.quarantine"])
    ] * 2


def test_1_the_reason_names_the_mark() -> None:
    assert one(product(UNREAD)).reasons[0].detail == "REL TO EDU"


# --- 2 and 3 -------------------------------------------------------------------------------------


def test_2_neither_the_originator_nor_the_node_itself_is_given_it() -> None:
    theirs = product(originator=AUS)
    consents = {party: frozenset({AUS}) for party in (AUS, OWN, GBR)}
    outcomes = gate.consider(
        theirs, [made.partner(party) for party in (AUS, OWN, GBR)], rules(), NOW, consents
    )
    assert said(outcomes[AUS]) == ["2 party.originator"]
    assert said(outcomes[OWN]) == ["2 party.self"]
    assert isinstance(outcomes[GBR], Whole)


def test_3_what_another_made_needs_its_consent_for_this_partner() -> None:
    theirs = product(originator=AUS)
    refused = one(theirs)
    assert isinstance(refused, Withhold)
    assert (said(refused), refused.reasons[0].detail) == (["3 consent.originator"], AUS)
    assert isinstance(one(theirs, consents={UKR: frozenset({AUS})}), Withhold)
    assert isinstance(one(theirs, consents={GBR: frozenset({UKR})}), Withhold)
    assert isinstance(one(theirs, consents={GBR: frozenset({AUS})}), Whole)


# --- 4 -------------------------------------------------------------------------------------------

BARRED = [
    ({"level": (("USA", Level.TOP_SECRET),)}, ["level"]),
    ({"level": (("FRA", Level.UNCLASSIFIED),)}, ["level"]),
    ({"need": frozenset({"TK"})}, ["need"]),
    ({"release": frozenset({OWN}), "display": frozenset({OWN})}, ["release"]),
    ({"reach": Reach.RED}, ["reach"]),
    ({"duties": frozenset({"PROPIN"})}, ["duties"]),
    ({"owners": frozenset({OWN, AUS})}, ["owners"]),
    ({"consent": frozenset({AUS})}, ["owners"]),
    ({"need": frozenset({"TK"}), "reach": Reach.RED}, ["need", "reach"]),
]


@pytest.mark.parametrize(("axes", "expected"), BARRED)
def test_4_what_the_label_bars_is_withheld_with_every_axis(axes: dict[str, Any], expected: list[str]) -> None:
    outcome = one(product(msgspec.structs.replace(OPEN, **axes)))
    assert isinstance(outcome, Withhold)
    assert said(outcome) == [f"4 label.{axis}" for axis in expected] + ["6 tearline.no-portions"]


def test_4_the_partners_own_restraint_counts() -> None:
    bold = msgspec.structs.replace(made.partner(GBR), use=Use.CLEAR)
    assert said(one(product(msgspec.structs.replace(OPEN, use=Use.RED)), partner=bold))[0] == "4 label.use"


def test_4_an_owners_consent_opens_the_label() -> None:
    shared = product(msgspec.structs.replace(OPEN, owners=frozenset({OWN, AUS})))
    assert isinstance(one(shared, consents={GBR: frozenset({AUS})}), Whole)


def test_4_our_own_orcon_is_ours_to_release() -> None:
    assert isinstance(one(product(msgspec.structs.replace(OPEN, consent=frozenset({OWN})))), Whole)


def test_4_what_may_only_be_shown_is_referred() -> None:
    shown = msgspec.structs.replace(CLOSED, display=frozenset({OWN, GBR}))
    outcome = one(product(shown))
    assert isinstance(outcome, Refer)
    assert said(outcome) == ["4 label.display-only"]
    barred = msgspec.structs.replace(shown, need=frozenset({"TK"}))
    assert isinstance(one(product(barred)), Withhold)


def test_4_a_banner_too_open_for_its_portions_opens_nothing() -> None:
    """A product's label is the join of all of them; a reader that forgot it must not cost a source."""
    outcome = one(product(OPEN, portion("a"), portion("b", CLOSED)), rules(WHOLE_ONLY))
    assert isinstance(outcome, Withhold)
    assert said(outcome) == ["4 label.release", "6 agreement.no-clause"]


# --- 5 -------------------------------------------------------------------------------------------


def test_5_what_label_and_agreement_let_go_goes_whole() -> None:
    outcome = one(product())
    assert isinstance(outcome, Whole)
    assert said(outcome) == ["5 agreement.permit deal/c0"]


@pytest.mark.parametrize(
    ("agreements", "reason"),
    [
        (Agreements(OWN, []), "agreement.none"),
        (rules(parties="USA AUS"), "agreement.none"),
        (rules(made.Clause("permit", (("partner", AUS),), ALL)), "agreement.no-clause"),
        (rules(PERMIT, made.Clause("forbid", (), ALL)), "agreement.forbid deal/c1"),
    ],
)
def test_5_without_an_agreements_yes_nothing_goes(agreements: Agreements, reason: str) -> None:
    outcome = one(product(), agreements)
    assert isinstance(outcome, Withhold)
    assert said(outcome) == [f"5 {reason}", "6 tearline.no-portions"]


def test_5_a_level_without_a_row_does_not_go() -> None:
    joint = msgspec.structs.replace(OPEN, level=(("JOINT", Level.UNCLASSIFIED),))
    assert said(one(product(joint)))[0] == "5 agreement.no-level"


@pytest.mark.parametrize("broken", list(Action))
def test_5_an_evaluation_error_is_no_release(broken: Action, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Agreements.rule

    def rule(self: Agreements, facts: Any, partners: Any, action: Action, now: datetime) -> Any:
        if action is broken:
            return dict.fromkeys(partners, Ruling(Verdict.ERROR))
        return real(self, facts, partners, action, now)

    monkeypatch.setattr(Agreements, "rule", rule)
    outcome = one(product() if broken is Action.RELEASE else REPORT)
    assert isinstance(outcome, Withhold)
    assert said(outcome)[-1] == f"{5 if broken is Action.RELEASE else 6} agreement.error"


def test_5_after_an_error_no_tearline_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    report = product(OPEN, portion("a"), portion("b", role=Role.SOURCE))
    assert isinstance(one(report, rules(LINES_ONLY)), Tearline)
    real = Agreements.rule

    def rule(self: Agreements, facts: Any, partners: Any, action: Action, now: datetime) -> Any:
        if action is Action.RELEASE:
            return dict.fromkeys(partners, Ruling(Verdict.ERROR))
        return real(self, facts, partners, action, now)

    monkeypatch.setattr(Agreements, "rule", rule)
    outcome = one(report, rules(LINES_ONLY))
    assert isinstance(outcome, Withhold)
    assert said(outcome) == ["5 agreement.error"]


# --- 6 -------------------------------------------------------------------------------------------


def test_6_a_tearline_is_the_portions_that_may_go_marked_with_their_join() -> None:
    outcome = one(REPORT)
    assert isinstance(outcome, Tearline)
    assert outcome.portions == REPORT.portions[:2]
    assert outcome.label == join_all([OPEN, OPEN])
    assert said(outcome) == ["4 label.release", "6 agreement.permit deal/c0"]


def test_6_a_source_line_stays_even_where_its_label_would_let_it_go() -> None:
    report = product(OPEN, portion("Seen."), portion("A driver.", role=Role.SOURCE))
    outcome = one(report, rules(LINES_ONLY))
    assert isinstance(outcome, Tearline)
    assert [each.text for each in outcome.portions] == ["Seen."]
    assert said(outcome) == ["5 agreement.no-clause", "6 agreement.permit deal/c0"]


def test_6_partners_get_the_portions_of_their_own() -> None:
    for_aus = msgspec.structs.replace(OPEN, release=frozenset({OWN, AUS}), display=frozenset({OWN, AUS}))
    report = product(CLOSED, portion("all"), portion("aus", for_aus), SOURCE)
    outcomes = gate.consider(report, [made.partner(party) for party in (AUS, GBR)], rules(), NOW)
    texts = {party: [each.text for each in outcome.portions] for party, outcome in outcomes.items()}  # type: ignore[union-attr]
    assert texts == {AUS: ["all", "aus"], GBR: ["all"]}


def test_6_the_agreement_sees_the_level_of_what_remains() -> None:
    low = msgspec.structs.replace(OPEN, level=(("USA", Level.CONFIDENTIAL),))
    up_to_confidential = made.Clause("permit", (), ALL, (("compare", "level", "<=", 2),))
    report = product(CLOSED, portion("low", low), portion("high", CLOSED))
    assert isinstance(one(report, rules(up_to_confidential)), Tearline)
    assert isinstance(one(product(CLOSED, portion("high"), SOURCE), rules(up_to_confidential)), Withhold)


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (product(OPEN), "tearline.no-portions"),
        (product(OPEN, portion("T", role=Role.TITLE), portion("b", CLOSED)), "tearline.no-body"),
        (product(OPEN, portion("a", CLOSED), SOURCE), "tearline.no-body"),
        (product(OPEN, portion("a"), portion("b")), "tearline.nothing-dropped"),
        (product(CLOSED, portion("a"), portion("b")), "tearline.nothing-dropped"),
    ],
)
def test_6_what_has_no_tearline_form(report: Product, reason: str) -> None:
    outcome = one(report, rules(LINES_ONLY))
    assert isinstance(outcome, Withhold)
    assert said(outcome)[-1] == f"6 {reason}"


def test_6_a_forbid_on_the_form_holds_it_back() -> None:
    assert said(one(REPORT, rules(PERMIT, made.Clause("forbid", (), ("releaseTearline",))))) == [
        "4 label.release",
        "6 agreement.forbid deal/c1",
    ]


# --- Coalitions, errors, reasons ------------------------------------------------------------------


def test_a_new_member_opens_no_old_product() -> None:
    agreements = rules(made.Clause("permit", (("coalition", "NATO"),), ALL), parties="USA SWE GBR")
    old, new = product(created=datetime(2021, 1, 1, tzinfo=UTC)), product()
    postdated = product(created=datetime(2099, 1, 1, tzinfo=UTC))
    swe = made.partner("SWE")
    assert isinstance(one(new, agreements, swe), Whole)
    assert isinstance(one(old, agreements, swe), Withhold)
    assert isinstance(one(old, agreements), Whole)
    # A product's own date cannot reach past the day of the decision.
    before = datetime(2022, 12, 1, tzinfo=UTC)
    assert isinstance(one(postdated, agreements, swe, now=before), Withhold)


def test_whatever_breaks_is_withheld_and_told_to_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def bars(*_: object) -> tuple[str, ...]:
        raise RuntimeError("Nachtfalter")

    monkeypatch.setattr(openings, "bars", bars)
    outcomes = gate.consider(REPORT, [made.partner(party) for party in (GBR, AUS)], rules(), NOW)
    assert [(type(each), said(each)) for each in outcomes.values()] == [(Withhold, ["7 error"])] * 2
    assert b"Nachtfalter" not in msgspec.json.encode(outcomes)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "broken",
    [
        {"product": product(created=datetime(2026, 1, 1))},
        {"product": product(topics=frozenset({"no topic"}))},
        {"now": datetime(2026, 11, 1)},
    ],
)
def test_arguments_that_make_no_sense_release_nothing(broken: dict[str, Any]) -> None:
    outcome = one(broken.get("product", product()), now=broken.get("now", NOW))
    assert isinstance(outcome, Withhold)
    assert said(outcome) == ["7 error"]


def test_nobody_to_give_to() -> None:
    assert gate.consider(product(), [], rules(), NOW) == {}


def test_outcomes_come_in_the_order_of_the_partners() -> None:
    parties = [UKR, AUS, GBR]
    assert list(gate.consider(REPORT, [made.partner(party) for party in parties], rules(), NOW)) == parties


def test_every_code_is_given_a_meaning_and_every_meaning_a_code() -> None:
    """Those of the gate, and those that the node gives where a permitted release cannot be composed."""
    room = Path(decide.__file__).parents[1]
    code = Path(openings.__file__).read_text("utf-8") + Path(referral.__file__).read_text("utf-8")
    code += Path(decide.__file__).read_text("utf-8").split("}\n\n_coalitions", 1)[1]
    code += "".join(path.read_text("utf-8") for path in (room / "node").glob("*.py"))
    kinds = "label|party|product|consent|tearline|agreement|release|source|mosaic|reference|name|form|officer"
    written = set(re.findall(rf'"((?:{kinds})\.[a-z-]+|error)"', code)) | sanitize.CODES.keys()
    made_up = {f"agreement.{verdict.value}" for verdict in Verdict}
    made_up |= {f"label.{axis}" for axis in ("level", "need", "release", "reach", "use", "duties", "owners")}
    assert (written | made_up) - {"agreement.toml"} == gate.CODES.keys()


def test_the_checks_are_numbered_alike_in_docstring_and_code() -> None:
    text = Path(decide.__file__).read_text("utf-8")
    doc, code = text.split('"""', 2)[1:]
    opened = Path(openings.__file__).read_text("utf-8")
    listed = [int(number) for number in re.findall(r"^(\d)\. ", doc, re.MULTILINE)]
    assert listed == [1, 2, 3, 4, 5, 6, 7]
    beside = re.findall(r"# (\d)\.(?: and (\d)\.)?", opened + code.replace("# 1. to 4.", ""))
    assert [int(number) for numbers in beside for number in numbers if number] == listed
    assert {int(number) for number in re.findall(r"(?:check=|_reasons\()(\d)", opened + code)} == set(listed)
