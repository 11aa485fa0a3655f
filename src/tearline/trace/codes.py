"""What a copy carries at a slot: keyed draws, so that the marks of every copy can be drawn again.

An accusation rests on this: whoever has not the key sees the bits of other copies as coins, independent
between slots and between partners, and each comes up 1 with the chance `p` that is stated with it.
HMAC-SHA-256 is taken to be such a function. Draws compare integers: every machine draws the same.

In `Mode.COLLUSION` the bias is secret and one of two, as in the short codes against few colluders of Nuida et
al., "An improvement of discrete Tardos fingerprinting codes" (2009). Theirs, 1/2 ± √3/6, is best for a score
that knows nothing of the attack. The score used here estimates it (`leakers`), and is served better by biases
farther out. The arcsine density of Tardos (2008) needs more slots against up to four colluders;
`benchmarks/trace.py` measures them all.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from tearline.terms import BadInput
from tearline.trace.terms import Bit, Mode

__all__ = ["FAIR", "RARE", "bias", "bit", "choice"]

FAIR: Final = 0.5
RARE: Final = 3 / 16
"""The lower bias of `Mode.COLLUSION`; the other is 1 - RARE. Both are exact in binary."""


def bias(key: bytes, slot: str, mode: Mode) -> float:
    """The chance that a copy has 1 at the slot. In `Mode.COLLUSION` it is as secret as the key."""
    if mode is Mode.SINGLE:
        return FAIR
    return RARE if _draw(key, "bias", slot) < 1 << 63 else 1 - RARE


def bit(key: bytes, slot: str, partner: str, p: float) -> Bit:
    """What this partner's copy has at the slot: 1 with the chance `p`.

    Draws at different `p` are independent too: a slot that was marked in both modes is two to a verdict.

    Raises:
        BadInput: `p` is not between 0 and 1.
    """
    if not 0 < p < 1:
        raise BadInput("a mark", slot, "its chance is not between 0 and 1")
    # A float times a power of two is exact, so this compares integers.
    return 1 if _draw(key, "bit", slot, partner, p.hex()) < int(p * 2**64) else 0


def choice(key: bytes, slot: str, partner: str, options: int) -> int:
    """Which of so many wordings this partner's copy has, from 0: each has the same chance (within 2**-32).

    For canaries. Raises `BadInput` if there are not 2 to 2**32 options.
    """
    if not 2 <= options <= 1 << 32:
        raise BadInput("a canary", slot, "it needs two wordings or more")
    return _draw(key, "choice", slot, partner, str(options)) * options >> 64


def _draw(key: bytes, *about: str) -> int:
    """64 bits, of the key and of what they are drawn for; each part has its length before it."""
    parts = (part.encode() for part in ("tearline/trace/1", *about))
    message = b"".join(len(part).to_bytes(4) + part for part in parts)
    return int.from_bytes(hmac.digest(key, message, hashlib.sha256)[:8])
