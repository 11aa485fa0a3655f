"""Banner lines and portion marks as values, and how they are written. `grammar` reads them.

Names inside a `Mark` are those of the ISM vocabularies (`NF`, `SI-G-ABCD`, `RD-SG-14`); how each is
written in a banner and in a portion mark is in `data/capco.toml`.
"""

from __future__ import annotations

import msgspec

from tearline.label.tables import COUNTRIES, table
from tearline.terms import Level

FGI = "FGI"
"""Stands for a foreign owner who is protected and not named."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One banner line or portion mark. Every tuple is in the order in which it is written."""

    owners: tuple[str, ...] = ("USA",)
    """Whose classification it is: `USA`, another's code, `FGI`, or two and more (JOINT)."""
    rank: Level = Level.UNCLASSIFIED
    nato: tuple[str, ...] = ()
    """`ATOMAL`, `BALK`, `BOHEMIA`."""
    sci: tuple[str, ...] = ()
    """Control systems, compartments and sub-compartments, each by its path: `SI`, `SI-G`, `SI-G-ABCD`."""
    sar: tuple[str, ...] = ()
    """Programmes likewise: `BP`, `BP-J12`, `BP-J12-J54`."""
    aea: tuple[str, ...] = ()
    fgi: tuple[str, ...] = ()
    """Foreign owners of parts of it, by code, or `FGI` alone."""
    dissem: tuple[str, ...] = ()
    release: tuple[str, ...] = ()
    """The list of REL TO or EYES ONLY, coalitions as they stand."""
    display: tuple[str, ...] = ()
    """The list of DISPLAY ONLY."""
    other: tuple[str, ...] = ()
    """Marks of departments that are not of the intelligence community."""


class Vocabulary(msgspec.Struct, frozen=True):
    """`data/capco.toml`; a row is the mark in a portion, in a banner, in full, and the duty it lays on."""

    classification: list[tuple[str, str]]
    nato: list[tuple[str, str, str, str]]
    nato_controls: list[str]
    dissemination: dict[str, tuple[str, str, str, str]]
    other: dict[str, tuple[str, str, str, str]]
    atomic: dict[str, tuple[str, str, str, str]]
    sci: dict[str, tuple[str, str]]


VOCABULARY = msgspec.convert(table("capco"), Vocabulary)
_DISSEM = list(VOCABULARY.dissemination)
_OTHER = list(VOCABULARY.other)
_ATOMIC = list(VOCABULARY.atomic)

NOFORN = {"SBU-NF": "SBU", "LES-NF": "LES"}
"""Marks that mean NOFORN besides, and what they are without it."""

LISTS = {"REL": "release", "EYES": "release", "DISPLAYONLY": "display"}
"""Dissemination controls that carry a country list, and the field of `Mark` that it is in."""

SHARING = frozenset({"NF", "RELIDO", *LISTS})
"""The foreign disclosure and release marks: they say who may have it, the others how."""


def country_order(code: str) -> tuple[int, str]:
    """Sort key of a list of countries: the United States, then countries, then coalitions, by alphabet."""
    return (0 if code == "USA" else 1 if code in COUNTRIES else 2, code)


def owner_order(code: str) -> tuple[int, str]:
    """Sort key of a list of owners (JOINT, FGI): countries, then coalitions, by alphabet."""
    return (1 if code in COUNTRIES else 2, code)


def path_order(path: str) -> list[str]:
    """Sort key of SCI and SAR paths: behind each its parts."""
    return path.split("-")


def atomic_order(name: str) -> tuple[int, bool, int]:
    """Sort key of atomic energy names: RD, its CNWDI, its SIGMAs by number, FRD, its SIGMAs, the rest."""
    head, _, tail = name.partition("-")
    sigma = tail.startswith("SG-")
    return (_ATOMIC.index(head), bool(tail), int(tail[3:]) if sigma else 0)


def dissem_order(name: str) -> int:
    """Sort key of dissemination controls."""
    return _DISSEM.index(name)


def other_order(name: str) -> tuple[int, str]:
    """Sort key of other departments' marks; ACCM nicknames come last, by alphabet."""
    return (_OTHER.index(name) if name in _OTHER else len(_OTHER), name)


def write(mark: Mark, *, portion: bool) -> str:
    """`mark` as a banner line, or as a portion mark without its parentheses. `grammar.read` reads it back."""
    form = 0 if portion else 1
    categories = (
        _classification(mark, form),
        "/".join(mark.nato),
        _branches(mark.sci),
        "SAR-" + _branches(mark.sar) if mark.sar else "",
        _atomic(mark.aea, form),
        " ".join([FGI, *mark.fgi]) if mark.fgi != (FGI,) and mark.fgi else "".join(mark.fgi),
        "/".join(_control(mark, name, form) for name in mark.dissem),
        "/".join(VOCABULARY.other[name][form] if name in _OTHER else name for name in mark.other),
    )
    text = "//".join(category for category in categories if category)
    return text if mark.owners == ("USA",) else "//" + text


def _classification(mark: Mark, form: int) -> str:
    own = VOCABULARY.classification[mark.rank]
    if mark.owners == ("USA",):
        return own[form]
    if mark.owners == ("NATO",):
        return next(row[form] for row in VOCABULARY.nato if row[2] == own[0])
    if len(mark.owners) == 1:
        return f"{mark.owners[0]} {own[form]}"
    return f"JOINT {own[form]} {' '.join(mark.owners)}"


def _branches(paths: tuple[str, ...]) -> str:
    """`SI`, `SI-G`, `SI-G-ABCD`, `TK` as `SI-G ABCD/TK`."""
    text = ""
    for path in paths:
        depth = path.count("-")
        text += ("/" if text else "", "-", " ")[depth] + path.split("-")[depth]
    return text


def _atomic(names: tuple[str, ...], form: int) -> str:
    """`RD`, `RD-SG-14`, `RD-SG-18` as `RD-SIGMA 14 18` (banner) or `RD-SG 14 18` (portion)."""
    items: list[str] = []
    for name in names:
        head, _, tail = name.partition("-")
        if not tail:
            items.append(VOCABULARY.atomic[head][form])
        elif tail == "CNWDI":
            items[-1] += "-CNWDI"
        else:
            first = "" if "-S" in items[-1] else ("-SG", "-SIGMA")[form]
            items[-1] += f"{first} {tail.removeprefix('SG-')}"
    return "/".join(items)


def _control(mark: Mark, name: str, form: int) -> str:
    written = VOCABULARY.dissemination[name][form]
    if name == "EYES":
        return f"{'/'.join(mark.release)} {written}"
    if name in LISTS:
        return f"{written} {', '.join(getattr(mark, LISTS[name]))}"
    return written
