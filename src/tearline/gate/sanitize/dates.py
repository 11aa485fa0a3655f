"""Dates and periods, and their coarser names.

To each point belongs what stands on its left: a preposition, a weekday, a part of the day, the first half of
a range. The whole is written anew from the coarsened period.
"""

from __future__ import annotations

import re
from datetime import date

from tearline.gate.sanitize.periods import Period, Relation, is_finer, name, on, phrase, stretch
from tearline.gate.sanitize.points import DAY, LINK, NTH, TH, Point, points
from tearline.gate.sanitize.seams import GAP, capital, close, starts_sentence
from tearline.scan.pattern import compiled
from tearline.vault.source import TimeGrain

_I = re.IGNORECASE
_PARTIAL = compiled(rf"(?<![\w.:])(?P<d>{DAY})(?:{TH}|{NTH})(?P<link>{LINK})(?:the\s+)?\Z", _I)
_LISTED = compiled(rf"(?<![\w.:])(?P<d>{DAY})(?:{TH}|{NTH})(?P<link>,\s*)\Z", _I)
_WEEK = compiled(
    r"(?<!\w)(?:the\s+)?(?:week\s+(?:of|beginning|starting|commencing)(?:\s+on)?|тиж(?:день"
    r"|н[яіюі]|нем)\s+(?:від|з)|недел[яиею]й?\s+(?:с|от))\s+\Z",
    _I,
)
_WEEKDAY_NAME = (
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|понеділ(?:ок|ка|ком)|вівтор(?:ок|ка|ком)"
    r"|серед[аиуо]ю?|четвер(?:га?|гом)?"
    r"|п['’ʼ]?ятниц[яіюе]ю?|субот[аиуо]ю?|неділ[яіюе]ю?|понедельник(?:а|ом)?|вторник(?:а|ом)?"
    r"|сред[аыуо]й?|четверг(?:а|ом)?"
    r"|пятниц[аыуе]й?|суббот[аыуо]й?|воскресень[еяю]м?)"
)
_WEEKDAY = compiled(rf"(?<!\w)(?:(?:on|у|в|во|об)\s+)?{_WEEKDAY_NAME},?\s+\Z", _I)
_EVENING = (
    r"(?:(?:early|late|mid)[\s-]+)?(?:morning|afternoon|evening|night|night-time|dawn|dusk|midday"
    r"|noon|midnight|small hours|hours)"
)
_PART = compiled(
    rf"(?<!\w)(?:(?:(?:early|late)\s+)?(?:in|on|during|at)\s+(?:the\s+)?{_EVENING}\s+(?:of|on)\s+(?:the\s+)?"
    r"|(?:(?:рано|пізно|поздно|пізнього|раннього)\s+)?(?:вранці|зранку|уранці|удень|вдень"
    r"|увечері|ввечері|вночі|уночі|пополудні|опівдні"
    r"|опівночі|на світанку|утром|днём|днем|вечером|ночью|пополудни|на рассвете|у ніч на"
    r"|в ніч на|в ночь на|(?:у|в) (?:полдень|полночь)),?\s+)\Z",
    _I,
)
_PART_AFTER = compiled(
    rf"\s*,?\s+(?:in the {_EVENING}|at (?:night|dawn|dusk|noon|midnight|midday|sunrise|sunset)"
    r"|(?:(?:рано|пізно|поздно)\s+)?(?:вранці|зранку|уранці|удень|вдень|увечері|ввечері|вночі"
    r"|уночі|пополудні|опівдні|опівночі|на світанку"
    r"|утром|днём|днем|вечером|ночью|пополудни|на рассвете))\b",
    _I,
)
_QUALIFIER = compiled(
    r"(?<!\w)(?:(?:(?:in|at)\s+)?(?:the\s+)?(?:early|mid|late|beginning of|middle of|end of"
    r"|first half of|second half of)[\s-]+"
    r"|(?:на початку|в начале|у середині|в середині|посеред|в середине|наприкінці|в кінці"
    r"|у кінці|в конце)\s+)\Z",
    _I,
)
_RELATIONS = [
    (Relation.UNTIL, r"(?P<w>until|till|by|before|through|up to|to|no later than)\s+(?:the\s+end\s+of\s+)?"),
    (Relation.UNTIL, r"(?P<w>до)\s+(?:(?:кінця|конца)\s+)?"),
    (Relation.BY, r"(?P<w>к|ко)\s+(?:концу\s+)?"),
    (Relation.FROM, r"(?P<w>from|since|after|starting|з|із|зі|с|со|після|после)\s+(?:on\s+)?"),
    (Relation.FOR, r"(?P<w>на|за|по|під|под)\s+"),
    (
        Relation.OF,
        r"(?P<w>of|for|around|about|circa|dated|during|throughout|from about|від|от|близько"
        r"|около|біля|протягом|впродовж|упродовж|течение"
        r"|не пізніше|не позднее|between|між|между)\s+",
    ),
    (Relation.AT, r"(?P<w>on|in|at|у|в|во)\s+"),
]
_LEFT = [(relation, compiled(rf"(?<!\w){pattern}(?:the\s+)?\Z", _I)) for relation, pattern in _RELATIONS]
_THE = compiled(r"(?<!\w)the\s+\Z", _I)
_WINDOW = 48
_LOWER_WORD = {"after": "from", "starting": "from", "before": "by"}


def _left(pattern: re.Pattern[str], text: str, at: int, floor: int) -> re.Match[str] | None:
    return pattern.search(text, max(floor, at - _WINDOW), at)


class _Mention:
    """A point, or a range of two, with what belongs to it on its left and right."""

    def __init__(self, text: str, one: Point, other: Point | None, floor: int, grain: TimeGrain) -> None:
        self.text, self.floor, self.grain = text, floor, grain
        self.start, self.end, self.language = one.start, (other or one).end, one.language
        self.first, self.last = one.period, other.period if other else None
        self.link = text[one.end : other.start].strip().lower() if other else ""
        self.is_loose = False
        """Whether a part of the day, a weekday or the like is taken away with it."""
        self._widen()

    def _widen(self) -> None:
        text, grain = self.text, self.grain
        if self.last is None and self.first.grain is TimeGrain.DAY:
            self._take_first_half()
        is_week = self.last is None and self._take(_WEEK)
        if is_week:
            self.first = _as_week(self.first)
        if not is_finer(grain, TimeGrain.DAY):
            if is_finer(TimeGrain.DAY, grain) and self.first.grain is TimeGrain.DAY:
                self.is_loose |= self._take(_WEEKDAY)
            self.is_loose |= self._take(_PART)
            if after := _PART_AFTER.match(text, self.end):
                self.end, self.is_loose = after.end(), True
        self.relation, self.word = Relation.BARE, ""
        for relation, pattern in _LEFT:
            if found := _left(pattern, text, self.start, self.floor):
                self.relation, self.word, self.start = relation, found["w"].lower(), found.start()
                if is_week and self.word == "на":
                    self.relation = Relation.AT
                return
        if not is_finer(grain, TimeGrain.MONTH) and self._take(_QUALIFIER):
            self.is_loose, self.relation = True, Relation.AT
        elif self.is_loose:
            self.relation = Relation.AT

    def _take(self, pattern: re.Pattern[str]) -> bool:
        found = _left(pattern, self.text, self.start, self.floor)
        if found:
            self.start = found.start()
        return found is not None

    def _take_first_half(self) -> None:
        """ "9 to" of "9 to 12 October", "3, 4 and" of "3, 4 and 6 October"."""
        pattern, whole = _PARTIAL, self.first
        while found := _left(pattern, self.text, self.start, self.floor):
            self.link = self.link or found["link"].strip().lower()
            earlier = on(whole.first.year, whole.first.month, int(found["d"]))
            self.first, self.last = whole._replace(first=earlier), whole
            self.start, pattern = found.start(), _LISTED

    @property
    def text_now(self) -> str | None:
        """What it becomes; `None` where it stays as it is."""
        first = self.first.to(self.grain)
        last = self.last.to(self.grain) if self.last else None
        if first == self.first and last == self.last and not self.is_loose:
            return None
        word = _LOWER_WORD.get(self.word, self.word)
        if last is None or _same(first, last):
            if last is not None and (
                self.relation in {Relation.FROM, Relation.OF} or word in {"between", "між", "между"}
            ):
                relation = Relation.AT
            else:
                relation = self.relation
            period = last or first
            return phrase(period, relation, self.language, word)
        is_between = word in {"between", "між", "между"}
        if self.relation is Relation.AT and self.link in {
            "and",
            "or",
            "і",
            "й",
            "та",
            "и",
            "або",
            "чи",
            "или",
        }:
            return (
                f"{phrase(first, Relation.AT, self.language, word)} {self.link}"
                f" {name(last, self.language, 'l')}"
            )
        is_bare = self.language == "en" and self.relation in {Relation.BARE, Relation.OF, Relation.AT}
        return stretch(first, last, self.language, is_between=is_between, is_bare=is_bare)


def _as_week(day: Period) -> Period:
    """The week that begins on a day; of days without a year one that is a Monday, if there is one near."""
    years = (0,) if day.is_dated else (0, -1, 1)
    firsts = [
        on(min(max(day.first.year + years_on, 1), 9999), day.first.month, day.first.day) for years_on in years
    ]
    return day._replace(grain=TimeGrain.WEEK, first=next((f for f in firsts if f.weekday() == 0), day.first))


def _same(one: Period, other: Period) -> bool:
    return one.grain == other.grain and one.first == other.first


_WEEKDAY_ALONE = compiled(
    rf"(?<!\w)(?:on|у|в|во)\s+(?:the\s+)?{_WEEKDAY_NAME}(?:\s+(?:morning|afternoon|evening|night"
    r"|вранці|увечері|ввечері|вночі|удень|вдень|утром|днём|днем|вечером|ночью))?(?!\w)",
    _I,
)


def coarsen_dates(text: str, grain: TimeGrain, language: str, written: date) -> tuple[str, int]:
    """`text` with every date and period at least as coarse as `grain`; and how many were changed.

    `language` (`en`, `uk`, `ru`) is that of dates in figures; `written` gives the year where none is written.
    """
    if is_finer(grain, TimeGrain.DAY):
        return text, 0
    pieces: list[str] = []
    done = changed = 0
    found = points(text, language, written)
    at = 0
    while at < len(found):
        one, other = found[at], found[at + 1] if at + 1 < len(found) else None
        if other is None or not re.fullmatch(rf"{LINK}(?:the\s+)?", text[one.end : other.start], _I):
            other = None
        mention = _Mention(text, _of_year(one, other), other, done, grain)
        at += 1 if other is None else 2
        new = mention.text_now
        if new is None:
            continue
        changed += 1
        is_head = starts_sentence(text, mention.start) or (
            mention.start < one.start and text[mention.start].isupper()
        )
        pieces += (text[done : mention.start], capital(new) if is_head else new)
        done = mention.end
    text = "".join((*pieces, text[done:]))
    if is_finer(TimeGrain.DAY, grain):
        text, dropped = _WEEKDAY_ALONE.subn(GAP, text)
        changed += dropped
    return close(text), changed


def _of_year(one: Point, other: Point | None) -> Point:
    """The first of a range has the year of the second, or the one before, where it has none."""
    if other is None or one.period.is_dated or not other.period.is_dated:
        return one
    last, first = other.period.first, one.period.first
    first = on(last.year, first.month, first.day)
    if first > last:
        first = on(max(1, last.year - 1), first.month, first.day)
    return one._replace(period=one.period._replace(first=first))
