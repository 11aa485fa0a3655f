"""The index of products' texts: what is typed never breaks it, and what is found is counted by its marks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.adapters.search import Entry, Search, Wanted, expression
from tearline.terms import BadInput

TEXTS = [
    ("Barges at Velna", "Nine barges lay at the northern quay."),
    ("Київ: зв'язок", "Катери вийшли з порту Варнік; їх бачила Звенислава."),
    ("Поезда у Оска", "Составы стояли на станции ёлки."),
    ("Café Łódź", "A naïve <b>barge</b> & its tow; the quay was empty."),
]


def entry(number: int, title: str, body: str, **more: object) -> Entry:
    marks = frozenset({("topic", "maritime"), ("originator", "GBR" if number % 2 else "USA")})
    said = {"created": f"2026-10-{number:02}T05:00:00Z", "digest": f"d{number}", "marks": marks}
    return Entry(number=number, title=title, body=body, **(said | more))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    made = Search(tmp_path_factory.mktemp("search") / "search.db")
    made.put([entry(number, *text) for number, text in enumerate(TEXTS, start=1)])
    yield made
    made.close()


def numbers(index: Search, words: str, **more: object) -> list[int]:
    found = index.find(Wanted(words=expression(words), newest=True, **more))  # type: ignore[arg-type]
    assert found.total >= len(found.rows)
    return [number for number, *_ in found.rows]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", [4, 3, 2, 1]),
        ("BARGES", [1]),
        ("barg*", [4, 1]),
        ('"northern quay"', [1]),
        ('"quay northern"', []),
        ("quay -northern", [4]),
        ("-quay", [3, 2]),
        ("київ", [2]),
        ("КАТЕР*", [2]),
        ("зв'язок", [2]),
        ("составы", [3]),
        ("cafe lodz", []),  # ł is a letter of its own
        ("cafe", [4]),
        ("naive", [4]),
        ('quay AND OR NOT ( NEAR "', []),
        ("title:barges", []),
        ("* - \" '' ^ : () {}", [4, 3, 2, 1]),
    ],
)
def test_words_are_found_in_any_script(index: Search, words: str, found: list[int]) -> None:
    assert numbers(index, words) == found


@settings(max_examples=150, deadline=None)
@given(words=st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("\"*-^:(){}+' \0NOTANDORNEAR")))
def test_whatever_is_typed_is_a_question(index: Search, words: str) -> None:
    index.find(Wanted(words=expression(words)))


def test_marks_and_dates_narrow_and_are_counted(index: Search) -> None:
    found = index.find(Wanted(marks=(("originator", "GBR"),)))
    assert [number for number, *_ in found.rows] == [3, 1]
    assert found.marks == {"originator": {"GBR": 2}, "topic": {"maritime": 2}}
    assert numbers(index, "", since="2026-10-02", until="2026-10-04") == [3, 2]
    assert numbers(index, "quay", marks=(("originator", "USA"), ("topic", "maritime"))) == [4]
    assert index.find(Wanted(marks=(("topic", "nothing"),))).total == 0


def test_pages_follow_each_other(index: Search) -> None:
    assert numbers(index, "", offset=1, limit=2) == [3, 2]
    assert numbers(index, "", offset=3, limit=2) == [1]
    assert numbers(index, "", offset=9, limit=2) == []
    best = index.find(Wanted(words=expression("barg*"), offset=1, limit=1))
    assert (len(best.rows), best.total) == (1, 2)


def test_what_was_found_is_told_as_parts_and_markup_stays_text(index: Search) -> None:
    ((_, title, snippet),) = index.find(Wanted(words=expression("naive"))).rows
    assert [each.text for each in title] == ["Café Łódź"]
    assert [each.text for each in snippet if each.found] == ["naïve"]
    assert "<b>barge</b>" in "".join(each.text for each in snippet)


def test_what_changed_takes_the_place_of_what_was(tmp_path: Path) -> None:
    index = Search(tmp_path / "search.db")
    index.put([entry(1, "Old", "before", settled=False), entry(2, "Other", "stays")])
    assert (index.unsettled(), index.last()) == ({1}, (2, "d2"))
    index.put([entry(1, "New", "after", marks=frozenset({("topic", "air")}))])
    assert numbers(index, "before") == []
    assert numbers(index, "after") == [1]
    assert index.find(Wanted()).marks["topic"] == {"air": 1, "maritime": 1}
    assert not index.unsettled()
    index.clear()
    assert (index.last(), index.find(Wanted()).total) == ((0, ""), 0)
    index.close()


def test_characters_that_mark_what_was_found_are_no_part_of_a_text(tmp_path: Path) -> None:
    index = Search(tmp_path / "search.db")
    index.put([entry(1, "a \x02b\x03 c", "d \x02\x03\x02 quay \0 e")])
    ((_, title, snippet),) = index.find(Wanted(words=expression("quay"))).rows
    assert [each.found for each in title] == [False]
    assert [each.text for each in snippet if each.found] == ["quay"]
    index.close()


def test_the_file_is_the_nodes_alone_and_another_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "search.db"
    Search(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"x" * 4096)
    with pytest.raises(BadInput):
        Search(path)
