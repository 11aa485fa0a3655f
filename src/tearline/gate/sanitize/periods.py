"""Periods of the calendar and their names in English, Ukrainian and Russian, with preposition and case."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from tearline.vault.source import TimeGrain

GRAINS = tuple(TimeGrain)
"""Finest first."""


def is_finer(one: TimeGrain, other: TimeGrain) -> bool:
    return GRAINS.index(one) < GRAINS.index(other)


class Relation(StrEnum):
    """How a sentence stands to a period."""

    AT = "at"
    BARE = "bare"
    FROM = "from"
    UNTIL = "until"
    BY = "by"
    """The Russian "к": by."""
    OF = "of"
    FOR = "for"


class Period(NamedTuple):
    """A stretch of the calendar that begins on `first`."""

    grain: TimeGrain
    first: date
    is_dated: bool
    """Whether its year was written."""
    is_sure: bool = True
    """False where day and month may be the other way round: then only the year is certain."""

    def to(self, grain: TimeGrain) -> Period:
        """The period of `grain` that holds its beginning; itself where it is as coarse already."""
        if grain is TimeGrain.WEEK and self.grain is TimeGrain.WEEK:
            return self._replace(first=_monday(self.first))
        if not is_finer(self.grain, grain):
            return self
        if not self.is_sure and is_finer(TimeGrain.DAY, grain):
            grain = TimeGrain.YEAR
        first = self.first
        match grain:
            case TimeGrain.WEEK:
                first = _monday(first)
            case TimeGrain.MONTH:
                first = first.replace(day=1)
            case TimeGrain.QUARTER:
                first = first.replace(month=(first.month - 1) // 3 * 3 + 1, day=1)
            case TimeGrain.YEAR:
                first = first.replace(month=1, day=1)
        return self._replace(grain=grain, first=first)


def _monday(day: date) -> date:
    return day - timedelta(days=min(day.weekday(), day.toordinal() - 1))


def near(written: date, month: int, day: int) -> date:
    """The day of that month and number that is nearest to `written`, as a reader takes it."""
    years = (year for year in (written.year - 1, written.year, written.year + 1) if 1 <= year <= 9999)
    return min((on(year, month, day) for year in years), key=lambda found: abs(found - written))


def on(year: int, month: int, day: int) -> date:
    """That day, or the month's last one where it has fewer days."""
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def _row(text: str) -> tuple[str, ...]:
    return tuple(text.split())


EN_MONTHS = _row("January February March April May June July August September October November December")
GENITIVE = {
    "uk": _row("січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня"),
    "ru": _row("января февраля марта апреля мая июня июля августа сентября октября ноября декабря"),
}
_LOCATIVE = {
    "uk": _row("січні лютому березні квітні травні червні липні серпні вересні жовтні листопаді грудні"),
    "ru": _row("январе феврале марте апреле мае июне июле августе сентябре октябре ноябре декабре"),
}
_ACCUSATIVE = {
    "uk": _row(
        "січень лютий березень квітень травень червень липень серпень вересень жовтень листопад грудень"
    ),
    "ru": _row("январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь"),
}
_INSTRUMENTAL = {
    "uk": _row(
        "січнем лютим березнем квітнем травнем червнем липнем серпнем вереснем жовтнем листопадом груднем"
    ),
    "ru": _row(
        "январём февралём мартом апрелем маем июнем июлем августом сентябрём октябрём ноябрём декабрём"
    ),
}
_QUARTERS: dict[str, dict[str, tuple[str, ...]]] = {
    "uk": {
        "g": ("першого", "другого", "третього", "четвертого"),
        "l": ("першому", "другому", "третьому", "четвертому"),
        "a": ("перший", "другий", "третій", "четвертий"),
        "i": ("першим", "другим", "третім", "четвертим"),
    },
    "ru": {
        "g": ("первого", "второго", "третьего", "четвёртого"),
        "l": ("первом", "втором", "третьем", "четвёртом"),
        "a": ("первый", "второй", "третий", "четвёртый"),
        "i": ("первым", "вторым", "третьим", "четвёртым"),
    },
}
_NOUNS: dict[str, dict[str, dict[str, str]]] = {
    "uk": {
        "quarter": {"g": "кварталу", "l": "кварталі", "a": "квартал", "i": "кварталом"},
        "year": {"g": "року", "l": "році", "a": "рік", "i": "роком"},
        "week": {"g": "тижня", "l": "тижні", "a": "тиждень", "i": "тижнем"},
    },
    "ru": {
        "quarter": {"g": "квартала", "l": "квартале", "a": "квартал", "i": "кварталом"},
        "year": {"g": "года", "l": "году", "a": "год", "i": "годом"},
        "week": {"g": "недели", "l": "неделе", "a": "неделю", "i": "неделей"},
    },
}
MONTH_FORMS = {
    language: {
        form: month
        for forms in (GENITIVE, _LOCATIVE, _ACCUSATIVE, _INSTRUMENTAL)
        for month, form in enumerate(forms[language], 1)
    }
    for language in ("uk", "ru")
}
"""Every form of a month's name, in small letters, to its number."""
_MONTHS: dict[str, Mapping[str, Sequence[str]]] = {
    "g": GENITIVE,
    "l": _LOCATIVE,
    "a": _ACCUSATIVE,
    "i": _INSTRUMENTAL,
}
_EN_QUARTERS = ("first", "second", "third", "fourth")


def name(period: Period, language: str, case: str = "g") -> str:
    """Its name. `case`: g(enitive), l(ocative), a(ccusative) or i(nstrumental); English has but one."""
    day = period.first
    if language == "en":
        return _english(period)
    year = f" {day.year} {_NOUNS[language]['year']['g']}" if period.is_dated else ""
    dated = f"{day.day} {GENITIVE[language][day.month - 1]}{year}"
    match period.grain:
        case TimeGrain.WEEK:
            return f"{_NOUNS[language]['week'][case]} {'від' if language == 'uk' else 'с'} {dated}"
        case TimeGrain.MONTH:
            return f"{_MONTHS[case][language][day.month - 1]}{year}"
        case TimeGrain.QUARTER:
            number = _QUARTERS[language][case][(day.month - 1) // 3]
            return f"{number} {_NOUNS[language]['quarter'][case]}{year}"
        case TimeGrain.YEAR:
            return f"{day.year} {_NOUNS[language]['year'][case]}"
    return dated


def _english(period: Period) -> str:
    day = period.first
    year = f" {day.year}" if period.is_dated else ""
    dated = f"{day.day} {EN_MONTHS[day.month - 1]}{year}"
    match period.grain:
        case TimeGrain.WEEK:
            return f"the week of {dated}"
        case TimeGrain.MONTH:
            return f"{EN_MONTHS[day.month - 1]}{year}"
        case TimeGrain.QUARTER:
            of = f" of {day.year}" if period.is_dated else ""
            return f"the {_EN_QUARTERS[(day.month - 1) // 3]} quarter{of}"
        case TimeGrain.YEAR:
            return str(day.year)
    return dated


def phrase(period: Period, relation: Relation, language: str, word: str) -> str:
    """The period with its preposition; `word` is the preposition that stood before it."""
    is_day = period.grain is TimeGrain.DAY
    if language == "en":
        match relation:
            case Relation.BARE:
                return name(period, "en")
            case Relation.AT:
                return f"{'on' if is_day else 'in'} {name(period, 'en')}"
            case Relation.UNTIL | Relation.BY:
                return f"{word} {'' if is_day else 'the end of '}{name(period, 'en')}"
        return f"{word} {name(period, 'en')}"
    return _slavic(period, relation, language, word)


def _slavic(period: Period, relation: Relation, language: str, word: str) -> str:
    is_day, is_uk = period.grain is TimeGrain.DAY, language == "uk"
    is_second = period.grain is TimeGrain.QUARTER and period.first.month == 4 and not is_uk
    case, lead = "g", word
    match relation:
        case Relation.FROM:
            lead = "з" if is_uk else "со" if is_second else "с"
        case Relation.UNTIL:
            lead = "до" if is_day else "до кінця" if is_uk else "до конца"
        case Relation.BY:
            lead = "к" if is_day else "к концу"
        case Relation.FOR:
            case = "g" if is_day else "a"
        case Relation.AT | Relation.BARE:
            case = "g" if is_day else "l"
            at = "на" if period.grain is TimeGrain.WEEK else "у" if is_uk else "во" if is_second else "в"
            lead = "" if is_day else at
    return f"{lead} {name(period, language, case)}".lstrip()


def stretch(one: Period, other: Period, language: str, *, is_between: bool, is_bare: bool) -> str:
    """Two different periods as a range."""
    if (
        one.is_dated
        and other.is_dated
        and one.first.year == other.first.year
        and one.grain is not TimeGrain.YEAR
    ):
        one = one._replace(is_dated=False)
    if language == "en":
        if is_between:
            return f"between {name(one, 'en')} and {name(other, 'en')}"
        return f"{'' if is_bare else 'from '}{name(one, 'en')} to {name(other, 'en')}"
    if is_between:
        link = "і" if language == "uk" else "и"
        word = "між" if language == "uk" else "между"
        return f"{word} {name(one, language, 'i')} {link} {name(other, language, 'i')}"
    return f"{phrase(one, Relation.FROM, language, '')} по {name(other, language, 'a')}"
