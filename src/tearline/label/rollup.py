"""The CAPCO roll-up: the banner line of a document from its portion marks.

This is how people are used to see a document marked; it is a rendering, not the lattice's join. It drops
what the rank of a classified document makes needless (FOUO, UCNI) and it hides the names of foreign owners
beside a protected one. So `Rolled.label`, not the banner alone, says who may have the document.

Rules: Register and Manual, the roll-up rows of each mark; ODNI's ISM-Rollup scenarios.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

import msgspec

from tearline.label.algebra import join, join_all
from tearline.label.capco import expand, label_of
from tearline.label.grammar import Unreadable, read
from tearline.label.marks import (
    FGI,
    NOFORN,
    SHARING,
    Mark,
    atomic_order,
    country_order,
    dissem_order,
    other_order,
    owner_order,
    path_order,
    write,
)
from tearline.terms import Label, Level, Refused

_UNCLASSIFIED_ATOMIC = frozenset({"DCNI", "UCNI"})


class Rolled(msgspec.Struct, frozen=True):
    """A document's banner, and its label: the join of the banner's and of all its portions'."""

    banner: Mark
    label: Label


def roll_up(portions: Sequence[Mark], *, at: date) -> Rolled:
    """The banner of the document that consists of `portions`, on the day `at`.

    Raises `Refused` where there is no portion, or no banner can say what the portions say.
    """
    if not portions:
        raise Refused("a document without portions has no banner")
    banner = _banner(portions, at)
    try:
        faithful = read(write(banner, portion=False), portion=False, at=at) == banner
    except Unreadable:
        faithful = False
    if not faithful:
        raise Refused("the portions have no banner in common")
    return Rolled(banner, join(label_of(banner, at=at), join_all(label_of(p, at=at) for p in portions)))


def _banner(portions: Sequence[Mark], at: date) -> Mark:
    owners, fgi = _owners(portions)
    rank = max(p.rank for p in portions)
    if owners == ("USA",) and rank is Level.RESTRICTED:
        rank = Level.CONFIDENTIAL  # the United States have no such rank: round up
    classified = rank > Level.UNCLASSIFIED
    sharing = _sharing(portions, owners, classified, at)
    return Mark(
        owners=owners,
        rank=rank,
        nato=_all(str, (p.nato for p in portions)),
        sci=_all(path_order, (p.sci for p in portions)),
        sar=_all(path_order, (p.sar for p in portions)),
        aea=_all(
            atomic_order, (p.aea for p in portions), _UNCLASSIFIED_ATOMIC if classified else frozenset()
        ),
        fgi=fgi,
        dissem=_all(dissem_order, [_handling(portions, classified), sharing.dissem]),
        release=sharing.release,
        display=sharing.display,
        other=_other(portions, classified or "NF" in sharing.dissem),
    )


def _all(
    order: Callable[[str], Any], found: Iterable[Iterable[str]], but: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    return tuple(sorted(frozenset().union(*found) - but, key=order))


def _owners(portions: Sequence[Mark]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Whose the document is, and its foreign parts: one protected owner hides the names of all."""
    distinct = {p.owners for p in portions}
    fgi = frozenset().union(*(p.fgi for p in portions))
    if len(distinct) == 1:
        owners = portions[0].owners
    else:
        everyone = frozenset().union(*distinct)
        owners = ("USA",) if "USA" in everyone else tuple(sorted(everyone, key=owner_order))
        fgi |= everyone - frozenset(owners)
    return owners, (FGI,) if FGI in fgi else tuple(sorted(fgi, key=owner_order))


def _handling(portions: Sequence[Mark], classified: bool) -> frozenset[str]:
    """The dissemination controls that say how, not to whom."""
    found = frozenset().union(*(p.dissem for p in portions)) - SHARING
    controlled = [p for p in portions if {"OC", "OC-USGOV"} & {*p.dissem}]
    if not all("OC-USGOV" in p.dissem for p in controlled):
        found = found - {"OC-USGOV"} | {"OC"}
    return found - {"FOUO"} if classified or "DSEN" in found else found


def _other(portions: Sequence[Mark], noforn_apart: bool) -> tuple[str, ...]:
    """Other departments' marks; SBU-NF and LES-NF lose their NF where the banner has a NOFORN of its own."""
    found = frozenset().union(*(p.other for p in portions))
    for with_nf, without in NOFORN.items():
        if with_nf in found:
            found -= {with_nf if noforn_apart else without}
            found |= {without} if noforn_apart else frozenset()
    return tuple(sorted(found, key=other_order))


# --- To whom -------------------------------------------------------------------------------------


class _Sharing(msgspec.Struct, frozen=True):
    dissem: frozenset[str] = frozenset()
    release: tuple[str, ...] = ()
    display: tuple[str, ...] = ()


def takes_part(mark: Mark) -> bool:
    """Whether `mark` has a say in who may have the document: all but unclassified without a caveat."""
    return mark.rank > Level.UNCLASSIFIED or bool(mark.dissem or mark.other)


def _sharing(portions: Sequence[Mark], owners: tuple[str, ...], classified: bool, at: date) -> _Sharing:
    """Foreign disclosure and release: what all portions that have a say allow, or else NOFORN.

    Where none of them is so marked, nor is the banner: what is classified is then its owners' only.
    """
    voices = [p for p in portions if takes_part(p)]
    marked = [p for p in voices if SHARING & {*p.dissem}]
    noforn = [p for p in voices if "NF" in p.dissem or NOFORN.keys() & {*p.other}]
    if not marked and not (classified and noforn):
        return _Sharing()
    if owners == ("USA",):
        nobody = _Sharing(frozenset({"NF"}))
    else:
        own = tuple(sorted(owners, key=country_order))
        nobody = _Sharing() if classified else _Sharing(frozenset({"REL"}), own)
    if noforn:
        return nobody
    # A portion without a mark has no list either, and so nothing in common with the others.
    release = common([p.release for p in voices], at)
    if "USA" in owners and (release[:1] != ("USA",) or len(release) == 1):
        release = ()
    kept = frozenset({"RELIDO"}) if all("RELIDO" in p.dissem for p in voices) else frozenset()
    if release:
        kept |= {"EYES" if all("EYES" in p.dissem for p in voices) else "REL"}
    shown = () if "RELIDO" in kept else common([(*p.release, *p.display) for p in voices], at)
    display = tuple(code for code in shown if not expand([code], at) <= expand(release, at))
    if not expand(display, at) <= expand(owners, at):
        return _Sharing(kept | {"DISPLAYONLY"}, release, display)
    return _Sharing(kept, release) if kept else nobody


def common(lists: Sequence[Sequence[str]], at: date) -> tuple[str, ...]:
    """What country lists have in common on the day `at`, in the order of a list.

    A coalition that stands in every list is kept as it is; others are taken apart.
    """
    if not lists:
        return ()
    kept = frozenset(lists[0]).intersection(*lists[1:])
    countries = expand(lists[0], at).intersection(*(expand(codes, at) for codes in lists[1:]))
    return tuple(sorted(kept | (countries - expand(kept, at)), key=country_order))
