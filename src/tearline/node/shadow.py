"""A proposed version beside the adopted ones, on live traffic: what would it have decided otherwise?

It decides nothing (law 6): the gate is asked again, with the version in the place of the one in force, about
each product that is considered, and differences are kept in a table of their own. Whatever goes wrong in here
is counted and goes no further.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from tearline.adapters import store
from tearline.agreement import Agreements, lifecycle
from tearline.agreement.lifecycle import State
from tearline.gate import Exposure
from tearline.ledger import Act
from tearline.node import officers
from tearline.node.agreement_record import states_of
from tearline.node.opened import Node
from tearline.node.permits import Permit
from tearline.terms import BadInput, Outcome, Partner, Party, Refused, Tearline, Whole

EXAMPLES = 20

Answers = Sequence[tuple[store.Held, Mapping[Party, Outcome]]]


class Seen(msgspec.Struct, frozen=True):
    """What one run saw in some products."""

    version: str
    products: int
    errors: int
    differences: tuple[store.Difference, ...]


class Shown(msgspec.Struct, frozen=True):
    """A run, for officers."""

    run: store.Run
    running: bool
    counts: list[tuple[str, Party, str, str, int]]
    """(clause, partner, form now, form then, how many products)."""
    examples: list[tuple[str, str, store.Difference]]
    """(product id, product version, difference): the newest of each clause and partner."""


def observe(
    node: Node,
    answers: Answers,
    exposures: Sequence[Exposure],
    partners: Sequence[Partner],
    now: datetime,
    allowed: Mapping[int, Permit],
) -> list[Seen]:
    """What each run would have answered otherwise. Never raises."""
    return [
        _observe(node, run, answers, exposures, partners, now, allowed)
        for run in node.shadows
        if now < run.until
    ]


def keep(db: Connection, seen: Iterable[Seen]) -> None:
    """Store it in the transaction that is open, which goes on whatever happens here."""
    for each in seen:
        try:
            with db.begin_nested():
                store.add_seen(
                    db,
                    each.version,
                    products=each.products,
                    errors=each.errors,
                    differences=each.differences,
                )
        except Exception:  # noqa: S110 - a run must not disturb what is decided; it lacks these then
            pass


def _observe(
    node: Node,
    run: store.Run,
    answers: Answers,
    exposures: Sequence[Exposure],
    partners: Sequence[Partner],
    now: datetime,
    allowed: Mapping[int, Permit],
) -> Seen:
    errors, differences = 0, list[store.Difference]()
    for (held, outcomes), exposure in zip(answers, exposures, strict=True):
        try:
            permit = allowed[held.seq]
            then = permit.judge(held.product, partners, _rules(node, run), now, exposure)
            if any(reason.code == "error" for outcome in then.values() for reason in outcome.reasons):
                errors += 1
            else:
                differences += _differences(held, outcomes, then)
        except Exception:  # as in `keep`
            errors += 1
    return Seen(run.version, len(answers), errors, tuple(differences))


def _rules(node: Node, run: store.Run) -> Agreements:
    """What decides, with this version in its place; compiled once."""
    if run.version not in node.shadow_rules:
        proposed = lifecycle.kept(run.version, run.manifest, run.clauses)
        others = [agreement for agreement in node.deciding if agreement.id != proposed.id]
        node.shadow_rules[run.version] = Agreements(node.party, [*others, proposed])
    return node.shadow_rules[run.version]


def _differences(
    held: store.Held, now: Mapping[Party, Outcome], then: Mapping[Party, Outcome]
) -> Iterable[store.Difference]:
    for party, outcome in now.items():
        other = then[party]
        if type(outcome) is not type(other):
            yield store.Difference(
                product=held.seq,
                partner=party,
                form_now=_form(outcome),
                form_then=_form(other),
                clause=_responsible(outcome, other),
            )


def _responsible(now: Outcome, then: Outcome) -> str:
    """The clause that makes the difference; empty where none does.

    Where more goes, the one that permits it; where less goes, the one that forbids it, else the one that
    permitted it.
    """
    if _much(then) > _much(now):
        return _clause(then, "agreement.permit")
    return _clause(then, "agreement.forbid") or _clause(now, "agreement.permit")


def _form(outcome: Outcome) -> str:
    return str(outcome.__struct_config__.tag)


def _much(outcome: Outcome) -> int:
    return 2 if isinstance(outcome, Whole) else 1 if isinstance(outcome, Tearline) else 0


def _clause(outcome: Outcome, code: str) -> str:
    return next((reason.clause for reason in outcome.reasons if reason.code == code), "")


# --- For officers ---------------------------------------------------------------------------------


def start(node: Node, version: str, until: datetime, *, officer: str, why: str) -> None:
    """Let a proposed version run in shadow until then; it ends by itself.

    What it found when it ran before is forgotten. Raises `Refused` where it is not proposed or the officer
    is none, `BadInput` where `until` has passed.
    """
    officers.must_say_why(why)
    now = node.clock()
    if until <= now:
        raise BadInput("--until", "", "this has passed", "give a moment to come")
    with node.writing() as db:
        officers.must_be_officer(db, officer)
        if states_of(store.steps(db)).get(version) is not State.PROPOSED:
            raise Refused(f"{version[:12]} is not proposed: only a proposal runs in shadow")
        body = {"version": version, "until": store.stamp(until), "officer": officer, "why": why}
        node.record(Act.AGREEMENT_SHADOWED, body)
        row = store.StepRow(version, lifecycle.Step.SHADOW, officer, store.stamp(now), why)
        store.add_step(db, row)
        store.start_shadow(db, version, now, until)
    node.refresh()


def show(node: Node, version: str) -> Shown:
    """What a run has seen so far, or had seen when it ended. Raises `Refused` where there was none."""
    node.refresh()
    with node.reading() as db:
        run = next((run for run in store.shadows(db) if run.version == version), None)
        if run is None:
            raise Refused(f"{version[:12]} never ran in shadow")
        return Shown(
            run=run,
            running=is_running(node, version),
            counts=store.differences_by_clause(db, version),
            examples=store.difference_examples(db, version, EXAMPLES),
        )


def is_running(node: Node, version: str) -> bool:
    """Whether a version runs in shadow now: its time is not over, and it is still proposed."""
    return any(run.version == version and node.clock() < run.until for run in node.shadows)
