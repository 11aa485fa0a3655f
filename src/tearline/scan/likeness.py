"""How alike two readings sound: an edit distance that knows which sounds languages exchange.

Costs were set from how romanisations differ (docs/scanner.md), not from any list of names.
"""

from __future__ import annotations

from functools import lru_cache

_VOWELS = frozenset("aeiou")
_CHEAP = {
    "ie": 0.15, "ao": 0.2, "ae": 0.25, "ou": 0.25, "eo": 0.3, "iu": 0.3, "ai": 0.35, "au": 0.35, "eu": 0.35,
    "io": 0.4, "uv": 0.3, "Zi": 0.5,
    "gh": 0.1, "hk": 0.4, "gk": 0.5, "fv": 0.2, "dt": 0.4, "bp": 0.6, "bv": 0.5, "mn": 0.7,
    "sz": 0.25, "cs": 0.3, "cz": 0.4, "SZ": 0.4, "CS": 0.35, "CZ": 0.3,
    "Ss": 0.35, "Zz": 0.35, "Cc": 0.35, "Cs": 0.6, "Cz": 0.6, "Sc": 0.5, "Zs": 0.6, "Sz": 0.6,
    "Ck": 0.6, "Ch": 0.6, "Zg": 0.6, "Zh": 0.6,
}  # fmt: skip
_SUBSTITUTE = {pair: cost for key, cost in _CHEAP.items() for pair in ((key[0], key[1]), (key[1], key[0]))}
_GAP_IN_VOWELS, _GAP_OF_VOWEL, _GAP_OF_H, _GAP = 0.25, 0.8, 0.5, 1.0
_WEIGHT_OF_VOWEL = 0.6
_ENDING = 0.1
"""What a last vowel costs: it is mostly a case ending."""


def _gap(sounds: str, at: int) -> float:
    """What it costs that the other reading lacks this sound."""
    sound = sounds[at]
    if sound in _VOWELS and at == len(sounds) - 1:
        return _ENDING
    if sound in _VOWELS:
        beside = sounds[at - 1 : at] + sounds[at + 1 : at + 2]
        return _GAP_IN_VOWELS if any(s in _VOWELS for s in beside) else _GAP_OF_VOWEL
    return _GAP_OF_H if sound == "h" else _GAP


def _substitute(one: str, other: str) -> float:
    if one == other:
        return 0.0
    found = _SUBSTITUTE.get((one, other))
    if found is not None:
        return found
    return 0.45 if one in _VOWELS and other in _VOWELS else 1.0


@lru_cache(maxsize=1 << 16)
def likeness(one: str, other: str) -> float:
    """1 for equal readings, down to 0; quadratic in their length, which `fold` bounds."""
    if one == other:
        return 1.0
    gaps = [_gap(other, k) for k in range(len(other))]
    row = [0.0]
    for cost in gaps:
        row.append(row[-1] + cost)
    last, end = len(one) - 1, len(other) - 1
    for i, sound in enumerate(one):
        lost = _gap(one, i)
        left = row[0] + lost
        new = [left]
        for j, facing in enumerate(other):
            swap = _substitute(sound, facing)
            if swap > _ENDING and i == last and j == end and sound in _VOWELS and facing in _VOWELS:
                swap = _ENDING
            left = min(row[j] + swap, row[j + 1] + lost, left + gaps[j])
            new.append(left)
        row = new
    weight = max(_weight(one), _weight(other))
    return max(0.0, 1.0 - row[-1] / weight) if weight else 0.0


def _weight(sounds: str) -> float:
    return sum(_WEIGHT_OF_VOWEL if sound in _VOWELS else 1.0 for sound in sounds)
