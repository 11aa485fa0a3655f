"""Case endings that hold a consonant. Those of vowels only need no table: skeletons have no vowels.

They are those of the declensions of personal names in Ukrainian, Russian, Polish, Czech, Bulgarian and
Slovene, the feminine surnames of Czech, the possessives of Slovene, and the English possessive.
"""

from __future__ import annotations

_CYRILLIC_ENDINGS = """
ого его єго ому ему єму ими ыми іми ами ями ові еві єві ёві ом ем єм ём им ым ім їм ам ям ах ях их ых іх
ую юю ът ят
"""
_LATIN_ENDINGS = """
's ’s ovou ová ové ovi ovy ova ove ovo ovu ov ův owi owie ów owa owej ową iego ego ého ega iemu emu ému
imu iem em ém jem om ým ím im ym ům ami emi ými ími imi ymi ach ech ách ích ých ich ych ih ja ju jev
ę ą ię ią
"""
_CYRILLIC, _LATIN = frozenset(_CYRILLIC_ENDINGS.split()), frozenset(_LATIN_ENDINGS.split())
_LONGEST, _LEAST_STEM = 4, 2


def strip(word: str, *, is_cyrillic: bool) -> str:
    """The word without its longest consonantal case ending, or the word itself where it has none."""
    endings = _CYRILLIC if is_cyrillic else _LATIN
    for size in range(min(_LONGEST, len(word) - _LEAST_STEM), 0, -1):
        if word[-size:] in endings:
            return word[:-size]
    return word


_VOWELS = frozenset("аеиоуыіїяюєёйьъaeiouyjáéíóúůýěąę")
_MORE = frozenset({"т", "та", "те", "то", "s", "es", "zie"})


def may_end(letters: str) -> bool:
    """Whether a case of a name may end so after its base form or its stem (Polish: after an apostrophe)."""
    letters = letters.removeprefix("'")
    return letters in _CYRILLIC or letters in _LATIN or letters in _MORE or _VOWELS.issuperset(letters)


_SOFTENED = {"ц": "к", "з": "г", "с": "х", "c": "k", "z": "h"}


def hardened(word: str) -> str:
    """Undo the change of a velar before -i or -e (Ольга: Ользі; Jadwiga: Jadwidze), or the word itself."""
    if word.endswith("dze"):
        return word[:-3] + "ga"
    if len(word) > _LEAST_STEM and word[-1] in "іеeiíě" and word[-2] in _SOFTENED:
        return word[:-2] + _SOFTENED[word[-2]] + "a"
    return word
