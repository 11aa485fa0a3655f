"""CAPCO: US banner lines and portion marks (and the NATO, JOINT and foreign marks beside them) as labels.

How a mark becomes a label:

- `owners` are those whose classification it is and those of the foreign parts (FGI). The scale of *each*
  of them is bound at the mark's rank: a mark does not say how high the foreign part alone is, so round up.
- `need`: SCI, SAR, atomic energy and NATO controls, ACCM; with every compartment also what it is part of.
- `release`: the REL TO or EYES ONLY list, coalitions expanded on the product's date. NOFORN, SBU NOFORN
  and LES NOFORN: the United States. Without such a list what is classified, or marked RELIDO or DISPLAY
  ONLY, is the owners' only; what is unclassified is not restricted. RELIDO and ORCON-USGOV open nothing:
  they are `info`.
- `display`: who is on either list.
- `consent`: ORCON, every owner. `duties`: what the other controls ask of the recipient.

A foreign owner who is protected is the party `FGI`: nobody holds its consent unless an officer says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache
from typing import Any

import msgspec

from tearline.label.algebra import dominates
from tearline.label.grammar import Unreadable, read
from tearline.label.marks import (
    FGI,
    NOFORN,
    SHARING,
    VOCABULARY,
    Mark,
    atomic_order,
    country_order,
    dissem_order,
    other_order,
    owner_order,
    path_order,
    write,
)
from tearline.label.tables import COALITIONS, TABLES_VERSION, members
from tearline.terms import Label, Level, Party, Quarantine, Reach, Refused, Use

PARSER = f"capco/1 tables/{TABLES_VERSION}"
_LONGEST = 4096
"""Characters; the longest list of all countries is a third of it."""

_DISSEM_DUTY = {name: row[3] for name, row in VOCABULARY.dissemination.items() if row[3]}
_OTHER_DUTY = {name: row[3] for name, row in VOCABULARY.other.items() if not name.endswith("-NF")}
_DUTY = _DISSEM_DUTY | _OTHER_DUTY | NOFORN
_ORDER: dict[str, Callable[[str], Any]] = {
    "nato": str,
    "sci": path_order,
    "sar": path_order,
    "aea": atomic_order,
    "other": other_order,
}
_INFO = {"RELIDO": "RELIDO", "OC-USGOV": "ORCON-USGOV"}


def parse_banner(text: str, *, at: date) -> Label | Quarantine:
    """The label of a banner line such as `SECRET//SI//REL TO USA, GBR`. Total: it never raises.

    `at` is the product's date: coalitions are those of that day.
    """
    return _parse(text, False, at) if len(text) <= _LONGEST else _too_long(text)


def parse_portion(text: str, *, at: date) -> Label | Quarantine:
    """The label of a portion mark such as `(S//SI//REL TO USA, GBR)`, with its parentheses or without."""
    if len(text) > _LONGEST:
        return _too_long(text)
    bare = text[1:-1] if text.startswith("(") and text.endswith(")") else text
    return _parse(bare, True, at)


def render_banner(label: Label) -> str:
    """A banner line that is never wider than `label` (its TLP, PAP and `info` aside).

    It lists countries, not coalitions, and so reads the same on every date. Raises `Refused` where the
    label has no owner, nobody to be released to, or something that no mark says.
    """
    return write(mark_of(label), portion=False)


def render_portion(label: Label) -> str:
    """The same as a portion mark, in parentheses."""
    return f"({write(mark_of(label), portion=True)})"


@lru_cache(maxsize=4096)
def _parse(text: str, portion: bool, at: date) -> Label | Quarantine:
    try:
        return label_of(read(text, portion=portion, at=at), at=at)
    except Unreadable as found:
        return Quarantine(scheme="capco", mark=(found.mark or text)[:200], reason=found.reason)


def _too_long(text: str) -> Quarantine:
    return Quarantine(scheme="capco", mark=text[:200], reason=f"is longer than {_LONGEST} characters")


def label_of(mark: Mark, *, at: date) -> Label:
    """What `mark` means, its coalitions taken as they were on the day `at`."""
    owners = frozenset(mark.owners) | frozenset(mark.fgi)
    duties = {_DUTY[name] for name in (*mark.dissem, *mark.other) if name in _DUTY}
    release, display = _recipients(mark, at)
    return Label(
        level=tuple((owner, mark.rank) for owner in sorted(owners)),
        need=_need(mark),
        release=release,
        display=display,
        owners=owners,
        consent=owners if {"OC", "OC-USGOV"} & {*mark.dissem} else frozenset(),
        duties=frozenset(duties),
        info=frozenset(_INFO[name] for name in mark.dissem if name in _INFO),
    )


def _need(mark: Mark) -> frozenset[str]:
    accm = (name for name in mark.other if name.startswith("ACCM-"))
    return frozenset((*mark.nato, *mark.sci, *(f"SAR-{path}" for path in mark.sar), *mark.aea, *accm))


def _recipients(mark: Mark, at: date) -> tuple[frozenset[Party] | None, frozenset[Party] | None]:
    """`release` and `display` of `mark`."""
    bound = mark.rank > Level.UNCLASSIFIED or SHARING & {*mark.dissem} or NOFORN.keys() & {*mark.other}
    if mark.release:
        release = expand(mark.release, at)
    elif bound:
        release = frozenset(mark.owners) | expand(mark.owners, at)
    else:
        return None, None
    return release, release | expand(mark.display, at)


def expand(codes: Iterable[str], at: date) -> frozenset[Party]:
    """The parties that a country list means on the day `at`.

    A coalition whose members are not published stands for itself.
    """
    found: set[Party] = set()
    for code in codes:
        inside = members(code, at) if code in COALITIONS else None
        found |= {code} if inside is None else inside
    return frozenset(found)


@lru_cache(maxsize=4096)
def mark_of(label: Label) -> Mark:
    """The mark for `label`, never wider than it. Raises `Refused` as `render_banner` does."""
    try:
        mark = _mark(label)
        faithful = read(write(mark, portion=False), portion=False, at=date.min) == mark
    except (Unreadable, LookupError, ValueError):
        raise Refused("a label has an owner, a recipient or a need that no mark can name") from None
    # Read again, the mark must say all that the label says: this is what keeps it from being wider.
    said = msgspec.structs.replace(label, reach=Reach.CLEAR, use=Use.CLEAR, info=frozenset())
    if not faithful or not dominates(label_of(mark, at=date.min), said):
        raise Refused("a label says something that no mark says")
    return mark


def _mark(label: Label) -> Mark:
    """The mark that should do. Raises `LookupError` or `ValueError` on names of no known form."""
    parties = label.owners | label.consent | {policy for policy, _ in label.level}
    foreign = tuple(sorted(parties - {"USA"}, key=owner_order))
    own = "USA" in parties
    rank = max((rank for _, rank in label.level), default=Level.UNCLASSIFIED)
    if own and rank is Level.RESTRICTED:
        rank = Level.CONFIDENTIAL  # the United States have no such rank: round up
    release, display = _listed(label)
    dissem = {name for name, duty in _DISSEM_DUTY.items() if duty in label.duties}
    if label.consent:
        dissem.add("OC")
    if own and release == ("USA",):
        release = ()
        dissem |= set() if display else {"NF"}
    dissem |= ({"REL"} if release else set()) | ({"DISPLAYONLY"} if display else set())
    return Mark(
        owners=("USA",) if own else foreign,
        rank=rank,
        fgi=foreign if own else (),
        dissem=tuple(sorted(dissem, key=dissem_order)),
        release=release,
        display=display,
        **_controls(label),
    )


def _listed(label: Label) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The REL TO and the DISPLAY ONLY list, without what would be expanded when it is read."""
    release = label.display if label.release is None else label.release
    if release is None:
        return (), ()
    display = release if label.display is None else label.display
    if not (copy := _fixed(release & display)):
        raise ValueError("nobody may have it")
    return copy, tuple(code for code in _fixed(display) if code not in copy)


def _fixed(parties: frozenset[Party]) -> tuple[str, ...]:
    moving = {code for code, coalition in COALITIONS.items() if coalition.joined is not None}
    return tuple(sorted(parties - moving - {FGI}, key=country_order))


def _controls(label: Label) -> dict[str, tuple[str, ...]]:
    """The fields of a mark that come from `need` and from other departments' duties."""
    found = {"other": {name for name, duty in _OTHER_DUTY.items() if duty in label.duties}}
    found |= {kind: set() for kind in ("nato", "sar", "aea", "sci")}
    for name in label.need:
        head, _, tail = name.partition("-")
        if head == "ACCM":
            found["other"].add(name)
        elif head == "SAR":
            found["sar"] |= _upwards(tail)
        elif head in VOCABULARY.atomic:
            found["aea"] |= {head, name}
        else:
            found["nato" if head in VOCABULARY.nato_controls else "sci"] |= _upwards(name)
    return {kind: tuple(sorted(names, key=_ORDER[kind])) for kind, names in found.items()}


def _upwards(path: str) -> set[str]:
    """`SI-G-ABCD` with what it is part of: `SI` and `SI-G`."""
    parts = path.split("-")
    return {"-".join(parts[:end]) for end in range(1, len(parts) + 1)}
