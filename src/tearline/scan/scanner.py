"""The scanner: texts in, hits out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from tearline.scan import disguise, identifiers, prints
from tearline.scan.build import build
from tearline.scan.index import Index
from tearline.scan.keys import SINGLE, Keys, mix
from tearline.scan.lexicon import Lexicon
from tearline.scan.names import Name, parse
from tearline.scan.reading import Reading
from tearline.scan.tokens import Tokens, tokenise
from tearline.scan.values import Disposition, Hit, Identity, Names

_MOST_HELD = 1 << 16


class Scanner:
    """Finds known identities in texts (docs/scanner.md).

    Made of name rows, it keeps them in this process. Opened from an index file, it asks `names` for the
    rows of the few identities that a text may hold. One scanner serves one thread.
    """

    def __init__(
        self, identities: Iterable[Identity], *, key: bytes, progress: Callable[[int], None] | None = None
    ) -> None:
        """`progress` is told now and then how many rows are read."""
        rows: dict[str, list[Identity]] = defaultdict(list)

        def kept() -> Iterable[Identity]:
            for identity in identities:
                rows[identity.id].append(identity)
                yield identity

        keys = Keys(key)
        self._set(build(kept(), keys, progress=progress), keys, _Held(rows))

    @classmethod
    def open(cls, path: str | Path, *, key: bytes, names: Names) -> Scanner:
        """Open a saved index, memory-mapped. Raises BadInput where it is none or has another key."""
        scanner = cls.__new__(cls)
        keys = Keys(key)
        scanner._set(Index.open(Path(path), keys), keys, names)
        return scanner

    def _set(self, index: Index, keys: Keys, names: Names) -> None:
        self._index, self._keys, self._names = index, keys, names
        self._lexicon = Lexicon(keys, index)
        self._parsed: dict[int, tuple[Name, ...]] = {}

    def save(self, path: str | Path) -> None:
        """Write the index: keyed hashes and ids, no names. The file is put in place whole."""
        self._index.save(Path(path))

    def scan(self, text: str) -> list[Hit]:
        """All hits in a text, sorted by start, end, id; one for a span and id. Total for any string."""
        tokens = tokenise(text)
        view = disguise.View(text)
        if tokens.has_signs:
            view = disguise.repaired(text)
            tokens = tokenise(view.text)
        hits = self._mapped(view, self._read(view.text, tokens))
        for more in disguise.further(view, is_spaced=tokens.is_spaced()):
            hits += self._mapped(more, self._read(more.text, tokenise(more.text)))
        if self._index.has_identifiers:
            hits += self._identified(text)
            if view.text is not text:
                hits += self._mapped(view, self._identified(view.text))
        best: dict[tuple[int, int, str], Hit] = {}
        for hit in hits:
            spot = (hit.start, hit.end, hit.id)
            if spot not in best or best[spot].score < hit.score:
                best[spot] = hit
        return sorted(_outermost(best.values()))

    def _read(self, text: str, tokens: Tokens) -> list[Hit]:
        return Reading(text, tokens, self._index, self._lexicon, self.names_of).hits() if len(tokens) else []

    @staticmethod
    def _mapped(view: disguise.View, hits: Iterable[Hit]) -> list[Hit]:
        """Hits in a view as hits in the original text."""
        return [
            Hit(*view.original(hit.start, hit.end), hit.id, hit.score, hit.disposition, view.why(hit.why))
            for hit in hits
            if view.believes(hit.score, hit.why)
        ]

    def _identified(self, text: str) -> list[Hit]:
        """Hits of identifiers; of those of one id that overlap the longest."""
        spots = [(mention, tag) for mention in identifiers.mentions(text) for tag in mention.tags]
        if not spots:
            return []
        sums = np.array([self._keys.part(tag) for _, tag in spots], np.uint64) + np.uint64(SINGLE)
        mixed = mix(sums)
        maybe = np.flatnonzero(self._index.pairs.may_have(mixed))
        hits: list[Hit] = []
        found = self._index.numbers(mixed[maybe], prints.Asked.alone(len(maybe)))
        for k, numbers in zip(maybe.tolist(), found, strict=True):
            mention, tag = spots[k]
            for number in numbers:
                if any(tag in identifiers.tags_of(row) for row in self.rows_of(number)):
                    id_ = self._index.ids[number]
                    hits.append(Hit(mention.start, mention.end, id_, 1.0, Disposition.HOLD, "identifier"))
        hits.sort(key=lambda hit: (hit.start - hit.end, hit.start, hit.id))
        out: list[Hit] = []
        for hit in hits:
            if not any(o.id == hit.id and o.start < hit.end and hit.start < o.end for o in out):
                out.append(hit)
        return out

    def rows_of(self, number: int) -> Iterable[Identity]:
        """The name rows of an identity, asked of their owner."""
        id_ = self._index.ids[number]
        return self._names.rows([id_]).get(id_, ())

    def names_of(self, number: int) -> tuple[Name, ...]:
        """The parted names of an identity. A bounded number of them is remembered."""
        found = self._parsed.get(number)
        if found is None:
            if len(self._parsed) >= _MOST_HELD:
                self._parsed.clear()
            found = self._parsed[number] = tuple(parse(row.name, row.kind) for row in self.rows_of(number))
        return found


def _outermost(hits: Iterable[Hit]) -> Iterator[Hit]:
    """Without a hit inside another, better one of the same id, which a further view found."""
    last: Hit | None = None
    for hit in sorted(hits, key=lambda hit: (hit.id, hit.start, -hit.end)):
        if last and hit.id == last.id and hit.end <= last.end and hit.score < last.score:
            continue
        last = hit
        yield hit


class _Held:
    """Name rows held in this process."""

    def __init__(self, rows: Mapping[str, Sequence[Identity]]) -> None:
        self._rows = rows

    def rows(self, ids: Sequence[str]) -> Mapping[str, Iterable[Identity]]:
        return {id_: self._rows[id_] for id_ in ids if id_ in self._rows}
