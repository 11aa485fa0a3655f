"""Pictures and recordings: what a file is, the sanitized form of it, and the check of that form.

This front is words only: requests and their answers. The work is done by `python -m tearline.media`, one
request a process, which `adapters.sandbox` starts and confines, for a file from outside is parsed nowhere
else. A form is always built anew from samples and an allow-list, never copied and cleaned.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec

from tearline.terms import Imagery, MediaForm, Signal

__all__ = [
    "SANITIZER",
    "Answer",
    "Detect",
    "Detected",
    "Drawing",
    "Failed",
    "Findings",
    "Inspect",
    "Inspected",
    "Made",
    "Make",
    "Mark",
    "Preview",
    "Previewed",
    "Progress",
    "Request",
    "Sanitizer",
    "Verify",
    "reads",
    "reads_beside",
    "writes",
]

SANITIZER = "media/1"
"""The node's own sanitizers: a form made by another version is another file."""


class Inspect(msgspec.Struct, frozen=True, kw_only=True, tag="inspect"):
    """What is in the file `source`? Answered by `Inspected`."""

    source: str
    """Absolute path; what it is, is told by its first bytes, never by its name."""


class Make(msgspec.Struct, frozen=True, kw_only=True, tag="make"):
    """Make `form` of the file `source` at `target`. Answered by `Made`.

    `form` `None` is the whole file: of a NITF the same bytes with its security fields written anew from
    `marking`; of any other file there is nothing to make, and the answer is `Failed`.
    """

    source: str
    target: str
    """Absolute path, in a folder that exists; whatever is there is replaced."""
    form: MediaForm | None
    marking: str
    """The marking written into the file, where its format has a place for one: a CAPCO banner line."""
    taken: datetime | None = None
    """When it was taken, as the product says; it is told by `form.time` only."""


class Verify(msgspec.Struct, frozen=True, kw_only=True, tag="verify"):
    """Is the file `made` what `Make` with the same `form`, `marking` and `taken` should give?

    Read by other parsers than those it was made with. Answered by `Findings`.
    """

    made: str
    form: MediaForm | None
    marking: str
    taken: datetime | None = None
    expected: Made
    of: Imagery | Signal | None = None
    """What it was made of: a form is measured against that too, where it is told."""


class Preview(msgspec.Struct, frozen=True, kw_only=True, tag="preview"):
    """Draw the file `source`, a form that was released, or a part of it, as PNG. Answered by `Previewed`."""

    source: str
    target: str
    pixels: int = 512
    """The longer side at most; 512 is a thumbnail, 2048 an overview."""
    part: tuple[int, ...] = ()
    """As in `Drawing`; empty: all of it."""


class Mark(msgspec.Struct, frozen=True, kw_only=True, tag="mark"):
    """Make at `target` one recipient's copy of a form: the form `source`, which is `made`, with the mark of
    `seed` in its samples. Answered by `Made`, with the same facts.
    """

    source: str
    target: str
    made: Made
    seed: bytes
    """32 bytes that only the giver can make."""


class Detect(msgspec.Struct, frozen=True, kw_only=True, tag="detect"):
    """Whose copy is `leaked`? Answered by `Detected`.

    `original` is the form without a mark, of which the copies were made. The leak may be a PNG or JPEG too,
    cut, turned a little, made smaller or larger, with other tones, coarser, or compressed.
    """

    leaked: str
    original: str
    seeds: tuple[bytes, ...]
    """Of all that it may have come from."""
    pixels: int = 0
    """Draw both too, so large at the longer side; 0: draw nothing."""


class Inspected(msgspec.Struct, frozen=True, kw_only=True, tag="inspected"):
    facts: Imagery | Signal
    media_type: str
    """As in `terms.Media`."""
    title: str = ""
    """Empty for a picture: what it calls itself is free text of its maker, and not for a recipient."""
    marking: str | None = None
    """The marking in the file, as a text that `label.parse` reads; `None` where its format has none."""
    quarantine: str | None = None
    """Why its marking cannot be read whole, in one sentence; the product then goes to nobody."""
    texts: tuple[str, ...] = ()
    """All free text in it: descriptions, comments of annotations. It is scanned for protected names."""
    carries: tuple[str, ...] = ()
    """What else it tells, by name only (`TRE RPC00B`, `tag 305`): for officers."""


class Made(msgspec.Struct, frozen=True, kw_only=True, tag="made"):
    sha256: str
    size: int
    media_type: str
    facts: Imagery | Signal
    """Of the form: what its recipient may be told."""
    did: tuple[str, ...] = ()
    """What was done, one plain sentence each: for officers and the ledger, never for a recipient."""


class Findings(msgspec.Struct, frozen=True, kw_only=True, tag="findings"):
    found: tuple[str, ...]
    """What is not on the allow-list, or on what two parsers disagree, a sentence each; none: it may go."""


class Previewed(msgspec.Struct, frozen=True, kw_only=True, tag="previewed"):
    sha256: str
    size: int
    width: int
    height: int


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """A leak beside its original, as PNG: pictures, or spectrograms."""

    original: bytes
    """All of it."""
    outline: tuple[tuple[float, float], ...]
    """The corners of what leaked, on `original`: from the left and from the top, in parts of its sides."""
    leak: bytes
    """As it came."""
    part: tuple[int, ...]
    """What can be compared. Of a picture: left, top, right, bottom, in pixels; of a recording: the channel,
    and the first sample and that behind the last."""
    here: bytes
    """That part of the original."""
    laid: bytes
    """The leak, laid over that part."""


class Detected(msgspec.Struct, frozen=True, kw_only=True, tag="detected"):
    scores: tuple[float, ...]
    """One for each seed, in their order; empty where the leak could not be laid over the original.

    The score of whoever had nothing to do with it is a sum of independent fair signs whose weights do not
    depend on its seed; the squares of the weights add up to 1.
    """
    chances: tuple[float, ...] = ()
    """Of each score: how often, at most, an innocent's is that high. For one seed: multiply by the number of
    those that were tried."""
    how: str
    """How it was laid over the original, in one sentence: for officers."""
    likeness: float = 0.0
    """The correlation of leak and original."""
    samples: int = 0
    """Pixels, or samples, that were compared."""
    drawing: Drawing | None = None
    """Where it was asked for, and the leak could be laid over the original."""


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """The file cannot be taken: the parts of a `terms.BadInput` about it."""

    place: str
    reason: str
    remedy: str = ""


class Progress(msgspec.Struct, frozen=True, kw_only=True, tag="progress"):
    """A line on stderr: how much of the work is done, 0 to 1."""

    done: float


class Sanitizer(Protocol):
    """What a plug-in is: the one entry point of its name in the group `tearline.sanitizers`."""

    @property
    def version(self) -> str:
        """What agreements pin, behind the slash."""

    def __call__(self, request: Make, progress: Callable[[float], None]) -> Made:
        """Write the form at `request.target`; the same request gives the same bytes.

        `sha256` and `size` of the answer are told anew, and may be empty. Raises `BadInput` where the form
        cannot be made.
        """


Request = Inspect | Make | Verify | Preview | Mark | Detect
Answer = Inspected | Made | Findings | Previewed | Detected | Failed


def reads(request: Request) -> str:
    """The file that the request is about."""
    match request:
        case Verify():
            return request.made
        case Detect():
            return request.leaked
        case _:
            return request.source


def reads_beside(request: Request) -> str | None:
    """Another file that it reads."""
    return request.original if isinstance(request, Detect) else None


def writes(request: Request) -> str | None:
    """The one file that it writes."""
    return request.target if isinstance(request, Make | Preview | Mark) else None
