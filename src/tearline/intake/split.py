"""Cuts a JSON file into its pieces without holding it: memory is that of one piece.

A file is one object, whose members are pieces, or one list, whose elements are. The elements of the lists
that carry records (`ARRAYS`) are pieces of their own. Only brackets and quotes are looked at here, so a piece
that is bad JSON inside does not spoil its neighbours. (An event parser, such as ijson, ends at the first bad
byte, lets a name stand twice, and holds a string however long it is.) `parse` then reads one piece strictly:
RFC 8259, and I-JSON, RFC 7493: no duplicate names, no lone surrogates, no number that a double cannot hold.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

import msgspec
import orjson

from tearline.intake.limits import CHUNK, MIB, Limits, take
from tearline.terms import BadInput

ARRAYS = frozenset({"objects", "values"})
"""STIX bundles and TAXII envelopes; MISP galaxies."""
WHOLE = ""
"""The key of a file's one value, or of its elements if that is a list."""

RECORDS = b"["
"""What announces a list of records."""

# Up to the next bracket that is in no string, to a string that does not end in the window, or to its end.
_PLAIN = re.compile(
    rb'[^"{}\[\]]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^"{}\[\]]*)*',
    re.DOTALL,
)
_STRING_REST = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_SCALAR = re.compile(rb"[^,\]}\s]*")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SPACE = re.compile(rb"[ \t\n\r]*")
_BOM = b"\xef\xbb\xbf"
_END = b""
_QUOTE = 0x22
_HOPELESS = 100
"""So many times too deep, and the rest of the file is not worth the time."""


class Malformed(Exception):
    """The file, or a piece of it, is not JSON. `offset` is a byte offset, in the file or in the piece."""

    def __init__(self, offset: int, reason: str) -> None:
        self.offset, self.reason = offset, reason
        super().__init__(f"byte {offset}: {reason}")


class Piece(msgspec.Struct, frozen=True):
    """One member of the file's object, or one record: then `index` is its place in the list `key`.

    `raw` is its JSON; `problem` says why it is empty. A list of records is announced by a member whose `raw`
    is `RECORDS`.
    """

    key: str
    index: int | None
    offset: int
    raw: bytes
    problem: str = ""


def split(stream: BinaryIO, limits: Limits) -> Iterator[Piece]:
    """The pieces of a JSON file, from the stream's present position on.

    Raises `Malformed` where the file can be cut no further: pieces that came before are good.
    """
    cursor = _Cursor(stream, limits)
    first = cursor.peek()
    if first == b"[":
        yield Piece(WHOLE, None, cursor.offset, RECORDS)
        yield from cursor.records(WHOLE)
    elif first == b"{":
        yield from cursor.members()
    else:
        cursor.fail("is not a JSON object or list")
    if cursor.peek() != _END:
        cursor.fail("text goes on after the end of the JSON")


def whole(stream: BinaryIO, limits: Limits) -> Piece:
    """The file's one value as one piece. Raises `Malformed`."""
    cursor = _Cursor(stream, limits)
    piece = cursor.value(WHOLE, None)
    if cursor.peek() != _END:
        cursor.fail("text goes on after the end of the JSON")
    return piece


def parse(raw: bytes) -> Any:
    """Read one piece strictly. Raises `Malformed`, its offset within the piece."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(error.start, "is not UTF-8") from None
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_float=_finite, parse_int=_short, parse_constant=_refused
        )
    except json.JSONDecodeError as error:
        offset = len(text[: error.pos].encode("utf-8"))
        raise Malformed(offset, f"is not JSON: {error.msg[:1].lower()}{error.msg[1:]}") from None
    except ValueError as error:
        raise Malformed(0, str(error)) from None
    if half := _SURROGATE.search(text):
        try:
            orjson.dumps(value)
        except orjson.JSONEncodeError:
            raise Malformed(len(text[: half.start()].encode()), "holds half of a surrogate pair") from None
    return value


def parsed(piece: Piece, name: str, place: str) -> Any:
    """Read one piece of the file `name`. Raises `BadInput` at `place`, with the byte in the file."""
    if piece.problem:
        raise BadInput(name, place, piece.problem)
    try:
        return parse(piece.raw)
    except Malformed as bad:
        at = f"byte {piece.offset + bad.offset}"
        raise BadInput(name, f"{place}, {at}" if place else at, bad.reason) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        double = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"names the member {double[:100]!r} twice")
    return found


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"the number {text[:40]} is too large")
    return number


def _short(text: str) -> int:
    if len(text) > 19:  # what always fits into 64 bits
        raise ValueError(f"the number {text[:40]} is too large")
    return int(text)


def _refused(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")


class _Cursor:
    """A window on the stream. Everything before `_at` has been dealt with."""

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        self._stream, self._limits = stream, limits
        self._window, self._at, self._base = take(stream, len(_BOM)), 0, 0
        if self._window.startswith(_BOM):
            self._at = len(_BOM)

    @property
    def offset(self) -> int:
        return self._base + self._at

    def fail(self, reason: str) -> NoReturn:
        raise Malformed(self.offset, reason)

    def peek(self) -> bytes:
        """The next byte that is not white space; `_END` at the end."""
        while True:
            self._skip(_SPACE)
            if self._at < len(self._window):
                return self._window[self._at : self._at + 1]
            if not self._more():
                return _END

    def members(self) -> Iterator[Piece]:
        """The members of the object that begins here."""
        self._at += 1
        if self.peek() == b"}":
            self._at += 1
            return
        while True:
            if self.peek() != b'"':
                self.fail("a member name should stand here")
            name = self.value(WHOLE, None)
            try:
                key = parse(name.raw)
            except Malformed as bad:
                raise Malformed(name.offset + bad.offset, bad.reason) from None
            if key == WHOLE:
                raise Malformed(name.offset, "a member has an empty name")
            self._expect(b":")
            if self.peek() == b"[" and key in ARRAYS:
                yield Piece(key, None, self.offset, RECORDS)
                yield from self.records(key)
            else:
                yield self.value(key, None)
            if self._expect(b",}") == b"}":
                return

    def records(self, key: str) -> Iterator[Piece]:
        """The elements of the list that begins here."""
        self._at += 1
        if self.peek() == b"]":
            self._at += 1
            return
        index = 0
        while True:
            yield self.value(key, index)
            index += 1
            if self._expect(b",]") == b"]":
                return

    def value(self, key: str, index: int | None) -> Piece:
        """The value that begins here, as one piece."""
        first = self.peek()
        taking = _Taking(self.offset, self._limits)
        if first in (b'"', b"{", b"["):
            self._take_nested(taking)
        else:
            self._take_scalar(taking)
        raw = b"".join(taking.parts)
        if not raw and not taking.problem:
            self.fail("a value is missing" if first else "the file ends too early")
        return Piece(key, index, taking.offset, raw, taking.problem)

    def _take_nested(self, taking: _Taking) -> None:
        """Take a string, an object or a list."""
        start = self._at
        if self._window[start] == _QUOTE:
            self._at += 1
            taking.in_string = True
        while not self._scan(taking):
            taking.keep(self._window[start : self._at])
            if not self._more():
                self.fail("the file ends too early")
            start = self._at
        taking.keep(self._window[start : self._at])

    def _scan(self, taking: _Taking) -> bool:
        """Go on to the end of the value, or of the window; whether it was the value's."""
        while True:
            if taking.in_string:
                if not self._leave_string():
                    return False
                taking.in_string = False
                if not taking.depth:
                    return True
            self._skip(_PLAIN)
            if self._at == len(self._window):
                return False
            char = self._window[self._at]
            self._at += 1
            if char == _QUOTE:
                taking.in_string = True
            elif char in b"{[":
                taking.deeper()
                if taking.depth > _HOPELESS * self._limits.depth:
                    self.fail("nested too deep to find the end")
            else:
                taking.depth -= 1
                if not taking.depth:
                    return True

    def _leave_string(self) -> bool:
        """Go on behind the closing quote, or to where the window must be moved; whether it was the quote."""
        end = self._window.find(b'"', self._at)
        if end < 0:
            end = len(self._window)
        if self._window.find(b"\\", self._at, end) < 0:
            self._at = end
        else:
            self._skip(_STRING_REST)
        # What is left: the closing quote, a backslash whose other half is yet to come, or nothing.
        if self._window[self._at : self._at + 1] != b'"':
            return False
        self._at += 1
        return True

    def _skip(self, pattern: re.Pattern[bytes]) -> None:
        if found := pattern.match(self._window, self._at):
            self._at = found.end()

    def _take_scalar(self, taking: _Taking) -> None:
        while True:
            start = self._at
            self._skip(_SCALAR)
            taking.keep(self._window[start : self._at])
            if self._at < len(self._window) or not self._more():
                return

    def _expect(self, allowed: bytes) -> bytes:
        found = self.peek()
        if not found:
            self.fail("the file ends too early")
        if found not in allowed:
            self.fail(" or ".join(f"`{char:c}`" for char in allowed) + " should stand here")
        self._at += 1
        return found

    def _more(self) -> bool:
        chunk = self._stream.read(CHUNK)
        self._base += self._at
        self._window = self._window[self._at :] + chunk
        self._at = 0
        if self._base + len(self._window) > self._limits.file:
            raise Malformed(self._limits.file, f"the file is longer than {self._limits.file // MIB} MiB")
        return bool(chunk)


class _Taking:
    """A value that is being taken: its parts so far, or what is wrong with it."""

    def __init__(self, offset: int, limits: Limits) -> None:
        self.offset, self._limits = offset, limits
        self.parts: list[bytes] = []
        self.problem = ""
        self.depth, self.in_string = 0, False
        self._size = 0

    def keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._limits.item:
            self._refuse(f"is longer than {self._limits.item // MIB} MiB")
        if not self.problem:
            self.parts.append(part)

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > self._limits.depth:
            self._refuse(f"is nested deeper than {self._limits.depth} levels")

    def _refuse(self, problem: str) -> None:
        self.problem = self.problem or problem
        self.parts.clear()
