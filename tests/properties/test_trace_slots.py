"""Marks in text: any combination of wordings has the same slots, and is read back."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.trace import slots
from tearline.trace.terms import Bit, Slot
from tests.words import align

REPORTS = Path(__file__).parents[2] / "src" / "tearline" / "demo" / "reports"


@cache
def texts(language: str) -> tuple[str, ...]:
    return tuple(path.read_text("utf-8") for path in sorted(REPORTS.glob(f"*.{language}.md")))


@st.composite
def marked(draw: st.DrawFn) -> tuple[str, str, tuple[Slot, ...], dict[str, Bit], str]:
    language = draw(st.sampled_from(slots.LANGUAGES))
    text = draw(st.sampled_from(texts(language)))
    found = slots.find(text, language, product="p")
    bits = draw(st.lists(st.sampled_from((0, 1)), min_size=len(found), max_size=len(found)))
    letters = {slot.key: bit for slot, bit in zip(found, bits, strict=True)}
    return language, text, found, letters, slots.write(text, found, letters)


@given(marked())
@settings(max_examples=150, deadline=None)
def test_any_wording_has_the_same_slots(case: tuple[str, str, tuple[Slot, ...], dict[str, Bit], str]) -> None:
    language, text, found, letters, copy = case
    again = slots.find(copy, language, product="p")
    assert [(slot.key, slot.options, slot.entry) for slot in again] == [
        (slot.key, slot.options, slot.entry) for slot in found
    ]
    standing = {slot.key: slot.options.index(copy[slot.start : slot.end]) for slot in again}
    assert standing == letters
    base = {slot.key: slot.options.index(text[slot.start : slot.end]) for slot in found}
    assert slots.write(copy, again, base) == text


@pytest.mark.parametrize("language", slots.LANGUAGES)
def test_slots_do_not_overlap_and_one_option_stands(language: str) -> None:
    for text in texts(language):
        found = slots.find(text, language, product="p")
        assert all(one.end <= other.start for one, other in pairwise(found))
        assert all(text[slot.start : slot.end] in slot.options for slot in found)
        assert len({slot.key for slot in found}) == len(found)


@given(marked())
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read(case: tuple[str, str, tuple[Slot, ...], dict[str, Bit], str]) -> None:
    _, text, found, letters, copy = case
    assert slots.read(found, text, copy, align(text, copy)) == letters


@given(marked(), st.data())
@settings(max_examples=60, deadline=None)
def test_an_excerpt_gives_only_what_is_in_it(
    case: tuple[str, str, tuple[Slot, ...], dict[str, Bit], str], data: st.DataObject
) -> None:
    language, text, found, letters, copy = case
    start = data.draw(st.integers(0, len(copy) - 1))
    end = data.draw(st.integers(start, len(copy)))
    leak = " ".join(copy[start:end].split()).lower()
    seen = slots.read(found, text, leak, align(text, leak))
    within = {
        slot.key
        for slot in slots.find(copy, language, product="p")
        if start <= slot.end and slot.start <= end
    }
    assert seen.keys() <= within
    assert all(letters[key] == bit for key, bit in seen.items())


@given(marked(), st.data())
@settings(max_examples=60, deadline=None)
def test_an_edited_text_gives_no_bit_that_it_does_not_hold(
    case: tuple[str, str, tuple[Slot, ...], dict[str, Bit], str], data: st.DataObject
) -> None:
    _, text, found, _, copy = case
    words = re.split(r"(\s+)", copy)
    for at in data.draw(st.lists(st.integers(0, len(words) - 1), max_size=40)):
        words[at] = data.draw(st.sampled_from(("", words[at].upper(), "xyzzy", " ", f"{words[at]} qwerty")))
    leak = "".join(words)
    told = _plain(leak)
    for key, bit in slots.read(found, text, leak, align(text, leak)).items():
        slot = next(slot for slot in found if slot.key == key)
        assert _plain(slot.options[bit]) in told


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+|%", text.casefold().replace("ё", "е").replace("’", "'")))
