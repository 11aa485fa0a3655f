"""Invented identifiers in invented sentences, with every punctuation that people give them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import NamedTuple

from benchmarks.names_data.corpus import Document, Mention

_SENTENCES = {
    "en": (
        "Reach him at {} before noon.",
        "Note {}; then burn it.",
        "The paper says ({}).",
        "Seen twice: {}, {other}.",
    ),
    "uk": (
        "Зв’язок через {} до полудня.",
        "Запишіть {}; решту згодом.",
        "У справі ({}).",
        "Двічі: {}, {other}.",
    ),
    "ru": (
        "Связь через {} до полудня.",
        "Запишите {}; остальное потом.",
        "В деле ({}).",
        "Дважды: {}, {other}.",
    ),
}
"""`{other}` is a number that is nobody's."""


class Identifier(NamedTuple):
    kind: str
    """A word of the `kind` column."""
    value: str
    """As it stands in the vault."""
    spellings: Mapping[str, str]
    """Name of a punctuation -> the value in it."""


def phone(chance: Random) -> Identifier:
    country, area = chance.choice((("380", "44"), ("380", "67"), ("7", "495"), ("48", "22")))
    tail = "".join(
        chance.choice("0123456789") for _ in range(11 - len(country) - len(area) + (country == "380"))
    )
    a, b, c = tail[:-4], tail[-4:-2], tail[-2:]
    trunk = "8" if country == "7" else "0"
    whole = f"{country}{area}{tail}"
    spellings = {
        "digits": whole,
        "+digits": f"+{whole}",
        "hyphens": f"+{country}-{area}-{a}-{b}-{c}",
        "spaces": f"+{country} {area} {a} {b} {c}",
        "brackets": f"+{country} ({area}) {a}-{b}-{c}",
        "dots": f"+{country}.{area}.{a}.{b}{c}",
        "no-break spaces, non-breaking hyphens": f"+{country}\u00a0{area}\u00a0{a}\u2011{b}\u2011{c}",
        "dashes": f"+{country}–{area}–{a}–{b}–{c}",
        "slashes": f"+{country}/{area}/{a}{b}{c}",
        "00 before": f"00{country} {area} {a}{b}{c}",
        "national": f"{trunk}{'-' if country == '7' else ''}{area} {a}-{b}-{c}",
        "national, brackets": f"8({area}) {a}-{b}-{c}" if country == "7" else f"(0{area}) {a}-{b}-{c}",
        "tel: link": f"tel:+{country}-{area}-{a}{b}{c}",
        "zero-width inside": f"+{country}\u200b{area}{a}\u200b{b}{c}",
        "full-width digits": "+" + "".join(chr(0xFF10 + int(digit)) for digit in whole),
        "spaced digit by digit": " ".join(whole),
        "over a line break": f"+{country} {area}\n{a}-{b}-{c}",
    }
    return Identifier("phone", f"+{country} {area} {a} {b} {c}", spellings)


def email(chance: Random) -> Identifier:
    user = f"{_word(chance)}.{_word(chance)}{chance.randint(1, 99)}"
    host = f"{_word(chance)}-{_word(chance)}"
    value = f"{user}@{host}.example"
    spellings = {
        "plain": value,
        "capitals": value.upper(),
        "mailto:": f"<mailto:{value}>",
        "[at] [dot]": f"{user} [at] {host} [dot] example",
        "(at), (dot)": f"{user}(at){host}(dot)example",
        "words at, dot": f"{user} at {host} dot example",
        "spaces": f"{user} @ {host} . example",
        "entities": f"{user}&#64;{host}&#46;example",
        "zero-width inside": f"{user[:3]}\u200b{user[3:]}@\u200b{host}.example",
        "full-width @": f"{user}＠{host}.example",
        "over a line break": f"{user}@\n{host}.example",
        "tagged address": f"{user}+news@{host}.example",
    }
    return Identifier("email", value, spellings)


_SAME = dict(zip("ABCEHIKMOPTX", "АВСЕНІКМОРТХ", strict=True))


def passport(chance: Random) -> Identifier:
    letters = "".join(chance.choice("ABCEHKMPTX") for _ in range(2))
    digits = "".join(chance.choice("0123456789") for _ in range(6))
    spellings = {
        "plain": letters + digits,
        "space": f"{letters} {digits}",
        "№": f"{letters} № {digits}",
        "No.": f"{letters} No. {digits}",
        "hyphens": f"{letters}-{digits[:3]}-{digits[3:]}",
        "spaces in the number": f"{letters} {digits[:3]} {digits[3:]}",
        "small letters": f"{letters.lower()}{digits}",
        "Cyrillic look-alikes": "".join(_SAME[letter] for letter in letters) + digits,
        "slash": f"{letters}/{digits}",
        "no-break space": f"{letters}\u00a0{digits}",
        "over a line break": f"{letters}\n{digits}",
        "quotation marks": f"«{letters}» {digits}",
    }
    return Identifier("document", letters + digits, spellings)


_SIGNS = {"Беркут": "Berkut", "Вихор": "Vykhor", "Граніт": "Hranit", "Дрозд": "Drozd", "Корсар": "Korsar"}


def callsign(chance: Random) -> Identifier:
    name, latin = chance.choice(sorted(_SIGNS.items()))
    number = str(chance.randint(11, 989))
    spellings = {
        "plain": f"{name}-{number}",
        "space": f"{name} {number}",
        "joined": f"{name}{number}",
        "small letters": f"{name.lower()}-{number}",
        "capitals": f"{name.upper()}-{number}",
        "quotation marks": f"«{name}-{number}»",
        "quoted word": f"„{name}“ {number}",
        "dash": f"{name} – {number}",
        "dot": f"{name}.{number}",
        "underscore": f"{name}_{number}",
        "Latin": f"{latin}-{number}",
        "Latin capitals": f"{latin.upper()} {number}",
        "letter-spaced": f"{' '.join(name)} - {' '.join(number)}",
    }
    return Identifier("callsign", f"{name}-{number}", spellings)


def coordinates(chance: Random) -> Identifier:
    lat, lon = chance.randint(441_000, 523_000) / 10_000, chance.randint(221_000, 401_000) / 10_000
    a, b = f"{lat:.4f}", f"{lon:.4f}"
    spellings = {
        "plain": f"{a}, {b}",
        "no space": f"{a},{b}",
        "space": f"{a} {b}",
        "semicolon": f"{a}; {b}",
        "brackets": f"({a}; {b})",
        "N, E after": f"{a}N {b}E",
        "N, E before": f"N{a} E{b}",
        "degree signs": f"{a}° N, {b}° E",
        "decimal commas": f"{a.replace('.', ',')} {b.replace('.', ',')}",
        "slash": f"{a}/{b}",
        "labels": f"lat {a} lon {b}",
        "geo: link": f"geo:{a},{b}",
        "degrees, minutes, seconds": f"{_dms(lat)} N {_dms(lon)} E",
    }
    return Identifier("other", f"{a}, {b}", spellings)


def _dms(value: float) -> str:
    seconds = value * 3600
    return f"{int(value)}°{int(seconds // 60 % 60):02d}'{seconds % 60:04.1f}\""


def _word(chance: Random) -> str:
    return "".join(
        chance.choice("bdfgklmnprstvz") + chance.choice("aeiou") for _ in range(chance.randint(2, 3))
    )


MAKERS: Mapping[str, Callable[[Random], Identifier]] = {
    "phone": phone,
    "e-mail": email,
    "passport": passport,
    "call sign": callsign,
    "coordinates": coordinates,
}


def identifiers(maker: Callable[[Random], Identifier], count: int, chance: Random) -> dict[str, Identifier]:
    """id -> identifier, all different."""
    made: dict[str, Identifier] = {}
    while len(made) < count:
        one = maker(chance)
        made.setdefault(one.value, one)
    return {f"S{number:05}": each for number, each in enumerate(made.values())}


def documents(held: Mapping[str, Identifier], lang: str, chance: Random) -> Iterator[tuple[str, Document]]:
    """(punctuation, a document with one identifier in it), every identifier in every punctuation."""
    for identity, one in held.items():
        for name, spelling in one.spellings.items():
            before, after = chance.choice(_SENTENCES[lang]).split("{}")
            after = after.replace("{other}", f"{chance.randint(10**6, 10**7)}")
            text = f"{before}{spelling}{after}"
            mention = Mention(len(before), len(before) + len(spelling), spelling, one.value, identity)
            yield name, Document("identifiers", lang, text, (mention,))
