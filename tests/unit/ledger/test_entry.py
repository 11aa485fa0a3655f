"""Entries have one spelling, and only that is read."""

from __future__ import annotations

import pytest

from tearline.ledger import Act, Entry
from tearline.terms import BadInput, Broken

AT = "2026-11-23T10:00:00.000000Z"


def test_one_spelling() -> None:
    entry = Entry(act=Act.PRODUCT_TAKEN_IN, at=AT, actor="ARN", body={"b": 1, "a": "Київ"})
    data = entry.to_bytes()
    assert (
        data
        == (
            '{"act":"product-taken-in","actor":"ARN","at":"2026-11-23T10:00:00.000000Z","body":{"a":"Київ","b":1}}'
        ).encode()
    )
    assert Entry.read(data) == entry


@pytest.mark.parametrize("value", [2**53, float("nan"), float("inf"), "\ud800", b"bytes", {1: "a"}])
def test_what_json_cannot_carry_is_refused(value: object) -> None:
    with pytest.raises(BadInput, match="no canonical form"):
        Entry(act=Act.NODE_CREATED, at=AT, actor="ARN", body={"value": value}).to_bytes()


def test_nested_without_end_is_refused() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(BadInput, match="too deep"):
        Entry(act=Act.NODE_CREATED, at=AT, actor="ARN", body={"value": value}).to_bytes()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"act":"node-created","actor":"ARN","at":"x"}',
        b'{"act":"unheard-of","actor":"ARN","at":"x","body":{}}',
        b'{"act":"node-created","actor":"ARN","at":"x","body":{},"more":1}',
    ],
)
def test_what_is_no_entry(data: bytes) -> None:
    with pytest.raises(Broken):
        Entry.read(data)
