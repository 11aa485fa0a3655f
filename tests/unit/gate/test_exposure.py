"""What may be told of sources, portion by portion."""

from __future__ import annotations

from msgspec.structs import replace

from tearline.gate.exposure import Exposure, Mosaic
from tearline.gate.mosaic import Population, Told
from tearline.label import BOTTOM
from tearline.scan import Disposition, Hit
from tearline.terms import Portion
from tearline.vault import Obligations
from tests import strategies_gate as made

HARBOUR = Population({"town": ["Varnik"] * 5 + ["Osk"] * 5, "trade": ["pilot", "clerk"] * 5})
PLAIN = Portion(text="Plain.", marking=None, label=BOTTOM)


def telling(**facts: str) -> Portion:
    return replace(PLAIN, text=f"{facts}", facts=(("OBLONG-KETTLE", tuple(sorted(facts.items()))),))


def mosaic(k: int) -> Mosaic:
    owed = {"OBLONG-KETTLE": Obligations(k=k)}
    return Mosaic(Exposure(owed=owed, mosaic={"OBLONG-KETTLE": (HARBOUR, Told({}))}))


def test_portions_are_left_out_that_would_tell_too_much_with_those_before() -> None:
    town, trade = telling(town="Varnik"), telling(trade="pilot")
    assert mosaic(2).tellable([PLAIN, town, trade], "USA") == [PLAIN, town, trade]
    assert mosaic(3).tellable([PLAIN, town, trade], "USA") == [PLAIN, town]
    assert mosaic(6).tellable([PLAIN, town, trade], "USA") == [PLAIN]


def test_what_went_to_one_counts_for_the_next() -> None:
    town, trade, held = telling(town="Varnik"), telling(trade="pilot"), mosaic(3)
    held.tell([town], "USA")
    assert held.tellable([trade], "CAN") == []
    assert held.tellable([town], "CAN") == [town]


def test_what_nobody_can_count_is_not_told() -> None:
    assert mosaic(2).tellable([telling(town="Lumen")], "USA") == [], "a value that the table does not know"
    assert mosaic(2).tellable([telling(rank="captain")], "USA") == [], "nor the attribute"
    assert Mosaic(Exposure()).tellable([telling(town="Osk")], "USA") == [], "nor the source"
    town, other = telling(town="Varnik"), telling(town="Osk")
    assert mosaic(2).tellable([town, other], "USA") == [town], "two values of one attribute"


def test_a_product_touches_the_sources_that_it_names_tells_of_or_rests_on() -> None:
    report = replace(
        made.product(made.random.Random(1)),
        portions=(telling(town="Osk"),),
        sources=frozenset({"LUCID-TEAPOT"}),
    )
    sure = Hit(0, 1, "MUTED-LADDER", 1.0, Disposition.REVIEW, "exact")
    weak = Hit(0, 1, "QUIET-HERON", 0.3, Disposition.NOTE, "surname")
    touched = Exposure(hits=((sure, weak),)).touched(report)
    assert touched == {"OBLONG-KETTLE", "LUCID-TEAPOT", "MUTED-LADDER"}
