"""Reading a leak: what is read, and what is not, from small texts."""

from __future__ import annotations

import pytest

from tearline.trace import slots
from tearline.trace.terms import Match
from tests.words import align

BASE = (
    "There the firm bought the old depot because of the cold. In spring nobody saw the trucks there on"
    " 25 October. All of the gates stood open, although the yard behind was empty."
)


def told(leak: str, base: str = BASE, language: str = "en", least: int = 2) -> dict[str, str]:
    """What was read: the wordings by entry."""
    found = slots.find(base, language, product="p")
    seen = slots.read(found, base, leak, align(base, leak, least=least))
    return {slot.entry: slot.options[seen[slot.key]] for slot in found if slot.key in seen}


WHOLE = {
    "en.bought": "purchased",
    "en.because-of": "owing to",
    "en.no-one": "nobody",
    "en.lorries": "trucks",
    "en.date": "October 25",
    "en.all-the": "All the",
    "en.although": "though",
}
LEAK = (
    "There the firm purchased the old depot owing to the cold. In spring nobody saw the trucks there on"
    " October 25. All the gates stood open, though the yard behind was empty."
)


@pytest.mark.parametrize(
    "leak",
    [
        LEAK,
        LEAK.lower(),
        LEAK.upper(),
        LEAK.replace(" ", "\n"),
        LEAK.replace("owing to", "**owing** to").replace(".", " ."),
        "Somebody writes: " + LEAK + " That is all that there is.",
        LEAK.replace("purchased", "pur\u200bchased"),
    ],
)
def test_a_copy_is_read_whole_however_it_is_set(leak: str) -> None:
    assert told(leak) == WHOLE


def test_neither_wording_is_not_read() -> None:
    assert told(LEAK.replace("owing to", "thanks to")) == {
        entry: wording for entry, wording in WHOLE.items() if entry != "en.because-of"
    }


def test_both_wordings_are_not_read() -> None:
    assert "en.bought" not in told(LEAK.replace("purchased", "bought or purchased"))


def test_words_changed_about_a_wording_do_not_hide_it() -> None:
    assert (
        told(LEAK.replace("firm purchased the old", "company soon purchased that old"))["en.bought"]
        == "purchased"
    )


def test_a_wording_that_begins_as_the_other_needs_what_follows() -> None:
    base = "The clerk said that he left the house. It rained on the yard."
    assert told("The clerk said he left the house.", base)["en.said-that"] == "said"
    assert "en.said-that" not in told("The clerk said", base)


def test_a_word_cut_at_the_edge_of_an_excerpt_is_not_read() -> None:
    base = "Учора колона машин проїхала міст, знову зникла за лісом."
    (slot,) = (slot for slot in slots.find(base, "uk", product="p") if slot.entry == "uk.znovu")
    leak = "колона машин проїхала міст, зно"
    cut = leak + "в"
    size = len("колона машин проїхала міст")
    match = Match(base.index("колона"), 0, size, size)
    assert slots.read([slot], base, cut, [match]) == {}
    assert slots.read([slot], base, cut + " зникла", [match]) == {slot.key: slot.options.index("знов")}


def test_anchors_far_apart_in_the_leak_are_not_one_gap() -> None:
    halves = LEAK.split(" owing ")
    moved = " ".join((halves[1], "x " * 300, halves[0]))
    assert "en.because-of" not in told(moved, least=3)


def test_without_matches_nothing_is_read() -> None:
    found = slots.find(BASE, "en", product="p")
    assert slots.read(found, BASE, LEAK, ()) == {}
    assert slots.read(found, BASE, "", ()) == {}
    assert slots.read((), BASE, LEAK, align(BASE, LEAK)) == {}


def test_a_match_whose_letters_differ_is_no_anchor() -> None:
    found = slots.find(BASE, "en", product="p")
    wrong = [Match(0, 0, 16, 15), Match(20, 24, 30, 30)]
    assert slots.read(found, BASE, LEAK.replace("depot", "d"), wrong) == {}


def test_punctuation_is_read_by_its_marks_alone() -> None:
    base = "On 3 May the gates were shut. The guard – a tall one from the east was there."
    assert told(base.replace("–", "—"), base)["en.dash"] == "—"
    assert "en.dash" not in told(base.replace("–", "-"), base)
    assert told(base.replace("May the", "May, the"), base)["en.opening-comma"] == ", "
