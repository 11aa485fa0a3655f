"""SigMF dataset formats: `cf32_le` and its kin (SigMF 1.2, "Dataset Format")."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_FORMAT = re.compile(r"([cr])([fiu])(8|16|32|64)(?:_(le|be))?")


class Datatype(msgspec.Struct, frozen=True):
    """How one sample of one channel lies in the dataset."""

    name: str
    is_complex: bool
    stored: str
    """The NumPy type of one stored number, such as `<f4`."""

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.stored)

    @property
    def numbers(self) -> int:
        """Stored numbers a sample: 2 of a complex one, I before Q."""
        return 2 if self.is_complex else 1

    @property
    def size(self) -> int:
        """Bytes of one sample of one channel."""
        return self.numbers * self.dtype.itemsize

    @property
    def zero(self) -> int:
        """The stored number of no signal: the middle of the range where numbers have no sign."""
        return 1 << (8 * self.dtype.itemsize - 1) if self.dtype.kind == "u" else 0

    @property
    def working(self) -> type[np.floating[Any]]:
        """What is computed in: single precision holds 24 bits, enough for all but 32-bit integers and f64."""
        coarse = self.dtype.itemsize <= 2 or self.stored[1:] == "f4"
        return np.float32 if coarse else np.float64

    def decode(self, raw: Array) -> Array:
        """Stored numbers, shape (samples, channels * numbers), as signal, shape (channels, samples)."""
        signal = raw.astype(self.working)
        if self.zero:
            signal -= self.working(self.zero)
        if self.is_complex:
            signal = signal.view(np.complex64 if self.working is np.float32 else np.complex128)
        return np.ascontiguousarray(signal.T)

    def encode(self, signal: Array) -> Array:
        """The reverse of `decode`: rounded to the nearest and clipped to the range, without dither."""
        numbers = np.ascontiguousarray(signal.T)
        if self.is_complex:
            numbers = numbers.view(self.working)
        if self.dtype.kind == "f":
            return numbers.astype(self.dtype)
        span = np.iinfo(self.dtype)
        whole = np.rint(numbers).astype(np.float64) + self.zero
        return np.asarray(np.clip(whole, span.min, span.max), self.dtype)


def datatype(name: str) -> Datatype | None:
    """The format called `name`; `None` where SigMF has none such, or its order of bytes is not said."""
    match = _FORMAT.fullmatch(name)
    if match is None:
        return None
    kind, number, bits, order = match.groups()
    if bits not in ({"32", "64"} if number == "f" else {"8", "16", "32"}):
        return None
    if bits == "8":
        return Datatype(name=f"{kind}{number}8", is_complex=kind == "c", stored=f"|{number}1")
    if order is None:
        return None
    stored = f"{'<' if order == 'le' else '>'}{number}{int(bits) // 8}"
    return Datatype(name=name, is_complex=kind == "c", stored=stored)
