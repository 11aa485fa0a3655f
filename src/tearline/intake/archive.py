"""Zip archives: each file in one is read by itself. Nothing is written to disk: paths are only names.

Refused are archives within archives, encrypted or unusually packed files, and what unpacks to too much. Sizes
are those that the archive declares; more than a file declares is never unpacked.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from tearline.intake.context import Context, Fault, shown
from tearline.intake.limits import MIB, Limits
from tearline.terms import BadInput, Product

MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_ENCRYPTED = 0x1
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# Whatever `zipfile` raises on bytes that are no sound archive.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)

ReadFile = Callable[[BinaryIO, str, Context], Iterator[Product | Fault]]


def read(stream: BinaryIO, name: str, context: Context, read_file: ReadFile) -> Iterator[Product | Fault]:
    """The products of all files in an archive. `read_file` reads one. Raises `BadInput`."""
    limits = context.limits
    size = stream.seek(0, io.SEEK_END)
    if size > limits.archive:
        raise BadInput(name, "", f"is longer than an archive may be, {limits.archive // MIB} MiB")
    stream.seek(0)
    try:
        archive = zipfile.ZipFile(stream)
    except _BROKEN:
        raise BadInput(name, "", "is a broken zip archive") from None
    entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
    if len(entries) > limits.entries:
        raise BadInput(name, "", f"holds more than {limits.entries} files")
    if sum(entry.compress_size for entry in entries) > size:
        raise BadInput(name, "", "holds files that overlap")
    unpacked = 0
    for entry in entries:
        where = f"{name}!{shown(entry.filename)}"
        unpacked += entry.file_size
        try:
            _check(entry, unpacked, where, limits)
            yield from read_file(cast(BinaryIO, _Entry(archive, entry, where)), where, context)
        except BadInput as bad:
            yield Fault.of(bad)


def _check(entry: zipfile.ZipInfo, unpacked: int, where: str, limits: Limits) -> None:
    """`unpacked`: the size of this file and of all before it."""
    if entry.flag_bits & _ENCRYPTED:
        raise BadInput(where, "", "is encrypted", "send it without a password")
    if entry.compress_type not in _PACKINGS:
        raise BadInput(where, "", f"is packed by method {entry.compress_type}", "use deflate")
    if entry.file_size > limits.ratio * max(entry.compress_size, 1):
        raise BadInput(where, "", f"unpacks to more than {limits.ratio} times its size")
    if unpacked > limits.unpacked:
        raise BadInput(where, "", f"the archive unpacks to more than {limits.unpacked // MIB} MiB")


class _Entry(io.BufferedIOBase):
    """A file in an archive as a stream. What is broken in it is `BadInput`, so that its reader ends."""

    def __init__(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str) -> None:
        self._where = where
        with self._reported():
            self._opened = archive.open(entry)

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except _BROKEN:
            raise BadInput(self._where, "", "is broken in the archive") from None

    def read(self, size: int | None = -1, /) -> bytes:
        with self._reported():
            return self._opened.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        with self._reported():
            return self._opened.seek(offset, whence)
