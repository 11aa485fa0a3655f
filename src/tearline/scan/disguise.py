"""Disguises that change the text around letters: each repaired text, with a map back to the original.

Look-alike letters and digits inside words are no matter of this module: they are readings of a word
(`fold.spellings`).
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff"
)
_MARKS = "\u0300-\u036f\u0483-\u0487\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
SIGNS = re.compile(rf"[{_INVISIBLE}{_MARKS}<&*_~`\]\[]")
"""Without one of these a text needs no repair."""
_INLINE = re.compile(
    r"<!--.{0,2000}?-->|</?(?:a|abbr|b|bdi|bdo|big|code|del|em|font|i|ins|kbd|mark|s|small|span|strike|strong|sub|sup"
    r"|tt|u|wbr)(?:\s[^<>]{0,500})?/?>",
    re.IGNORECASE | re.DOTALL,
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});")
_MARKDOWN = re.compile(
    r"\]\([^()\s]{0,500}\)|[*`]+|~~+|__+|(?<![^\W_])_|_(?![^\W_])|\[(?=[^\W\d_])|\\(?=[*_`~\[])"
)
_INVISIBLES = re.compile(f"[{_INVISIBLE}]+")
_MARKED = re.compile(rf"[^\W\d_][{_MARKS}]+")
_BREAK = re.compile(r"(?<=[^\W\d_])(?:[-‐][ \t]*\r?\n[^\S\n]{0,20}|¬\s{0,20})(?=[^\W\d_])")
_BREAK_SIGNS = ("-\n", "-\r", "‐\n", "‐\r", "- \n", "¬")
_LETTER, _CAPITAL = r"[^\W\d_]", "".join(filter(str.isupper, map(chr, range(0x530))))
_EMPHASIS = re.compile(rf"(?<={_LETTER})_(?={_LETTER})")
_CUT = re.compile(
    rf"(?<![^\W_])[{_CAPITAL}](?:{_LETTER}{{0,40}}\r?\n(?=(?![{_CAPITAL}]){_LETTER})|[{_CAPITAL}]{{1,40}}\r?\n(?=[{_CAPITAL}]))"
)
"""A capitalised word at a line's end, where the next line may hold the rest of it."""
_SURE, _WEAK = 0.93, re.compile("alone|rare|surname|typo|initial")
_SPACED = re.compile(r"(?<![^\W_])(?:[^\W_][^\w\n]{1,3}|[^\W_]_{1,2}){3,60}[^\W_](?![^\W_])")
_PIECE = re.compile(r"[^\W_]|[\W_]+")
_SPACER = re.compile(r"[\W_]+")

Offsets = npt.NDArray[np.int64]


class View:
    """A text to be scanned. `original` tells where a span of it stands in the original text."""

    def __init__(self, text: str, offsets: Offsets | None = None, codes: tuple[str, ...] = ()) -> None:
        self.text, self._offsets, self._codes = text, offsets, codes

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The span in the original text, end exclusive; `start < end`."""
        if self._offsets is None:
            return start, end
        return int(self._offsets[start]), int(self._offsets[end - 1]) + 1

    def why(self, code: str) -> str:
        """The code of a hit, with the codes of what was repaired."""
        return ",".join((code, *self._codes))

    def believes(self, score: float, why: str) -> bool:
        """Whether a hit counts: what only the joining of two words makes must fit well in every part."""
        return "cut" not in self._codes or (score >= _SURE and not _WEAK.search(why))

    def replaced(
        self,
        pattern: re.Pattern[str],
        by: Callable[[str], str],
        code: str,
        *,
        places: Callable[[str], list[int]] | None = None,
    ) -> View:
        """This view with every match replaced, or itself where nothing matches.

        `places` tells for each character of the replacement where in the match it stood; without it the
        characters stand in a row, the last one at the match's end.
        """
        pieces: list[str] = []
        maps: list[Offsets] = []
        done = 0
        offsets = np.arange(len(self.text)) if self._offsets is None else self._offsets
        for match in pattern.finditer(self.text):
            new = by(match[0])
            pieces += (self.text[done : match.start()], new)
            maps.append(offsets[done : match.start()])
            if new:
                last = len(match[0]) - 1
                spots = places(match[0]) if places else [*range(len(new) - 1), last]
                maps.append(offsets[[match.start() + min(k, last) for k in spots]])
            done = match.end()
        if not done:
            return self
        pieces.append(self.text[done:])
        maps.append(offsets[done:])
        codes = self._codes if code in self._codes else (*self._codes, code)
        return View("".join(pieces), np.concatenate(maps), codes)


def _nothing(_: str) -> str:
    return ""


def _blank(_: str) -> str:
    return " "


def _composed(cluster: str) -> str:
    """A letter with its marks as one letter, marks that make no letter (stress) dropped."""
    return unicodedata.normalize("NFC", cluster)[0]


def repaired(text: str) -> View:
    """The text without invisible characters, markup and loose marks."""
    view = View(text)
    if "&" in text:
        view = view.replaced(_ENTITY, html.unescape, "markup")
    if "<" in view.text:
        view = view.replaced(_INLINE, _nothing, "markup").replaced(_TAG, _blank, "markup")
    view = view.replaced(_MARKDOWN, _nothing, "markup")
    view = view.replaced(_INVISIBLES, _nothing, "invisible")
    return view.replaced(_MARKED, _composed, "composed")


def further(view: View, *, is_spaced: bool) -> Iterator[View]:
    """More views of a repaired one: words that line breaks or emphasis part, and letters that stand apart."""
    joined = view
    if any(sign in view.text for sign in _BREAK_SIGNS):
        joined = view.replaced(_BREAK, _nothing, "hyphenated")
    if "_" in view.text:
        joined = joined.replaced(_EMPHASIS, _nothing, "markup")
    if joined is not view:
        yield joined
    if "\n" in view.text:
        cut = view.replaced(_CUT, str.rstrip, "cut", places=_word_places)
        if cut is not view:
            yield cut
    if is_spaced:
        close = view.replaced(_SPACED, _closed, "spaced", places=_places)
        if close is not view:
            yield close
        for match in _SPACED.finditer(view.text):
            yield from _parted(view, match)


def _word_places(line_end: str) -> list[int]:
    return list(range(len(line_end.rstrip())))


def _pieces(run: str) -> list[tuple[str, int]]:
    """Letters that stood apart, and where; a wider gap or a capital after a small letter begins a word."""
    gaps = {len(gap) for gap in _SPACER.findall(run)}
    out: list[tuple[str, int]] = []
    for found in _PIECE.finditer(run):
        piece, at = found[0], found.start()
        if piece[0].isalnum():
            if out and piece.isupper() and out[-1][0].islower():
                out.append((" ", at))
            out.append((piece, at))
        elif len(gaps) > 1 and len(piece) == max(gaps):
            out.append((" ", at))
    return out


def _closed(run: str) -> str:
    return "".join(piece for piece, _ in _pieces(run))


def _places(run: str) -> list[int]:
    return [at for _, at in _pieces(run)]


_FEWEST, _MOST = 6, 40


def _parted(view: View, match: re.Match[str]) -> Iterator[View]:
    """Where nothing tells the words of a run apart, each way to part it in two."""
    run = match[0]
    closed = _closed(run)
    if " " in closed or not _FEWEST <= len(closed) <= _MOST:
        return
    spots = [match.start() + k for k, char in enumerate(run) if char.isalnum()]
    offsets = np.arange(len(view.text)) if view._offsets is None else view._offsets
    for cut in range(2, len(closed) - 1):
        places = [*spots[:cut], spots[cut], *spots[cut:]]
        text = closed[:cut].title() + " " + closed[cut:].title()
        if len(text) == len(places):
            yield View(text, offsets[places], (*view._codes, "spaced"))
