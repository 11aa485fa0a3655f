"""A product's texts as an officer looks at them: what the scanner found is hidden in blocks of one length."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import orjson

from tearline.node.referral import Found
from tearline.terms import Product

MASK = "█" * 8
"""In the place of a hit: its length says nothing of the name's."""
BETWEEN = "\n\n"
"""Between portions, in the text that is scanned as one."""


class Piece(msgspec.Struct, frozen=True):
    """A part of a text. `hit`: which one is hidden in it, counted from 1; 0: none is."""

    text: str
    hit: int = 0


class Masked(msgspec.Struct, frozen=True, kw_only=True):
    """`portions`: one each, in the product's order. `fields`: of a product without portions, each text in its
    content by the path that leads to it."""

    title: tuple[Piece, ...]
    portions: tuple[tuple[Piece, ...], ...]
    fields: tuple[tuple[str, tuple[Piece, ...]], ...]


def numbered(hits: Iterable[Found]) -> dict[str, int]:
    """Numbers for hits by their ids, from 1."""
    return {name: number for number, name in enumerate(dict.fromkeys(hit.id for hit in hits), start=1)}


def masked(product: Product, hits: Collection[Found]) -> Masked:
    """The product's texts, with the hits in them hidden."""
    numbers = numbered(hits)
    spans: dict[str, list[tuple[int, int, int]]] = {}
    for hit in hits:
        spans.setdefault(hit.text, []).append((hit.start, hit.end, numbers[hit.id]))
    document = BETWEEN.join(portion.text for portion in product.portions)
    return Masked(
        title=_hidden(product.title, spans.get(product.title, ())),
        portions=tuple(_by_portion(product, spans.get(document, ()))),
        fields=() if product.portions else tuple(_fields(product.content, spans)),
    )


def _by_portion(product: Product, spans: Sequence[tuple[int, int, int]]) -> Iterator[tuple[Piece, ...]]:
    at = 0
    for portion in product.portions:
        end = at + len(portion.text)
        own = [(max(a, at) - at, min(b, end) - at, n) for a, b, n in spans if a < end and b > at]
        yield _hidden(portion.text, own)
        at = end + len(BETWEEN)


def _hidden(text: str, spans: Iterable[tuple[int, int, int]]) -> tuple[Piece, ...]:
    pieces, at = list[Piece](), 0
    for start, end, number in sorted(spans):
        if end <= at:
            continue
        if start > at:
            pieces.append(Piece(text[at:start]))
        pieces.append(Piece(MASK, number))
        at = end
    return (*pieces, Piece(text[at:])) if at < len(text) or not pieces else tuple(pieces)


def _fields(
    content: bytes, spans: Mapping[str, Iterable[tuple[int, int, int]]]
) -> Iterator[tuple[str, tuple[Piece, ...]]]:
    try:
        read = orjson.loads(content)
    except orjson.JSONDecodeError:
        read = content.decode("utf-8", errors="replace")
    for path, text in _leaves(read, spans, ""):
        yield path, _hidden(text, spans.get(text, ()))


def _leaves(value: Any, spans: Collection[str], path: str) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for key, inner in value.items():
                # A name may be a hit as well.
                said = MASK if key in spans else key
                yield from _leaves(inner, spans, f"{path}.{said}" if path else said)
        case list():
            for number, inner in enumerate(value, start=1):
                yield from _leaves(inner, spans, f"{path} {number}")
        case str():
            yield path, value
        case _:
            yield path, orjson.dumps(value).decode()
