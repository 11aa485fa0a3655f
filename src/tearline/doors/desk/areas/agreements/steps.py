"""What officers do with a version: review, run in shadow, approve, adopt, suspend, resume, withdraw."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import partial

import msgspec

from tearline.adapters.store import Approval
from tearline.agreement import Agreement
from tearline.agreement.lifecycle import Step
from tearline.agreement.suspension import read_moment
from tearline.doors.desk.areas.agreements.area import area
from tearline.doors.desk.endpoint import N_, At, Upload
from tearline.doors.desk.person import OFFICERS
from tearline.node import Node, agreement_record, agreements, officers, quorum, shadow
from tearline.node.agreement_record import ADOPT
from tearline.node.agreements import RESUME, WITHDRAW
from tearline.node.replay import replay
from tearline.review import Changes
from tearline.terms import BadInput

PROVING = N_("Proving")
REPLAYING = N_("Replaying over all that is held")
_PAGE = "/agreements/versions/{version}"


class ApprovedAct(StrEnum):
    """What officers approve of a version."""

    ADOPT = ADOPT
    RESUME = RESUME
    WITHDRAW = WITHDRAW


class VersionStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a version, and why, in one sentence."""

    version: str
    why: str


class ShadowStart(msgspec.Struct, frozen=True, kw_only=True):
    """`until`: the day at whose beginning (UTC) it ends."""

    version: str
    until: date
    why: str


class ApproveVersion(msgspec.Struct, frozen=True, kw_only=True):
    """`passphrase`: of the officer's own key, for this one signature."""

    version: str
    act: ApprovedAct = ApprovedAct.ADOPT
    why: str
    passphrase: str


class ApprovalFile(msgspec.Struct, frozen=True, kw_only=True):
    """An approval of this version that was signed elsewhere: the JSON that `--sign-only` printed."""

    version: str
    approval: Upload
    why: str


class VersionStepped(msgspec.Struct, frozen=True):
    """What was done, to which version."""

    id: str
    version: str


class VersionApproved(msgspec.Struct, frozen=True):
    """How many distinct officers have approved it now, of how many that must."""

    version: str
    count: int
    quorum: int


@area.does(
    "/agreements/versions/{version}/review",
    roles=OFFICERS,
    slow=True,
    then="/agreements/versions/{version}/review",
    says=N_("Reviewing: proof, and replay over all that is held"),
)
def review(at: At, asked: VersionStep) -> VersionStepped:
    """Prove a proposed version, replay it over all that is held, and keep both as its review."""
    version = agreement_record.find(at.node, asked.version, Step.REVIEW)

    def replayed(node: Node, agreement: Agreement) -> Changes:
        at.doing(REPLAYING)
        return replay(node, agreement, progress=at.progress)

    at.doing(PROVING)
    agreements.review(
        at.node,
        version,
        officer=at.person.name,
        why=asked.why,
        prove=partial(agreements.proved, progress=at.progress),
        replay=replayed,
    )
    return _stepped(at, version)


@area.does(
    "/agreements/versions/{version}/shadow",
    roles=OFFICERS,
    then=_PAGE,
    says=N_("It runs in shadow until {until}. It decides nothing."),
)
def start_shadow(at: At, asked: ShadowStart) -> VersionStepped:
    """Let a proposed version run beside what decides until a day. It decides nothing."""
    version = agreement_record.find(at.node, asked.version, Step.SHADOW)
    shadow.start(
        at.node,
        version,
        read_moment("until", asked.until.isoformat()),
        officer=at.person.name,
        why=asked.why,
    )
    return _stepped(at, version)


@area.does(
    "/agreements/versions/{version}/approve",
    roles=OFFICERS,
    then=_PAGE,
    says=N_("Approved: {count} of {quorum} officers."),
)
def approve(at: At, asked: ApproveVersion) -> VersionApproved:
    """Approve exactly this version, or that it is resumed or withdrawn, with one's own signature."""
    version = agreement_record.find(at.node, asked.version)
    officers.must_say_why(asked.why)
    subject = version if asked.act is ApprovedAct.ADOPT else agreements.undoing(at.node, version)
    return _take_in(at, version, at.sign(asked.act, subject, asked.passphrase), asked.why)


@area.does(
    "/agreements/versions/{version}/approval",
    roles=OFFICERS,
    then=_PAGE,
    says=N_("Approved: {count} of {quorum} officers."),
)
def take_approval(at: At, asked: ApprovalFile) -> VersionApproved:
    """Take in an approval of this version that an officer signed on another machine."""
    version = agreement_record.find(at.node, asked.version)
    try:
        approval = msgspec.json.decode(asked.approval.body, type=Approval)
    except msgspec.DecodeError as error:
        remedy = "upload what `tearline agreement approve ... --sign-only` printed"
        raise BadInput("the approval", "", f"it is not one ({error})", remedy) from None
    if approval.subject.partition("@")[0] != version:
        raise BadInput("the approval", "", "it is of something else", "open the page of what it approves")
    return _take_in(at, version, approval, asked.why)


@area.does("/agreements/versions/{version}/adopt", roles=OFFICERS, slow=True, then=_PAGE, says=N_("Adopting"))
def adopt(at: At, asked: VersionStep) -> VersionStepped:
    """Put a version in force: it needs the approvals, a review, and a proof, which is made now."""
    version = agreement_record.find(at.node, asked.version, Step.ADOPT)
    at.doing(PROVING)
    prove = partial(agreements.proved, progress=at.progress)
    agreements.adopt(at.node, version, officer=at.person.name, why=asked.why, prove=prove)
    return _stepped(at, version)


@area.does(
    "/agreements/versions/{version}/suspend",
    roles=OFFICERS,
    then=_PAGE,
    says=N_("{id} is suspended: it permits nothing, and its red lines stand."),
)
def suspend(at: At, asked: VersionStep) -> VersionStepped:
    """Let a version in force permit nothing from now on. What it forbids stays forbidden."""
    version = agreement_record.find(at.node, asked.version, Step.SUSPEND)
    agreements.suspend(at.node, version, officer=at.person.name, why=asked.why)
    return _stepped(at, version)


@area.does(
    "/agreements/versions/{version}/resume", roles=OFFICERS, slow=True, then=_PAGE, says=N_("Resuming")
)
def resume(at: At, asked: VersionStep) -> VersionStepped:
    """Put a suspended version in force again: with the quorum's approvals and a new proof."""
    version = agreement_record.find(at.node, asked.version, Step.RESUME)
    at.doing(PROVING)
    prove = partial(agreements.proved, progress=at.progress)
    agreements.resume(at.node, version, officer=at.person.name, why=asked.why, prove=prove)
    return _stepped(at, version)


@area.does(
    "/agreements/versions/{version}/withdraw",
    roles=OFFICERS,
    then=_PAGE,
    says=N_("{id} is withdrawn."),
)
def withdraw(at: At, asked: VersionStep) -> VersionStepped:
    """End a version. One in force needs the quorum's approvals, because its red lines end with it."""
    version = agreement_record.find(at.node, asked.version, Step.WITHDRAW)
    agreements.withdraw(at.node, version, officer=at.person.name, why=asked.why)
    return _stepped(at, version)


def _take_in(at: At, version: str, approval: Approval, why: str) -> VersionApproved:
    take = agreements.approve if approval.act == ADOPT else officers.approve
    return VersionApproved(version, take(at.node, approval, why), quorum(at.node))


def _stepped(at: At, version: str) -> VersionStepped:
    with at.node.reading() as db:
        return VersionStepped(agreement_record.agreement_of(db, version).id, version)
