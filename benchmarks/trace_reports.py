"""Invented reports in English, Ukrainian and Russian that say the same, by the hundred thousand. Pure.

Each sentence is a template in three languages (`trace_reports.txt`); names, places, figures, dates and times
are drawn. Names end in a consonant, so that Ukrainian and Russian case endings can be written into the
templates. There are few templates on purpose: most runs of words are shared by thousands of reports, more
than in real ones.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import NamedTuple

LANGUAGES = ("en", "uk", "ru")
_PARTS = """
b/б/б v/в/в d/д/д zh/ж/ж z/з/з k/к/к l/л/л m/м/м n/н/н p/п/п r/р/р s/с/с t/т/т kh/х/х ch/ч/ч sh/ш/ш h/г/г
a/а/а e/е/е o/о/о u/у/у i/і/и y/и/ы
r/р/р n/н/н l/л/л t/т/т k/к/к s/с/с v/в/в d/д/д m/м/м nd/нд/нд rt/рт/рт
"""
_SOUNDS, _VOWELS, _CODAS = ([each.split("/") for each in line.split()] for line in _PARTS.strip().split("\n"))
_MONTHS_TEXT = """
January February March April May June July August September October November December
січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня
января февраля марта апреля мая июня июля августа сентября октября ноября декабря
"""
_MONTHS = dict(zip(LANGUAGES, (line.split() for line in _MONTHS_TEXT.strip().split("\n")), strict=True))
_TEMPLATES = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
_SENTENCES = [
    dict(zip(LANGUAGES, block.split("\n"), strict=True)) for block in _TEMPLATES.strip().split("\n\n")
]
_SYNONYMS = [
    pair.strip().split("/")
    for pair in """
vehicles/trucks; left/departed from; moved towards/headed for; unit/formation; arrived/came; crossed/passed;
about/roughly; received/obtained; names/states; told/informed; associates/friends; repeated/done again;
contacted/queried; assess/judge; used/employed; stopped/ceased; appeared/surfaced; founded/set up;
seen/observed; visible/to be seen; area/district; check/review; went/flowed; closed/shut; carried/transported;
reached/got to; only/just; produces/makes; until/till; before/prior to; near/close to; officer/serviceman;
depot/store; bridge/crossing; company/firm; shipment/delivery; according to/by; people/workers; low/little
""".replace("\n", " ").split(";")
]


class Report(NamedTuple):
    """What one report says, in each language, sentence by sentence."""

    sentences: tuple[dict[str, str], ...]

    def text(self, language: str) -> str:
        """Paragraphs of three sentences."""
        said = [each[language] for each in self.sentences]
        return "\n\n".join(" ".join(said[at : at + 3]) for at in range(0, len(said), 3))


def report(random: Random, sentences: int = 15) -> Report:
    """A report about invented persons and places; about 300 words in English."""
    world = _world(random)
    chosen = random.sample(range(len(_SENTENCES)), sentences)
    return Report(tuple(_filled(_SENTENCES[number], world, random) for number in chosen))


def _world(random: Random) -> dict[str, dict[str, str]]:
    """Names that stay the same throughout a report."""
    world: dict[str, dict[str, str]] = {name: _name(random) for name in "ABC"}
    for person in "XY":
        given, surname = _name(random, 1), _name(random)
        world[person] = {lang: f"{given[lang]} {surname[lang]}" for lang in LANGUAGES}
    for name, count in (("Z", 1), ("S", 2)):
        words = " ".join(_name(random)["en"] for _ in range(count))
        world[name] = dict.fromkeys(LANGUAGES, words if name == "Z" else words.upper())
    return world


def _name(random: Random, syllables: int = 0) -> dict[str, str]:
    parts = []
    for _ in range(syllables or random.choice((2, 2, 3))):
        parts += [random.choice(_SOUNDS), random.choice(_VOWELS)]
    parts.append(random.choice(_CODAS))
    return {lang: "".join(part[at] for part in parts).capitalize() for at, lang in enumerate(LANGUAGES)}


def _filled(sentence: dict[str, str], world: dict[str, dict[str, str]], random: Random) -> dict[str, str]:
    same = {letter: f"{random.randrange(24):02}:{random.randrange(60):02}" for letter in "tuv"}
    same |= {
        "n": str(random.randint(3, 90)),
        "k": str(random.randint(5, 400)),
        "s": str(random.randint(2, 72)),
        "q": str(random.randint(1000, 9999)),
        "i": ".".join(str(random.randint(1, 254)) for _ in range(4)),
        "f": f"{_name(random)['en'].lower()}@{_name(random)['en'].lower()}.example",
    }
    amount, year = random.randint(2, 9000), random.choice((2024, 2025, 2026))
    days = {letter: (random.randint(1, 28), random.randrange(12)) for letter in "dem"}
    at = random.uniform(10, 70), random.uniform(10, 150)
    out = {}
    for lang in LANGUAGES:
        own = {letter: f"{day} {_MONTHS[lang][month]}" for letter, (day, month) in days.items()}
        own["d"] += f" {year}"
        own["my"] = f"{_MONTHS[lang][days['m'][1]]} {year}"
        own["m"] = f"{amount:,}" if lang == "en" else f"{amount:,}".replace(",", "\u00a0")
        own["g"] = f"{at[0]:.4f}° N, {at[1]:.4f}° E"
        own["h"] = f"{at[0]:.4f}° пн. ш., {at[1]:.4f}° сх. д."
        own["r"] = f"{at[0]:.4f}° с. ш., {at[1]:.4f}° в. д."
        names = {letter: words[lang] for letter, words in world.items()}
        out[lang] = sentence[lang].format(**same, **own, **names)
    return out


def excerpt(text: str, share: float, random: Random) -> str:
    """Sentences in a row that hold at least this share of a text's words."""
    said = text.replace("\n\n", " ").split(". ")
    need = share * len(text.split())
    first = random.randrange(len(said))
    while len(" ".join(said[first:]).split()) < need:
        first -= 1
    last = first + 1
    while len(" ".join(said[first:last]).split()) < need:
        last += 1
    return ". ".join(said[first:last])


def with_typos(text: str, share: float, random: Random) -> str:
    """This share of words with a letter lost, doubled or swapped with the next."""
    words = text.split(" ")
    for at, word in enumerate(words):
        if len(word) > 3 and random.random() < share:
            k = random.randrange(1, len(word) - 1)
            words[at] = random.choice(
                (
                    word[:k] + word[k + 1 :],
                    word[:k] + word[k] + word[k:],
                    word[:k] + word[k + 1] + word[k] + word[k + 2 :],
                )
            )
    return " ".join(words)


def reformatted(text: str, random: Random) -> str:
    """As a list in capitals or small letters, with new line breaks, hyphens and other quotes."""
    words = text.split()
    for at in range(7, len(words), 9):
        words[at] = (
            words[at][:3] + "-\n" + words[at][3:]
            if words[at].isalpha() and len(words[at]) > 7
            else words[at] + "\n"
        )
    out = "* " + " ".join(words).replace("\n ", "\n").replace(". ", ".\n* ")
    return out.upper() if random.random() < 0.3 else out


def reordered(text: str, random: Random) -> str:
    """Its sentences in another order."""
    said = text.rstrip(".").split(". ")
    random.shuffle(said)
    return ". ".join(said) + "."


def paraphrased(text: str, random: Random, share: float = 0.7) -> str:
    """English: words by synonyms, wherever there is one."""
    for one, other in _SYNONYMS:
        if random.random() < share:
            text = text.replace(f" {one} ", f" {other} ")
    return text
