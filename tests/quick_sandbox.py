"""In the place of the sandbox, for tests of many histories: the same readers and makers, in this process.

Each request is done once and remembered. What it makes is told by the file that it reads and by its
parameters; the paths are of no account.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from tearline.adapters import sandbox
from tearline.media import Failed, reads, writes
from tearline.media.__main__ import answer
from tearline.terms import BadInput

_done: dict[tuple[bytes, bytes], tuple[Any, bytes]] = {}


def remembered(request: Any, **_: Any) -> Any:
    """As `sandbox.run`."""
    source, target = Path(reads(request)), writes(request)
    bare = {
        name: value
        for name, value in msgspec.to_builtins(request).items()
        if name not in {"source", "made", "target"}
    }
    key = (sha256(source.read_bytes()).digest(), msgspec.json.encode(bare, order="deterministic"))
    if key not in _done:
        said = answer(request)
        _done[key] = said, Path(target).read_bytes() if target and not isinstance(said, Failed) else b""
    said, made = _done[key]
    if isinstance(said, Failed):
        raise BadInput(str(source), said.place, said.reason, said.remedy)
    if target:
        Path(target).write_bytes(made)
    return said


@contextmanager
def quick() -> Iterator[None]:
    """While this is open, nothing is read in a process of its own."""
    real = sandbox.run
    sandbox.run = remembered
    try:
        yield
    finally:
        sandbox.run = real
