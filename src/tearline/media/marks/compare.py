"""What a leaked picture shows beside the original, and whose mark that is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from scipy.ndimage import gaussian_filter

from tearline.media.marks.keyed import Array, signs
from tearline.media.marks.pattern import smooth

_BLOCK = 32
"""Pixels a side: gain, offset, tone and sharpness are taken to be the same within."""
_OUTLIER = 3.0


def rest(original: Array, leak: Array, inside: Array) -> Array:
    """What of `leak` no even change of the original within a block explains. All (row, column); `inside`:
    where both are.

    The changes: offset and gain of each band, blur and sharpening, a bent curve of tones, a shift by a part
    of a pixel. They are fitted by least squares, block by block.
    """
    grey = original.mean(axis=0)
    down, right = np.gradient(grey)
    terms = [*(original if len(original) <= 4 else [grey]), grey * grey, down, right]
    terms += [gaussian_filter(grey, width) for width in (0.7, 1.2, 2.5)]
    rows, columns = (side // _BLOCK * _BLOCK for side in grey.shape)
    done = np.zeros(grey.shape, np.float32)
    blocks = [_blocks(term, rows, columns) for term in terms]
    with_offset = np.stack([*blocks, np.ones_like(blocks[0])], axis=-1)
    heft = _blocks(inside, rows, columns).astype(np.float32)[..., None]
    basis = with_offset * heft
    middle = basis.sum(axis=1, keepdims=True) / np.maximum(1, heft.sum(axis=1, keepdims=True))
    middle[..., -1] = 0
    basis = (basis - middle * heft).astype(np.float64)
    basis /= np.sqrt((basis**2).sum(axis=1, keepdims=True)) + 1e-9
    seen = _blocks(leak, rows, columns) * heft[..., 0]
    square = np.einsum("bnp,bnq->bpq", basis, basis) + 1e-4 * np.eye(basis.shape[-1])
    solved = np.linalg.solve(square, np.einsum("bnp,bn->bp", basis, seen)[..., None])
    left = (seen - (basis @ solved)[..., 0]) * heft[..., 0]
    down_, across = rows // _BLOCK, columns // _BLOCK
    folded = left.reshape(down_, across, _BLOCK, _BLOCK).transpose(0, 2, 1, 3).reshape(rows, columns)
    done[:rows, :columns] = folded
    return done


def likeness(original: Array, leak: Array, inside: Array) -> float:
    """The correlation of both, without their slow changes; of a negative, that of the negative."""
    here, there = (
        (part - gaussian_filter(part, 8.0))[inside] for part in (original.astype(np.float32), leak)
    )
    both = float(np.linalg.norm(here) * np.linalg.norm(there))
    return abs(float(here @ there)) / both if both > 0 else 0.0


def _blocks(picture: Array, rows: int, columns: int) -> Array:
    cut = picture[:rows, :columns].reshape(rows // _BLOCK, _BLOCK, columns // _BLOCK, _BLOCK)
    return cut.transpose(0, 2, 1, 3).reshape(-1, _BLOCK * _BLOCK)


def hefts(left: Array, strength: Array, inside: Array) -> Array:
    """What the sign of each pixel weighs in a score; the squares add up to 1.

    The best linear test for a weak mark in noise: what is seen over the power of the noise there, times the
    strength that the mark has there.
    """
    seen = np.where(inside, left, np.float32(0))
    share = gaussian_filter(inside.astype(np.float32), 6.0) + np.float32(1e-6)
    power = gaussian_filter(smooth(seen) ** 2, 6.0) / share
    if not power.any():
        return np.zeros_like(seen)
    power += np.float32(0.05) * np.median(power[inside]) + np.float32(1e-20)
    bound = np.float32(_OUTLIER) * np.sqrt(gaussian_filter(seen * seen, 6.0) / share)
    weighed: Array = smooth(strength * seen.clip(-bound, bound) / power)
    norm = float(np.sqrt((weighed.astype(np.float64) ** 2).sum()))
    return weighed / norm if norm > 0 else weighed


def scores(weighed: Array, place: tuple[int, int], seeds: Iterable[bytes]) -> Iterator[float]:
    """Of each seed: a sum of its signs with these weights. `place`: row and column of the first weight."""
    top, left = place
    rows, columns = weighed.shape
    total = float(weighed.sum(dtype=np.float64))
    for seed in seeds:
        ones = signs(seed, "picture", range(top, top + rows), left + columns)[:, left:]
        yield 2 * float(np.vdot(ones.astype(np.float32), weighed)) - total
