"""The agreements that ship with the demo: sound, and what they do to some telling products."""

from __future__ import annotations

from importlib.resources import files

import pytest

from tearline.agreement import Action, Agreement, Agreements, Facts, Ruling, Verdict, between, check, load
from tearline.terms import Category, Discipline, Level, Reach, Region, Topic, Use
from tests.strategies_gate import NOW

PAIRS = [("USA", "UKR"), ("GBR", "ISR"), ("USA", "SAU"), ("AUS", "UKR")]
WHOLE, LINES = Action.RELEASE, Action.RELEASE_TEARLINE


def shipped(name: str) -> Agreement:
    folder = files("tearline.demo") / "agreements" / name
    manifest, clauses = ((folder / file).read_text("utf-8") for file in ("agreement.toml", "clauses.cedar"))
    return load(manifest, clauses, name)


FIVE, TWO = shipped("five-eyes"), shipped("bilateral")


@pytest.mark.parametrize("agreement", [FIVE, *(between(TWO, ("USA", "UKR"), pair) for pair in PAIRS)])
def test_a_shipped_agreement_keeps_to_the_profile(agreement: Agreement) -> None:
    assert check(agreement) == []
    assert all("review" in clause.tree.annotations for clause in agreement.parsed)


def rule(own: str, partner: str, action: Action, level: Level, *what: str) -> Ruling:
    """What `own`'s agreements say of its own product; `what` names category, topics and discipline."""
    pairs = [between(TWO, ("USA", "UKR"), pair) for pair in PAIRS if own in pair]
    rules = Agreements(own, [FIVE, *pairs])
    coalitions = frozenset({"FVEY"}) if partner in FIVE.parties else frozenset[str]()
    facts = Facts(
        originator=own,
        category=next((word for word in Category if f"a {word}" in what), Category.REPORT),
        level=((own, level),),
        topics=frozenset(word for word in Topic if word in what),
        regions=frozenset({Region.GLOBAL}),
        disciplines=frozenset(word for word in Discipline if word in what) or frozenset({Discipline.OSINT}),
        reach=Reach.CLEAR,
        use=Use.CLEAR,
    )
    return rules.rule(facts, {partner: coalitions}, action, NOW)[partner]


S, C, TS = Level.SECRET, Level.CONFIDENTIAL, Level.TOP_SECRET


@pytest.mark.parametrize(
    ("own", "partner", "level", "what", "whole", "lines"),
    [
        ("USA", "GBR", S, ("a cyber", "malware"), "five-eyes/cyber-whole", "no-clause"),
        ("USA", "GBR", TS, ("a cyber", "malware"), "no-level", "no-level"),
        ("USA", "GBR", S, ("land",), "five-eyes/reports-whole", "five-eyes/reports-tearline"),
        ("USA", "GBR", S, ("land", "humint"), "no-clause", "five-eyes/reports-tearline"),
        ("USA", "GBR", S, ("counterintelligence",), "no-clause", "no-clause"),
        (
            "USA",
            "GBR",
            S,
            ("threat-to-life", "humint"),
            "five-eyes/duty-to-warn",
            "five-eyes/reports-tearline",
        ),
        ("USA", "GBR", C, ("proliferation", "humint"), "five-eyes/sources-on-weapons-programmes", "same"),
        # The red line of the five holds towards everybody.
        (
            "USA",
            "UKR",
            C,
            ("proliferation", "humint", "air"),
            "five-eyes/sources-on-weapons-programmes",
            "same",
        ),
        ("USA", "UKR", C, ("a cyber", "malware"), "bilateral-usa-ukr/cyber-whole", "no-clause"),
        ("USA", "UKR", S, ("a cyber", "malware"), "no-clause", "no-clause"),
        ("USA", "UKR", C, ("threat-to-life",), "bilateral-usa-ukr/warning-whole", "no-clause"),
        ("USA", "UKR", S, ("land",), "no-clause", "bilateral-usa-ukr/reports-tearline"),
        ("USA", "UKR", S, ("air", "proliferation"), "no-clause", "no-clause"),
        ("USA", "UKR", C, ("sanctions",), "bilateral-usa-ukr/sanctions-whole", "no-clause"),
        ("USA", "UKR", C, ("influence",), "no-clause", "no-clause"),
        (
            "UKR",
            "USA",
            S,
            ("land",),
            "bilateral-usa-ukr/battlefield-whole",
            "bilateral-usa-ukr/reports-tearline",
        ),
        ("UKR", "USA", S, ("land", "humint"), "no-clause", "bilateral-usa-ukr/reports-tearline"),
        ("UKR", "USA", C, ("sanctions",), "no-clause", "no-clause"),
        ("UKR", "AUS", S, ("land", "humint"), "no-clause", "bilateral-aus-ukr/reports-tearline"),
        ("UKR", "GBR", S, ("land",), "none", "none"),
        ("GBR", "ISR", C, ("a cyber",), "bilateral-gbr-isr/cyber-whole", "no-clause"),
        ("NZL", "UKR", C, ("a cyber",), "none", "none"),
    ],
)
def test_what_goes_how_and_under_which_clause(
    own: str, partner: str, level: Level, what: tuple[str, ...], whole: str, lines: str
) -> None:
    def said(action: Action) -> str:
        ruling = rule(own, partner, action, level, *what)
        return ruling.clauses[0] if ruling.clauses else str(ruling.verdict.value)

    assert said(WHOLE) == whole
    assert said(LINES) == (whole if lines == "same" else lines)


def test_a_forbid_is_said_to_be_one() -> None:
    assert rule("USA", "UKR", WHOLE, C, "proliferation", "humint").verdict is Verdict.FORBID
