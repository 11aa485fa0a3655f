"""Frames over a Unix socket, and who is at its other end. For both sides: server and client."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tearline.terms import Refused
from tearline.vault.wire import LENGTH, frame_length

_UCRED = struct.Struct("3i")
"""pid, uid, gid: unix(7), SO_PEERCRED."""


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A name for a socket file that fits into the 108 bytes of a socket's address, however deep it lies."""
    descriptor = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)


def must_be_same_user(talk: socket.socket) -> None:
    """Raises `Refused` where the process at the other end is of another user."""
    _, uid, _ = _UCRED.unpack(talk.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    if uid != os.geteuid():
        raise Refused("the vault speaks only with processes of its own user")


def receive_frame(talk: socket.socket, end: float | None = None) -> bytes | None:
    """The next frame without its length; `None` where the other side has ended. `end`: by `time.monotonic`.

    Raises `TimeoutError` when the time is up, `ConnectionError` where it breaks off inside a frame.
    """
    head = _receive(talk, LENGTH, end)
    if not head:
        return None
    return _receive(talk, frame_length(head), end)


def send_frame(talk: socket.socket, framed: bytes, end: float) -> None:
    """Raises `TimeoutError` when the time is up."""
    _limit(talk, end)
    talk.sendall(framed)


def _receive(talk: socket.socket, size: int, end: float | None) -> bytes:
    """Exactly `size` bytes, or nothing at all where the other side ended before the first."""
    found = bytearray()
    while len(found) < size:
        _limit(talk, end)
        more = talk.recv(min(size - len(found), 1 << 20))
        if not more:
            if found:
                raise ConnectionError("the other side ended inside a frame")
            return b""
        found += more
    return bytes(found)


def _limit(talk: socket.socket, end: float | None) -> None:
    if end is None:
        talk.settimeout(None)
    elif (left := end - time.monotonic()) > 0:
        talk.settimeout(left)
    else:
        raise TimeoutError
