"""NITF 2.1 and NSIF 1.0 headers, read by jbpy: their marking, what they carry, and their anew-marked copy."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jbpy

from tearline.label import dominates, parse
from tearline.label.grammar import Unreadable
from tearline.media.imagery.security import WIDTHS, Unwritable, banner, fields_of
from tearline.terms import BadInput, Label

_SEGMENTS = {
    "ImageSegments": ("image", "I"),
    "GraphicSegments": ("graphic", "S"),
    "TextSegments": ("text", "T"),
    "DataExtensionSegments": ("data extension", "DE"),
    "ReservedExtensionSegments": ("reserved extension", "RE"),
}
_AT = date.max - timedelta(days=1)
"""Coalitions with all that ever joined: a segment for two of its members is narrower than a file for it."""
_STEP = 8 << 20
"""Bytes copied at once."""


class Headers:
    """The headers of one file. Raises `BadInput` where they cannot be read, or do not fill the file."""

    def __init__(self, path: Path) -> None:
        logging.getLogger("jbpy").disabled = True  # its warnings quote the file
        self._size = path.stat().st_size
        try:
            with path.open("rb") as file:
                root: Any = jbpy.Jbp  # its types are not told
                self.root = root().load(file)
            said, end = self.root["FileHeader"]["FL"].value, self.root.get_size()
        except (ValueError, KeyError, AssertionError, EOFError, IndexError, TypeError, RecursionError):
            raise BadInput("", "its headers", "cannot be read") from None
        if said != self._size or end != self._size:
            raise BadInput("", "its length", f"is {self._size} bytes, its headers say {min(said, end)}")

    def groups(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every group of security fields: where it is, and its fields by the names in `WIDTHS`."""
        yield "file header", _group(self.root["FileHeader"], "F")
        for name, (kind, prefix) in _SEGMENTS.items():
            for number, segment in enumerate(self.root[name], 1):
                yield f"{kind} {number}", _group(segment["subheader"], prefix)

    def marking(self) -> tuple[str | None, str | None]:
        """The marking, and why it cannot be relied on: one of the two is `None`.

        The file header's is the marking. What a segment says may be narrower in nothing.
        """
        whole: Label | None = None
        text = None
        for place, group in self.groups():
            values = {}
            try:
                for name, field in group.items():
                    values[name] = _value(name, field)
                said = banner(values)
            except Unreadable as found:
                return None, f"{place}, field {found.mark}: {found.reason}"
            label = parse(said, at=_AT)[1]
            if not isinstance(label, Label):
                return None, f"{place}: its marking cannot be read"
            whole, text = whole or label, text or said
            # Unclassified without anything more is nobody's: whatever the file says is narrower.
            if said != "UNCLASSIFIED" and not dominates(whole, label):
                return None, f"{place}: it is marked narrower than the file"
        return text, None

    def carries(self) -> tuple[str, ...]:
        """By name, what else it holds: TREs, comments, segments."""
        found = [f"TRE {tre.name}" for tre in self.tres()]
        for place, _ in self.groups():
            if not place.startswith(("file", "image 1")):
                found.append(f"segment {place}")
        for segment in self.root["ImageSegments"]:
            found += ["comment"] * segment["subheader"]["NICOM"].value
        return tuple(dict.fromkeys(found))

    def tres(self) -> list[Any]:
        """Every tagged record extension in every header."""
        headers = [self.root["FileHeader"]]
        headers += [segment["subheader"] for name in _SEGMENTS for segment in self.root[name]]
        areas = [part for header in headers for part in header.values()]
        areas += [segment["DESDATA"] for segment in self.root["DataExtensionSegments"]]
        return [tre for part in areas if isinstance(part, jbpy.core.TreSequence) for tre in part]


def _group(header: Any, prefix: str) -> dict[str, Any]:
    return {name: header[f"{prefix}S{name}"] for name in WIDTHS}


def _value(name: str, field: Any) -> str:
    """The field as text. Raises `Unreadable` where it is not what the standard allows in it."""
    try:
        valid, text = bool(field.isvalid()), str(field.encoded_value, "ascii").rstrip(" ")
    except ValueError:
        valid, text = False, ""
    if not valid or len(field.encoded_value) != WIDTHS[name] or text != text.strip():
        raise Unreadable(name, "holds what the standard does not allow there")
    return text


def mark_anew(source: Path, target: Path, marking: str, progress: Callable[[float], None]) -> None:
    """The same bytes, with every group of security fields for `marking`; dates of declassification stay.

    Raises `BadInput` where the fields have no place for `marking`.
    """
    headers = Headers(source)
    fields = written(marking)
    kept = {"DCTP", "DCDT", "DCXM", "DG", "DGDT"}
    size = source.stat().st_size
    with source.open("rb") as old, target.open("r+b" if target.exists() else "wb") as new:
        new.truncate(0)
        done = 0
        while piece := old.read(_STEP):
            new.write(piece)
            done += len(piece)
            progress(done / size)
        for _, group in headers.groups():
            for name, field in group.items():
                if name not in kept:
                    new.seek(field.get_offset())
                    new.write(fields[name].encode("ascii"))


def written(marking: str) -> dict[str, str]:
    """`fields_of`, with its reason as a `BadInput`."""
    try:
        return fields_of(marking)
    except Unwritable as error:
        raise BadInput("", "its security fields", str(error), "release it in another form") from None
