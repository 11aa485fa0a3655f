"""The life of an agreement's version: its states, its steps, and what adoption asks for (law 6).

A version is a text that never changes; what changes is its state, and each step of it is recorded::

    draft > proposed (> shadow) > approved > adopted > superseded | suspended > resumed | expired | withdrawn

`after` tells which step leads where. Two states come by themselves and are laid over the recorded one by
`standing`: *approved* when the quorum has signed, *expired* when the days are over. A *draft* is a folder on
somebody's disk: no node knows of it. A superseded or withdrawn text can be proposed again, and then needs a
new review and new approvals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

import msgspec

from tearline.agreement.manifest import Agreement, load
from tearline.terms import Broken, Refused


class State(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"
    SHADOW = "shadow"
    APPROVED = "approved"
    ADOPTED = "adopted"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    PROPOSE = "propose"
    REVIEW = "review"
    SHADOW = "shadow"
    """It begins to run in shadow, for a set time."""
    ADOPT = "adopt"
    SUPERSEDE = "supersede"
    """By the adoption of another version."""
    SUSPEND = "suspend"
    RESUME = "resume"
    EXPIRE = "expire"
    """By the node, when the days are over."""
    WITHDRAW = "withdraw"


_AFTER: Mapping[Step, Mapping[State, State]] = {
    Step.PROPOSE: dict.fromkeys((State.DRAFT, State.SUPERSEDED, State.WITHDRAWN), State.PROPOSED),
    Step.REVIEW: {State.PROPOSED: State.PROPOSED},
    Step.SHADOW: {State.PROPOSED: State.PROPOSED},
    Step.ADOPT: {State.PROPOSED: State.ADOPTED},
    Step.SUPERSEDE: dict.fromkeys((State.ADOPTED, State.SUSPENDED, State.EXPIRED), State.SUPERSEDED),
    Step.SUSPEND: {State.ADOPTED: State.SUSPENDED},
    Step.RESUME: {State.SUSPENDED: State.ADOPTED},
    Step.EXPIRE: dict.fromkeys((State.ADOPTED, State.SUSPENDED), State.EXPIRED),
    Step.WITHDRAW: dict.fromkeys(
        (State.PROPOSED, State.ADOPTED, State.SUSPENDED, State.EXPIRED), State.WITHDRAWN
    ),
}

IN_FORCE = frozenset({State.ADOPTED, State.SUSPENDED})
"""States in which a version says something: all of it, or its red lines alone. One version of each id."""


def allows(state: State, step: Step) -> bool:
    """Whether a version in this recorded state can take the step."""
    return state in _AFTER[step]


def after(state: State, step: Step) -> State:
    """The recorded state that the step leads to. Raises `Refused` where it cannot be taken."""
    if not allows(state, step):
        raise Refused(f"a version that is {state} cannot {step}: it must be {' or '.join(_AFTER[step])}")
    return _AFTER[step][state]


def states(steps: Iterable[tuple[str, Step]]) -> dict[str, State]:
    """The recorded state of every version, from the (version, step) pairs in their order."""
    found: dict[str, State] = {}
    for version, step in steps:
        found[version] = after(found.get(version, State.DRAFT), step)
    return found


def adoption(version: str, others: Mapping[str, State]) -> list[tuple[str, Step]]:
    """The steps that put `version` in the place of the `others` of its id: at most one stays in force."""
    old = [(other, Step.SUPERSEDE) for other, state in others.items() if allows(state, Step.SUPERSEDE)]
    return [*old, (version, Step.ADOPT)]


def standing(state: State, *, approved: bool = False, shadowed: bool = False, over: bool = False) -> State:
    """How a version stands: its recorded state, and what came by itself.

    `approved`: the quorum has signed; `shadowed`: it runs in shadow; `over`: its days have passed.
    """
    if over and state in IN_FORCE | {State.PROPOSED}:
        return State.EXPIRED
    if state is State.PROPOSED and approved:
        return State.APPROVED
    if state is State.PROPOSED and shadowed:
        return State.SHADOW
    return state


@lru_cache(maxsize=256)
def kept(version: str, manifest: str, clauses: str) -> Agreement:
    """A text that was kept under its version. Raises `Broken` where it is no longer that text.

    It is read once: whoever asks for the same text again gets the same value.
    """
    agreement = load(manifest, clauses, f"agreement version {version[:12]}")
    if agreement.version != version:
        raise Broken(f"the text of the agreement version {version[:12]} was changed")
    return agreement


def red_lines(agreement: Agreement) -> Agreement:
    """What of a suspended agreement goes on: its forbids. So suspending never releases anything.

    Its forms of imagery and signals stay too, and give nothing by themselves: without them a sharper form of
    another agreement could come first.
    """
    forbids = (clause.text for clause in agreement.parsed if clause.tree.effect == "forbid")
    return load(agreement.manifest, "\n".join(forbids), agreement.id)


# --- Adoption: law 6 ------------------------------------------------------------------------------


class Reviewed(msgspec.Struct, frozen=True):
    """What a stored review is of. `against`: what was in force, as `ID VERSION`, sorted."""

    version: str
    at: datetime
    against: tuple[str, ...]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that adoption asks for, as it is at this very moment."""

    version: str
    now: datetime
    ends: datetime
    against: tuple[str, ...]
    """What is in force, as `ID VERSION`, sorted."""
    approved_by: frozenset[str]
    """The distinct officers of today whose signed approvals of this version stand."""
    quorum: int
    review: Reviewed | None
    max_age: timedelta
    proof_of: tuple[str, tuple[str, ...]]
    """What was proved: the version, and what it was proved against, as `ID VERSION`, sorted."""
    keeps_charter: bool
    unknown: bool


class Need(StrEnum):
    """What adoption asks for, in the order in which it is asked."""

    DAYS = "days"
    """The version's days are not over."""
    OFFICERS = "officers"
    """The quorum of distinct officers has approved exactly it."""
    REVIEW = "review"
    """There is a stored review of exactly it, against what is in force now, and young enough."""
    PROOF = "proof"
    """Exactly it is proved to keep the charter, against what is in force now, and no question is open."""


def lacking(case: Case) -> dict[Need, str]:
    """What is missing to adoption, each in one sentence; nothing where it can be adopted."""
    found = {
        Need.DAYS: _days_over(case),
        Need.OFFICERS: _not_approved(case),
        Need.REVIEW: _not_reviewed(case),
        Need.PROOF: _not_proved(case),
    }
    return {need: sentence for need, sentence in found.items() if sentence}


def must_be_adoptable(case: Case) -> None:
    """Raises `Refused`, with one sentence, where adoption lacks something: the first `Need` of it."""
    for sentence in lacking(case).values():
        raise Refused(sentence)


def _days_over(case: Case) -> str:
    return f"the days of {case.version[:12]} are over" if case.now >= case.ends else ""


def _not_approved(case: Case) -> str:
    if len(case.approved_by) >= max(1, case.quorum):
        return ""
    short = case.version[:12]
    return (
        f"{len(case.approved_by)} of {case.quorum} officers have approved {short}; each approves with: "
        f"tearline agreement approve {short}"
    )


def _not_reviewed(case: Case) -> str:
    short, review = case.version[:12], case.review
    again = f"make one with: tearline agreement review {short}"
    if review is None or review.version != case.version:
        return f"there is no review of {short}; {again}"
    if not timedelta(0) <= case.now - review.at <= case.max_age:
        return f"the review of {short} is older than {case.max_age.days} days; {again}"
    if review.against != case.against:
        return f"other agreements are in force than when {short} was reviewed; {again}"
    return ""


def _not_proved(case: Case) -> str:
    short = case.version[:12]
    if case.proof_of != (case.version, case.against):
        return f"the proof is not one of {short} against what is in force"
    if case.unknown:
        return f"it is unknown whether {short} keeps the charter: a question of the proof is open"
    if not case.keeps_charter:
        return f"{short} breaks the charter; see: tearline agreement review {short}"
    return ""


# --- Time limits ----------------------------------------------------------------------------------


class Notice(msgspec.Struct, frozen=True):
    """What officers should hear about an agreement in force. `day` may lie ahead or behind."""

    agreement: str
    kind: str
    """`expires`, `expired` or `review`."""
    day: date
    clause: str = ""

    def sentence(self, today: date) -> str:
        days = (self.day - today).days
        match self.kind:
            case "expires":
                return f"{self.agreement} expires on {self.day}, {_count(days)} from now"
            case "expired":
                return f"{self.agreement} has expired on {self.day}: it permits nothing any more"
            case _:
                return (
                    f"{self.agreement}/{self.clause} should have been reviewed by {self.day}, "
                    f"{_count(-days)} ago"
                )


def notices(agreements: Sequence[Agreement], now: datetime, announce: timedelta) -> list[Notice]:
    """What to say about these agreements, each adopted or suspended or expired: the most pressing first.

    One that expires within `announce`; one that has expired; a clause whose `@review` day has passed. A
    passed review day nags and changes nothing.
    """
    found = []
    for agreement in agreements:
        ends = agreement.bounds[1]
        if now >= ends:
            found.append(Notice(agreement.id, "expired", agreement.valid_until))
            continue
        if ends - now <= announce:
            found.append(Notice(agreement.id, "expires", agreement.valid_until))
        for clause in agreement.parsed:
            day = date.fromisoformat(clause.tree.annotations.get("review", "9999-12-31"))
            if day < now.date():
                found.append(Notice(agreement.id, "review", day, clause.id))
    return sorted(found, key=lambda notice: (notice.kind != "expired", notice.day, notice.agreement))


def _count(days: int) -> str:
    return f"{days} day" + ("s" if days != 1 else "")
