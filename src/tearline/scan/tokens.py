"""Text to tokens, at array speed: where words are, and a number for each distinct folded word.

A token's hash is a polynomial in its folded code points modulo 2^64, made for all tokens at once from
prefix sums; it names a word in a memory of words already read, and nothing else.
"""

from __future__ import annotations

import sys
import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt

from tearline.scan.disguise import SIGNS
from tearline.scan.fold import APOSTROPHES, LIMIT, fold
from tearline.scan.keys import Hashes

_WORD, _JOINER, _UPPER, _SIGN, _DIGIT = np.uint8(1), np.uint8(2), np.uint8(4), np.uint8(8), np.uint8(16)
_BLOCK = 1 << 16
_ODD = 0x9E3779B97F4A7C55
Ints = npt.NDArray[np.int64]


class Tokens:
    """Tokens of one text. All arrays have one row a token; offsets are code points of the text.

    `upper`: whether a word is written like a name: with a capital in the first or (mistyped) second
    place, or with a digit for the first letter.
    `has_signs`: whether the text has a character that `disguise.repaired` deals with.
    """

    def __init__(
        self, starts: Ints, ends: Ints, hashes: Hashes, upper: npt.NDArray[np.bool_], *, has_signs: bool
    ) -> None:
        self.starts, self.ends, self.hashes, self.upper = starts, ends, hashes, upper
        self.has_signs = has_signs

    def __len__(self) -> int:
        return len(self.starts)

    def is_spaced(self) -> bool:
        """Whether four letters or more stand apart in a row."""
        single = (self.ends - self.starts == 1).tobytes()
        return b"\1\1\1\1" in single


@cache
def _tables() -> tuple[npt.NDArray[np.uint8], Hashes]:
    """For each code point below LIMIT: its class bits, and the value of its folded form (one more row for
    all code points above)."""
    word, upper, digit = int(_WORD), int(_UPPER), int(_DIGIT)
    chars = [chr(code) for code in range(LIMIT)]
    kinds, plain = bytearray(LIMIT + 1), [0] * (LIMIT + 1)
    for code, char in enumerate(chars):
        if char.isalnum():
            is_upper, is_digit = char.isupper() or char.istitle(), char.isdecimal()
            kinds[code] = word | (upper if is_upper else 0) | (digit if is_digit else 0)
            # Two letters of three are their own folded form, and that is seen sooner than made.
            is_own = not is_digit and char.lower() == char and unicodedata.is_normalized("NFKD", char)
            plain[code] = code if is_own else ord((fold(char) or char)[0])
        elif unicodedata.category(char) == "Mn":
            kinds[code], plain[code] = word, code
    classes, folded = np.frombuffer(kinds, np.uint8), np.array(plain, np.uint64)
    for sign in SIGNS.finditer("".join(chars)):
        classes[sign.start()] |= _SIGN
    for char in APOSTROPHES:
        classes[ord(char)] = _JOINER | (classes[ord(char)] & _SIGN)
        folded[ord(char)] = ord("'")
    values = folded + np.uint64(1)
    values *= np.uint64(0xD1342543DE82EF95)
    values ^= values >> np.uint64(29)
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(32)
    return classes, values


@cache
def _powers() -> tuple[Hashes, Hashes]:
    """Powers of an odd number, and of its inverse modulo 2^64."""
    inverse = pow(_ODD, -1, 1 << 64)
    up, down = np.full(_BLOCK + 1, _ODD, np.uint64), np.full(_BLOCK + 1, inverse, np.uint64)
    up[0] = down[0] = 1
    return np.cumprod(up, dtype=np.uint64), np.cumprod(down, dtype=np.uint64)


def tokenise(text: str) -> Tokens:
    """The words of a text: letters, digits and marks, with apostrophes between them. Linear; total."""
    codes = np.frombuffer(
        text.encode("utf-32-le" if sys.byteorder == "little" else "utf-32-be", "surrogatepass"), np.uint32
    )
    parts = []
    start = 0
    while start < len(codes):
        stop = min(start + _BLOCK, len(codes))
        block = codes[start:stop]
        if stop < len(codes):  # cut where no word is, if there is such a place in the last quarter
            classes = _tables()[0][np.minimum(block[-_BLOCK // 4 :], LIMIT)]
            gaps = np.flatnonzero(classes == 0)
            if len(gaps):
                stop = stop - _BLOCK // 4 + int(gaps[-1]) + 1
                block = codes[start:stop]
        parts.append(_block(block, start))
        start = stop
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return _block(codes, 0)
    return Tokens(
        np.concatenate([p.starts for p in parts]),
        np.concatenate([p.ends for p in parts]),
        np.concatenate([p.hashes for p in parts]),
        np.concatenate([p.upper for p in parts]),
        has_signs=any(p.has_signs for p in parts),
    )


def _block(codes: npt.NDArray[np.uint32], offset: int) -> Tokens:
    table, values = _tables()
    up, down = _powers()
    codes = np.minimum(codes, LIMIT)
    classes = table[codes]
    is_word = np.zeros(len(codes) + 2, np.int8)
    inner = is_word[1:-1]
    np.bitwise_and(classes, 1, out=inner, casting="unsafe")
    joiners = (classes & _JOINER).nonzero()[0]
    if len(joiners):
        between = joiners[(is_word[joiners] & is_word[joiners + 2]) == 1]
        inner[between] = 1
    edges = (is_word[1:] != is_word[:-1]).nonzero()[0]
    starts, ends = edges[::2], edges[1::2]
    sums = np.empty(len(codes) + 1, np.uint64)
    sums[0] = 0
    np.cumsum(values[codes] * up[: len(codes)], out=sums[1:])
    hashes = (sums[ends] - sums[starts]) * down[starts]
    upper = _like_names(classes, starts, ends)
    has_signs = bool(np.bitwise_or.reduce(classes) & _SIGN) if len(classes) else False
    return Tokens(starts + offset, ends + offset, hashes, upper, has_signs=has_signs)


def _like_names(
    classes: npt.NDArray[np.uint8], starts: npt.NDArray[np.intp], ends: npt.NDArray[np.intp]
) -> npt.NDArray[np.bool_]:
    """Capital first, as in `Ivan`, or second, as in `vIan`; or a digit and then a letter, as in `1v4n`."""
    last = ends - 1
    first, second = classes[starts], classes[np.minimum(starts + 1, last)]
    third = classes[np.minimum(starts + 2, last)]
    is_capital = ((first | second) & _UPPER) != 0
    has_letter = ((second & _DIGIT) == 0) | ((third & _DIGIT) == 0)
    out: npt.NDArray[np.bool_] = is_capital | (((first & _DIGIT) != 0) & has_letter)
    return out
