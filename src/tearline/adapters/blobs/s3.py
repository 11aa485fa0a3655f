"""Blobs in an S3-compatible store (or any that obstore knows), with a local folder before it.

A blob is written to the local folder first, where its digest is known when it ends, and from there to the
store. What is read or linked is brought into the local folder again, and checked, if it is not there. The
folder is a cache: whoever runs the node may empty it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import obstore
from obstore.store import from_url

from tearline.adapters.blobs.local import CHUNK, LocalBlobs
from tearline.adapters.blobs.port import Blob, Source
from tearline.terms import BadInput, Broken

_KEY = re.compile(r"[0-9a-f]{2}/[0-9a-f]{62}")


class ObjectBlobs:
    """In `store`, by way of the folder of `cache`."""

    def __init__(self, store: Any, cache: LocalBlobs) -> None:
        self._store, self._cache = store, cache

    @classmethod
    def at(cls, url: str, cache: LocalBlobs) -> ObjectBlobs:
        """Credentials come from where obstore looks for them. Raises `BadInput` for a bad URL."""
        try:
            return cls(from_url(url), cache)
        except obstore.exceptions.BaseError as error:
            raise BadInput("node.toml", "blobs", f"cannot be used ({type(error).__name__})") from None

    def put(self, stream: Source, name: str) -> Blob:
        return self._sent(self._cache.put(stream, name))

    def scratch(self) -> AbstractContextManager[Path]:
        return self._cache.scratch()

    def adopt(self, part: Path, name: str) -> Blob:
        return self._sent(self._cache.adopt(part, name))

    def _sent(self, blob: Blob) -> Blob:
        if not self._there(blob.sha256):
            with self._cache.local(blob.sha256).open("rb") as file:
                obstore.put(self._store, _key(blob.sha256), file, use_multipart=True)
        return blob

    def local(self, sha256: str) -> Path:
        if not self._cache.has(sha256):
            self._bring(sha256)
        return self._cache.local(sha256)

    def has(self, sha256: str) -> bool:
        return self._cache.has(sha256) or self._there(sha256)

    def link(self, sha256: str, target: Path) -> None:
        self.local(sha256)
        self._cache.link(sha256, target)

    def discard(self, sha256: str) -> None:
        self._cache.discard(sha256)
        with suppress(FileNotFoundError):
            obstore.delete(self._store, _key(sha256))

    def sweep(self, keep: Collection[str]) -> int:
        """The store must be this node's own: what others keep in it would go."""
        with self._cache.alone() as free:
            if not free:
                return 0
            self._cache.clear(keep)
            keys = [item["path"] for page in obstore.list(self._store) for item in page]
            gone = [key for key in keys if _KEY.fullmatch(key) and key.replace("/", "") not in keep]
            for key in gone:
                obstore.delete(self._store, key)
            return len(gone)

    def storing(self) -> AbstractContextManager[None]:
        return self._cache.storing()

    def _there(self, sha256: str) -> bool:
        try:
            obstore.head(self._store, _key(sha256))
        except FileNotFoundError:
            return False
        return True

    def _bring(self, sha256: str) -> None:
        try:
            reader = obstore.open_reader(self._store, _key(sha256), buffer_size=CHUNK)
        except FileNotFoundError:
            raise Broken(f"the file {sha256} is not in the blob store") from None
        if self._cache.put(_Reader(reader), sha256).sha256 != sha256:
            raise Broken(f"the file {sha256} in the blob store is not what was stored")


class _Reader:
    """An obstore reader as the part of `BinaryIO` that storing needs."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def read(self, count: int) -> bytes:
        return bytes(self._reader.read(count))


def _key(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256[2:]}"
