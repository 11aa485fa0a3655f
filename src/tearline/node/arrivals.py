"""The files that partners release to us: nothing is taken in before its file is whole.

A release that brings a file is put aside when it comes, and the post room is told to fetch the file. Once
that is here, `look` copies it into the blob store, checks its digest, and has it inspected in the sandbox:
that needs no node, and holds up nothing else. Then the release is taken in as if it came at that moment.

What the file is, this node finds out by itself; the giver's word for it counts nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import orjson
from sqlalchemy import Connection

from tearline import deliver, label
from tearline.adapters import sandbox, store
from tearline.adapters.blobs import Blobs
from tearline.adapters.view import WantedFile
from tearline.ledger import Act
from tearline.media import Inspect, Inspected
from tearline.node.opened import Node
from tearline.terms import (
    BadInput,
    Broken,
    Category,
    Imagery,
    Label,
    Marking,
    Media,
    Party,
    Product,
    Quarantine,
)


class Arrival(NamedTuple):
    """A file that the post room fetched to `path`; what it should be, by its giver's signed word."""

    giver: Party
    name: str
    sha256: str
    path: Path


class Looked(NamedTuple):
    """What became of an arrival. `is_it`: whether it is the file that was signed. `failed`: why it cannot be
    read, or nothing. `stored`: the digest under which it is in the blob store, if that is another."""

    is_it: bool
    inspected: Inspected | None
    failed: str
    stored: str = ""


# --- Releases that wait ---------------------------------------------------------------------------


def with_files(
    node: Node, db: Connection, giver: Party, releases: Sequence[deliver.Opened], known: Collection[str]
) -> tuple[list[deliver.Opened], dict[str | None, store.Arrived]]:
    """The releases that can be taken now; and, by release id, the files that some of them bring.

    The others wait from now on, in the transaction that hears of them.
    """
    bringing = {
        release.statement.release_id: release
        for release in releases
        if deliver.is_file_report(release.object) and release.statement.release_id not in known
    }
    if not bringing:
        return list(releases), {}
    here = dict[str | None, store.Arrived](store.arrived(db, giver, bringing).items())
    for name, release in bringing.items():
        if name not in here:
            try:
                _await(node, db, giver, name, release)
            except Broken as error:
                here[name] = store.Arrived("", None, str(error))
    waiting = bringing.keys() - here.keys()
    now = [release for release in releases if release.statement.release_id not in waiting]
    return now, here


def _await(node: Node, db: Connection, giver: Party, release_id: str, release: deliver.Opened) -> None:
    """Raises `Broken` for what no waiting would help."""
    file = deliver.file_in(release.object)
    if file.size > node.home.config.max_file_mb << 20:
        raise Broken("its file is longer than this node takes")
    item = deliver.sealed_again(release)
    if not store.is_awaited(db, giver, file.name):
        with node.view(giver).begin() as view:
            view.want_files([WantedFile(file.name, file.sha256, file.size)])
    object_id = str(release.object.get("id"))
    store.await_file(db, giver, file.name, object_id, file.sha256, release_id, item)


def taken(node: Node, db: Connection, giver: Party, releases: Iterable[str]) -> None:
    """These wait no more."""
    _forget(node, db, giver, store.no_longer_awaited(db, giver, releases=list(releases)))


def recalled(node: Node, db: Connection, giver: Party, object_id: str) -> None:
    """What was recalled before its file was here is not waited for."""
    _forget(node, db, giver, store.no_longer_awaited(db, giver, objects=[object_id]))


def _forget(node: Node, db: Connection, giver: Party, files: Sequence[tuple[str, str]]) -> None:
    if files:
        view = node.view(giver)
        with view.begin() as writer:
            writer.forget_files([name for name, _ in files])
        for name, sha256 in files:
            (view.fetched / name).unlink(missing_ok=True)
            _discard(node, db, sha256)


def _discard(node: Node, db: Connection, sha256: str) -> None:
    """Remove from the blob store what nothing needs: a file that cannot be read, or was recalled."""
    if not store.is_blob_referred_to(db, sha256):
        node.blobs.discard(sha256)


# --- Files that came ------------------------------------------------------------------------------


def waiting(node: Node) -> list[Arrival]:
    """The files that came and were not looked at."""
    found = []
    for party in sorted(node.partners):
        view = node.view(party)
        for file in view.wanted_files(here=True):
            found.append(Arrival(party, file.name, file.sha256, view.fetched / file.name))
    return found


def look(blobs: Blobs, arrival: Arrival) -> Looked:
    """Store a file that came, and have it inspected. Slow, and needs no node: not for the worker's thread.

    The release that waits for it refers to its digest, so it is not swept before `keep`.
    """
    try:
        with arrival.path.open("rb") as stream:
            stored = blobs.put(stream, arrival.name).sha256
        if stored != arrival.sha256:
            return Looked(False, None, "", stored)
        return Looked(True, sandbox.run(Inspect(source=str(blobs.local(arrival.sha256).resolve()))), "")
    except FileNotFoundError:
        return Looked(False, None, "")
    except BadInput as error:
        return Looked(True, None, str(BadInput("its file", error.place, error.reason)))


def keep(node: Node, arrival: Arrival, looked: Looked) -> None:
    """Note what came; what is not the file that was signed is fetched again."""
    view = node.view(arrival.giver)
    if looked.is_it:
        with node.writing() as db:
            store.file_arrived(db, arrival.giver, arrival.name, looked.inspected, looked.failed)
            with view.begin() as writer:
                writer.forget_files([arrival.name])
    else:
        entry = {"giver": arrival.giver, "reason": "a file that came is not what was signed"}
        with node.writing() as db:
            node.record(Act.RELEASE_REFUSED, entry)
            if looked.stored:
                _discard(node, db, looked.stored)
        with view.begin() as writer:
            again = [each for each in view.wanted_files(here=True) if each.name == arrival.name]
            writer.want_files(again)
    arrival.path.unlink(missing_ok=True)


def as_media(product: Product, arrived: store.Arrived, now: datetime) -> Product:
    """The product of a report that brought a file. Raises `Broken` where the file cannot be read."""
    if arrived.inspected is None:
        raise Broken(f"{product.id}: {arrived.failed}")
    came_as = orjson.loads(product.content)
    file = deliver.file_in(came_as)
    if file.sha256 != arrived.sha256:
        raise Broken(f"{product.id}: its file is another one")
    media = media_of(arrived.inspected, file.sha256, file.size)
    return msgspec.structs.replace(
        product,
        category=category_of(arrived.inspected),
        label=_joined(product.label, arrived.inspected, now),
        content=msgspec.json.encode(msgspec.structs.replace(media, came_as=came_as)),
    )


def media_of(inspected: Inspected, sha256: str, size: int) -> Media:
    return Media(
        sha256=sha256,
        size=size,
        media_type=inspected.media_type,
        facts=inspected.facts,
        texts=inspected.texts,
    )


def category_of(inspected: Inspected) -> Category:
    return Category.IMAGERY if isinstance(inspected.facts, Imagery) else Category.INTERCEPT


def _joined(own: Label | Quarantine, inspected: Inspected, now: datetime) -> Label | Quarantine:
    """The giver's label, and that which stands in the file."""
    if isinstance(own, Quarantine) or (inspected.marking is None and inspected.quarantine is None):
        return own
    _, read = file_label(inspected, now)
    return read if isinstance(read, Quarantine) else label.join(own, read)


def file_label(inspected: Inspected, now: datetime) -> tuple[Marking | None, Label | Quarantine]:
    """The marking that stands in a file, and how it is read."""
    if inspected.quarantine is not None or inspected.marking is None:
        mark = inspected.marking or ""
        return None, Quarantine(scheme="file", mark=mark, reason=inspected.quarantine or "no marking")
    return label.parse(inspected.marking, at=now.date())
