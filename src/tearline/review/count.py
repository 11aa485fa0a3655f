"""Counting bits: how many items each partner is concerned in, in all and by month, category and topic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tearline.agreement.tables import CATEGORIES, TOPICS, Columns, Words
from tearline.review.changes import CHANGES, Cell, counted
from tearline.terms import Category, Party

Counts = NDArray[np.int64]
Rows = NDArray[np.intp]
AT_ONCE = 1 << 18
"""Changed items that are kept until they are counted together."""
SLICE = 1 << 12
"""Rows that a tally adds up at once."""
_KEYS = len(CATEGORIES) * (len(TOPICS) + 1)


def unpack(words: Words) -> NDArray[np.uint8]:
    """Words (words, rows) as bits (rows, 64 * words)."""
    flat = np.ascontiguousarray(words.T.astype("<u8")).view(np.uint8)
    return np.unpackbits(flat, axis=1, bitorder="little")


class Tally:
    """Counts how often each bit is set, over any number of words.

    Words are added up bit by bit, by full adders that make two words of three: what has to be unpacked in the
    end is a few slices for each power of two.
    """

    def __init__(self, words: int) -> None:
        self._words = words
        self._planes: list[list[Words]] = []

    def add(self, words: Words) -> None:
        """Words are (words, rows)."""
        for start in range(0, words.shape[1], SLICE):
            part = words[:, start : start + SLICE]
            if part.shape[1] < SLICE:
                part = np.pad(part, ((0, 0), (0, SLICE - part.shape[1])))
            self._carry(part, 0)

    def total(self) -> Counts:
        """In how many rows each bit was set: (64 * words)."""
        sums = (_sum(part) << power for power, parts in enumerate(self._planes) for part in parts)
        return sum(sums, np.zeros(64 * self._words, np.int64))

    def _carry(self, part: Words, power: int) -> None:
        if power == len(self._planes):
            self._planes.append([])
        parts = self._planes[power]
        parts.append(part)
        if len(parts) > 2:
            a, b, c = parts
            half = a ^ b
            self._planes[power] = [half ^ c]
            self._carry((a & b) | (half & c), power + 1)


def _sum(words: Words) -> Counts:
    bits = unpack(words)
    # Sums of 255 bits fit a byte, and bytes are added many at a time.
    whole = len(bits) // 255 * 255
    bytes_ = bits[:whole].reshape(-1, 255, bits.shape[1]).sum(axis=1, dtype=np.uint8)
    return np.asarray(bytes_.sum(axis=0, dtype=np.int64) + bits[whole:].sum(axis=0, dtype=np.int64))


class Cells:
    """Changes by month, category and topic."""

    def __init__(self, partners: int) -> None:
        self._partners = partners
        self._waiting: list[tuple[Counts, NDArray[np.uint32], Counts, Words]] = []
        self.totals = self._none()
        """(changes, partners); each item counted once. Good after `settle`."""
        self._counts: defaultdict[int, Counts] = defaultdict(self._none)
        self.groups: defaultdict[int, Counts] = defaultdict(self._none)
        """(changes, partners) of each group of items; each item counted once. Good after `settle`."""

    def _none(self) -> Counts:
        return np.zeros((len(CHANGES), self._partners), np.int64)

    def add(self, part: Columns, items: Rows, groups: Counts, found: Words) -> None:
        """Items, by their first rows, with the group of each; `found` is (changes, words, items)."""
        month = part.at[items].astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
        keys = month * _KEYS + part.category.codes[items] * np.int64(len(TOPICS) + 1)
        masks = np.asarray(part.topics.values, np.uint32)[part.topics.codes[items]]
        self._waiting.append((keys, masks, groups, found))
        if sum(len(keys) for keys, *_ in self._waiting) >= AT_ONCE:
            self.settle()

    def cells(self, partners: Sequence[Party]) -> tuple[Cell, ...]:
        """Those in which something changes: by partner, then month, category and topic."""
        keys = sorted(self._counts)
        counts = np.array([self._counts[key] for key in keys]).reshape(len(keys), len(CHANGES), len(partners))
        some = np.argwhere(counts.any(axis=1).T)  # by partner, then key
        names = [_names(key) for key in keys]
        rows = counts[some[:, 1], :, some[:, 0]].tolist()
        return tuple(
            Cell(partners[partner], *names[number], counted(row))
            for (partner, number), row in zip(some.tolist(), rows, strict=True)
        )

    def settle(self) -> None:
        """Count what was added."""
        if not self._waiting:
            return
        keys, masks, groups, words = (
            np.concatenate(arrays, axis=-1) for arrays in zip(*self._waiting, strict=True)
        )
        self._waiting.clear()
        # Pairs of item and topic, those of one item side by side.
        of_topic = [np.flatnonzero(masks & np.uint32(1 << bit)) for bit in range(len(TOPICS))]
        of_topic.append(np.flatnonzero(masks == 0))
        item = np.concatenate(of_topic)
        order = np.argsort(item, kind="stable")
        topic = np.repeat(np.arange(len(of_topic)), [len(each) for each in of_topic])[order]
        many = np.bincount(item, minlength=len(masks))
        first = np.cumsum(many) - many
        # Their cells, numbered.
        cell = keys[item[order]] + topic - (lowest := int(keys.min()))
        used = np.bincount(cell) > 0
        cells, width = (np.cumsum(used) - 1)[cell], 64 * words.shape[1]
        size = int(used.sum()) * width
        like, group = np.unique(groups, return_inverse=True)
        alike = np.zeros((len(CHANGES), len(like), self._partners), np.int64)
        sums = np.zeros((len(CHANGES), int(used.sum()), self._partners), np.int64)
        for number, change in enumerate(words):
            # Mostly few bits are set: they are found, and counted one by one.
            item, partner = np.divmod(np.flatnonzero(unpack(change)), width)
            of_group = np.bincount(group[item] * width + partner, minlength=len(like) * width)
            alike[number] = of_group.reshape(-1, width)[:, : self._partners]
            times = many[item]
            pairs = np.repeat(first[item] - np.cumsum(times) + times, times) + np.arange(times.sum())
            counts = np.bincount(cells[pairs] * width + np.repeat(partner, times), minlength=size)
            sums[number] = counts.reshape(-1, width)[:, : self._partners]
        self.totals += alike.sum(axis=1)
        for number, key in enumerate(like.tolist()):
            self.groups[key] += alike[:, number]
        for number, key in enumerate((np.flatnonzero(used) + lowest).tolist()):
            self._counts[key] += sums[:, number]


def _names(key: int) -> tuple[str, Category, str]:
    """Month, category and topic of a key."""
    month, rest = divmod(key, _KEYS)
    category, topic = divmod(rest, len(TOPICS) + 1)
    topics = (*TOPICS, "")
    return f"{1970 + month // 12}-{month % 12 + 1:02}", CATEGORIES[category], str(topics[topic])
