"""Leaked documents: what stands in them for people to read, whatever it is wrapped in."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import msgspec

from tearline.terms import BadInput

MAX_BYTES = 64 << 20
_HIDDEN = frozenset({"script", "style", "template", "noscript", "svg"})
_NAMES = """
    address article aside blockquote br dd div dl dt figure footer h1 h2 h3 h4 h5 h6 header hr li main nav
    ol p pre section table td th tr ul title
"""
_BLOCKS = frozenset(_NAMES.split())
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class Leak(msgspec.Struct, frozen=True, kw_only=True):
    """One leaked document. `digest`: SHA-256 of its bytes, hexadecimal."""

    name: str
    digest: str
    text: str


def read_leak(name: str, data: bytes) -> Leak:
    """A leaked file: plain text or Markdown, HTML, or JSON (STIX, MISP, an export of messages).

    Raises `BadInput` where it is too long, or nothing in it is text.
    """
    if len(data) > MAX_BYTES:
        raise BadInput(name, "", f"it is longer than {MAX_BYTES >> 20} MiB", "give the part that was leaked")
    written = _decoded(name, data)
    start = written.lstrip()[:200].lower()
    if start[:1] in {"{", "["} and (read := _json(written)) is not None:
        text = "\n\n".join(_sayings(read))
    elif start.startswith("<") and any(tag in start for tag in ("<!doctype html", "<html", "<body", "<p")):
        text = _html(written)
    else:
        text = written
    if not text.strip():
        raise BadInput(name, "", "there is no text in it")
    return Leak(name=name, digest=sha256(data).hexdigest(), text=text)


def _decoded(name: str, data: bytes) -> str:
    """Raises `BadInput` for what is no text."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    if b"\0" in data:
        raise BadInput(name, "", "this is not text", "give the text of it, or a picture or recording")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1251", errors="replace")  # of the legacy encodings the one most met here


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _sayings(value: Any) -> Iterator[str]:
    """Every string of several words, in order: an id or an indicator is none."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text if len(text.split()) > 1:
                yield text
            case dict() as some:
                waiting += reversed(list(some.values()))
            case list() as some:
                waiting += reversed(some)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._hidden += tag in _HIDDEN
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _HIDDEN and self._hidden > 0
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def _html(text: str) -> str:
    reader = _Text()
    reader.feed(text)
    reader.close()
    return "".join(reader.parts)
