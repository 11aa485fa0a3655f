"""The mosaic by example: a harbour with nine persons who could be the source."""

from __future__ import annotations

import pytest

from tearline.gate.mosaic import Plan, Population, Told, facts_told, plan
from tearline.terms import BadInput, Label, Portion

HARBOUR = Population(
    {
        "town": ["Varnik", "Varnik", "Varnik", "Varnik", "Osk", "Osk", "Osk", "Lumen", "Lumen"],
        "district": ["coast"] * 7 + ["inland"] * 2,
        "trade": ["pilot", "pilot", "clerk", "clerk", "pilot", "pilot", "clerk", "clerk", None],
    },
    coarser={"town": "district"},
)
NOTHING = Told({})


def test_what_every_answer_leaves_enough_for_may_be_told_as_it_is() -> None:
    told = plan(HARBOUR, NOTHING, "GBR", ["town"], 2)
    assert told == Plan({"town": "town"}, before=(9, 9), after=(2, 2))
    assert told.whole
    assert told.apply(HARBOUR, {"town": "Varnik"}) == {"town": "Varnik"}


def test_a_fact_is_refused_for_a_rare_value_even_where_the_value_told_is_common() -> None:
    told = plan(HARBOUR, NOTHING, "GBR", ["town"], 3)
    assert told.told_as == {"town": None}, "Lumen and inland would leave two"
    assert told.after == told.before == (9, 9)
    assert told.apply(HARBOUR, {"town": "Varnik"}) == {}


def test_a_coarser_fact_is_told_where_the_exact_one_says_too_much() -> None:
    coast = Told({"GBR": [{"district": "coast"}]})
    told = plan(HARBOUR, coast, "GBR", ["town", "trade"], 3)
    assert told.told_as == {"town": "district", "trade": "trade"}
    assert (told.before, told.after) == ((7, 7), (3, 3))
    assert told.apply(HARBOUR, {"town": "Osk", "trade": "pilot"}) == {"district": "coast", "trade": "pilot"}


def test_what_others_were_told_counts_too() -> None:
    told = Told({"FRA": [{"town": "Varnik"}]})
    assert plan(HARBOUR, told, "GBR", ["trade"], 2).whole
    assert plan(HARBOUR, told, "GBR", ["trade"], 3).told_as == {"trade": None}
    assert plan(HARBOUR, told, "GBR", [], 3).before == (9, 4)


def test_two_facts_at_once_are_judged_together() -> None:
    coast = Told({"GBR": [{"district": "coast"}]})
    assert plan(HARBOUR, coast, "GBR", ["town"], 3).whole
    assert plan(HARBOUR, coast, "GBR", ["trade"], 3).whole
    assert not plan(HARBOUR, coast, "GBR", ["town", "trade"], 3).whole


def test_candidates_are_those_whom_nothing_told_rules_out() -> None:
    assert list(HARBOUR.candidates([{"trade": "clerk"}, {"town": "Varnik"}])) == [2, 3]
    assert list(HARBOUR.candidates([{"trade": "diver"}])) == []
    assert list(HARBOUR.candidates([{"rank": "captain"}])) == []


@pytest.mark.parametrize(
    ("names", "k", "said"),
    [(["rank"], 3, "no such attribute"), (["town"], 1, "protect nobody")],
)
def test_a_question_that_cannot_be_answered_is_refused(names: list[str], k: int, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        plan(HARBOUR, NOTHING, "GBR", names, k)


@pytest.mark.parametrize(
    ("columns", "coarser", "said"),
    [
        ({"a": ["x"], "b": []}, {}, "not of one length"),
        ({"a": ["x"]}, {"a": "b"}, "not an attribute"),
        ({"a": ["x"], "b": ["y"]}, {"a": "b", "b": "a"}, "coarser than itself"),
        ({"a": ["x", "x"], "b": ["y", "z"]}, {"a": "b"}, "belongs to several"),
        ({"a": ["x"], "b": [None]}, {"a": "b"}, "or to none"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(
    columns: dict[str, list[str | None]], coarser: dict[str, str], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        Population(columns, coarser)


def test_bitmaps_make_the_same_population() -> None:
    made = Population.of_bitmaps(HARBOUR.size, HARBOUR._values, HARBOUR.coarser)
    for names in (["town"], ["town", "trade"]):
        assert plan(made, NOTHING, "GBR", names, 3) == plan(HARBOUR, NOTHING, "GBR", names, 3)
    with pytest.raises(BadInput, match="belongs to several"):
        Population.of_bitmaps(9, HARBOUR._values, {"district": "town"})


def test_too_many_attributes_at_once_are_refused() -> None:
    wide = Population({f"a{n}": ["x", "x", "y", "y"] for n in range(13)})
    assert plan(wide, NOTHING, "GBR", [f"a{n}" for n in range(12)], 2).whole
    with pytest.raises(BadInput, match="too many attributes at once"):
        plan(wide, NOTHING, "GBR", [f"a{n}" for n in range(13)], 2)


def test_an_answer_is_remembered_until_more_is_told() -> None:
    table = Population({"trade": ["pilot", "pilot", "clerk", "clerk"], "town": ["a", "b", "a", "b"]})
    assert plan(table, NOTHING, "GBR", ["trade"], 2) is plan(table, Told({"GBR": [{}]}), "GBR", ["trade"], 2)
    assert plan(table, Told({"FRA": [{"town": "a"}]}), "GBR", ["trade"], 2).told_as == {"trade": None}
    assert plan(table, NOTHING, "GBR", ["trade"], 3).told_as == {"trade": None}


def test_facts_of_portions_are_merged_and_contradictions_kept_apart() -> None:
    def telling(*facts: tuple[str, str]) -> Portion:
        return Portion(text="x", marking=None, label=Label(), facts=(("OAK", facts),))

    told = facts_told([telling(("town", "a")), telling(("trade", "pilot")), telling(("town", "b"))])
    assert told == {"OAK": [{"town": "a", "trade": "pilot"}, {"town": "b"}]}
