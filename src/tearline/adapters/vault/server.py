"""The vault's process: answers over a Unix socket, one scan at a time, and follows its file.

Before every answer it looks whether the file was changed: what an officer adds is looked for in the very next
text. A file that it cannot follow (gone, changed, older) ends the answering, and so the releasing.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable

import structlog

from tearline.adapters.vault.file import Stamp, VaultFile
from tearline.adapters.vault.talk import must_be_same_user, receive_frame, send_frame, short_path
from tearline.terms import Broken, TearlineError
from tearline.vault import Keeper, Opened, unseal
from tearline.vault.wire import Answer, Failure, frame, read_request

log = structlog.get_logger()

MAX_TALKS = 32
"""Connections at once."""
SEND_TIME = 30.0
"""Seconds in which an answer must be taken."""


class VaultServer:
    """Serves one open vault. `hardened`: what `harden` was granted, for the status."""

    def __init__(self, file: VaultFile, opened: Opened, hardened: tuple[str, ...] = ()) -> None:
        self._file, self._hardened = file, hardened
        self._stamp: Stamp | None = None
        self._keeper = Keeper(opened, hardened)
        self._one = threading.Lock()
        self._talks = threading.BoundedSemaphore(MAX_TALKS)

    def run(self, ready: Callable[[], None]) -> None:
        """Answer until an exception (of a signal's handler) ends it.

        Raises `Refused` where another process serves already.
        """
        with self._file.locked(name="serving", wait=0), socket.socket(socket.AF_UNIX) as door:
            self._file.socket.unlink(missing_ok=True)
            with short_path(self._file.socket) as path:
                before = os.umask(0o177)
                door.bind(path)
                os.umask(before)
            try:
                door.listen()
                log.info("vault open", sources=len(self._keeper.opened.register.sources))
                ready()
                while True:
                    talk, _ = door.accept()
                    self._admit(talk)
            finally:
                self._file.socket.unlink(missing_ok=True)

    def _admit(self, talk: socket.socket) -> None:
        if self._talks.acquire(blocking=False):
            threading.Thread(target=self._converse, args=(talk,), daemon=True).start()
        else:
            talk.close()

    def _converse(self, talk: socket.socket) -> None:
        """Answer one client until it ends."""
        try:
            with talk:
                must_be_same_user(talk)
                while (packed := receive_frame(talk)) is not None:
                    answer = self._framed(packed)
                    send_frame(talk, answer, time.monotonic() + SEND_TIME)
        except (OSError, TearlineError) as error:
            log.warning("vault: a connection was ended", why=type(error).__name__)
        finally:
            self._talks.release()

    def _framed(self, packed: bytes) -> bytes:
        """The answer to one request; every error becomes a sentence, and a fault of ours only its type."""
        try:
            return frame(self.answer(packed))
        except Broken as error:
            return frame(Failure("broken", str(error)))
        except TearlineError as error:
            return frame(Failure("refused", str(error)))
        except Exception as error:
            # The text of the error, and a traceback's values, may hold content or an identity.
            log.warning("vault: fault of ours", type=type(error).__name__)
            return frame(Failure("broken", f"fault of ours in the vault: {type(error).__name__}"))

    def answer(self, packed: bytes) -> Answer:
        """Raises `Broken` where the file cannot be followed or this is no request."""
        request = read_request(packed)
        with self._one:
            self._follow()
            return self._keeper.answer(request)

    def _follow(self) -> None:
        stamp = self._file.stamp()
        if stamp == self._stamp:
            return
        held = self._keeper.opened
        opened = unseal(self._file.read(), held)
        if opened.header != held.header:
            if opened.header.version <= held.header.version:
                raise Broken("the vault's file was put back to an older state")
            self._keeper = Keeper(opened, self._hardened)
            log.info("vault read again", sources=len(opened.register.sources))
        self._stamp = stamp
