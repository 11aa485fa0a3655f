"""Tables by hand: what is packed where, what is kept from batch to batch, what is refused."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime

import numpy as np
import pytest
from msgspec.structs import replace

from tearline.agreement import Agreement, Facts, load
from tearline.agreement.tables import (
    TEARLINE,
    TOPICS,
    WHOLE,
    Row,
    Tables,
    columns,
    judge,
    mask,
    microseconds,
    names,
)
from tearline.terms import Category, Discipline, Level, Reach, Refused, Topic, Use
from tests import agreements as made

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
MANIFEST = """\
id = "deal"
title = "Deal"
parties = ["GBR", "SWE", "USA"]
coalitions = ["NATO"]
valid_from = 2026-01-01
valid_until = 2027-01-01
levels.USA = { UNCLASSIFIED = "UNCLASSIFIED", SECRET = "SECRET" }
"""
AIR = Facts(
    originator="USA",
    category=Category.REPORT,
    level=(),
    topics=frozenset({Topic.AIR}),
    regions=frozenset(),
    disciplines=frozenset({Discipline.OSINT}),
    reach=Reach.CLEAR,
    use=Use.CLEAR,
)
BOTH = 'action in Action::"share"'
EPOCHS = [(date(2020, 1, 1), {"GBR": frozenset({"NATO"})}), (date(2024, 3, 7), {"SWE": frozenset({"NATO"})})]


def deal(*clauses: str) -> Agreement:
    text = "\n".join(f'@id("c{number}") @reason("r") {clause};' for number, clause in enumerate(clauses))
    return load(MANIFEST, text, "deal")


def row(facts: Facts = AIR, at: datetime = NOON, day: date = date(2026, 11, 1)) -> Row:
    return Row(id="a", version="1", at=at, day=day, facts=facts)


def tables(*clauses: str, partners: tuple[str, ...] = ("GBR", "SWE")) -> Tables:
    return Tables("USA", [[deal(*clauses)]], partners, EPOCHS)


def judged(made_of: Tables, *rows: Row) -> list[int]:
    """For each row, the bits of the first action."""
    return made_of.judge(columns(rows))[0, 0, 0].tolist()


def test_a_bit_stands_for_each_partner() -> None:
    found = tables(f"permit (principal, {BOTH}, resource)", partners=("SWE", "UKR", "GBR"))
    assert judged(found, row()) == [0b101]
    assert found.bits(["GBR"]).tolist() == [0b100]
    assert found.bits(None).tolist() == [0b111]
    assert found.bits(["FRA"]).tolist() == [0]


def test_words_grow_with_the_partners() -> None:
    for count, words in ((0, 1), (1, 1), (64, 1), (65, 2), (200, 4)):
        found = tables(f"permit (principal, {BOTH}, resource)", partners=made.partners(count))
        assert found.shape == (1, 2, words)
        assert found.judge(columns([row()])).shape == (1, 2, words, 1)
    assert found.bits(["P194"]).tolist() == [0, 0, 0, 1 << 7]


def test_each_row_has_its_own_time_and_its_own_day() -> None:
    found = tables(
        f'permit (principal in Coalition::"NATO", {BOTH}, resource) '
        'when { context.now < datetime("2026-11-01T12:00:00Z") }'
    )
    before = datetime(2026, 11, 1, 11, 59, 59, 999_999, tzinfo=UTC)
    rows = [
        row(at=before, day=date(2019, 12, 31)),
        row(at=before, day=date(2020, 1, 1)),
        row(at=before, day=date(2024, 3, 6)),
        row(at=before, day=date(2024, 3, 7)),
        row(at=NOON, day=date(2024, 3, 7)),
        row(at=datetime(2025, 12, 31, tzinfo=UTC), day=date(2024, 3, 7)),
    ]
    assert judged(found, *rows) == [0, 0b01, 0b01, 0b10, 0, 0]


def test_a_level_without_a_row_is_above_all_for_forbids_and_nothing_for_permits() -> None:
    found = tables(
        f"permit (principal, {BOTH}, resource) when {{ resource.level >= 0 }}",
        'forbid (principal == Partner::"SWE", action == Action::"release", resource) '
        "when { resource.level > 2 }",
    )
    levels = [(), (("USA", Level.SECRET),), (("USA", Level.CONFIDENTIAL),), (("FRA", Level.UNCLASSIFIED),)]
    assert judged(found, *(row(replace(AIR, level=level)) for level in levels)) == [0b11, 0b01, 0, 0]


def test_sets_are_judged_side_by_side() -> None:
    now, then = (
        deal(f"permit (principal, {BOTH}, resource)"),
        deal('permit (principal == Partner::"SWE", action == Action::"releaseTearline", resource)'),
    )
    found = Tables("USA", [[now], [then], []], ("GBR", "SWE"), EPOCHS)
    assert found.judge(columns([row()]))[:, :, 0, 0].tolist() == [[0b11, 0b11], [0, 0b10], [0, 0]]


def test_kinds_that_come_later_are_judged_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    found = tables(
        f'permit (principal, {BOTH}, resource) when {{ resource.topics.contains(Topic::"air") '
        '&& (resource.topics.contains(Topic::"land") || resource.reach < 2) && resource.use != 3 }'
    )
    evaluated: list[int] = []
    real = judge.Rules.evaluate
    monkeypatch.setattr(
        judge.Rules,
        "evaluate",
        lambda self, classes, count: evaluated.append(count) or real(self, classes, count),
    )
    wide, both = replace(AIR, reach=Reach.RED), frozenset({Topic.AIR, Topic.LAND})
    assert judged(found, row(), row(), row()) == [3, 3, 3]
    assert judged(found, row(wide)) == [0]
    assert judged(found, row(replace(wide, topics=both)), row(replace(AIR, use=Use.RED))) == [3, 0]
    before = sum(evaluated)
    assert judged(found, row(replace(AIR, use=Use.RED)), row(replace(wide, topics=both))) == [0, 3]
    assert sum(evaluated) == before, "a kind that was known was evaluated again"
    assert before < 10


def test_rows_of_one_item_are_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "CHUNK", 2)
    rows = [row()._replace(first=first) for first in (True, True, False, False, True, False)]
    found = tables(f"permit (principal, {BOTH}, resource)")
    assert [(piece.start, piece.stop) for piece, _, _ in found.chunks(columns(rows))] == [(0, 4), (4, 6)]


def test_columns_give_their_rows_back() -> None:
    draw = random.Random(1)
    rows = [
        Row(
            id=f"{number}",
            version="2",
            at=made.instant(draw, [made.agreement(draw, "one")]),
            day=date(1960, 2, 29),
            facts=made.some_facts(draw),
            form=draw.choice([WHOLE, TEARLINE, WHOLE | TEARLINE]),
            to=draw.choice([None, frozenset(), frozenset({"GBR", "SWE"})]),
            first=draw.random() < 0.5,
        )
        for number in range(50)
    ]
    assert [columns(rows).row(number) for number in range(50)] == rows
    assert [columns(rows).part(slice(20, 30)).row(number) for number in range(10)] == rows[20:30]


def test_masks_and_microseconds() -> None:
    assert mask([Topic.AIR, Topic.AIR], TOPICS) == 1
    assert names(mask(TOPICS, TOPICS), TOPICS) == set(TOPICS)
    assert names(np.uint32(0), TOPICS) == frozenset()
    assert microseconds(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1


def test_what_is_not_sound_or_there_twice_is_refused() -> None:
    with pytest.raises(Refused, match="E010"):
        tables(f"permit (principal, {BOTH}, resource) when {{ resource.level + 1 < 3 }}")
    one = deal(f"permit (principal, {BOTH}, resource)")
    with pytest.raises(Refused, match="two versions"):
        Tables("USA", [[one, deal()]], ("GBR",), EPOCHS)
