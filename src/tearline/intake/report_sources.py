"""What a report says of its sources: annotations within portions, and the header's cryptonyms.

`[[FALCON-RIVER: town=Varnik; trade=pilot]]` says that the portion around it tells these facts about the
source. Annotations are cut out before anything else is read, so no mark and no line can hide behind one.
What looks like an annotation and cannot be read is refused: half of it could go out. Faults never quote one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import msgspec

from tearline.terms import BadInput

Facts = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""As in `Portion.facts`."""

_NAME = r"[A-Z]{3,20}(?:-[A-Z]{3,20}){0,3}"
CRYPTONYM = re.compile(_NAME)
"""As in the vault."""
_ATTRIBUTE = re.compile(r"[^\W_][\w -]{0,59}")
_LONGEST_VALUE = 200
_MOST_IN_LINE, _MOST = 100, 10_000
_ANNOTATION = re.compile(r"\[\[([^\[\]]*)\]\]")
_RUN = re.compile(rf"{_ANNOTATION.pattern}(?:[ \t]*{_ANNOTATION.pattern})*[ \t]*")
# Brackets that stand together for the eye; and one bracket before what else reads like an annotation.
_UNSEEN = "[\u00ad\u200b-\u200f\u2060\ufeff]*"
_HALF = re.compile(
    rf"[\[［]{_UNSEEN}[\[［]|[\]］]{_UNSEEN}[\]］]|[⟦⟧〚〛]|[\[［{{][ \t]*{_NAME}[ \t]*:[^\[\]\n]{{0,300}}="
)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_AROUND = frozenset({"()", "[]", "{}", "<>", "«»", "“”"})
"""What would stand empty where an annotation was alone in it."""
_FORM = "write [[CRYPTONYM: attribute=value; attribute=value]]"


class Annotation(msgspec.Struct, frozen=True):
    """What one annotation says. `line`: where it begins."""

    line: int
    cryptonym: str
    facts: tuple[tuple[str, str], ...]


class Line(msgspec.Struct):
    """A line of the report without its annotations."""

    number: int
    text: str = ""
    annotations: list[Annotation] = []
    cut: bool = False
    """Whether an annotation, or a part of one, stood in it."""

    @property
    def spoken(self) -> bool:
        """Whether it is a line of the report, and not of annotations alone."""
        return not self.cut or bool(self.text.strip())


def cut(text: str, name: str) -> list[Line]:
    """The lines of `text`, without its annotations. Raises `BadInput` for one that cannot be read."""
    text = "\n".join(text.splitlines())
    lines, at = [Line(1)], 0
    for number, run in enumerate(_RUN.finditer(text)):
        _extend(lines, text[at : run.start()])
        found, at = lines[-1], run.end()
        lines += [Line(found.number + more, cut=True) for more in range(1, run[0].count("\n") + 1)]
        found.cut = True
        for annotation in _ANNOTATION.finditer(run[0]):
            begins = found.number + run[0].count("\n", 0, annotation.start())
            found.annotations.append(_read(annotation[1], name, begins))
        if len(found.annotations) > _MOST_IN_LINE or number >= _MOST:
            reason = f"there are more than {_MOST_IN_LINE} annotations in a line, or {_MOST} in all"
            raise BadInput(name, f"line {found.number}", reason)
        if found is lines[-1]:
            at = _join(found, text, at)
    _extend(lines, text[at:])
    if half := _HALF.search(kept := "\n".join(line.text for line in lines)):
        line = lines[kept.count("\n", 0, half.start())]
        remedy = f"{_FORM}, or a space between the brackets where none is meant"
        raise BadInput(name, f"line {line.number}", "this is half an annotation of a source", remedy)
    return lines


def _extend(lines: list[Line], text: str) -> None:
    first, *others = text.split("\n")
    lines[-1].text += first
    lines += [Line(number, other) for number, other in enumerate(others, start=lines[-1].number + 1)]


def _join(line: Line, text: str, at: int) -> int:
    """Close the gap between the line so far and `text[at:]`, which begins where this returns.

    At most one space stays, none before a point, and no empty brackets.
    """
    left, spaced = line.text, text[at - 1] in " \t"
    while True:
        spaced |= left != left.rstrip() or text[at : at + 1] in {" ", "\t"}
        left = left.rstrip()
        while text[at : at + 1] in {" ", "\t"}:
            at += 1
        if left[-1:] + text[at : at + 1] not in _AROUND:
            break
        left, at = left[:-1], at + 1
    after = text[at : at + 1].strip()
    if spaced and left and after and after not in ".,;:!?…)]}»”" and left[-1] not in "([{«“":
        left += " "
    line.text = left
    return at


def _read(inner: str, name: str, line: int) -> Annotation:
    def wrong(reason: str) -> BadInput:
        return BadInput(name, f"line {line}", reason, _FORM)

    cryptonym, colon, rest = (_tidy(part) for part in inner.partition(":"))
    pairs = [tuple(map(_tidy, pair.split("="))) for pair in rest.split(";")]
    facts = {pair[0].casefold(): pair[1] for pair in pairs if len(pair) == 2}
    sound = all(
        _ATTRIBUTE.fullmatch(key) and 0 < len(value) <= _LONGEST_VALUE and value.isprintable()
        for key, value in facts.items()
    )
    if _BLANK_LINE.search(inner) or not colon or CRYPTONYM.fullmatch(cryptonym) is None:
        raise wrong("an annotation does not begin with a cryptonym and a colon")
    if len(facts) < len(pairs) or not sound:
        raise wrong("an annotation's facts are not each an attribute of its own with a value")
    return Annotation(line, cryptonym, tuple(sorted(facts.items())))


def _tidy(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def misplaced(line: Line, name: str, reason: str) -> None:
    """Raises `BadInput` where `line` has an annotation, as it stands where none can be."""
    if line.annotations:
        place, remedy = f"line {line.annotations[0].line}", "put it into the portion that tells the facts"
        raise BadInput(name, place, f"an annotation of a source {reason}", remedy)


def facts_of(annotations: Iterable[Annotation], name: str) -> Facts:
    """All that a portion's annotations say. Raises `BadInput` where they contradict each other."""
    told: dict[str, dict[str, str]] = {}
    for annotation in annotations:
        of_source = told.setdefault(annotation.cryptonym, {})
        for attribute, value in annotation.facts:
            if of_source.setdefault(attribute, value) != value:
                reason = "an annotation gives an attribute another value than one before it in its portion"
                raise BadInput(name, f"line {annotation.line}", reason, "leave one of the two")
    return tuple(sorted((source, tuple(sorted(facts.items()))) for source, facts in told.items()))


def cryptonyms(text: str) -> frozenset[str]:
    """The header's list. Raises `ValueError` where one is none."""
    names = [name.strip() for name in text.replace(";", ",").split(",") if name.strip()]
    if not names or any(CRYPTONYM.fullmatch(name) is None for name in names):
        raise ValueError
    return frozenset(names)
