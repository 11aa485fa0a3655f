"""Cutting JSON into pieces, whatever the pieces of the stream are."""

from __future__ import annotations

import io
import json

import pytest

from tearline.intake.limits import Limits
from tearline.intake.split import RECORDS, Malformed, Piece, parse, split, whole


def cut(content: bytes, **limits: int) -> list[Piece]:
    return list(split(io.BytesIO(content), Limits(**limits)))


def test_members_and_records_with_their_places() -> None:
    content = b' {"a" : [1, {"objects":[]}], "objects":[{"x":"]}\\""} ,2, "z"],"b":null}\n'
    pieces = [(p.key, p.index, p.raw) for p in cut(content)]
    assert pieces == [
        ("a", None, b'[1, {"objects":[]}]'),
        ("objects", None, RECORDS),
        ("objects", 0, b'{"x":"]}\\""}'),
        ("objects", 1, b"2"),
        ("objects", 2, b'"z"'),
        ("b", None, b"null"),
    ]
    assert all(content[p.offset :].startswith(p.raw) for p in cut(content))


def test_one_value_as_a_whole() -> None:
    assert whole(io.BytesIO(b' {"objects":[1]} '), Limits()).raw == b'{"objects":[1]}'


@pytest.mark.parametrize(
    ("content", "offset", "reason"),
    [
        (b"", 0, "not a JSON object or list"),
        (b"nul", 0, "not a JSON object or list"),
        (b"{", 1, "a member name"),
        (b"[", 1, "the file ends too early"),
        (b'{"a":1', 6, "ends too early"),
        (b'{"a":"x', 7, "ends too early"),
        (b'{"a":"x\\', 7, "ends too early"),
        (b'{"a" 1}', 5, "`:` should stand here"),
        (b'{"a":}', 5, "a value is missing"),
        (b"[1,]", 3, "a value is missing"),
        (b"[1 2]", 3, "`,` or `]` should stand here"),
        (b"{1:2}", 1, "a member name"),
        (b'{"":2}', 1, "empty name"),
        (b"[1]]", 3, "goes on after the end"),
        (b'{"\xff":1}', 2, "not UTF-8"),
    ],
)
def test_where_a_file_can_be_cut_no_further(content: bytes, offset: int, reason: str) -> None:
    with pytest.raises(Malformed) as caught:
        cut(content)
    assert caught.value.offset == offset
    assert reason in caught.value.reason


def test_a_piece_that_is_too_long_or_too_deep_leaves_its_neighbours() -> None:
    content = b'[1,"%b",%b%b,{"a":2}]' % (b"x" * 100, b"[" * 20, b"]" * 20)
    found = cut(content, item=50, depth=10)[1:]
    assert [(p.raw, bool(p.problem)) for p in found] == [
        (b"1", False), (b"", True), (b"", True), (b'{"a":2}', False),
    ]  # fmt: skip
    assert "longer" in found[1].problem
    assert found[2].problem == "is nested deeper than 10 levels"


def test_the_limits_themselves_are_allowed() -> None:
    assert [p.problem for p in cut(b'["12345678",[[1]]]', item=10, depth=2)] == ["", "", ""]


def test_what_is_hopelessly_deep_ends_the_reading() -> None:
    with pytest.raises(Malformed, match="too deep"):
        cut(b"[" * 10_000, depth=10)


def test_a_file_that_is_too_long_ends_the_reading() -> None:
    with pytest.raises(Malformed, match="longer than"):
        cut(b"[" + b"1," * 100 + b"1]", file=100)


@pytest.mark.parametrize(
    ("raw", "offset", "reason"),
    [
        (b'{"a":1,"b":2,"a":3}', 0, "names the member 'a' twice"),
        (b'{"a":{"b":1,"b":1}}', 0, "names the member 'b' twice"),
        (b"NaN", 0, "NaN is not a JSON number"),
        (b"[-Infinity]", 0, "-Infinity is not a JSON number"),
        (b"[1e999]", 0, "1e999 is too large"),
        (b"9" * 5000, 0, "is too large"),
        (b'["\\ud800"]', 2, "half of a surrogate pair"),
        (b'{"\xd1\x97\\udc00":1}', 4, "half of a surrogate pair"),
        (b'["\xd1\x97",x]', 6, "is not JSON: expecting value"),
        (b'"a\x00b"', 2, "control character"),
        (b'"\xff"', 1, "is not UTF-8"),
        (b'"\xed\xa0\x80"', 1, "is not UTF-8"),
        (b"[1 2]", 3, "is not JSON"),
        (b"01", 1, "is not JSON"),
    ],
)
def test_strict_json(raw: bytes, offset: int, reason: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse(raw)
    assert caught.value.offset == offset
    assert reason in caught.value.reason


@pytest.mark.parametrize("raw", [b'"\\ud83d\\ude00"', b"[1.5e3,-0,9223372036854775807]", b'{"\\u0000":null}'])
def test_what_strict_json_is(raw: bytes) -> None:
    assert parse(raw) == json.loads(raw)
