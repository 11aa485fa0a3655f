"""How relations with partners stand, as officers say in a dated file of their own. `docs/review.md`.

It informs whoever reads a review. No rule reads it: nothing but reviews imports this module
(a test sees to it).
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from datetime import date
from enum import StrEnum

import msgspec

from tearline.terms import BadInput, Party


class Domain(StrEnum):
    INTELLIGENCE = "intelligence"
    DIPLOMACY = "diplomacy"
    TRADE = "trade"
    MILITARY = "military"
    CYBER = "cyber"


class Assessment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one domain of the relation stood on a day: -2 hostile, 0 neither, 2 close."""

    partner: Party
    domain: Domain
    at: date
    score: int
    why: str


class Threats(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a party declared to threaten it, on a day."""

    party: Party
    at: date
    threats: frozenset[str]


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order at the partner's that bears on sharing; `until` is absent where nobody knows its end."""

    partner: Party
    since: date
    what: str
    until: date | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The newest assessment, and the score before it; empty where there is none."""

    partner: Party
    domain: Domain
    at: date
    score: int
    before: str
    why: str


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """Threats on one list alone."""

    partner: Party
    ours: tuple[str, ...]
    theirs: tuple[str, ...]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    assessment: tuple[Assessment, ...] = ()
    declared: tuple[Threats, ...] = ()
    order: tuple[Order, ...] = ()


class Relations(msgspec.Struct, frozen=True, kw_only=True):
    """The file as it stood on `day`: what is dated later is left out."""

    own: Party
    day: date
    assessments: tuple[Assessment, ...]
    declared: tuple[Threats, ...]
    orders: tuple[Order, ...]

    def newest(self) -> tuple[Standing, ...]:
        found: defaultdict[tuple[Party, Domain], list[Assessment]] = defaultdict(list)
        for each in sorted(self.assessments, key=lambda each: each.at):
            found[each.partner, each.domain].append(each)
        return tuple(
            Standing(
                partner=partner,
                domain=domain,
                at=some[-1].at,
                score=some[-1].score,
                before=f"{some[-2].score} on {some[-2].at}" if len(some) > 1 else "",
                why=some[-1].why,
            )
            for (partner, domain), some in sorted(found.items())
        )

    def divergences(self) -> tuple[Divergence, ...]:
        """Of each partner that declared its threats, where this node's party did too."""
        lists = {each.party: each.threats for each in sorted(self.declared, key=lambda each: each.at)}
        ours = lists.pop(self.own, None)
        if ours is None:
            return ()
        return tuple(
            Divergence(partner=party, ours=tuple(sorted(ours - theirs)), theirs=tuple(sorted(theirs - ours)))
            for party, theirs in sorted(lists.items())
        )

    def open(self) -> tuple[Order, ...]:
        """Orders in force whose end nobody knows."""
        found = (each for each in self.orders if each.until is None)
        return tuple(sorted(found, key=lambda each: (each.since, each.partner)))


def read(text: str, where: str, own: Party, day: date) -> Relations:
    """Raises `BadInput`."""
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(where, "", f"this is not TOML ({error})") from None
    except msgspec.ValidationError as error:
        raise BadInput(where, "", str(error).rstrip("."), "see docs/review.md") from None
    for each in file.assessment:
        if not -2 <= each.score <= 2:
            raise BadInput(where, f"{each.partner}, {each.domain}", "its score is none", "give -2 to 2")
    return Relations(
        own=own,
        day=day,
        assessments=tuple(each for each in file.assessment if each.at <= day),
        declared=tuple(each for each in file.declared if each.at <= day),
        orders=tuple(each for each in file.order if each.since <= day),
    )
