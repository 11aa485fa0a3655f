"""Marks that cannot be seen: what is hidden is found, no name is lost by them, and their chance is true."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.scan import Identity, Kind, Scanner
from tearline.trace import codes, slots
from tearline.trace.terms import Seen
from tearline.trace.verdict import judge

NAMES = {
    Kind.PERSON: "Тарас Вербовенко",
    Kind.ALIAS: "Яструб-Сім",
    Kind.PHONE: "+380500001122",
    Kind.EMAIL: "ivan.v@mail.example",
}
SCANNER = Scanner([Identity(kind.name, name, kind) for kind, name in NAMES.items()], key=b"k" * 32)
MARKS = st.integers(0, slots.MARKS - 1)


@given(st.text(st.characters(exclude_characters="\u200c\u200d")), st.lists(MARKS, max_size=3), st.data())
@settings(max_examples=100, deadline=None)
def test_what_is_hidden_is_found_and_taken_out(text: str, marks: list[int], data: st.DataObject) -> None:
    shown = text
    for mark in marks:
        at = data.draw(st.integers(0, len(text)))
        parts = slots.bare(shown), mark
        shown = parts[0][:at] + slots.signs(mark) + parts[0][at:]
        assert slots.hidden(shown) == {mark}
    assert slots.bare(shown) == text


@given(st.sampled_from(sorted(NAMES, key=str)), st.lists(MARKS, min_size=1, max_size=3), st.data())
@settings(max_examples=150, deadline=None)
def test_no_identity_is_lost_by_marks_wherever_they_stand(
    kind: Kind, marks: list[int], data: st.DataObject
) -> None:
    """They stand behind sentences; but a sentence may be taken to end within a name ("T. Verbovenko")."""
    name = NAMES[kind]
    text = f"Учора {name} був у місті."
    for mark in marks:
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + slots.signs(mark) + text[at:]
    hits = [hit for hit in SCANNER.scan(text) if hit.id == kind.name]
    assert hits, text.encode("unicode_escape")
    assert any(slots.bare(text[hit.start : hit.end]) for hit in hits)


@given(st.sets(MARKS, min_size=1, max_size=40), st.integers(2, 30))
@settings(max_examples=100, deadline=None)
def test_the_chance_of_an_innocent_is_no_more_than_is_stated(there: set[int], partners: int) -> None:
    """An innocent has one of so many marks by as many chances; what is stated is that, rounded up."""
    options = slots.MARKS // len(there)
    assert Fraction(len(there), slots.MARKS) <= Fraction(1, options)
    seen = Seen("product zero-width", 1 / options, 1, options)
    copies = {
        f"P{n}": {
            seen.slot: 1 if codes.choice(b"key", "product zero-width", f"P{n}", slots.MARKS) in there else 0
        }
        for n in range(partners)
    }
    copies["P0"] = {seen.slot: 1}
    verdict = judge([seen], copies)
    assert verdict.tests == partners
    assert verdict.suspects[0].chance >= len(there) / slots.MARKS
    assert verdict.accused == (("P0",) if len(there) / slots.MARKS < 0.99e-6 / partners else ())
