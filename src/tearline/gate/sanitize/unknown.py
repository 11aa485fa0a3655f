"""Persons whom the vault does not know: an optional recogniser gives notice of them, and decides nothing."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from tearline.gate.sanitize.values import Flag

UNKNOWN_PERSON = "sanitize.unknown-person"
"""A notice, not one of `CODES`: it never refers a tearline."""


class Recogniser(Protocol):
    """Finds persons' names. `language` is an ISO 639-1 code; none is found in a language it does not know."""

    def persons(self, text: str, language: str) -> Iterable[tuple[int, int]]:
        """Spans in code points, end exclusive."""
        ...


def notices(texts: Sequence[str], language: str, recogniser: Recogniser | None) -> tuple[Flag, ...]:
    """Where sanitized `texts`, in which the known are masked already, seem to name a person."""
    if recogniser is None:
        return ()
    return tuple(
        Flag(UNKNOWN_PERSON, number, start, end)
        for number, text in enumerate(texts)
        for start, end in sorted(set(recogniser.persons(text, language)))
        if 0 <= start < end <= len(text)
    )


_RUSSIAN, _ENGLISH, _ENGLISH_MODEL = "natasha", "spacy", "en_core_web_sm"


def is_installed() -> bool:
    """Whether there is a recogniser for any language (the extra `persons`, or spaCy with its model)."""
    return bool(_models())


def _models() -> dict[str, type[Recogniser]]:
    """Language to the recogniser that is there for it."""
    found: dict[str, type[Recogniser]] = {}
    if importlib.util.find_spec(_RUSSIAN):
        found |= {"ru": _Natasha, "uk": _Natasha}
    if importlib.util.find_spec(_ENGLISH) and importlib.util.find_spec(_ENGLISH_MODEL):
        found["en"] = _SpaCy
    return found


class Installed:
    """The recognisers that are installed. Each reads its model when a text in its language comes."""

    def __init__(self) -> None:
        self._models, self._read = _models(), dict[type[Recogniser], Recogniser]()

    def __bool__(self) -> bool:
        return bool(self._models)

    def persons(self, text: str, language: str) -> Iterable[tuple[int, int]]:
        model = self._models.get(language)
        if model is None or not text.strip():
            return []
        if model not in self._read:
            self._read[model] = model()
        return self._read[model].persons(text, language)


class _Natasha:
    def __init__(self) -> None:
        module: Any = importlib.import_module(_RUSSIAN)
        self._document, self._segmenter = module.Doc, module.Segmenter()
        self._tagger = module.NewsNERTagger(module.NewsEmbedding())

    def persons(self, text: str, language: str) -> Iterable[tuple[int, int]]:
        document = self._document(text)
        document.segment(self._segmenter)
        document.tag_ner(self._tagger)
        return [(span.start, span.stop) for span in document.spans if span.type == "PER"]


class _SpaCy:
    def __init__(self) -> None:
        module: Any = importlib.import_module(_ENGLISH)
        self._read = module.load(_ENGLISH_MODEL)

    def persons(self, text: str, language: str) -> Iterable[tuple[int, int]]:
        return [(each.start_char, each.end_char) for each in self._read(text).ents if each.label_ == "PERSON"]
