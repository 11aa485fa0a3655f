"""Law 5: a giver's history is run again without all that one partner was not given; it must see the same.

What came to the giver is kept as it came: files, officers' deeds, and when its worker ran. Both reruns are
without faults; one has everything, the other only the products of which the partner got something in the
first, and no suspension of anybody else. Every byte that the partner could fetch is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import orjson

from tearline.adapters import store
from tearline.adapters.view import OUT
from tearline.deliver.taxii import Query
from tearline.simulate import acts
from tearline.simulate.coalition import Coalition
from tearline.simulate.member import BEGINNING, Member
from tearline.terms import Party

WORK, FILES, DEED = "work", "files", "deed"
MOST = 400
"""Entries of a journal that are run again: enough to meet every kind."""
_ALL = Query(versions=("all",))


class Sample:
    """One giver and one partner, whose history is kept as the run goes on."""

    def __init__(self, giver: Party, partner: Party, coalition: Coalition) -> None:
        self.giver, self.partner, self._coalition = giver, partner, coalition
        self.journal: list[tuple[int, str, Any]] = []

    def differences(self) -> Iterator[str]:
        """A sentence where the partner could tell."""
        everything = _Again(self, None)
        given = everything.given()
        without = _Again(self, given)
        seen, seen_without = everything.seen(), without.seen()
        for again in (everything, without):
            again.member.disk.close()
        if seen != seen_without:
            number = next(
                (n for n, (a, b) in enumerate(zip(seen, seen_without, strict=False)) if a != b),
                min(len(seen), len(seen_without)),
            )
            yield (
                f"what {self.partner} gets from {self.giver} depends on what it is not given "
                f"(object {number} of {len(seen)} and {len(seen_without)})"
            )


class _Again:
    """The giver once more, alone, with all of its history or with some."""

    def __init__(self, sample: Sample, only: set[str] | None) -> None:
        self._sample, self._now = sample, BEGINNING
        coalition = sample._coalition
        original = coalition.members[sample.giver]
        self.member = Member(sample.giver, original.home.seed, self._time, original.sources)
        coalition.found(sample.giver, self.member)
        for now, kind, what in sample.journal[:MOST]:
            self._now = BEGINNING + timedelta(microseconds=now)
            if kind == WORK:
                self.member.work(())
            elif kind == FILES:
                content = what if only is None else _some(what, only)
                if content is not None:
                    self.member.take(content)
            elif only is None or what.kind not in ("suspend", "resume") or what.partner == sample.partner:
                acts.do(self.member.node, what)
        self.member.work(())

    def _time(self) -> datetime:
        return self._now

    def given(self) -> set[str]:
        """The ids of the products of which the partner got something."""
        with self.member.node.reading() as db:
            held = {each.seq: each.product.id for each in store.held(db)}
            return {
                held[seq] for partner, _, seq, _, _ in store.releases(db) if partner == self._sample.partner
            }

    def seen(self) -> list[tuple[int, bytes]]:
        page = self.member.node.view(self._sample.partner).page(OUT, _ALL, after=-1, limit=100_000)
        return list(zip(page.added, page.items, strict=True))


def _some(content: bytes, only: set[str]) -> bytes | None:
    """A file with only these products in it; `None` where none is left.

    What tells facts about a source stays: what all partners together were told decides what may be told to
    this one (law 3), so that without it other things would be releasable to it.
    """
    if not content.startswith(b"{"):
        if b"[[" in content:
            return content
        name = content.split(b"\n", 1)[0].decode().removeprefix("Id: ")
        return content if name in only else None
    bundle = orjson.loads(content)
    bundle["objects"] = [item for item in bundle["objects"] if item["id"] in only]
    return orjson.dumps(bundle) if bundle["objects"] else None
