"""Canaries: a harmless detail of a product that is told to each recipient in another way.

Which ways there are is a secret like an identity: who knew them could tell copies apart, or frame somebody.
"""

from __future__ import annotations

import msgspec

from tearline.terms import BadInput, Party

MAX_TEXT = 200
MAX_OPTIONS = 64


class Canary(msgspec.Struct, frozen=True, kw_only=True):
    """A phrase of a product's text, and what may stand in its place. Shows neither."""

    id: str
    """Opaque; by which the ledger knows it."""
    product: str
    options: tuple[str, ...]
    """The phrase itself, and its alternatives: all mean the same to who may act on them."""
    by_hand: dict[Party, int] = {}
    """The option (by its number) of those recipients for whom an officer chose; for the others a key does."""

    def __repr__(self) -> str:
        return f"Canary({self.id})"

    @property
    def phrase(self) -> str:
        return self.options[0]

    def check(self) -> None:
        """Raises `BadInput` where it cannot be one."""
        if not 2 <= len(self.options) <= MAX_OPTIONS:
            raise BadInput("canary", "", "it needs a phrase and 1 to 63 alternatives")
        if any(not text.strip() or not text.isprintable() or len(text) > MAX_TEXT for text in self.options):
            raise BadInput("canary", "", f"each alternative is one line of at most {MAX_TEXT} characters")
        if len({" ".join(text.split()).casefold() for text in self.options}) < len(self.options):
            raise BadInput("canary", "", "two alternatives are alike")
        if any(not 0 <= number < len(self.options) for number in self.by_hand.values()):
            raise BadInput("canary", "", "an alternative that was chosen by hand is not there")
