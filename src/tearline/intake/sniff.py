"""What a file is, by its content: the name is only for the reader of a fault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from tearline.intake import archive, galaxy, report, stix
from tearline.intake.context import Context, Fault, shown
from tearline.intake.limits import take
from tearline.intake.split import RECORDS, WHOLE, Malformed, Piece, parsed, split, whole
from tearline.terms import BadInput, Product, Quarantine

_HEAD = 4096
_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd", *archive.MAGIC)
_MEMBERS = frozenset({"type", "id", "spec_version", "version", "tags", "Tag"})
"""The members of a file that are read; the others must only be JSON."""
_JSON = re.compile(rb'\{|\[\s*(?:[{\["\]0-9-]|$)')
"""A report may begin with `[DRAFT]`."""
_KNOWN = "STIX 2.1, MISP galaxies, UTF-8 reports and zip archives of these are read"


def read(stream: BinaryIO, name: str, *, context: Context) -> Iterator[Product | Fault]:
    """The products of one file, each good one, and a `Fault` for each that is not.

    `stream` can seek: a JSON file is read twice, in chunks. `name` is what faults call it. Nothing in the
    file makes this raise; `OSError` of the stream itself does. After `limits.faults` errors reading ends.
    """
    errors = 0
    for item in _read(stream, name, context):
        yield item
        errors += isinstance(item, Fault) and item.severity == "error"
        if errors >= context.limits.faults:
            yield Fault(where=name, place="", reason=f"has {errors} errors; the rest was not read")
            return


def _read(stream: BinaryIO, name: str, context: Context) -> Iterator[Product | Fault]:
    _, default = context.default(context.at.date())
    if context.default_marking is not None and isinstance(default, Quarantine):
        yield Fault(where="default marking", place=repr(default.mark), reason=default.reason)
        return
    try:
        if take(stream, len(archive.MAGIC[0])) in archive.MAGIC:
            yield from archive.read(stream, name, context, _read_plain)
        else:
            yield from _read_plain(stream, name, context)
    except BadInput as bad:
        yield Fault.of(bad)


def _read_plain(stream: BinaryIO, name: str, context: Context) -> Iterator[Product | Fault]:
    """The products of a file that is no archive. Raises `BadInput`."""
    stream.seek(0)
    head = take(stream, _HEAD)
    stream.seek(0)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text and len(head) < _HEAD:
        raise BadInput(name, "", "is empty")
    if head.startswith(_PACKED):
        raise BadInput(name, "", "is an archive of a kind, or in a place, that is not read", _KNOWN)
    if _JSON.match(text):
        yield from _read_json(stream, name, context)
    else:
        yield from report.read(stream, name, context)


def _read_json(stream: BinaryIO, name: str, context: Context) -> Iterator[Product | Fault]:
    """Reads twice: first what the file is and what its objects need of each other, then the products."""
    index, survey = stix.Index(), _Survey(name)
    broken: Malformed | None = None
    try:
        for piece in split(stream, context.limits):
            if piece.index is None:
                survey.note(piece)
            elif piece.key != "values":
                index.note(piece)
    except Malformed as found:
        broken = found  # if the second reading comes so far, it says so at its place
    stream.seek(0)
    kind, ident = survey.members.get("type"), survey.members.get("id")
    if "values" in survey.lists:
        yield from survey.flaws
        yield from galaxy.read(_records(stream, "values", name, context), survey.members, name, context)
    elif kind == "bundle" or WHOLE in survey.lists or (kind is None and "objects" in survey.lists):
        survey.check_bundle()
        yield from survey.flaws
        records = _records(stream, WHOLE if WHOLE in survey.lists else "objects", name, context)
        yield from stix.read(records, name, index, context, bundle=kind == "bundle")
    elif broken:
        raise BadInput(name, f"byte {broken.offset}", broken.reason)
    elif kind and ident:
        yield from stix.read(_records(stream, None, name, context), name, index, context, bundle=False)
    else:
        raise BadInput(name, "", "is JSON of a form that is not known", _KNOWN)


class _Survey:
    """The members of a file's one object, its lists of records aside, and what is wrong with them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.members: dict[str, Any] = {}
        self.lists: set[str] = set()
        self.flaws: list[Fault] = []

    def note(self, piece: Piece) -> None:
        """Raises `BadInput` for a member that stands twice: readers differ on which of the two is meant."""
        if piece.key in self.members or piece.key in self.lists:
            raise BadInput(
                self._name, f"byte {piece.offset}", f"the member {shown(piece.key)!r} stands twice"
            )
        if piece.raw == RECORDS:
            self.lists.add(piece.key)
            return
        self.members[piece.key] = None
        try:
            value = parsed(piece, self._name, shown(piece.key))
        except BadInput as bad:
            self.flaws.append(Fault.of(bad))
        else:
            self.members[piece.key] = value if piece.key in _MEMBERS else None

    def check_bundle(self) -> None:
        """Raises `BadInput` for one that holds no STIX 2.1 objects."""
        if self.members.get("spec_version", "2.1") != "2.1":
            raise BadInput(self._name, "spec_version", "is a bundle of STIX 2.0", "send STIX 2.1")
        if "objects" in self.members:
            raise BadInput(self._name, "objects", "should be a list")


def _records(stream: BinaryIO, key: str | None, name: str, context: Context) -> Iterator[Piece]:
    """The records of the list `key`, or the file as one. Raises `BadInput` where it can be cut no further."""
    try:
        if key is None:
            yield whole(stream, context.limits)
            return
        for piece in split(stream, context.limits):
            if piece.index is not None and piece.key == key:
                yield piece
    except Malformed as bad:
        raise BadInput(name, f"byte {bad.offset}", bad.reason) from None
