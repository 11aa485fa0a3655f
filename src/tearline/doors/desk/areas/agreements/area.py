"""The area, and what several of its pages say of an agreement."""

from __future__ import annotations

from datetime import date

import msgspec

from tearline.agreement import Agreement, Difference, difference, sentence
from tearline.agreement.forms import in_words
from tearline.agreement.kinds import GivenKind, kinds
from tearline.doors.desk.endpoint import N_, Area
from tearline.doors.desk.person import Role
from tearline.label.tables import coalitions_of
from tearline.node import Node

area = Area("agreements", title=N_("Agreements"), path="/agreements", order=50, key="e")
SEES = frozenset({Role.OFFICER, Role.ANALYST, Role.AUDITOR})
"""Who may read agreements, and check texts: that changes nothing."""


class ClauseWords(msgspec.Struct, frozen=True):
    """A clause in words. `effect`: `permit` or `forbid`; `review`: when it is to be looked at again."""

    id: str
    effect: str
    sentence: str
    reason: str
    review: date | None


class FormWords(msgspec.Struct, frozen=True):
    """A form in which imagery or signals may go, in words."""

    name: str
    sentence: str


class ClauseChange(msgspec.Struct, frozen=True):
    """What a text changes in one clause. `kind`: `added`, `removed`, `changed`, `renamed`, `reworded`;
    `was`: its earlier id."""

    clause: str
    kind: str
    sentence: str
    parts: tuple[str, ...]
    was: str


class TextChanges(msgspec.Struct, frozen=True):
    """What a text changes against `old`, a version, in words: sentences on the manifest, and clauses."""

    old: str
    manifest: tuple[str, ...]
    clauses: tuple[ClauseChange, ...]


def clauses_of(agreement: Agreement) -> tuple[ClauseWords, ...]:
    """The clauses of a sound agreement."""
    return tuple(
        ClauseWords(
            id=clause.id,
            effect=clause.tree.effect,
            sentence=sentence(clause.tree),
            reason=clause.tree.annotations["reason"],
            review=review_day(clause.tree.annotations.get("review")),
        )
        for clause in agreement.parsed
    )


def forms_of(agreement: Agreement) -> tuple[FormWords, ...]:
    return tuple(FormWords(form.name, in_words(form)) for form in agreement.forms)


def gets_of(node: Node, agreement: Agreement) -> tuple[GivenKind, ...]:
    """What this node could give to whom under a sound agreement, at most."""
    today = node.clock().date()
    members = {party: coalitions_of(party, today) for party in agreement.parties}
    return kinds(agreement, node.party, members)


def changes_of(old: Agreement, new: Agreement) -> TextChanges:
    """Between two sound texts."""
    found: Difference = difference(old, new)
    return TextChanges(
        old=old.version,
        manifest=found.manifest,
        clauses=tuple(
            ClauseChange(each.clause, str(each.kind), each.sentence, each.parts, each.was)
            for each in found.clauses
        ),
    )


def review_day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
