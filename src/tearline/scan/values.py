"""What goes into the scanner and what comes out. Nothing here shows a name in its repr."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec


class Kind(StrEnum):
    """What a name row names."""

    PERSON = "person"
    ALIAS = "alias"
    ORGANISATION = "organisation"
    PLACE = "place"
    PHONE = "phone"
    EMAIL = "email"
    DOCUMENT = "document"
    CALLSIGN = "callsign"
    OTHER = "other"


class Disposition(StrEnum):
    """HOLD stops the release; REVIEW asks an officer; NOTE tells one."""

    HOLD = "hold"
    REVIEW = "review"
    NOTE = "note"


CODES = {
    "exact": "spelt as the vault has it",
    "inflected": "with another ending",
    "transliterated": "in another script or romanisation",
    "nickname": "by a familiar form of the name",
    "initial": "a name is cut to its first letter",
    "typo": "with a letter wrong",
    "identifier": "an identifier, such as a number or an address",
    "alone": "a name of one word",
    "rare": "a rare surname",
    "surname": "a surname, after the full name stood in the text",
    "markup": "parted by markup",
    "invisible": "parted by characters that nobody sees",
    "composed": "letters are composed otherwise",
    "hyphenated": "parted by a hyphen",
    "cut": "parted by the end of a line",
    "spaced": "its letters are spaced",
}
"""What the codes of `Hit.why` mean."""


class Identity(msgspec.Struct, frozen=True):
    """One name row of a protected identity; an identity may have several rows under one `id`."""

    id: str
    name: str
    kind: Kind
    lang: str = ""

    def __repr__(self) -> str:
        return f"Identity(id={self.id!r}, kind={self.kind.value!r})"

    __str__ = __repr__


class Hit(msgspec.Struct, frozen=True, order=True):
    """A protected identity found in a text.

    `start` and `end` count Unicode code points of the original text, end exclusive. `score` is 0 to 1.
    `why` is made of closed codes joined by commas (`docs/scanner.md`), never of names or text.
    """

    start: int
    end: int
    id: str
    score: float
    disposition: Disposition
    why: str


class Names(Protocol):
    """Whoever owns the real names. Asked for the rows of a few identities at a time."""

    def rows(self, ids: Sequence[str]) -> Mapping[str, Iterable[Identity]]:
        """The name rows of each of `ids`; an id that is not known may be left out."""
        ...
