"""The page on tearlines says what the program does."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from tearline.gate.sanitize import CODES, DONE, sanitize
from tearline.scan import Disposition, Hit
from tearline.vault.source import Obligations, PlaceGrain, TimeGrain

PAGE = (Path(__file__).parents[4] / "docs" / "tearlines.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^\| (en|uk|ru) \| (.+?) \| (.+?) \|$", PAGE, flags=re.MULTILINE)
OTHERS = ("Badzhara", "Баджара")
OWED = {
    "HERON": Obligations(
        time=TimeGrain.MONTH, place=PlaceGrain.REGION, descriptor="a source with direct access"
    ),
    "PIKE": Obligations(time=TimeGrain.MONTH, place=PlaceGrain.REGION),
}


def marked(before: str) -> tuple[str, list[Hit]]:
    """The text without its bold marks, and a hit for each."""
    pieces = before.split("**")
    text, hits = "", []
    for number, piece in enumerate(pieces):
        if number % 2:
            name = "PIKE" if piece.endswith(OTHERS) else "HERON"
            hits.append(Hit(len(text), len(text) + len(piece), name, 1.0, Disposition.HOLD, "exact"))
        text += piece
    return text, hits


@pytest.mark.parametrize(("language", "before", "after"), EXAMPLES)
def test_the_examples_are_true(language: str, before: str, after: str) -> None:
    text, hits = marked(before)
    # A title that touches the source, so that texts without a name are coarsened too.
    title = Hit(0, 6, "HERON", 1.0, Disposition.HOLD, "exact")
    made = sanitize([text, "Sorvat"], [hits, [title]], OWED, language=language, day=date(2026, 10, 20))
    assert made.texts[0] == after
    assert not [flag for flag in made.flags if flag.code == "sanitize.finer"]


def test_there_are_examples_in_three_languages() -> None:
    assert [sum(row[0] == language for row in EXAMPLES) >= 3 for language in ("en", "uk", "ru")] == [True] * 3


def test_every_code_is_explained() -> None:
    assert re.findall(r"^\| `(sanitize\.[a-z-]+)` \|", PAGE, flags=re.MULTILINE) == list(CODES)
    assert all(f"`{done}`" in PAGE for done in DONE)
