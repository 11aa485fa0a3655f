"""Suspensions of partners, as clauses: what an officer stops at once, whatever agreements permit.

All suspensions in force at a node are one agreement with the reserved id `suspensions`, which holds nothing
but forbids. So the gate, the tables of replay and the proof know them without being told. It is between the
node and a party that cannot be one, and so permits nothing and makes nobody a partner.

A clause has an end where the officer gave one, but no beginning: it holds from the moment on that it is
there, and a clock that is set back does not open it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TypeVar

import msgspec
import rfc8785

from tearline.agreement.manifest import Agreement, load
from tearline.terms import BadInput, Category, Party, Product, Topic

_Word = TypeVar("_Word", Category, Topic)

ID = "suspensions"
"""The id of the agreement that holds the suspensions. No other may have it."""

_NOBODY = "NO_ONE"
"""Fills the manifest's second place: no organisation's code has an underscore."""
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
_MANIFEST = """\
id = "{id}"
title = "Suspended partners"
parties = ["{own}", "{nobody}"]
others = [{others}]
valid_from = 0001-01-01
valid_until = 9999-12-31
[levels]
"""


class Inbound(StrEnum):
    """What becomes of what the suspended partner gives."""

    ACCEPT = "accept"
    """It is taken in as ever."""
    REFUSE = "refuse"
    """It waits at its door and in its inbox until the suspension ends."""


class Scope(msgspec.Struct, frozen=True):
    """What is stopped: everything, or the products of these categories, or those on one of these topics."""

    categories: frozenset[Category] = frozenset()
    topics: frozenset[Topic] = frozenset()

    @classmethod
    def read(cls, text: str) -> Scope:
        """Reads `all`, `category=cyber,report` or `topic=air`. Raises `BadInput`."""
        if text == "all":
            return cls()
        kind, _, names = text.partition("=")
        words = [name.strip() for name in names.split(",")]
        if kind == "category":
            return cls(categories=frozenset(_named(Category, word) for word in words))
        if kind == "topic":
            return cls(topics=frozenset(_named(Topic, word) for word in words))
        raise BadInput("--scope", "", f"{text!r} is no scope", "write all, category=... or topic=...")

    def __str__(self) -> str:
        for kind, names in (("category", self.categories), ("topic", self.topics)):
            if names:
                return f"{kind}={','.join(sorted(names))}"
        return "all"

    def covers(self, product: Product) -> bool:
        """Whether the product is in scope; the same as the clause says."""
        if self.categories:
            return product.category in self.categories
        return not self.topics or not self.topics.isdisjoint(product.topics)


class Suspension(msgspec.Struct, frozen=True, kw_only=True):
    """One officer's order that nothing in scope goes to a partner any more."""

    partner: Party
    scope: Scope
    since: datetime
    until: datetime | None
    """When it ends by itself, a whole second in UTC; `None`: only by the approvals of a quorum."""
    review: date | None = None
    """When somebody must look at it again."""
    reason: str
    officer: str
    inbound: Inbound = Inbound.ACCEPT

    @property
    def id(self) -> str:
        """12 hexadecimal digits of the SHA-256 of its canonical JSON: it cannot be approved of in advance."""
        return hashlib.sha256(rfc8785.dumps(self.told())).hexdigest()[:12]

    def told(self) -> dict[str, str]:
        """All that it says, for the ledger."""
        return {
            "partner": self.partner,
            "scope": str(self.scope),
            "since": self.since.astimezone(UTC).isoformat(),
            "until": "" if self.until is None else self.until.astimezone(UTC).strftime(_MOMENT),
            "review": "" if self.review is None else self.review.isoformat(),
            "reason": self.reason,
            "officer": self.officer,
            "inbound": self.inbound,
        }


def compiled(own: Party, suspensions: Sequence[Suspension]) -> Agreement:
    """The agreement that forbids what `suspensions` stop at the node of `own`."""
    others = sorted({f'"{each.partner}"' for each in suspensions} - {f'"{own}"'})
    manifest = _MANIFEST.format(id=ID, own=own, nobody=_NOBODY, others=", ".join(others))
    return load(manifest, "\n".join(map(clause, suspensions)), ID)


def clause(suspension: Suspension) -> str:
    """The suspension in Cedar. The officer's own words stay out of it."""
    scope, tests = suspension.scope, list[str]()
    if scope.categories:
        names = ", ".join(f'Category::"{name}"' for name in sorted(scope.categories))
        tests.append(f"[{names}].contains(resource.category)")
    if scope.topics:
        names = ", ".join(f'Topic::"{name}"' for name in sorted(scope.topics))
        tests.append(f"resource.topics.containsAny([{names}])")
    if suspension.until is not None:
        tests.append(f'context.now < datetime("{suspension.until.astimezone(UTC).strftime(_MOMENT)}")')
    when = f"\nwhen {{ {' && '.join(tests)} }}" if tests else ""
    review = f' @review("{suspension.review.isoformat()}")' if suspension.review else ""
    return (
        f'@id("{suspension.id}") @reason("An officer suspended the partner.")'
        f"{review}\n"
        f'forbid (principal == Partner::"{suspension.partner}", action in Action::"share", resource)'
        f"{when};\n"
    )


def read_moment(where: str, text: str) -> datetime:
    """A day (its first moment, UTC) or an instant with its time zone, to the second. Raises `BadInput`."""
    day = re.fullmatch(r"\d{4}-\d\d-\d\d", text)
    try:
        moment = datetime.fromisoformat(f"{text}T00:00:00Z" if day else text)
        if moment.tzinfo is not None and not moment.microsecond:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    remedy = "write 2027-06-30 or 2027-06-30T12:00:00Z"
    raise BadInput(where, "", f"{text!r} is not a day or a second with its time zone", remedy)


def _named(kind: type[_Word], word: str) -> _Word:
    try:
        return kind(word)
    except ValueError:
        known = ", ".join(sorted(kind))
        raise BadInput("--scope", "", f"{word!r} is no {kind.__name__.lower()}", f"use {known}") from None
