"""Persons whom the vault does not know: notices only."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

import pytest

from tearline.gate.sanitize import CODES, notices, unknown


class Capitals:
    """Takes every word with a capital for a person, in English."""

    def persons(self, text: str, language: str) -> Iterable[tuple[int, int]]:
        words, at = [], 0
        for word in text.split(" "):
            if word.istitle() and language == "en":
                words.append((at, at + len(word)))
            at += len(word) + 1
        return [*words, *words, (3, 999), (2, 2)]


def test_each_person_is_noticed_once_with_its_place() -> None:
    texts = ["so Ilko met Vira", "nobody"]
    found = notices(texts, "en", Capitals())
    assert [texts[flag.text][flag.start : flag.end] for flag in found] == ["Ilko", "Vira"]
    assert {flag.code for flag in found} == {unknown.UNKNOWN_PERSON}


def test_a_notice_never_refers() -> None:
    assert unknown.UNKNOWN_PERSON not in CODES


def test_without_a_recogniser_there_are_none() -> None:
    assert notices(["so Ilko met Vira"], "en", None) == ()
    assert notices(["so Ilko met Vira"], "uk", Capitals()) == ()


def test_where_nothing_is_installed_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not unknown.is_installed()
    assert not unknown.Installed()
    assert unknown.Installed().persons("so Ilko met Vira", "en") == []


def test_a_model_is_read_once_and_asked_in_its_own_language(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Model(Capitals):
        def __init__(self) -> None:
            made.append(self)

    monkeypatch.setattr(unknown, "_models", lambda: {"en": Model})
    installed = unknown.Installed()
    assert installed
    assert made == []
    for _ in range(2):
        assert (3, 7) in installed.persons("so Ilko met Vira", "en")
    assert installed.persons("so Ilko met Vira", "uk") == []
    assert len(made) == 1
