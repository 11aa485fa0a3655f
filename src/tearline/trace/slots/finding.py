"""Finds slots: proposed by lexicon and rules, kept where every combination of wordings gives them again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise, product
from typing import NamedTuple

from tearline.trace.slots import english, guard, lexicon, slavic
from tearline.trace.slots.candidate import Candidate, words

_RULES: Mapping[str, Callable[[str], Iterator[Candidate]]] = {
    "en": english.propose,
    "uk": slavic.ukrainian,
    "ru": slavic.russian,
}
_ARTICLES = frozenset(("a", "an"))
_UK_EUPHONIC = words("у в і й з із зі")
_RU_EUPHONIC = words("о об обо в во с со к ко")
_NEAR = 40
"""Code points: more than the two words that a condition looks at."""
_VOWELS = lexicon.VOWELS


class Found(NamedTuple):
    """A slot of a sentence, and what names it whatever its wording."""

    slot: Candidate
    sentence: str
    ordinal: int


def in_block(block: str, language: str) -> Iterator[Found]:
    """The slots of a block of prose: any of them in any wording gives a block with the same slots."""
    shut = guard.closed_across(block)
    for first, last in guard.sentences(block):
        for found in in_sentence(block[first:last], language):
            start, end = first + found.slot.start, first + found.slot.end
            if all(stop <= start or begin >= end for begin, stop in shut):
                yield found._replace(slot=found.slot._replace(start=start, end=end))


@lru_cache(maxsize=8192)
def in_sentence(sentence: str, language: str) -> tuple[Found, ...]:
    """The slots of a sentence.

    What a wording may disturb is near it, and no further than the next slot on either side. So it is enough
    to look at texts in which the wordings of any neighbours come in all combinations: slots that are not
    found in all of them are dropped, until none is.
    """
    slots = _scan(sentence, language)
    while slots:
        kept, row = set(range(len(slots))), _longest_row(slots)
        for letters in product((0, 1), repeat=row):
            text, starts = _written(sentence, slots, [letters[place % row] for place in range(len(slots))])
            again = {(found.start, found.entry, found.options) for found in _scan(text, language)}
            kept &= {n for n, slot in enumerate(slots) if (starts[n], slot.entry, slot.options) in again}
        if len(kept) == len(slots):
            break
        slots = tuple(slot for n, slot in enumerate(slots) if n in kept)
    name = " ".join(_written(sentence, slots, [0] * len(slots))[0].split())
    kinds = [slot.kind for slot in slots]
    return tuple(Found(slot, name, kinds[:n].count(slot.kind)) for n, slot in enumerate(slots))


def _longest_row(slots: Sequence[Candidate]) -> int:
    """How many slots stand near one another in a row; more than three are as three."""
    longest = row = 1
    for one, other in pairwise(slots):
        row = row + 1 if other.start - one.end < _NEAR else 1
        longest = max(longest, row)
    return min(3, longest)


def forget() -> None:
    """Empties the memory of sentences."""
    in_sentence.cache_clear()
    _scan.cache_clear()


def _written(text: str, slots: Sequence[Candidate], letters: Sequence[int]) -> tuple[str, list[int]]:
    """The text in other wordings, and where its slots begin."""
    parts, starts, at, grown = list[str](), list[int](), 0, 0
    for slot, letter in zip(slots, letters, strict=True):
        option = slot.options[letter]
        starts.append(slot.start + grown)
        parts += (text[at : slot.start], option)
        grown += len(option) - (slot.end - slot.start)
        at = slot.end
    return "".join((*parts, text[at:])), starts


@lru_cache(maxsize=1024)
def _scan(sentence: str, language: str) -> tuple[Candidate, ...]:
    """The candidates that touch nothing closed, the leftmost and longest first, none over another."""
    proposed = [*_lexical(sentence, language), *_RULES[language](sentence)]
    if not proposed or list(guard.ends(sentence)) != [len(sentence)]:
        return ()
    shut = guard.closed(sentence)
    proposed.sort(key=lambda one: (one.start, -one.end, one.entry))
    found: list[Candidate] = []
    for one in proposed:
        is_open = all(end <= one.start or start >= one.end for start, end in shut)
        if is_open and (not found or found[-1].end <= one.start):
            found.append(one)
    return tuple(found)


def _lexical(sentence: str, language: str) -> Iterator[Candidate]:
    lower, wordings = sentence.lower(), lexicon.index(language)
    found = list(lexicon.TOKEN.finditer(lower))
    hits = [n for n, token in enumerate(found) if token[0] in wordings]
    if not hits or len(lower) != len(sentence):
        return
    tokens = ["", "", *(sentence[token.start() : token.end()] for token in found), "", ""]
    ends = {token.end(): n for n, token in enumerate(found)}
    for n in hits:
        start = found[n].start()
        for option, pair in wordings[found[n][0]]:
            last = ends.get(start + len(option), -1)
            if last < 0 or not lower.startswith(option.lower(), start):
                continue
            surface = sentence[start : start + len(option)]
            is_capital = n == 0 and surface == _capital(option)
            if surface != option and not is_capital:
                continue
            # Two empty tokens stand before the first and behind the last.
            before, after = tokens[n : n + 2][::-1], tokens[last + 3 : last + 5]
            inside_name = n > 1 and before[0][:1].isupper() and after[0][:1].isupper()
            if inside_name or not _fits(pair.options, before[0].lower(), after[0].lower(), language):
                continue
            if lexicon.holds(pair, before, after):
                one, other = map(_capital, pair.options) if is_capital else pair.options
                yield Candidate(start, start + len(option), pair.kind, pair.entry, (one, other))
                break


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _fits(options: tuple[str, str], before: str, after: str, language: str) -> bool:
    """Whether the words on either side take both: a or an, Ukrainian euphony, Russian о and об."""
    one, other = options[0].lower(), options[1].lower()
    if language == "en":
        return before not in _ARTICLES or (one[0] in _VOWELS) == (other[0] in _VOWELS)
    close = _UK_EUPHONIC if language == "uk" else _RU_EUPHONIC
    if before in close and _sound(one) != _sound(other):
        return False
    return language != "uk" or after not in _UK_EUPHONIC or (one[-1] in _VOWELS) == (other[-1] in _VOWELS)


def _sound(word: str) -> tuple[bool, bool, bool]:
    return word[0] in _VOWELS, word[:1] in "вфзсшщ", len(word) > 1 and word[1] in _VOWELS
