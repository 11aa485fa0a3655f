"""Collection requirements: standing questions, from a TOML or CSV file of the officers. `docs/review.md`.

A requirement tells what its holder does not know, so each bears a marking of its own, which must be
read whole.
"""

from __future__ import annotations

import csv
import io
import math
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Literal

import msgspec

from tearline import label
from tearline.terms import BadInput, Category, Party, Quarantine, Region, Topic

_MONTH = 30
_LISTS = {"elements", "categories", "topics", "regions"}
_NUMBERS = {"priority", "cadence_days"}


class Requirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question. Where it names no categories, topics or regions, any will do."""

    id: str
    question: str
    marking: str
    elements: tuple[str, ...] = ()
    """Essential elements: what an answer must tell. For the reader; no program can check them."""
    priority: int = 3
    """1 is the most urgent, 5 the least."""
    categories: frozenset[Category] = frozenset()
    topics: frozenset[Topic] = frozenset()
    regions: frozenset[Region] = frozenset()
    cadence_days: int = 30
    """How often an answer is needed."""
    latest: date | None = None
    """The latest day on which an answer is useful."""
    form: Literal["any", "whole"] = "any"
    """Whether a tearline will do."""
    holder: Party | None = None
    """Whose question it is; the node's own where nobody is named."""

    @property
    def weight(self) -> int:
        """5 for priority 1, down to 1 for priority 5."""
        return 6 - self.priority

    @property
    def a_month(self) -> int:
        """How many items answer it for a month."""
        return max(1, math.ceil(_MONTH / self.cadence_days))

    def fits(self, category: Category, topics: frozenset[Topic], regions: frozenset[Region]) -> bool:
        """Whether such an item can answer it. What is about the whole world is about each region."""
        return (
            (not self.categories or category in self.categories)
            and (not self.topics or not self.topics.isdisjoint(topics))
            and (not self.regions or not (self.regions | {Region.GLOBAL}).isdisjoint(regions))
        )


class Seen(msgspec.Struct, frozen=True):
    """Whether a partner may see a requirement: `outcome` is `whole`, `tearline`, `refer` or `withhold`."""

    requirement: str
    partner: Party
    outcome: str
    why: str


class _File(msgspec.Struct, forbid_unknown_fields=True):
    requirement: tuple[Requirement, ...]


def read(text: str, where: str, today: date) -> tuple[Requirement, ...]:
    """From TOML, or from CSV if the name ends so. Raises `BadInput`."""
    try:
        if where.lower().endswith(".csv"):
            rows = [_row(row, where, line) for line, row in enumerate(csv.DictReader(io.StringIO(text)), 2)]
            found = msgspec.convert({"requirement": rows}, _File).requirement
        else:
            found = msgspec.convert(tomllib.loads(text), _File).requirement
    except tomllib.TOMLDecodeError as error:
        raise BadInput(where, "", f"this is not TOML ({error})") from None
    except msgspec.ValidationError as error:
        raise BadInput(where, "", str(error).rstrip("."), "see docs/review.md") from None
    seen = set()
    for each in found:
        if each.id in seen:
            raise BadInput(where, each.id, "it is there twice", "give each requirement an id of its own")
        seen.add(each.id)
        if not 1 <= each.priority <= 5:
            raise BadInput(where, each.id, "its priority is none", "give 1 to 5")
        if each.cadence_days < 1:
            raise BadInput(where, each.id, "its cadence is none", "give 1 day or more")
        if isinstance(label.parse(each.marking, at=today)[1], Quarantine):
            raise BadInput(
                where, each.id, "its marking cannot be read whole", "mark it as products are marked"
            )
    return found


def report(requirement: Requirement, at: datetime) -> str:
    """The requirement as a report (docs/report-format.md), to go the way of all products: what it may tell of
    what we do not know is decided by its marking and by the agreements.

    Sent again it is a new version of the same product.
    """
    lines = [
        f"Title: Requirement {_line(requirement.id)}",
        f"Id: requirement {_line(requirement.id)}",
        f"Date: {at:%Y-%m-%dT%H:%M:%SZ}",
        f"Classification: {_line(requirement.marking)}",
    ]
    for name in ("topics", "regions"):
        if words := sorted(getattr(requirement, name)):
            lines.append(f"{name.title()}: {', '.join(words)}")
    needed = (
        f"Priority {requirement.priority} of 5. An answer is needed every {requirement.cadence_days} days"
    )
    if requirement.latest:
        needed += f", and is of use until {requirement.latest}"
    parts = [_line(requirement.question)]
    if requirement.elements:
        parts.append(f"An answer tells: {'; '.join(map(_line, requirement.elements))}.")
    parts.append(f"{needed}." + (" It is needed whole." if requirement.form == "whole" else ""))
    return "\n".join([*lines, *(f"\n{part}" for part in parts)]) + "\n"


def _line(text: str) -> str:
    """On one line: what is in a requirement starts no line of the header."""
    return " ".join(text.split())


def worth(
    found: Iterable[Requirement], category: Category, topics: frozenset[Topic], regions: frozenset[Region]
) -> float:
    """What an item of this kind is worth: the weights of all requirements that it can answer."""
    return float(sum(each.weight for each in found if each.fits(category, topics, regions)))


def _row(row: Mapping[str | None, Any], where: str, line: int) -> dict[str, Any]:
    """A line of CSV: lists with semicolons, empty cells left out."""
    found: dict[str, Any] = {}
    for name, cell in row.items():
        if name is None or cell is None:
            raise BadInput(where, f"line {line}", "it has not as many cells as the first", "quote commas")
        text = cell.strip()
        if not text:
            continue
        if name in _LISTS:
            found[name] = [part.strip() for part in text.split(";") if part.strip()]
        elif name in _NUMBERS:
            if not text.isdecimal():
                raise BadInput(where, f"line {line}", f"{name} is no number", "write digits")
            found[name] = int(text)
        else:
            found[name] = text
    return found
