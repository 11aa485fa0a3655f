"""Faults planted into the node, one by one: what the coalition simulator must find within a few seeds.

Each is a fault that somebody could write: the patch stands for the code that would have it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import msgspec
import orjson
import pytest

from tearline import deliver
from tearline.adapters import database, store
from tearline.adapters.view import Writer
from tearline.agreement import Agreement, lifecycle
from tearline.gate import openings
from tearline.node import mosaic, opened, suspend
from tearline.node.opened import Node
from tearline.simulate import Plan, Report, member, run
from tearline.terms import Product

Patch = pytest.MonkeyPatch

# The front of the room has functions of these names.
receiving = import_module("tearline.node.receive")

DENSE = Plan(nodes=3, days=20, products=1.5, deeds=0.5, stress=6, poll_minutes=120, samples=1)
"""Much traffic and many faults in a short time."""
FEW = 5
"""Seeds in which a planted fault must be found."""


def found_by(plan: Plan = DENSE, *, seeds: int = FEW, laws: tuple[int, ...]) -> Report | None:
    """The report of the first seed that sees one of `laws` broken; `None` where none does."""
    samples = plan.samples if 5 in laws else 0
    for seed in range(1, seeds + 1):
        report = run(msgspec.structs.replace(plan, seed=seed, samples=samples), until=laws)
        if any(breach.law in laws for breach in report.breaches):
            return report
    return None


# --- The gate and the agreements ------------------------------------------------------------------


def label_lets_anybody_in(patch: Patch) -> None:
    patch.setattr(openings, "bars", lambda *_: ())


def proposals_decide(patch: Patch) -> None:
    """The newest version of each id decides, adopted or only proposed."""

    def newest(db: Any) -> Iterator[Agreement]:
        of_id = dict(store.versions(db))
        open_ = {of_id[version]: version for version, state in opened._states(db).items() if state in states}
        for version, (manifest, clauses) in store.agreement_texts(db, list(open_.values())).items():
            yield lifecycle.kept(version, manifest, clauses)

    states = {*lifecycle.IN_FORCE, lifecycle.State.PROPOSED}
    patch.setattr(opened, "_agreements_in_force", newest)


def anything_is_adopted(patch: Patch) -> None:
    patch.setattr(lifecycle, "must_be_adoptable", lambda _: None)


# --- Order and crashes ----------------------------------------------------------------------------


def outbox_row_is_lost(patch: Patch) -> None:
    """The first of each batch does not make it into the outbox."""
    whole = store.add_to_outbox
    patch.setattr(store, "add_to_outbox", lambda db, rows: whole(db, rows[1:]))


def delivered_before_sealed(patch: Patch) -> None:
    """Rows are marked as delivered in a transaction of their own, before they stand in the view."""
    whole = member.hand_over
    waits = "delivered_at IS NULL AND stopped = 0 AND stuck = 0"

    def early(node: Node) -> int:
        with node.writing() as db:
            rows = db.exec_driver_sql(f"SELECT seq FROM outbox WHERE {waits}").scalars().all()
            db.exec_driver_sql(f"UPDATE outbox SET delivered_at = 'now' WHERE {waits}")
        if rows:
            with node.writing() as db:
                db.exec_driver_sql("UPDATE outbox SET delivered_at = NULL WHERE delivered_at = 'now'")
        return whole(node)

    patch.setattr(member, "hand_over", early)


def ledger_after_effect(patch: Patch) -> None:
    """What is recorded is put on the ledger in a transaction that follows that of the effect."""

    @contextmanager
    def writing(self: Node, **_: Any) -> Iterator[Any]:
        self._acts = []
        try:
            with self._engine.begin() as db:
                yield db
            if self._acts:
                with self._engine.begin() as db:
                    self.log.append(db, self._acts)
                    self.log.checkpoint(db, self.home.signing_key)
        finally:
            self._acts = None

    patch.setattr(Node, "writing", writing)


def commits_are_not_synced(patch: Patch) -> None:
    whole = database._configure

    def weak(connection: Any, record: Any) -> None:
        whole(connection, record)
        connection.execute("PRAGMA synchronous = NORMAL")

    patch.setattr(database, "_configure", weak)


def released_twice(patch: Patch) -> None:
    """The release id depends on when the gate answered, so that asking again releases again."""
    whole = deliver.compose

    def compose(product: Product, outcome: Any, **rest: Any) -> deliver.Draft:
        draft = whole(product, outcome, **rest)
        return msgspec.structs.replace(
            draft, release_id=f"{draft.release_id[:40]}{rest['issued']:%Y%m%d%H%M%S}"
        )

    patch.setattr(deliver, "compose", compose)


# --- Suspension -----------------------------------------------------------------------------------


def suspension_leaves_the_outbox(patch: Patch) -> None:
    patch.setattr(suspend, "_stop", lambda *_: None)
    patch.setattr(suspend, "_hold_back", lambda *_: None)


def suspension_is_no_forbid(patch: Patch) -> None:
    patch.setattr(opened, "compiled", lambda own, _: opened_compiled(own, ()))


opened_compiled = opened.compiled


# --- What is received -----------------------------------------------------------------------------


def unverified_is_accepted(patch: Patch) -> None:
    """No object is looked at as a release: all are taken for what a partner may add without a signature."""
    patch.setattr(deliver, "is_release", lambda _: False)


def originator_as_claimed(patch: Patch) -> None:
    """What is received under an id that is held already is taken for its first originator's."""
    whole = receiving._products

    def products(node: Node, db: Any, giver: str, items: Any, now: Any) -> Iterator[Product]:
        for product in whole(node, db, giver, items, now):
            known = [held.product.originator for held in store.versions_of(db, product.id)]
            yield msgspec.structs.replace(product, originator=known[0] if known else giver)

    patch.setattr(receiving, "_products", products)


def passed_on_without_consent(patch: Patch) -> None:
    """What is received is taken for the node's own."""
    whole = receiving._products

    def products(node: Node, *rest: Any) -> Iterator[Product]:
        for product in whole(node, *rest):
            label = msgspec.structs.replace(product.label, owners=frozenset())
            yield msgspec.structs.replace(product, originator=node.party, label=label)

    patch.setattr(receiving, "_products", products)


def inbox_passed_before_taken(patch: Patch) -> None:
    """How far the inbox is taken is written in a transaction before that of the taking."""

    def take_inbox_of(node: Node, party: str) -> int:
        with node.reading() as db:
            seen = store.inbox_seen(db, party)
        added = node.view(party).inbox_after(seen, receiving.BATCH)
        if added:
            with node.writing() as db:
                store.set_inbox_seen(db, party, added[-1][0])
            objects = [orjson.loads(body) for _, body in added]
            with node.writing() as db:
                receiving._take(node, db, party, objects, objects)
        return len(added)

    patch.setattr(receiving, "_take_inbox_of", take_inbox_of)


# --- Sources --------------------------------------------------------------------------------------


def scanner_sees_nothing(patch: Patch) -> None:
    patch.setattr(member.SimulatedVault, "scan", lambda _, texts: [()] * len(texts))


def source_lines_in_tearlines(patch: Patch) -> None:
    """A tearline keeps all portions that the label lets in."""
    whole = deliver.compose

    def compose(product: Product, outcome: Any, **rest: Any) -> deliver.Draft:
        if hasattr(outcome, "portions"):
            lines = tuple(
                msgspec.structs.replace(each, role="body")
                for each in product.portions
                if each.role == "source"
            )
            outcome = msgspec.structs.replace(outcome, portions=(*outcome.portions, *lines))
        return whole(product, outcome, **rest)

    patch.setattr(deliver, "compose", compose)


def telling_is_not_counted(patch: Patch) -> None:
    patch.setattr(mosaic, "tell", lambda *_: None)


# --- Silence --------------------------------------------------------------------------------------


def numbers_run_over_all_partners(patch: Patch) -> None:
    """A release says which number it is of all that the node released to anybody."""
    whole = Writer.add

    def add(self: Writer, collection: str, items: Any, at: Any) -> Any:
        numbered = []
        for item in items:
            if collection == "out" and item.release is not None:
                counted[0] += 1
                numbered.append(item._replace(body=item.body[:-1] + b',"x_serial":%d}' % counted[0]))
            else:
                numbered.append(item)
        return whole(self, collection, numbered, at)

    counted = [0]
    patch.setattr(Writer, "add", add)


Plant = Callable[[Patch], None]

PLANTED: dict[Plant, tuple[int, ...]] = {
    label_lets_anybody_in: (1,),
    proposals_decide: (1, 6, 8),
    anything_is_adopted: (6,),
    outbox_row_is_lost: (8, 9),
    delivered_before_sealed: (8,),
    ledger_after_effect: (8, 9),
    commits_are_not_synced: (8,),
    released_twice: (8,),
    suspension_leaves_the_outbox: (7,),
    suspension_is_no_forbid: (1, 7),
    unverified_is_accepted: (9,),
    originator_as_claimed: (4,),
    passed_on_without_consent: (4,),
    inbox_passed_before_taken: (8,),
    scanner_sees_nothing: (2,),
    source_lines_in_tearlines: (1, 2),
    telling_is_not_counted: (3, 9),
    numbers_run_over_all_partners: (5,),
}
"""Each planted fault, and the laws one of which must be seen broken."""
