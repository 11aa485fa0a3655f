"""Receipts: what a recipient says it took, release by release, and whether the giver's log bears it out.

A receipt names each release by its id, the SHA-256 of the statement that its giver signed and logged, and its
place in the giver's log; and the checkpoint under which that was proved to the recipient. It travels as a
message, sealed by the recipient: whoever holds it can show that the recipient had just this release, and
which state of the giver's log it saw. It tells what became of the release, never why, and nothing of others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any

import msgspec

from tearline.deliver.seal import Opened, Statement
from tearline.terms import Broken

BATCH = 100
"""Releases in one receipt, at most."""


class Became(StrEnum):
    """What became of a release at its recipient."""

    HELD = "held"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


_Number = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
_Name = Annotated[str, msgspec.Meta(max_length=200)]


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One release. `size` is that of the checkpoint, among those of the receipt, that proved it."""

    release: _Name
    statement: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    index: _Number
    size: _Number
    became: Became


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A checkpoint of the giver's log, as the recipient saw it signed."""

    size: _Number
    root: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a `RECEIPT` message. `at`: the recipient's own clock, RFC 3339.

    `asks`: the size of a checkpoint that the recipient cannot link yet; the giver's next releases prove it.
    """

    releases: Annotated[list[Line], msgspec.Meta(min_length=1, max_length=BATCH)]
    checkpoints: Annotated[list[State], msgspec.Meta(min_length=1, max_length=BATCH)]
    at: Annotated[str, msgspec.Meta(max_length=40)]
    asks: _Number | None = None

    def to_body(self) -> dict[str, Any]:
        """As it stands in a message."""
        body: dict[str, Any] = msgspec.to_builtins(self)
        return body


class Difference(StrEnum):
    """How a line of a receipt differs from what was sent."""

    OTHER_LOG = "other-log"
    """The giver's log never was as the recipient says that it saw it."""
    OTHER_STATEMENT = "other-statement"
    """The giver's log has another statement in that place."""
    OTHER_RELEASE = "other-release"
    """The statement is the one in that place, but of a release with another id."""


def receipt_for(releases: Sequence[tuple[Opened, Became]], at: str, asks: int | None) -> Receipt:
    """The receipt for up to `BATCH` releases from one giver."""
    lines = [
        Line(
            release=release.statement.release_id,
            statement=release.logged,
            index=release.proof.inclusion.index,
            size=release.log.size,
            became=became,
        )
        for release, became in releases
    ]
    roots = {release.log.size: release.log.root for release, _ in releases}
    states = [State(size, root) for size, root in sorted(roots.items())]
    return Receipt(releases=lines, checkpoints=states, at=at, asks=asks)


def read_receipt(body: Mapping[str, Any]) -> Receipt:
    """Reads what `to_body` wrote. Raises `Broken` for anything else."""
    try:
        receipt = msgspec.convert(body, Receipt)
    except msgspec.ValidationError:
        raise Broken("a receipt cannot be read") from None
    sizes = [state.size for state in receipt.checkpoints]
    lines = [line.release for line in receipt.releases]
    if len(set(sizes)) < len(sizes) or len(set(lines)) < len(lines):
        raise Broken("a receipt tells one thing twice")
    if {line.size for line in receipt.releases} != set(sizes):
        raise Broken("a receipt does not tell which checkpoints it is about")
    return receipt


def compare(
    receipt: Receipt, statements: Mapping[int, bytes], roots: Mapping[int, bytes]
) -> dict[str, Difference | None]:
    """Of each release in a receipt, how it differs from the giver's own log; `None` where it does not.

    `statements`: the entries of the log by index; `roots`: its roots by size, as far as it ever was so long.
    """
    same = {state.size for state in receipt.checkpoints if roots.get(state.size) == state.root}
    return {line.release: _difference(line, statements.get(line.index), same) for line in receipt.releases}


def _difference(line: Line, statement: bytes | None, same: set[int]) -> Difference | None:
    if line.size not in same or line.index >= line.size or statement is None:
        return Difference.OTHER_LOG
    if sha256(statement).hexdigest() != line.statement:
        return Difference.OTHER_STATEMENT
    if msgspec.json.decode(statement, type=Statement).release_id != line.release:
        return Difference.OTHER_RELEASE
    return None
