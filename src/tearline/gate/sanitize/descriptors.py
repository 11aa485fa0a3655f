"""What stands in the place of an identity: a phrase for each source, the same throughout a product."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tearline.scan.pattern import compiled
from tearline.vault.source import Obligations

LANGUAGES = ("en", "uk", "ru")
_NEUTRAL = {
    "en": ("a source", "another source", "a further source", "a different source", "yet another source"),
    "uk": ("джерело", "інше джерело", "ще одне джерело", "окреме джерело", "стороннє джерело"),
    "ru": ("источник", "другой источник", "ещё один источник", "отдельный источник", "сторонний источник"),
}
_OTHERS = ("another", "a further", "a different", "yet another")
_ARTICLE = compiled(r"an?\s+", re.IGNORECASE)
_CYRILLIC, _LATIN = compiled(r"[Ѐ-ӿ]"), compiled(r"[A-Za-z]")
_UK, _RU = compiled(r"[іїєґІЇЄҐ]"), compiled(r"[ыэёъЫЭЁЪ]")


def language_of(text: str, declared: str) -> str:
    """`declared`, or what the letters say where they are of another script."""
    cyrillic, latin = len(_CYRILLIC.findall(text)), len(_LATIN.findall(text))
    if declared in {"uk", "ru"} and latin > cyrillic:
        return "en"
    if cyrillic > latin and declared not in {"uk", "ru"}:
        return "uk" if _UK.search(text) else "ru"
    return declared


def _suits(descriptor: str, language: str) -> bool:
    """Whether a descriptor can be of the language, by its letters."""
    if language == "en":
        return not _CYRILLIC.search(descriptor)
    if _LATIN.search(descriptor) or not _CYRILLIC.search(descriptor):
        return False
    return not (_RU if language == "uk" else _UK).search(descriptor)


class Descriptors:
    """The phrases of one product's sources, `order`ed by their first appearance.

    No number tells them apart: "a source with access", "another source with access". Beyond the fifth alike
    they share a phrase.
    """

    def __init__(self, order: Sequence[str], owed: Mapping[str, Obligations]) -> None:
        self._phrases = {language: _phrases(order, owed, language) for language in LANGUAGES}

    def phrase(self, cryptonym: str, language: str) -> str:
        """In a language without phrases of its own: in English."""
        return self._phrases.get(language, self._phrases["en"])[cryptonym]


def _phrases(order: Sequence[str], owed: Mapping[str, Obligations], language: str) -> dict[str, str]:
    taken: dict[str, str] = {}
    for cryptonym in order:
        own = " ".join(owed[cryptonym].descriptor.split()) if cryptonym in owed else ""
        choices = [own, *_others(own, language)] if own and _suits(own, language) else []
        choices += _NEUTRAL[language]
        # "a source" beside "a source with access" could be the same one; "another source" could not.
        used = {phrase.lower() for phrase in taken.values()} | ({_NEUTRAL[language][0]} if taken else set())
        taken[cryptonym] = next((phrase for phrase in choices if phrase.lower() not in used), choices[-1])
    return taken


def _others(own: str, language: str) -> list[str]:
    article = _ARTICLE.match(own)
    if language != "en" or article is None:
        return []
    return [f"{other} {own[article.end() :]}" for other in _OTHERS]


def described(
    text: str, touched: Iterable[str], owed: Mapping[str, Obligations]
) -> Iterator[tuple[int, int]]:
    """Where in a text (code points) any phrase stands that may be the descriptor of a source `touched`."""
    own = {" ".join(owed[name].descriptor.split()) for name in touched if name in owed} - {""}
    phrases = {phrase for some in _NEUTRAL.values() for phrase in some} | own
    phrases |= {other for phrase in own for other in _others(phrase, "en")}
    longest = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    pattern = r"\b(?:" + "|".join(map(re.escape, longest)) + r")\b"
    return (found.span() for found in re.finditer(pattern, text, re.IGNORECASE))
