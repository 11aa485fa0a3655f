"""Before the register is changed: what will leave the vault tells nobody, and the scanner finds the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from tearline.scan import Disposition
from tearline.terms import Refused
from tearline.vault.cryptonym import draw_cryptonym
from tearline.vault.keeper import Finder
from tearline.vault.source import Obligations, Register, Row, RowKind, Source

Rows = tuple[Row, ...]
MAX_TRIED = 1_000
"""Rows that are tried one by one: each costs the scanner some milliseconds."""


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """A changed register, and the cryptonyms that are new or have new rows."""

    register: Register
    added: tuple[str, ...] = ()
    extended: tuple[str, ...] = ()
    unfound: tuple[tuple[str, int], ...] = ()
    """Cryptonym and number (from 1) of each row that the scanner would not stop on, as given."""
    untried: int = 0
    """Rows beyond the first `MAX_TRIED`, of which this is not known."""


def admit(
    register: Register,
    new: Sequence[Rows],
    more: Sequence[tuple[str, Rows]] = (),
    *,
    key: bytes,
    below: Callable[[int], int],
    cryptonym: str = "",
) -> Admitted:
    """`register` with `new` sources, and with `more` rows of sources that it has.

    A new source's cryptonym is drawn by chance (`below(n)` gives a random number from 0 to n-1), or it is
    `cryptonym` where there is one new source. `key` keys the trial's index. Raises `Refused` where the given
    cryptonym was used before or an identity is found in it.
    """
    for name, rows in more:
        register = register.extend(name, rows)
    used = set(register.sources)
    while True:
        names = [cryptonym] if cryptonym else _drawn(len(new), used, below)
        grown = register.add(
            Source(cryptonym=name, rows=tuple(dict.fromkeys(rows)))
            for name, rows in zip(names, new, strict=True)
        )
        finder = Finder(grown.sources.values(), key)
        telling = set(filter(finder.scan, names))
        if not telling:
            break
        if cryptonym:
            raise Refused("the scanner finds an identity in this cryptonym; choose another")
        used |= telling
    extended = tuple(dict.fromkeys(name for name, _ in more))
    tried = [
        (name, number, row)
        for name in (*extended, *names)
        for number, row in enumerate(grown.find(name).rows, 1)
        if row.kind is not RowKind.PATRONYMIC
    ]
    unfound = ((name, at) for name, at, row in tried[:MAX_TRIED] if not _stops_on(finder, row, name))
    return Admitted(
        register=grown,
        added=tuple(names),
        extended=extended,
        unfound=tuple(unfound),
        untried=len(tried[MAX_TRIED:]),
    )


def oblige(register: Register, cryptonym: str, obligations: Obligations, *, key: bytes) -> Register:
    """`register` with other obligations of one source.

    Raises `Refused` where an identity of anyone in the vault is found in what is to leave it.
    """
    obliged = register.oblige(cryptonym, obligations)
    finder = Finder(register.sources.values(), key)
    if any(map(finder.scan, (obligations.descriptor, *obligations.ask))):
        raise Refused("the scanner finds an identity in the descriptor, or in who is to be asked")
    return obliged


def _stops_on(finder: Finder, row: Row, cryptonym: str) -> bool:
    hits = finder.scan(f"It was said that {row.text} came by.")
    return any(hit.id == cryptonym and hit.disposition is not Disposition.NOTE for hit in hits)


def _drawn(count: int, used: set[str], below: Callable[[int], int]) -> list[str]:
    taken = set(used)
    names = []
    for _ in range(count):
        names.append(draw_cryptonym(taken, below))
        taken.add(names[-1])
    return names
