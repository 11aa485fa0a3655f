"""What a proof comes to."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from tearline.agreement.evaluate import Action, Facts
from tearline.terms import Party


class Status(StrEnum):
    PROVED = "proved"
    """Both solvers find no case against it."""
    COUNTEREXAMPLE = "counter-example"
    """Here is one, which Cedar confirms."""
    UNKNOWN = "unknown"


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One item, partner and time for which the answer is no, as small as it can be."""

    facts: Facts
    partner: Party
    coalitions: frozenset[str]
    """Of those that the agreements name, the ones that the partner is a member of here."""
    supposed: bool
    """Whether these are not the partner's coalitions of today."""
    action: Action
    at: datetime
    until: datetime | None
    """When it ends; `None` where it lasts as long as the agreements do."""
    clauses: tuple[str, ...]
    """That permit it, as `AGREEMENT/CLAUSE`."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """`question`: "forms", "releases-more", "withholds-more", "charter", "dead" or "shadowed". `about`: the
    action, the law of the charter, or form or clause, as `AGREEMENT/CLAUSE`."""

    question: str
    about: str
    status: Status
    sentence: str
    example: Example | None = None


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """`against`: the versions in force that the proposed one was compared with, as `ID VERSION`.

    Of every action and every law there is an answer; of clauses only where one is proved to be dead or
    shadowed, or where that is unknown; of forms of imagery and signals where they are new.
    """

    own: Party
    agreement: str
    version: str
    against: tuple[str, ...]
    since: datetime
    answers: tuple[Answer, ...]

    @property
    def keeps_charter(self) -> bool:
        """Every law of the charter is proved."""
        laws = [answer for answer in self.answers if answer.question == "charter"]
        return bool(laws) and all(answer.status is Status.PROVED for answer in laws)

    @property
    def unknown(self) -> bool:
        """Something could not be found out."""
        return any(answer.status is Status.UNKNOWN for answer in self.answers)
