"""Reports in Markdown or plain text, with portion marks: docs/report-format.md is the form.

1. A report with portion marks: every paragraph has its own. One without is quarantined, and the report with
   it: nothing is inherited. A heading may do without; it is then as narrow as the whole report.
2. A report without portion marks has one label: its banner's, or else the default marking.
3. All banner lines say the same, and none is wider than a portion: else the report is quarantined.
4. The label of a report is the join of its banner and of all its portions, and of its originator if that is
   not the party that takes it in (third-party rule).
5. What portions tell about sources is cut out of their text (`report_sources`). A report without portion
   marks cannot say it: it goes whole or not at all.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import BinaryIO

import msgspec

from tearline import label
from tearline.intake import report_form, report_header, report_sources
from tearline.intake.context import Context, Fault, join_marks, shown
from tearline.intake.limits import MIB, take
from tearline.intake.report_form import Block, Document
from tearline.intake.stix_form import version_of
from tearline.terms import BadInput, Category, Label, Level, Marking, Portion, Product, Quarantine, Role

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1b\x7f]")
_DATA = re.compile(r"\{\s*\"|^\s*<", re.MULTILINE)
"""JSON, or a line of XML: data behind something else, with markings of its own."""
_NEEDLESS = frozenset({"DCNI", "UCNI"})
"""What a classified banner leaves out (CAPCO Manual, roll-up of the atomic energy marks)."""


def read(stream: BinaryIO, name: str, context: Context) -> Iterator[Product | Fault]:
    """The one product of a report. Raises `BadInput`."""
    content = take(stream, context.limits.report + 1)
    if len(content) > context.limits.report:
        raise BadInput(name, "", f"is longer than a report may be, {context.limits.report // MIB} MiB")
    document = report_form.read(_decode(content, name), name)
    if len(document.blocks) > context.limits.portions:
        raise BadInput(name, "", f"has more than {context.limits.portions} paragraphs")
    header = report_header.read(document.header, name, context)
    if not document.blocks and not header.title:
        raise BadInput(name, "", "holds no text")
    told = [*document.in_title, *(each for block in document.blocks for each in block.annotations)]
    if told and not document.portioned:
        reason = "a source is annotated in a report without portion marks"
        raise BadInput(name, f"line {told[0].line}", reason, "mark every paragraph, such as (S//NF)")
    found = _labelled(document, header.title, header.date.date(), context, name)
    if header.originator != context.party and isinstance(found.label, Label):
        owned = label.join(found.label, Label(owners=frozenset({header.originator})))
        found = msgspec.structs.replace(found, label=owned)
    yield Product(
        id=header.ident or report_header.made_id(header.originator, hashlib.sha256(content).hexdigest()),
        version=version_of(header.date),
        originator=header.originator,
        category=Category.REPORT,
        title=shown(found.title) or "untitled report",
        created=header.date,
        topics=header.topics,
        regions=header.regions,
        disciplines=header.disciplines,
        language=header.language or _language("".join(block.text for block in document.blocks)),
        marking=found.marking,
        label=found.label,
        portions=found.portions,
        sources=header.sources | {each.cryptonym for each in told},
        content=content,
    )
    if not header.dated:
        reason = "has no Date line, so it is dated by this intake"
        yield Fault(where=name, place="", reason=reason, severity="warning")


def _decode(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(name, f"byte {error.start}", "is not UTF-8", "save it as UTF-8 text") from None
    if control := _CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        raise BadInput(name, f"line {line}", f"holds the control character U+{ord(control[0]):04X}")
    return text


def _language(text: str) -> str:
    """`en`, `uk` or `ru`, by script and by the letters that only one of the two has."""
    counts = Counter(text.casefold())
    cyrillic = sum(count for char, count in counts.items() if "а" <= char <= "ӿ")
    latin = sum(count for char, count in counts.items() if "a" <= char <= "z")
    if cyrillic <= latin:
        return "en"
    ukrainian, russian = (sum(counts[char] for char in letters) for letters in ("іїєґ", "ыэъё"))
    return "uk" if ukrainian > russian else "ru"


# --- Labels --------------------------------------------------------------------------------------


class _Labelled(msgspec.Struct, frozen=True):
    title: str
    portions: tuple[Portion, ...]
    marking: Marking | None
    label: Label | Quarantine


class _Marked(msgspec.Struct, frozen=True):
    """A block with its mark as read. `label` is None for a heading without one."""

    block: Block
    marking: Marking | None
    label: Label | Quarantine | None
    inside: Label | Quarantine


def _labelled(document: Document, title: str, at: date, context: Context, name: str) -> _Labelled:
    """Title, portions, marking and label of the whole. `at` is the report's date."""
    blocks = list(document.blocks)
    if title:
        mark, title = report_form.cut_mark(title)
        line = document.header["title"][0]
        blocks.insert(0, Block(line, Role.TITLE, mark, title, 1, document.in_title))
    elif heading := next((block for block in blocks if block.heading == 1), None):
        heading.role = Role.TITLE
        title = heading.text
    marked = [_marked(block, at) for block in blocks]
    banner_marking, banner = _banner(document.banners, at)
    if not document.portioned:
        if banner is None:
            banner_marking, banner = _default(document.blocks, at, context)
        whole = join_marks([banner, *(each.inside for each in marked)])
        return _Labelled(title, (), banner_marking, whole)
    own = [part for each in marked for part in (each.label, each.inside) if part is not None]
    whole = join_marks(own if banner is None else [banner, *own])
    if isinstance(whole, Label) and isinstance(banner, Label) and banner_marking:
        whole = _not_wider(banner, banner_marking, marked) or whole
    portions = tuple(
        Portion(
            text=each.block.text,
            role=each.block.role,
            marking=each.marking,
            label=whole if each.label is None else each.label,
            facts=report_sources.facts_of(each.block.annotations, name),
        )
        for each in marked
    )
    return _Labelled(title, portions, banner_marking, whole)


def _marked(block: Block, at: date) -> _Marked:
    inside = join_marks([_parse(mark, at)[1] for mark in block.inside])
    if block.mark is not None:
        marking, own = _parse(block.mark, at)
        return _Marked(block, marking, join_marks([own, inside]), inside)
    if block.heading:
        return _Marked(block, None, None, inside)
    reason = f"the paragraph in line {block.line} has no portion mark"
    return _Marked(block, None, Quarantine(scheme="none", mark="", reason=reason), inside)


def _parse(mark: str, at: date) -> tuple[Marking, Label | Quarantine]:
    return label.parse(mark if mark.upper().startswith("TLP") else f"({mark})", at=at)


def _banner(lines: Sequence[tuple[int, str]], at: date) -> tuple[Marking | None, Label | Quarantine | None]:
    """What the banner lines say, if there are any and they agree."""
    first: tuple[Marking, Label | Quarantine] | None = None
    for line, text in lines:
        found = label.parse(text[: report_form.LONGEST], at=at)
        first = first or found
        if isinstance(found[1], Quarantine):
            return found
        if found[1] != first[1]:
            reason = f"the banner in line {line} contradicts the first one, {first[0].text}"
            return first[0], Quarantine(scheme=found[0].scheme, mark=text, reason=reason)
    return first or (None, None)


def _default(
    blocks: Sequence[Block], at: date, context: Context
) -> tuple[Marking | None, Label | Quarantine]:
    """The default marking, where nothing looks like a mark.

    Not for a line in capitals where a banner should stand: it may be one that is written wrong. Not for what
    holds data of another format: it has markings that are not read here.
    """
    for block in blocks:
        if _DATA.search(block.text):
            reason = f"line {block.line} looks like data of another format"
            return None, Quarantine(scheme="none", mark="", reason=reason)
    for ends, line in ((blocks[:1], 0), (blocks[-1:], -1)):
        texts = [each.text.splitlines()[line] for each in ends if each.text and not each.heading]
        for text in filter(report_form.is_shouted, texts):
            reason = "stands where a banner should, and cannot be read as one"
            return None, Quarantine(scheme="none", mark=shown(text), reason=reason)
    return context.default(at)


def _not_wider(banner: Label, marking: Marking, marked: Sequence[_Marked]) -> Quarantine | None:
    """Why the banner cannot stand for the portions: it says less than one of them."""
    for each in marked:
        for part in (each.label, each.inside):
            axes = _wider(banner, part) if isinstance(part, Label) else ()
            if axes:
                mark = f"({each.block.mark})" if each.block.mark else "the mark"
                reason = f"is wider than {mark} in line {each.block.line} ({', '.join(axes)})"
                return Quarantine(scheme=marking.scheme, mark=marking.text, reason=reason)
    return None


def _wider(banner: Label, portion: Label) -> tuple[str, ...]:
    """The axes on which `banner` bars less than `portion`.

    Duties, owners and `info` are left aside: a roll-up may drop them (FOUO, a protected owner beside a
    named one), and the report's label, a join, keeps them.
    """
    ranks = [max((rank for _, rank in each.level), default=Level.UNCLASSIFIED) for each in (banner, portion)]
    lists = [(banner.release, portion.release), (banner.display, portion.display)]
    found = {
        "level": ranks[0] < ranks[1],
        "need": not portion.need - _NEEDLESS <= banner.need,
        "release": any(inner is not None and (outer is None or not outer <= inner) for outer, inner in lists),
        "reach": banner.reach < portion.reach,
        "use": banner.use < portion.use,
        "consent": not portion.consent <= banner.consent,
    }
    return tuple(axis for axis, wider in found.items() if wider)
