"""Where a text may be varied at all: blocks of prose, their sentences, and within them what stays closed.

Closed are marks, headings, code, tables, quotations, indicators, STIX ids and patterns, coordinates, times,
amounts of money, call signs, the words for a masked source, and what is said on handling or by law.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

Span = tuple[int, int]


class Block(NamedTuple):
    """A run of lines of prose, without its mark, number and label: `text` begins at `start`."""

    start: int
    text: str


_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_REST = re.compile(r"\s*$")
_NO_PROSE = re.compile(r"\s{0,3}#|\s*[|>]|\s*<|\s*([-*_=])(?:\s*\1){2,}\s*$|\s*[—–]\s")
_INDENTED = re.compile(r"\t| {4}")
_BANNER = re.compile(r"\s*(?://|TLP:)?[A-Z][A-Z0-9/ ,:+\-]*$|\s*//[A-Z0-9/ ,:+\-]*$")
_KEY = re.compile(
    r"\s*(?:title|назва|название|date|дата|originator|орган|організація|организация|topics|теми|темы"
    r"|regions|регіони|регионы|discipline|вид розвідки|вид разведки|language|мова|язык|id"
    r"|marking|classification|гриф|sources|джерела|источники)\s*:(?:\s|$)",
    re.IGNORECASE,
)
_BULLET = re.compile(r"\s*(?:[-*+•]|\(?\d{1,3}(?:\.\d{1,3})*[.)]|\([A-Z/][A-Z0-9/ ,:+\-]*\))\s")
_HEAD = re.compile(
    r"\s*(?:\([A-Z/][A-Z0-9/ ,:+\-]*\)\s+)*(?:(?:[-*+•]|\(?\d{1,3}(?:\.\d{1,3})*[.)])\s+)?"
    r"(?P<label>[A-ZА-ЯЁІЇЄҐ][A-ZА-ЯЁІЇЄҐ ]+:\s+)?"
)
_CLOSED_LABEL = re.compile(
    r"(?:SOURCES?|HANDLING|CAVEATS?|DISSEMINATION|DISTRIBUTION|(?:WARNING )?NOTICE|LEGAL|COPYRIGHT|DISCLAIMER"
    r"|ДЖЕРЕЛ[ОА]|ИСТОЧНИКИ?|ПОВОДЖЕННЯ|ПОШИРЕННЯ|ЗАСТЕРЕЖЕННЯ|ОБРАЩЕНИЕ|РАСПРОСТРАНЕНИЕ|ОГОВОРКА)\b"
)

_LEGAL_SIGNS = (
    *("this report", "this document", "this product", "this information", "pass", "forward", "distribut"),
    *("disseminat", "disclos", "releas", "shar", "caveat", "originator", "copyright", "licen", "third"),
    *("need-to-know", "handling", "цей ", "звіт дозволено", "поширюва", "розголош", "третім", "обмеження"),
    *("авторськ", "без згоди", "без дозволу", "этот ", "разреша", "распространя", "разглаш", "третьим"),
    *("авторск", "без согласия", "без разрешения"),
)
"""One of these is in every text that `_LEGAL` finds something in."""
_LEGAL = re.compile(
    r"this (?:report|document|product|information)\b.{0,60}\b(?:may|must|shall|is|are|on)\b"
    r"|\b(?:pass|forward|distribut|disseminat|disclos|releas|shar)\w*\b.{0,60}\b"
    r"(?:within your|without|only|permission|consent|authori[sz]\w+|third part\w+|originator)"
    r"|\b(?:caveat|originator|copyright|licen[cs]e terms|third.party|need.to.know|handling)\w*\b"
    r"|цей (?:звіт|документ|матеріал)|звіт дозволено|поширюва\w+|розголош\w+|третім (?:особам|сторонам)"
    r"|обмеження\w* доступу|авторськ\w+ прав\w+|без (?:згоди|дозволу)"
    r"|этот (?:отч[её]т|документ|материал)|отч[её]т разреша\w+|распространя\w+|разглаш\w+"
    r"|третьим (?:лицам|сторонам)|авторск\w+ прав\w+|без (?:согласия|разрешения)",
    re.IGNORECASE | re.DOTALL,
)
_QUOTED = re.compile(r"[“”„«»‹›\"‘’']")
_QUOTES = re.compile(
    r"“[^“”]*(?:[”“]|\Z)|„[^„“”\"]*(?:[“”\"]|\Z)|«(?:[^«»]|«[^«»]*»)*(?:»|\Z)|‹[^‹›]*(?:›|\Z)"
    r"|(?<!\d)\"[^\"]*(?:\"|\Z)|(?<!\w)‘[^‘’]*(?:’\w[^‘’]*)*(?:’(?!\w)|\Z)"
    r"|(?<!\w)'[^'\n]*(?:'\w[^'\n]*)*'(?!\w)"
)
_CLOCK_WORDS = r"(?:Z\b|UTC|local time|hours|hrs|за \w+ часом|по \w+ времени)"
_ZONE = r"(?:Z\b|UTC|hours|hrs)"
_MONEY = r"(?:USD|EUR|GBP|UAH|RUB|CHF|BTC|US\$|[$€£₴₽])"
_CLOSED: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (("`",), re.compile(r"`+[^`]*`+")),
    (("[",), re.compile(r"!?\[[^\]]*\](?:\([^)\s]*\))?")),  # links, STIX patterns
    (("<",), re.compile(r"<[^<>\s][^<>]*>")),
    (("(",), re.compile(r"\((?://|TLP:|[A-Z]+//)[^()]*\)|\((?:U|C|S|TS|R|NU|NC|NS)\)")),  # marks
    (("°",), re.compile(r"[-−]?\d[\d.,′'″\"\s]{0,20}°[^\n;)]{0,24}?(?:[NSEW]\b|ш\.|д\.)")),
    ((":",), re.compile(rf"\d{{1,2}}:\d\d(?:\s?{_ZONE})?")),
    (("hours", "local", "UTC", "часом", "времени"), re.compile(rf"\d{{1,2}}\.?\d\d\s?{_CLOCK_WORDS}")),
    (
        ("USD", "EUR", "GBP", "UAH", "RUB", "CHF", "BTC", "$", "€", "£", "₴", "₽"),
        re.compile(rf"{_MONEY}\s?\d[\d.,]*(?:\s\d{{3}})*|\d[\d.,]*\s?{_MONEY}"),
    ),
    (("№", "No.", "IMO", "MMSI"), re.compile(r"(?:№|No\.|IMO|MMSI)\s*\d\S*")),
    (
        ("call", "code", "позив", "позыв"),
        re.compile(r"\b(?:call ?signs?|code ?names?d?|позивн\w+|позывн\w+)\s+\S+"),
    ),
    # What stands for a masked source (`gate/sanitize/descriptors`).
    (
        (" source",),
        re.compile(
            r"\b(?:an?|another|a further|a different|yet another) source\b(?: with (?:[a-z]+ ){0,4}access)?",
            re.I,
        ),
    ),
    (
        ("жерел",),
        re.compile(
            r"\b(?:(?:інше|ще одне|окреме|стороннє) )?джерел\w*(?: [іи]?з (?:\w+ ){0,3}доступом)?", re.I
        ),
    ),
    (
        ("сточник",),
        re.compile(
            r"\b(?:(?:другой|ещё один|отдельный|сторонний) )?источник\w*(?: с (?:\w+ ){0,3}доступом)?", re.I
        ),
    ),
)
"""What to look for, with what must be in a text that has it."""
_CHUNK = re.compile(r"\S+")
_SIGN = re.compile(
    r"[@\\_={}|#^~/]|[^\s\d]:\S|\d\.\d+\.\d|[A-Za-z]{2,}\.[A-Za-z]{2,}|[^\W\d_]-?\d"
    r"|\d(?!(?:st|nd|rd|th)\b)-?[A-Za-z]"
)
"""What no word has: addresses, hashes, ids, paths, file names, units with a stroke."""
_END = re.compile(r"[.!?…]+[)\]»”\"']*(?=\s+[\"«“„(]*[A-ZА-ЯЁІЇЄҐ\d])|[.!?…]+[)\]»”\"']*\s*\Z")
_ABBREVIATED = re.compile(
    r"(?:\b[A-ZА-ЯЁІЇЄҐ]|\b(?:approx|No|Mr|Mrs|Ms|Dr|Maj|Capt|Col|Lt|Gen|Sgt|Prof|St|e\.g|i\.e|cf|vs|ca|Fig"
    r"|дол|долл|тис|тыс|млн|млрд|вул|ул|ім|им|гр|напр|проф|ген|полк|просп|пл|обл|ст|пн|пд|см|бл|ок|км))\.$"
)
_YEAR_ABBREVIATED = re.compile(r"\d{4}\s[рг]\.$")


def blocks(text: str) -> Iterator[Block]:
    """The runs of prose; a bullet, a numbered line or a mark begins a new one."""
    fence, start, at = "", -1, 0
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if mark and (not fence or mark[1] == fence):
            fence = "" if fence else mark[1]
        inside = not (mark or fence or _REST.match(line) or _is_no_prose(line, start >= 0))
        if start >= 0 and (not inside or _BULLET.match(line)):
            yield from _block(text, start, at)
            start = -1
        if inside and start < 0:
            start = at
        at += len(line)
    if start >= 0:
        yield from _block(text, start, at)


def _is_no_prose(line: str, within: bool) -> bool:
    if not within and _INDENTED.match(line):
        return True
    return any(pattern.match(line) for pattern in (_NO_PROSE, _BANNER, _KEY))


def _block(text: str, start: int, end: int) -> Iterator[Block]:
    head = _HEAD.match(text, start, end)
    if head is None or (head["label"] and _CLOSED_LABEL.match(head["label"])):
        return
    yield Block(head.end(), text[head.end() : end].rstrip())


def closed(block: str) -> list[Span]:
    """The spans of a block that no slot may touch."""
    found = [match.span() for match in _QUOTES.finditer(block)] if _QUOTED.search(block) else []
    for signs, pattern in _CLOSED:
        if any(sign in block for sign in signs):
            found += [match.span() for match in pattern.finditer(block)]
    if _SIGN.search(block):
        found += [chunk.span() for chunk in _CHUNK.finditer(block) if _SIGN.search(chunk[0])]
    return found


def closed_across(block: str) -> list[Span]:
    """The spans that may go over the ends of sentences: quotations, code, brackets."""
    found = [match.span() for match in _QUOTES.finditer(block)] if _QUOTED.search(block) else []
    for signs, pattern in _CLOSED[:3]:
        if signs[0] in block:
            found += [match.span() for match in pattern.finditer(block)]
    return found


def sentences(block: str) -> Iterator[Span]:
    """The sentences of a block, but for those on handling or by law."""
    start, lower = 0, block.lower()
    is_legal = any(sign in lower for sign in _LEGAL_SIGNS)
    for end in ends(block):
        while start < end and block[start].isspace():
            start += 1
        if start < end and not (is_legal and _LEGAL.search(block, start, end)):
            yield start, end
        start = end


def ends(block: str) -> Iterator[int]:
    """Where its sentences end."""
    last = len(block.rstrip())
    for match in _END.finditer(block):
        dot, end = match.start() + 1, match.end()
        if end < last:
            before, follows = block[max(0, dot - 12) : dot], block[end : end + 4].lstrip()[:1]
            if _ABBREVIATED.search(before) or (follows.isdigit() and _YEAR_ABBREVIATED.search(before)):
                continue
            yield end
    if last:
        yield last
