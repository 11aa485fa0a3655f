"""Facts have the same keys in every language and notation, and only they."""

from __future__ import annotations

import pytest

from tearline.trace.likeness.facts import facts
from tearline.trace.likeness.words import Words


def keys(text: str, kinds: str = "ndtgi") -> set[str]:
    return {fact.key for fact in facts(Words(text)) if fact.key[0] in kinds}


@pytest.mark.parametrize(
    ("key", "notations"),
    [
        ("n:1200", "1,200 men;1 200 men;1\u00a0200 осіб;1200 чел.;1,2 тис. осіб;1.2 thousand men;1.200 Mann"),
        ("n:12", "twelve trucks;12 trucks;a dozen;дванадцять машин;двенадцати машин"),
        ("n:205", "two hundred and five;двісті п’ять;двести пять;205"),
        ("n:21", "twenty-one;двадцять один;двадцать один"),
        ("n:4.5", "4.5 nautical miles;4,5 морської милі"),
        ("n:27km", "27 km;27 км;27 kilometres;27 кілометрів;27 километров;twenty-seven km"),
        ("n:640000", "640 thousand barrels;640 тис. барелів;640 000 баррелей"),
        (
            "d:2026-10-13",
            "13 October 2026;October 13, 2026;13 жовтня 2026 року;13 октября 2026;2026-10-13;13.10.2026",
        ),
        ("d:10-13", "13 Oct;13th of October;13-го октября;12 and 13 October;12–13 жовтня;October 13"),
        ("d:2024-5", "in May 2024;за травень 2024 року;в мае 2024"),
        ("t:1640", "16:40;4:40 p.m.;1640Z;16 год 40 хв;в 16 часов 40 минут;2026-10-13T16:40:12"),
        ("t:1600", "4 pm;16:00"),
        ("g:46.22", "46.2183° N, 45.6° E;46.2183° пн. ш.;46,2183° с. ш.;46°13'06\" N;46.2183, 45.6071"),
        ("i:203.0.113.47", "203.0.113.47;203[.]0[.]113[.]47"),
        (
            "i:nadrich.example",
            "nadrich.example;nadrich[.]example;x@nadrich.example;hxxp://nadrich(.)example/a",
        ),
        ("i:cve-2024-12345", "CVE-2024-12345;cve-2024-12345"),
        ("i:7c1e9ab4", "7c1e9ab4;7C1E9AB4"),
        ("i:36tvu1234567890", "36TVU1234567890;36T VU 12345 67890"),
    ],
)
def test_every_notation_has_the_key(key: str, notations: str) -> None:
    assert [each for each in notations.split(";") if key not in keys(f"Seen: {each} there.")] == []


def test_what_is_read_as_one_fact_is_not_read_as_another() -> None:
    assert keys("On 13 October 2026 at 04:40") == {"d:2026-10-13", "d:10-13", "t:0440"}
    assert keys("mail 203.0.113.47 or a@b.example") == {"i:203.0.113.47", "i:a@b.example", "i:b.example"}


def test_one_and_words_of_scale_alone_are_no_figures() -> None:
    assert keys("one of them saw a hundred; одна тысяча; the second one") == {"n:1000"}
    assert keys("a thousand times, сотня") == set()


def test_a_date_needs_a_month() -> None:
    assert keys("12 men", "d") == set()
    assert keys("41 October and 13.14.2026", "d") == set()


@pytest.mark.parametrize(
    "names",
    [
        ("Zhytvyn", "Житвин", "Житвином"),
        ("Sorvat", "Сорват", "Сорвату"),
        ("Sukhra", "Сухра", "Сухрою"),
        ("Ternorud", "Тернорудь", "Терноруддю"),
        ("Hlib", "Гліб", "Глеб"),
    ],
)
def test_a_name_has_a_key_in_common_with_its_forms_in_other_scripts(names: tuple[str, ...]) -> None:
    found = [keys(f"They saw {name} again", "w") for name in names]
    assert set.intersection(*found)


def test_names_are_capitalised_and_months_are_none() -> None:
    assert keys("the sorvat in October, в октябре", "w") == set()


def test_a_row_of_digits_without_end_is_no_figure() -> None:
    text = f"They counted {'9' * 400} barges and 12 tugs."
    assert any(each.key.startswith("n:12") for each in facts(Words(text)))
