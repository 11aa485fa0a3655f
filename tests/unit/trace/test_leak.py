"""What people read in a leaked file, whatever it is wrapped in."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from tearline.terms import BadInput
from tearline.trace.leak import MAX_BYTES, read_leak

SAID = "Nine barges lay at Velna on 1 October."


def text_of(data: bytes) -> str:
    return read_leak("leak", data).text


def test_plain_text_stays_as_it_is() -> None:
    data = f"# Barges\n\n{SAID}\n".encode()
    leak = read_leak("a.md", data)
    assert (leak.name, leak.text, leak.digest) == ("a.md", data.decode(), sha256(data).hexdigest())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_encodings(encoding: str) -> None:
    assert text_of("Дев'ять барж у Вельні".replace("і", "и").encode(encoding)).startswith("Дев'ять барж")


def test_html_without_its_scripts() -> None:
    page = "<!doctype html><title>x</title><script>var no = 1</script><p>Nine <b>barges</b>"
    page += f"</p><p>{SAID}&amp;</p>"
    assert text_of(page.encode()).split("\n") == ["", "x", "", "Nine barges", "", SAID + "&", ""]


def test_html_that_never_closes_its_script_shows_nothing_of_it() -> None:
    assert "no" not in text_of(b"<html><p>Yes.</p><script>no")


def test_stix_says_its_texts_and_not_its_ids() -> None:
    item = {"type": "report", "id": "report--1", "name": "Barges at Velna", "description": SAID}
    assert text_of(json.dumps({"type": "bundle", "objects": [item]}).encode()) == f"Barges at Velna\n\n{SAID}"


def test_what_only_begins_like_json_or_html_is_text() -> None:
    assert text_of(b"[sic] nine barges") == "[sic] nine barges"
    assert text_of(b"< nine barges") == "< nine barges"


@pytest.mark.parametrize("data", [b"", b" \n", b"{}", b"<html><script>x</script>", b"\x89PNG\0\0"])
def test_no_text(data: bytes) -> None:
    with pytest.raises(BadInput):
        read_leak("leak", data)


def test_too_long() -> None:
    with pytest.raises(BadInput, match="longer than 64 MiB"):
        read_leak("leak", b"a" * (MAX_BYTES + 1))


def test_nested_deep_ends_well() -> None:
    assert text_of(b"[" * 100_000) == "[" * 100_000
