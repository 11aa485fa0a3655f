"""The reviewed lexicons: pairs of wordings that say the same, with what must stand beside them.

A file of `trace/data` a language. A line is an entry: `id: left = right; left = right | next <number>`;
several pairs under one id are the forms of one word. `[kind]` heads a section, `#` begins a comment.
Conditions: `prev`, `prev!`, `next`, `next!` with words or classes (`CLASSES`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from tearline.scan.pattern import compiled
from tearline.terms import BadInput
from tearline.trace.slots.candidate import words
from tearline.trace.terms import SlotKind

LANGUAGES = ("en", "uk", "ru")
TOKEN = compiled(r"[^\W_]+(?:[’'ʼ.,:\-][^\W_]+)*|[^\w\s]|_+")
VOWELS = frozenset("aeiouаеєиіїоуюяёыэ")
_FIGURE = compiled(r"\d+(?:[.,]\d+)*\Z")
_MANY = compiled(r"(?:\d{1,3}(?:[ \u00a0\u202f]\d{3})+|\d*(?:[05-9]|1[1-4]))\Z")

_MONTHS = words(
    "january february march april may june july august september october november december"
    " січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня"
    " января февраля марта апреля мая июня июля августа сентября октября ноября декабря"
)

_ADJECTIVE = ("ий", "ый", "ой", "ая", "ое", "ые", "ие", "ого", "их", "ых", "о")
_INFINITIVE = ("ать", "ять", "еть", "ить", "уть", "ыть", "ться", "сти", "йти", "чь")
_NO_INFINITIVE = words(
    "печать память сеть путь нить суть помощь ночь речь область рать пять шесть десять новости части"
)
_ASKS = words(
    "відомо невідомо зрозуміло незрозуміло ясно знає знають знав знали питання питанні те того"
    " тому тим тих ті сказав"
    " сказали вказав показує показали пояснив пояснила розповів розповіла залежить визначити"
    " визначає з'ясувати"
    " з’ясувати дізнатися дізнатись бачити важливо перевірити подивитися і та або але що як чи"
)
_TIME = compiled(r"(?:секунд|минут|час|сут|дн|день|недел|месяц|год|лет)")

CLASSES: dict[str, Callable[[str, str], bool]] = {
    "<start>": lambda token, _: not token,
    "<mark>": lambda token, _: bool(token) and not token[0].isalnum(),
    "<stop>": lambda token, _: not token or token in {".", ";", ":", ")", ",", "!", "?"},
    "<word>": lambda token, _: token[:1].isalpha(),
    "<capital>": lambda token, _: token[:1].isupper(),
    "<number>": lambda token, _: bool(_FIGURE.match(token)),
    "<many>": lambda token, _: bool(_MANY.match(token)),
    "<day>": lambda token, further: _is_day(token, further) or _is_day(further, token),
    "<span>": lambda token, further: token.isdigit() and bool(_TIME.match(further)),
    "<relative>": lambda mark, further: mark == "," and further.lower() not in _ASKS,
    "<vowel-end>": lambda token, _: token[-1:].lower() in VOWELS,
    "<ing>": lambda token, _: token.endswith("ing") and len(token) > 5,
    "<inf>": lambda token, _: token.endswith(("ти", "тися", "тись")),
    "<inf-ru>": lambda token, _: token.endswith(_INFINITIVE) and token not in _NO_INFINITIVE,
    "<adj>": lambda token, _: token.endswith(_ADJECTIVE),
}
"""By the token beside the slot and the one behind that; no token is the empty text.

`<many>`: a number that asks for the genitive plural. `<relative>`: a comma behind which a clause may belong
to the noun before it. By the ending: `<inf>` (Ukrainian), `<inf-ru>` and `<adj>` (Russian).
"""


def _is_day(number: str, month: str) -> bool:
    return number.isdigit() and month.lower() in _MONTHS


class Pair(NamedTuple):
    """Two wordings, in small letters but for what is always written in capitals, and their conditions."""

    entry: str
    kind: SlotKind
    options: tuple[str, str]
    conditions: tuple[tuple[bool, bool, frozenset[str]], ...]
    """Each: whether it is of the token before, whether it forbids, and its words and classes."""


Index = dict[str, list[tuple[str, Pair]]]
"""By the first token of a wording: the wordings that begin so, the longest first."""


@cache
def pairs(language: str) -> tuple[Pair, ...]:
    """All pairs of a language, in the order of its file. Raises `BadInput` at a line that is none."""
    name = f"{language}.txt"
    text = files("tearline.trace").joinpath("data", name).read_text("utf-8")
    return parse(text, name, language)


def parse(text: str, name: str, language: str) -> tuple[Pair, ...]:
    """The pairs of a lexicon. Raises `BadInput`."""
    kind, found, known = SlotKind.SYNONYM, list[Pair](), set[str]()
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.partition("#")[0].strip()
        if not line:
            continue
        if line.startswith("["):
            if line.strip("[]") not in set(SlotKind):
                raise BadInput(name, f"line {number}", "it heads no kind of slot", "write `[synonym]`")
            kind = SlotKind(line.strip("[]"))
            continue
        entry, colon, rest = line.partition(": ")
        body, *clauses = (part.strip() for part in rest.split("|"))
        forms = [tuple(form.strip() for form in pair.split(" = ")) for pair in body.split(";")]
        conditions = tuple(_condition(clause) for clause in clauses)
        if not colon or any(len(form) != 2 or form[0] == form[1] for form in forms) or None in conditions:
            raise BadInput(name, f"line {number}", "it is no entry", "write `id: one = other | next words`")
        if entry in known:
            raise BadInput(name, f"line {number}", "its id stands twice", "choose another id")
        known.add(entry)
        for one, other in forms:
            given = tuple(condition for condition in conditions if condition)
            found.append(Pair(f"{language}.{entry}", kind, (one, other), given))
    return tuple(found)


def _condition(clause: str) -> tuple[bool, bool, frozenset[str]] | None:
    where, *listed = clause.split()
    known = all(word in CLASSES for word in listed if word.startswith("<"))
    if where.rstrip("!") not in {"prev", "next"} or not listed or not known:
        return None
    return where.startswith("prev"), where.endswith("!"), frozenset(listed)


@cache
def index(language: str) -> Index:
    """The wordings of a language by their first token."""
    made: Index = {}
    for pair in pairs(language):
        for option in pair.options:
            first = TOKEN.match(option.lower())
            if first is not None:
                made.setdefault(first[0], []).append((option, pair))
    for wordings in made.values():
        wordings.sort(key=lambda wording: -len(wording[0]))
    return made


def holds(pair: Pair, before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether its conditions hold between two tokens on either side, the nearest first."""
    for is_before, forbids, listed in pair.conditions:
        token, further = before if is_before else after
        met = token.lower() in listed or any(
            CLASSES[name](token, further) for name in listed if name in CLASSES
        )
        if met is forbids:
            return False
    return True
