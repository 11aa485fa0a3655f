"""What an officer decided about what the gate referred (`Refer`): it holds for exactly that.

A decision lets a sanitized tearline go as the officer saw it, or in the officer's own words, or withholds
what was referred. It overrules neither label, agreement nor mosaic: where one of them says no, there is
nothing to decide. Bound to its referral by a seal, it is of no effect as soon as anything in that differs:
another word, marking or flag.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType

import msgspec

from tearline.terms import Outcome, Party, Product, Reason, Refer, Withhold


class Choice(StrEnum):
    """What officers can decide about a referral."""

    TEARLINE = "tearline"
    WITHHOLD = "withhold"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """An officer's answer for one partner."""

    choice: Choice
    seal: str
    """Of the referral that was looked at: see `seal`."""
    texts: tuple[str, ...] | None = None
    """The portions in the officer's words, one each; `None`: as they were referred."""


Decisions = Mapping[Party, Decision]
NO_DECISIONS: Decisions = MappingProxyType({})


def decided(product: Product, referred: Refer, decisions: Decisions) -> Decision | None:
    """The decision on exactly this, if there is one that can be carried out."""
    made = decisions.get(referred.partner)
    if made is None or made.seal != seal(product, referred):
        return None
    if made.texts is not None and len(made.texts) != len(referred.portions):
        return None
    return made


def withheld(product: Product, outcome: Outcome, decisions: Decisions) -> Outcome:
    """The outcome; withheld where it is a referral that an officer decided to withhold."""
    if not isinstance(outcome, Refer) or (made := decided(product, outcome, decisions)) is None:
        return outcome
    if made.choice is not Choice.WITHHOLD:
        return outcome
    reasons = (*outcome.reasons, Reason(check=7, code="officer.withheld"))
    return Withhold(partner=outcome.partner, reasons=reasons)


def seal(product: Product, referred: Refer) -> str:
    """SHA-256, hexadecimal, of what an officer looks at: the product, the tearline, why it is referred.

    The clauses that permit it are not in it: whether they do is asked anew each time.
    """
    codes = sorted((each.code, each.detail) for each in referred.reasons if not each.clause)
    version = (product.originator, product.id, product.version, sha256(product.content).hexdigest())
    shown = (version, referred.partner, referred.portions, referred.label, codes)
    return sha256(msgspec.json.encode(shown, order="deterministic")).hexdigest()
