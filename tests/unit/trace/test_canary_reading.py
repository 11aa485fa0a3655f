"""A canary is read from whatever became of the text, and never guessed."""

from __future__ import annotations

import pytest

from tearline.trace.canary import read, window
from tearline.trace.likeness import align

WAYS = ("40 lorries", "41 lorries", "43 lorries")


@pytest.mark.parametrize(
    ("leak", "which"),
    [
        ("They saw 41 Lorries there.", 1),
        ("41\nlorries", 1),
        ("Там було 43 вантажівки.", 2),
        ("Там было сорок три грузовика.", 2),
        ("There were lorries.", None),
        ("There were 141 lorries.", None),
        ("First 40 lorries, then 41 lorries.", None),
        ("", None),
    ],
)
def test_read(leak: str, which: int | None) -> None:
    assert read(WAYS, leak) == which


def test_dates_and_names_too() -> None:
    days = ("on 3 October 2026", "on 4 October 2026")
    assert read(days, "Це сталося 4 жовтня 2026 року.") == 1
    assert read(days, "It happened on 2026-10-03.") == 0


def test_what_one_option_shares_with_all_tells_nothing() -> None:
    assert read(("12 boats at Velna", "14 boats at Velna"), "Човни у Velna.") is None


def test_only_where_it_must_be_is_looked_at() -> None:
    base = "The guards left the yard at noon with 40 lorries and came back to the depot in the evening."
    leak = base.replace("40", "43") + " " + "x " * 200 + "Much later, in another town, 40 lorries burnt."
    span = (base.index("40 lorries"), base.index("40 lorries") + 10)
    near = window(span, align(base, leak), leak)
    assert "43 lorries" in near
    assert "burnt" not in near
    assert read(WAYS, near) == 2
    assert window(span, (), leak) == leak
