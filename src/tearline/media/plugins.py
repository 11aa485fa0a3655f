"""Sanitizers of others, which a form names with their version: packages of this node's own environment.

They run here alone, behind the sandbox's walls. What they say is not believed: hash and size are told anew,
and the form is read again, and measured, by a process in which none of them is loaded (`Verify`). See
docs/sanitizer-plugins.md.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import msgspec
from msgspec.structs import replace

from tearline.media import SANITIZER, Answer, Made, Make, Request, Sanitizer
from tearline.terms import BadInput

GROUP = "tearline.sanitizers"
_PLACE = "the sanitizer"


def answer(request: Request, progress: Callable[[float], None]) -> Answer:
    """Have it made by the sanitizer that the form names. Raises `BadInput` where that is not done."""
    if not isinstance(request, Make) or request.form is None:
        raise BadInput("", _PLACE, "is asked for something that is no form")
    # What a form is called, when it goes and how it is marked is not for the sanitizer to know.
    bare = replace(request.form, name="", delay_h=0, marking="")
    try:
        with contextlib.redirect_stdout(sys.stderr):  # the answer alone goes to stdout
            said = _pinned(request.form.sanitizer)(replace(request, form=bare), progress)
        made = msgspec.json.decode(msgspec.json.encode(said), type=Made)
    except msgspec.MsgspecError:
        raise BadInput("", _PLACE, "does not say what it made") from None
    except (BadInput, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        raise BadInput("", _PLACE, f"failed ({type(error).__name__})") from None
    target = Path(request.target)
    with target.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    did = (f"made by the sanitizer {request.form.sanitizer}", *made.did)
    return replace(made, sha256=sha256, size=target.stat().st_size, did=did)


def _pinned(name_and_version: str) -> Sanitizer:
    """The sanitizer of that name, in that version. Raises `BadInput`."""
    name, _, version = name_and_version.partition("/")
    own = SANITIZER.partition("/")
    if name == own[0]:
        raise BadInput("", _PLACE, f"of this node is of version {own[2]}", "agree on that one")
    offered = list(entry_points(group=GROUP, name=name))
    again = "then say `tearline reconsider`"
    if len(offered) != 1:
        how = "is offered by two packages" if offered else "is not installed here"
        raise BadInput("", _PLACE, how, f"install the one package that has it, {again}")
    try:
        sanitizer: Sanitizer = offered[0].load()
        installed = sanitizer.version
    except (Exception, SystemExit) as error:
        raise BadInput(
            "", _PLACE, f"cannot be loaded ({type(error).__name__})", f"repair its package, {again}"
        ) from None
    if installed != version:
        raise BadInput("", _PLACE, f"is here in version {installed!s:.32}", f"install {version}, {again}")
    return sanitizer
