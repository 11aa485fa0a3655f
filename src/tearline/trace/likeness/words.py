"""A text as folded words: what stays equal when it is retyped, reformatted or disguised.

Markup, invisible characters, loose marks and hyphens at line ends are undone by `tearline.scan`; letters lose
their accents, and those that look alike in Latin, Cyrillic and Greek (Unicode Technical Standard 39) are one.
Punctuation and blanks only part words.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tearline.scan.disguise import SIGNS, View, repaired
from tearline.scan.fold import latin_lookalike
from tearline.scan.tokens import tokenise

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

_BREAK = re.compile(r"(?<=[^\W\d_])(?:[-‐][ \t]*\r?\n[^\S\n]{0,20}|¬\s{0,20})(?=[^\W\d_])")
_ENDS = re.compile(r"[.!?…]+[\"'»”’)\]]{0,3}\s+(?=[^\W\d_]|[\d\"'«“„(])|\s*\n\s*\n\s*|\n(?=\s*[-*•–—#>]\s)")
_NUMBERED = re.compile(r"(?:^|\s)(?:[^\W\d_]|\d{1,3})\.\s+$")
_SHORT = re.compile(
    r"(?:^|[\s(])(?:[^\W\d_]|approx|ca|cf|dr|maj|gen|lt|col|no|vs|пн|пд|сх|зх|тис|млн|млрд|тыс|долл|дол|вул|ул|ст"
    r"|см|див|гр|ін|др|пр|обл|р-н)\.\s+$",
    re.IGNORECASE,
)


class Words:
    """The words of one text, a row each. `starts`, `ends`: code points of `text`, which is repaired.

    `hashes` are equal where words are equal after folding; they are the same in every process.
    """

    def __init__(self, text: str) -> None:
        view = repaired(text) if SIGNS.search(text) else View(text)
        if "\n" in view.text or "¬" in view.text:
            view = view.replaced(_BREAK, lambda _: "", "hyphenated")
        tokens = tokenise(_one_alphabet(view.text))
        self._view = view
        self.text = view.text
        self.starts: Ints = tokens.starts.astype(np.int64)
        self.ends: Ints = tokens.ends.astype(np.int64)
        self.hashes = tokens.hashes
        self.upper = tokens.upper

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def strings(self) -> list[str]:
        """Each word as it stands in the repaired text."""
        pairs = zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        return [self.text[start:end] for start, end in pairs]

    def word(self, k: int) -> str:
        return self.strings[k]

    def span(self, first: int, stop: int) -> tuple[int, int]:
        """Where words `first` to `stop - 1` stand in the original text, end exclusive; `first < stop`."""
        return self._view.original(int(self.starts[first]), int(self.ends[stop - 1]))

    @cached_property
    def spans(self) -> Ints:
        """Where each word stands in the original text: one row of start and end a word."""
        found = [self.span(k, k + 1) for k in range(len(self))]
        return np.array(found, np.int64).reshape(-1, 2)


def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """The spans of sentences, headings and list items; what is between them is blank."""
    cuts = [0]
    for match in _ENDS.finditer(text):
        before = text[max(0, match.end() - 12) : match.end()]
        is_inside = (
            text[match.end() : match.end() + 1].islower() or _NUMBERED.search(before) or _SHORT.search(before)
        )
        if "\n" in match[0] or not is_inside:
            cuts.append(match.end())
    cuts.append(len(text))
    spans = []
    for start, stop in pairwise(cuts):
        piece = text[start:stop]
        left = start + len(piece) - len(piece.lstrip())
        right = start + len(piece.rstrip())
        if left < right:
            spans.append((left, right))
    return tuple(spans)


def _one_alphabet(text: str) -> str:
    """The text without accents, and of letters that look alike with the Latin one; of the same length."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    table = _letters()
    small = codes < len(table)
    folded = np.where(small, table[np.where(small, codes, 0)], codes)
    return folded.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


@cache
def _letters() -> npt.NDArray[np.uint32]:
    """For each code point the one that stands for it."""
    table = np.arange(0x10000, dtype=np.uint32)
    for code in (*range(0xAA, 0x530), *range(0x1E00, 0x2000), *range(0xFF10, 0xFF5B)):
        char = chr(code)
        if not char.isalpha():
            continue
        base = unicodedata.normalize("NFKD", char)[0]
        plain = latin_lookalike(base.lower())
        plain = plain.upper() if base.isupper() else plain
        if len(plain) == 1 and plain.isalpha():
            table[code] = ord(plain)
    return table
