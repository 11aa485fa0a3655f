"""The demo's reports: each is taken in whole, and its three language versions say the same."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import pytest

import tearline.demo
from tearline import intake, label
from tearline.label import grammar, rollup
from tearline.terms import Label, Product

REPORTS = Path(tearline.demo.__file__).parent / "reports"
LANGUAGES = ("en", "uk", "ru")
PARTIES = ("AUS", "CAN", "GBR", "ISR", "NZL", "SAU", "UKR", "USA")
FILES = sorted(REPORTS.glob("*.md"))
SUBJECTS = sorted({path.name.split(".")[0] for path in FILES})


@lru_cache
def taken(name: str) -> Product:
    """The product of a file, as its originator takes it in; whatever else comes of it fails the test."""
    path = REPORTS / name
    party = re.findall(r"^Originator: (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)[0]
    context = intake.Context(party=party, at=datetime(2026, 11, 1, tzinfo=UTC))
    with path.open("rb") as stream:
        found = list(intake.read(stream, name, context=context))
    assert len(found) == 1, found
    assert isinstance(found[0], Product), str(found[0])
    return found[0]


def figures(text: str) -> Counter[str]:
    """The numbers in a text, whatever its language: a decimal comma is read as a point."""
    return Counter(re.findall(r"\d+(?:[.:]\d+)*", re.sub(r"(?<=\d),(?=\d)", ".", text)))


def paragraphs(subject: str, lang: str) -> list[str]:
    return (REPORTS / f"{subject}.{lang}.md").read_text(encoding="utf-8").split("\n\n")


def test_sixteen_subjects_in_three_languages_two_of_each_originator() -> None:
    names = {f"{subject}.{lang}.md" for subject in SUBJECTS for lang in LANGUAGES}
    assert len(SUBJECTS) == 16
    assert {path.name for path in FILES} == names
    assert Counter(taken(name).originator for name in names) == dict.fromkeys(PARTIES, 6)


@pytest.mark.parametrize("name", [path.name for path in FILES])
def test_a_report_is_taken_in_whole(name: str) -> None:
    product = taken(name)
    assert isinstance(product.label, Label), product.label
    for portion in product.portions:
        assert isinstance(portion.label, Label), portion.label
    assert product.language == name.split(".")[1]


@pytest.mark.parametrize("name", [path.name for path in FILES])
def test_the_banner_is_the_roll_up_of_the_portions(name: str) -> None:
    product = taken(name)
    assert product.marking is not None
    if not product.portions:
        assert product.marking.scheme == "tlp2"
        return
    at = product.created.date()
    marks = [portion.marking.text.strip("()") for portion in product.portions if portion.marking]
    assert len(marks) == len(product.portions)
    rolled = rollup.roll_up([grammar.read(mark, portion=True, at=at) for mark in marks], at=at)
    assert rolled.banner == grammar.read(product.marking.text, portion=False, at=at)
    assert rolled.label == product.label == label.parse(product.marking.text, at=at)[1]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_versions_bear_the_same_header_and_labels(subject: str) -> None:
    english, *others = (taken(f"{subject}.{lang}.md") for lang in LANGUAGES)
    for other in others:
        for field in ("version", "originator", "topics", "regions", "disciplines", "marking", "label"):
            assert getattr(english, field) == getattr(other, field), field
        assert [(p.role, p.label) for p in english.portions] == [(p.role, p.label) for p in other.portions]


@pytest.mark.parametrize("lang", ["uk", "ru"])
@pytest.mark.parametrize("subject", SUBJECTS)
def test_versions_carry_the_same_figures_paragraph_by_paragraph(subject: str, lang: str) -> None:
    for english, other in zip(paragraphs(subject, "en"), paragraphs(subject, lang), strict=True):
        assert figures(english) == figures(other), other


@pytest.mark.parametrize("name", [path.name for path in FILES])
def test_no_word_mixes_alphabets(name: str) -> None:
    words = re.findall(r"[^\W\d_]+", (REPORTS / name).read_text(encoding="utf-8"))
    assert [word for word in words if re.search("[A-Za-z]", word) and re.search("[Ѐ-ӿ]", word)] == []


def test_sources_are_the_owners_own_wherever_a_report_must_be_sanitized() -> None:
    """A banner that lets in the owner alone is the source line's doing: the other portions go out."""
    sanitized = set()
    for subject in SUBJECTS:
        product = taken(f"{subject}.en.md")
        assert isinstance(product.label, Label)
        if product.label.release == {product.originator}:
            sanitized.add(subject)
            for portion in product.portions:
                assert isinstance(portion.label, Label)
                own = portion.label.release == {product.originator}
                assert own == (portion.role == "source"), portion.text
    assert len(sanitized) == 8


def test_every_party_is_let_into_something_of_another_and_kept_out_of_something() -> None:
    lists = [
        (product.originator, portion.label.release)
        for product in (taken(f"{subject}.en.md") for subject in SUBJECTS)
        for portion in product.portions
        if isinstance(portion.label, Label) and portion.label.release is not None
    ]
    for party in PARTIES:
        seen = {party in release for owner, release in lists if owner != party}
        assert seen == {True, False}, party
