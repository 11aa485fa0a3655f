"""Taking in files of pictures and recordings: stored while they are hashed, then inspected in the sandbox.

What may be in a file is told by its content; a STAC item or collection names files beside it. The file's own
marking counts; where its format has none, the officer's; else it goes to nobody until one is given.
"""

from __future__ import annotations

import stat
import uuid
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from tearline import intake, label
from tearline.adapters import sandbox, store
from tearline.adapters.blobs import Blob
from tearline.deliver.recall import version_stamp
from tearline.intake import Fault, stac
from tearline.media import Inspect, Inspected
from tearline.media.signals import pack
from tearline.node.arrivals import category_of, file_label, media_of
from tearline.node.opened import Node
from tearline.node.take_in import AlreadyHeld, TakenIn, hold
from tearline.terms import BadInput, Category, Discipline, Product, Quarantine, Region, Topic

_NAMESPACE = uuid.UUID("d3b0b7a6-6a53-4c64-9f0e-6a1c5b0f2c9d")
_HEAD = 64 * 1024
_PAIR = (".sigmf-meta", ".sigmf-data")
_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"NITF", b"NSIF", b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")
"""TIFF 6.0 and BigTIFF; MIL-STD-2500C and NSIF 1.0; ISO/IEC 15444-1, annexes I and A."""
_MAX_DEPTH = 4
"""How deep catalogues may lie in one another."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What an officer says of files that cannot say it: their marking, topics and regions."""

    marking: str | None = None
    topics: frozenset[Topic] = frozenset()
    regions: frozenset[Region] = frozenset()


def is_media_file(path: Path) -> bool:
    """Whether a file is one that `take_in_file` reads, by its first bytes. Raises `OSError`."""
    if path.suffix in _PAIR:
        return True
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return head.startswith(_MAGIC) or head[257:262] == b"ustar" or stac.is_stac(head)


def take_in_file(
    node: Node,
    path: Path,
    about: About = About(),  # noqa: B008 - frozen
    *,
    depth: int = 0,
) -> Iterator[TakenIn | AlreadyHeld | Fault]:
    """Take in what is in one file. What is yielded as `TakenIn` is durable. Raises `OSError`."""
    try:
        with path.open("rb") as file:
            is_stac = path.suffix not in _PAIR and stac.is_stac(file.read(_HEAD))
        if is_stac:
            yield from _take_in_stac(node, path, about, depth)
        else:
            yield _take_in(node, path, about, None)
    except BadInput as bad:
        yield Fault.of(bad)


def _take_in_stac(
    node: Node, path: Path, about: About, depth: int
) -> Iterator[TakenIn | AlreadyHeld | Fault]:
    name = str(path)
    with path.open("rb") as file:
        body = file.read(stac.MAX_BYTES + 1)
    if len(body) > stac.MAX_BYTES:
        raise BadInput(name, "", f"is longer than {stac.MAX_BYTES} bytes")
    if stac.is_item(body, name):
        for described in stac.files(body, name):
            try:
                yield _take_in(node, _beside(path, Path(described.path)), about, described)
            except BadInput as bad:
                yield Fault.of(bad)
        return
    if depth >= _MAX_DEPTH:
        raise BadInput(name, "links", f"lies more than {_MAX_DEPTH} catalogues deep")
    for item in stac.items(body, name):
        try:
            yield from take_in_file(node, _beside(path, Path(item)), about, depth=depth + 1)
        except (BadInput, OSError) as bad:
            reason = bad.reason if isinstance(bad, BadInput) else f"cannot be read ({bad.strerror})"
            yield Fault(where=name, place=str(item), reason=reason)


def _beside(item: Path, path: Path) -> Path:
    """A file in the folder of `item`. A link that leaves it is not followed."""
    folder = item.resolve().parent
    found = (folder / path).resolve()
    if not found.is_relative_to(folder):
        raise BadInput(str(item), str(path), "leaves its folder by a link")
    if not found.exists():
        raise BadInput(str(item), str(path), "is not there")
    return found


def _take_in(
    node: Node, path: Path, about: About, described: stac.Described | None
) -> TakenIn | AlreadyHeld | Fault:
    name = str(path)
    if not stat.S_ISREG(path.stat().st_mode):
        raise BadInput(name, "", "is no regular file")
    with node.blobs.storing():
        blob = _stored(node, path)
        try:
            inspected = sandbox.run(Inspect(source=str(node.blobs.local(blob.sha256).resolve())))
        except BadInput as bad:
            with node.reading() as db:
                is_needed = blob.sha256 in store.blobs_referred_to(db)
            if not is_needed:
                node.blobs.discard(blob.sha256)
            raise BadInput(name, bad.place, bad.reason, bad.remedy) from None
        with node.writing() as db:
            known = store.versions_held(db, _id(node, blob))
            product = _product(node, blob, inspected, about, described, known)
            return hold(node, db, product, name)


def _stored(node: Node, path: Path) -> Blob:
    """The file in the blob store; of a recording of two files, both as one archive."""
    if path.suffix not in _PAIR:
        with path.open("rb") as stream:
            return node.blobs.put(stream, str(path))
    meta, data = (path.with_suffix(suffix) for suffix in _PAIR)
    with node.blobs.scratch() as part:
        with part.open("wb") as out:
            pack(meta, data if data.exists() else None, out)
        return node.blobs.adopt(part, str(path))


def _id(node: Node, blob: Blob) -> str:
    return f"report--{uuid.uuid5(_NAMESPACE, f'{node.party}/{blob.sha256}')}"


def _product(
    node: Node,
    blob: Blob,
    inspected: Inspected,
    about: About,
    described: stac.Described | None,
    known: Collection[store.Held],
) -> Product:
    """The same file is the same product, whenever it is taken in."""
    now = node.clock()
    media = media_of(inspected, blob.sha256, blob.size)
    if described is not None:
        taken = media.facts.taken or described.taken
        facts = msgspec.structs.replace(media.facts, taken=taken)
        media = msgspec.structs.replace(media, facts=facts, texts=(*media.texts, *described.texts))
    category = category_of(inspected)
    created = _created(media.facts.taken, now)
    if before := next((held.product for held in known if held.product.originator == node.party), None):
        created, content = before.created, before.content
    else:
        content = msgspec.json.encode(media)
    kind, collected = (
        ("Picture", Discipline.GEOINT) if category is Category.IMAGERY else ("Recording", Discipline.SIGINT)
    )
    if inspected.marking is not None or inspected.quarantine is not None:
        marking, own = file_label(inspected, now)
    else:
        marking, own = intake.Context(party=node.party, at=now, default_marking=about.marking).default(
            now.date()
        )
    if isinstance(own, Quarantine) and about.marking is not None and inspected.quarantine is None:
        _, asked = label.parse(about.marking, at=now.date())
        if isinstance(asked, Quarantine):
            raise BadInput("--marking", repr(asked.mark), asked.reason)
    title = inspected.title or (described.title if described else "")
    return Product(
        id=_id(node, blob),
        version=before.version if before else version_stamp(created),
        originator=node.party,
        category=category,
        title=title or f"{kind} of {created:%Y-%m-%d}",
        created=created,
        topics=about.topics,
        regions=about.regions,
        disciplines=frozenset({collected}),
        marking=marking,
        label=own,
        content=content,
    )


def _created(taken: datetime | None, now: datetime) -> datetime:
    """When it was taken, to the millisecond; a time to come is none."""
    at = now if taken is None or taken > now else taken
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
