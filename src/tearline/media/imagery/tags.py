"""The directories of a TIFF as tifffile reads them: a second opinion before a file is believed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from tearline.terms import BadInput, Imagery

SAMPLES = frozenset({256, 257, 258, 259, 262, 277, 284, 317, 322, 323, 324, 325, 339})
"""Tags that tell how the samples lie, and nothing else: TIFF 6.0."""
_ORDINARY = SAMPLES | {254, 273, 278, 279, 338, 33550, 33922, 34735, 42113}
_ERRORS = (tifffile.TiffFileError, ValueError, KeyError, IndexError, TypeError, OSError, ArithmeticError)


def first_page(file: Any) -> Any:
    """The first directory. Raises `BadInput`."""
    try:
        return file.pages[0]
    except _ERRORS:
        raise BadInput("", "its tags", "cannot be read") from None


def reopened(path: Path) -> Any:
    """The file, for tifffile. Raises `BadInput`."""
    logging.getLogger("tifffile").disabled = True  # its warnings quote the file
    try:
        return tifffile.TiffFile(path)
    except _ERRORS:
        raise BadInput("", "its tags", "cannot be read") from None


def carries(path: Path, facts: Imagery) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tags besides those of pixels and place, by number, and the words in them.

    Raises `BadInput` where they contradict `facts`, and where tiles or strips lie beyond its end.
    """
    with reopened(path) as file:
        page = first_page(file)
        try:
            said = (page.imagewidth, page.imagelength)
            alike = said == (facts.width, facts.height) and page.dtype == np.dtype(facts.dtype)
            ends = [at + size for at, size in zip(page.dataoffsets, page.databytecounts, strict=True)]
            blocks = int(np.prod(page.chunked))
            held = [tag for each in file.pages for tag in getattr(each, "tags", page.tags).values()]
            tags = sorted({tag.code for tag in held} - _ORDINARY)
            texts = [text for tag in held if tag.code not in SAMPLES for text in _words(tag.value)]
        except _ERRORS:
            raise BadInput("", "its tags", "cannot be read") from None
    if not alike:
        raise BadInput("", "its size", "is read differently by two parsers")
    if len(ends) != blocks:
        raise BadInput("", "its pixels", "are fewer or more than its size says")
    if ends and max(ends) > path.stat().st_size:
        raise BadInput("", "its pixels", "lie beyond its end: it is cut short")
    return tuple(f"tag {code}" for code in tags), tuple(dict.fromkeys(texts))


def _words(value: Any) -> Iterator[str]:
    """The texts in a tag: also in the directories that it points to, and in bytes."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _words(inner)
    elif isinstance(value, bytes):
        yield value.decode("latin-1")
    elif isinstance(value, str) and any(map(str.isalpha, value)):
        yield value
