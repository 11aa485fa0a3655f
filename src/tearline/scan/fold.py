"""Characters: their classes, their folded form, look-alikes and digits that stand for letters.

Homoglyphs: the pairs that Unicode Technical Standard 39 (confusables) gives for Cyrillic, Greek and
Latin letters that look the same in common type.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import product

LIMIT = 0x20000
"""Code points above this are never part of a word."""

APOSTROPHES = "'’‘ʼ`´ʹ′ʻ"
_IS_CYRILLIC = re.compile(r"[\u0400-\u052f]")
_IS_LATIN = re.compile(r"[a-z\u00df-\u024f\u1e00-\u1eff]")

_TO_CYRILLIC = str.maketrans("aceiopxykmtbhnrsjgαορενικτυχѵ", "асеіорхукмтвнпгѕјгаореуіктухв")
_TO_LATIN = str.maketrans("асеіорхукмтвнгѕјѵαορενικτυχԁԛԝһӏ", "aceiopxykmtbhrsjvaopevikuuxdqwhl")
_DIGITS_LATIN = {
    "0": "o", "1": "il", "3": "e", "4": "a", "5": "s", "6": "gb", "7": "t", "8": "b", "9": "g", "2": "z",
}  # fmt: skip
_DIGITS_CYRILLIC = {
    "0": "о", "1": "іл", "3": "ез", "4": "ач", "5": "с", "6": "б", "7": "т", "8": "в", "9": "д", "2": "з",
}  # fmt: skip
_MOST_VARIANTS = 4
_LONGEST = 40
_KEEP = set("áàâãåăāäéèêëēėęěíìîïīįıóòôõöőōøúùûüűūůųýÿçćčĉċďğģĝġĥķĺļľñńňņŕřśşșŝšťţțźżžŷŭĭąḥḩẖĵłđðþßøæœəħ")
_FOREIGN = re.compile(rf"[^a-z{''.join(sorted(_KEEP))}\u0430-\u044f\u0451-\u045f\u0490-\u04ff']")
_ONE_SCRIPT = re.compile(r"[\u0430-\u044f\u0451-\u045f\u0490-\u04ff']+|[a-z\u00df-\u024f']+")


def fold(word: str) -> str:
    """Lower case, composed, one apostrophe, no accents that no reading knows. Total."""
    folded = word.lower()
    if not _FOREIGN.search(folded):
        return folded
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded).lower())
    return "".join(map(_plain, folded))


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    if char in APOSTROPHES:
        return "'"
    if char in _KEEP or "\u0400" <= char <= "\u052f":
        return char
    if char.isdigit() and char.isdecimal():
        return str(unicodedata.digit(char))
    if unicodedata.category(char) in {"Mn", "Cf"}:
        return ""
    return unicodedata.normalize("NFD", char)[0]


def spellings(word: str) -> tuple[tuple[str, bool], ...]:
    """The words in one script that a folded token may stand for, each with whether it is Cyrillic.

    A token with letters of two scripts is read in both; digits inside a token as the letters they look
    like. At most four; none where there is no letter of a script that we can read.
    """
    if len(word) > _LONGEST:
        return ()
    if _ONE_SCRIPT.fullmatch(word) and word[0] != "'":
        return ((word, word[0] >= "\u0400"),)
    has_cyrillic, has_latin = bool(_IS_CYRILLIC.search(word)), bool(_IS_LATIN.search(word))
    if not (has_cyrillic or has_latin):
        return ()
    clean: list[tuple[str, bool]] = []
    if has_cyrillic and not has_latin and not _GREEK.search(word):
        clean = [(word, True)]
    elif has_latin and not has_cyrillic and not _GREEK.search(word):
        clean = [(word, False)]
    else:
        as_cyrillic, as_latin = word.translate(_TO_CYRILLIC), word.translate(_TO_LATIN)
        if not _IS_LATIN.search(as_cyrillic):
            clean.append((as_cyrillic, True))
        if not _IS_CYRILLIC.search(as_latin):
            clean.append((as_latin, False))
    if not _DIGIT.search(word):
        return tuple(clean)
    out: list[tuple[str, bool]] = []
    for text, is_cyrillic in clean:
        table = _DIGITS_CYRILLIC if is_cyrillic else _DIGITS_LATIN
        choices = [table.get(char, char) for char in text]
        out += [
            ("".join(c), is_cyrillic) for c, _ in zip(product(*choices), range(_MOST_VARIANTS), strict=False)
        ]
    return tuple(out)


def latin_lookalike(word: str) -> str:
    """A folded word with the letters that look like Latin ones replaced by them."""
    return word.translate(_TO_LATIN)


_GREEK = re.compile(r"[\u0370-\u03ff]")
_DIGIT = re.compile(r"[0-9]")
