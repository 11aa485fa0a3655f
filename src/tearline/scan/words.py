"""Words of a text and of a name: how each may be read.

The text's word is inflected and has few readings, for every word of every text pays for them; the
name's word is in its base form and has as many readings as there are ways to spell.
"""

from __future__ import annotations

from functools import lru_cache

from tearline.scan import endings, phonemes
from tearline.scan.fold import spellings

_FEMININE = ("ová", "ova", "owa")


@lru_cache(maxsize=1 << 16)
def text_readings(word: str, is_name: bool = False) -> tuple[str, ...]:
    """Readings of a folded word of a text: as it stands, without its case ending, its velar hardened.

    A word that looks like a name, for it is capitalised, has more readings: all those of a name if Latin.
    """
    out: dict[str, None] = {}
    for spelling, is_cyrillic in spellings(word):
        forms = [spelling, endings.strip(spelling, is_cyrillic=is_cyrillic)]
        if is_name:
            forms.append(endings.hardened(spelling))
        for form in dict.fromkeys(forms):
            if is_cyrillic:
                out[phonemes.cyrillic(form)] = None
                if "щ" in form:  # Bulgarian
                    out[phonemes.cyrillic(form.replace("щ", "шт"))] = None
            else:
                out[phonemes.slavic(form)] = None
                if "x" in form:  # scholarly romanisation
                    out[phonemes.slavic(form.replace("x", "h"))] = None
                if is_name:
                    out.update(dict.fromkeys(phonemes.latin_in_text(form)))
    out.pop("", None)
    return tuple(out) if out or not word.isdecimal() else (word,)


@lru_cache(maxsize=1 << 16)
def name_readings(word: str) -> tuple[str, ...]:
    """Readings of a folded word of a name, all ways of spelling considered; the most literal one first."""
    out: dict[str, None] = {}
    for spelling, is_cyrillic in spellings(word):
        forms = [spelling]
        if not is_cyrillic and spelling.endswith(_FEMININE) and len(spelling) > 5:
            forms.append(spelling[:-3])
        for form in forms:
            for reading in (phonemes.cyrillic(form),) if is_cyrillic else phonemes.latin(form):
                out[reading] = None
    out.pop("", None)
    return tuple(out) if out or not word.isdecimal() else (word,)


def skeletons(readings: tuple[str, ...]) -> tuple[str, ...]:
    """The distinct skeletons of readings, in their order."""
    return tuple(dict.fromkeys(map(phonemes.skeleton, readings)))


_LETTERS = {
    "j": "iZh", "g": "ghZ", "c": "kcsC", "h": "hg", "w": "vu", "y": "iu", "x": "kzs", "є": "ie", "е": "ei",
    "э": "e", "u": "ua", "ю": "iu", "я": "ia", "і": "i", "и": "i", "й": "i", "г": "hg", "х": "hg", "q": "k",
    "ц": "cs", "д": "dZ", "у": "uv", "в": "vu", "о": "oa", "o": "oa", "z": "zc", "з": "z", "с": "sz",
    "v": "vf",
}  # fmt: skip
"""What an initial may sound like, beside its own first sound."""


@lru_cache(maxsize=1 << 10)
def initial_sounds(letters: str) -> str:
    """The first sounds, and the letter itself after `'`, that an initial may stand for.

    `letters` is folded: one letter, or two as in Дж., Ch., Yu.
    """
    sounds = {reading[0] for reading in text_readings(letters)}
    return "".join(sorted(sounds | set(_LETTERS.get(letters, ""))))


def stems(readings: tuple[str, ...]) -> tuple[str, ...]:
    """The distinct readings without the vowels at their ends, in their order."""
    return tuple(dict.fromkeys(reading.rstrip("aeiou") or reading for reading in readings))


@lru_cache(maxsize=1 << 16)
def latin_spellings(word: str, *, is_inflected: bool) -> tuple[str, ...]:
    """How a folded Latin word is read beside another: Slavic, newspapers, passports, without carons.

    In Latin letters a name keeps its spelling, unless it came out of Cyrillic: no other orthography is read.
    """
    forms = [word]
    if is_inflected:
        forms += [endings.strip(word, is_cyrillic=False), endings.hardened(word)]
    elif word.endswith(_FEMININE) and len(word) > 5:
        forms.append(word[:-3])
    readings = dict.fromkeys(reading for form in forms for reading in phonemes.latin_literal(form))
    return (*readings,) if is_inflected else (*readings, phonemes.stripped(word))
