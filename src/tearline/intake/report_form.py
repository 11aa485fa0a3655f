"""The form of a report (docs/report-format.md): header, banner lines, and blocks of text with their marks.

Nothing is judged here: what looks like a mark is taken as one, and `report` lets the codecs say whether it
can be read. So a mark that is written wrong is never taken for text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

import msgspec

from tearline.intake import report_sources
from tearline.intake.report_sources import Annotation, Line
from tearline.terms import BadInput, Role

HEADER_KEYS = {
    key: name
    for name, keys in {
        "title": "title|назва|название",
        "date": "date|дата",
        "originator": "originator|орган|організація|организация",
        "topics": "topics|теми|темы",
        "regions": "regions|регіони|регионы",
        "discipline": "discipline|вид розвідки|вид разведки",
        "language": "language|мова|язык",
        "id": "id",
        "marking": "marking|classification|гриф",
        "sources": "sources|джерела|источники",
    }.items()
    for key in keys.split("|")
}

LONGEST = 5000
"""Characters of a mark; the codecs refuse what is so long."""

_HEADER = re.compile(r"\s*([^\W\d][\w ]{0,30}?)\s*:(?:\s+(.*))?$")
_RULE = re.compile(r"\s*([-*_=])(?:\s*\1){2,}\s*$")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s")
# What may stand before a portion mark: heading, quotation, list item, emphasis.
_LEAD = re.compile(r"\s*(?:(?:#{1,6}|[>*+•–—-]|\d{1,4}[.)])\s*)*[*_]{0,3}")
_MARK = re.compile(rf"\(([^()\n]{{1,{LONGEST}}})\)[*_]{{0,3}}")
# Also where the other parenthesis is missing, or in another line.
_INSIDE = re.compile(r"\(([^()]*)")
_URL = re.compile(r"\b[a-z]{1,20}://\S*", re.IGNORECASE)
_SENTENCE_ENDS = re.compile(r"[.!?:;][*_\"”»]?\s+$")

_WORDS = (
    r"top secret|secret|confidential|restricted|unclassified|cosmic top secret|nato (?:secret|restricted)"
)
_CYRILLIC = (
    r"цілком таємно|таємно|для службового користування|дск|совершенно секретно|секретно"
    r"|для служебного пользования|дсп|особливої важливості|особой важности"
)
_BANNER = re.compile(rf"(?:tlp|pap)\s*:|(?:{_WORDS}|{_CYRILLIC})\s*(?://|$)", re.IGNORECASE)
_CLASSIFICATIONS = frozenset({"U", "R", "C", "S", "TS"})
_LETTERS = frozenset("URCSСЅ")
"""Alone in parentheses these are marks (the last two are Cyrillic and only look so), others number a list."""

_SOURCE = r"[\W\d_]*(?:source|джерел|источник)\w*(?:\s+\w+){0,3}\s*"
_SOURCE_LINE = re.compile(rf"{_SOURCE}:", re.IGNORECASE)
_SOURCE_TEXT = re.compile(rf"{_SOURCE}[:.—–-]", re.IGNORECASE)
_SOURCE_INSIDE = re.compile(r"\b(?:SOURCE|ДЖЕРЕЛ|ИСТОЧНИК)[A-ZА-ЯІЇЄҐ]*(?:\s+\w+){0,3}\s*:")


class Block(msgspec.Struct):
    """A paragraph, list item or heading. `mark` is without its parentheses, `None` where there is none."""

    line: int
    role: Role
    mark: str | None
    text: str
    heading: int = 0
    """1 to 6, or 0 for a paragraph."""
    annotations: list[Annotation] = []
    """What it tells about sources; they are not in `text`."""

    @property
    def inside(self) -> list[str]:
        """Marks that stand within the text: it holds parts that were not set apart."""
        found = []
        for match in _INSIDE.finditer(self.text):
            mark, before = match[1][:LONGEST], self.text[max(0, match.start() - 8) : match.start()]
            # `(C)` may be a copyright sign, but not where a sentence begins.
            begins = mark in _CLASSIFICATIONS and _SENTENCE_ENDS.search(before)
            if begins or mark.upper().startswith("TLP:") or _has_slashes(mark):
                found.append(mark)
        return found


class Document(msgspec.Struct):
    header: dict[str, tuple[int, str]]
    """By the names of `HEADER_KEYS`: line and value."""
    banners: list[tuple[int, str]]
    """Line and text of each banner line, wherever it stands."""
    blocks: list[Block]
    in_title: list[Annotation] = []
    """The annotations in the header's title."""

    @property
    def portioned(self) -> bool:
        """Whether any part of it has a mark of its own."""
        title = self.header.get("title")
        return any(block.mark is not None for block in self.blocks) or bool(title and cut_mark(title[1])[0])


class _Kind(Enum):
    BLANK = 0
    BANNER = 1
    START = 2
    """The first line of a block, whatever stands before it."""
    MORE = 3


def read(text: str, name: str) -> Document:
    """The parts of a report. Raises `BadInput` for a header that names something twice, and for an annotation
    that cannot be read or stands in no portion."""
    document = Document({}, [], [])
    lines = report_sources.cut(text, name)
    body = _read_header(lines, document, name)
    open_block: list[Line] = []
    ahead: list[Line] = []  # lines of annotations alone, for the block that begins next
    for line in lines[body:]:
        if not line.spoken:
            (open_block or ahead).append(line)
            continue
        kind = _kind(line.text)
        if kind is not _Kind.MORE and open_block:
            document.blocks.append(_block(open_block, name))
            open_block = []
        if kind in {_Kind.BANNER, _Kind.BLANK}:
            for each in (*ahead, line):
                report_sources.misplaced(each, name, "stands in no portion")
        if kind is _Kind.BANNER:
            document.banners.append((line.number, bare(line.text)))
        elif kind is not _Kind.BLANK:
            open_block += [*ahead, line]
            ahead = []
        if _HEADING.match(line.text) and open_block:
            document.blocks.append(_block(open_block, name))
            open_block = []
    for each in ahead:
        report_sources.misplaced(each, name, "stands in no portion")
    if open_block:
        document.blocks.append(_block(open_block, name))
    return document


def cut_mark(line: str) -> tuple[str | None, str]:
    """The mark at the head of a line, without its parentheses, and the rest."""
    lead = _LEAD.match(line)
    start = lead.end() if lead else 0
    mark = _MARK.match(line, start)
    if mark is None or not _is_mark(mark[1]):
        return None, line.strip()
    return mark[1], line[mark.end() :].strip()


def bare(line: str) -> str:
    """A line without the signs of Markdown around it."""
    return line.strip().strip("#*_`> \t")


def is_shouted(line: str) -> bool:
    """All in capitals: where a banner should stand, this may be one that is written wrong."""
    return line.upper() == line and line.lower() != line


def _is_mark(inner: str) -> bool:
    if len(inner) == 1:
        return inner in _LETTERS
    capitals = inner.upper() == inner and inner.lower() != inner
    return capitals or _has_slashes(inner) or bool(_BANNER.match(inner))


def _has_slashes(text: str) -> bool:
    return "//" in _URL.sub("", text)


def _is_banner(line: str) -> bool:
    text = bare(line)
    capitals = text.upper() == text and text.lower() != text
    marked = capitals and "//" in text and not text.startswith("(")
    return marked or bool(_BANNER.match(text))


def _kind(line: str) -> _Kind:
    if not line.strip() or _RULE.match(line):
        return _Kind.BLANK
    if _is_banner(line):
        return _Kind.BANNER
    if _HEADING.match(line) or _SOURCE_LINE.match(line) or cut_mark(line)[0] is not None:
        return _Kind.START
    return _Kind.MORE


def _read_header(lines: Sequence[Line], document: Document, name: str) -> int:
    """Take banner lines and header lines from the head; returns where the text begins."""
    for index, line in enumerate(lines):
        if not line.text.strip() or _RULE.match(line.text):
            report_sources.misplaced(line, name, "stands in no portion")
            continue
        if _is_banner(line.text):
            report_sources.misplaced(line, name, "stands in a banner")
            document.banners.append((line.number, bare(line.text)))
            continue
        found = _HEADER.match(line.text)
        key = HEADER_KEYS.get(found[1].casefold()) if found else None
        if found is None or key is None:
            return index
        value = (found[2] or "").strip()
        if key in document.header:
            raise BadInput(name, f"line {line.number}", f"the header names {found[1]} twice")
        document.header[key] = line.number, value
        if key == "title":
            if not cut_mark(value)[1]:
                report_sources.misplaced(line, name, "stands alone")
            document.in_title = line.annotations
        else:
            report_sources.misplaced(line, name, "stands in the header")
        if key == "marking":
            document.banners.append((line.number, value))
    return len(lines)


def _block(lines: Sequence[Line], name: str) -> Block:
    spoken = [line for line in lines if line.spoken]
    number, first = spoken[0].number, spoken[0].text
    mark, rest = cut_mark(first)
    text = "\n".join([rest, *(line.text.rstrip() for line in spoken[1:])]).strip()
    heading = _HEADING.match(first)
    if heading:
        text = text.lstrip("# ").rstrip("# ")
    for line in lines if not text else ():
        report_sources.misplaced(line, name, "stands alone")
    source = _SOURCE_TEXT.match(text) or _SOURCE_INSIDE.search(text)
    level = len(heading[1]) if heading else 0
    annotations = [annotation for line in lines for annotation in line.annotations]
    return Block(number, Role.SOURCE if source else Role.BODY, mark, text, level, annotations)
