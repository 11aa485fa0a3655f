"""A scenario: what to suppose, and over which period of the past. TOML; `docs/review.md` tells its words.

title = "ALPHA stops, and we answer"
since = 2026-01-01

[[suspend]]
partner = "ALPHA"
scope = "topic=air"

[[answer]]
partner = "ALPHA"
share = 0.5
"""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time

import msgspec

from tearline.agreement.suspension import Scope
from tearline.terms import BadInput, Party


class Suspend(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """This node gives `partner` nothing in scope any more."""

    partner: Party
    scope: str = "all"


class Adopt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """This version is in force, in the place of that of its agreement."""

    version: str


class Expire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """This agreement is in force no more."""

    agreement: str


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The partner answers in kind: it gives this node `share` less of what is in scope."""

    partner: Party
    scope: str = "all"
    share: float = 1.0


class Stop(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nobody gets anything any more that this originator made."""

    originator: Party


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to suppose. The past is read from `since` on, until the day before `until`."""

    title: str
    since: date | None = None
    until: date | None = None
    suspend: tuple[Suspend, ...] = ()
    adopt: tuple[Adopt, ...] = ()
    expire: tuple[Expire, ...] = ()
    stop: tuple[Stop, ...] = ()
    answer: tuple[Answer, ...] = ()

    @property
    def period(self) -> tuple[datetime | None, datetime | None]:
        """As instants."""
        start, end = (
            None if day is None else datetime.combine(day, time(), UTC) for day in (self.since, self.until)
        )
        return start, end

    @property
    def changes_agreements(self) -> bool:
        return bool(self.suspend or self.adopt or self.expire)


def suspension_of(partner: Party, scope: str = "all") -> Scenario:
    """What suspending a partner does, and what it costs if the partner answers in kind."""
    return Scenario(
        title=f"{partner} is suspended" + ("" if scope == "all" else f" ({scope})"),
        suspend=(Suspend(partner=partner, scope=scope),),
        answer=(Answer(partner=partner, scope=scope),),
    )


def adoption_of(version: str) -> Scenario:
    """What adopting a version does."""
    return Scenario(title=f"{version} is adopted", adopt=(Adopt(version=version),))


def read(text: str, where: str) -> Scenario:
    """Raises `BadInput`, which names what is wrong."""
    try:
        found = msgspec.convert(tomllib.loads(text), Scenario)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(where, "", f"this is not TOML ({error})") from None
    except msgspec.ValidationError as error:
        raise BadInput(where, "", str(error).rstrip("."), "see docs/review.md") from None
    if found.since and found.until and found.since >= found.until:
        raise BadInput(where, "until", "the period is empty", "give a later day")
    for scope in (*(each.scope for each in found.suspend), *(each.scope for each in found.answer)):
        Scope.read(scope)
    for each in found.answer:
        if not 0 <= each.share <= 1:
            raise BadInput(where, "answer", f"{each.share} is no share", "give 0 to 1")
    return found
