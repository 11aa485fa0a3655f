"""The parts of a review: requirements, coverage, relations, untying, scenarios, estimates; and its tables."""

from __future__ import annotations

import ast
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tearline.review import estimates, relations, requirements, scenario
from tearline.review.coverage import Answering, coverage
from tearline.review.definitions import DEFINITIONS
from tearline.review.report import Kind, shown
from tearline.review.requirements import Requirement, worth
from tearline.review.untying import Given, Tie, untying
from tearline.terms import BadInput, Category, Region, Topic

SRC = Path(__file__).parents[3] / "src" / "tearline"
TODAY = date(2026, 11, 23)
TOML = """
[[requirement]]
id = "R-1"
question = "Which barges leave Velna?"
elements = ["names", "loads"]
marking = "//GBR SECRET"
priority = 1
topics = ["maritime"]
regions = ["eastern-europe"]
cadence_days = 15
latest = 2026-03-31
form = "whole"
holder = "GBR"
"""
CSV = """\
id,question,elements,marking,priority,topics,regions,cadence_days,latest,form,holder
R-1,Which barges leave Velna?,names; loads,//GBR SECRET,1,maritime,eastern-europe,15,2026-03-31,whole,GBR
"""


def requirement(**more: object) -> Requirement:
    return Requirement(**({"id": "R", "question": "?", "marking": "TLP:RED"} | more))  # type: ignore[arg-type]


def test_toml_and_csv_say_the_same() -> None:
    (one,) = requirements.read(TOML, "r.toml", TODAY)
    assert requirements.read(CSV, "r.csv", TODAY) == (one,)
    assert (one.weight, one.a_month, one.latest) == (5, 2, date(2026, 3, 31))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("priority = 1", "priority = 6"), "its priority is none"),
        (("cadence_days = 15", "cadence_days = 0"), "its cadence is none"),
        (("//GBR SECRET", "//GBR SEKRET"), "its marking cannot be read whole"),
        (("maritime", "weather"), "weather"),
        (("holder =", "colour ="), "colour"),
        (('id = "R-1"', ""), "id"),
        (("[[requirement]]", "[[requirement"), "not TOML"),
    ],
)
def test_a_requirement_that_says_nothing_clear_is_refused(change: tuple[str, str], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        requirements.read(TOML.replace(*change), "r.toml", TODAY)


def test_a_requirement_given_twice_and_a_torn_csv_are_refused() -> None:
    with pytest.raises(BadInput, match="it is there twice"):
        requirements.read(TOML + TOML, "r.toml", TODAY)
    with pytest.raises(BadInput, match="line 2"):
        requirements.read(CSV.replace("maritime,", "maritime,air,air,"), "r.csv", TODAY)


def test_what_fits_and_what_it_is_worth() -> None:
    sea = frozenset({Topic.MARITIME})
    one = requirement(topics=sea, regions=frozenset({Region.EASTERN_EUROPE}), priority=2)
    assert one.fits(Category.REPORT, sea, frozenset({Region.EASTERN_EUROPE}))
    assert one.fits(Category.REPORT, sea, frozenset({Region.GLOBAL}))
    assert not one.fits(Category.REPORT, sea, frozenset())
    assert not one.fits(Category.REPORT, frozenset({Topic.AIR}), frozenset({Region.GLOBAL}))
    assert not requirement(categories=frozenset({Category.CYBER})).fits(Category.REPORT, sea, frozenset())
    assert worth([one, requirement(priority=5)], Category.REPORT, sea, frozenset({Region.GLOBAL})) == 4 + 1


def test_coverage_ranks_gaps_and_names_who_could_fill_them() -> None:
    asked = [
        requirement(id="often", cadence_days=15, priority=1),
        requirement(id="open", priority=1),
        requirement(id="over", latest=date(2026, 1, 31)),
    ]
    answers = [
        Answering(0, "USA", "2026-01", (2, 0)),
        Answering(0, "USA", "2026-02", (1, 1)),
        Answering(0, "GBR", "2026-02", (1, 1)),
        Answering(1, "POL", "", (3, 3)),
        Answering(2, "USA", "2026-01", (1, 1)),
        Answering(2, "USA", "2026-04", (1, 0)),
    ]
    found = coverage(asked, answers, ("2026-01", "2026-04"), ["now", "after"], "GBR")
    assert found.months == ("2026-01", "2026-02", "2026-03", "2026-04")
    rows = {each.requirement: each for each in found.rows}
    assert [each.requirement for each in found.rows] == ["open", "often", "over"]
    assert rows["often"].covered == (0.5, 0.25)
    assert rows["often"].gap == pytest.approx(5 * 0.75)
    assert (rows["often"].originators, rows["often"].sole) == (("USA", "GBR"), "")
    assert (rows["open"].covered, rows["open"].fillers) == ((0.0, 0.0), ("POL",))
    assert (rows["over"].covered, rows["over"].sole) == ((1.0, 1.0), "USA")


RELATIONS = """
[[assessment]]
partner = "USA"
domain = "trade"
at = 2026-05-01
score = 1
why = "A treaty."
[[assessment]]
partner = "USA"
domain = "trade"
at = 2026-10-01
score = -1
why = "Tariffs."
[[assessment]]
partner = "USA"
domain = "trade"
at = 2027-01-01
score = 2
why = "It is to come."
[[declared]]
party = "GBR"
at = 2026-01-01
threats = ["NORTHGATE", "piracy"]
[[declared]]
party = "USA"
at = 2026-02-01
threats = ["piracy", "fraud"]
[[order]]
partner = "USA"
since = 2026-09-01
what = "No new products on air."
[[order]]
partner = "USA"
since = 2026-09-02
until = 2026-12-01
what = "A pause with an end."
"""


def test_relations_as_they_stood_on_a_day() -> None:
    found = relations.read(RELATIONS, "relations.toml", "GBR", TODAY)
    (newest,) = found.newest()
    assert (newest.score, newest.before, newest.why) == (-1, "1 on 2026-05-01", "Tariffs.")
    (apart,) = found.divergences()
    assert (apart.partner, apart.ours, apart.theirs) == ("USA", ("NORTHGATE",), ("fraud",))
    assert [each.what for each in found.open()] == ["No new products on air."]
    with pytest.raises(BadInput, match="its score is none"):
        relations.read(RELATIONS.replace("score = 1", "score = 3"), "r", "GBR", TODAY)


def test_no_rule_reads_relations() -> None:
    """They inform: nothing but reviews imports them."""
    readers = set()
    for path in SRC.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            named += [f"{node.module}.{each.name}" for each in node.names] if named else []
            if isinstance(node, ast.Import):
                named = [each.name for each in node.names]
            if "tearline.review.relations" in named:
                readers.add(path.relative_to(SRC).as_posix())
    asking = {"cli/review.py", "doors/desk/areas/review.py"}
    assert readers == {*asking, "node/review.py", "review/report.py"}


def test_untying_loses_least_at_each_step() -> None:
    def given(topics: set[Topic], items: float, alone: float, kind: Category = Category.REPORT) -> Given:
        return Given(kind, frozenset(topics), items, alone)

    mine = [
        given({Topic.AIR}, 4, 30),
        given({Topic.AIR, Topic.MARITIME}, 2, 8),
        given({Topic.MARITIME}, 1, 2),
        given(set(), 5, 0),
        given({Topic.AIR}, 1, 12, Category.IMAGERY),
    ]
    ties = [
        Tie("agreement", "five-eyes", 5),
        Tie("delivery waiting", "releases", 3),
        Tie("consent given", "c", 2),
    ]
    found = untying("USA", 100, mine, ties)
    losses = [each.loss for each in found.steps]
    streams = [each.what for each in found.steps if each.what.startswith("do without")]
    assert [what.split(" from")[0].removeprefix("do without ") for what in streams] == [
        "report on no topic",
        "report on maritime",  # with what is on air too: 10
        "imagery on air",
        "report on air",  # without what went with maritime: 30, not 38
    ]
    assert [round(each, 9) for each in losses if each] == [0.1, 0.12, 0.3]
    assert found.steps[-1].left == pytest.approx(0.48)
    left = 1.0
    for each in found.steps:
        left -= each.loss
        assert each.left == pytest.approx(left)
        assert each.how
        assert each.back
    assert found.steps[-1].what == "forget USA's keys"


def test_scenarios() -> None:
    found = scenario.read(
        """
        title = "USA is suspended on air, and gives half"
        since = 2026-01-01
        until = 2026-11-01
        [[suspend]]
        partner = "USA"
        scope = "topic=air"
        [[answer]]
        partner = "USA"
        share = 0.5
        [[stop]]
        originator = "POL"
        """,
        "s.toml",
    )
    assert found.period == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
    assert found.changes_agreements
    assert scenario.suspension_of("USA").answer[0].share == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('title = "x"\n[[answer]]\npartner = "USA"\nshare = 2', "no share"),
        ('title = "x"\n[[suspend]]\npartner = "USA"\nscope = "some"', "no scope"),
        ('title = "x"\nsince = 2026-02-01\nuntil = 2026-02-01', "period is empty"),
        ('title = "x"\nthen = 1', "then"),
        ("title", "not TOML"),
    ],
)
def test_a_scenario_that_says_nothing_clear_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        scenario.read(text, "s.toml")


def test_estimates() -> None:
    text = 'adversaries = ["X"]\n[[edge]]\nfrom = "USA"\nto = "X"\nlow = 0.1\nhigh = 0.2\nwhy = "w"'
    ((edge,), adversaries) = estimates.read(text, "e.toml")
    assert (edge.giver, edge.taker, edge.low, edge.high, adversaries) == ("USA", "X", 0.1, 0.2, ("X",))
    with pytest.raises(BadInput, match="why"):
        estimates.read(text.replace('why = "w"', ""), "e.toml")


def test_figures_as_people_read_them() -> None:
    assert shown(0.8, Kind.SHARE) == "80.0 %"
    assert shown(1234567, Kind.COUNT) == "1,234,567"
    assert shown(2.5, Kind.COUNT) == "2.5"
    assert shown(0.00123456, Kind.NUMBER) == "0.00123"
    assert all(text.endswith(".") for text in DEFINITIONS.values())
