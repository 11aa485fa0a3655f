"""What is written down of agreements: their texts, states, reviews, history, and what to announce."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from tearline.adapters import store
from tearline.agreement import Agreement, lifecycle
from tearline.agreement.lifecycle import IN_FORCE, Notice, State, Step
from tearline.agreement.proof import Proof
from tearline.ledger import Act, Entry
from tearline.node import officers
from tearline.node.opened import Node
from tearline.review import Changes
from tearline.terms import Broken, Refused

ADOPT = "adopt"
"""What officers approve of a version; the subject is the version."""
SHORTEST = 4
"""How many digits of a version must be given at least."""

ACTS = {
    Step.PROPOSE: Act.AGREEMENT_PROPOSED,
    Step.SHADOW: Act.AGREEMENT_SHADOWED,
    Step.REVIEW: Act.AGREEMENT_REVIEWED,
    Step.ADOPT: Act.AGREEMENT_ADOPTED,
    Step.SUPERSEDE: Act.AGREEMENT_SUPERSEDED,
    Step.SUSPEND: Act.AGREEMENT_SUSPENDED,
    Step.RESUME: Act.AGREEMENT_RESUMED,
    Step.EXPIRE: Act.AGREEMENT_EXPIRED,
    Step.WITHDRAW: Act.AGREEMENT_WITHDRAWN,
}


class Review(msgspec.Struct, frozen=True):
    """What officers read before they adopt `version`. `against`: what was in force then."""

    version: str
    at: datetime
    against: tuple[str, ...]
    proof: Proof
    changes: Changes
    """What would have been other over the whole ledger."""


class Version(msgspec.Struct, frozen=True):
    """A version of an agreement as it stands. `state` is as `lifecycle.standing` tells it."""

    agreement: Agreement
    state: State
    steps: tuple[store.StepRow, ...]
    approved_by: frozenset[str]


def versions(node: Node) -> list[Version]:
    """Every version that this node knows of, by agreement, the oldest first."""
    node.refresh()
    with node.reading() as db:
        steps = store.steps(db)
        states = states_of(steps)
        return [_version(node, db, agreement_of(db, version), states, steps) for version in _ordered(db)]


def find(node: Node, reference: str, step: Step | None = None) -> str:
    """The version that is meant: by its first digits, or by its agreement's id where only one fits.

    One fits where it can take `step`; without a step: the one in force, or the only one there is. Raises
    `Refused` where none or several fit.
    """
    with node.reading() as db:
        known, states = store.versions(db), states_of(store.steps(db))
    of_id = [version for version, ident in known if ident == reference]
    if not of_id:
        fitting = [version for version, _ in known if version.startswith(reference.lower())]
        fitting = fitting if len(reference) >= SHORTEST else []
    elif step is not None:
        fitting = [version for version in of_id if lifecycle.allows(states[version], step)]
    else:
        fitting = [version for version in of_id if states[version] in IN_FORCE] or of_id
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        can = f" that can {step}" if of_id and step is not None else ""
        raise Refused(f"there is no version of {reference}{can}" if of_id else f"no version is {reference!r}")
    shorts = ", ".join(version[:12] for version in fitting)
    raise Refused(f"{reference} can mean {shorts}: give the version")


def history(node: Node, ident: str) -> list[store.StepRow]:
    """Every step of every version of an agreement and every approval of them, in their order."""
    with node.reading() as db:
        ours = {version for version, its in store.versions(db) if its == ident}
        found = [step for step in store.steps(db) if step.version in ours]
        for version in ours:
            found += [
                store.StepRow(version, "approve", approval.officer, approval.at, why)
                for approval, why in store.approvals(db, ADOPT, version)
            ]
    return sorted(found, key=lambda row: row.at)


def newest_review(node: Node, version: str) -> Review | None:
    """The review of this version that counts."""
    with node.reading() as db:
        found = review_of(db, store.steps(db), version)
    return found and found[1]


def notices(node: Node) -> list[Notice]:
    """What to announce of agreements that are adopted, suspended or expired."""
    with node.reading() as db:
        states = states_of(store.steps(db))
        told = [version for version, state in states.items() if state in IN_FORCE | {State.EXPIRED}]
        agreements = [agreement_of(db, version) for version in told]
    announce = timedelta(days=node.home.config.announce_days)
    return lifecycle.notices(agreements, node.clock(), announce)


# --- Within a transaction ---------------------------------------------------------------------------


def states_of(steps: Iterable[store.StepRow]) -> dict[str, State]:
    """The recorded state of every version."""
    return lifecycle.states((row.version, Step(row.step)) for row in steps)


def agreement_of(db: Connection, version: str) -> Agreement:
    """The text of a version. Raises `Refused` where there is none, `Broken` where it was changed."""
    texts = store.agreement_texts(db, [version])
    if version not in texts:
        raise Refused(f"there is no version {version[:12]}")
    return lifecycle.kept(version, *texts[version])


def approved_by(node: Node, db: Connection, steps: Sequence[store.StepRow], version: str) -> frozenset[str]:
    """The officers of today whose signed approvals of this version, since it was proposed, stand."""
    return officers.standing(node, db, act=ADOPT, subject=version, since=proposed_at(steps, version))


def proposed_at(steps: Iterable[store.StepRow], version: str) -> datetime | None:
    """When the version was last proposed: what was said before is of an earlier round."""
    proposed = [row.at for row in steps if row.version == version and row.step == Step.PROPOSE]
    return datetime.fromisoformat(proposed[-1]) if proposed else None


def review_of(db: Connection, steps: Iterable[store.StepRow], version: str) -> tuple[str, Review] | None:
    """The newest review of this version since it was last proposed, with its digest.

    Raises `Broken` where what is kept under the digest is not what it was made of.
    """
    digest = ""
    for row in steps:
        if row.version == version and row.step in {Step.PROPOSE, Step.REVIEW}:
            digest = row.evidence
    if not digest:
        return None
    body = store.evidence(db, digest)
    if body is None or hashlib.sha256(body).hexdigest() != digest:
        raise Broken(f"the review {digest[:12]} is missing or was changed")
    return digest, msgspec.json.decode(body, type=Review)


def mismatches(db: Connection, entries: Iterable[Entry]) -> Iterator[str]:
    """Where steps are not those that the ledger tells of, or a text, a review or a proof was changed."""
    told: Counter[tuple[str, ...]] = Counter()
    steps_by_act = {act: step for step, act in ACTS.items()}
    for entry in entries:
        if step := steps_by_act.get(entry.act):
            body = entry.body
            told[body["version"], step, body["officer"], body["why"], body.get("evidence", "")] += 1
    steps = store.steps(db)
    there: Counter[tuple[str, ...]] = Counter(
        (row.version, row.step, row.officer, row.why, row.evidence) for row in steps
    )
    for version, name, *_ in sorted((told - there) | (there - told)):
        yield f"the step {name} of the agreement version {version[:12]} is not as it was recorded"
    texts = store.agreement_texts(db, {row.version for row in steps})
    for version, text in texts.items():
        try:
            lifecycle.kept(version, *text)
        except Broken as broken:
            yield str(broken)
    for digest in sorted({row.evidence for row in steps} - {""}):
        kept = store.evidence(db, digest)
        if kept is None or hashlib.sha256(kept).hexdigest() != digest:
            yield f"the review or proof {digest[:12]} is missing or was changed"


def _version(
    node: Node,
    db: Connection,
    agreement: Agreement,
    states: dict[str, State],
    steps: Collection[store.StepRow],
) -> Version:
    version = agreement.version
    ours = tuple(row for row in steps if row.version == version)
    given = approved_by(node, db, ours, version)
    state = lifecycle.standing(
        states[version],
        approved=len(given) >= officers.quorum(node),
        shadowed=any(run.version == version and node.clock() < run.until for run in node.shadows),
        over=node.clock() >= agreement.bounds[1],
    )
    return Version(agreement, state, ours, given)


def _ordered(db: Connection) -> list[str]:
    return [version for version, _ in sorted(store.versions(db), key=lambda row: row[1])]
