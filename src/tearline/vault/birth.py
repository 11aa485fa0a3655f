"""Birth dates, found in the ways that texts write them: figures in either order, months by name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date

from tearline.scan import Disposition, Hit
from tearline.vault.source import RowKind, Source

_NAMES = """
january jan січень січня январь января янв януари styczeń stycznia leden ledna januar januarja
february feb лютий лютого февраль февраля фев февруари luty lutego únor února februar februarja
march mar березень березня март марта мар marzec marca březen března marec
april apr квітень квітня апрель апреля апр април kwiecień kwietnia duben dubna aprila
may травень травня май мая maj maja květen května
june jun червень червня июнь июня июн юни czerwiec czerwca červen června junij junija
july jul липень липня июль июля июл юли lipiec lipca červenec července julij julija
august aug серпень серпня август августа авг sierpień sierpnia srpen srpna avgust avgusta
september sep sept вересень вересня сентябрь сентября сен сент септември wrzesień września září septembra
october oct жовтень жовтня октябрь октября окт октомври październik października říjen října oktober oktobra
november nov листопад листопада ноябрь ноября ноя ноември listopad listopada novembra
december dec грудень грудня декабрь декабря дек декември grudzień grudnia prosinec prosince decembra
"""
_MONTHS = {name: at for at, line in enumerate(_NAMES.strip().splitlines(), 1) for name in line.split()}

_WORD, _YEAR = r"([^\W\d_]{3,12})\.?", r"(\d{4})(?!\d)"
_DAY_FIRST = re.compile(rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th|-?го|\.)?\s+(?:of\s+)?{_WORD},?\s+{_YEAR}", re.I)
_MONTH_FIRST = re.compile(rf"(?<!\w){_WORD}\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+{_YEAR}", re.I)
_FIGURES = re.compile(r"(?<!\d)(\d{1,2})\s?([./-])\s?(\d{1,2})\s?\2\s?(\d{4}|\d\d)(?!\d)")
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})([./-]?)(\d\d)\2(\d\d)(?!\d)")

Day = tuple[int, int, int]
"""Year, month, day. A year below 100 stands for that year of any century."""


class BirthDates:
    """The birth dates of sources."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._born: dict[Day, set[str]] = defaultdict(set)
        for source in sources:
            for row in source.rows:
                if row.kind is RowKind.BIRTH_DATE:
                    born = date.fromisoformat(row.text)
                    for year in (born.year, born.year % 100):
                        self._born[year, born.month, born.day].add(source.cryptonym)

    def scan(self, text: str) -> Iterator[Hit]:
        """A date alone is not one person's: every hit is for an officer to judge."""
        if self._born:
            for start, end, days in _days(text):
                for cryptonym in set().union(*(self._born.get(day, ()) for day in days)):
                    yield Hit(start, end, cryptonym, 1.0, Disposition.REVIEW, "birth-date")


def _days(text: str) -> Iterator[tuple[int, int, set[Day]]]:
    """What may be a date: its span, and the days that it may mean."""
    for found in _DAY_FIRST.finditer(text):
        yield *found.span(), {(int(found[3]), _MONTHS.get(found[2].lower(), 0), int(found[1]))}
    for found in _MONTH_FIRST.finditer(text):
        yield *found.span(), {(int(found[3]), _MONTHS.get(found[1].lower(), 0), int(found[2]))}
    for found in _FIGURES.finditer(text):
        one, other, year = int(found[1]), int(found[3]), int(found[4])
        yield *found.span(), {(year, other, one), (year, one, other)}
    for found in _YEAR_FIRST.finditer(text):
        yield *found.span(), {(int(found[1]), int(found[3]), int(found[4]))}
