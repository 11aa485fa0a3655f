"""How much a reader takes before it refuses: what a hostile file can cost is bounded by these."""

from __future__ import annotations

from typing import BinaryIO

import msgspec

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """All sizes in bytes."""

    file: int = 2 * GIB
    """A JSON file; it is streamed, so this bounds time, not memory."""
    item: int = 64 * MIB
    """One object of a JSON file."""
    depth: int = 64
    """Nested lists and objects inside one object."""
    report: int = 16 * MIB
    portions: int = 10_000
    """Portions of one report."""
    faults: int = 10_000
    """Errors in one file; after them reading ends."""
    archive: int = 256 * MIB
    """An archive as it comes in."""
    entries: int = 1_000
    """Files in one archive."""
    unpacked: int = 512 * MIB
    """All files of one archive together."""
    ratio: int = 100
    """Unpacked to packed size of one file; JSON and text reach 20."""


DEFAULT = Limits()
CHUNK = 256 * KIB
"""How much is read from a stream at once."""


def take(stream: BinaryIO, size: int) -> bytes:
    """The next `size` bytes of a stream, or all it has: a raw stream may hand out less at once."""
    found = b""
    while len(found) < size and (more := stream.read(size - len(found))):
        found += more
    return found
