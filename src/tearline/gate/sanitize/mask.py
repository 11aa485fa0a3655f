"""Masks: each identity found gives way to its source's descriptor, with all that belongs to the name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from tearline.gate.sanitize.seams import GAP, capital, close, starts_sentence
from tearline.scan import Disposition, Hit
from tearline.scan.pattern import compiled

_I = re.IGNORECASE
_TITLES = (
    "mr mrs ms miss mx dr doctor prof professor sir lady lord rev reverend father gen general"
    " lieutenant lt colonel col major maj captain"
    " capt sergeant sgt corporal cpl private pvt admiral adm commander cmdr commodore brigadier"
    " marshal warrant petty officer chief"
    " engineer agent president minister director ambassador senator judge comrade citizen senior"
    " junior first second"
)
_STEMS = (
    "пан пані господин господж гражданин гражданк громадянин громадянк товариш товарищ тов"
    " доктор професор профессор генерал полковник"
    " підполковник подполковник майор капітан капитан лейтенант сержант солдат рядов рядови"
    " прапорщик старшин адмірал адмирал інженер"
    " инженер директор міністр министр президент командир агент мічман мичман маршал полицейск"
    " поліцейськ старш молодш младш головн главн"
)
_TITLE = (
    r"(?:(?:" + "|".join(sorted(_TITLES.split(), key=len, reverse=True)) + r")(?:[- ]general)?\.?"
    r"|(?:д-р|гр|г|п|ген|полк|проф|лейт|серж)\.?|д-р[ау]?|г-н[ауом]{0,2}|г-ж[аеиуой]{1,2}"
    r"|(?:" + "|".join(sorted(_STEMS.split(), key=len, reverse=True)) + r")[а-яіїєё]{0,4}(?:-[а-яіїєё]+)?\.?)"
)
_LABEL = (
    r"(?:(?:mobile|phone|tel|telephone|e-?mail|passport|call\s?sign|callsign|codename|nickname"
    r"|alias|тел|телефон|паспорт|позивний|позывной"
    r"|прізвисько|кличка|прозвищ[ею]|псевдо|псевдонім|псевдоним)(?:\s(?:no|number|номер))?[.:]*"
    r"|№|a\.?k\.?a\.?)"
)
_BEFORE = compiled(rf"(?<![\w-])(?:{_TITLE}|{_LABEL})[ \t\u00a0]+\Z", _I)
_ARTICLE = compiled(r"(?<!\w)(?:the|an?)[ \t\u00a0]+\Z", _I)
_INITIALS = compiled(r"(?<![\w.])(?:[A-ZА-ЯІЇЄҐЁ]\.[ \t\u00a0]?-?){1,3}\Z")
_INITIALS_AFTER = compiled(r",?[ \t\u00a0]+(?:[A-ZА-ЯІЇЄҐЁ]\.[ \t\u00a0]?){1,3}(?=[\s,;:)]|\Z)(?<=\.)")
_AFTER = compiled(
    r",?[ \t\u00a0]+(?:(?:Jr|Sr)\b\.?|I{2,3}\b"
    r"|(?:[A-ZА-ЯІЇЄҐЁ][\w’'ʼ-]+[ \t\u00a0]+)?[A-ZА-ЯІЇЄҐЁ][\w’'ʼ-]*(?:ович|евич|йович|івн|ївн"
    r"|овн|евн|ovych|yovych|ovich|evich|ivna|yivna|ovna|evna)[а-яіїє]{0,3}(?!\w))"
)
_TOKEN = compiled(
    r"(?:mailto:|tel:|https?://|www\.)\S+|(?<![\w.+%-])[\w.+%-]{1,100}@[\w.-]{1,100}\w|@[\w.]{1,100}\w"
    r"|(?<![\w.-])[\w.-]{1,100}\.(?:com|net|org|ua|ru|info|example)(?![\w-])(?:/\S*)?",
    _I,
)
_MARKDOWN = compiled(r"!?\[[^\[\]\n]*\]\([^()\s]*\)")
_BRACKETS = compiled(r"\([^()\n]*\)|\[[^\[\]\n]*\]")
_QUOTED = compiled(r"“[^“”\n]*”|„[^„“”\n]*[“”]|«[^«»\n]*»|\"[^\"\n]*\"|‘[^‘’\n]*’|(?<!\w)'[^'\n]*'(?!\w)")
_MARK = r"(?:[*_~`]+|</?[A-Za-z][^<>\n]{0,80}>)"
_MARKUP, _MARKUP_BEFORE = compiled(_MARK), compiled(rf"{_MARK}\Z")
_REST_BEFORE = compiled(rf"(?:[^\W_]{{1,60}}(?:{_MARK}|[’'ʼ])?|[A-ZА-ЯІЇЄҐЁ][^\W_]{{0,60}}[-‐‑])\Z")
_REST_AFTER = compiled(rf"(?:{_MARK}|[’'ʼ](?![sS](?!\w)))?[^\W_]+|[-‐‑](?=[A-ZА-ЯІЇЄҐЁ])[^\W_]+")
_POSSESSIVE = compiled(r"['’ʼ]s\Z", _I)
_OWN = compiled(r"['’ʼ]s(?!\w)", _I)
_BORN = compiled(
    r"(?:(?:(?:who|he|she)\s+(?:was|is)\s+)?(?:born|d\.?o\.?b\.?|date of birth|birth date"
    r"|народи(?:вся|лася)|дата народження|роди(?:лся|лась)|дата рождения|рожд[её]нн\w+)"
    r"[:\s]*|(?<!\w))(?:on\s+)?\Z",
    _I,
)
_BORN_AFTER = compiled(r"\s*(?:р\.\s?н\.|г\.\s?р\.|року народження|года рождения)", _I)
_ADJACENT = compiled(r"[\s,.’'ʼ*_~`-]{0,3}")
_FEW = 3
_WINDOW = 160


class Span(NamedTuple):
    start: int
    end: int
    cryptonym: str


class Found(NamedTuple):
    """What of one text is to be masked. `is_shared`: an identity in it is that of several sources."""

    spans: list[Span]
    births: list[tuple[int, int]]
    is_shared: bool


def found(text: str, hits: Sequence[Hit], cryptonyms: Iterable[str]) -> Found:
    """The spans of hits to be masked and of cryptonyms that stand in the text, as far as each name goes."""
    masked = [hit for hit in hits if hit.disposition is not Disposition.NOTE]
    births = sorted({(hit.start, hit.end) for hit in masked if hit.why == "birth-date"})
    firm = [hit for hit in masked if hit.why != "birth-date"]
    words = {match[0]: None for match in re.finditer(r"(?<!\w)[A-Z]{3,20}(?:-[A-Z]{3,20}){0,3}(?!\w)", text)}
    for cryptonym in set(cryptonyms) & set(words):
        for match in re.finditer(rf"(?<!\w){cryptonym}(?!\w)", text):
            firm.append(Hit(*match.span(), cryptonym, 1.0, Disposition.HOLD, "cryptonym"))
    spans, is_shared = _merged(text, firm)
    blotted = _blotted(text, spans)
    wide = [_wide(text, blotted, span, spans) for span in spans]
    return Found(_joined(wide), [_birth(text, *birth) for birth in births], is_shared)


def _merged(text: str, hits: Sequence[Hit]) -> tuple[list[Span], bool]:
    """Overlapping hits as one, and those of one source that only a sign or a space parts.

    Of several ids the surest is kept.
    """
    groups: list[list[Hit]] = []
    end = 0
    for hit in sorted(hits):
        if groups and (
            hit.start < end
            or (hit.id in {held.id for held in groups[-1]} and _ADJACENT.fullmatch(text, end, hit.start))
        ):
            groups[-1].append(hit)
            end = max(end, hit.end)
        else:
            groups.append([hit])
            end = hit.end
    spans = []
    for group in groups:
        surest = min(
            group,
            key=lambda hit: (
                hit.disposition is not Disposition.HOLD,
                -hit.score,
                hit.start - hit.end,
                hit.id,
            ),
        )
        spans.append(Span(min(hit.start for hit in group), max(hit.end for hit in group), surest.id))
    return spans, any(len({hit.id for hit in group}) > 1 for group in groups)


def _blotted(text: str, spans: Sequence[Span]) -> str:
    """An x for each character of an identity: what is in a name must not decide how far it goes."""
    pieces: list[str] = []
    at = 0
    for start, end, _ in spans:
        pieces += (text[at:start], "x" * (end - start))
        at = end
    return "".join((*pieces, text[at:]))


def _wide(text: str, blotted: str, span: Span, spans: Sequence[Span]) -> Span:
    """The span with the rest of its word, initials, titles, and the brackets or link that it stands in."""
    start, end = _word(text, span.start, span.end)
    start, end = _titles(text, start, end)
    for pattern in (_MARKDOWN, _TOKEN, _QUOTED, _BRACKETS):
        around = _around(pattern, blotted, start, end)
        if around is None:
            continue
        low, high = around
        inside = [other for other in spans if low <= other.start and other.end <= high]
        others = {other.cryptonym for other in inside}
        if pattern is _QUOTED and len(re.findall(r"\w+", blotted[low:high])) - len(inside) > _FEW:
            continue
        if pattern is _BRACKETS:
            low, high = low + 1, high - 1
        if len(others) == 1:
            start, end = _titles(text, low, high) if pattern is not _BRACKETS else (low, high)
    article = _ARTICLE.search(text, max(0, start - 8), start)
    return Span(article.start() if article else start, end, span.cryptonym)


def _word(text: str, start: int, end: int) -> tuple[int, int]:
    """To the ends of the words that the span begins and ends in, and over markup left without its pair."""
    while before := _REST_BEFORE.search(text, max(0, start - _WINDOW), start):
        start = before.start()
    while after := _REST_AFTER.match(text, end):
        end = after.end()
    if _MARKUP.search(text, start, end):
        before = _MARKUP_BEFORE.search(text, max(0, start - _WINDOW), start)
        after = _MARKUP.match(text, end)
        start, end = before.start() if before else start, after.end() if after else end
    return start, end


def _titles(text: str, start: int, end: int) -> tuple[int, int]:
    for pattern in (_AFTER, _INITIALS_AFTER):
        if after := pattern.match(text, end):
            end = after.end()
    if before := _INITIALS.search(text, max(0, start - 12), start):
        start = before.start()
    while before := _BEFORE.search(text, max(0, start - 40), start):
        start = before.start()
    return start, end


def _around(pattern: re.Pattern[str], text: str, start: int, end: int) -> tuple[int, int] | None:
    """The match of `pattern` on the same line that holds the span."""
    low = text.rfind("\n", 0, start) + 1
    high = text.find("\n", end)
    for match in pattern.finditer(text, low, len(text) if high < 0 else high):
        if match.start() <= start and end <= match.end():
            return match.span()
    return None


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Spans in order; of those that came to overlap one."""
    out: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if out and span.start < out[-1].end:
            out[-1] = out[-1]._replace(end=max(out[-1].end, span.end))
        else:
            out.append(span)
    return out


def _birth(text: str, start: int, end: int) -> tuple[int, int]:
    before = _BORN.search(text, max(0, start - 60), start)
    after = _BORN_AFTER.match(text, end)
    return before.start() if before else start, after.end() if after else end


def mask(text: str, what: Found, phrase: Callable[[str], str]) -> str:
    """`text` with every span replaced by its source's phrase; birth dates are dropped."""
    edits = [(span.start, span.end, span.cryptonym) for span in what.spans]
    edits += [(a, b, "") for a, b in what.births if not any(s.start < b and a < s.end for s in what.spans)]
    pieces: list[str] = []
    done = 0
    for start, end, cryptonym in sorted(edits):
        if not cryptonym:
            new = GAP
        else:
            new = phrase(cryptonym)
            new = capital(new) if starts_sentence(text, start) else new
            own = _OWN.match(text, end)
            if _POSSESSIVE.search(text, start, end) or own or _is_plain_possessive(text, start, end):
                new += "'s"
                end = own.end() if own else end + 1 if _is_plain_possessive(text, start, end) else end  # noqa: PLW2901
        pieces += (text[done:start], new)
        done = end
    return close("".join((*pieces, text[done:])))


def _is_plain_possessive(text: str, start: int, end: int) -> bool:
    """`Sorvas' lorry`: an apostrophe after an s that opens and closes no quotation."""
    mark = text[end : end + 1]
    return (
        mark in {"'", "’"}
        and text[end - 1].lower() in "sxz"
        and text[end + 1 : end + 2] == " "
        and mark not in text[:start][-1:]
    )


_NAME_BEFORE = compiled(r"(?<![\w-])([A-ZА-ЯІЇЄҐЁ][\w’'ʼ-]+)[ \t\u00a0]+\Z")
_NAME_AFTER = compiled(r"[ \t\u00a0]+([A-ZА-ЯІЇЄҐЁ][\w’'ʼ-]+)")
_SMALL = (
    "the a an on in at by for from when where while after before since until as if and but or he"
    " she they it this that these those then"
    " later yesterday today according however both only also with without to of about why how who what whose"
    " у в на з із зі за до від про та і й але або коли де як якщо він вона вони це той ця потім"
    " згодом учора вчора сьогодні за після перед для без через"
    " с со о об от и а но или когда где если он она они это тот эта затем потом вчера сегодня"
    " после перед для без по к"
)
_STARTERS = frozenset(_SMALL.split())


def has_neighbour(text: str, what: Found) -> bool:
    """Whether a word that may be a part of a name stands right beside a span."""
    for start, end, _ in what.spans:
        before = _NAME_BEFORE.search(text, max(0, start - 60), start)
        if (before and before[1].lower() not in _STARTERS) or _NAME_AFTER.match(text, end):
            return True
    return False
