"""Replay against a naive one: item by item, partner by partner, asking the gate's engine."""

from __future__ import annotations

import dataclasses
import itertools
import random
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime

import msgspec
import numpy as np
import pytest

from tearline.agreement import Action, Agreement, Agreements, Ruling, Verdict, load
from tearline.agreement.tables import TEARLINE, WHOLE, Row, columns, judge
from tearline.review import Change, Changes, Replay, Side, change_of, clauses, count, in_words, revised
from tearline.review.replay import BOTH_ACTIONS
from tearline.terms import Broken
from tests import agreements as made

BOTH = WHOLE | TEARLINE


def items(draw: random.Random, world: made.World, number: int) -> list[Row]:
    """Items of one to four rows: with both forms in one, the whole alone, or with tearline forms."""
    found: list[Row] = []
    parties = list(world.members)
    for name in range(number):
        at, day = draw.choice(world.instants), draw.choice(made.DAYS)
        facts = draw.choice(world.facts)
        several = [[WHOLE, TEARLINE], [WHOLE, TEARLINE, TEARLINE]]
        forms = draw.choice([[BOTH], [BOTH], [WHOLE], [TEARLINE], *several])
        for place, form in enumerate(forms):
            other = draw.choice(world.facts)
            found.append(
                Row(
                    id=f"item-{name}",
                    version="1",
                    at=at,
                    day=day,
                    facts=msgspec.structs.replace(facts, level=other.level, reach=other.reach, use=other.use),
                    form=form,
                    to=None
                    if draw.random() < 0.4
                    else frozenset(draw.sample(parties, draw.randrange(len(parties)))),
                    first=place == 0,
                )
            )
    return found


def outcome(rules: Agreements, forms: Sequence[Row], partner: str, world: made.World) -> str:
    for form, action in ((WHOLE, Action.RELEASE), (TEARLINE, Action.RELEASE_TEARLINE)):
        for row in forms:
            members = {partner: world.members_on(row.day).get(partner, frozenset[str]())}
            lets_in = row.to is None or partner in row.to
            if row.form & form and lets_in and made.permitted(rules, row.facts, members, action, row.at):
                return "whole" if form == WHOLE else "tearline"
    return "withheld"


def naive(
    world: made.World, proposed: Sequence[Agreement], rows: Sequence[Row]
) -> tuple[Counter[tuple[str, Change]], Counter[tuple[object, ...]], Counter[tuple[str, str, int]]]:
    """Totals of changes, their cells, and how often which outcome was met under which set."""
    sets = [Agreements(made.OWN, agreements) for agreements in (world.agreements, proposed)]
    totals, cells, outcomes = (
        Counter[tuple[str, Change]](),
        Counter[tuple[object, ...]](),
        Counter[tuple[str, str, int]](),
    )
    starts = [number for number, row in enumerate(rows) if row.first]
    for start, end in itertools.pairwise([*starts, len(rows)]):
        forms, facts = rows[start:end], rows[start].facts
        for partner in world.members:
            before, after = (outcome(rules, forms, partner, world) for rules in sets)
            outcomes.update([(partner, before, 0), (partner, after, 1)])
            if change := change_of(before, after):
                totals[partner, change] += 1
                for topic in facts.topics or {""}:
                    cells[partner, f"{rows[start].at:%Y-%m}", facts.category, topic, change] += 1
    return totals, cells, outcomes


def reasons(
    world: made.World, proposed: Sequence[Agreement], rows: Sequence[Row]
) -> Counter[tuple[str, Change, str, str]]:
    """What decides each change, item by item."""
    found = Counter[tuple[str, Change, str, str]]()
    sets = [Agreements(made.OWN, agreements) for agreements in (world.agreements, proposed)]
    starts = [number for number, row in enumerate(rows) if row.first]
    for start, end in itertools.pairwise([*starts, len(rows)]):
        for partner in world.members:
            before, after = (side(rules, rows[start:end], partner, world) for rules in sets)
            if change := change_of(before.outcome, after.outcome):
                found[partner, change, in_words(before), in_words(after)] += 1
    return found


def side(rules: Agreements, forms: Sequence[Row], partner: str, world: made.World) -> Side:
    rulings: dict[int, Ruling] = {}
    found = "withheld"
    for form, action in ((WHOLE, Action.RELEASE), (TEARLINE, Action.RELEASE_TEARLINE)):
        for row in forms:
            if row.form & form and (row.to is None or partner in row.to) and found == "withheld":
                members = {partner: world.members_on(row.day).get(partner, frozenset[str]())}
                rulings[form] = rules.rule(row.facts, members, action, row.at)[partner]
                if rulings[form].verdict is Verdict.PERMIT:
                    found = "whole" if form == WHOLE else "tearline"
    return Side(outcome=found, whole=rulings.get(WHOLE), tearline=rulings.get(TEARLINE))


def replay(world: made.World, proposed: Sequence[Agreement], rows: Sequence[Row], **more: int) -> Changes:
    made_of = Replay(made.OWN, world.agreements, proposed, tuple(world.members), world.epochs, **more)
    made_of.add(columns(rows))
    return made_of.changes()


def test_replay_equals_the_naive_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "CHUNK", 16)
    monkeypatch.setattr(count, "AT_ONCE", 8)
    draw, seen = random.Random(5), Counter[Change]()
    for number in range(7):
        partners = 70 if number == 5 else 5
        world = made.world(draw, count=partners, facts=10, instants=4)
        rows = items(draw, world, 40 if partners == 5 else 6)
        other = made.agreement(draw, f"deal-{draw.randrange(3)}", list(made.partners(partners)))
        seen += assert_equal(world, revised(world.agreements, other), rows)
        then = tuple(map(other_way_round, world.agreements))
        seen += assert_equal(world, then, rows, why=number < 5)
        seen += assert_equal(dataclasses.replace(world, agreements=then), world.agreements, rows)
    assert min(seen[change] for change in Change) >= 10, seen


def other_way_round(agreement: Agreement) -> Agreement:
    """What it gives whole it then gives as a tearline, and the other way round."""
    actions = {"release": "releaseTearline", "releaseTearline": "release"}
    clauses = re.sub(
        r'Action::"(release\w*)"', lambda found: f'Action::"{actions[found[1]]}"', agreement.clauses
    )
    return load(agreement.manifest, clauses, agreement.id)


def assert_equal(
    world: made.World, proposed: Sequence[Agreement], rows: Sequence[Row], *, why: bool = False
) -> Counter[Change]:
    """Assert that both replays find the same; counts the changes that they find."""
    totals, cells, outcomes = naive(world, proposed, rows)
    changes = replay(world, proposed, rows)
    assert {
        (each.partner, change): amount for each in changes.totals for change, amount in each.counts.items()
    } == totals
    assert {
        (cell.partner, cell.month, cell.category, cell.topic, change): amount
        for cell in changes.cells
        for change, amount in cell.counts.items()
    } == cells
    if why:
        found = {(each.partner, each.change, each.now, each.then): each.items for each in changes.reasons}
        assert found == reasons(world, proposed, rows)
    for each in changes.totals:
        for side in (0, 1):
            assert each.whole[side] == outcomes[each.partner, "whole", side]
            assert each.tearline[side] == outcomes[each.partner, "tearline", side]
    assert_examples(changes, totals)
    seen = Counter[Change]()
    for (_, change), amount in totals.items():
        seen[change] += amount
    return seen


def assert_examples(changes: Changes, totals: Counter[tuple[str, Change]]) -> None:
    """As many as there are, three at most, each with what decided."""
    kept: defaultdict[tuple[str, Change], set[str]] = defaultdict(set)
    for example in changes.examples:
        kept[example.partner, example.change].add(example.id)
        assert change_of(example.before.outcome, example.after.outcome) is example.change
        for side in (example.before, example.after):
            if side.outcome != "withheld":
                ruling = side.whole if side.outcome == "whole" else side.tearline
                assert ruling
                assert ruling.clauses
    assert {key: len(ids) for key, ids in kept.items()} == {
        key: min(3, amount) for key, amount in totals.items()
    }


@pytest.fixture
def world() -> made.World:
    return made.world(random.Random(11), facts=10, instants=4)


def test_batches_add_up_to_the_whole(world: made.World) -> None:
    draw = random.Random(1)
    proposed = revised(world.agreements, made.agreement(draw, "deal-0"))
    rows = [row._replace(first=True, form=BOTH) for row in items(draw, world, 60)]
    once = replay(world, proposed, rows)
    again = Replay(made.OWN, world.agreements, proposed, tuple(world.members), world.epochs)
    for start in range(0, len(rows), 7):
        again.add(columns(rows[start : start + 7]))
    assert again.changes() == once
    assert not once.nothing


def test_the_same_agreements_change_nothing(world: made.World) -> None:
    changes = replay(world, world.agreements, items(random.Random(2), world, 100))
    assert changes.nothing
    assert changes.cells == ()
    assert changes.examples == ()
    assert changes.items == 100


def test_of_items_without_forms_it_is_said_that_both_actions_were_judged(world: made.World) -> None:
    made_of = Replay(made.OWN, world.agreements, world.agreements, tuple(world.members), world.epochs)
    given = columns(items(random.Random(2), world, 9))
    made_of.add(given)
    assert made_of.changes().notes == ()
    made_of.add(dataclasses.replace(given, form=None, first=None))
    assert made_of.changes().notes == (BOTH_ACTIONS,)


def test_no_items_and_no_partners(world: made.World) -> None:
    assert replay(world, [], []).nothing
    alone = Replay(made.OWN, world.agreements, [], [], world.epochs)
    alone.add(columns(items(random.Random(3), world, 5)))
    assert alone.changes().items == 5


def test_where_cedar_says_something_else_there_is_no_result(
    world: made.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Ruling(Verdict.NO_CLAUSE)
    monkeypatch.setattr(
        Agreements, "rule", lambda self, facts, partners, *_: dict.fromkeys(partners, nothing)
    )
    with pytest.raises(Broken, match="disagree"):
        replay(world, [], items(random.Random(4), world, 200))


def test_rare_kinds_are_counted_and_not_asked_about(
    world: made.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clauses, "MOST", 1)
    changes = replay(world, [], items(random.Random(4), world, 60))
    for each in changes.totals:
        mine = [reason for reason in changes.reasons if reason.partner == each.partner]
        assert sum(reason.items for reason in mine) == sum(each.counts.values())
    assert {reason.now for reason in changes.reasons} > {clauses.NOT_ASKED}


def test_kinds_that_cannot_be_numbered_are_counted(
    world: made.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "MOST_KINDS", 0)
    changes = replay(world, [], items(random.Random(4), world, 60))
    assert {reason.now for reason in changes.reasons} == {clauses.NOT_ASKED}
    assert sum(reason.items for reason in changes.reasons) == changes.count(Change.WITHHELD) > 0


def test_changes_go_to_json_and_back(world: made.World) -> None:
    changes = replay(world, [], items(random.Random(6), world, 50))
    assert changes.count(Change.WITHHELD) > 0
    assert msgspec.json.decode(msgspec.json.encode(changes), type=Changes) == changes


def test_examples_are_limited(world: made.World) -> None:
    rows = items(random.Random(6), world, 50)
    assert replay(world, [], rows, examples=0).examples == ()
    many = replay(world, [], rows, examples=1000)
    assert len(many.examples) == many.count(Change.WITHHELD)


def test_a_tally_counts_every_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count, "SLICE", 7)
    draw, tally, expected = np.random.default_rng(1), count.Tally(2), np.zeros(128, np.int64)
    for length in (0, 1, 6, 7, 8, 255, 256, 5000):
        words = draw.integers(0, 2**64, (2, length), np.uint64, endpoint=False)
        tally.add(words)
        expected += count.unpack(words).sum(axis=0, dtype=np.int64)
        assert tally.total().tolist() == expected.tolist()


def test_a_revision_takes_the_place_of_its_version(world: made.World) -> None:
    new = made.agreement(random.Random(8), "deal-0")
    assert [each.id for each in revised(world.agreements, new)].count("deal-0") == 1
    assert new in revised(world.agreements, new)
    assert revised([], new) == (new,)


def test_months_are_of_the_instant(world: made.World) -> None:
    facts = world.facts[0]
    at = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    row = Row(id="a", version="", at=at, day=date(2020, 1, 1), facts=facts)
    cells = count.Cells(1)
    cells.add(columns([row]), np.array([0]), np.array([0]), np.ones((4, 1, 1), np.uint64))
    cells.settle()
    assert {cell.month for cell in cells.cells(["GBR"])} == {"2026-12"}
