"""Taking in files of pictures and recordings: stored while they are hashed, then inspected in the sandbox.

What may be in a file is told by its content; a STAC item or collection names files beside it. The file's own
marking counts; where its format has none, the officer's; else it goes to nobody until one is given.
"""

from __future__ import annotations

import stat
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection

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
from tearline.terms import BadInput, Category, Discipline, Label, Party, Product, Quarantine, Region, Topic

_NAMESPACE = uuid.UUID("d3b0b7a6-6a53-4c64-9f0e-6a1c5b0f2c9d")
_HEAD = 64 * 1024
_PAIR = (".sigmf-meta", ".sigmf-data")
_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"NITF", b"NSIF", b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")
"""TIFF 6.0 and BigTIFF; MIL-STD-2500C and NSIF 1.0; ISO/IEC 15444-1, annexes I and A."""
MAX_DEPTH = 4
"""How deep catalogues may lie in one another."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of files that cannot say it: their marking, topics and regions, and whose they are."""

    marking: str | None = None
    giver: Party | None = None
    """The partner who has them for us unsigned: they stay its own, and go no further. `None`: ours."""
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
) -> Iterator[TakenIn | AlreadyHeld | Fault]:
    """Take in what is in one file. What is yielded as `TakenIn` is durable. Raises `OSError`."""
    try:
        if _is_stac(path):
            yield from _take_in_stac(node, path, about, _Walk(path.resolve().parent))
        else:
            yield store_and_hold(node, path, about)
    except BadInput as bad:
        yield Fault.of(bad)


class _Walk:
    """Through catalogues that name each other: what was seen is not looked at again."""

    def __init__(self, folder: Path) -> None:
        """`folder`: that of the document with which it begins; it is not left."""
        self.folder, self.seen, self.depth = folder, set[Path](), 0

    def beside(self, document: Path, href: str, place: str) -> Path:
        """The file that a document names. A path or a link that leaves the folder is not followed."""
        name = str(document)
        found = (document.resolve().parent / stac.beside(href, name, place)).resolve()
        if not found.is_relative_to(self.folder):
            raise BadInput(name, place, "refers to a file outside its folder", "put the file beside it")
        if not found.exists():
            raise BadInput(name, place, "refers to a file that is not there")
        return found


def _is_stac(path: Path) -> bool:
    if path.suffix in _PAIR:
        return False
    with path.open("rb") as file:
        return stac.is_stac(file.read(_HEAD))


def _take_in_stac(
    node: Node, path: Path, about: About, walk: _Walk
) -> Iterator[TakenIn | AlreadyHeld | Fault]:
    name = str(path)
    with path.open("rb") as file:
        body = file.read(stac.MAX_BYTES + 1)
    if len(body) > stac.MAX_BYTES:
        raise BadInput(name, "", f"is longer than {stac.MAX_BYTES} bytes")
    walk.seen.add(path.resolve())
    match stac.read(body, name):
        case stac.Catalogue(below=below):
            yield from _below(node, path, about, walk, below)
        case stac.Page(items=items):
            for number, item in enumerate(items):
                yield from _described(node, path, about, walk, item, f"{name}, features[{number}]")
        case _:
            yield from _described(node, path, about, walk, body, name)


def _below(
    node: Node, path: Path, about: About, walk: _Walk, links: Iterable[str]
) -> Iterator[TakenIn | AlreadyHeld | Fault]:
    if walk.depth >= MAX_DEPTH:
        raise BadInput(str(path), "links", f"lies more than {MAX_DEPTH} catalogues deep")
    walk.depth += 1
    for href in links:
        try:
            found = walk.beside(path, href, "links")
            if found not in walk.seen:
                yield from _take_in_stac(node, found, about, walk)
        except BadInput as bad:
            yield Fault.of(bad)
        except OSError as bad:
            reason = f"names a file that cannot be read ({bad.strerror})"
            yield Fault(where=str(path), place="links", reason=reason)
    walk.depth -= 1


def _described(
    node: Node, path: Path, about: About, walk: _Walk, item: bytes, name: str
) -> Iterator[TakenIn | AlreadyHeld | Fault]:
    """The files of one item; a bad one does not stop its good neighbours."""
    try:
        files = stac.files(item, name)
    except BadInput as bad:
        yield Fault.of(bad)
        return
    for described in files:
        try:
            file = walk.beside(path, described.href, described.place)
            yield store_and_hold(node, file, about, described)
        except BadInput as bad:
            yield Fault.of(bad)


def store_and_hold(
    node: Node,
    path: Path,
    about: About,
    described: stac.Described | None = None,
    name: str = "",
) -> TakenIn | AlreadyHeld | Fault:
    """Store one file, have it looked at, and hold it as a product. `name`: what it is called in sentences.

    Raises `BadInput`, `OSError`; nothing of the file is kept then.
    """
    name = name or str(path)
    if not stat.S_ISREG(path.stat().st_mode):
        raise BadInput(name, "", "is no regular file")
    with node.blobs.storing():
        blob = _stored(node, path, name)
        try:
            inspected = sandbox.run(Inspect(source=str(node.blobs.local(blob.sha256).resolve())))
            with node.writing() as db:
                product = _product(node, db, blob, inspected, about, described)
                received_as = f"catalogue of {about.giver}" if about.giver else None
                return hold(node, db, product, name, received_as=received_as)
        except BadInput as bad:
            with node.reading() as db:
                is_needed = store.is_blob_referred_to(db, blob.sha256)
            if not is_needed:
                node.blobs.discard(blob.sha256)
            ours = bad.where.startswith("--")
            raise BadInput(bad.where if ours else name, bad.place, bad.reason, bad.remedy) from None


def _stored(node: Node, path: Path, name: str) -> Blob:
    """The file in the blob store; of a recording of two files, both as one archive."""
    if path.suffix not in _PAIR:
        with path.open("rb") as stream:
            return node.blobs.put(stream, name)
    meta, data = (path.with_suffix(suffix) for suffix in _PAIR)
    with node.blobs.scratch() as part:
        with part.open("wb") as out:
            pack(meta, data if data.exists() else None, out)
        return node.blobs.adopt(part, name)


def product_id(originator: Party, sha256: str) -> str:
    """Of the file of that digest, when it is `originator`'s."""
    return f"report--{uuid.uuid5(_NAMESPACE, f'{originator}/{sha256}')}"


def _product(
    node: Node,
    db: Connection,
    blob: Blob,
    inspected: Inspected,
    about: About,
    described: stac.Described | None,
) -> Product:
    """The same file is the same product, whenever it is taken in."""
    now, originator = node.clock(), about.giver or node.party
    name = product_id(originator, blob.sha256)
    known = store.versions_held(db, name)
    media = media_of(inspected, blob.sha256, blob.size)
    if described is not None:
        taken = media.facts.taken or described.taken
        facts = msgspec.structs.replace(media.facts, taken=taken)
        media = msgspec.structs.replace(media, facts=facts, texts=(*media.texts, *described.texts))
    category = category_of(inspected)
    created = _created(media.facts.taken, now)
    if before := next((held.product for held in known if held.product.originator == originator), None):
        created, content = before.created, before.content
    else:
        content = msgspec.json.encode(media)
    kind, collected = (
        ("Picture", Discipline.GEOINT) if category is Category.IMAGERY else ("Recording", Discipline.SIGINT)
    )
    if inspected.marking is not None or inspected.quarantine is not None:
        marking, own = file_label(inspected, now)
    else:
        marking, own = intake.Context(party=originator, at=now, default_marking=about.marking).default(
            now.date()
        )
    if isinstance(own, Quarantine) and about.marking is not None and inspected.quarantine is None:
        _, asked = label.parse(about.marking, at=now.date())
        if isinstance(asked, Quarantine):
            raise BadInput("--marking", repr(asked.mark), asked.reason)
    if about.giver is not None and isinstance(own, Label):
        own = label.join(own, Label(owners=frozenset({about.giver})))
    title = inspected.title or (described.title if described else "")
    return Product(
        id=name,
        version=before.version if before else version_stamp(created),
        originator=originator,
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
