"""What partners release to us: each verified, each once, and held as its originator's (third-party rule)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from io import BytesIO
from typing import Any

import msgspec
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection

from tearline import deliver, intake, label
from tearline.adapters import store
from tearline.adapters.view import Trouble
from tearline.deliver.recall import is_product
from tearline.deliver.receipt import Became
from tearline.ledger import Act
from tearline.node import arrivals, custody, recall, receipts
from tearline.node.messages import take_message
from tearline.node.opened import Node
from tearline.node.suspend import refused_givers
from tearline.node.take_in import AlreadyHeld, TakenIn, hold
from tearline.terms import Broken, Category, Label, Partner, Party, Product

BATCH = 100
"""Objects taken from one inbox in one transaction."""

DEFINITIONS = {"marking-definition", "extension-definition"}


def receive(node: Node, giver: Party, objects: Sequence[Mapping[str, Any]]) -> int:
    """Take in a page of `giver`'s releases. Returns how many were new.

    A release that does not verify is recorded and left out; it never stops its neighbours.
    """
    with node.writing() as db:
        return _take(node, db, giver, [item for item in objects if deliver.is_release(item)], objects)


def take_inbox(node: Node, of: Iterable[Party] | None = None) -> int:
    """Take in what partners (those in `of`) gave, be it pushed or pulled; returns how many objects.

    What the post room noted is put on the ledger beside it.
    """
    refused = refused_givers(node)
    asked = sorted(node.partners.keys() if of is None else node.partners.keys() & set(of))
    for party in asked:
        _hear_troubles(node, party)
    waiting = deque(party for party in asked if party not in refused)
    done = 0
    while added := _added(node, waiting):
        _take_added(node, added)
        done += sum(len(rows) for _, rows in added.values())
    return done


def _added(node: Node, waiting: deque[Party]) -> dict[Party, tuple[int, list[tuple[int, bytes]]]]:
    """What these partners gave, a batch of each at most: up to where it was taken in, and what came since.

    Of so many partners as make a batch: they wait no more.
    """
    found: dict[Party, tuple[int, list[tuple[int, bytes]]]] = {}
    with node.reading() as db:
        while waiting and sum(len(rows) for _, rows in found.values()) < BATCH:
            party = waiting.popleft()
            seen = store.inbox_seen(db, party)
            if not receipts.is_forked(db, party) and (rows := node.view(party).inbox_after(seen, BATCH)):
                found[party] = seen, rows
    return found


def _take_added(node: Node, added: Mapping[Party, tuple[int, list[tuple[int, bytes]]]]) -> None:
    """Each log of `in` is signed before anything of it is taken: so what was taken can be proved."""
    signed = {party: node.view(party).sign_inbox(seen) for party, (seen, _) in added.items()}
    with node.writing() as db:
        for party, (_, rows) in added.items():
            objects = [orjson.loads(body) for _, body in rows]
            _take(node, db, party, objects, objects)
            if not receipts.is_forked(db, party):
                store.set_inbox_seen(db, party, rows[-1][0])
            store.set_inbox_signed(db, party, signed[party])


def _hear_troubles(node: Node, party: Party) -> None:
    view = node.view(party)
    with node.reading() as db:
        heard = store.troubles_heard(db, party)
    troubles = view.troubles(heard, BATCH)
    if not troubles:
        return
    with node.writing() as db:
        for each in troubles:
            if each.trouble is Trouble.UNDELIVERED:
                entry = {"partner": party, "release": each.what, "reason": each.why}
                node.record(Act.RELEASE_UNDELIVERED, entry)
            else:
                _refuse(node, party, f"{each.what}: {each.why}")
        store.set_troubles_heard(db, party, troubles[-1].number)
    view.forget_troubles(troubles[-1].number)


def _take(
    node: Node,
    db: Connection,
    giver: Party,
    items: Sequence[Mapping[str, Any]],
    page: Sequence[Mapping[str, Any]],
) -> int:
    """Hold what is new among `items`; `page` may hold the definitions that they refer to."""
    now = node.clock()
    for item in filter(_is_definition, page):
        with _refusing(node, giver):
            store.put_definition(db, giver, str(item.get("id")), _json(item))
    releases = list(_opened(node, giver, items))
    opened = {release.statement.release_id: release for release in releases}
    known = store.known_releases(db, giver, opened)
    releases, files = arrivals.with_files(node, db, giver, releases, known)
    admitted = receipts.admit(node, db, giver, releases, known)
    fresh = [release for name, release in opened.items() if name in admitted and name not in known]
    whose = _admitted(node, db, giver, fresh)
    for release in fresh:
        statement = release.statement
        entry = {"giver": giver, "release": statement.release_id, "digest": statement.digest}
        node.record(Act.RELEASE_RECEIVED, entry)
        store.add_received(
            db,
            release_id=statement.release_id,
            giver=giver,
            object_id=statement.object_id,
            at=store.stamp(now),
            issued=statement.issued,
        )
    for release in [release for release in fresh if deliver.is_message(release.object)]:
        with _refusing(node, giver):
            take_message(node, db, giver, release)
    given = [release for release in fresh if not deliver.is_message(release.object)]
    notices = list(_notices(node, giver, given))
    theirs = [release for release, notice in notices if notice is None or is_product(release.object, notice)]
    # What is not signed as a release came over a connection that says whose it is.
    unsigned = [item for item in items if not (deliver.is_release(item) or _only_comes_along(giver, item))]
    if any(map(deliver.is_file_report, unsigned)):
        unsigned = [item for item in unsigned if not deliver.is_file_report(item)]
        _refuse(node, giver, "a report that brings a file, and is not signed as a release")
    if unsigned and receipts.is_forked(db, giver):
        unsigned = []  # it waits with the rest
    by_originator: dict[Party, list[deliver.Opened]] = {giver: []}
    for release in theirs:
        if (admission := whose.get(release.statement.release_id)) is not None:
            by_originator.setdefault(admission.originator, []).append(release)
    became: dict[str | None, Became] = {}
    for originator, its in by_originator.items():
        came_by = {_version(release.object): release.statement.release_id for release in its}
        objects = [*(release.object for release in its), *(unsigned if originator == giver else ())]
        for product in _products(node, db, giver, originator, objects, now):
            name = came_by.get(_version(orjson.loads(product.content)))
            with _refusing(node, giver):
                full = arrivals.as_media(product, files[name], node.clock()) if name in files else product
                answer = _hold(node, db, giver, full, name, whose[name] if name else None)
                became[name] = receipts.fate(answer)
    for release, notice in notices:
        name = release.statement.release_id
        if notice is not None and name in whose:
            recall.take_notice(node, db, whose[name].originator, release, notice)
            arrivals.recalled(node, db, giver, notice.object)
            if not is_product(release.object, notice):
                became[name] = Became.RECALLED
    fates = [(release, became.get(release.statement.release_id, Became.REFUSED)) for release in given]
    receipts.give(node, db, giver, fates, admitted)
    return len(fresh)


def take_complete(node: Node, giver: Party) -> int:
    """Take in the releases of a giver that waited for their files, and have them now; returns how many.

    After that they wait no more, be they taken or refused; but for a giver whose log is forked.
    """
    with node.writing() as db:
        found = store.complete(db, giver)
        items = [orjson.loads(body) for body in found.values()]
        taken = _take(node, db, giver, items, items) if items else 0
        if not receipts.is_forked(db, giver):
            arrivals.taken(node, db, giver, found)
        return taken


def _notices(
    node: Node, giver: Party, given: Iterable[deliver.Opened]
) -> Iterator[tuple[deliver.Opened, deliver.Notice | None]]:
    """What each release says of a recall. One that cannot be read is no product either."""
    for release in given:
        with _refusing(node, giver):
            yield release, deliver.read_notice(release.object)


def _admitted(
    node: Node, db: Connection, giver: Party, releases: Iterable[deliver.Opened]
) -> dict[str, deliver.Admitted]:
    """By release id: whose each is, where its giver might give it; the others are recorded."""
    register, found = custody.Register.of(node), dict[str, deliver.Admitted]()
    for release in releases:
        name = release.statement.release_id
        if deliver.is_message(release.object):
            found[name] = deliver.Admitted(originator=giver, custody=None, verified=True)
            continue
        with _refusing(node, giver):
            found[name] = custody.admitted(node, db, release, register, node.clock())
            custody.keep_taken(node, db, release, found[name])
    return found


def _hold(
    node: Node,
    db: Connection,
    giver: Party,
    product: Product,
    release_id: str | None,
    admission: deliver.Admitted | None,
) -> TakenIn | AlreadyHeld | intake.Fault:
    """Hold a product under its originator's label too. Raises `Broken` where its marks name other owners."""
    own, said = product.label, None if admission is None else admission.custody
    if release_id is not None and isinstance(own, Label):
        owners = {product.originator} if said is None else said.owners
        if not own.owners | own.consent <= owners:
            raise Broken(f"the marks of {product.id} name an owner of whom its giver shows no consent")
        own = label.join(own, custody.label_of(node, said))
    product = msgspec.structs.replace(product, label=own)
    if release_id and admission and custody.is_held_already(db, product, release_id, admission):
        return AlreadyHeld(product.id)
    received_as = release_id or f"inbox of {giver}"
    via = giver if product.originator != giver else None
    answer = hold(node, db, product, f"from {giver}", received_as=received_as, via=via)
    if isinstance(answer, intake.Fault):
        _refuse(node, giver, answer)
    return answer


def _opened(node: Node, giver: Party, items: Iterable[Mapping[str, Any]]) -> Iterator[deliver.Opened]:
    """The releases that verify; the others are recorded. A change of the giver's key counts from there on."""
    partner = node.partners[giver]
    for item in filter(deliver.is_release, items):
        try:
            keys = _keys(partner)
            release = deliver.open_release(item, giver=giver, keys=keys, recipient=node.party)
        except Broken as error:
            _refuse(node, giver, error)
            continue
        if deliver.is_key_change(release):
            with suppress(Broken):  # its handler will say why
                partner = deliver.follow(partner, release)
        yield release


def _keys(partner: Partner) -> list[Ed25519PublicKey]:
    """The keys whose signatures count, that of today first."""
    if partner.signing_key in partner.revoked_keys:
        raise Broken("the giver's key was revoked")
    return [deliver.public_key(key) for key in (partner.signing_key, *partner.former_keys)]


def _products(
    node: Node,
    db: Connection,
    giver: Party,
    originator: Party,
    items: Sequence[Mapping[str, Any]],
    now: datetime,
) -> Iterator[Product]:
    """The products in objects that a giver gave. Whatever they say of themselves, they are `originator`'s."""
    bodies: list[bytes] = []
    refs: set[str] = set()
    for item in items:
        with _refusing(node, giver):
            bodies.append(_json(item))
            refs |= set(_marking_refs(item))
    if not bodies:
        return
    marks = store.definitions(db, giver, sorted(refs))
    envelope = b'{"objects":[' + b",".join([*marks, *bodies]) + b"]}"
    context = intake.Context(party=originator, at=now, default_marking=None)
    for product in intake.read(BytesIO(envelope), f"from {giver}", context=context):
        if isinstance(product, Product):
            owned = product.label
            if isinstance(owned, Label):
                owned = label.join(owned, Label(owners=frozenset({originator})))
            category = Category.REPORT if product.id.startswith("report--") else product.category
            yield msgspec.structs.replace(product, originator=originator, label=owned, category=category)
        elif product.severity == "error":
            _refuse(node, giver, product)


# --- what partners send can be anything that is JSON ---------------------------------------------


def _refuse(node: Node, giver: Party, why: object) -> None:
    node.record(Act.RELEASE_REFUSED, {"giver": giver, "reason": str(why)})


@contextmanager
def _refusing(node: Node, giver: Party) -> Iterator[None]:
    try:
        yield
    except Broken as error:
        _refuse(node, giver, error)


def _only_comes_along(giver: Party, item: Mapping[str, Any]) -> bool:
    """Whether it is of use only to what refers to it, or, unsigned, of none."""
    of_no_use = _is_definition(item) or deliver.is_message(item) or deliver.only_tells_where(item)
    return of_no_use or item.get("id") == deliver.identity_id(giver)


def _is_definition(item: Mapping[str, Any]) -> bool:
    return str(item.get("type")) in DEFINITIONS


def _marking_refs(item: Mapping[str, Any]) -> Iterator[str]:
    """What intake will ask for; what is not of its form, intake refuses."""
    refs = item.get("object_marking_refs")
    yield from (ref for ref in refs if isinstance(ref, str)) if isinstance(refs, list) else ()
    parts = item.get("granular_markings")
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, dict) and isinstance(part.get("marking_ref"), str):
            yield part["marking_ref"]


def _version(item: Mapping[str, Any]) -> tuple[Any, Any]:
    return item["id"], item.get("modified", item.get("created"))


def _json(item: Mapping[str, Any]) -> bytes:
    """Raises `Broken` for what is nested so deep that it can be read but not written."""
    try:
        return orjson.dumps(item)
    except orjson.JSONEncodeError:
        raise Broken("an object is nested too deep") from None
