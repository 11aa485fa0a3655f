"""Given names that are one: Олександр, Александр, Саша, Alex, Aleksander (`data/given_names.toml`).

Beside the table stands a rule, for pet forms that languages make anew: the beginning of the name, and a
diminutive ending or none (Стефчо, Jankovíček, Terry, Бориско).
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from functools import cache, lru_cache
from importlib.resources import files

from tearline.scan.fold import fold
from tearline.scan.phonemes import coarse, slavic, western
from tearline.scan.words import name_readings, text_readings

_VOWELS, _CYRILLIC = "aeiou", "\u0400"
_LONGEST_ENDING, _LEAST_STEM = 3, 2


def _stem(reading: str) -> str:
    """A base form without its last vowel."""
    return reading[:-1] if reading[-1] in _VOWELS and len(reading) > _LEAST_STEM else reading


def _literal(form: str) -> tuple[str, ...]:
    return (slavic(form), western(form)) if form[0] < _CYRILLIC else name_readings(form)


@cache
def _table() -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """Stem of a reading to the names that it is a form of; name to the first sounds of its forms."""
    text = files("tearline.scan").joinpath("data/given_names.toml").read_text("utf-8")
    stems: dict[str, set[str]] = defaultdict(set)
    first: dict[str, set[str]] = defaultdict(set)
    for name, row in tomllib.loads(text).items():
        for form in row["formal"].split() + row["short"].split():
            for reading in {text_readings(fold(form))[0], *_literal(fold(form))}:
                stems[_stem(reading)].add(name)
        for form in row["formal"].split():
            first[name].add(name_readings(fold(form))[0][:1])
    return (
        {stem: frozenset(names) for stem, names in stems.items()},
        {name: frozenset(sounds) for name, sounds in first.items()},
    )


@lru_cache(maxsize=1 << 16)
def names_of(readings: tuple[str, ...]) -> frozenset[str]:
    """The given names that a word with these readings is a form of; empty where it is none."""
    stems = _table()[0]
    found: frozenset[str] = frozenset()
    for reading in readings:
        for _ in range(_LONGEST_ENDING + 1):
            names = stems.get(reading)
            if names:
                found |= names
                break
            if len(reading) <= _LEAST_STEM or reading[-1] not in _VOWELS:
                break
            reading = reading[:-1]  # noqa: PLW2901
    return found


HEAD = 3
"""How many sounds of a name a pet form keeps at the least."""
_PET = re.compile(r"(?:[aeiou]{0,2}(?:[kcCSZsznltd]|nk|[CSs]k|[CS]n|n[CS]|ts)){0,2}[aeiou]{0,2}")


def heads(readings: tuple[str, ...]) -> tuple[str, ...]:
    """The first sounds of the first two readings: a name and its pet forms share one."""
    found = dict.fromkeys(coarse(reading)[:HEAD] for reading in readings[:2])
    return tuple(head for head in found if len(head) == HEAD)


def is_pet_form(pet: str, name: str) -> bool:
    """Whether a reading may be a pet form of another that is a given name."""
    kept = 0
    while kept < min(len(pet), len(name)) and pet[kept] == name[kept]:
        kept += 1
    return any(_PET.fullmatch(pet, cut) for cut in range(kept, HEAD - 1, -1))


def first_sounds(name: str) -> frozenset[str]:
    """The sounds with which the formal forms of a given name of the table begin."""
    return _table()[1][name]
