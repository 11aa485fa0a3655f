"""What the words of a text mean, roughly: what a translation keeps where it has no figures and no names.

A word has one key: that of its meaning if the vocabulary has it (`trace/data/concepts.txt`), else, if it is
long, of its first consonants, for many words are borrowed or akin (`контролер`, `controller`). One such key
tells next to nothing; a paragraph has twenty.

In one language two texts on one subject share these words, and runs of words tell more. So they count only
between texts that share no language (`ranking`); for that each text has the keys of its languages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files

from tearline.scan.fold import fold
from tearline.scan.words import skeletons, text_readings
from tearline.terms import BadInput
from tearline.trace.likeness.words import Words

PRIOR_OF_MEANING, PRIOR_OF_SOUND = 0.1, 0.05
"""How often a report that has nothing to do with another may be expected to hold the same."""
_LONG, _CONSONANTS, _ENDING = 6, (4, 5), 6
"""Letters of a word that may be borrowed; least and most consonants that count; letters behind a stem."""
_COMMON = {
    "en": "the of and is that was for with are were from not which been an have its would their this after",
    "pl": "w i się nie jest przez przed który która które oraz dla był była było są tego jako także już",
    "cs": "je při před který která které nebo byl byla bylo jsou ve také podle jako však jeho této",
    "sl": "je pri pred ki ali kot bil bila bilo tudi ni iz še pa so ter kako več lahko med",
    "uk": "й та що у із не від про як його її їх був була було були цей це або після також щоб",
    "ru": "и что с из не от как его её их был была было были или после также чтобы это под при",
    "bg": "се от да че е с ще са към при като ги му не това който която които бъде след или",
}
"""Words by which a text's language is known; those in two languages of a script are left out."""
_LETTERS = {"і": "uk", "ї": "uk", "є": "uk", "ґ": "uk", "ы": "ru", "э": "ru", "ё": "ru", "ъ": "bg"}
"""Letters of one language alone, nearly."""
_SCRIPTS = {"Latin": ("cs", "en", "pl", "sl"), "Cyrillic": ("bg", "ru", "uk")}
_SOME = 4


def languages(words: Words) -> tuple[str, ...]:
    """The languages of a text, each of a good part of its words; all of a script if it cannot be known."""
    seen = Counter(map(_language, words.strings))
    sizes = {script: sum(seen[each] for each in (script, *names)) for script, names in _SCRIPTS.items()}
    out: list[str] = []
    for script, names in _SCRIPTS.items():
        if _SOME * sizes[script] >= max(sizes.values()):
            most = max(seen[name] for name in names)
            out += [name for name in names if _SOME * seen[name] >= most]
    return tuple(sorted(out))


@lru_cache(maxsize=1 << 16)
def _language(word: str) -> str:
    """The language that a word is of, or, where that cannot be told, its script; nothing for a figure."""
    plain = word.lower()
    if not plain.isalpha():
        return ""
    script = "Cyrillic" if plain[0] > "\u0400" else "Latin"
    by_letter = next((_LETTERS[letter] for letter in plain if letter in _LETTERS), "")
    return by_letter or _common()[script].get(plain, script)


def meanings(words: Words) -> Iterator[tuple[int, str, float]]:
    """Words that have a key: their number, the key, and its prior."""
    for k, word in enumerate(words.strings):
        key, prior = _key(word)
        if key:
            yield k, key, prior


@lru_cache(maxsize=1 << 16)
def _key(word: str) -> tuple[str, float]:
    plain = fold(word)
    meaning = _meaning(plain)
    if meaning:
        return f"m:{meaning}", PRIOR_OF_MEANING
    if len(plain) < _LONG or not plain.isalpha() or plain in _common_words():
        return "", 0.0
    least, most = _CONSONANTS
    sound = next(iter(skeletons(text_readings(plain))), "")
    return (f"s:{sound[:most]}", PRIOR_OF_SOUND) if len(sound) >= least else ("", 0.0)


def _meaning(word: str) -> str:
    whole, stems = _vocabulary()
    if word in whole:
        return whole[word]
    for size in range(len(word), max(2, len(word) - _ENDING - 1), -1):
        if word[:size] in stems:
            return stems[word[:size]]
    return ""


@cache
def _vocabulary() -> tuple[Mapping[str, str], Mapping[str, str]]:
    text = files("tearline.trace").joinpath("data", "concepts.txt").read_text("utf-8")
    return parse(text, "concepts.txt")


def parse(text: str, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """Whole words and stems, folded, each with its meaning: the first word of its line. Raises `BadInput`."""
    whole, stems = dict[str, str](), dict[str, str]()
    for number, raw in enumerate(text.splitlines(), 1):
        entries = raw.partition("#")[0].split()
        for entry in entries:
            bare = fold(entry.rstrip(".-"))
            is_stem = entry.endswith("-") or not (bare.isascii() or entry.endswith("."))
            known = stems if is_stem else whole
            if not bare or known.get(bare, entries[0]) != entries[0]:
                raise BadInput(name, f"line {number}", f"“{entry}” stands twice", "leave it in one line")
            known[bare] = entries[0]
    for word, meaning in list(whole.items()):
        if word.isascii():
            for form in _forms(word):
                whole.setdefault(form, meaning)
    return whole, stems


def _forms(word: str) -> Iterator[str]:
    """The regular forms of an English word, and some that it has not."""
    yield from (word + ending for ending in ("s", "es", "ed", "d", "ing", "er", "ers", "r", "rs"))
    if word.endswith("e"):
        yield word[:-1] + "ing"
    if word.endswith("y"):
        yield from (word[:-1] + ending for ending in ("ies", "ied"))
    yield from (word + word[-1] + ending for ending in ("ed", "ing", "er", "ers"))


@cache
def _common() -> dict[str, dict[str, str]]:
    """By script, the language of each word of `_COMMON`."""
    out = dict[str, dict[str, str]]()
    for script, names in _SCRIPTS.items():
        found = [(word, name) for name in names for word in _COMMON[name].split()]
        times = Counter(word for word, _ in found)
        out[script] = {word: name for word, name in found if times[word] == 1}
    return out


@cache
def _common_words() -> frozenset[str]:
    return frozenset(fold(word) for text in _COMMON.values() for word in text.split())
