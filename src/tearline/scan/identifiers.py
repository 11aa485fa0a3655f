"""Identifiers in texts and in name rows: phones, e-mails, documents, coordinates, whatever their punctuation.

Each is brought to tags that do not depend on punctuation, script of look-alike letters or form of digits.
Phones are compared by their last nine digits: the longest national numbers without trunk and country
prefix (ITU-T E.164) of most countries of the languages that we scan.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from tearline.scan.fold import APOSTROPHES, latin_lookalike
from tearline.scan.values import Identity, Kind

_PHONE_DIGITS, _FEWEST_DIGITS, _MOST_GROUPS, _LONGEST = 9, 6, 10, 32
_GROUP = r"[^\W_]*\d[^\W_]*"
_MARKS = r"\-‐‑–—./#\"'«»„“”’"
_RUN = re.compile(
    rf"(?:(?<![^\W_])[^\W\d_]{{1,5}}[\s№{_MARKS}]{{1,3}}){{0,2}}{_GROUP}(?:[\s()_+{_MARKS}]{{1,3}}{_GROUP}){{0,40}}"
)
_WORD = re.compile(r"[^\W_]+")
_SIGN_AT = r"\s?(?:@|＠|[(\[{<]\s?(?:at|собака|а|ат)\s?[)\]}>])\s?"
_WORD_AT = r"\s(?:at|собака)\s"
_AT = rf"(?:{_SIGN_AT}|{_WORD_AT})"
_DOT = (
    r"(?:\s?[(\[{<]\s?(?:dot|точка|крапка|tečka|kropka|pika)\s?[)\]}>]\s?|\s(?:dot|точка|крапка)\s|\s?\.\s?)"
)
_EMAILS = tuple(
    re.compile(
        rf"(?P<user>[^\W_][\w+%\-]{{0,63}}(?:{_DOT}[\w+%\-]{{1,63}}){{0,4}})(?P<at>{at})"
        rf"(?P<host>[\w\-]{{1,63}}(?:{_DOT}[\w\-]{{1,63}}){{1,5}})",
        re.IGNORECASE,
    )
    for at in (_SIGN_AT, _WORD_AT)
)
_LOOSE = re.compile(r"\s\.\s?|\.\s")
_TAG = re.compile(r"\+[^@]*(?=@)")
_AT_SIGN, _DOT_SIGN = re.compile(_AT, re.IGNORECASE), re.compile(_DOT, re.IGNORECASE)
_MAYBE_EMAIL = re.compile(r"@|＠|[(\[{<\s](?:at|собака|ат)[)\]}>\s]", re.IGNORECASE)
_NUMBER = r"\d{1,3}[.,]\d{3,9}"
_SIDE = r"[NSEWnsew]|[Пп]н|[Пп]д|[Сс]х|[Зз]х|[Сс]\.?\s?ш|[Юю]\.?\s?ш|[Вв]\.?\s?д|[Зз]\.?\s?д"
_LABEL = r"(?:lat|latitude|lon|lng|long|longitude|шир|широта|довг|довгота|долг|долгота)\.?\s?[:=]?\s?"
_DECIMAL = re.compile(
    rf"(?:{_LABEL}|(?P<r>{_SIDE})\s?)?(?P<a>[-−+]?{_NUMBER})\s?°?\s?(?P<p>{_SIDE})?\.?[\s,;/]{{1,3}}"
    rf"(?:{_LABEL}|(?P<s>{_SIDE})\s?)?(?P<b>[-−+]?{_NUMBER})\s?°?\s?(?P<q>{_SIDE})?",
    re.IGNORECASE,
)
_SMALL = r"(\d{1,2}(?:[.,]\d{1,9})?)"
_ANGLE = rf"(\d{{1,3}})\s?[°º]\s?(?:{_SMALL}\s?['′’]\s?)?(?:{_SMALL}\s?(?:[\"″”]|''|’’)\s?)?({_SIDE})"
_SEXAGESIMAL = re.compile(rf"{_ANGLE}\.?[\s,;/]{{0,3}}{_ANGLE}")
_SOUTH_OR_WEST = re.compile(r"[SsWw]|[Пп]д|[Юю]|[Зз]х|[Зз]\.?\s?д")
_GRID = 1000


class Mention(NamedTuple):
    """An identifier in a text: its span, and the tags under which it is looked up."""

    start: int
    end: int
    tags: tuple[str, ...]


def tags_of(identity: Identity) -> frozenset[str]:
    """The tags of a name row; none where it is not an identifier but a name in words."""
    name, kind = identity.name, identity.kind
    if kind is Kind.EMAIL:
        return frozenset({_email(name)})
    if kind is Kind.PHONE:
        digits = _digits(name)
        return frozenset({_phone(digits)}) if len(digits) >= _FEWEST_DIGITS else frozenset()
    if kind in {Kind.PERSON, Kind.ORGANISATION, Kind.ALIAS}:
        return frozenset()
    spot = _spot(name)
    if spot:
        a, b = spot
        return frozenset(_grid(a + x, b + y) for x in (-1, 0, 1) for y in (-1, 0, 1))
    plain = _plain(name)
    if kind is Kind.DOCUMENT or (len(plain) >= 5 and any(c.isdigit() for c in plain)):
        return frozenset({"d:" + plain}) if len(plain) >= 4 else frozenset()
    return frozenset()


def mentions(text: str) -> Iterator[Mention]:
    """All that may be an identifier in a text. Linear in its length."""
    if _MAYBE_EMAIL.search(text):
        for pattern in _EMAILS:
            found = pattern.search(text)
            while found:
                yield from _addresses(found)
                found = pattern.search(text, found.end("at"))
    for pattern in (_DECIMAL, _SEXAGESIMAL):
        for match in pattern.finditer(text):
            spot = _spot(match[0])
            if spot:
                yield Mention(match.start(), match.end(), (_grid(*spot),))
    for match in _RUN.finditer(text):
        yield from _parts(match)


def _addresses(match: re.Match[str]) -> Iterator[Mention]:
    """An e-mail address: as found, and without what a full stop with a blank may part from it."""
    text, user, host = match.string, match.start("user"), match.start("host")
    firsts = [user, *(found.end() for found in _LOOSE.finditer(text, user, match.end("user")))]
    lasts = [match.end(), *(found.start() for found in _LOOSE.finditer(text, host, match.end("host")))]
    for first in firsts:
        for last in lasts:
            yield Mention(first, last, (_email(text[first:last]),))


def _parts(match: re.Match[str]) -> Iterator[Mention]:
    """Of a run of groups with digits, each row of neighbouring groups that is long enough."""
    groups = [(found.start(), found.end(), _plain(found[0])) for found in _WORD.finditer(match[0])]
    groups = [group for group in groups if group[2] not in _NUMBER_WORDS]
    base = match.start()
    for a in range(len(groups)):
        plain = ""
        for _, end, text in groups[a : a + _MOST_GROUPS]:
            plain += text
            if len(plain) > _LONGEST:
                break
            if len(plain) < 4 or not any(char.isdigit() for char in plain):
                continue
            tags = ["d:" + plain]
            if len(plain) >= _FEWEST_DIGITS and plain.isdigit():
                tags.append(_phone(plain))
            yield Mention(base + groups[a][0], base + end, tuple(tags))


def _phone(digits: str) -> str:
    return "p:" + digits[-_PHONE_DIGITS:]


def _digits(text: str) -> str:
    return "".join(str(unicodedata.digit(char)) for char in text if char.isdecimal())


def _plain(text: str) -> str:
    """Letters and digits only, upper case, look-alikes as Latin letters, digits as ASCII."""
    kept = (char for char in unicodedata.normalize("NFKC", text) if char.isalnum())
    plain = "".join(str(unicodedata.digit(char)) if char.isdecimal() else char for char in kept)
    return latin_lookalike(plain.lower()).upper()


def _email(text: str) -> str:
    text = unicodedata.normalize("NFKC", text.lower())
    text = _DOT_SIGN.sub(".", _AT_SIGN.sub("@", text, count=1))
    return "e:" + latin_lookalike(_TAG.sub("", "".join(text.split())).strip(".<>" + APOSTROPHES))


def _spot(text: str) -> tuple[int, int] | None:
    """Latitude and longitude in thousandths of a degree, or None."""
    found = _DECIMAL.search(text)
    if found:
        a, b = (float(found[k].replace(",", ".").replace("−", "-")) for k in "ab")
        sides = found["p"] or found["r"] or "", found["q"] or found["s"] or ""
    else:
        found = _SEXAGESIMAL.search(text)
        if not found:
            return None
        parts = [
            float(part.replace(",", ".")) if part else 0.0
            for part in (*found.groups()[:3], *found.groups()[4:7])
        ]
        a, b = (d + m / 60 + s / 3600 for d, m, s in (parts[:3], parts[3:]))
        sides = found[4], found[8]
    a, b = (-v if _SOUTH_OR_WEST.match(side) else v for v, side in zip((a, b), sides, strict=True))
    return (round(a * _GRID), round(b * _GRID)) if abs(a) <= 90 and abs(b) <= 180 else None


def _grid(a: int, b: int) -> str:
    return f"g:{a},{b}"


_NUMBER_WORDS = frozenset(map(_plain, ("no", "nr", "num", "номер", "ном", "число")))
"""What may stand between the letters and the digits of a document's number."""
