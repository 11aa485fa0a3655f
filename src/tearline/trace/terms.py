"""The words of tracing."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, NamedTuple

import msgspec

Bit = Literal[0, 1]


class Mode(StrEnum):
    """Against whom the marks are made. It is written down with each release."""

    SINGLE = "single"
    """One recipient who leaks: every bit is a fair coin."""
    COLLUSION = "collusion"
    """Several who compare their copies: biases of a Tardos code, which are secret."""


class SlotKind(StrEnum):
    """What is varied at a slot."""

    SYNONYM = "synonym"
    NUMBER = "number"
    DATE = "date"
    LIST = "list"
    ABBREVIATION = "abbreviation"
    PUNCTUATION = "punctuation"


class Slot(msgspec.Struct, frozen=True):
    """A place in a text where either of two wordings says the same."""

    key: str
    """Names it to the keyed functions: SHA-256, hexadecimal, of product, sentence, kind and place."""
    kind: SlotKind
    start: int
    end: int
    """Code points of the base text."""
    options: tuple[str, str]
    """The wording for 0 and for 1; one of them stands in the base text."""
    entry: str = ""
    """The entry of the lexicon, or the rule, that gave it: by this an officer switches it off."""


class Match(NamedTuple):
    """So many code points of the base text stand in the leak, but for case, spaces and marks."""

    base: int
    leak: int
    base_size: int
    leak_size: int


class Seen(NamedTuple):
    """A bit read from a leak. `p`: the chance that the copy of an innocent has 1 here."""

    slot: str
    p: float
    bit: Bit
