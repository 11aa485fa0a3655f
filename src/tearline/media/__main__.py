"""`python -m tearline.media`: one request as JSON on stdin, one answer as JSON on stdout, then the end.

Lines of `Progress` go to stderr. To be started by `adapters.sandbox`, which takes away network and files.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import msgspec

from tearline.media import (
    SANITIZER,
    Answer,
    Detect,
    Failed,
    Make,
    Mark,
    Progress,
    Request,
    reads,
    reads_beside,
)
from tearline.terms import BadInput

_Reader = Callable[[Request, Callable[[float], None]], Answer]
_REQUEST: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)


def main() -> None:
    request = _REQUEST.decode(sys.stdin.buffer.read())
    sys.stdout.buffer.write(msgspec.json.encode(answer(request)))
    sys.stdout.buffer.flush()


def answer(request: Request) -> Answer:
    """Do it. Total for bad files: what is wrong with one is a `Failed`."""
    try:
        # Each loads its libraries only when it is needed.
        do: _Reader = import_module(f"tearline.media.{_room(request)}").answer
        return do(request, progress)
    except BadInput as error:
        return Failed(place=error.place, reason=error.reason, remedy=error.remedy)
    except MemoryError:
        return Failed(place="", reason="needs more memory than a file may")
    except OSError as error:
        return Failed(place="", reason=f"cannot be read ({error.strerror or 'an error of the system'})")


def _room(request: Request) -> str:
    """Where it is done."""
    if isinstance(request, Make) and request.form and request.form.sanitizer not in {"", SANITIZER}:
        return "plugins"
    is_recording = _is_recording(Path(reads_beside(request) or reads(request)))
    if isinstance(request, Mark | Detect):
        return "marks.recordings" if is_recording else "marks.pictures"
    return "signals" if is_recording else "imagery"


def progress(done: float) -> None:
    """Tell whoever waits how much is done, 0 to 1."""
    sys.stderr.buffer.write(msgspec.json.encode(Progress(done=round(done, 3))) + b"\n")
    sys.stderr.flush()


def _is_recording(path: Path) -> bool:
    """A SigMF archive is a tar; nothing else that is taken has `ustar` at byte 257 (POSIX.1-2017, pax)."""
    with path.open("rb") as file:
        file.seek(257)
        return file.read(5) == b"ustar"


if __name__ == "__main__":
    main()
