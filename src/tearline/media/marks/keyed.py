"""What a seed gives: signs and dice for any part of a file, without those before it; and a score's chance.

A mark is a field of signs, +1 or -1 each, that a keyed function (SHAKE-256, FIPS 202) draws, made smooth and
weak. To correlate what a leak shows with the smooth field is to correlate what it shows, made smooth, with
the signs: so the score of a recipient who had nothing to do with the leak is a sum of independent fair coins
with known weights, whatever was done to the leak. Its tail is bounded by a theorem, not by a model.
"""

from __future__ import annotations

import math
from hashlib import sha256, shake_256
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SEED = 32
"""Bytes of a seed."""
_COINS = 3.1788
"""1 / (4 P(N > sqrt 2)): Bentkus and Dzindzalieta, Bernoulli 21 (2015), 1231-1237, theorem 1.1."""


def signs(seed: bytes, part: str, rows: range, count: int) -> Array:
    """The first `count` signs of each row, as 0 and 1 (uint8), the same however many are asked for."""
    key, size = seed + part.encode(), -(-count // 8)
    drawn = b"".join(shake_256(key + row.to_bytes(8)).digest(size) for row in rows)
    return np.unpackbits(np.frombuffer(drawn, np.uint8).reshape(len(rows), size), axis=1, count=count)


def dice(seed: bytes, part: str, row: int, count: int) -> Array:
    """Even draws from [0, 1), 16 bits each: what is added before a number is cut to a whole one."""
    key = int.from_bytes(sha256(seed + b"dice" + part.encode() + row.to_bytes(8)).digest()[:16])
    drawn = np.random.Philox(key=key).random_raw(-(-count // 4)).astype("<u8")
    return (drawn.view("<u2")[:count] + np.float32(0.5)) * np.float32(2**-16)


def chance(z: float) -> float:
    """At most so often an innocent's score is `z` or more.

    The score is a sum of independent signs with weights, whose squares add up to 1. Hoeffding's bound for
    it is exp(-z*z/2); that of Bentkus and Dzindzalieta, 3.18 times the normal tail, is below it from 1.3 on.
    """
    if z <= 0:
        return 1.0
    return min(1.0, math.exp(-z * z / 2), _COINS * math.erfc(z / math.sqrt(2)) / 2)
