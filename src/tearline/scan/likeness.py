"""How alike two readings sound: an edit distance that knows which sounds languages exchange.

Costs were set from how romanisations differ (docs/scanner.md), not from any list of names.
"""

from __future__ import annotations

from functools import lru_cache

_VOWELS = frozenset("aeiou")
_SOUNDS = "bpvftdmnlrkghszcSZCaeiou"
_CHEAP = {
    "ie": 0.15, "ao": 0.2, "ae": 0.25, "ou": 0.25, "eo": 0.3, "iu": 0.3, "ai": 0.35, "au": 0.35, "eu": 0.35,
    "io": 0.4, "uv": 0.3, "Zi": 0.5,
    "gh": 0.1, "hk": 0.4, "gk": 0.5, "fv": 0.2, "dt": 0.4, "bp": 0.6, "bv": 0.5, "mn": 0.7,
    "sz": 0.25, "cs": 0.3, "cz": 0.4, "SZ": 0.4, "CS": 0.35, "CZ": 0.3,
    "Ss": 0.35, "Zz": 0.35, "Cc": 0.35, "Cs": 0.6, "Cz": 0.6, "Sc": 0.5, "Zs": 0.6, "Sz": 0.6,
    "Ck": 0.6, "Ch": 0.6, "Zg": 0.6, "Zh": 0.6,
}  # fmt: skip
_CHEAPER = {pair: cost for key, cost in _CHEAP.items() for pair in (key, key[::-1])}
_TWO_VOWELS, _TWO_SOUNDS = 0.45, 1.0
_GAP_IN_VOWELS, _GAP_OF_VOWEL, _GAP_OF_H, _GAP = 0.25, 0.8, 0.5, 1.0
_WEIGHT_OF_VOWEL = 0.6
_ENDING = 0.1
"""What a last vowel costs: it is mostly a case ending."""
_FAR = 0.3


def sound_cost(one: str, other: str) -> float:
    """What it costs that one reading has one sound and the other another; "" is no sound."""
    if one == other:
        return 0.0
    if not one or not other:
        sound = one or other
        return _GAP_OF_VOWEL if sound in _VOWELS else _GAP_OF_H if sound == "h" else _GAP
    both = one in _VOWELS and other in _VOWELS
    return _CHEAPER.get(one + other, _TWO_VOWELS if both else _TWO_SOUNDS)


_COSTS = {one: {other: sound_cost(one, other) for other in _SOUNDS} for one in _SOUNDS}


@lru_cache(maxsize=1 << 16)
def _profile(sounds: str) -> tuple[list[float], float]:
    """What it costs that another reading lacks each sound; and the weight of all."""
    gaps = []
    last = len(sounds) - 1
    for at, sound in enumerate(sounds):
        cost = sound_cost(sound, "")
        if sound in _VOWELS:
            if at == last:
                cost = _ENDING
            elif (at and sounds[at - 1] in _VOWELS) or sounds[at + 1] in _VOWELS:
                cost = _GAP_IN_VOWELS
        gaps.append(cost)
    return gaps, weight(sounds)


@lru_cache(maxsize=1 << 18)
def likeness(one: str, other: str) -> float:
    """1 for equal readings, down to 0; quadratic in their length, which `fold` bounds.

    0 too where it would be less than 0.7.
    """
    if one == other:
        return 1.0
    lost_of, weight_of_one = _profile(one)
    gaps, weight_of_other = _profile(other)
    most = max(weight_of_one, weight_of_other)
    if not one or not other:
        return 0.0
    row = before = [0.0]
    total = 0.0
    for cost in gaps:
        total += cost
        row.append(total)
    end = len(other) - 1
    for lost, sound in zip(lost_of, one, strict=True):
        costs = _COSTS.get(sound, {})
        diagonal = row[0]
        left = diagonal + lost
        new = [left]
        for facing, gap, above in zip(other, gaps, row[1:], strict=True):
            swap = diagonal + (costs.get(facing, 1.0) if sound != facing else 0.0)
            left += gap
            left = min(left, above + lost, swap)
            new.append(left)
            diagonal = above
        row, before = new, row
        if min(row) > most * _FAR:
            return 0.0
    found = row[-1]
    if one[-1] in _VOWELS and other[-1] in _VOWELS:
        found = min(found, before[end] + _ENDING)
    return 1.0 - found / most if found <= most * _FAR else 0.0


def weight(sounds: str) -> float:
    """The most that it can cost to lack all of a reading."""
    return sum(_WEIGHT_OF_VOWEL if sound in _VOWELS else 1.0 for sound in sounds)
