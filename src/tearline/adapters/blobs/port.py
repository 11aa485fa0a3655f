"""What a store of blobs can do."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from tearline.terms import BadInput


class Blob(NamedTuple):
    """A stored file: SHA-256 of its bytes, hexadecimal, and their number."""

    sha256: str
    size: int


class TooLarge(BadInput):
    """A file is longer than this node takes."""


class Source(Protocol):
    """What bytes are read from: any file, or less than that."""

    def read(self, count: int, /) -> bytes: ...


class Blobs(Protocol):
    """Files by the SHA-256 of their bytes. What is stored is whole, durable, and never changes."""

    def put(self, stream: Source, name: str) -> Blob:
        """Store all that `stream` still holds; once this returns it is durable. What is there stays.

        Nothing of it is kept in memory, and nothing stays where it fails. Raises `TooLarge`, about `name`.
        """

    def scratch(self) -> AbstractContextManager[Path]:
        """Where a file can be made that is to be adopted; what is left there goes when the block ends."""

    def adopt(self, part: Path, name: str) -> Blob:
        """Store a file that stands in a scratch place, which is gone then. Otherwise as `put`."""

    def local(self, sha256: str) -> Path:
        """A file on this machine with these bytes, to be read only. Raises `Broken` where there is none."""

    def has(self, sha256: str) -> bool: ...

    def link(self, sha256: str, target: Path) -> None:
        """Let `target`, on the disk of the node's folder, be another name of a blob. What is there stays.

        Raises `Broken` where there is no such blob.
        """

    def discard(self, sha256: str) -> None:
        """Remove a blob to which nothing refers, if it is there."""

    def sweep(self, keep: Collection[str]) -> int:
        """Remove what is half stored, and every blob but those in `keep`; returns how many blobs went.

        Nothing happens while somebody stores: see `storing`.
        """

    def storing(self) -> AbstractContextManager[None]:
        """Held from before a blob is stored until something refers to it: so long none is swept."""
