"""Properties of the scanner over any string, and over invented names in every disguise."""

from __future__ import annotations

import html
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.scan import Identity, Kind, Scanner

KEY = b"k" * 32
MADE = Scanner(
    [
        Identity("S0", "Тарас Вербовенко", Kind.PERSON),
        Identity("S1", "Taras Verbovenko", Kind.PERSON),
        Identity("S2", "+380500001122", Kind.PHONE),
        Identity("S3", "Яструб", Kind.ALIAS),
        Identity("S4", "ivan@mail.example", Kind.EMAIL),
    ],
    key=KEY,
)
PIECES = [
    "Тарас",
    "Вербовенко",
    "Т.",
    "Taras Verbovenko",
    "Яструб",
    " ",
    "\n",
    "-",
    "-\n",
    ",",
    "<b>",
    "&#1058;",
    "*",
]
PIECES += [
    "\u200b",
    "\u0301",
    "0500001122",
    "+",
    "(",
    "ivan",
    "@",
    "mail.example",
    "І",
    "в",
    "_",
    "[",
    "](x)",
    "🙂",
    "\ud800",
]
TEXTS = st.one_of(
    st.text(st.characters(), max_size=60), st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
)
# A surname is made of two to four open syllables and a common ending, so no real list is drawn on.
SYLLABLES = st.builds(str.__add__, st.sampled_from("бвгдзклмнпрстф"), st.sampled_from("аеиоу"))
SURNAMES = st.builds(
    lambda parts, end: "".join(parts).capitalize() + end,
    st.lists(SYLLABLES, min_size=2, max_size=3),
    st.sampled_from(["венко", "дюк", "лянський", "рчак", "нів"]),
)
GIVEN = st.sampled_from(["Тарас", "Мирон", "Богдан", "Галина", "Роксолана", "Степан", "Орест"])
NAMES = st.builds("{} {}".format, GIVEN, SURNAMES)
FRAME = "Учора {} бачили в місті."

LOOK_ALIKE = str.maketrans("аеіорсхАЕІОРСХТМВКН", "aeiopcxAEIOPCXTMBKH")
LEET = str.maketrans("оОз", "003")


def _homoglyph(name: str) -> str:
    """Every second letter that has a look-alike."""
    spots = [k for k, char in enumerate(name) if char.translate(LOOK_ALIKE) != char][::2]
    return "".join(char.translate(LOOK_ALIKE) if k in spots else char for k, char in enumerate(name))


DISGUISES = {
    "none": str,
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "spaced": lambda name: "  ".join(" ".join(word) for word in name.split()),
    "spaced evenly": lambda name: " ".join(name.replace(" ", "")),
    "dotted": lambda name: "  ".join(".".join(word) for word in name.split()),
    "zero width": "\u200b".join,
    "soft hyphen": "\u00ad".join,
    "decomposed": lambda name: unicodedata.normalize("NFD", name),
    "stressed": lambda name: name[:2] + "\u0301" + name[2:],
    "line break": lambda name: name.replace(" ", "\r\n"),
    "hyphenated": lambda name: name[:-3] + "-\n" + name[-3:],
    "html": lambda name: f"<b>{name[:2]}</b><span class='x'>{name[2:-2]}</span>{name[-2:]}",
    "entities": lambda name: "".join(f"&#x{ord(char):x};" for char in name),
    "named entity": lambda name: html.escape(name).replace(" ", "&nbsp;"),
    "markdown": lambda name: f"**{name[:3]}**{name[3:-2]}__{name[-2:]}__",
    "swapped": lambda name: " ".join(name.split()[::-1]),
    "comma": lambda name: ", ".join(name.split()[::-1]),
    "homoglyphs": _homoglyph,
    "leet": lambda name: name.translate(LEET),
    "initial": lambda name: f"{name[0]}. {name.split()[1]}",
    "initial after": lambda name: f"{name.split()[1]} {name[0]}.",
    "lost letter": lambda name: name[:-3] + name[-2:],
    "doubled letter": lambda name: name[:-3] + name[-4] + name[-3:],
    "swapped letters": lambda name: name[:-3] + name[-2] + name[-3] + name[-1],
}


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_any_string_is_scanned_and_hits_point_into_it(text: str) -> None:
    hits = MADE.scan(text)
    assert hits == MADE.scan(text)
    assert hits == sorted(hits, key=lambda hit: (hit.start, hit.end, hit.id))
    assert len({(hit.start, hit.end, hit.id) for hit in hits}) == len(hits)
    for hit in hits:
        assert 0 <= hit.start < hit.end <= len(text)
        assert 0 < hit.score <= 1


@given(TEXTS)
@settings(max_examples=100, deadline=None)
def test_two_scanners_of_one_vault_agree(text: str) -> None:
    again = Scanner([Identity("S0", "Тарас Вербовенко", Kind.PERSON)], key=b"another key")
    first = Scanner([Identity("S0", "Тарас Вербовенко", Kind.PERSON)], key=KEY)
    assert again.scan(text) == first.scan(text)


@given(TEXTS)
@settings(max_examples=100, deadline=None)
def test_harmless_text_after_a_text_changes_nothing(text: str) -> None:
    tail = "\n\nдощ падав, і було тихо.\n"
    hits = MADE.scan(text + "\n\n")
    assert MADE.scan(text + tail) == hits or any(hit.why.endswith("rare") for hit in hits)


@pytest.mark.parametrize("disguise", DISGUISES)
@given(name=NAMES)
@settings(max_examples=25, deadline=None)
def test_a_name_is_found_in_each_disguise(disguise: str, name: str) -> None:
    shown = DISGUISES[disguise](name)
    text = FRAME.format(shown)
    hits = [hit for hit in Scanner([Identity("S", name, Kind.PERSON)], key=KEY).scan(text) if hit.id == "S"]
    assert hits, shown
    start, end = 6, 6 + len(shown)
    assert any(start <= hit.start < hit.end <= end and hit.end - hit.start >= len(shown) // 2 for hit in hits)


@given(name=NAMES, other=NAMES)
@settings(max_examples=150, deadline=None)
def test_a_hit_tells_nothing_of_the_name(name: str, other: str) -> None:
    for hit in Scanner([Identity("S", name, Kind.PERSON)], key=KEY).scan(
        FRAME.format(name) + FRAME.format(other)
    ):
        codes = {
            "exact",
            "inflected",
            "transliterated",
            "typo",
            "nickname",
            "initial",
            "alone",
            "rare",
            "surname",
        }
        assert set(hit.why.split(",")) <= codes
