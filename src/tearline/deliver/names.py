"""Names of objects, where they stand in other objects: what is withheld can be named by what is released.

A name counts where it tells that a particular thing is known: of campaigns, groupings, identities, incidents,
infrastructure, intrusion sets, malware, reports, threat actors and tools (`_NAMED`); not of kinds of things
(techniques, locations, vulnerabilities). It is told by its words, folded (NFKC, case). Words that everybody
uses (`GENERIC`) are no name, nor is one word of fewer than four letters.

In lists (labels, aliases, external references) case does not count. In running text a name of one word counts
only if it is written as names are, not all in small letters: `Flame` there is a name, `flame` is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from unicodedata import normalize

from tearline.deliver.references import ID
from tearline.terms import Region, Topic

Name = tuple[str, ...]
"""The folded words of a name."""

_NAMED = frozenset(
    {
        "campaign",
        "grouping",
        "identity",
        "incident",
        "infrastructure",
        "intrusion-set",
        "malware",
        "report",
        "threat-actor",
        "tool",
    }
)
_WORD = re.compile(r"[^\W_]+")
_EVERYDAY = """
    a an and the of for in on to by with from new old unknown unnamed test sample example generic other none
    actor actors adversary apt attack attacker backdoor bot botnet campaign cluster command control crypter
    data dropper downloader exploit family file framework group hacker hackers incident infostealer
    infrastructure intrusion kit keylogger linux loader local macro malicious malware miner mobile network
    operation phishing ransomware rat remote report rootkit script server set spam spear spyware stealer
    system threat tool tools trojan update variant virus web windows wiper worm android macos
"""
GENERIC = frozenset(_EVERYDAY.split()) | {word for slug in (*Topic, *Region) for word in str(slug).split("-")}
LONGEST = 8
"""Words of a name that are compared."""


class Found(NamedTuple):
    """A name that stands in a text."""

    name: Name
    objects: frozenset[str]
    """The ids of those that bear it."""


def names_of(item: Mapping[str, Any]) -> set[Name]:
    """The names that `item` bears, as far as they count: `name` and every kind of aliases."""
    if item.get("type") not in _NAMED:
        return set()
    texts = [item.get("name"), *(each for key in item if "aliases" in key for each in _list(item[key]))]
    return {name for text in texts if isinstance(text, str) and _counts(name := fold(text))}


def fold(text: str) -> Name:
    """The words of a text, folded."""
    return tuple(word for word in _WORD.findall(normalize("NFKC", text).casefold()))[:LONGEST]


def _counts(name: Name) -> bool:
    telling = [word for word in name if word not in GENERIC]
    return bool(telling) and sum(map(len, name)) >= 4 and not all(word.isdigit() for word in telling)


class Names:
    """Names and who bears them, by their first words: finding those in a text costs by the text alone."""

    def __init__(self) -> None:
        self._bearers: dict[Name, set[str]] = {}
        self._sizes: dict[str, set[int]] = {}

    def add(self, name: Name, object_id: str) -> None:
        self._bearers.setdefault(name, set()).add(object_id)
        self._sizes.setdefault(name[0], set()).add(len(name))

    def find(self, text: str, *, listed: bool) -> Iterator[Found]:
        """The names that stand in `text`; see the module for what `listed` means."""
        written = _WORD.findall(normalize("NFKC", text))
        words = [word.casefold() for word in written]
        for at, word in enumerate(words):
            for size in self._sizes.get(word, ()):
                name = tuple(words[at : at + size])
                if name in self._bearers and (listed or size > 1 or _is_written_as_name(written[at])):
                    yield Found(name, frozenset(self._bearers[name]))


def _is_written_as_name(word: str) -> bool:
    """Not in small letters alone; a script without capitals, or a digit, is enough."""
    return word != word.lower() or word == word.upper() or any(letter.isdigit() for letter in word)


class Telling(Exception):
    """Running text names what is withheld: nothing there can be cut without guessing."""


def unnamed(item: Mapping[str, Any], is_named: Callable[[str, bool], bool]) -> dict[str, Any]:
    """`item` without the members of its lists in which `is_named(text, listed)` finds something.

    Lists are those of texts (labels, aliases, ...) and `external_references`. Raises `Telling` where another
    text names something.
    """
    left: dict[str, Any] = {}
    for key, value in item.items():
        if key in {"type", "id", "spec_version", "created", "modified"} or key.endswith(("_ref", "_refs")):
            left[key] = value
        elif isinstance(value, list) and (key == "external_references" or _is_texts(value)):
            members = [each for each in value if not any(is_named(text, True) for text in _texts(each))]
            if members or not value:
                left[key] = members
        elif any(is_named(text, False) for text in _texts(value)):
            raise Telling(key)
        else:
            left[key] = value
    return left


def texts_of(item: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Every text that `unnamed` would ask about, and whether it is in a list."""
    asked: list[tuple[str, bool]] = []

    def note(text: str, listed: bool) -> bool:
        asked.append((text, listed))
        return False

    unnamed(item, note)
    return iter(asked)


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            if not ID.fullmatch(value):
                yield value
        case list():
            for each in value:
                yield from _texts(each)
        case dict():
            for each in value.values():
                yield from _texts(each)


def _is_texts(value: Iterable[Any]) -> bool:
    return all(isinstance(each, str) for each in value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
