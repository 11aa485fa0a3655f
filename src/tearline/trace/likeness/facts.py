"""What a translation keeps: figures, dates, times, coordinates, indicators and proper names, each by a key.

Keys do not depend on language or notation. Where a notation can be read in two ways (`1,200`) there is a
key for each. Hemispheres, time zones and signs are left out, for translators and retypers lose them.

`prior` is how often a report that has nothing to do with another may be expected to hold the same fact; it
counts while the index is too small to tell (see `features`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from tearline.scan.fold import fold
from tearline.scan.words import skeletons, text_readings
from tearline.trace.likeness import numerals
from tearline.trace.likeness.words import Hashes, Words


class Fact(NamedTuple):
    """Code points of the repaired text, and what stands there."""

    start: int
    end: int
    key: str
    prior: float


_MONTHS_TEXT = """
jan january січень січня січні январь января январе
feb february лютий лютого лютому февраль февраля феврале
mar march березень березня березні март марта марте
apr april квітень квітня квітні апрель апреля апреле
may травень травня травні май мая мае
jun june червень червня червні июнь июня июне
jul july липень липня липні июль июля июле
aug august серпень серпня серпні август августа августе
sep sept september вересень вересня вересні сентябрь сентября сентябре
oct october жовтень жовтня жовтні октябрь октября октябре
nov november листопад листопада листопаді ноябрь ноября ноябре
dec december грудень грудня грудні декабрь декабря декабре
"""
_MONTHS = {
    word: number for number, line in enumerate(_MONTHS_TEXT.strip().split("\n"), 1) for word in line.split()
}
_UNITS_TEXT = """
km км kilomet кіломет километ
m м metre meter метр
nm морськ морск nautical
t т ton tonne тонн
kg кг kilogram кілограм килограмм
l л litre liter літр литр
h hour год час годин часов часа
min minute хв хвилин мин минут
s sec second секунд
d day дн дні днів дней дня день діб доб сут суток
w week тиж тижн недел
mon month міс місяц мес месяц
y year рок рік років лет года
% percent відсот процент
usd долл дол dollar долар доллар
eur euro євро евро
mhz мгц
ghz ггц
kv кв
"""
_UNITS = {word: line.split()[0] for line in _UNITS_TEXT.strip().split("\n") for word in line.split()}
_UNITS_BY_STEM = {word: unit for word, unit in _UNITS.items() if len(word) >= 3}

_DOT = r"(?:\.|\[\.\]|\(\.\)|\[?dot\])"
_HOST = rf"(?:[A-Za-z0-9_-]{{1,63}}{_DOT}){{1,6}}[A-Za-z]{{2,24}}"
_CHUNK = re.compile(r"[A-Za-z0-9_.+\[\]()@-]{5,320}")
_IN_CHUNK = re.compile(r"\d|[^.][.@(\[]+[^.]")
_INDICATOR = re.compile(
    rf"(?<![\w.@-])(?:(?P<ip>(?:\d{{1,3}}{_DOT}){{3}}\d{{1,3}})(?!\d)|(?P<cve>CVE-\d{{4}}-\d{{3,7}})"
    rf"|(?P<mail>[\w.+-]{{1,64}}@(?={_HOST}))?(?P<host>{_HOST})(?![\w-])"
    r"|(?P<hash>(?=[a-f]{0,127}\d)(?=\d{0,127}[a-f])[0-9a-f]{6,128})(?!\w))",
    re.IGNORECASE,
)
_MGRS = re.compile(r"(?<!\w)\d{1,2}[C-HJ-NP-X]\s?[A-HJ-NP-Z]{2}\s?\d{2,5}\s?\d{2,5}(?!\w)")
_SIDE = r"(?:[NSEWnsew](?!\w)|пн|пд|сх|зх|[сю]\.\s?ш|[вз]\.\s?д)"
_DEGREES = re.compile(
    rf"(?<![\w.,])(\d{{1,3}}(?:[.,]\d{{2,8}})?)\s?(?:[°º]\s?(?:(\d{{1,2}}(?:[.,]\d{{1,6}})?)\s?['′’]\s?"
    rf"(?:(\d{{1,2}}(?:[.,]\d{{1,6}})?)\s?(?:[\"″”]|\'\'|’’))?)?|(?<=[.,]\d\d\d\d)\s?{_SIDE})"
)
_PAIR = re.compile(r"(?<![\w.,])(\d{1,3}\.\d{3,8})\s?[,;]\s?-?(\d{1,3}\.\d{3,8})(?![\w.])")
_ISO = re.compile(r"(?<![\w-])(\d{4})-(\d\d)-(\d\d)(?:T(?=\d))?(?![\d-])")
_DOTTED = re.compile(r"(?<![\w./])(\d{1,2})([./])(\d{1,2})\2(\d{4})(?!\w)")
_NTH = r"(?:st|nd|rd|th|-?го|-е)?"
_YEAR = r"(?:,?\s+(\d{4})(?!\d))?"
_DAY_MONTH = re.compile(
    rf"(?<![\w.,:])(\d{{1,2}})(?:{_NTH}(?:\s?[-–—]\s?|\s(?:and|та|і|и)\s)(\d{{1,2}}))?"
    rf"{_NTH}\s+(?:of\s+)?([^\W\d_]{{3,9}})(?!\w)\.?{_YEAR}"
)
_MONTH_DAY = re.compile(rf"(?<=\s)(?:(\d{{1,2}})(?!\d)(?![:.]\d){_NTH}(?!\w){_YEAR}|(\d{{4}})(?!\w))")
_MONTH_BEFORE = re.compile(r"(?<!\w)([^\W\d_]{3,9})\.?,?\s{1,3}$")
_CLOCK = re.compile(
    r"(?<![\d:.,])([01]?\d|2[0-3])(?::([0-5]\d)(?::[0-5]\d)?(?![\d:])(?:\s?([ap])\.?\s?m\b\.?)?"
    r"|(?:[.]([0-5]\d))?\s?([ap])\.?m\b\.?)",
    re.IGNORECASE,
)
_ZULU = re.compile(r"(?<!\w)([01]\d|2[0-3])([0-5]\d)\s?(?:Z|hrs|UTC|GMT)(?!\w)")
_SPOKEN = re.compile(
    r"(?<![\d:.,])([01]?\d|2[0-3])\s?(?:год|ч|час\w{0,3}|годин\w?)\.?\s?([0-5]?\d)\s?(?:хв|мин)\w{0,6}"
)
_NUMBER = re.compile(
    r"(?<![\d.,])\d{1,3}(?:[ \u00a0\u202f\u2009]\d{3})+(?:[.,]\d{1,9})?(?!\d)"
    r"|(?<![\d.,])\d{1,3}(?:,\d{3})+\.\d{1,9}(?!\d)|(?<![\d.,])\d{1,3}(?:\.\d{3})+,\d{1,9}(?!\d)"
    r"|\d{1,18}(?:[.,]\d{1,18})*"
)
_AFTER = re.compile(r"[ \u00a0-]{0,2}(?:([^\W\d_]{1,14})|(%))")
_DIGIT, _BLANKS = re.compile(r"\d"), re.compile(r"[ \u00a0\u202f\u2009]")


def facts(words: Words) -> list[Fact]:
    """All facts of a text, in no order. Linear; total."""
    found = [*_names(words), *_numerals(words)]
    left = _without_indicators(words.text, found)
    digit = _DIGIT.search(left)
    while digit:
        digit = _DIGIT.search(left, _figure_at(left, digit.start(), found))
    return found


def _figure_at(text: str, at: int, found: list[Fact]) -> int:
    """Add what the digit at `at` begins, and tell where that ends."""
    for pattern, read in _READERS:
        match = pattern.match(text, at)
        keys = read(match) if match else []
        if match and keys:
            found.extend(Fact(at, match.end(), key, prior) for key, prior in keys)
            return match.end()
    return _number(text, at, found)


def _without_indicators(text: str, found: list[Fact]) -> str:
    """The text with its indicators blanked out, for their digits are no figures."""
    pieces: list[str] = []
    done = 0
    for chunk in _CHUNK.finditer(text):
        if _IN_CHUNK.search(chunk[0]):
            for match in _INDICATOR.finditer(text, chunk.start(), chunk.end()):
                found.extend(Fact(match.start(), match.end(), key, prior) for key, prior in _indicator(match))
                pieces += (text[done : match.start()], "\x00" * len(match[0]))
                done = match.end()
    return "".join(pieces) + text[done:] if done else text


_Read = Callable[[re.Match[str]], list[tuple[str, float]]]


def _indicator(match: re.Match[str]) -> list[tuple[str, float]]:
    whole = re.sub(_DOT, ".", match[0].lower())
    keys = [(f"i:{whole}", 0.0005)]
    if match["mail"]:
        keys.append(("i:" + whole.partition("@")[2], 0.001))
    return keys


def _grid(match: re.Match[str]) -> list[tuple[str, float]]:
    return [("i:" + "".join(match[0].split()).lower(), 0.0005)]


def _degrees(match: re.Match[str]) -> list[tuple[str, float]]:
    d, m, s = (float((part or "0").replace(",", ".")) for part in match.groups())
    angle = d + m / 60 + s / 3600
    if angle > 180 or (match[2] is None and d == int(d)):
        return []  # a bearing, or a temperature
    return [_angle(angle)]


def _pair(match: re.Match[str]) -> list[tuple[str, float]]:
    a, b = float(match[1]), float(match[2])
    return [_angle(a), _angle(b)] if a <= 90 and b <= 180 else []


def _angle(value: float) -> tuple[str, float]:
    return f"g:{value:.2f}", 0.001


def _date(day: str, month: int, year: str | None) -> list[tuple[str, float]]:
    number = int(day)
    if not (1 <= month <= 12 and 1 <= number <= 31):
        return []
    keys = [(f"d:{month}-{number}", 0.02)]
    if year:
        keys.append((f"d:{year}-{month}-{number}", 0.01))
    return keys


def _iso(match: re.Match[str]) -> list[tuple[str, float]]:
    return _date(match[3], int(match[2]), match[1])


def _dotted(match: re.Match[str]) -> list[tuple[str, float]]:
    one, other = match[1], match[3]
    keys = _date(one, int(other), match[4])
    if match[2] == "/" and one != other:  # American
        keys += _date(other, int(one), match[4])
    return keys


def _day_month(match: re.Match[str]) -> list[tuple[str, float]]:
    month = _MONTHS.get(match[3].lower())
    if not month:
        return []
    return [key for day in match.group(1, 2) if day for key in _date(day, month, match[4])]


def _month_day(match: re.Match[str]) -> list[tuple[str, float]]:
    before = _MONTH_BEFORE.search(match.string, max(match.start() - 13, 0), match.start())
    month = _MONTHS.get(before[1].lower()) if before else None
    if not month:
        return []
    return [(f"d:{match[3]}-{month}", 0.03)] if match[3] else _date(match[1], month, match[2])


def _clock(match: re.Match[str]) -> list[tuple[str, float]]:
    hour, *rest = match.groups()
    minute, half, other, late = rest if len(rest) > 1 else (rest[0], None, None, None)
    half = (half or late or "").lower()
    return [
        _time(int(hour) % 12 + (12 if half == "p" else 0) if half else int(hour), int(minute or other or 0))
    ]


def _time(hour: int, minute: int) -> tuple[str, float]:
    return f"t:{hour:02}{minute:02}", 0.03 if minute % 30 == 0 else 0.01


_READERS: tuple[tuple[re.Pattern[str], _Read], ...] = (
    (_DAY_MONTH, _day_month),
    (_CLOCK, _clock),
    (_DEGREES, _degrees),
    (_MONTH_DAY, _month_day),
    (_ISO, _iso),
    (_DOTTED, _dotted),
    (_PAIR, _pair),
    (_ZULU, _clock),
    (_SPOKEN, _clock),
    (_MGRS, _grid),
)


def _number(text: str, at: int, found: list[Fact]) -> int:
    match = _NUMBER.match(text, at)
    if not match:
        return at + 1
    end = match.end()
    after = _AFTER.match(text, end)
    word = (after[1] or after[2]).lower() if after else ""
    scale = numerals.SCALES.get(word, 1)
    if scale > 1 and after:
        end = after.end()
        after = _AFTER.match(text, end + (text[end : end + 1] == "."))
        word = (after[1] or after[2]).lower() if after else ""
    unit = _unit(word)
    for value in _values(match[0]):
        found.extend(_figure(at, end, value * scale, unit))
    return end


def _numerals(words: Words) -> Iterator[Fact]:
    """Numbers in words: each row of neighbouring numerals is one."""
    k = 0
    known = _numeral_hashes()
    near = np.minimum(np.searchsorted(known, words.hashes), len(known) - 1)
    for first in (known[near] == words.hashes).nonzero()[0].tolist():
        if first < k:
            continue
        row, last = [_lower(words.word(first))], first
        if row[0] not in numerals.NUMERALS:
            continue
        for k in range(first + 1, len(words)):
            word = _lower(words.word(k))
            if words.starts[k] - words.ends[k - 1] != 1 or not (numerals.follows(word) or word == "and"):
                break
            if word != "and":
                row.append(word)
                last = k
        k = last + 1
        is_one = first > 0 and _lower(words.word(first - 1)) in numerals.ONE
        if len(row) > 1 or row[0] not in numerals.SCALES or is_one:
            unit = _unit(_lower(words.word(k))) if k < len(words) else ""
            yield from _figure(int(words.starts[first]), int(words.ends[last]), numerals.value(row), unit)


@cache
def _numeral_hashes() -> Hashes:
    return np.sort(Words(" ".join(numerals.NUMERALS)).hashes)


LARGEST = 1e18


def _figure(start: int, end: int, value: float, unit: str) -> Iterator[Fact]:
    if value > LARGEST:  # a row of digits without end is no figure
        return
    shown, prior = f"{value:.12g}", _prior(value)
    yield Fact(start, end, f"n:{shown}", prior)
    if unit:
        yield Fact(start, end, f"n:{shown}{unit}", prior / 4)


def _prior(value: float) -> float:
    if value != int(value):
        return 0.03
    if value <= 12 or 1980 <= value <= 2035:
        return 0.3
    return 0.1 if value <= 100 or value % 100 == 0 else 0.03


def _values(shown: str) -> list[float]:
    """What a number with separators may be: a blank parts thousands, a comma or a point may."""
    plain = _BLANKS.sub("", shown)
    marks = [char for char in plain if not char.isdecimal()]
    if not marks:
        return [float(plain)]
    parts = re.split(r"[.,]", plain)
    if len(marks) == 1:
        out = [float(".".join(parts))]
        if plain == shown and len(parts[1]) == 3 and len(parts[0]) <= 3 and parts[0] != "0":
            out.append(float("".join(parts)))
        return out
    if marks[-1] != marks[0] and len(set(marks)) == 2:
        return [float("".join(parts[:-1]) + "." + parts[-1])]
    if len(set(marks)) == 1 and all(len(part) == 3 for part in parts[1:]):
        return [float("".join(parts))]
    return [float(part) for part in parts]  # a version, a paragraph


@lru_cache(maxsize=1 << 12)
def _unit(word: str) -> str:
    found = _UNITS.get(word)
    if found or len(word) < 4:
        return found or ""
    return next((_UNITS_BY_STEM[word[:n]] for n in range(len(word), 2, -1) if word[:n] in _UNITS_BY_STEM), "")


def _names(words: Words) -> Iterator[Fact]:
    """Words with a capital, under the consonants that languages keep when they borrow a name."""
    for k in words.upper.nonzero()[0].tolist():
        word = words.word(k)
        for key in _name_keys(word):
            yield Fact(int(words.starts[k]), int(words.ends[k]), f"w:{key}", 0.2 if len(key) < 3 else 0.05)


@lru_cache(maxsize=1 << 16)
def _name_keys(word: str) -> tuple[str, ...]:
    folded = fold(word)
    if len(word) < 3 or folded in _MONTHS or any(map(str.isdigit, word)) or not any(map(str.isupper, word)):
        return ()
    found = skeletons(text_readings(folded, is_name=True))
    return tuple(key for key in found if len(key) >= 2 and key.isascii())[:4]


@lru_cache(maxsize=1 << 16)
def _lower(word: str) -> str:
    return word.lower().replace("’", "'").replace("ʼ", "'")
