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


def natasha() -> Recogniser | None:
    """A recogniser for Russian and Ukrainian, or `None` where natasha is missing. Reads its model here."""
    return _Natasha() if importlib.util.find_spec("natasha") else None


class _Natasha:
    def __init__(self) -> None:
        module: Any = importlib.import_module("natasha")
        self._document, self._segmenter = module.Doc, module.Segmenter()
        self._tagger = module.NewsNERTagger(module.NewsEmbedding())

    def persons(self, text: str, language: str) -> Iterable[tuple[int, int]]:
        if language not in {"ru", "uk"} or not text.strip():
            return []
        document = self._document(text)
        document.segment(self._segmenter)
        document.tag_ner(self._tagger)
        return [(span.start, span.stop) for span in document.spans if span.type == "PER"]
