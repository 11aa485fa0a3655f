"""What officers of the simulator propose: the prover is asked here, once, for all simulated years."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tearline.agreement import Action, Agreements, Facts
from tearline.agreement.proof import prove
from tearline.simulate import deals
from tearline.simulate.deals import KEEPS_CHARTER, TEXTS, Deal
from tearline.terms import Category, Discipline, Level, Reach, Topic, Use

PARTIES = ("AFG", "AGO", "ALB")
NOW = datetime(2027, 3, 1, tzinfo=UTC)


def deal(name: str) -> Deal:
    return Deal("coalition", PARTIES, TEXTS[name], date(2026, 1, 1), date(2999, 1, 1))


@pytest.mark.parametrize("name", TEXTS)
def test_every_text_is_sound_and_proved_as_said(name: str) -> None:
    agreement = deals.agreement(deal(name))
    agreement.must_be_sound()
    proof = prove("AFG", [], agreement, since=NOW, members={party: frozenset() for party in PARTIES[1:]})
    assert not proof.unknown
    assert proof.keeps_charter is KEEPS_CHARTER[name]


@pytest.mark.parametrize("name", TEXTS)
def test_the_naive_reading_says_what_cedar_says(name: str) -> None:
    made = deal(name)
    rules = Agreements("AFG", [deals.agreement(made)])
    for category in (Category.CYBER, Category.REPORT):
        for topics in ([], [Topic.MARITIME], [Topic.THREAT_TO_LIFE], [Topic.PROLIFERATION]):
            for humint in (True, False):
                for rank in (0, 2, 3, 9):
                    level = Level.TOP_SECRET if rank == 9 else Level(rank)
                    facts = Facts(
                        originator="AFG",
                        category=category,
                        level=(("AFG", level),),
                        topics=frozenset(topics),
                        regions=frozenset(),
                        disciplines=frozenset({Discipline.HUMINT if humint else Discipline.OSINT}),
                        reach=Reach.CLEAR,
                        use=Use.CLEAR,
                    )
                    naive = deals.Facts(category.value, frozenset(topics), humint, rank)
                    for action in Action:
                        (ruling,) = rules.rule(facts, {"AGO": frozenset()}, action, NOW).values()
                        said = deals.permits([made], "AFG", "AGO", naive, action, NOW)
                        assert said is (ruling.verdict == "permit"), (naive, action)
