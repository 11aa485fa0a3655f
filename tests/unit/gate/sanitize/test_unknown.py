"""Persons whom the vault does not know: notices only."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

import pytest

from tearline.gate.sanitize import CODES, natasha, notices, unknown


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


def test_natasha_is_not_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert natasha() is None
