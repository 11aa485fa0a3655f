"""A name row, parted: which of its words is the surname, the given name, the patronymic."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from tearline.scan import nicknames, phonemes
from tearline.scan.fold import fold, spellings
from tearline.scan.values import Kind
from tearline.scan.words import initial_sounds, name_readings, text_readings

WORD = re.compile(r"[^\W\d_]+(?:['’‘ʼ`´ʹ′ʻ][^\W\d_]+)*|\d+[^\W_]*", re.UNICODE)
_GROUP = re.compile(r"[\s,;]+")
_PARTICLES_TEXT = """
von der den de du des del della di da do dos das la le les van ter ten zu zum af al el bin ibn ben bint
abu ul ur fon fan oglu ogly kyzy фон дер ден де дю дель делла ди да ду ван тер тен ла ле аль эль ель ібн ибн
бін бин бен бинт уль ур ас аз ад ар аш огли оглы оглу кизи кызы ал ул ел льо ap y e
"""
PARTICLES = frozenset(_PARTICLES_TEXT.split())
_LONGEST_PARTICLE = max(map(len, PARTICLES))
_PATRONYMIC = re.compile(
    r"(?:ович|евич|євич|йович|ійович|ич|івна|ївна|овна|евна|ична|инична|ovych|ovich|evich|yovych|iyovych"
    r"|ovič|evič|owicz|ewicz|ivna|yivna|ovna|evna|iwna|owna|ewna|ichna|inichna|ovyč|jovych|ijovyč)$"
)
_NUMERAL = re.compile(r"[ivx]{2,6}")
_ADDRESS = re.compile(
    r"(?:[йь]?[оеєі]вич|ич|[йь]?[іїоеє]вн|[иі]чн|y?[oe]v[iy]ch|[oe]vi[cč]|[oe]wicz|y?[ioe][vw]n|ichn)[^\W\d_]{0,3}$"
)
_SURNAME = re.compile(
    r"(?:енко|ський|цький|ська|цька|ский|цкий|ская|цкая|ов|ев|єв|ова|ева|єва|ін|їн|ін|ин|ина|іна|ук|юк|чак|ко|ян|дзе|швілі"
    r"|швили|enko|sky|skyi|skyj|ski|ská|ska|cka|cki|ov|ev|ova|eva|in|uk|iuk|yuk|ko|ian|yan|dze|shvili|ský|ová|owa|ić|ić)$"
)
_LONG_SURNAME, _LONG_PATRONYMIC = 6, 5


class Part(msgspec.Struct, frozen=True, eq=False):
    """One word of a name, compared by identity. `given`: the names of the table that it is a form of."""

    word: str
    readings: tuple[str, ...]
    skeletons: tuple[str, ...]
    given: frozenset[str]

    @property
    def initials(self) -> frozenset[str]:
        """First sounds that an initial of it may stand for, and its first letter after `'`."""
        sounds = {reading[0] for reading in self.readings} | {"'" + self.word[0]}
        for name in self.given:
            sounds |= nicknames.first_sounds(name)
        return frozenset(sounds | set(initial_sounds(self.word)) if len(self.word) == 1 else sounds)

    def __repr__(self) -> str:
        return "Part()"


class Name(msgspec.Struct, frozen=True):
    """A name row: its groups (words that hyphens join) and the roles of groups, by index.

    `surname` and `given` are -1 where the kind is not a person or the roles cannot be told.
    """

    kind: Kind
    groups: tuple[tuple[Part, ...], ...]
    surname: int = -1
    given: int = -1
    patronymic: int = -1

    def __repr__(self) -> str:
        return f"Name(kind={self.kind.value!r})"


@lru_cache(maxsize=1 << 17)
def part(word: str) -> Part:
    """A word of a name; `word` is folded."""
    readings = name_readings(word)
    skeletons = tuple(dict.fromkeys(map(phonemes.skeleton, readings)))
    return Part(word, readings, skeletons, nicknames.names_of(readings[:2]))


@lru_cache(maxsize=1 << 17)
def _words(chunk: str) -> tuple[Part, ...]:
    return tuple(part(fold(word)) for word in WORD.findall(chunk))


def is_particle(folded: str) -> bool:
    """Whether a folded word, look-alike letters and digits in it read, is a particle."""
    return folded in PARTICLES or (
        len(folded) <= _LONGEST_PARTICLE and any(spelling in PARTICLES for spelling, _ in spellings(folded))
    )


def parse(text: str, kind: Kind) -> Name:
    """Part a name row. Total: a row without words gives a name without groups."""
    comma = text.find(",")
    if comma >= 0:
        comma = sum(bool(WORD.search(chunk)) for chunk in _GROUP.split(text[:comma])) - 1
    spelt = [chunk for chunk in _GROUP.split(text) if WORD.search(chunk)]
    chunks = [_words(chunk) for chunk in spelt]
    kept = [
        words for k, words in enumerate(chunks) if not (k and len(words) == 1 and words[0].word in PARTICLES)
    ]
    small = [chunk.islower() for chunk, words in zip(spelt, chunks, strict=True) if words in kept]
    groups = [
        words if len(words) == 1 else tuple(word for word in words if word.word not in PARTICLES)
        for words in (kept if len(kept) > 1 else chunks)
    ]
    groups = [group for group in groups if group]
    if len(groups) == 1:
        groups = [(word,) for word in groups[0]]
    fused = _fused([word for words in chunks for word in words]) if kind is Kind.PERSON else {}
    if fused:
        groups = [tuple(each for word in group for each in (word, *fused.get(word, ()))) for group in groups]
    is_regnal = _NUMERAL.fullmatch(groups[-1][0].word) and groups[-2][0].given if len(groups) > 1 else False
    if kind is not Kind.PERSON or len(groups) < 2 or is_regnal:
        return Name(kind, tuple(groups))
    if len(small) != len(groups):
        small = [False] * len(groups)
    if (
        len(groups) == 2
        and small[0] != small[1]
        and not any(each.given for group in groups for each in group)
    ):
        return Name(kind, tuple(groups))  # a description, such as "голова Півострова"
    return _with_roles(kind, groups, comma, _named(small))


def _named(small: list[bool]) -> int:
    """How many of the first words are the name: all, unless a description in small letters follows it.

    `small` tells of each word whether it is in small letters; one such word is no description.
    """
    first = small.index(True) if sum(small) > 1 else 0
    return first if first > 1 else len(small)


def _fused(words: list[Part]) -> dict[Part, list[Part]]:
    """Words beside particles, each with what it is when written as one with them (Harun ur Rafi: Harunur)."""
    out: dict[Part, list[Part]] = {}
    for k in range(1, len(words) - 1):
        before, particle, after = words[k - 1 : k + 2]
        if particle.word in PARTICLES and len(particle.word) > 1:
            out.setdefault(before, []).append(part(before.word + particle.word))
            out.setdefault(after, []).append(part(particle.word + after.word))
    return out


def is_patronymic(folded: str) -> bool:
    """Whether a word of a text, in any case form, is a patronymic: made from a given name of the table."""
    ending = _ADDRESS.search(folded)
    return ending is not None and bool(nicknames.names_of(text_readings(folded[: ending.start()])))


def _with_roles(kind: Kind, groups: list[tuple[Part, ...]], comma: int, named: int) -> Name:
    """The roles of groups; those from number `named` on have none."""
    patronymic = -1
    for index in range(1, named if named > 2 else 1):
        word = groups[index][-1].word
        if len(word) >= _LONG_PATRONYMIC and _PATRONYMIC.search(word):
            patronymic = index
            break
    left = [index for index in range(named) if index != patronymic]
    if 0 <= comma < named - 1 and comma in left:
        surname = comma
    elif patronymic == named - 1 or (
        groups[left[1]][0].given and not groups[left[0]][0].given and _is_surname(groups[left[0]][0].word)
    ):
        surname = left[0]
    else:
        surname = left[-1]
        if all(len(word.word) == 1 for word in groups[surname]):  # initials stand last
            surname = left[0]
    given = next(index for index in left if index != surname)
    return Name(kind, tuple(groups), surname, given, patronymic)


def _is_surname(word: str) -> bool:
    return len(word) >= _LONG_SURNAME and _SURNAME.search(word) is not None
