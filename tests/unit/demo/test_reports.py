"""The demo's reports: each is taken in whole, and its three language versions say the same."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

import tearline.demo

REPORTS = Path(tearline.demo.__file__).parent / "reports"
LANGUAGES = ("en", "uk", "ru")
FILES = sorted(REPORTS.glob("*.md"))
SUBJECTS = sorted({path.name.split(".")[0] for path in FILES})


def figures(text: str) -> Counter[str]:
    """The numbers in a text, whatever its language: a decimal comma is read as a point."""
    return Counter(re.findall(r"\d+(?:[.:]\d+)*", re.sub(r"(?<=\d),(?=\d)", ".", text)))


def test_sixteen_subjects_in_three_languages() -> None:
    assert len(SUBJECTS) == 16
    assert {path.name for path in FILES} == {f"{subject}.{lang}.md" for subject in SUBJECTS for lang in LANGUAGES}


@pytest.mark.parametrize("lang", ["uk", "ru"])
@pytest.mark.parametrize("subject", SUBJECTS)
def test_versions_carry_the_same_figures(subject: str, lang: str) -> None:
    english, other = (
        (REPORTS / f"{subject}.{code}.md").read_text(encoding="utf-8").split("\n\n") for code in ("en", lang)
    )
    assert len(english) == len(other)
    for a, b in zip(english, other, strict=True):
        assert figures(a) == figures(b), b
