"""The `.sigmf` archive: an uncompressed tar of one recording (SigMF 1.2, "SigMF Archives").

Read by our own hand and strictly (POSIX.1-2017, pax, "ustar Interchange Format"; the two GNU extensions that
common writers use): regular files and folders, plain relative names, nothing twice, nothing sparse, and
nothing left unread but zeros. Nothing is ever unpacked.
"""

from __future__ import annotations

from typing import BinaryIO

import msgspec

from tearline.terms import BadInput

BLOCK = 512
MEMBERS = 16
"""Entries at most; a recording has two files."""
RECORDS = 64 * 1024
"""Bytes at most of an extended header."""
USTAR, GNU = b"ustar\x0000", b"ustar  \x00"
_OCTAL = 8**11
"""From this size on a file does not fit the ustar header; GNU's base-256 holds it."""
_KNOWN_RECORDS = {"path", "size", "mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment"}


class Member(msgspec.Struct, frozen=True):
    """A file in the archive: its bytes are `[offset, offset + size)` of it."""

    name: str
    offset: int
    size: int
    extras: dict[str, str] = {}
    """What extended headers tell of it beside its size."""


def padding(size: int) -> int:
    """Zeros after a file of `size` bytes, to the next block."""
    return -size % BLOCK


def members(file: BinaryIO, where: str) -> list[Member]:
    """The files in the archive, in its order; the whole of it is accounted for.

    Raises:
        BadInput: it is not such an archive, is truncated, or plays a trick with names, links or sizes.
    """
    end = file.seek(0, 2)
    found: list[Member] = []
    names: set[str] = set()
    extended: dict[str, str] = {}
    at = 0
    while True:
        if at + BLOCK > end:
            raise BadInput(where, f"byte {at}", "the archive is truncated", "send it again")
        file.seek(at)
        block = file.read(BLOCK)
        if not block.strip(b"\0"):
            _only_zeros(file, at, end, where)
            return found
        size, kind = _header(block, at, where)
        if kind in {b"x", b"L"}:
            new = _extended(file, kind, size, at, where)
            if new.keys() & extended.keys():
                raise BadInput(where, f"byte {at}", "two extended headers contradict each other")
            extended |= new
            at += BLOCK + size + padding(size)
            continue
        if "size" in extended:
            size = _number(extended["size"], at, where)
        name = _name(extended.get("path") or _short_name(block, at, where), at, where)
        if kind == b"5":
            size = 0
        if name in names:
            raise BadInput(where, f"byte {at}", "a name stands in the archive twice")
        names.add(name)
        if len(names) > MEMBERS:
            raise BadInput(where, f"byte {at}", "more files than one recording has")
        if size > end - at - BLOCK:
            raise BadInput(where, f"byte {at}", "the archive is truncated", "send it again")
        if kind != b"5":
            extras = _owners(block) | {key: value for key, value in extended.items() if key != "size"}
            found.append(Member(name=name, offset=at + BLOCK, size=size, extras=extras))
        extended = {}
        at += BLOCK + size
        file.seek(at)
        if file.read(padding(size)).strip(b"\0"):
            raise BadInput(where, f"byte {at}", "something stands in the padding behind a file")
        at += padding(size)


def header(name: str, size: int) -> bytes:
    """One block for a regular file; it tells its name and size, all else is zero."""
    octal = size < _OCTAL
    number = b"%011o\0" % size if octal else b"\x80" + size.to_bytes(11, "big")
    fields = [
        name.encode("ascii").ljust(100, b"\0"),
        b"0000644\0" + b"0000000\0" * 2,
        number,
        b"00000000000\0",
        b" " * 8,
        b"0",
        bytes(100),
        USTAR if octal else GNU,
    ]
    block = b"".join(fields).ljust(BLOCK, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _header(block: bytes, at: int, where: str) -> tuple[int, bytes]:
    """Size and type flag of a header whose checksum is right."""
    place = f"byte {at}"
    if block[257:265] not in {USTAR, GNU}:
        raise BadInput(where, place, "this is no tar header", "a SigMF archive is an uncompressed tar")
    if _octal(block[148:156], at, where) != sum(block[:148]) + sum(block[156:]) + 8 * 32:
        raise BadInput(where, place, "the checksum of a tar header is wrong", "send it again")
    kind = block[156:157].replace(b"\0", b"0")
    if kind not in {b"0", b"5", b"x", b"L"}:
        raise BadInput(
            where,
            place,
            "the archive holds something that is no plain file (a link, a device, a sparse file)",
        )
    field = block[124:136]
    size = int.from_bytes(field[1:], "big") if field[0] == 0x80 else _octal(field, at, where)
    return size, kind


def _octal(field: bytes, at: int, where: str) -> int:
    digits = field.strip(b" \0")
    if not digits or digits.strip(b"01234567"):
        raise BadInput(where, f"byte {at}", "a number in a tar header cannot be read")
    return int(digits, 8)


def _number(text: str, at: int, where: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadInput(where, f"byte {at}", "a size in an extended header cannot be read")
    return int(text)


def _extended(file: BinaryIO, kind: bytes, size: int, at: int, where: str) -> dict[str, str]:
    """What a pax extended header, or GNU's long name, says of the entry after it."""
    if size > RECORDS:
        raise BadInput(where, f"byte {at}", "an extended header is too long")
    read = file.read(size)
    return _records(read, at, where) if kind == b"x" else {"path": _text(read, at, where)}


def _records(read: bytes, at: int, where: str) -> dict[str, str]:
    """The records of a pax extended header: `LENGTH KEY=VALUE` and a newline each."""
    records: dict[str, str] = {}
    while read:
        length, _, _ = read.partition(b" ")
        if not (length.isdigit() and len(length) <= 6 and len(length) + 3 <= int(length) <= len(read)):
            raise BadInput(where, f"byte {at}", "an extended header cannot be read")
        record, read = read[len(length) + 1 : int(length)], read[int(length) :]
        key, equals, value = _text(record[:-1], at, where).partition("=")
        if not equals or record[-1:] != b"\n":
            raise BadInput(where, f"byte {at}", "an extended header cannot be read")
        if key not in _KNOWN_RECORDS:
            raise BadInput(where, f"byte {at}", "an extended header holds a record that no recording needs")
        if key in records:
            raise BadInput(where, f"byte {at}", "an extended header says a thing twice")
        records[key] = value
    return records


def _text(read: bytes, at: int, where: str) -> str:
    try:
        return read.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        raise BadInput(where, f"byte {at}", "a name in the archive is not UTF-8") from None


def _short_name(block: bytes, at: int, where: str) -> str:
    name = _text(block[:100].split(b"\0")[0], at, where)
    prefix = _text(block[345:500].split(b"\0")[0], at, where) if block[257:265] == USTAR else ""
    return f"{prefix}/{name}" if prefix else name


def _owners(block: bytes) -> dict[str, str]:
    """The names of user and group, where they are stated."""
    fields = {"uname": block[265:297], "gname": block[297:329]}
    texts = {key: field.split(b"\0")[0].decode(errors="replace") for key, field in fields.items()}
    return {key: text for key, text in texts.items() if text}


def _name(name: str, at: int, where: str) -> str:
    """A relative name that stays inside, without its leading `./` and its last slash."""
    parts = [part for part in name.removesuffix("/").split("/") if part != "."]
    odd = any(ord(sign) < 32 or sign in '\\:*?"<>|\x7f' for sign in name)
    if odd or not parts or len(parts) > 4 or any(part in {"", ".."} for part in parts):
        raise BadInput(where, f"byte {at}", "a name in the archive is not a plain relative one")
    return "/".join(parts)


def _only_zeros(file: BinaryIO, at: int, end: int, where: str) -> None:
    """The archive ends in at least two zero blocks, and nothing is hidden after them."""
    file.seek(at)
    if end - at < 2 * BLOCK:
        raise BadInput(where, f"byte {at}", "the archive is truncated", "send it again")
    while chunk := file.read(1 << 20):
        if chunk.strip(b"\0"):
            raise BadInput(where, f"byte {at}", "something stands behind the end of the archive")
