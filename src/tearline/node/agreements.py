"""Agreements through their lives at this node: each step is on the ledger with who, when and why.

What decides is what `Node.refresh` loads: the adopted versions whole, and the suspended ones' red lines. Only
`adopt` and `resume` put a permit in force, and neither does without the quorum and a proof of that moment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from tearline import gate
from tearline.adapters import store
from tearline.agreement import Agreement, lifecycle, load
from tearline.agreement.lifecycle import IN_FORCE, Case, Need, Reviewed, State, Step
from tearline.agreement.proof import Progress, Proof
from tearline.agreement.proof import prove as prove_it
from tearline.agreement.suspension import ID as SUSPENSIONS
from tearline.label.tables import coalitions_of
from tearline.node import officers
from tearline.node.agreement_record import (
    ACTS,
    ADOPT,
    Review,
    agreement_of,
    approved_by,
    proposed_at,
    review_of,
    states_of,
)
from tearline.node.opened import Node
from tearline.node.replay import replay as replayed
from tearline.review import Changes
from tearline.terms import BadInput, Refused

Prove = Callable[[Node, Agreement], Proof]
Replay = Callable[[Node, Agreement], Changes]

RESUME, WITHDRAW = "resume-agreement", "withdraw-agreement"
"""What else officers approve; the subject is the version and the number of the step that is undone."""

MOST_PROOFS = 64
"""How many proofs a process remembers."""


# --- What a review is made of -----------------------------------------------------------------------


_PROOFS: dict[tuple[Any, ...], Proof] = {}
"""Proofs that this process has made already, by all that they depend on."""


def proved(
    node: Node, agreement: Agreement, *, seconds: float = 60.0, progress: Progress | None = None
) -> Proof:
    """The proof for exactly this text against what is in force now, its suspensions included.

    It is asked from the start of this day on: that is the same question all day long.
    """
    today = node.clock().astimezone(UTC).date()
    present = [each for each in node.deciding if node.clock() < each.bounds[1]]
    members = {party: coalitions_of(party, today) for party in node.partners}
    versions = tuple(sorted(each.version for each in present))
    asked = (node.party, versions, agreement.version, today, frozenset(members.items()))
    if found := _PROOFS.get(asked):
        return found
    since = datetime.combine(today, time(), UTC)
    proof = prove_it(
        node.party, present, agreement, since=since, members=members, seconds=seconds, progress=progress
    )
    if not proof.unknown:  # else it may be found out the next time
        if len(_PROOFS) >= MOST_PROOFS:
            _PROOFS.clear()
        _PROOFS[asked] = proof
    return proof


def lacking(node: Node, version: str) -> dict[Need, str]:
    """What a version lacks to be adopted now, by the proof of its review; adoption makes a new one.

    Raises `Refused` where there is no such version.
    """
    with node.reading() as db:
        agreement, steps = agreement_of(db, version), store.steps(db)
        found = review_of(db, steps, version)
        return lifecycle.lacking(_case(node, db, steps, agreement, found[1].proof if found else None)[0])


# --- Steps ------------------------------------------------------------------------------------------


def read_agreement(folder: Path) -> Agreement:
    """The agreement in a folder: `agreement.toml` and `clauses.cedar`. Raises `BadInput`."""
    manifest, clauses = (_text(folder, name) for name in ("agreement.toml", "clauses.cedar"))
    return load(manifest, clauses, str(folder))


def propose(node: Node, agreement: Agreement, *, officer: str, why: str) -> Agreement:
    """Keep a version for all to see. It changes no outcome (law 6).

    Raises `Refused` where it has findings, does not concern this node, is over, or is proposed already.
    """
    agreement.must_be_sound()
    gate.must_be_readable(agreement)
    if agreement.id == SUSPENSIONS:
        raise Refused(f"{SUSPENSIONS} is no name for an agreement: it stands for the node's suspensions")
    if node.party not in agreement.parties:
        raise Refused(f"{node.party} is not a party to {agreement.id}")
    _must_not_be_over(node, agreement)
    with node.writing() as db:
        store.put_version(
            db,
            version=agreement.version,
            agreement_id=agreement.id,
            manifest=agreement.manifest,
            clauses=agreement.clauses,
        )
        _take(node, db, agreement, Step.PROPOSE, officer, why)
    return agreement


def review(
    node: Node,
    version: str,
    *,
    officer: str,
    why: str,
    prove: Prove = proved,
    replay: Replay = replayed,
) -> Review:
    """Prove a proposed version, replay it over the whole ledger, and keep both as one review."""
    node.refresh()
    agreement = _read(node, version)
    made = Review(
        version=version,
        at=node.clock(),
        against=_against(node),
        proof=prove(node, agreement),
        changes=replay(node, agreement),
    )
    with node.writing() as db:
        _must_be_as_read(node, db)
        _take(node, db, agreement, Step.REVIEW, officer, why, _keep(db, made))
    return made


def approve(node: Node, approval: store.Approval, why: str) -> int:
    """Take in an officer's approval of a proposed version; returns how many officers have approved it."""
    with node.writing() as db:
        steps, version = store.steps(db), approval.subject
        proposed = proposed_at(steps, version)
        if approval.act != ADOPT or proposed is None or states_of(steps)[version] is not State.PROPOSED:
            raise Refused("this approves no version that is proposed here")
        if officers.signed_at(approval) < proposed:
            raise Refused("it was signed before the version was proposed: sign it again, and set the clock")
        officers.take_approval(node, db, approval, why)
        return len(approved_by(node, db, steps, version))


def adopt(node: Node, version: str, *, officer: str, why: str, prove: Prove = proved) -> Agreement:
    """Put a version in force, in the place of the one of its id.

    Raises `Refused` where adoption lacks something: see `lifecycle.must_be_adoptable`.
    """
    node.refresh()
    agreement = _read(node, version)
    proof = prove(node, agreement)
    with node.writing() as db:
        _must_be_as_read(node, db)
        steps = store.steps(db)
        states = states_of(steps)
        lifecycle.after(states.get(version, State.DRAFT), Step.ADOPT)
        case, digest = _case(node, db, steps, agreement, proof)
        lifecycle.must_be_adoptable(case)
        evidence = _keep(db, proof)
        of_id = [each for each, ident in store.versions(db) if ident == agreement.id and each != version]
        for which, step in lifecycle.adoption(version, {each: states[each] for each in of_id}):
            if step is Step.SUPERSEDE:
                _take(node, db, agreement_of(db, which), step, officer, f"superseded by {version}")
            else:
                more = {"approved_by": sorted(case.approved_by), "quorum": case.quorum, "review": digest}
                _take(node, db, agreement, step, officer, why, evidence, **more)
    node.refresh()
    return agreement


def suspend(node: Node, version: str, *, officer: str, why: str) -> Agreement:
    """From now on an adopted version permits nothing; its forbids go on, so that nothing more is released."""
    with node.writing() as db:
        agreement = agreement_of(db, version)
        _take(node, db, agreement, Step.SUSPEND, officer, why)
    node.refresh()
    return agreement


def resume(node: Node, version: str, *, officer: str, why: str, prove: Prove = proved) -> Agreement:
    """Put a suspended version in force again: with the quorum, and proved against what is in force now."""
    node.refresh()
    agreement = _read(node, version)
    proof = prove(node, agreement)
    with node.writing() as db:
        _must_be_as_read(node, db)
        steps = store.steps(db)
        lifecycle.after(states_of(steps).get(version, State.DRAFT), Step.RESUME)
        _must_not_be_over(node, agreement)
        given = officers.must_be_approved(node, db, act=RESUME, subject=_undoing(steps, version))
        if _proof_of(proof) != (version, _against(node)):
            raise Refused("the proof is not one of this version against what is in force")
        if proof.unknown or not proof.keeps_charter:
            raise Refused(f"{version[:12]} is not proved to keep the charter beside what is in force now")
        more = {"approved_by": sorted(given), "quorum": officers.quorum(node)}
        _take(node, db, agreement, Step.RESUME, officer, why, _keep(db, proof), **more)
    node.refresh()
    return agreement


def withdraw(node: Node, version: str, *, officer: str, why: str) -> Agreement:
    """End a version. One in force ends with the quorum's approvals only: its red lines end with it."""
    with node.writing() as db:
        agreement, steps = agreement_of(db, version), store.steps(db)
        more: dict[str, Any] = {}
        if states_of(steps)[version] in IN_FORCE:
            given = officers.must_be_approved(node, db, act=WITHDRAW, subject=_undoing(steps, version))
            more = {"approved_by": sorted(given), "quorum": officers.quorum(node)}
        _take(node, db, agreement, Step.WITHDRAW, officer, why, **more)
    node.refresh()
    return agreement


def expire(node: Node) -> int:
    """Record, once, that the days of versions in force are over; returns of how many.

    They stopped deciding by themselves when the day came.
    """
    now = node.clock()
    if all(now < agreement.bounds[1] for agreement in node.agreements):
        return 0
    with node.writing() as db:
        in_force = [version for version, state in states_of(store.steps(db)).items() if state in IN_FORCE]
        over = [each for each in (agreement_of(db, version) for version in in_force) if now >= each.bounds[1]]
        for agreement in over:
            _take(node, db, agreement, Step.EXPIRE, "", f"valid until {agreement.valid_until}")
    node.refresh()
    return len(over)


# --- Parts of steps ---------------------------------------------------------------------------------


def _take(
    node: Node,
    db: Connection,
    agreement: Agreement,
    step: Step,
    officer: str,
    why: str,
    evidence: str = "",
    **more: Any,
) -> None:
    """Take one step, on the ledger and in the store. Raises `Refused` where the version cannot take it."""
    if step is not Step.EXPIRE:
        officers.must_say_why(why)
        officers.must_be_officer(db, officer)
    before = states_of(store.steps(db)).get(agreement.version, State.DRAFT)
    now = lifecycle.after(before, step)
    row = store.StepRow(agreement.version, step, officer, store.stamp(node.clock()), why, evidence)
    told = {"agreement": agreement.id, "version": row.version, "officer": officer, "why": why, **more}
    node.record(ACTS[step], told | ({"evidence": evidence} if evidence else {}))
    changes = before != now
    store.add_step(db, row, changes_state=changes, changes_force=changes and bool({before, now} & IN_FORCE))


def _case(
    node: Node, db: Connection, steps: list[store.StepRow], agreement: Agreement, proof: Proof | None
) -> tuple[Case, str]:
    """How adoption stands at this moment, and the digest of the review."""
    digest, reviewed = review_of(db, steps, agreement.version) or ("", None)
    case = Case(
        version=agreement.version,
        now=node.clock(),
        ends=agreement.bounds[1],
        against=_against(node),
        approved_by=approved_by(node, db, steps, agreement.version),
        quorum=officers.quorum(node),
        review=Reviewed(reviewed.version, reviewed.at, reviewed.against) if reviewed else None,
        max_age=timedelta(days=node.home.config.review_max_age_days),
        proof_of=_proof_of(proof) if proof else ("", ()),
        keeps_charter=proof is not None and proof.keeps_charter,
        unknown=proof is None or proof.unknown,
    )
    return case, digest


def _keep(db: Connection, made: Any) -> str:
    """Keep a review or a proof; returns the digest that it is kept under."""
    body = store.encode(made)
    digest = hashlib.sha256(body).hexdigest()
    store.put_evidence(db, digest, body)
    return digest


def _read(node: Node, version: str) -> Agreement:
    with node.reading() as db:
        return agreement_of(db, version)


def _against(node: Node) -> tuple[str, ...]:
    """What is in force at this moment, as `ID VERSION`, sorted; of a suspended one the red lines."""
    return tuple(sorted(f"{agreement.id} {agreement.version}" for agreement in _in_force(node)))


def _in_force(node: Node) -> list[Agreement]:
    now = node.clock()
    return [agreement for agreement in node.agreements if now < agreement.bounds[1]]


def _must_be_as_read(node: Node, db: Connection) -> None:
    if store.generation(db) != node.generation:
        raise Refused("what is in force has changed in the meantime: try again")


def _must_not_be_over(node: Node, agreement: Agreement) -> None:
    if node.clock() >= agreement.bounds[1]:
        raise Refused(f"the days of {agreement.id} are over: it was valid until {agreement.valid_until}")


def undoing(node: Node, version: str) -> str:
    """What officers sign to resume or withdraw this version; its last step is named in it."""
    with node.reading() as db:
        agreement_of(db, version)
        return _undoing(store.steps(db), version)


def _undoing(steps: list[store.StepRow], version: str) -> str:
    """What officers sign: the version, and its last step by number, so that no approval is used twice."""
    return f"{version}@{max(n for n, row in enumerate(steps) if row.version == version)}"


def _proof_of(proof: Proof) -> tuple[str, tuple[str, ...]]:
    """The version that was proved, and the agreements that it was proved against."""
    return proof.version, tuple(each for each in sorted(proof.against) if each.split()[0] != SUSPENSIONS)


def _text(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text(encoding="utf-8")
    except OSError as error:
        remedy = "an agreement is a folder with agreement.toml and clauses.cedar"
        raise BadInput(str(folder / name), "", f"it cannot be read ({error.strerror})", remedy) from None
    except UnicodeDecodeError:
        raise BadInput(str(folder / name), "", "it is not UTF-8", "save it as UTF-8 text") from None
