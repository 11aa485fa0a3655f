"""Name rows to an index: each word of a name read and hashed once, pairs made by arrays."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, combinations, pairwise

import numpy as np
import numpy.typing as npt

from tearline.scan import identifiers, nicknames, prints
from tearline.scan.index import MOST_IDENTITIES, Entries, Index
from tearline.scan.keys import SINGLE, Hashes, Keys, deletions, mix
from tearline.scan.names import Name, Part, parse
from tearline.scan.values import Identity, Kind
from tearline.scan.words import stems
from tearline.terms import BadInput

_EVERY, _CHUNK = 8192, 1 << 16
_RARE_LETTERS, _RARE_SOUNDS = 6, 4
EXACT, PLAIN, EDITED, INITIAL, HEAD = range(5)
"""The lists of a word's hashes: all its readings; its literal ones; with one edit; its initials; what its
pet forms keep."""
_PAIRINGS = ((EXACT, EXACT), (PLAIN, EDITED), (EDITED, PLAIN))


class _Columns:
    """The lists of hashes of each distinct word, with their prints."""

    def __init__(self, keys: Keys) -> None:
        self._hash = keys.part
        self._number: dict[str, int] = {}
        self._sizes, self._flat, self._marks = ([array(code) for _ in range(5)] for code in "qQQ")

    def number(self, part: Part) -> int:
        found = self._number.get(part.word)
        if found is None:
            found = self._number[part.word] = len(self._number)
            given = ["=" + name for name in sorted(part.given)]
            literal = part.skeletons[:2]
            edited = [bones for bones in literal if len(bones) > 1]
            columns: tuple[Sequence[str], ...] = (
                (*given, *part.skeletons),
                (*given, *literal),
                [tag for bones in edited for tag in deletions(bones)],
                ["." + sound for sound in part.initials],
                ["<" + head for head in nicknames.heads(part.readings)],
            )
            marks = prints.of_tags(part.readings, edited)
            for column, tags in enumerate(columns):
                self._flat[column].extend(map(self._hash, tags))
                self._marks[column].extend([marks.get(tag, prints.ANY) for tag in tags])
                self._sizes[column].append(len(tags))
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
        return np.unique(np.concatenate([np.frombuffer(flat, np.uint64) for flat in self._flat]))

    def cross(self, rows: npt.NDArray[np.int64], left: int, right: int) -> Iterator[Entries]:
        """For rows of (word, word, identity): each hash of the first word with each of the second, mixed."""
        first, a, marks = self.of(left)
        second, b, beside = self.of(right)
        for start in range(0, len(rows), _CHUNK):
            one, other, number = rows[start : start + _CHUNK].T
            high = np.diff(second)[other]
            total = np.diff(first)[one] * high
            row = np.repeat(np.arange(len(number)), total)
            rank = np.arange(len(row)) - np.repeat(np.cumsum(total) - total, total)
            i, j = first[one[row]] + rank // high[row], second[other[row]] + rank % high[row]
            paired = prints.paired(a[i], b[j], marks[i], beside[j])
            yield Entries(mix(a[i] + b[j]), number[row].astype(np.uint64), paired)


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
        self.tags, self.owners = array("Q"), array("q")  # what is looked up alone
        self._rare: dict[str, tuple[int, set[Part]] | None] = {}
        """Surnames by skeleton, and who has them; None where two identities have one."""
        self.has_identifiers = False

    def add(self, row: Identity, number: int) -> None:
        tags = identifiers.tags_of(row)
        if tags:
            self.has_identifiers = True
            self._add_single(sorted(tags), number)
        if not tags or row.kind is Kind.CALLSIGN:
            self._add_name(parse(row.name, row.kind), number)

    def _add_single(self, tags: Sequence[str], number: int) -> None:
        self.tags.extend(map(self._hash, tags))
        self.owners.extend([number] * len(tags))

    def _add_name(self, name: Name, number: int) -> None:
        if len(name.groups) == 1 and len(name.groups[0]) == 1:
            self._add_single(["!" + stem for stem in stems(name.groups[0][0].readings)], number)
        word = self.columns.number
        for one, other in _pairs(name):
            self.pairs.extend((word(one), word(other), number))
        if name.surname >= 0:
            given = word(name.groups[name.given][0])
            for part in name.groups[name.patronymic] if name.patronymic >= 0 else ():
                word(part)  # it is in no pair, but looked for after a full name
            for part in name.groups[name.surname]:
                self.initials.extend((given, word(part), number))
                if _may_be_rare(part):
                    rare = self._rare.setdefault(part.skeletons[0], (number, set()))
                    if rare and rare[0] == number:
                        rare[1].add(part)
                    else:
                        self._rare[part.skeletons[0]] = None

    def entries(self) -> Entries:
        for number, parts in filter(None, self._rare.values()):
            for part in parts:
                self._add_single(["?" + stem for stem in stems(part.readings[:2])], number)
        pairs, initials = (
            np.frombuffer(each, np.int64).reshape(-1, 3) for each in (self.pairs, self.initials)
        )
        cross = self.columns.cross
        out = [
            single(np.frombuffer(self.tags, np.uint64), np.frombuffer(self.owners, np.int64)),
            *chain.from_iterable(cross(pairs, left, right) for left, right in _PAIRINGS),
            *cross(initials, INITIAL, EXACT),
            *cross(initials, HEAD, PLAIN),
        ]
        return Entries(
            np.concatenate([each.hashes for each in out]),
            np.concatenate([each.numbers for each in out]),
            np.concatenate([each.marks for each in out]),
        )


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
    return Index.build(rows.entries(), words, list(ids), keys, has_identifiers=rows.has_identifiers)


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
