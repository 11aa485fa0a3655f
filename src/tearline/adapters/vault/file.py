"""The vault's file: `HOME/vault/sources.vault`, replaced whole or not at all.

A change goes to `sources.next` first. The caller then puts its version and digest on the ledger, and only
after that it takes the file's place. So after a crash at any instant the ledger tells which of the two files
is the vault: `settle` finishes the change or drops it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tearline.terms import BadInput, Broken, Refused, TearlineError
from tearline.vault import Mark, mark

MAX_FILE = 4 << 30
"""Bytes."""
_LOCK_WAIT = 10.0
"""Seconds to wait for another command's change."""
_LOCK_LOOK = 0.05

Stamp = tuple[int, int, int]
"""Inode, time of change and size: equal for the same file, different after every save."""


class VaultFile:
    """The vault's folder in a node's folder `home`. Files 0600, folder 0700."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "vault"
        self.path = self.folder / "sources.vault"
        self.socket = self.folder / "socket"
        self._next = self.folder / "sources.next"

    def exists(self) -> bool:
        return self.path.exists() or self._next.exists()

    @contextmanager
    def locked(self, *, name: str = "lock", wait: float = _LOCK_WAIT) -> Iterator[None]:
        """Hold the folder for a change, or for serving. Raises `Refused` where another process holds it."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.folder.chmod(0o700)
        descriptor = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            end = time.monotonic() + wait
            while not _try_lock(descriptor):
                if time.monotonic() >= end:
                    raise Refused(f"another process holds {self.folder / name}; try again when it has ended")
                time.sleep(_LOCK_LOOK)
            yield
        finally:
            os.close(descriptor)

    def stamp(self) -> Stamp:
        """Raises `Broken` where the file is gone."""
        try:
            found = self.path.stat()
        except OSError as error:
            raise Broken(f"{self.path}: the vault's file cannot be read ({error.strerror})") from None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def read(self) -> bytes:
        """The file's bytes. Raises `Broken` where there is none that can be read."""
        try:
            if self.path.stat().st_size > MAX_FILE:
                raise Broken(f"{self.path}: the vault's file is longer than {MAX_FILE} bytes")
            return self.path.read_bytes()
        except OSError as error:
            raise Broken(f"{self.path}: the vault's file cannot be read ({error.strerror})") from None

    def prepare(self, data: bytes) -> Mark:
        """Put the next state on disk beside the present one; `commit` makes it the present one."""
        self._next.unlink(missing_ok=True)
        descriptor = os.open(self._next, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self._sync_folder()
        return mark(data)

    def commit(self) -> None:
        """What was prepared takes the place of the present state."""
        self._next.replace(self.path)
        self._sync_folder()

    def settle(self, recorded: Mark | None) -> None:
        """End a change that a crash cut short: by what is `recorded`, the change was made or it was not.

        Raises `Broken` where the file is then not the one that is recorded, `BadInput` where there is no
        vault.
        """
        if self._next.exists():
            if _marked(self._next) == recorded is not None:
                self.commit()
            else:
                self._next.unlink()
                self._sync_folder()
        if recorded is None and not self.path.exists():
            raise BadInput(str(self.folder), "", "there is no vault", "run `tearline vault init` first")
        if _marked(self.path) != recorded:
            raise Broken(
                f"{self.path}: this is not the vault's file that the ledger tells of; "
                "an older, another or a changed one was put in its place (see `tearline vault restore`)"
            )

    def _sync_folder(self) -> None:
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _marked(path: Path) -> Mark | None:
    """The mark of a file; `None` where there is no whole vault in it."""
    try:
        return mark(path.read_bytes())
    except (OSError, TearlineError):
        return None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
