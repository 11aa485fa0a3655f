"""Blobs in a local folder: `ab/cdef...` under it, written once, readable by their owner alone."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from hashlib import file_digest, sha256
from pathlib import Path
from typing import BinaryIO

from tearline.adapters.blobs.port import Blob, Source, TooLarge
from tearline.terms import Broken

CHUNK = 1 << 20
"""Bytes that are read at once."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


class LocalBlobs:
    """In `folder`, which is made when something is stored. Safe for use by several threads and processes."""

    def __init__(self, folder: Path, limit: int) -> None:
        """`limit`: bytes of one file."""
        self._folder, self._parts, self._limit = folder, folder / "parts", limit

    def put(self, stream: Source, name: str) -> Blob:
        self._make()
        part = self._parts / secrets.token_hex(16)
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", 0) as file:
                blob = self._copy(stream, file, name)
                os.fsync(file.fileno())
            self._take(part, blob.sha256)
        finally:
            part.unlink(missing_ok=True)
        return blob

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        self._make()
        part = self._parts / secrets.token_hex(16)
        with self._lock(fcntl.LOCK_SH):
            try:
                yield part
            finally:
                part.unlink(missing_ok=True)

    def adopt(self, part: Path, name: str) -> Blob:
        with part.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > self._limit:
                raise TooLarge(name, "", f"is longer than {self._limit} bytes", "raise `max_file_mb`")
            blob = Blob(file_digest(file, sha256).hexdigest(), size)
            os.fsync(file.fileno())
        part.chmod(0o600)
        self._take(part, blob.sha256)
        return blob

    def local(self, sha256: str) -> Path:
        path = self._path(sha256)
        if not path.is_file():
            raise Broken(f"the file {sha256} is not in the blob store")
        return path

    def has(self, sha256: str) -> bool:
        return self._path(sha256).is_file()

    def link(self, sha256: str, target: Path) -> None:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.link(self.local(sha256), target)

    def discard(self, sha256: str) -> None:
        self._path(sha256).unlink(missing_ok=True)

    def sweep(self, keep: Collection[str]) -> int:
        if not self._folder.is_dir():
            return 0
        with self.alone() as free:
            return self.clear(keep) if free else 0

    def clear(self, keep: Collection[str]) -> int:
        """`sweep`, for who is `alone`."""
        for part in self._parts.iterdir():
            part.unlink()
        gone = [path for path in self._blobs() if path.parent.name + path.name not in keep]
        for path in gone:
            path.unlink()
        return len(gone)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Held while blobs are removed; false where somebody is storing."""
        self._make()
        with self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB) as free:
            yield free

    @contextmanager
    def storing(self) -> Iterator[None]:
        self._make()
        with self._lock(fcntl.LOCK_SH):
            yield

    @contextmanager
    def _lock(self, how: int) -> Iterator[bool]:
        with os.fdopen(os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)) as file:
            try:
                fcntl.flock(file, how)
            except BlockingIOError:
                yield False
            else:
                yield True

    def _blobs(self) -> Iterator[Path]:
        return (path for path in self._folder.glob("??/*") if _DIGEST.fullmatch(path.parent.name + path.name))

    def _path(self, digest: str) -> Path:
        if _DIGEST.fullmatch(digest) is None:  # it becomes a path
            raise Broken("a blob is named by a SHA-256 in small letters")
        return self._folder / digest[:2] / digest[2:]

    def _make(self) -> None:
        for folder in (self._folder, self._parts):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _copy(self, stream: Source, file: BinaryIO, name: str) -> Blob:
        digest, size, chunk = sha256(), 0, memoryview(bytearray(CHUNK))
        while count := _read_into(stream, chunk):
            size += count
            if size > self._limit:
                raise TooLarge(name, "", f"is longer than {self._limit} bytes", "raise `max_file_mb`")
            digest.update(chunk[:count])
            _write(file, chunk[:count])
        return Blob(digest.hexdigest(), size)

    def _take(self, part: Path, digest: str) -> None:
        """Give a finished part its name; its bytes and its name are durable then."""
        path = self._path(digest)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if not path.exists():
            part.rename(path)
        for folder in (path.parent, self._folder):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _read_into(stream: Source, chunk: memoryview) -> int:
    readinto = getattr(stream, "readinto", None)
    if readinto is not None:
        return int(readinto(chunk) or 0)
    data = stream.read(len(chunk))
    chunk[: len(data)] = data
    return len(data)


def _write(file: BinaryIO, data: memoryview) -> None:
    while data:  # a raw file may take less than it is given
        data = data[file.write(data) :]
