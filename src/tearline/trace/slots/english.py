"""English: dates, numbers, units, commas, and the order of two things without an order."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tearline.trace.slots.candidate import Candidate, words
from tearline.trace.terms import SlotKind

_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_LINKED_LEFT = re.compile(
    rf"(?:\d|(?:st|nd|rd|th)|{_MONTH})(?:\s*[,–—-]\s*|\s+(?:and|or|to|until|till|through)\s+)$|day,?\s$"
)
_LINKED_RIGHT = re.compile(
    rf"(?:\s*[–—-]|\s+(?:and|or|to|until|till|through))\s*(?:the\s+)?(?:\d|{_MONTH})|,?\s\d{{4}}\b"
)
_DIGIT = re.compile(r"\d")
_DATE = re.compile(
    rf"(?<![\w.,:/-])(?:(?P<d>[1-9]|[12]\d|3[01]) (?P<m>{_MONTH})(?: (?P<y>(?:19|20)\d\d))?"
    rf"|(?P<m2>{_MONTH}) (?P<d2>[1-9]|[12]\d|3[01])(?:, (?P<y2>(?:19|20)\d\d))?)(?![\w/:’'-]|[.,:]\d)"
)
_AFTER_DATE = re.compile(
    r"\s*(?:[.,;:)]|\Z)|\s(?:\(|(?:and|at|in|on|to|from|by|with|the|an?|was|were|is|are|has|have"
    r"|had|when|after|before|for"
    r"|of|near|through|via|he|she|it|they|we|its|his|her|their|as|but|which|who|that|together"
    r"|onwards?|there|two"
    r"|three|four|because|until|all|both|some|several|under|over|this|these|no|shows?|showed|did"
    r"|does|will|would"
    r"|may|can|could|said|told|while|where)\b)"
)

_NUMBER_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_HARMLESS = (
    r"(?:(?:[a-z]+ )?(?:days|weeks|months|years|nights|times|occasions|parts|stages|phases|pages|paragraphs"
    r"|rows|copies|questions|sentences|steps|shifts|storeys|floors|languages|instalments|points"
    r"|versions|companies"
    r"|platforms|ports|campaigns|clinics|articles|posts|sites|towns|villages|streets|rooms))"
)
_THINGS = (
    r"(?:(?:[a-z]+ )?(?:hours|minutes|crates|boxes|barrels|pallets|sacks|bags|tents|antennas|photographs"
    r"|photos|images|pictures|videos|letters|messages|accounts|domains|addresses|invoices|payments|transfers"
    r"|trips|journeys|visits|meetings|containers|lorries|trucks|wagons|trains|pumps|moulds|channels|groups"
    r"|tracks|rails|bridges|buildings|huts|sheds|halls|gates|cameras|servers|files|samples))"
)
"""One figure in a row of them would stand out if it were spelt out: so only where it is alone."""
_COUNTED = re.compile(rf"(?<![\w.,:/-])(?:\d[\d,]*|one|{'|'.join(_NUMBER_WORDS)}) [a-z]", re.IGNORECASE)
_SMALL = re.compile(
    rf"(?<![\w.,:/–—-])(?P<n>{'|'.join(_NUMBER_WORDS)}|[2-9]|1[0-2])(?= (?:{_HARMLESS}|(?P<t>{_THINGS}))\b)"
)
_RANGE_LEFT = re.compile(
    r"(?:\d|\b(?:one|"
    + "|".join(_NUMBER_WORDS)
    + r"))\s*(?:to|or|and|–|—|-|by)\s*$|(?:USD|EUR|chapter|section|article)\s$",
    re.IGNORECASE,
)

_THOUSANDS = re.compile(r"(?<![\w.,:/#-])(?P<n>\d{1,3}(?:,\d{3})+|[1-9]\d{3,8})(?= (?P<word>[a-z]+s)\b)")
_NAMED_LEFT = re.compile(
    r"(?:[A-Z]\w*|numbers?|train|flight|road|hill|account|route|room|unit|since|year)\s$"
)
_MATTERS = re.compile(
    r"(?:missile|rocket|round|shell|tank|gun|rifle|mine|drone|bomb|warhead|weapon|grenade"
    r"|aircraft|vehicle|troop"
    r"|soldier|fighter|prisoner|refugee|hostage|person|victim|death|casualt|dollar|euro|pound"
    r"|rouble|hryvnia)s?"
)

_UNITS = {
    "km": "kilometres",
    "m": "metres",
    "t": "tonnes",
    "kg": "kilograms",
    "GB": "gigabytes",
    "ha": "hectares",
}
_UNIT = re.compile(
    r"(?<![\w.,:/-])(?P<n>\d[\d,]*(?:\.\d+)?) (?P<u>"
    + "|".join([*_UNITS.values(), *_UNITS])
    + r")(?![\w/²³’'-])"
    r"(?=[,;:)]|\.?\s*\Z|\.\s|\s(?:from|to|of|in|on|off|by|and|or|wide|long|deep|high|away|apart"
    r"|inland|north|east|south"
    r"|west|below|above|behind|between|with|at|for|out|before|after|is|was|further|inside|outside|upstream"
    r"|downstream|down|along|across)\b)"
)
_UNIT_LEFT = re.compile(
    r"(?:\b(?:an?|the|this|that|each|every|its|their|one)|\d (?:[a-z]{1,2}|GB|[a-z]+s) (?:to|by|and|or))\s$"
)
_PERCENT = re.compile(r"(?<=\d)(?:%| percent\b| %| per cent\b)")

_CONJUNCTION = re.compile(r"(?P<s>,? (?:and|or))(?= (?P<next>[a-z0-9]\S*)(?: (?P<then>\w+))?)")
_ITEM = re.compile(r"[a-z0-9][\w’'-]*(?: [a-z0-9][\w’'-]*){0,4}\Z")
_NO_ITEM = words(
    "which who whom whose that is are was were has have had be been being he she it they we there not"
    " when while if because as and or but to will would can could may might must should also then this"
    " these those so than after before since until both either neither nor where whether said told"
)
_OPENING = words(
    "in on at after before when while if since as by for from during between of although though because"
    " with without under through to until once despite following given unlike apart besides"
)
_NO_THIRD = _NO_ITEM | words("the a an its his her their our my your all no then later thus therefore")
_CLAUSE = re.compile(r"[.;:()—–!?]")

_DAY = (
    rf"(?:\d{{1,2}} {_MONTH}(?: \d{{4}})?|{_MONTH} \d{{1,2}}(?:, \d{{4}})?|{_MONTH}(?: \d{{4}})?"
    r"|(?:19|20)\d\d)"
)
_OPENED = re.compile(
    rf"(?:(?:At|On|In|By|Since|Until|Before|After|During|Between|From)\b[^,;:.!?()]{{0,50}}?"
    rf"(?:(?:\d:\d\d[^,;.!?()]{{0,20}})(?:\([^()]{{1,20}}\))?[^,;:.!?()]{{0,20}}?)?\b{_DAY}"
    r"|(?:Initially|Recently|Currently|Presently|Previously|Formerly|Eventually|Today|Yesterday|Subsequently)"
    r"|(?:At present|At the moment|At first|In fact|In reality|By that time|As a result|In total)"
    r"|By then|On weekends|Since then|Until then|In recent (?:days|weeks|months|years)"
    r"|(?:Last|This|That) (?:week|month|year|day|evening|morning|night)|On [A-Z][a-z]+day)"
    r"(?P<s>,? )(?=(?:an?|the|two|three|four|five|six|all|some|several|both|his|her|its|their|he"
    r"|she|they|it|we"
    r"|this|these|police|no|one|each|many|most) )"
)
_CLAUSES = re.compile(r"(?<=[a-z\d])(?P<s>,? (?:and|but)) (?=(?:he|she|they|we) [a-z])")
_THAT = re.compile(
    r"(?<=[a-z] )(?<!said )(?<!says )(?P<w>that|which)"
    r"(?= (?:(?:is|are|was|were|has|have|had|may|can|could|will|would|does|do|did)"
    r" (?:not |been |be |also |now )?[a-z]+|(?:belongs?|contains?|includes?|serves?|measures?|carries|carried"
    r"|carry|imitates?|presents?|consists?|remains?|lies|lie|uses?|leads? to|begins?)\b))"
)
_NO_NOUN = words(
    "news idea belief evidence sign signs report reports condition order orders plan plans day time"
    " chance risk said say says told and but or if so because think thinks know knows all everything"
    " nothing anything something much only way now believe believes claim claims in on at by of for from"
    " to with about under into than as is are was were be been it those one ones after before shows show"
    " see sees fact mean means hope fear not asked ask clear true who certain sure likely possible"
    " probably such this then when where while out up over through during against"
)
_SOMEONE = re.compile(
    r"(?:(?:er|or|ist|ee|ian|ant)s?|m[ae]n|people|persons?|children|staff|youths?|guards?|crew)$"
)
_PER = re.compile(r"(?<=\d )(?:[a-z]+ ){1,2}(?P<w>an?|per) (?=(?:day|week|month|year|hour|minute|night)\b)")
_LOCAL = re.compile(
    r"(?<=\d:\d\d )local(?: time)?"
    r"(?=[,.;:)]|\Z| \(| (?:and|to|until|till) \d| (?:on|in|by|from|the|when|he|she|they|it) )"
)
_BUT = re.compile(
    r"(?<=[a-z\d])(?P<s>,? but) (?=(?:the|an?|no|there|it|this|these|most|some|two|three|its|his|her|their"
    r"|none|nobody|neither|many|few|one|several) )"
)
_NO_BUT = re.compile(r"\b(?:nothing|anything|all|none|no|everything|not|only|nobody|anyone|cannot|neither)\b")
_DASH = re.compile(r"(?<=[^\s\d] )[–—](?= [^\s\d])")
_TWO = re.compile(r"\b(?P<a>[a-z]{3,}) and (?P<b>[a-z]{3,})(?=[.,;:)]|\Z)")
_TWO_LEFT = re.compile(r"\b(?:of|for|with|against|including|mostly|mainly|chiefly|largely)\s$")
_NO_THING = re.compile(r".*(?:ing|ed|ly|ous|ful|able|ible|ical|ive|ish|less|est)\Z")
_BOUND = words(
    "back forth more less law order supply demand command control research development trial error up"
    " down search rescue pros cons terms conditions rules regulations odds ends men women boys girls"
    " ladies gentlemen land sea air food drink black white north south east west right left day night"
    " life limb flesh blood peace quiet bread butter nuts bolts new old big small others both then here"
    " there now later again above below each all first last some any none many few two three four five"
)


def propose(sentence: str) -> Iterator[Candidate]:
    """All that the rules find, in any order; they may overlap."""
    for rule in (_dates, _numbers, _units, _commas, _phrases, _dashes, _lists):
        yield from rule(sentence)


def _dates(s: str) -> Iterator[Candidate]:
    for m in _DATE.finditer(s) if _DIGIT.search(s) else ():
        before, after = s[max(0, m.start() - 24) : m.start()], s[m.end() : m.end() + 24]
        if _LINKED_LEFT.search(before) or _LINKED_RIGHT.match(after) or not _AFTER_DATE.match(after):
            continue
        if (m["y"] or m["y2"]) and re.match(r",? [a-z]", after):
            continue  # "on October 13, 2026 a column" would want another comma
        day, month, year = m["d"] or m["d2"], m["m"] or m["m2"], m["y"] or m["y2"]
        one = f"{day} {month}" + (f" {year}" if year else "")
        other = f"{month} {day}" + (f", {year}" if year else "")
        yield Candidate(*m.span(), SlotKind.DATE, "en.date", (one, other))


def _numbers(s: str) -> Iterator[Candidate]:
    for m in _SMALL.finditer(s):
        if m["t"] and len(_COUNTED.findall(s)) > 1:
            continue
        if m.start() and not _RANGE_LEFT.search(s, max(0, m.start() - 16), m.start()):
            number = int(m["n"]) if m["n"].isdigit() else _NUMBER_WORDS.index(m["n"]) + 2
            options = (_NUMBER_WORDS[number - 2], str(number))
            yield Candidate(*m.span(), SlotKind.NUMBER, "en.small-number", options)
    for m in _THOUSANDS.finditer(s):
        number = int(m["n"].replace(",", ""))
        if 1900 <= number < 2100 or _NAMED_LEFT.search(s, 0, m.start()) or _MATTERS.fullmatch(m["word"]):
            continue
        yield Candidate(*m.span(), SlotKind.NUMBER, "en.thousands", (str(number), f"{number:,}"))


def _units(s: str) -> Iterator[Candidate]:
    for m in _UNIT.finditer(s) if _DIGIT.search(s) else ():
        if m["n"] != "1" and not _UNIT_LEFT.search(s, max(0, m.start() - 24), m.start()):
            short = m["u"] if m["u"] in _UNITS else next(k for k, v in _UNITS.items() if v == m["u"])
            yield Candidate(*m.span("u"), SlotKind.ABBREVIATION, f"en.unit.{short}", (short, _UNITS[short]))
    for m in _PERCENT.finditer(s):
        options = (" %", " per cent") if m[0] in {" %", " per cent"} else ("%", " percent")
        yield Candidate(*m.span(), SlotKind.ABBREVIATION, "en.percent", options)


def _commas(s: str) -> Iterator[Candidate]:
    for m in _CONJUNCTION.finditer(s):
        word = m["s"].rpartition(" ")[2]
        if _is_series(s, m):
            yield Candidate(*m.span("s"), SlotKind.PUNCTUATION, "en.serial-comma", (f" {word}", f", {word}"))
    for m in _CLAUSES.finditer(s):
        word = m["s"].rpartition(" ")[2]
        yield Candidate(*m.span("s"), SlotKind.PUNCTUATION, "en.clause-comma", (f" {word}", f", {word}"))
    for m in _BUT.finditer(s):
        if not _NO_BUT.search(s, 0, m.start()):
            yield Candidate(*m.span("s"), SlotKind.PUNCTUATION, "en.but-comma", (" but", ", but"))
    if opened := _OPENED.match(s):
        yield Candidate(*opened.span("s"), SlotKind.PUNCTUATION, "en.opening-comma", (" ", ", "))


def _is_series(s: str, m: re.Match[str]) -> bool:
    """Whether what stands before `and` is a list of at least two things, and not an opening and a thing."""
    clause = _CLAUSE.split(s[: m.start()])[-1].strip()
    parts = clause.split(", ")
    if len(parts) < 2 or not _ITEM.match(parts[-1]) or _NO_ITEM & set(parts[-1].split()):
        return False
    if m["next"] in _NO_THIRD or (m["then"] or "") in _NO_ITEM:
        return False
    first = parts[0].split()
    if m["next"][0].isdigit() and parts[-1][0].isdigit() and any(c.isdigit() for c in parts[-2]):
        return True
    if len(first) < 3 or first[0].lower() in _OPENING or any(c.isdigit() for c in first[-1]):
        return False
    middle = parts[1:]
    clean = all(
        _ITEM.match(part) and not _NO_ITEM & set(part.split()) and not part.startswith(("a ", "an ", "the "))
        for part in middle
    )
    return clean and (
        len(middle) > 1 or (len(middle[0].split()) == 1 and first[-2] in _OPENING | {"including"})
    )


def _phrases(s: str) -> Iterator[Candidate]:
    for m in _THAT.finditer(s):
        before = s[: m.start()].rstrip().rpartition(" ")[2]
        if before.isalpha() and before not in _NO_NOUN and not _SOMEONE.search(before):
            yield Candidate(*m.span("w"), SlotKind.SYNONYM, "en.that-which", ("that", "which"))
    for m in _LOCAL.finditer(s):
        yield Candidate(*m.span(), SlotKind.ABBREVIATION, "en.local-time", ("local", "local time"))
    for m in _PER.finditer(s):
        article = "an" if s.startswith("hour", m.end()) else "a"
        if m["w"] in {article, "per"}:
            yield Candidate(*m.span("w"), SlotKind.SYNONYM, "en.per", (article, "per"))


def _dashes(s: str) -> Iterator[Candidate]:
    found = list(_DASH.finditer(s))
    # Two of them enclose something: they must stay alike.
    for m in found if len(found) == 1 else ():
        yield Candidate(*m.span(), SlotKind.PUNCTUATION, "en.dash", ("–", "—"))


def _lists(s: str) -> Iterator[Candidate]:
    for m in _TWO.finditer(s):
        one, other = sorted((m["a"], m["b"]))
        bare = not any(word in _BOUND or _NO_THING.match(word) for word in (one, other))
        if bare and one != other and _TWO_LEFT.search(s, max(0, m.start() - 12), m.start()):
            options = (f"{one} and {other}", f"{other} and {one}")
            yield Candidate(*m.span(), SlotKind.LIST, "en.two-things", options)
