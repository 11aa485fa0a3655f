"""The open vault at work: whole texts in, hits out. Nothing that it answers holds an identity."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain

from tearline import scan
from tearline.scan import Hit
from tearline.vault.birth import BirthDates
from tearline.vault.expand import identities
from tearline.vault.sealed import Opened
from tearline.vault.source import Source
from tearline.vault.wire import (
    Answer,
    Canaries,
    Hits,
    ListCanaries,
    ListSources,
    Request,
    Scan,
    Sources,
    Status,
)


class Finder:
    """Finds all of `sources`, retired ones too. `key` (32 bytes) keys the hashes of the scanner's index."""

    def __init__(self, sources: Collection[Source], key: bytes) -> None:
        self._scanner = scan.Scanner(chain.from_iterable(map(identities, sources)), key=key)
        self._births = BirthDates(sources)

    def scan(self, text: str) -> tuple[Hit, ...]:
        """The hits in `text`, sorted; their ids are cryptonyms."""
        return tuple(sorted(chain(self._scanner.scan(text), self._births.scan(text))))


class Keeper:
    """Answers for one state of the vault. Not safe for use from several threads at once."""

    def __init__(self, opened: Opened, hardened: tuple[str, ...] = ()) -> None:
        self.opened, self._hardened = opened, hardened
        self._sources = opened.register.sources.values()
        self._rows = sum(len(source.rows) for source in self._sources)
        self._finder = Finder(self._sources, opened.index_key)

    def answer(self, request: Request) -> Answer:
        match request:
            case Scan(texts):
                return Hits(tuple(map(self._finder.scan, texts)))
            case ListSources():
                return Sources(tuple(source.standing() for source in self._sources))
            case ListCanaries(products):
                every = self.opened.register.canaries
                return Canaries(tuple(one for one in every if not products or one.product in products))
        return Status(
            version=self.opened.header.version,
            sources=len(self._sources),
            rows=self._rows,
            hardened=self._hardened,
        )
