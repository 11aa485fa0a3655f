"""Prints refuse in the index what the verifier would refuse, nothing else; the key hides them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tearline.scan import Identity, Kind, Scanner, prints
from tearline.scan.fold import fold
from tearline.scan.likeness import likeness, weight
from tearline.scan.phonemes import skeleton
from tearline.scan.words import name_readings, text_readings

NAME = "Тарас Вербовенко"


def _may_fit(text: str, name: str, uppers: int = 2) -> bool:
    """Whether prints let a pair of words be one name, of which the second fits in full."""
    readings = text_readings(fold(text), True)
    asked, held = prints.of_tags(readings, ()), prints.of_tags(name_readings(fold(name)), ())
    shared = asked.keys() & held.keys()
    assert shared, "without a common skeleton there is nothing to test"
    low, rest = np.uint64(prints.ANY & 0x7FFFFFFF), np.uint64(32)
    for bones in shared:
        marks = np.array([asked[bones]], np.uint64) | low << rest
        found = prints.Asked(marks, np.full((1, 2), max(map(weight, readings))), np.array([uppers]))
        if prints.may_fit(found, np.array([held[bones]], np.uint64) | low << rest)[0]:
            return True
    return False


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Вербовенком", "Вербовенко"),
        ("Verbovenko", "Вербовенко"),
        ("Werbowenki", "Вербовенко"),
        ("Гайдабурі", "Гайдабура"),
        ("Haidabura", "Гайдабура"),
        ("Мирошнікова", "Мирошников"),
    ],
)
def test_a_print_lets_forms_of_a_name_pass(text: str, name: str) -> None:
    assert _may_fit(text, name)


@pytest.mark.parametrize(("text", "name"), [("дулумон", "Далимун"), ("барабан", "Бурибін")])
def test_a_print_refuses_other_vowels_in_small_letters(text: str, name: str) -> None:
    assert _may_fit(name, name, 0)
    assert not _may_fit(text, name, 0)


def test_a_print_costs_no_more_than_the_verifier_asks() -> None:
    words = ["вербовенко", "вербавенка", "гайдабура", "гойдабура", "мирошник", "марашник", "дзюба", "зюба"]
    for one in words:
        for other in words:
            for a in text_readings(one, True):
                for b in name_readings(other):
                    if skeleton(a) == skeleton(b) and likeness(a, b) >= 0.85:
                        assert _may_fit(one, other), (one, other)


def test_the_prints_of_an_index_are_hidden(tmp_path: Path) -> None:
    Scanner([Identity("S", NAME, Kind.PERSON)], key=b"k" * 32).save(tmp_path / "index")
    kept = (tmp_path / "index").read_bytes()
    for word in NAME.lower().split():
        for mark in prints.of_tags(name_readings(word), ()).values():
            assert mark.to_bytes(4, "little") not in kept


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Drago Valjej", "Stal je v drugem valu."),
        ("Luka Tehej", "To lahko ti poveš."),
        ("Jana Lucej", "Prižgal je luč zanj."),
    ],
)
def test_latin_words_are_not_read_as_another_language_spells(name: str, text: str) -> None:
    assert Scanner([Identity("S", name, Kind.PERSON, "sl")], key=b"k" * 32).scan(text) == []


def test_what_is_cut_off_a_word_must_be_an_ending() -> None:
    scanner = Scanner([Identity("S", "Tina Bregan", Kind.PERSON, "sl")], key=b"k" * 32)
    assert [hit.why for hit in scanner.scan("Prišla je Tina Bregana.")] == ["exact,inflected"]
    assert not any("inflected" in hit.why for hit in scanner.scan("Prišla je Tina Bregant."))
