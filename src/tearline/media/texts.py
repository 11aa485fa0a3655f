"""The free text in a file, for whoever looks for protected names in it: it goes with the whole file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tearline.terms import BadInput

MOST = 2 << 20
"""Characters of all texts of a file together."""


def texts_of(values: Iterable[Any], where: str) -> tuple[str, ...]:
    """Every text in these values, at any depth, keys too, each once.

    Raises `BadInput` where there is more than can be looked through: no part of it is left out.
    """
    found = tuple(dict.fromkeys(text for value in values for text in _strings(value) if text.strip()))
    if sum(map(len, found)) > MOST:
        raise BadInput(where, "metadata", f"has more than {MOST} characters of text")
    return found


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for key, inner in value.items():
                yield from _strings(key)
                yield from _strings(inner)
        case list() | tuple():
            for inner in value:
                yield from _strings(inner)
