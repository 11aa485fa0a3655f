"""Cyrillic to Latin by the standards that passports, maps, libraries and newspapers use. Pure.

Sources of the tables: Ukraine, Cabinet resolution 55 of 2010 (`national`) and 858 of 2007 (`passport`);
BGN/PCGN romanisation systems of 1965 (Ukrainian), 1947 (Russian) and 1952 (Bulgarian); ISO 9:1995; the
scholarly system of Slavists; ICAO Doc 9303 part 3 (Russian passports since 2013), the French-like one before
1997; the Bulgarian Transliteration Act of 2009. `newspaper` is what the wire services print: no signs, short
endings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_VOWELS = "аеёиоуыэюяєії"
_APOSTROPHES = "'’ʼ‘"


def _table(cyrillic: str, latin: str) -> dict[str, str]:
    return dict(zip(cyrillic.split(), (each.replace("-", "") for each in latin.split()), strict=True))


_COMMON = _table(
    "а б в г д е ж з и й к л м н о п р с т у ф х ц ч ш щ ь ю я",
    "a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch - yu ya",
)
_HACEK = _table("ж й х ц ч ш щ ю я", "ž j h c č š šč ju ja")
_ISO9 = _HACEK | _table("щ ю я ь ъ є ї і э ё ы ґ", "ŝ û â ʹ ʺ ê ï ì è ë y g̀")
_UK = _COMMON | _table("г ґ и і ї є", "h g y i i ie")
_RU = _COMMON | _table("ё ы э ъ", "e y e -")
_BG = _COMMON | _table("х щ ъ", "h sht a")

_UK_NATIONAL = _UK | _table("й ю я", "i iu ia")
_INITIAL_UK = _table("є ї й ю я", "ye yi y yu ya")

STANDARDS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "uk": {
        "national 2010": _UK_NATIONAL,
        "BGN/PCGN 1965": _UK | _table("є ї ь", "ye yi ’"),
        "ISO 9": _COMMON | _ISO9,
        "scholarly": _UK | _HACEK | _table("є ї ь х", "je ï ʹ x"),
        "passport": _UK_NATIONAL,
        "newspaper": _UK,
    },
    "ru": {
        "BGN/PCGN 1947": _RU | _table("ё ь ъ", "yë ’ ”"),
        "ISO 9": _COMMON | _ISO9,
        "scholarly": _RU | _HACEK | _table("ё э ь ъ х", "ë è ʹ ʺ x"),
        "passport": _RU | _table("й ъ ю я", "i ie iu ia"),
        "passport, French-like": _RU | _table("у ш ч ж х ц щ ю я й", "ou ch tch j kh ts chtch iou ia i"),
        "newspaper": _RU | _table("ё", "yo"),
    },
    "bg": {
        "national 2009": _BG,
        "BGN/PCGN 1952": _BG | _table("х ъ ь", "kh ŭ ’"),
        "ISO 9": _COMMON | _ISO9,
        "scholarly": _BG | _HACEK | _table("щ ъ ь", "št ă ʹ"),
        "passport": _BG,
        "newspaper": _BG | _table("ъ й", "u i"),
    },
}


def romanise(text: str, lang: str, standard: str) -> str:
    """`text` (base forms) in Latin letters; what is not Cyrillic stays."""
    return re.sub(r"\w+(?:['’ʼ‘]\w+)*", lambda word: _word(word[0], lang, standard), text)


def _word(word: str, lang: str, standard: str) -> str:
    table = STANDARDS[lang][standard]
    lower = word.lower()
    if standard == "newspaper":
        lower = re.sub(r"(?<=[сц])ь?кий$|(?<=\w)(?:[иы]й|ій)$", lambda end: _short(end[0]), lower)
        lower = lower.replace("кс", "x")
    if lang == "uk" and "national" in standard:
        lower = lower.replace("зг", "zgh")
    pieces: list[str] = []
    for at, letter in enumerate(lower):
        before = lower[at - 1] if at else ""
        piece = table.get(letter, "" if letter in _APOSTROPHES and at else letter)
        if lang == "uk" and standard in ("national 2010", "passport") and not at:
            # The resolution of 2007 has `ie`, `i` at the beginning too; that of 2010 `ye`, `yi`.
            piece = _INITIAL_UK.get(letter, piece) if standard == "national 2010" else piece
        elif (
            lang == "ru" and standard.startswith("BGN") and letter == "е" and before in ("", *_VOWELS, *"йъь")
        ):
            piece = "ye"
        pieces.append(piece)
    latin = "".join(pieces)
    if lang == "bg" and lower.endswith("ия") and standard in ("national 2009", "passport"):
        latin = latin.removesuffix("iya") + "ia"
    if word.isupper() and len(word) > 1:
        return latin.upper()
    return latin[:1].upper() + latin[1:] if word[:1].isupper() else latin


def _short(end: str) -> str:
    return "ky" if end.endswith("кий") else "y"
