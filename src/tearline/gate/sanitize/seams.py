"""Closes what a removal leaves open: no gap, no doubled space, no empty bracket, no number that skips."""

from __future__ import annotations

import re
from itertools import count

from tearline.scan.pattern import compiled

GAP = "\ue000"
"""Stands where something was removed, until `close` has closed the gap. Never in a text that goes out."""

_DOTTED = (
    "mr mrs ms dr prof gen col maj capt lt sgt st no vs approx etc fig cf ca"
    " див см ст ім им тел вул ул просп пл буд обл р рр г гг н э е т тзв напр тис тыс млн млрд км"
    " м с д гр тов проф ген полк"
)
_ABBREVIATIONS = frozenset(_DOTTED.split())
_OPENERS = rf"[\s{GAP}«“\"„‘'(\[*_>#•–—-]*"
_NUMBER = r"\(?\d{1,3}(?:\.\d{1,3})*[.)]"
_START = compiled(rf"(?:(?:\A|\n)\s*(?:{_NUMBER}\s+)?|(?P<word>[^\W\d_]*)[.!?…]+[»”\"’)\]]*\s+){_OPENERS}\Z")
_REACH = 60


def starts_sentence(text: str, at: int) -> bool:
    """Whether a sentence begins at `at`, told by what stands before it alone."""
    base = max(0, at - _REACH)
    before = text[base:at] if base == 0 else "x" + text[base:at]
    found = _START.search(before)
    if found is None:
        return False
    word = found["word"]
    return not word or (len(word) > 1 and word.lower() not in _ABBREVIATIONS)


def capital(text: str) -> str:
    """With a capital first letter, whatever signs stand before it."""
    for at, char in enumerate(text):
        if char.isalnum():
            return text[:at] + char.upper() + text[at + 1 :]
    return text


_STEPS = [
    (compiled(rf"{GAP}(?:[ \t]*[,;]?[ \t]*{GAP})+"), GAP),
    (compiled(rf"[ \t]*[(\[][ \t]*{GAP}[ \t,;:]*[)\]]"), GAP),
    (compiled(rf"([(\[])[ \t]*{GAP}[ \t,;:–—-]*"), r"\1"),
    (compiled(rf"[ \t,;:–—-]*{GAP}[ \t]*([)\]])"), r"\1"),
    (compiled(rf"{GAP}(?:[ \t]*[,;]?[ \t]*{GAP})+"), GAP),
    (compiled(rf"[ \t]*,[ \t]*{GAP}[ \t]*,[ \t]*"), " "),
]
_HOLLOW = compiled(rf"(\A|\n|[.!?…][»”\"’)\]]*(?=[ \t])|(?<=[:]))[ \t]*{GAP}[ \t]*[.!?…;:]+")
_DANGLING = compiled(rf"[ \t]*[,;:–—-]?[ \t]*{GAP}[ \t]*([.!?…;:])")
_LOOSE = compiled(rf"{GAP}[ \t]*")
_LEADING = compiled(r"[,;:–—-]?[ \t]*")
_TIDY = [
    (compiled(r"\[\s*(?:\.\.\.|…|redacted|вилучено|изъято|xxx+)\s*\]|[█▇■]+", re.IGNORECASE), " "),
    (compiled(r"\([ \t,;]*\)|\[[ \t,;]*\](?!\()"), " "),
    (compiled(r"(?<=\S)[ \t\u00a0\u2007\u202f]{2,}(?=\S)"), " "),
    (compiled(r"(?<=[^\s(\[«“„])[ \t]+(?=[,;.!?…](?:[\s)\]»”]|\Z))"), ""),
    (compiled(r"(?<=[(\[«“„])[ \t]+(?=\S)|(?<=\S)[ \t]+(?=[)\]»])"), ""),
    (compiled(r",(?:[ \t]*,)+"), ","),
    (compiled(r"(?<=[\w)\]])[ \t]*,[ \t]*(?=[.!?;:](?:\s|\Z))"), ""),
    (compiled(r"[ \t]+$", re.MULTILINE), ""),
    (compiled(r"\n{3,}"), "\n\n"),
]


def close(text: str) -> str:
    """`text` without its gaps; the letter after a gap at the beginning of a sentence becomes a capital."""
    if GAP not in text:
        return text
    for pattern, new in _STEPS:
        text = pattern.sub(new, text)
    text = _DANGLING.sub(r"\1", _HOLLOW.sub(r"\1", text))
    pieces: list[str] = []
    done = 0
    for found in _LOOSE.finditer(text):
        pieces.append(text[done : found.start()])
        done = found.end()
        if starts_sentence(text, found.start()) and (lead := _LEADING.match(text, done)):
            done = lead.end() + 1
            pieces.append(text[lead.end() : done].upper())
        else:
            pieces.append(" ")
    return tidy("".join((*pieces, text[done:])))


def tidy(text: str) -> str:
    """Without doubled spaces, empty brackets, commas before a full stop, and marks of an omission."""
    for pattern, new in _TIDY:
        text = pattern.sub(new, text)
    return text.strip()


# --- numbers and references -------------------------------------------------------------------------

_HEAD = compiled(rf"\A\s*{_NUMBER}[ \t]+(?!\d{{1,2}}\.\s?\d{{2,4}})")
_ITEM = compiled(r"^([ \t]*\(?)(\d{1,3})([.)][ \t]+)(?!\d{1,2}\.\s?\d{2,4})", re.MULTILINE)
_NESTED = compiled(r"^([ \t]*)\(?\d{1,3}(?:\.\d{1,3})+[.)]?[ \t]+(?=[^\W\d_])", re.MULTILINE)

_PLACE = (
    r"(?:paragraphs?|paras?|section|portion|item|point|абзац[а-яіїє]*|пункт[а-яіїє]*|пп?"
    r"|розділ[а-яіїє]*|раздел[а-яё]*"
    r"|параграф[а-яіїє]*)\b\.?|§"
)
_NUMBERED = (
    rf"(?:{_PLACE})\s*(?:\(\d{{1,3}}\)|\d{{1,3}}(?:\.\d{{1,3}})*)(?:\s*(?:,|[-–—]|and|to|та|і|и"
    rf"|й)\s*\d{{1,3}}(?![\d.,:/]*\d|\s*[%°\w]))*"
)
_ASIDE = r"(?:\s+(?:above|below|of this report|вище|нижче|выше|ниже|цього звіту|этого отчёта|этого отчета))?"
_LEAD = (
    r"(?:(?:see|cf\.?|compare|refer to|див\.|дивись|дивіться|пор\.|см\.|смотри(?:те)?"
    r"|ср\.)\s+(?:also\s+|також\s+|также\s+)?(?:in\s+|у\s+|в\s+)?"
    r"|(?:as|як|как)\s+[\w-]+(?:\s+[\w-]+)?\s+(?:in|у|в)\s+|(?:described|mentioned|named"
    r"|reported|stated)\s+in\s+"
    r"|(?:вказан|зазначен|згадан|описан|указанн|упомянут|описанн)[а-яіїєё]+\s+(?:у|в)\s+)"
)
_REFERENCE = compiled(rf"(?<!\w)(?:{_LEAD})(?:the\s+)?(?:{_NUMBERED}){_ASIDE}", re.IGNORECASE)
_LEFT = compiled(rf"(?<!\w)(?:{_NUMBERED})", re.IGNORECASE)


def renumber(text: str) -> str:
    """Without the number that the text begins with; the lists in it are counted anew from 1."""
    text = _NESTED.sub(r"\1", _HEAD.sub("", text, count=1))
    counters: dict[tuple[str, str], count[int]] = {}

    def numbered(found: re.Match[str]) -> str:
        head, _, tail = found.groups()
        return f"{head}{next(counters.setdefault((head, tail.strip()), count(1)))}{tail}"

    return _ITEM.sub(numbered, text)


def unrefer(text: str) -> tuple[str, int]:
    """Without references such as "see paragraph 3"; and how many they were."""
    text, n = _REFERENCE.subn(GAP, text)
    return close(text), n


def references(text: str) -> list[tuple[int, int]]:
    """References to numbered paragraphs that are a part of their sentence and so are left."""
    return [found.span() for found in _LEFT.finditer(text)]
