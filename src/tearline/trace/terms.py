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
    """A bit read from a leak. `p`: the chance that the copy of an innocent has 1 here.

    A canary with n wordings is a slot with `bit` 1, "the wording that was read", `p` 1/n and `options` n;
    there a copy has 1 if it carries that wording.
    """

    slot: str
    p: float
    bit: Bit
    options: int = 2


def told(chance: float) -> str:
    """A chance as it is shown: what is too small for a number is not none."""
    return f"{chance:.1e}" if chance else "below 1e-300"


class Held(StrEnum):
    """How much of what leaked a recipient had been given, as the ledger says."""

    ALL = "all"
    PART = "part"
    NONE = "none"


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """What the marks say of one recipient."""

    partner: str
    slots: int
    """How many were read of those that its copy carries."""
    agree: int
    """In how many of them its copy has what was read."""
    chance: float
    """At most so likely is it that an innocent's copy fits the leak as well, whatever the leakers did."""
    ratio: float
    """Likelihood ratio (logarithm to base 10): how much likelier its marks are if its copy took part."""
    prior: float
    """How likely its copy was thought to have taken part, before."""
    posterior: float
    """How likely its copy took part, of the ratio and what was thought before."""
    odds: float | None
    """The same as odds (logarithm to base 10), which tell likely from certain; `None`: it was ruled out."""
    same: tuple[str, ...] = ()
    """Others whose marks are the same wherever the leak could be read."""
    accused: bool = False

    @property
    def stands(self) -> str:
        """The odds in words."""
        if self.odds is None:
            return "none"
        many = f"{10 ** min(abs(self.odds), 300.0):.3g}"
        return f"1 to {many}" if self.odds < 0 else f"{many} to 1"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whose copy it was, as far as marks tell; and, apart from that, who had what leaked."""

    says: str
    """The answer in a sentence or two."""
    accused: tuple[str, ...]
    suspects: tuple[Suspect, ...]
    """All whose marks could be compared, the likeliest first."""
    alpha: float
    """The chance of accusing any innocent in this case, all tests counted, is at most this."""
    tests: int
    threshold: float
    """`alpha` shared out among the tests: a `Suspect.chance` up to this accuses."""
    more: int | None
    """About how many more slots of the likeliest's copy must be read to accuse it, if it did leak."""
    held: dict[Held, tuple[str, ...]]
    """By the ledger, not by marks: nobody is accused for it."""
