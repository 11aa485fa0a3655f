"""Every text of the desk is said in every language that it speaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from jinja2.ext import babel_extract

from tearline.doors.desk.pages import LANGUAGES, catalogue, chosen

HERE = Path(str(files("tearline.doors.desk")))
_FIELD = re.compile(r"%\([a-z_]+\)[sd]|\{[a-z_]+\}")


def texts(folder: Path = HERE) -> Iterator[tuple[str, str]]:
    """Each marked text and the file where it stands."""
    for path in sorted(folder.rglob("*.html")):
        with path.open("rb") as file:
            options = {"trimmed": "true", "silent": "false", "extensions": "jinja2.ext.do"}
            for _, _, found, _ in babel_extract(file, ("_", "gettext", "ngettext"), [], options):
                one = found[0] if isinstance(found, tuple) else found  # of a plural, its first form
                if one:  # none where a variable is translated
                    yield one, path.name
    for path in sorted(folder.rglob("*.py")):
        for _, found, _, _ in extract_from_file("python", path, keywords={"N_": None}):
            if isinstance(found, str):
                yield found, path.name


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_every_text_is_translated(language: str) -> None:
    said = catalogue(language)
    missing = [f"{where}: {text}" for text, where in texts() if not said.get(text) or not said[text].string]
    assert not missing, missing


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_a_translation_keeps_the_fields(language: str) -> None:
    for message in catalogue(language):
        for said in [message.string] if isinstance(message.string, str) else message.string:
            one = message.id if isinstance(message.id, str) else message.id[-1]
            assert sorted(_FIELD.findall(said)) == sorted(_FIELD.findall(one)), message.id


def test_nothing_is_translated_that_nobody_says() -> None:
    known = {text for text, _ in texts()}
    for language in set(LANGUAGES) - {"en"}:
        said = {
            message.id if isinstance(message.id, str) else message.id[0] for message in catalogue(language)
        }
        assert said <= known | {""}, said - known


def test_the_texts_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("{{ _('One') }}{% trans n=2 %}Two {{ n }}{% endtrans %}", "utf-8")
    (tmp_path / "a.py").write_text("title = N_('Three')\n", "utf-8")
    assert sorted(text for text, _ in texts(tmp_path)) == ["One", "Three", "Two %(n)s"]


@pytest.mark.parametrize(
    ("wanted", "accepted", "language"),
    [("uk", "en", "uk"), (None, "uk-UA,uk;q=0.9", "uk"), (None, "de, en;q=0.5", "en"), ("xx", "", "en")],
)
def test_the_language_is_the_persons_or_the_browsers(
    wanted: str | None, accepted: str, language: str
) -> None:
    assert chosen(wanted, accepted) == language
