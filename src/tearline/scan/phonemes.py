"""Letters to sounds: how a word in Cyrillic or Latin letters may be read.

A *reading* is a string over a small alphabet of sounds: the consonants `b p v f t d m n l r k g h s z c`
(c is ts), `S Z C` (sh, zh with dzh, ch) and the vowels `a e i o u`. Cyrillic letters have nearly one
reading. A Latin word has several, for its spelling may be Slavic, English, German, French and so on, or
one of the romanisations listed in `docs/scanner.md`. A *skeleton* is the coarse consonants of a reading:
what languages that borrow a name from one another seldom change.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

_CYRILLIC = str.maketrans(
    {
        **dict(zip("абвгґдезийклмнопрстуфхцчшщыэ", "abvggdeziiklmnoprstufhcCSSie", strict=True)),
        "ж": "Z",
        "ь": "",
        "ъ": "a",
        "'": "",
        "і": "i",
        "ї": "i",
        "є": "ie",
        "ё": "io",
        "ю": "iu",
        "я": "ia",
        "ў": "v",
        "ј": "i",
        "љ": "l",
        "њ": "n",
        "ћ": "C",
        "ђ": "Z",
        "џ": "Z",
        "ѕ": "z",
        "қ": "k",
        "ғ": "g",
        "ң": "n",
        "ө": "o",
        "ү": "u",
        "ұ": "u",
        "һ": "h",
        "ә": "a",
        "ѓ": "g",
        "ќ": "k",
    }
)

_SILENT_SIGN = re.compile(r"ъ(?=[еёюя])|ʺ(?=[jeêëûâyi])|[ъʺ]$")
_FIXES = re.compile(r"([a-zSZC])(?=\1)|u(?=[aeiou])|d(?=[tZC])|t[sz]|t(?=c)")


def _fix(match: re.Match[str]) -> str:
    if match[1]:
        return ""
    return "v" if match[0] == "u" else "c" if len(match[0]) > 1 else ""


def cyrillic(word: str) -> str:
    """The reading of a folded Cyrillic word. A vowel u before a vowel is w, so v.

    The hard sign is silent before е, ё, ю, я (Russian) and a vowel elsewhere (Bulgarian).
    """
    if "ъ" in word:
        word = _SILENT_SIGN.sub("", word)
    return _FIXES.sub(_fix, word.translate(_CYRILLIC))


# Latin: for each way of spelling, the letter groups that it reads in its own way; the rest is common.
_COMMON = {
    **{c: c for c in "abdefklmnoprtuvz"}, "g": "g", "h": "h", "i": "i", "j": "i", "q": "k", "s": "s",
    "w": "v", "x": "ks", "y": "i", "'": "", "š": "S", "ś": "s", "ş": "S", "ș": "S", "ŝ": "S", "č": "C",
    "ć": "C", "ç": "s", "ž": "Z", "ż": "Z", "ź": "z", "ł": "l", "đ": "Z", "ð": "d", "þ": "t", "ß": "s",
    "ñ": "n", "ń": "n", "ň": "n", "ğ": "g", "ř": "r", "ť": "t", "ď": "d", "ľ": "l", "ĺ": "l", "ŕ": "r",
    "æ": "e", "ø": "o", "œ": "e", "ə": "a", "ä": "e", "ö": "o", "ü": "u", "ě": "e", "ę": "en", "ą": "on",
    "ĭ": "i", "ŭ": "u", "è": "e", "é": "e", "ê": "e", "ë": "e", "ó": "o", "ô": "o", "ò": "o", "õ": "o",
    "ő": "o", "ú": "u", "ù": "u", "û": "u", "ű": "u", "ů": "u", "á": "a", "à": "a", "â": "a", "ã": "a",
    "å": "o", "ă": "a", "ā": "a", "ē": "e", "í": "i", "ì": "i", "î": "i", "ï": "i", "ī": "i", "ı": "i",
    "ý": "i", "ÿ": "i", "ō": "o", "ū": "u", "ŷ": "i", "ķ": "k", "ģ": "g", "ļ": "l", "ņ": "n", "ţ": "t",
    "ț": "t", "ė": "e", "į": "i", "ų": "u", "ĝ": "Z", "ĥ": "h", "ĵ": "Z", "ĉ": "C", "ċ": "C", "ġ": "Z",
    "ħ": "h", "ḥ": "h", "ḩ": "h", "ẖ": "h", "sch": "S", "tsch": "C", "dsch": "Z", "shch": "S", "stsch": "S",
    "schtsch": "S", "szcz": "S", "sh": "S", "zh": "Z", "kh": "h", "ph": "f", "th": "t", "ts": "c",
    "tz": "c", "dzh": "Z", "dj": "Z", "dž": "Z", "dż": "Z", "šč": "S", "ść": "S", "tch": "C", "ck": "k",
    "qu": "kv", "dt": "t", "gh": "g", "tsh": "C", "tš": "C", "tč": "C", "dź": "Z", "sz": "S", "cz": "C",
    "dz": "z", "oo": "u", "ee": "i", "ou": "u", "yo": "io", "eau": "o", "aa": "a", "wh": "v", "ʺ": "a",
}  # fmt: skip
_SLAVIC = {
    "c": "c", "ch": "h", "ck": "ck", "rz": "Z",
}  # fmt: skip
_WESTERN = {
    "c": "k", "ce": "se", "ci": "si", "cy": "si", "cé": "se", "ch": "C", "j": "Z", "ge": "Ze", "gi": "Zi",
    "gy": "Zi", "dge": "Ze", "dj": "Z", "sch": "S", "sc": "sk", "sce": "se", "sci": "si", "sz": "S",
    "ough": "o", "augh": "o", "igh": "ai", "eigh": "ei", "gh": "g", "ea": "i", "ow": "o", "aw": "o",
    "ew": "iu",
}  # fmt: skip
_ENGLISH = {
    **_WESTERN, "u": "a", "gh": "", "wr": "r", "kn": "n", "gn": "n", "mb": "m", "lk": "k", "lm": "m",
    "ps": "s", "ai": "ei", "ay": "ei", "ey": "i", "y": "i", "i": "i", "th": "t", "z": "z", "ow": "au",
    "ch": "C", "rh": "r", "ui": "i", "tion": "Sn", "ugh": "", "eigh": "ei", "ia": "ia", "ius": "ius",
    "dge": "Z", "x": "ks",
}  # fmt: skip
_HARD = {
    **_WESTERN, "ge": "ge", "gi": "gi", "gy": "gi", "ch": "k", "j": "i",
}  # fmt: skip
_GERMAN = {
    "c": "k", "ce": "ce", "ci": "ci", "ch": "h", "chs": "ks", "z": "c", "v": "f", "ei": "ai", "ie": "i",
    "eu": "oi", "äu": "oi", "ae": "e", "oe": "o", "ue": "u", "st": "st", "sp": "sp", "th": "t", "j": "i",
    "s": "s", "ß": "s", "sch": "S", "ssch": "S", "ah": "a", "eh": "e", "ih": "i", "oh": "o", "uh": "u",
    "üh": "u", "öh": "o", "äh": "e", "sz": "s", "au": "au", "qu": "kv", "pf": "pf", "sh": "S",
    "ee": "e", "oo": "o",
}  # fmt: skip
_FRENCH = {
    **_WESTERN, "ch": "S", "j": "Z", "gn": "n", "qu": "k", "gu": "g", "ou": "u", "oi": "ua", "au": "o",
    "eau": "o", "ai": "e", "ei": "e", "h": "", "th": "t", "ill": "i", "eu": "e", "oeu": "e", "ce": "se",
    "ge": "Ze", "an": "an", "en": "an", "in": "en", "x": "ks", "ç": "s", "ph": "f", "y": "i", "ea": "ea",
}  # fmt: skip
_ITALIAN = {
    "c": "k", "ce": "Ce", "ci": "Ci", "cia": "Ca", "cio": "Co", "ciu": "Cu", "ch": "k", "cch": "k",
    "cce": "Ce", "cci": "Ci", "ge": "Ze", "gi": "Zi", "gia": "Za", "gio": "Zo", "giu": "Zu", "gh": "g",
    "gli": "li", "gn": "n", "sce": "Se", "sci": "Si", "sch": "sk", "zz": "c", "z": "c", "qu": "kv",
    "j": "i",
}  # fmt: skip
_SPANISH = {
    "c": "k", "ce": "se", "ci": "si", "ch": "C", "j": "h", "ge": "he", "gi": "hi", "ll": "l", "h": "",
    "qu": "k", "gue": "ge", "gui": "gi", "z": "s", "x": "h", "ñ": "n", "y": "i",
}  # fmt: skip
_DUTCH = {
    "c": "k", "ch": "h", "ij": "ei", "oe": "u", "uy": "ei", "ui": "ei", "sch": "sh", "j": "i", "v": "f",
}  # fmt: skip
_HUNGARIAN = {
    "s": "S", "sz": "s", "zs": "Z", "cs": "C", "cz": "c", "c": "c", "gy": "d", "ny": "n", "ly": "i",
    "ty": "t", "j": "i", "a": "o", "ch": "h", "ss": "S", "ssz": "s",
}  # fmt: skip
_TURKISH = {
    "c": "Z", "ç": "C", "ş": "S", "ğ": "", "j": "Z", "ch": "C",
}  # fmt: skip
_STRIPPED = {
    **_SLAVIC, "s": "S", "c": "C", "z": "Z", "ck": "ck",
}  # fmt: skip
_CHINESE = {
    "x": "s", "q": "c", "zh": "Z", "j": "z", "ch": "C", "c": "c", "h": "h", "ng": "n",
}  # fmt: skip
_PORTUGUESE = {
    **_FRENCH, "h": "", "lh": "l", "nh": "n", "x": "S", "ch": "S", "ão": "an", "en": "en", "in": "in",
}  # fmt: skip
_ROMANISED = {
    **_SLAVIC, "rz": "rz", "ch": "C", "iy": "i", "yy": "i", "ya": "ia", "yu": "iu", "ye": "e", "x": "h",
    "h": "h",
}  # fmt: skip


class _Sounds(dict[int, str]):
    """A table for str.translate: what it lacks is silent."""

    def __missing__(self, code: int) -> str:
        return ""


def _reader(groups: dict[str, str]) -> Callable[[str], str]:
    table = {**_COMMON, **groups}
    longer = sorted((key for key in table if len(key) > 1), key=len, reverse=True)
    marks = {key: chr(0xE000 + number) for number, key in enumerate(longer)}  # each group as one letter
    sounds = _Sounds({ord(marks.get(key, key)): sound for key, sound in table.items()})
    tails = {
        first: [re.escape(key[1:]) for key in longer if key[0] == first] for first in {k[0] for k in longer}
    }
    pattern = re.compile("|".join(f"{first}(?:{'|'.join(rest)})" for first, rest in sorted(tails.items())))

    def read(word: str) -> str:
        if "ʺ" in word:
            word = _SILENT_SIGN.sub("", word)
        marked = pattern.sub(lambda match: marks[match[0]], word)
        return _FIXES.sub(_fix, marked.translate(sounds))

    return read


_SILENT_H = re.compile(r"(?<![sckzptgw])(?<!^)h(?![aeiouyáéíóúäöü])|(?<=[aeiou])h(?=[aeiou])")
slavic, _western = _reader(_SLAVIC), _reader(_WESTERN)


def western(word: str) -> str:
    """The reading of a word spelt as in English or French; an h before a consonant is silent."""
    return _western(_SILENT_H.sub("", word) or word)


_LATIN = [slavic, western] + [
    _reader(groups)
    for groups in (
        _ROMANISED, _ENGLISH, _HARD, _GERMAN, _FRENCH, _ITALIAN, _SPANISH, _DUTCH, _HUNGARIAN, _TURKISH,
        _PORTUGUESE, _STRIPPED, {**_SLAVIC, "c": "C"}, _CHINESE,
    )
]  # fmt: skip
_LONG_A = re.compile(r"a(?=[bcdfgjklmnprstvz][eioy])")
_GERMAN_ST = re.compile(r"^s(?=[tp])")
_FRENCH_END = re.compile(r"(?<=[aeiouyéèêëlnrm])(?:er|[tdsxzp]s?|es|ts|ds)$|(?<=i)er$")


@lru_cache(maxsize=1 << 16)
def latin(word: str) -> tuple[str, ...]:
    """All readings of a folded Latin word, the Slavic one first, without repetition."""
    readings = [read(word) for read in _LATIN]
    if _LONG_A.search(word):
        readings.append(_LATIN[3](_LONG_A.sub("ei", word)))
    if _GERMAN_ST.search(word):
        readings.append(_LATIN[5](_GERMAN_ST.sub("sch", word)))
    if _FRENCH_END.search(word):
        readings.append(_LATIN[6](_FRENCH_END.sub("", word)))
    if "h" in word:
        readings += [slavic(_SILENT_H.sub("", word) or word), _western(word)]
    return tuple(dict.fromkeys(filter(None, readings)))


stripped = _LATIN[13]
"""The reading of a word whose carons are lost."""
_NO_CARONS = str.maketrans("čćšśžźżđ", "ccsszzzd")


def latin_literal(word: str) -> tuple[str, ...]:
    """The readings of a folded Latin word by the spellings that names out of Cyrillic have."""
    plain = word.translate(_NO_CARONS)
    found = (slavic(word), western(word), _LATIN[2](word), slavic(plain))
    return tuple(dict.fromkeys(filter(None, found)))


def latin_in_text(word: str) -> tuple[str, ...]:
    """The readings that a capitalised Latin word of a text pays for: Slavic, Western, English, French."""
    readings = [slavic(word), western(word), _LATIN[3](word)]
    if _FRENCH_END.search(word):
        readings.append(_LATIN[6](_FRENCH_END.sub("", word)))
    return tuple(dict.fromkeys(filter(None, readings)))


_COARSE = str.maketrans("fghzcZCS", "vkksswww")
_COARSE_FIXES = re.compile(r"[td](?=[sw])|s(?=w)|d(?=t)|([bpvtdmnlrksw])(?=\1)")
_NO_VOWELS = str.maketrans("", "", "aeiou")


def coarse(reading: str) -> str:
    """A reading with its sounds merged into twelve consonants (`w` is any hushing sound) and five vowels."""
    return _COARSE_FIXES.sub("", reading.translate(_COARSE))


def merged(reading: str) -> str:
    """The sounds of a reading that stand behind those of `coarse`, not merged."""
    dropped = {match.start() for match in _COARSE_FIXES.finditer(reading.translate(_COARSE))}
    return "".join(sound for k, sound in enumerate(reading) if k not in dropped)


@lru_cache(maxsize=1 << 16)
def skeleton(reading: str) -> str:
    """The coarse consonants; a word without consonants keeps its vowels."""
    return skeleton_of(coarse(reading)) or reading


def skeleton_of(short: str) -> str:
    """The consonants of a coarse reading."""
    return short.translate(_NO_VOWELS)
