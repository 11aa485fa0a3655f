"""The second opinion: how well the words of a text fit a name, word by word, and together.

A pair of skeletons brought us here; now vowels, fine consonants and letters count too, and what the words
look like in the text: their case, their order, what they are otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA, Levenshtein

from tearline.scan import endings, nicknames
from tearline.scan.fold import fold, spellings
from tearline.scan.likeness import likeness
from tearline.scan.names import Name, Part, is_particle
from tearline.scan.values import Kind
from tearline.scan.words import initial_sounds, latin_spellings, text_readings

_VOWELS = "aeiou"
_ENDS = "аеиоуыіїяюєёйьaeiouyáéíóúůýěąę"


_FLEETING = re.compile(r"(?<=[^\W\d_])i?[eoěaеоёіъ](?=[^\W\d_]$)")
"""The vowel before the last consonant, which Slavic case forms may drop (Стрілець: Стрільця)."""


class Word(NamedTuple):
    """A token of a text as the verifier needs it.

    `is_initial`: a capital letter, or two that stand for a name and a full stop; `is_bare` without the full
    stop. `after`: what follows besides blanks and hyphens: nothing, a `,`, or a quotation mark or bracket
    as `"`.
    """

    text: str
    is_upper: bool
    is_capitals: bool
    is_function: bool
    is_initial: bool
    after: str
    is_bare: bool = False


class Match(NamedTuple):
    """The tokens of the window that a name covers, by number, and how well."""

    first: int
    last: int
    score: float
    why: str


class Fit(NamedTuple):
    """How well one word fits one part of a name."""

    score: float
    why: str


_CYRILLIC = "\u0400"
_NONE = Fit(0.0, "")
TYPO, _BEYOND_TYPO = 0.8, 0.9
"""The fit of a word that is one edit away, and what a fit by sound must reach to be believed instead."""
_PET, _PET_READINGS = 0.9, 2
_OF_TWO_LETTERS = 0.9
"""The fit of a word that begins with a name of two letters and may end so."""
_BARE = 0.86
"""The fit of an initial without a full stop."""


_LEAST_STEM = 3


def _stem(reading: str) -> str:
    """Without the vowels at its end, as long as three sounds are left."""
    return reading[:_LEAST_STEM] + reading[_LEAST_STEM:].rstrip(_VOWELS)


def _letters(word: str, name: str) -> Fit:
    """Likeness of two words in one script, less up to three letters of a case ending."""
    base = name.rstrip(_ENDS) or name
    short = _FLEETING.sub("", base) if len(base) >= 4 else name
    edits = OSA.distance(word, name, score_cutoff=2)
    for cut in range(min(4, len(word) - 1)):
        stem, ending = word[: len(word) - cut], word[len(word) - cut :]
        if len(stem) >= 3 and stem in (base, name) and endings.may_end(ending):
            return Fit(0.98, "inflected")
        if cut and stem == short and endings.may_end(ending):
            return Fit(0.96 if len(stem) >= _LEAST_STEM else _OF_TWO_LETTERS, "inflected")
        if stem == base:  # the ending has the edit, or runs into the next word's only letter
            edits = 1 if endings.may_end(ending[:-1]) else edits
        elif len(stem) >= 4 and endings.may_end(ending) and OSA.distance(stem, base, score_cutoff=2) == 1:
            edits = 1
    return Fit(TYPO, "typo") if edits == 1 and len(word) >= 4 and len(name) >= 4 else _NONE


_OF_SHORT_STEM = 0.95
"""What the likeness of stems of three sounds is worth where more than a vowel is cut off: many words have
them."""


def _sound(readings: Sequence[str], others: Sequence[str]) -> float:
    """The best likeness of two readings, or of their stems; 0 where more than half of the sounds differ."""
    best = 0.0
    for one in readings:
        for other in others:
            most = max(len(one), len(other)) // 2
            if Levenshtein.distance(one, other, score_cutoff=most) <= most:
                best = max(best, likeness(one, other))
                if best < 1.0:
                    stem, bare = _stem(one), _stem(other)
                    is_short = (
                        len(stem) <= _LEAST_STEM and max(len(one) - len(stem), len(other) - len(bare)) > 1
                    )
                    best = max(best, (_OF_SHORT_STEM if is_short else 0.99) * likeness(stem, bare))
    return best


@lru_cache(maxsize=1 << 17)
def fit(word: str, part: Part) -> Fit:
    """How well a word of a text, inflected and in any script, fits a word of a name in its base form."""
    best = _spelt(word, part)
    if best.score < 0.95 and part.given and given_names(word) & part.given:
        best = Fit(0.95, "nickname")
    return best


@lru_cache(maxsize=1 << 17)
def _spelt(word: str, part: Part) -> Fit:
    """The same without nicknames."""
    folded = fold(word)
    own = {is_cyrillic: spelling for spelling, is_cyrillic in spellings(part.word)}
    written = spellings(folded)
    if folded == part.word or part.word in {spelling for spelling, _ in written}:
        return Fit(1.0, "exact")
    readings, others = text_readings(folded, True), part.readings
    best = _NONE
    for spelling, is_cyrillic in written:
        if is_cyrillic in own:
            best = max(best, _letters(spelling, own[is_cyrillic]))
    if written and True not in own and not any(is_cyrillic for _, is_cyrillic in written):
        readings = tuple(
            reading for spelling, _ in written for reading in latin_spellings(spelling, is_inflected=True)
        )
        others = latin_spellings(own.get(False, part.word), is_inflected=False)
    if best.score < 0.98:
        score = _sound(readings, others)
        if score > (_BEYOND_TYPO if best.why == "typo" else best.score + 0.01):
            best = Fit(score, "transliterated")
    return best


@lru_cache(maxsize=1 << 17)
def _as_pet(word: str, part: Part) -> Fit:
    """How well a word fits a given name as a pet form that the table lacks, or the other way round."""
    known = given_names(word)
    readings = text_readings(fold(word), True)[:_PET_READINGS]
    is_other = bool(known) and bool(part.given) and not known & part.given
    if is_other or len(word) < nicknames.HEAD:
        return _NONE
    pairs = [(one, other) for one in readings for other in part.readings[:_PET_READINGS]]
    is_pet = any(nicknames.is_pet_form(*pair) or nicknames.is_pet_form(*pair[::-1]) for pair in pairs)
    return Fit(_PET, "nickname") if is_pet else _NONE


def given_names(word: str) -> frozenset[str]:
    """The given names of the table that a word of a text is a form of."""
    return nicknames.names_of(text_readings(fold(word)))


def in_one_script(word: str, part: Part) -> bool:
    """Whether a word of a text and one of a name are both Cyrillic or both Latin."""
    return (word[0] >= _CYRILLIC) == (part.word[0] >= _CYRILLIC)


def match(name: Name, words: Sequence[Word], i: int, j: int) -> Match | None:
    """The best fit of a name to a window of words; words i and j (i < j) must be part of it."""
    best: Match | None = None
    groups = range(len(name.groups))
    for a in groups:
        at_i = _group_fit(name, a, words[i])
        if at_i.score < _LEAST:
            continue
        for b in groups:
            if a == b or (name.kind is not Kind.PERSON and b != a + 1):
                continue
            at_j = _group_fit(name, b, words[j])
            if at_j.score < _LEAST:
                continue
            found = _judge(name, words, {i: (a, at_i), j: (b, at_j)})
            if found and (best is None or found.score > best.score):
                best = found
    return best


_LEAST = TYPO


def may_match(names: Sequence[Name], words: tuple[str, str]) -> bool:
    """Whether two words can be of one of the names, by each word alone: what `match` asks at the least."""
    for name in names:
        one = _best_fit(name, words[0])
        other = _best_fit(name, words[1]) if one >= _LEAST else 0.0
        if min(one, other) >= 0.85 or (other >= _LEAST and max(one, other) >= 0.93):
            return True
    return False


def _best_fit(name: Name, word: str) -> float:
    """The best fit of a word among all parts of a name; a short word or part may be an initial."""
    best = 0.93 if len(word) <= 2 else 0.0
    if name.given >= 0:
        best = max(best, *(_as_pet(word, part).score for part in name.groups[name.given]))
    for group in name.groups:
        for part in group:
            best = max(best, 0.93 if len(part.word) == 1 else fit(word, part).score)
    return best


def _group_fit(name: Name, group: int, word: Word) -> Fit:
    """The best fit of a word among the parts of a group; an initial stands for no surname."""
    if word.is_initial:
        part = name.groups[group][0]
        if group == name.surname and len(part.word) > 1:
            return _NONE
        folded = fold(word.text)
        marks = {"'" + folded} if len(folded) == 1 else set()
        found = Fit(_BARE if word.is_bare else 0.9, "initial")
        return found if part.initials & (marks | set(initial_sounds(folded))) else _NONE
    if len(word.text) == 1:
        return _NONE
    best = _NONE
    for part in name.groups[group]:
        if len(part.word) == 1:
            if word.is_upper and part.initials & {reading[0] for reading in text_readings(fold(word.text))}:
                best = max(best, Fit(0.85, "initial"))
        else:
            best = max(best, (_spelt if group == name.surname else fit)(word.text, part))
            if group == name.given and word.is_upper and best.score < _PET:
                best = max(best, _as_pet(word.text, part))
    return best


def _judge(name: Name, words: Sequence[Word], held: dict[int, tuple[int, Fit]]) -> Match | None:
    """Whether what fits is enough, given how the words stand in the text."""
    taken = {group for group, _ in held.values()}
    if 0 <= name.surname not in taken and (
        len(name.groups) < 3 or any(part.given for group in taken for part in name.groups[group])
    ):
        return None
    if not _is_enough(name, words, held):
        return None
    _extend(name, words, held, taken)
    fits = [found.score for _, found in held.values()]
    score = (min(fits) + sum(fits) / len(fits)) / 2
    return Match(min(held), max(held), score, ",".join(sorted({found.why for _, found in held.values()})))


def _extend(name: Name, words: Sequence[Word], held: dict[int, tuple[int, Fit]], taken: set[int]) -> None:
    """Take in the words beside and between that fit other words of the name."""
    low, high = min(held), max(held)
    near = [*range(low + 1, high), *range(low - 1, -1, -1), *range(high + 1, len(words))]
    for k in near:
        if k in held or not (min(held) - 2 <= k <= max(held) + 2):
            continue
        for group in range(len(name.groups)):
            if group in taken and len(name.groups[group]) == 1:
                continue
            found = _group_fit(name, group, words[k])
            if found.score >= 0.8:
                held[k] = (group, found)
                taken.add(group)
                break


def _is_enough(name: Name, words: Sequence[Word], held: dict[int, tuple[int, Fit]]) -> bool:
    """Whether two words fit well enough: the better, the less they look like a name in their text.

    The thresholds were set on invented decoys: see docs/scanner.md.
    """
    (i, (a, one)), (j, (b, other)) = sorted(held.items())
    left, right = words[i], words[j]
    least, most = sorted((one.score, other.score))
    whys = {one.why, other.why}
    is_swapped = a == name.surname and not left.is_initial
    after = {words[k].after for k in range(i, j)} - {""}
    is_broken = bool(after) and not (least >= 0.97 and (is_swapped or after == {'"'}))
    has_stranger = any(_is_stranger(name, words[k], {a, b}) for k in range(i + 1, j)) and (
        least < 0.93 or (is_swapped and name.patronymic < 0)
    )
    is_plain = _is_plain(left, right, one, other) and _is_plain(right, left, other, one)
    if is_broken or has_stranger or not is_plain:
        return False
    if not (left.is_upper and right.is_upper):
        return _is_enough_in_small(name, (left, a, one), (right, b, other), is_swapped=is_swapped)
    if least == _BARE and "initial" in whys:
        return most >= 0.98
    if whys & {"initial", "typo"}:
        return most >= (0.93 if "typo" not in whys else 0.97 if is_swapped else 0.94)
    if "nickname" in whys:
        short = min(len(left.text), len(right.text)) <= 2 and "exact" not in whys
        return not short and (least >= (0.95 if is_swapped else 0.93) or most >= 0.97)
    is_own_script = in_one_script(left.text, name.groups[a][0])
    need = 0.93 if is_swapped else 0.89 if is_own_script else 0.85
    # Latin spellings of one name differ more than Cyrillic ones, which follow the sound
    weak = 0.84 if is_own_script and left.text[0] >= _CYRILLIC else 0.8
    return least >= need or (not is_swapped and most >= 0.97 and least >= weak)


def _is_enough_in_small(
    name: Name, first: tuple[Word, int, Fit], second: tuple[Word, int, Fit], *, is_swapped: bool
) -> bool:
    """The same where one of two words, or both, are in small letters: each a word, its group and its fit."""
    (left, a, one), (right, b, other) = first, second
    least, most = sorted((one.score, other.score))
    whys = {one.why, other.why}
    is_cyrillic = left.text[0] >= _CYRILLIC
    if left.is_upper or right.is_upper:
        small, group = (right, b) if left.is_upper else (left, a)
        is_whole = least >= 0.97 and not whys & {"nickname", "initial"}
        return is_whole or (most >= 0.97 and _is_headless(small.text, name.groups[group]))
    if "initial" in whys:
        return most >= 0.98 and (max(len(left.text), len(right.text)) > 3 or "exact" in whys)
    if "nickname" in whys:
        is_spelt = most >= (0.97 if whys & {"exact", "inflected"} else 0.995 if is_cyrillic else 2)
        return is_spelt and not is_swapped and min(len(left.text), len(right.text)) > 3
    if is_swapped:
        return least >= 0.97
    return least >= (0.96 if not is_cyrillic else 0.88 if "exact" in whys else 0.94)


def _is_stranger(name: Name, word: Word, taken: set[int]) -> bool:
    """Whether a word between two of a name is another name's."""
    others = (group for group in range(len(name.groups)) if group not in taken)
    return (
        word.is_upper
        and not word.is_initial
        and not is_particle(fold(word.text))
        and all(_group_fit(name, k, word).score < TYPO for k in others)
    )


def _is_headless(word: str, parts: tuple[Part, ...]) -> bool:
    """Whether a word in small letters is a name that lost its first letter, and with it its capital."""
    return any(len(part.word) > 4 and fold(word).startswith(part.word[1:].rstrip(_ENDS)) for part in parts)


def _is_plain(word: Word, beside: Word, found: Fit, other: Fit) -> bool:
    """Whether a word fits well enough for what it is otherwise: short, a function word, an abbreviation."""
    if word.is_initial:
        return True
    if word.is_function:
        return found.score >= 0.98
    if word.is_capitals and len(word.text) <= 5 and not (beside.is_capitals and len(word.text) > 3):
        return found.score >= 0.98 and (len(word.text) > 3 or found.why == "exact")
    if len(word.text) > 3:
        return True
    return found.score >= (0.84 if other.why in {"exact", "inflected"} and beside.is_upper else 0.95)
