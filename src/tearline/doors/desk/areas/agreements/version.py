"""One version: its text in words, what it changes, how it stands, and what was found about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from tearline.agreement import lifecycle
from tearline.agreement.kinds import GivenKind
from tearline.agreement.lifecycle import IN_FORCE, Need, State, Step
from tearline.doors.desk.areas.agreements.area import (
    SEES,
    ClauseWords,
    FormWords,
    TextChanges,
    area,
    changes_of,
    clauses_of,
    forms_of,
    gets_of,
)
from tearline.doors.desk.areas.agreements.listing import AgreementBrief, brief
from tearline.doors.desk.endpoint import At
from tearline.node import Node, agreement_record, agreements, officers, quorum, shadow
from tearline.node.agreement_record import ADOPT, Review, Version
from tearline.node.agreements import RESUME, WITHDRAW
from tearline.review import Change


class AgreementVersionAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`version`: its first digits, or its agreement's id where only one fits."""

    version: str


class AgreementNeed(msgspec.Struct, frozen=True):
    """Something that adoption asks for. `lack`: what is missing, in one sentence; empty where it is there."""

    need: Need
    lack: str


class AgreementApproval(msgspec.Struct, frozen=True, kw_only=True):
    """An officer's signed yes. `act`: `adopt`, `resume-agreement` or `withdraw-agreement`; `stands`: it
    counts today."""

    act: str
    officer: str
    at: datetime
    why: str
    stands: bool


class AgreementStep(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what, when and why; nobody where the node did it."""

    at: datetime
    step: str
    officer: str
    why: str


class AgreementReviewBrief(msgspec.Struct, frozen=True, kw_only=True):
    """The review that counts. `changed`: how many decisions would have been other, of `items` held."""

    at: datetime
    keeps_charter: bool
    unknown: bool
    items: int
    changed: int


class ShadowCount(msgspec.Struct, frozen=True):
    """Products that would go in another form to a partner, because of a clause; empty: no clause."""

    clause: str
    partner: str
    now: str
    then: str
    products: int


class ShadowRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a run in shadow has seen so far. `errors`: products that it could not judge."""

    since: datetime
    until: datetime
    running: bool
    products: int
    errors: int
    counts: tuple[ShadowCount, ...]


class AgreementVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version, and all that is known of it."""

    brief: AgreementBrief
    manifest: str
    text: str
    """Of the clauses."""
    clauses: tuple[ClauseWords, ...]
    forms: tuple[FormWords, ...]
    gets: tuple[GivenKind, ...]
    in_force: AgreementBrief | None
    """The other version of the agreement that is in force, which adoption would supersede."""
    changes: TextChanges | None
    """Against that one."""
    others: tuple[AgreementBrief, ...]
    can: tuple[Step, ...]
    """The steps that it can take now."""
    needs: tuple[AgreementNeed, ...]
    review: AgreementReviewBrief | None
    shadow: ShadowRun | None
    approvals: tuple[AgreementApproval, ...]
    """Of what can be approved now: adoption, or to resume or withdraw what is in force."""
    undoing: str
    """What officers sign to resume or withdraw what is in force; empty where it is not."""
    quorum: int
    history: tuple[AgreementStep, ...]


@area.shows("/agreements/versions/{version}", "agreements/version.html", roles=SEES)
def version(at: At, asked: AgreementVersionAsked) -> AgreementVersion:
    """One version: its text in words, what it lacks, its approvals, and its record."""
    node = at.node
    known, found = found_of(node, asked.version)
    agreement, mine = found.agreement, found.agreement.version
    others = [each for each in known if each.agreement.version != mine]
    in_force = next((each for each in others if each.state in IN_FORCE), None)
    can = steps_of(found)
    return AgreementVersion(
        brief=brief(node, found),
        manifest=agreement.manifest,
        text=agreement.clauses,
        clauses=clauses_of(agreement),
        forms=forms_of(agreement),
        gets=gets_of(node, agreement),
        in_force=brief(node, in_force) if in_force else None,
        changes=changes_of(in_force.agreement, agreement) if in_force else None,
        others=tuple(brief(node, each) for each in others),
        can=can,
        needs=_needs(node, mine) if Step.ADOPT in can else (),
        review=review_brief(agreement_record.newest_review(node, mine)),
        shadow=_shadow(node, mine) if any(row.step == Step.SHADOW for row in found.steps) else None,
        approvals=tuple(_approvals(node, found, can)),
        undoing=agreements.undoing(node, mine) if found.state in IN_FORCE else "",
        quorum=quorum(node),
        history=tuple(
            AgreementStep(at=datetime.fromisoformat(row.at), step=row.step, officer=row.officer, why=row.why)
            for row in reversed(agreement_record.history(node, agreement.id))
            if row.version == mine
        ),
    )


# --- How it stands --------------------------------------------------------------------------------


def found_of(node: Node, reference: str) -> tuple[list[Version], Version]:
    """Every version of the agreement, the oldest first, and the one that is meant. Raises `Refused`."""
    meant = agreement_record.find(node, reference)
    known = agreement_record.versions(node)
    found = next(each for each in known if each.agreement.version == meant)
    return [each for each in known if each.agreement.id == found.agreement.id], found


def steps_of(found: Version) -> tuple[Step, ...]:
    """What an officer can do with it now."""
    if found.state is State.EXPIRED:
        return (Step.WITHDRAW,)
    version = found.agreement.version
    recorded = lifecycle.states((row.version, Step(row.step)) for row in found.steps)[version]
    by_itself = {Step.SUPERSEDE, Step.EXPIRE}
    return tuple(step for step in Step if step not in by_itself and lifecycle.allows(recorded, step))


def _needs(node: Node, version: str) -> tuple[AgreementNeed, ...]:
    lacks = agreements.lacking(node, version)
    return tuple(AgreementNeed(need, lacks.get(need, "")) for need in Need)


def _approvals(node: Node, found: Version, can: tuple[Step, ...]) -> Iterator[AgreementApproval]:
    version = found.agreement.version
    asked: list[tuple[str, str, datetime | None]] = []
    if Step.ADOPT in can:
        asked.append((ADOPT, version, agreement_record.proposed_at(found.steps, version)))
    elif found.state in IN_FORCE:
        subject = agreements.undoing(node, version)
        acts = (RESUME, WITHDRAW) if Step.RESUME in can else (WITHDRAW,)
        asked += [(act, subject, None) for act in acts]
    for act, subject, since in asked:
        for each in officers.given(node, act=act, subject=subject, since=since):
            yield AgreementApproval(
                act=act,
                officer=each.approval.officer,
                at=officers.signed_at(each.approval),
                why=each.why,
                stands=each.stands,
            )


def _shadow(node: Node, version: str) -> ShadowRun:
    shown = shadow.show(node, version)
    return ShadowRun(
        since=shown.run.since,
        until=shown.run.until,
        running=shown.running,
        products=shown.run.products,
        errors=shown.run.errors,
        counts=tuple(ShadowCount(*each) for each in shown.counts),
    )


def review_brief(made: Review | None) -> AgreementReviewBrief | None:
    if made is None:
        return None
    return AgreementReviewBrief(
        at=made.at,
        keeps_charter=made.proof.keeps_charter,
        unknown=made.proof.unknown,
        items=made.changes.items,
        changed=sum(made.changes.count(change) for change in Change),
    )
