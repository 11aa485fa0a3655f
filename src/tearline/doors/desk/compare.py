"""A product beside the tearline that would go, with what differs in words told apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

import msgspec

from tearline.node.masked import Piece
from tearline.terms import Portion

MOST = 4_000
"""Words of a portion that are compared; of a longer one only whether it is the same is told."""
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


class TextPiece(msgspec.Struct, frozen=True):
    """A part of a text, and how it stands to the other: only here (`gone`, `new`), in both, or a hit that is
    hidden here: `hit` is its number."""

    text: str
    kind: Literal["same", "gone", "new", "hidden"] = "same"
    hit: int = 0


def pieces(text: Sequence[Piece]) -> tuple[TextPiece, ...]:
    """A text with its hits hidden, beside nothing."""
    return tuple(TextPiece(each.text, "hidden" if each.hit else "same", each.hit) for each in text)


def compared(original: Sequence[Piece], tearline: str) -> tuple[tuple[TextPiece, ...], tuple[TextPiece, ...]]:
    """Both texts, word by word."""
    before = [word for each in pieces(original) for word in _words(each)]
    after = [TextPiece(word) for word in _WORDS.findall(tearline)]
    left, right = list[TextPiece](), list[TextPiece]()
    if max(len(before), len(after)) > MOST:
        return pieces(original), (TextPiece(tearline, "new"),)
    same = SequenceMatcher(
        None, [each.text for each in before], [each.text for each in after], autojunk=False
    )
    for tag, i, j, k, m in same.get_opcodes():
        equal = tag == "equal"
        left += before[i:j] if equal else (_as("gone", each) for each in before[i:j])
        right += after[k:m] if equal else (_as("new", each) for each in after[k:m])
    return tuple(_joined(left)), tuple(_joined(right))


def places(original: Sequence[Portion], tearline: Sequence[Portion]) -> list[int]:
    """Which portion each of a tearline's was made of: the first that has the same marks, and is most alike
    where several have. A tearline keeps the order."""
    found, at = list[int](), 0
    for number, portion in enumerate(tearline):
        last = len(original) - (len(tearline) - number - 1)
        bare = msgspec.structs.replace(portion, text="")
        fits = [i for i in range(at, last) if msgspec.structs.replace(original[i], text="") == bare]
        best = max(
            fits or range(at, last),
            key=lambda i: SequenceMatcher(
                None, _WORDS.findall(original[i].text), _WORDS.findall(portion.text)
            ).quick_ratio(),
        )
        found.append(best)
        at = best + 1
    return found


def _words(piece: TextPiece) -> Iterator[TextPiece]:
    if piece.kind == "hidden":
        yield piece
    else:
        for word in _WORDS.findall(piece.text):
            yield TextPiece(word)


def _as(kind: Literal["gone", "new"], piece: TextPiece) -> TextPiece:
    return piece if piece.kind == "hidden" else TextPiece(piece.text, kind)


def _joined(words: Iterable[TextPiece]) -> Iterator[TextPiece]:
    """Runs of words of one kind as one piece; of a hit one."""
    for (kind, hit), run in groupby(words, key=lambda each: (each.kind, each.hit)):
        texts = [each.text for each in run]
        yield TextPiece(texts[0] if hit else "".join(texts), kind, hit)
