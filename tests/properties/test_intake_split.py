"""Cutting JSON agrees with a parser of the whole, however the stream hands it out."""

from __future__ import annotations

import io
import json
from typing import Any, BinaryIO, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.intake.limits import DEFAULT
from tearline.intake.split import RECORDS, Malformed, parse, split

TEXT = st.text(st.sampled_from('a"\\{}[],: їé\n😀') | st.characters(codec="utf-8"), max_size=12)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
KEYS = st.sampled_from(["objects", "values", "type"]) | TEXT.filter(bool)
DOCUMENTS = st.dictionaries(KEYS, JSON | st.lists(JSON, max_size=4), max_size=4) | st.lists(JSON, max_size=5)


class Dribble(io.BufferedIOBase):
    """Hands out its content in pieces of the given sizes, the last of them over and over."""

    def __init__(self, content: bytes, sizes: list[int]) -> None:
        self._content, self._sizes = io.BytesIO(content), sizes

    def read(self, size: int | None = -1, /) -> bytes:
        return self._content.read(self._sizes.pop(0) if self._sizes[1:] else self._sizes[0])


def joined(content: bytes, sizes: list[int]) -> Any:
    """The document put together again from its pieces."""
    members: dict[str, Any] = {}
    for piece in split(cast(BinaryIO, Dribble(content, sizes)), DEFAULT):
        assert not piece.problem
        if piece.raw == RECORDS:
            members[piece.key] = []
        elif piece.index is None:
            members[piece.key] = parse(piece.raw)
        else:
            assert piece.index == len(members[piece.key])
            members[piece.key].append(parse(piece.raw))
        if piece.raw != RECORDS:
            assert content[piece.offset :].startswith(piece.raw)
    return members.get("", members)


@settings(max_examples=300, deadline=None)
@given(
    DOCUMENTS,
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
    st.booleans(),
    st.sampled_from([None, 1]),
    st.sampled_from([b"", b"\xef\xbb\xbf", b" \r\n\t"]),
)
def test_the_pieces_are_the_whole(
    document: Any, sizes: list[int], ascii_: bool, indent: int | None, before: bytes
) -> None:
    content = before + json.dumps(document, ensure_ascii=ascii_, indent=indent).encode()
    assert joined(content, sizes) == document


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS, st.integers(0, 400), st.integers(1, 9))
def test_a_cut_document_is_never_taken_for_a_whole_one(document: Any, end: int, size: int) -> None:
    content = json.dumps(document).encode()
    try:
        found = joined(content[:end], [size])
    except Malformed:
        assert end < len(content)
    else:
        assert end >= len(content)
        assert found == document
