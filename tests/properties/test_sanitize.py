"""The tearline maker's laws, over generated texts in three languages."""

from __future__ import annotations

import os
import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.gate.sanitize import CODES, Sanitized, finer, sanitize
from tearline.gate.sanitize.clocks import coarsen_clocks
from tearline.gate.sanitize.dates import coarsen_dates
from tearline.gate.sanitize.places import coarsen_places
from tearline.scan import Disposition, Hit
from tearline.vault.source import Obligations, PlaceGrain, TimeGrain

WRITTEN = date(2026, 11, 2)
MONTHS = {
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "uk": [
        "січня",
        "лютого",
        "березня",
        "квітня",
        "травня",
        "червня",
        "липня",
        "серпня",
        "вересня",
        "жовтня",
        "листопада",
        "грудня",
    ],
    "ru": [
        "января",
        "февраля",
        "марта",
        "апреля",
        "мая",
        "июня",
        "июля",
        "августа",
        "сентября",
        "октября",
        "ноября",
        "декабря",
    ],
}
ABBREVIATED = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]

days = st.sampled_from(
    [date(2026, month, day) for month in range(1, 13) for day in (13, 17, 23, 29) if month != 2 or day < 29]
)
minutes = st.tuples(st.sampled_from([4, 7, 16, 21]), st.sampled_from([41, 47, 53, 58]))
languages = st.sampled_from(["en", "uk", "ru"])


def date_forms(language: str, day: date) -> list[str]:
    """Each way to write the day, with the preposition that goes with it."""
    d, month, y = day.day, MONTHS[language][day.month - 1], day.year
    figures = [
        day.isoformat(),
        f"{d}.{day.month:02}.{y}",
        f"{d}/{day.month}/{y}",
        f"{d:02}.{day.month:02}.{y % 100:02}",
        f"{y}{day.month:02}{d}",
    ]
    if language == "en":
        th = {13: "13th", 17: "17th", 23: "23rd", 29: "29th"}[d]
        named = [
            f"{d} {month} {y}",
            f"{d} {month}",
            f"{month} {d}, {y}",
            f"{month} {d}",
            f"the {th} of {month}",
            f"{th} {month}",
            f"{month} {th}, {y}",
            f"{d}-{month[:3]}-{y}",
            f"{d} {month[:3]} {y}",
            f"{month[:3]}. {d}, {y}",
            f"{d} {month.upper()} {y}",
        ]
        words = ["on", "by", "until", "from", "since", "before", "after", "dated"]
        forms = [f"{word} {form}" for word in words for form in named + figures]
        forms += [
            f"late in the evening of {d} {month}",
            f"on the morning of {month} {d}",
            f"on Tuesday, {d} {month} {y}",
            f"on {d} {month} in the evening",
        ]
        forms += [
            f"from 11 to {d} {month}",
            f"between 9 and {d} {month} {y}",
            f"{d}–30 {month} {y}",
            f"from 2 March 2026 to {d} {month} {y}",
            f"{month} {d}-30",
        ]
        return forms
    year = {"uk": ["", f" {y} року", f" {y} р.", f" {y}"], "ru": ["", f" {y} года", f" {y} г.", f" {y}"]}[
        language
    ]
    named = [f"{d}{suffix} {month}{tail}" for suffix in ("", "-го") for tail in year] + [
        f"{d} {month.upper()}"
    ]
    words = {
        "uk": ["", "з", "до", "від", "після", "на", "близько"],
        "ru": ["", "с", "до", "от", "после", "на", "к", "около"],
    }[language]
    forms = [f"{word} {form}".strip() for word in words for form in named + figures]
    if language == "uk":
        forms += [
            f"увечері {d} {month}",
            f"у вівторок, {d} {month} {y} року",
            f"{d} {month} вранці",
            f"між 9 і {d} {month}",
            f"з 11 до {d} {month} {y} року",
        ]
        return [
            *forms,
            f"{d}–30 {month}",
            f"з 2 березня 2026 року по {d} {month} {y} року",
            f"в ніч на {d} {month}",
        ]
    forms += [
        f"поздно вечером {d} {month}",
        f"во вторник, {d} {month} {y} года",
        f"{d} {month} утром",
        f"между 9 и {d} {month}",
        f"с 11 по {d} {month} {y} года",
    ]
    return [
        *forms,
        f"{d}–30 {month}",
        f"с 2 марта 2026 года по {d} {month} {y} года",
        f"в ночь на {d} {month}",
    ]


def clock_forms(language: str, time: tuple[int, int]) -> list[str]:
    h, m = time
    colon, military = f"{h:02}:{m}", f"{h:02}{m}"
    if language == "en":
        half = f"{h % 12 or 12}.{m} p.m."
        forms = [
            colon,
            f"{colon}:{m}",
            f"{colon}Z",
            f"{military}Z",
            f"{military} hrs",
            half,
            half.replace(".", ":", 1),
            f"{colon} local time ({h:02}:{m}Z)",
            f"{colon} Kyiv time",
        ]
        return [
            f"{word} {form}" for word in ("at", "by", "from", "about", "shortly before") for form in forms
        ] + [f"between {colon} and 22:{m}", f"{colon}–22:{m}"]
    if language == "uk":
        forms = [
            colon,
            f"{h} год {m} хв",
            f"{colon} за місцевим часом ({h:02}:{m}Z)",
            f"{h}.{m}",
            f"{military}Z",
        ]
        return [f"{word} {form}" for word in ("о", "до", "близько", "з") for form in forms] + [
            f"з {colon} до 22:{m}"
        ]
    forms = [
        colon,
        f"{h} часов {m} минут",
        f"{colon} по местному времени ({h:02}:{m}Z)",
        f"{h}.{m}",
        f"{military}Z",
        f"{colon} мск",
    ]
    return [f"{word} {form}" for word in ("в", "до", "около", "с") for form in forms] + [
        f"с {colon} до 22:{m}"
    ]


def group_forms(day: date, time: tuple[int, int]) -> list[str]:
    h, m = time
    return [
        f"{day.day:02}{h:02}{m}Z{ABBREVIATED[day.month - 1]}26",
        f"{day.day:02}{h:02}{m}Z {ABBREVIATED[day.month - 1]} 2026",
        f"{day.isoformat()}T{h:02}:{m}:{m}Z",
        f"{day.isoformat()} {h:02}:{m}",
        f"{day.year}{day.month:02}{day.day:02}T{h:02}{m}00Z",
    ]


SPOTS = {
    "en": [
        "46.2183° N, 45.6071° E",
        "46.2183, 45.6071",
        "46°13′06″ N 45°36′26″ E",
        "38TMR1234567891",
        "38T MR 12345 67891",
        "461306N0453626E",
    ],
    "uk": [
        "46.2183° пн. ш., 45.6071° сх. д.",
        "46,2183, 45,6071",
        "46°13′06″ пн. ш., 45°36′26″ сх. д.",
        "46.2183; 45.6071",
    ],
    "ru": [
        "46.2183° с. ш., 45.6071° в. д.",
        "46.2183 с. ш., 45.6071 в. д.",
        "46°13′06″ с.ш. 45°36′26″ в.д.",
        "46,2183; 45,6071",
    ],
}
FRAMES = {
    "en": [
        "The column left {time} {date}.",
        "{Date} the boat came in {spot}.",
        "It lay there ({date}, {spot}), as planned, {time}.",
        "A run {date}; then another {time}.",
    ],
    "uk": [
        "Колона вийшла {time} {date}.",
        "{Date} човен підійшов {spot}.",
        "Він стояв там ({date}, {spot}), як планували, {time}.",
        "Рейс {date}; далі ще один {time}.",
    ],
    "ru": [
        "Колонна вышла {time} {date}.",
        "{Date} лодка подошла {spot}.",
        "Она стояла там ({date}, {spot}), как и планировали, {time}.",
        "Рейс {date}; затем ещё один {time}.",
    ],
}
AT = {
    "en": ["at ", "(", "near "],
    "uk": ["біля ", "(", "за координатами "],
    "ru": ["возле ", "(", "в точке с координатами "],
}


@st.composite
def reports(draw: Any) -> tuple[str, str, date, tuple[int, int]]:
    language, day, time = draw(languages), draw(days), draw(minutes)
    frame = draw(st.sampled_from(FRAMES[language]))
    when = draw(st.sampled_from(date_forms(language, day) + group_forms(day, time)))
    at = draw(st.sampled_from(AT[language]))
    spot = at + draw(st.sampled_from(SPOTS[language])) + (")" if at == "(" else "")
    text = frame.format(
        time=draw(st.sampled_from(clock_forms(language, time))),
        date=when,
        Date=when[0].upper() + when[1:],
        spot=spot.strip("()") if "({" in frame else spot,
    )
    return text, language, day, time


def coarsened(text: str, language: str, time: TimeGrain, place: PlaceGrain) -> str:
    text, _ = coarsen_clocks(text, time, language)
    text, _ = coarsen_dates(text, time, language, WRITTEN)
    return coarsen_places(text, place, language)[0]


hour_and_coarser = st.sampled_from(list(TimeGrain)[1:])
coarse_times = st.sampled_from(
    [TimeGrain.DAY, TimeGrain.WEEK, TimeGrain.MONTH, TimeGrain.QUARTER, TimeGrain.YEAR]
)
coarse_places = st.sampled_from(
    [PlaceGrain.SETTLEMENT, PlaceGrain.DISTRICT, PlaceGrain.REGION, PlaceGrain.COUNTRY]
)
EXAMPLES = 5000 if "TEARLINE_LONG" in os.environ else 240


@given(reports(), hour_and_coarser, coarse_places)
@settings(max_examples=EXAMPLES, deadline=None)
def test_no_form_survives_coarsening(report: Any, time: TimeGrain, place: PlaceGrain) -> None:
    text, language, day, (_, minute) = report
    new = coarsened(text, language, time, place)
    assert not [new[f.start : f.end] for f in finer(new, time, place) if f.kind != "place-name"], (text, new)
    figures = re.sub(r"2026\d{4}", "", new)
    assert str(minute) not in figures, (text, new)
    assert not re.search(r"2183|6071|13′|36′|1234|4536", figures), (text, new)
    if time not in {TimeGrain.HOUR, TimeGrain.DAY}:
        left = re.sub(r"(?:week of|від|с) \d+ ", "", new) if time is TimeGrain.WEEK else new
        assert not re.search(rf"(?<!\d){day.day}(?!\d)", left), (text, new)


@given(reports(), coarse_times.filter(lambda grain: grain is not TimeGrain.DAY))
@settings(max_examples=EXAMPLES // 2, deadline=None)
def test_the_second_detector_knows_every_form(report: Any, time: TimeGrain) -> None:
    text, language = report[:2]
    kinds = {found.kind for found in finer(text, time, PlaceGrain.SETTLEMENT)}
    assert "time" in kinds, text
    if any(spot in text for spot in SPOTS[language]):
        assert "place" in kinds, text


@given(reports(), st.sampled_from(list(TimeGrain)), st.sampled_from(list(PlaceGrain)))
@settings(max_examples=EXAMPLES, deadline=None)
def test_coarsening_twice_is_coarsening_once(report: Any, time: TimeGrain, place: PlaceGrain) -> None:
    text, language, *_ = report
    once = coarsened(text, language, time, place)
    assert coarsened(once, language, time, place) == once, text


SEAMS = re.compile(
    r"\ue000|  | [,;.!?](?:\s|$)|,,|\(\s*\)|\(\s|\s\)|\[\s*\]|\[\.\.\.\]|,\s*[.)]|\(,|^[\s,;]"
    r"|[\s,;(–—-]$|[.!?] [,;.]"
)


@given(reports(), coarse_times, coarse_places)
@settings(max_examples=EXAMPLES, deadline=None)
def test_no_seam_shows(report: Any, time: TimeGrain, place: PlaceGrain) -> None:
    text, language, *_ = report
    new = coarsened(text, language, time, place)
    assert not SEAMS.search(new), (text, new)
    assert new[0].isupper() or not new[0].isalpha(), (text, new)


# --- masks ------------------------------------------------------------------------------------------

CONTEXTS = {
    "en": [
        "{} told us so.",
        "Men under Major {} left.",
        "It was {}’s lorry.",
        "The commander ({}) spoke.",
        "Mail {}@post.example now.",
        "Known as “{}” there.",
        "See [{}](http://x.example/a) for it.",
        "Drivers, led by Mr {}, left. {} stayed.",
        "1. {} went.",
        "The {}-led unit.",
        "a note (by {}, in haste)",
        "**{}** came",
        "He met Dr. {}!",
    ],
    "uk": [
        "{} сказав це.",
        "Люди майора {} пішли.",
        "Командир ({}) говорив.",
        "Відомий як «{}» там.",
        "Водії пана {} поїхали. {} лишився.",
        "Пошта {}@post.example є.",
    ],
    "ru": [
        "{} сказал это.",
        "Люди майора {} ушли.",
        "Командир ({}) говорил.",
        "Известен как «{}» там.",
        "Водители господина {} уехали. {} остался.",
        "Почта {}@post.example есть.",
    ],
}
NAMES = [
    "Hlib Sorvat",
    "Sorvat",
    "SORVAT",
    "Сорватом",
    "Гліба Сорвата",
    "S o r v a t",
    "Sor-\nvat",
    "von Sorvat",
    "Сорватові",
    "Глебом Петровичем Сорватом",
    "s0rvat",
    "Sorvatas",
    "Ō",
    "Sor\u00advat",
    "Bo",
]


def sanitized(frame: str, names: list[str], language: str, descriptor: str) -> Sanitized:
    text, hits, rest = "", [], frame.split("{}")
    for number, part in enumerate(rest):
        text += part
        if number < len(rest) - 1:
            name = names[number % len(names)]
            hits.append(Hit(len(text), len(text) + len(name), "HERON", 1.0, Disposition.HOLD, "exact"))
            text += name
    owed = {"HERON": Obligations(time=TimeGrain.MONTH, descriptor=descriptor)}
    return sanitize([text], [hits], owed, language=language, day=WRITTEN)


@given(
    languages, st.data(), st.sampled_from(["a source with direct access", "водій колони", "водитель колонны"])
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_texts_that_differ_only_in_the_name_give_the_same_result(
    language: str, data: st.DataObject, descriptor: str
) -> None:
    frame = data.draw(st.sampled_from(CONTEXTS[language]))
    one, other = (data.draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=2)) for _ in range(2))
    first, second = (sanitized(frame, names, language, descriptor) for names in (one, other))
    assert first == second
    assert not SEAMS.search(first.texts[0]), first
    assert not any(name.lower() in first.texts[0].lower() for name in one if len(name) > 3)


@given(st.text(alphabet=st.sampled_from("Aab1  .,;:()[]«»“”\"'–-\n\ue0003§°′:/@*<>пП")), st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_sanitize_is_total_and_twice_changes_nothing(text: str, data: st.DataObject) -> None:
    spots = data.draw(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 6)), max_size=3))
    hits = [Hit(a, a + n, "HERON", 1.0, Disposition.REVIEW, "typo") for a, n in spots if a + n <= len(text)]
    owed = {"HERON": Obligations(time=TimeGrain.YEAR, place=PlaceGrain.COUNTRY)}
    once = sanitize([text], [hits], owed, language="en", day=WRITTEN)
    assert {flag.code for flag in once.flags} <= CODES.keys()
    assert all(0 <= flag.start <= flag.end <= len(once.texts[flag.text]) for flag in once.flags)
    assert "\ue000" not in once.texts[0]


# --- planted faults ---------------------------------------------------------------------------------


def forgotten_form(patch: pytest.MonkeyPatch) -> None:
    from tearline.gate.sanitize import points

    patch.setattr(points, "_NUMERIC", re.compile(r"(?!)"))


def forgotten_clock(patch: pytest.MonkeyPatch) -> None:
    from tearline.gate.sanitize import clocks

    patch.setattr(clocks, "_DTG", re.compile(r"(?!)"))


@pytest.mark.parametrize(
    ("plant", "text"),
    [(forgotten_form, "It left on 13.10.2026."), (forgotten_clock, "It left 130441ZOCT26.")],
)
def test_a_forgotten_form_is_referred(plant: Any, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second detector stands alone: what coarsening forgets, an officer sees."""
    owed = {"HERON": Obligations(time=TimeGrain.MONTH, place=PlaceGrain.EXACT)}
    hit = Hit(0, 2, "HERON", 1.0, Disposition.HOLD, "exact")
    assert not sanitize([text], [[hit]], owed, language="en", day=WRITTEN).flags
    plant(monkeypatch)
    codes = {flag.code for flag in sanitize([text], [[hit]], owed, language="en", day=WRITTEN).flags}
    assert codes == {"sanitize.finer"}
