"""In the place of the sandbox, for tests that run many histories: each request is done once, and remembered.

What a request makes is told by the files it reads and by its parameters; the paths are of no account.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from tearline.adapters import sandbox
from tearline.media import reads, writes
from tearline.terms import BadInput

_done: dict[tuple[bytes, bytes], tuple[Any, bytes]] = {}
_real = sandbox.run


def remembered(request: Any, **more: Any) -> Any:
    """As `sandbox.run`."""
    source, target = Path(reads(request)), writes(request)
    bare = msgspec.to_builtins(request)
    for name in ("source", "made", "target"):
        bare.pop(name, None)
    key = (sha256(source.read_bytes()).digest(), msgspec.json.encode(bare, order="deterministic"))
    if key not in _done:
        try:
            answer = _real(request, **more)
        except BadInput as error:
            answer = error
        made = Path(target).read_bytes() if target and not isinstance(answer, BadInput) else b""
        _done[key] = answer, made
    answer, made = _done[key]
    if isinstance(answer, BadInput):
        raise BadInput(str(source), answer.place, answer.reason, answer.remedy)
    if target:
        Path(target).write_bytes(made)
    return answer


@contextmanager
def quick() -> Iterator[None]:
    """While this is open the sandbox remembers."""
    sandbox.run = remembered
    try:
        yield
    finally:
        sandbox.run = _real
