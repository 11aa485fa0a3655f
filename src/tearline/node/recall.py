"""Recall and revision: what was given and does not hold any more goes to nobody, and its holders are told.

A recall is one act of one officer, or comes from the partner who gave the product. It means the versions of
one product before an instant, and has three parts:

1. `begin`, in the transaction of the ledger entry: from now on the gate withholds what it means; what waits
   to be delivered is cancelled; in the partners' views the flag `closing` goes up, and nothing is served.
2. `attend` settles these views, as for a suspension: what was never served is held back for good, and its
   recipient hears of nothing (law 5). What was served is to be recalled.
3. Then `attend` queues a release for each object that was served, which recalls it (`deliver/recall.py`).

Where a new version comes in the place of the old (a revision), part 3 waits for the gate's answer on it. Who
gets the new version gets it; if it is another object, the old one is recalled and names it. Who does not get
it gets a recall that tells nothing of a new version.

Each part can be repeated after a crash. Locks are taken in the order node.db, view.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, BinaryIO

import msgspec
import orjson
from sqlalchemy import Connection

from tearline import deliver, intake
from tearline.adapters import store
from tearline.agreement.suspension import Suspension
from tearline.deliver import Notice, RecallAction, RecallKind, RecallReason, Replacement
from tearline.deliver.recall import is_product, just_after, later, version_stamp
from tearline.ledger import Act
from tearline.node import files, officers
from tearline.node.opened import Node
from tearline.node.protect import Guard
from tearline.node.suspend import settle
from tearline.node.take_in import hold
from tearline.terms import BadInput, Party, Product, Quarantine, Refused


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """All that a recall is. `id` is a digest of the rest.

    `giver`: whose it is, this node's or that of the partner who gave us the product. `notice`: what is said
    of it, to be completed for each recipient. `officer`: who ordered it; empty where a partner or a changed
    marking did. `release_id`: the release by which it came. `replacement`: id and version of the product that
    comes in its place.
    """

    giver: Party
    to: tuple[Party, ...] | None
    notice: Notice
    officer: str = ""
    release_id: str = ""
    replacement: tuple[str, str] | None = None

    @property
    def id(self) -> str:
        return hashlib.sha256(store.encode(self)).hexdigest()[:12]

    @property
    def product(self) -> str:
        return self.notice.object

    @property
    def before(self) -> str:
        return self.notice.before


read_order = msgspec.json.Decoder(Order).decode


# --- What officers order -------------------------------------------------------------------------


def recall(
    node: Node,
    product_id: str,
    *,
    kind: RecallKind,
    reason: RecallReason,
    actions: Sequence[RecallAction],
    officer: str,
    version: str | None = None,
    to: Sequence[Party] | None = None,
    instruction: str = "",
    giver: Party | None = None,
) -> Order:
    """Recall a product from all who were given it, or from the partners `to` alone, who are not told so.

    `version`: that version and those before it. `giver`: whose product it is, if not this node's own. Raises
    `Refused` where there is no such product, officer or partner, or the instruction names a protected source;
    `BadInput` where reason and actions do not fit the kind.
    """
    node.refresh()
    with node.reading() as db:
        found = _held(node, db, product_id, giver)
        last = store.recalls(db, [product_id])
    if unknown := sorted(set(to or ()) - node.partners.keys()):
        raise Refused(f"{unknown[0]} is not a partner of this node")
    now, newest = node.clock(), found[-1].version
    if version is None:
        before = version_stamp(max(later(each, now) for each in (newest, *(old.before for old in last))))
    elif version not in {product.version for product in found}:
        raise Refused(f"{product_id} is not held in the version {version}")
    else:
        before = version_stamp(later(version, now) if version == newest else later(version, _BEGINNING))
    order = Order(
        giver=found[0].originator,
        to=None if to is None else tuple(sorted(set(to))),
        notice=Notice(
            kind=kind,
            date=version_stamp(now),
            reason=reason,
            actions=tuple(actions),
            object=product_id,
            before=before,
            instruction=instruction,
        ),
        officer=officer,
    )
    _must_be_sayable(node, order.notice, found)
    with node.writing() as db:
        officers.must_be_officer(db, officer)
        begin(node, db, order)
    attend(node)
    return order


def revise(
    node: Node,
    product_id: str,
    stream: BinaryIO,
    name: str,
    *,
    kind: RecallKind,
    reason: RecallReason,
    actions: Sequence[RecallAction],
    officer: str,
    instruction: str = "",
    marking: str | None = None,
) -> Order:
    """Take in a new version from `stream`, in the place of all versions of one of this node's own products.

    It is the product in the file with the same id, or the only one that is there. Raises as `recall` does,
    and `BadInput` where it cannot be taken in, its marking cannot be read, or it is not newer.
    """
    node.refresh()
    with node.reading() as db:
        found = _held(node, db, product_id, node.party)
    now = node.clock()
    new = _new_version(node, product_id, stream, name, marking, now)
    same = new.id == product_id
    older = [each for each in found if (each.id, each.version) != (new.id, new.version)]
    if not older or (same and new.version < older[-1].version):
        raise BadInput(name, new.id, "it is not newer than what is held", "give it a later `modified` time")
    order = Order(
        giver=node.party,
        to=None,
        notice=Notice(
            kind=kind,
            date=version_stamp(now),
            reason=reason,
            actions=tuple(actions),
            object=product_id,
            before=new.version if same else version_stamp(later(found[-1].version, now)),
            instruction=instruction,
        ),
        officer=officer,
        replacement=(new.id, new.version),
    )
    _must_be_sayable(node, order.notice, [*found, new])
    with node.writing() as db:
        officers.must_be_officer(db, officer)
        answer = hold(node, db, new, name)
        if isinstance(answer, intake.Fault):
            raise BadInput(answer.where, answer.place, answer.reason, answer.remedy)
        replacement = number_of(db, node.party, *order.replacement or ("", ""))
        store.consider_again(db, replacement)
        begin(node, db, order, replacement)
    attend(node)
    return order


_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def _held(node: Node, db: Connection, product_id: str, giver: Party | None) -> list[Product]:
    """All versions of a product, the oldest first: the node's own where it has one."""
    found = [held.product for held in store.versions_held(db, product_id)]
    givers = {product.originator for product in found}
    if giver is None and len(givers) > 1 and node.party not in givers:
        raise Refused(f"{product_id} is held from several: say which of {', '.join(sorted(givers))}")
    mine = giver or (node.party if node.party in givers else next(iter(givers), ""))
    if not (of_one := [product for product in found if product.originator == mine]):
        raise Refused(f"{product_id} is not held" + (f" from {giver}" if giver else ""))
    return of_one


def _new_version(
    node: Node, product_id: str, stream: BinaryIO, name: str, marking: str | None, now: datetime
) -> Product:
    context = intake.Context(party=node.party, at=now, default_marking=marking)
    products: list[Product] = []
    for item in intake.read(stream, name, context=context):
        if isinstance(item, Product):
            products.append(item)
        elif item.severity == "error":
            raise BadInput(item.where, item.place, item.reason, item.remedy)
    fitting = [each for each in products if each.id == product_id] or products
    if len(fitting) != 1:
        raise BadInput(name, "", f"it holds {len(products)} products, and none of them is {product_id}")
    if isinstance(fitting[0].label, Quarantine):
        raise BadInput(name, fitting[0].id, f"cannot read its marking: {fitting[0].label.reason}")
    return fitting[0]


def _must_be_sayable(node: Node, notice: Notice, products: Iterable[Product]) -> None:
    """What is said fits together, and names no source (law 2)."""
    notice.check()
    if not notice.instruction:
        return  # the rest are codes, and what the recipient was given already: it need not wait for the vault
    names = {name for product in products for name in product.sources}
    with Guard(node) as guard:
        if guard.finds(notice.instruction) or any(name in notice.instruction.upper() for name in names):
            raise Refused("the text names a protected source")


# --- What partners recall ------------------------------------------------------------------------


def take_notice(node: Node, db: Connection, giver: Party, release: deliver.Opened, notice: Notice) -> None:
    """Do as the giver of a product says: what it recalls goes to nobody, and is recalled from its holders.

    It means what this giver gave, and nothing else; what has not come yet too. The new version, where the
    release is one, is held already. The officer's instruction is for our officers: it is not passed on.
    """
    order = Order(giver=giver, to=None, notice=notice, release_id=release.statement.release_id)
    new = None
    if is_product(release.object, notice):
        new = number_of(db, giver, notice.object, notice.before)
    begin(node, db, order, new)


def number_of(db: Connection, originator: Party, product_id: str, version: str) -> int | None:
    """The number here of a version of a product that can go somewhere."""
    for held in store.versions_held(db, product_id):
        product = held.product
        if (product.originator, product.version) == (originator, version):
            return None if isinstance(product.label, Quarantine) else held.seq
    return None


# --- 1. From now on it goes to nobody ------------------------------------------------------------


def begin(node: Node, db: Connection, order: Order, replacement: int | None = None) -> None:
    """Put a recall on the ledger and in force. `replacement`: the number of what comes in the place of it."""
    kept = store.Recall(
        id=order.id,
        giver=order.giver,
        product=order.product,
        before=order.before,
        date=order.notice.date,
        to=order.to,
        replacement=replacement,
        body=store.encode(order),
    )
    node.record(Act.PRODUCT_RECALLED, _entry(order))
    meant = store.releases_meant(db, kept)
    store.add_recall(db, kept)
    for partner, releases in groupby(meant, key=lambda given: given.partner):
        _cancel_or_close(node, db, order, partner, list(releases))


def _entry(order: Order) -> dict[str, Any]:
    """What the ledger tells: the text of the instruction only by its digest (law 10)."""
    plain = msgspec.structs.replace(order, notice=msgspec.structs.replace(order.notice, instruction=""))
    told: dict[str, Any] = msgspec.to_builtins(plain)
    return told | {"recall": order.id, "digest": hashlib.sha256(store.encode(order)).hexdigest()}


def _cancel_or_close(
    node: Node, db: Connection, order: Order, partner: Party, releases: Sequence[store.Given]
) -> None:
    """Cancel what is not in the partner's view; let nothing be served of a view that holds some of it."""
    view = node.view(partner)
    held_back = view.held_back()
    with view.begin() as writer:
        there = writer.has_release([given.release_id for given in releases]) - held_back
        if there:
            writer.set_closing(True)
    _cancel(node, db, order.id, partner, [g.release_id for g in releases if g.release_id not in there])
    # `hand_over` must not find them waiting: it would put back what is going to be held back.
    store.mark_found(db, there, store.stamp(node.clock()))
    states = ((given, "open" if given.release_id in there else "never-left") for given in releases)
    store.add_affected(db, order.id, states)


def _cancel(node: Node, db: Connection, recall_id: str, partner: Party, releases: Sequence[str]) -> None:
    if releases:
        body = {"recall": recall_id, "partner": partner, "releases": list(releases)}
        node.record(Act.RELEASES_CANCELLED, body)
        store.cancel(db, releases)


# --- 2. and 3. Who has it is told ----------------------------------------------------------------


def attend(node: Node) -> int:
    """Go on with every recall as far as that is possible; returns how many releases that settled."""
    with node.reading() as db:
        parties = store.parties_with_recalls(db)
    return sum(_attend_to(node, party) for party in parties)


def _attend_to(node: Node, partner: Party) -> int:
    settle(node, partner)
    view = node.view(partner)
    with node.writing() as db:
        if view.is_closing():
            return 0
        due = store.recalls_due(db, partner)
        given = {
            name: orjson.loads(body) for name, body in view.objects_of([row.recalled for row in due]).items()
        }
        held_back = view.held_back()
        gone = [row for row in due if row.recalled in held_back]
        for recall_id, rows in groupby(gone, key=_recall):
            _cancel(node, db, recall_id, partner, [row.recalled for row in rows])
        store.set_affected(db, [row.seq for row in gone], state="never-left")
        lost = [row.seq for row in due if row not in gone and row.recalled not in given]
        store.set_affected(db, lost, state="lost")
        for row in due:
            if row.recalled in given:
                item = given[row.recalled]
                values = {"state": "served", "object_id": item["id"], "version": item.get("modified")}
                store.set_affected(db, [row.seq], **values)
        ready = [row for row in store.recalls_due(db, partner) if row.state == "served"]
        if ready:
            _tell_all(node, db, ready, given)
    if due:
        files.settle(node, partner)
    return len(due)


_recall = attrgetter("recall")
_by_object = attrgetter("recall", "object_id")


def _tell_all(
    node: Node, db: Connection, rows: Sequence[store.Affected], given: Mapping[str, dict[str, Any]]
) -> None:
    """Queue the recalls of these, one for each object; a partner may have several versions of one."""
    every = store.recalls(db)
    numbers: Counter[tuple[str, str]] = Counter()
    orders: dict[str, tuple[Order, int]] = {}
    for kept in every:
        orders[kept.id] = read_order(kept.body), numbers[kept.product, kept.before]
        numbers[kept.product, kept.before] += 1
    for (recall_id, _), same in groupby(sorted(rows, key=_by_object), key=_by_object):
        versions = list(same)
        newest = max(versions, key=lambda row: row.version or "")
        order, number = orders[recall_id]
        release = _tell(node, db, order, newest, given[newest.recalled], number)
        store.set_affected(db, [row.seq for row in versions], state="told", release_id=release)


def _tell(
    node: Node, db: Connection, order: Order, row: store.Affected, given: Mapping[str, Any], number: int
) -> str:
    """Queue the recall of one object from one partner; returns the id of the release that tells of it.

    `number`: how many recalls meant the same versions before, for each is a version of its own.
    """
    now, name = node.tick(node.clock()), str(row.object_id)
    modified, before = _when(db, order, row, now)
    notice = msgspec.structs.replace(order.notice, object=name, before=before)
    if order.release_id:  # a partner's: what its officer wrote was for ours
        originator = order.notice.originator or order.giver
        notice = msgspec.structs.replace(notice, originator=originator, instruction="", replaced_by=None)
    if row.replaced_by is not None:
        by = msgspec.json.decode(row.replaced_by, type=Replacement)
        notice = msgspec.structs.replace(notice, replaced_by=by)
    elif not notice.kind.is_recall:
        notice = notice.as_recall()
    draft = deliver.compose_recall(
        given,
        notice,
        modified=modified + number * timedelta(microseconds=1),
        about=order.id,
        recipient=row.partner,
        node=node.identity,
        issued=now,
    )
    body = {"recall": order.id, "partner": row.partner, "release": draft.release_id}
    node.record(Act.RECALL_SENT, body | {"object": draft.object_id, "digest": draft.digest})
    store.add_to_outbox(
        db, [(row.partner, draft.release_id, row.product, "recall", msgspec.json.encode(draft))]
    )
    if must_wait(node, store.suspensions(db, row.partner), store.product_of(db, row.product)):
        store.stop(db, [draft.release_id])
    return draft.release_id


def _when(db: Connection, order: Order, row: store.Affected, now: datetime) -> tuple[datetime, str]:
    """The version that the recall of an object is, and the instant before which versions are meant."""
    if row.version is None:
        return later(None, now), order.before
    if row.object_id != order.product:  # a tearline: its versions are its own
        modified = later(row.version, now)
        return modified, version_stamp(modified)
    # The instant of a revision would tell of the new version those who do not get it.
    if not order.notice.kind.is_recall or store.was_given_later(
        db, row.partner, order.giver, order.product, order.before
    ):
        return just_after(row.version), version_stamp(later(row.version, _BEGINNING))
    return datetime.fromisoformat(order.before), order.before


def must_wait(node: Node, standing: Iterable[Suspension], product: Product) -> bool:
    """Whether one of a partner's suspensions keeps a recall back: nothing goes there now (law 7)."""
    now = node.clock()
    return any(each.scope.covers(product) and not (each.until and each.until <= now) for each in standing)
