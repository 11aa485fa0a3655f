"""Points: what in a text names a day or a period, in English, Ukrainian, Russian or figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from tearline.gate.sanitize.periods import EN_MONTHS, MONTH_FORMS, Period, near, on
from tearline.gate.sanitize.seams import starts_sentence
from tearline.scan.pattern import compiled
from tearline.vault.source import TimeGrain

_EN = {form: at for at, month in enumerate(EN_MONTHS, 1) for form in (month.lower(), month[:3].lower())} | {
    "sept": 9
}
_SLAVIC = {form: (language, at) for language in MONTH_FORMS for form, at in MONTH_FORMS[language].items()} | {
    form.replace("ё", "е"): ("ru", at) for form, at in MONTH_FORMS["ru"].items()
}
EN_MONTH = "(?:" + "|".join(sorted(_EN, key=len, reverse=True)) + r")\b(?:(?<=\b\w{3})\.(?=[\s,]*\d))?"
SLAVIC_MONTH = "(?:" + "|".join(sorted(_SLAVIC, key=len, reverse=True)) + r")\b"
DAY, _Y = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:19|20)\d\d"
TH = r"(?:st|nd|rd|th)?"
NTH = r"(?:-?(?:го|ого|є|е|те|ше|ого))?"
_STOP = r"(?:\.(?!\s*\Z|\s+(?-i:[A-ZА-ЯІЇЄҐЁ«“\"])))?"
_YEAR_WORD = rf"(?:-?го)?(?:\s?(?:року|роком|році|рік|года|годом|году|год)\b|\s?[рг]\b{_STOP})?"
_SLAVIC_YEAR = rf"(?:,?\s+(?P<y>{_Y}){_YEAR_WORD})?"
_DASH = r"\s*[-–—]\s*"
LINK = rf"(?:{_DASH}|\s+(?:to|and|or|until|till|through|до|по|і|й|та|и|або|чи|или)\s+)"
_I = re.IGNORECASE


class Point(NamedTuple):
    start: int
    end: int
    period: Period
    language: str


_ENGLISH_DAY = compiled(
    rf"(?<![\w.:])(?P<d>{DAY}){TH}[\s.\-/]*(?:of\s+)?(?P<m>{EN_MONTH})(?:[\s,\-/]*(?P<y>{_Y}))?(?!\d)", _I
)
_ENGLISH_MONTH_DAY = compiled(
    rf"(?<!\w)(?P<m>{EN_MONTH})\s+(?:the\s+)?(?P<d>{DAY}){TH}\b(?P<more>{LINK}{DAY}{TH}\b(?!\s+{EN_MONTH}))?(?![:.]\d)(?:,?\s+(?P<y>{_Y})\b)?",
    _I,
)
_ENGLISH_MONTH = compiled(rf"(?<!\w)(?P<m>{EN_MONTH})(?:(?:,?\s+(?:of\s+)?|-)(?P<y>{_Y})\b)?", _I)
_SLAVIC_DAY = compiled(rf"(?<![\w.:])(?P<d>{DAY}){NTH}\s+(?P<m>{SLAVIC_MONTH}){_SLAVIC_YEAR}", _I)
_SLAVIC_BARE = compiled(rf"(?<!\w)(?P<m>{SLAVIC_MONTH}){_SLAVIC_YEAR}", _I)
_NUMERIC = compiled(
    rf"(?<![\w/:])(?<!\d\.)(?P<a>\d{{1,2}})(?P<s>[./-])(?P<b>\d{{1,2}})(?P=s)(?P<y>(?:19"
    rf"|20)?\d\d)(?![\w/:-]|[.,]\d){_YEAR_WORD}",
    _I,
)
_ISO = compiled(
    rf"(?<![\w/:])(?<!\d[.-])(?P<y>{_Y})(?P<s>[./-]?)(?P<m>0[1-9]|1[0-2]"
    r"|(?<=[./-])[1-9])(?P=s)(?P<d>[0-2]\d|3[01]|(?<=[./-])[1-9])(?![\w/:-]|[.,]\d)"
)
_QUARTER = compiled(
    r"(?<!\w)(?:(?:the\s+)?(?P<n>first|second|third|fourth|1st|2nd|3rd|4th)\s+quarter\b"
    rf"|(?P<q>Q[1-4]))(?:(?:\s+of)?,?\s+(?P<y>{_Y})\b)?",
    _I,
)
_SLAVIC_QUARTER = compiled(
    r"(?<!\w)(?P<n>перш|друг|трет|четверт|четвёрт|перв|втор|[1-4]|iv"
    r"|i{1,3})(?:-?[а-яіїєё]{1,4})?\s+(?P<w>квартал[а-яіїє]{0,3})\b" + _SLAVIC_YEAR,
    _I,
)
_ORDINALS = (
    "first 1st перш перв 1 i",
    "second 2nd друг втор 2 ii",
    "third 3rd трет 3 iii",
    "fourth 4th четверт четвёрт 4 iv",
)
_ORDINAL = {word: number for number, row in enumerate(_ORDINALS, 1) for word in row.split()}

_IN_PERIOD = compiled(
    r"(?<!\w)(?:in|since|until|till|from|by|of|before|after|during|through|for|to|and|between"
    r"|early|mid|late|last|next|this"
    r"|beginning of|middle of|end of)[\s-]+\Z",
    _I,
)


def points(text: str, language: str, written: date) -> list[Point]:
    """All that name a day or a period, in order, none within another."""
    found = sorted(
        (*_named(text, written), *_figures(text, language, written)),
        key=lambda point: (point.start, -point.end),
    )
    kept: list[Point] = []
    for point in found:
        if not kept or point.start >= kept[-1].end:
            kept.append(point)
    return kept


def _point(
    m: re.Match[str],
    written: date,
    language: str,
    month: int,
    day: int | None,
    grain: TimeGrain,
    *,
    sure: bool = True,
) -> Point:
    year = m["y"]
    number = int(year) if year and len(year) == 4 else 2000 + int(year) if year else 0
    first = on(number, month, day or 1) if number else near(written, month, day or 1)
    return Point(*m.span(), Period(grain, first, bool(year), sure), language)


def _named(text: str, written: date) -> Iterator[Point]:
    """With the month's name."""
    for pattern in (_ENGLISH_DAY, _ENGLISH_MONTH_DAY):
        for m in pattern.finditer(text):
            if m["y"] or not m["m"].islower():
                yield _point(m, written, "en", _EN[m["m"].lower().rstrip(".")], int(m["d"]), TimeGrain.DAY)
    for m in _ENGLISH_MONTH.finditer(text):
        before = text[max(0, m.start() - 16) : m.start()]
        if m["y"] or (not m["m"].islower() and _IN_PERIOD.search(before)):
            yield _point(m, written, "en", _EN[m["m"].lower().rstrip(".")], None, TimeGrain.MONTH)
    for m in _SLAVIC_DAY.finditer(text):
        lang, month = _SLAVIC[m["m"].lower()]
        yield _point(m, written, lang, month, int(m["d"]), TimeGrain.DAY)
    for m in _SLAVIC_BARE.finditer(text):
        if m["y"] or m["m"].islower() or starts_sentence(text, m.start()):
            lang, month = _SLAVIC[m["m"].lower()]
            yield _point(m, written, lang, month, None, TimeGrain.MONTH)


def _figures(text: str, language: str, written: date) -> Iterator[Point]:
    """In figures, and quarters."""
    for m in _NUMERIC.finditer(text):
        one, other = int(m["a"]), int(m["b"])
        day, month = (one, other) if other <= 12 else (other, one)
        if 1 <= month <= 12 and 1 <= day <= 31 and text[max(0, m.start() - 1) : m.start()] != m["s"]:
            sure = m["s"] == "." or one > 12 or other > 12 or one == other
            yield _point(m, written, language, month, day, TimeGrain.DAY, sure=sure)
    for m in _ISO.finditer(text):
        if int(m["d"]):
            yield _point(m, written, language, int(m["m"]), int(m["d"]), TimeGrain.DAY)
    for m in _QUARTER.finditer(text):
        number = _ORDINAL[m["n"].lower()] if m["n"] else int(m["q"][1])
        yield _point(m, written, "en", number * 3 - 2, None, TimeGrain.QUARTER)
    for m in _SLAVIC_QUARTER.finditer(text):
        yield _point(
            m,
            written,
            "uk" if language == "uk" else "ru",
            _ORDINAL[m["n"].lower()] * 3 - 2,
            None,
            TimeGrain.QUARTER,
        )
