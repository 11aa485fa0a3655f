"""Name rows to an index: each word of a name read and hashed once, pairs made by arrays."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from tearline.scan import identifiers, prints
from tearline.scan.index import MOST_IDENTITIES, Entries, Index
from tearline.scan.keys import SINGLE, Hashes, Keys, deletions, mix
from tearline.scan.names import Name, Part, parse
from tearline.scan.values import Identity, Kind
from tearline.scan.words import stems
from tearline.terms import BadInput

_EVERY = 8192
_RARE_LETTERS, _RARE_SOUNDS = 6, 4
EXACT, PLAIN, EDITED, INITIAL, ALONE, RARE = range(6)
"""The lists of a word's hashes: all its readings; its literal ones; with one edit; its initials; as a
name of one word; as a rare surname."""
_PAIRINGS = ((EXACT, EXACT), (PLAIN, EDITED), (EDITED, PLAIN))


class _Columns:
    """The six lists of hashes of each distinct word."""

    def __init__(self, keys: Keys) -> None:
        self._hash = keys.part
        self._number: dict[str, int] = {}
        self.skeletons: list[str] = []
        self._sizes = [array("q") for _ in range(6)]
        self._flat = [array("Q") for _ in range(6)]
        self._marks = [array("Q") for _ in range(6)]

    def number(self, part: Part) -> int:
        found = self._number.get(part.word)
        if found is None:
            found = self._number[part.word] = len(self._number)
            self.skeletons.append(part.skeletons[0] if part.skeletons else "")
            given = ["=" + name for name in sorted(part.given)]
            literal = part.skeletons[:2]
            columns = (
                given + list(part.skeletons),
                list(literal),
                [tag for bones in literal if len(bones) > 1 for tag in deletions(bones)],
                ["." + sound for sound in sorted(part.initials)],
                ["!" + stem for stem in stems(part.readings)],
                ["?" + stem for stem in stems(part.readings[:2])] if _may_be_rare(part) else [],
            )
            marks = prints.of_skeletons(part.readings) | prints.of_deletions(part.readings)
            for column, tags in enumerate(columns):
                self._sizes[column].append(len(tags))
                self._flat[column].extend(map(self._hash, tags))
                self._marks[column].extend(marks.get(tag, prints.ANY) for tag in tags)
        return found

    def of(self, column: int) -> tuple[npt.NDArray[np.int64], Hashes, Hashes]:
        """Where each word's hashes begin (one more at the end), the hashes, and their prints."""
        sizes = np.frombuffer(self._sizes[column], np.int64)
        starts = np.concatenate(([0], np.cumsum(sizes)))
        return (
            starts,
            np.frombuffer(self._flat[column], np.uint64),
            np.frombuffer(self._marks[column], np.uint64),
        )

    def words(self) -> Hashes:
        """The hashes that are in pairs."""
        return np.unique(
            np.concatenate([np.frombuffer(self._flat[k], np.uint64) for k in range(INITIAL + 1)])
        )

    def cross(self, rows: npt.NDArray[np.int64], left: int, right: int) -> Entries:
        """For rows of (word, word, identity): each hash of the first word with each of the second, mixed."""
        first, a, marks = self.of(left)
        second, b, beside = self.of(right)
        high = np.diff(second)[rows[:, 1]]
        total = np.diff(first)[rows[:, 0]] * high
        row = np.repeat(np.arange(len(rows)), total)
        rank = np.arange(len(row)) - np.repeat(np.cumsum(total) - total, total)
        i, j = first[rows[row, 0]] + rank // high[row], second[rows[row, 1]] + rank % high[row]
        one, other = a[i], b[j]
        paired = prints.paired(one, other, marks[i], beside[j])
        return Entries(mix(one + other), rows[row, 2].astype(np.uint64), paired)

    def each(self, rows: npt.NDArray[np.int64], column: int) -> Entries:
        """For rows of (word, identity): each hash of the word alone, mixed."""
        first, a, _ = self.of(column)
        total = np.diff(first)[rows[:, 0]]
        row = np.repeat(np.arange(len(rows)), total)
        rank = np.arange(len(row)) - np.repeat(np.cumsum(total) - total, total)
        return single(a[first[rows[row, 0]] + rank], rows[row, 1])


def single(hashes: Hashes, numbers: npt.NDArray[np.int64]) -> Entries:
    """Entries of hashes that are looked up alone."""
    mixed = mix(hashes + np.uint64(SINGLE))
    return Entries(mixed, numbers.astype(np.uint64), np.full(len(mixed), prints.ANY_PAIR, np.uint64))


def _may_be_rare(part: Part) -> bool:
    bones = part.skeletons[0] if part.skeletons else ""
    return len(part.word) >= _RARE_LETTERS and len(bones) >= _RARE_SOUNDS and not part.given


class _Rows:
    """What the name rows ask to be indexed, as flat arrays of word and identity numbers."""

    def __init__(self, keys: Keys) -> None:
        self._hash, self.columns = keys.part, _Columns(keys)
        self.pairs, self.initials = array("q"), array("q")
        self.alone, self.surnames = array("q"), array("q")
        self.tags, self.owners = array("Q"), array("q")
        self._holders: dict[str, set[int]] = defaultdict(set)

    def add(self, row: Identity, number: int) -> None:
        tags = identifiers.tags_of(row)
        if tags:
            self.tags.extend(map(self._hash, sorted(tags)))
            self.owners.extend([number] * len(tags))
        if not tags or row.kind is Kind.CALLSIGN:
            self._add_name(parse(row.name, row.kind), number)

    def _add_name(self, name: Name, number: int) -> None:
        word = self.columns.number
        if len(name.groups) == 1 and len(name.groups[0]) == 1:
            self.alone.extend((word(name.groups[0][0]), number))
        for one, other in _pairs(name):
            self.pairs.extend((word(one), word(other), number))
        if name.surname >= 0:
            given = word(name.groups[name.given][0])
            for part in name.groups[name.patronymic] if name.patronymic >= 0 else ():
                word(part)  # it is in no pair, but looked for after a full name
            for part in name.groups[name.surname]:
                surname = word(part)
                self.initials.extend((given, surname, number))
                if _may_be_rare(part):
                    self.surnames.extend((surname, number))
                    self._holders[part.skeletons[0]].add(number)

    def entries(self) -> Entries:
        columns = self.columns
        out = [single(np.frombuffer(self.tags, np.uint64), np.frombuffer(self.owners, np.int64))]
        pairs = np.frombuffer(self.pairs, np.int64).reshape(-1, 3)
        out += [columns.cross(pairs, left, right) for left, right in _PAIRINGS]
        out.append(columns.cross(np.frombuffer(self.initials, np.int64).reshape(-1, 3), INITIAL, EXACT))
        out.append(columns.each(np.frombuffer(self.alone, np.int64).reshape(-1, 2), ALONE))
        out.append(columns.each(self._rare(), RARE))
        return Entries(
            np.concatenate([each.hashes for each in out]),
            np.concatenate([each.numbers for each in out]),
            np.concatenate([each.marks for each in out]),
        )

    def _rare(self) -> npt.NDArray[np.int64]:
        """Surnames whose skeleton no second identity has."""
        shared = {bones for bones, holders in self._holders.items() if len(holders) > 1}
        rows = np.frombuffer(self.surnames, np.int64).reshape(-1, 2)
        bones = self.columns.skeletons
        return rows[[bones[word] not in shared for word in rows[:, 0].tolist()]]


def build(
    identities: Iterable[Identity], keys: Keys, *, progress: Callable[[int], None] | None = None
) -> Index:
    """The index of name rows. `progress` is told now and then how many rows are read.

    Raises BadInput where there are more identities than an index can number.
    """
    rows = _Rows(keys)
    ids: dict[str, int] = {}
    done = 0
    for done, row in enumerate(identities, 1):
        rows.add(row, ids.setdefault(row.id, len(ids)))
        if progress and done % _EVERY == 0:
            progress(done)
    if len(ids) >= MOST_IDENTITIES:
        raise BadInput("identities", "", "there are more than 16 million identities", "use several indexes")
    if progress:
        progress(done)
    words = rows.columns.words()
    return Index.build(rows.entries(), words, list(ids), keys, has_identifiers=bool(rows.tags))


def _pairs(name: Name) -> list[tuple[Part, Part]]:
    """The pairs of words of a name under which it is found."""
    groups = name.groups
    if name.kind is not Kind.PERSON:
        words = [part for group in groups for part in group]
        return list(pairwise(words))
    return [
        (one, other)
        for a, b in combinations(range(len(groups)), 2)
        if name.patronymic not in (a, b)
        for one in groups[a]
        for other in groups[b]
    ]
