"""A SigMF recording of two files as the one archive that it is held as: an uncompressed tar, streamed.

SigMF 1.2, "SigMF Archives": a folder with both files, of one name. The names in the archive, its times and
owners are always the same: what a file was called here tells nobody anything.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from tearline.terms import BadInput

META, DATA = ".sigmf-meta", ".sigmf-data"
_NAME = "recording"


@contextmanager
def packed(path: Path) -> Iterator[BinaryIO]:
    """The archive of the recording of which `path` is one file. Raises `BadInput` where one is missing."""
    meta, data = path.with_suffix(META), path.with_suffix(DATA)
    with ExitStack() as stack:
        parts: list[BinaryIO] = []
        for file in (meta, data):
            try:
                stream = stack.enter_context(file.open("rb"))
            except OSError as error:
                raise BadInput(str(file), "", f"cannot be read ({error.strerror})") from None
            size = stream.seek(0, io.SEEK_END)
            stream.seek(0)
            head = tarfile.TarInfo(f"{_NAME}/{_NAME}{file.suffix}")
            head.size = size
            parts += [
                io.BytesIO(head.tobuf(tarfile.PAX_FORMAT)),
                stream,
                io.BytesIO(bytes(-size % tarfile.BLOCKSIZE)),
            ]
        parts.append(io.BytesIO(bytes(2 * tarfile.BLOCKSIZE)))
        yield io.BufferedReader(_Chain(parts), 1 << 20)  # type: ignore[type-var]


class _Chain(io.RawIOBase):
    """One stream after the other."""

    def __init__(self, parts: list[BinaryIO]) -> None:
        self._parts = parts

    def readable(self) -> bool:
        return True

    def readinto(self, into: bytearray) -> int:  # type: ignore[override]
        while self._parts:
            if data := self._parts[0].read(len(into)):
                into[: len(data)] = data
                return len(data)
            self._parts.pop(0)
        return 0
