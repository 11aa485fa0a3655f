"""Previews of released files: drawn from what was released alone, once for each file, beside all other work.

A release never waits for its preview. It shows in the partner's catalogue later: a minute after the release
(`preview_s` in `node.toml`), or, where it is not drawn by then, after two, four, eight. So when it shows does
not tell whether the same file was drawn for somebody else before, and hardly what else the node had to do;
whether there is one at all is told by the file alone (law 5).

A preview can be had as long as its file can, and is taken away with it (`files`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
import orjson
from sqlalchemy import Connection

from tearline import deliver
from tearline.adapters import sandbox, store
from tearline.adapters.blobs import Blobs
from tearline.adapters.view import ReleasePreview
from tearline.deliver.file import PATH
from tearline.deliver.scene import OVERVIEW, THUMBNAIL, preview_asset
from tearline.ledger import Act
from tearline.media import Preview
from tearline.node.opened import Node
from tearline.terms import BadInput, Broken

SIZES = {THUMBNAIL: 512, OVERVIEW: 2048}
"""The key of the asset in the catalogue, and how many pixels its longer side has at most."""
LIMITS = sandbox.Limits(cpu_s=300)
"""A file that takes longer has no preview: told by the work that it is, not by what else there is to do."""
AT_ONCE = 100
"""Releases whose previews are put into views in one transaction."""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    role: str
    sha256: str
    size: int


_PICTURES = msgspec.json.Decoder(tuple[Picture, ...])


def want(node: Node, db: Connection, drafts: Iterable[deliver.Draft]) -> None:
    """Have the files of these drawn, in the transaction that marks them as sealed."""
    if node.home.config.preview_s:
        for draft in drafts:
            if draft.file is not None and draft.scene is not None:
                store.want_preview(db, draft.release_id, draft.recipient, draft.file.sha256)


def wanted(node: Node) -> list[str]:
    """The files that are to be drawn, by SHA-256."""
    with node.reading() as db:
        return store.previews_to_draw(db)


def draw(blobs: Blobs, source: str) -> tuple[Picture, ...]:
    """Draw a file, as far as there is something to see. Slow, and needs no node."""
    pictures: list[Picture] = []
    try:
        path = str(blobs.local(source).resolve())
        for role, pixels in SIZES.items():
            with blobs.scratch() as target:
                request = Preview(source=path, target=str(target), pixels=pixels)
                drawn = sandbox.run(request, limits=LIMITS)
                blob = blobs.adopt(target, role)
            if (blob.sha256, blob.size) != (drawn.sha256, drawn.size):
                break
            pictures.append(Picture(role=role, sha256=blob.sha256, size=blob.size))
            if max(drawn.width, drawn.height) < pixels:
                break  # there is no more in it
    except (BadInput, Broken):
        pass
    return tuple(pictures)


def keep(node: Node, source: str, pictures: tuple[Picture, ...]) -> None:
    """Write down what was drawn; then it can be shown."""
    with node.writing() as db:
        digests = {each.role: each.sha256 for each in pictures}
        node.record(Act.PREVIEW_DRAWN, {"of": source, "pictures": digests})
        store.keep_drawn(db, source, msgspec.json.encode(pictures).decode())


def show(node: Node) -> int:
    """Put what is drawn into the catalogues of those who were given its file; returns to how many releases.

    It happens under the write lock of `node.db`, and not while a suspension is being settled in that view: so
    what closes a file finds its preview, or its preview finds the file closed.
    """
    with node.reading() as db:
        if not store.previews_to_show(db, 1):
            return 0
    with node.writing(durable=False) as db:
        done = [each.release_id for each in store.previews_to_show(db, AT_ONCE) if _shown(node, each)]
        store.no_longer_to_show(db, done)
    return len(done)


def _shown(node: Node, each: store.ToShow) -> bool:
    """Whether it is in the view now, or never will be."""
    if each.partner not in node.partners:
        return True
    view = node.view(each.partner)
    if view.is_closing():
        return False
    state = view.file_state(each.release_id)
    if state is None:
        return True
    added, is_open = state
    previews = [_preview(node, each.release_id, picture) for picture in _PICTURES.decode(each.pictures)]
    for preview in previews if is_open else []:
        node.blobs.link(preview.sha256, view.link(preview.name))
    with view.begin() as writer:
        writer.add_previews(previews, _due(added, node.clock(), node.home.config.preview_s or 1))
    return True


def _preview(node: Node, release: str, picture: Picture) -> ReleasePreview:
    number = node.identity.opaque("preview", picture.role, release)
    name = str(uuid.UUID(bytes=number[:16], version=4))
    asset = preview_asset(picture.role, PATH + name, picture.sha256, picture.size)
    return ReleasePreview(name, release, picture.role, picture.sha256, picture.size, orjson.dumps(asset))


def _due(added: datetime, now: datetime, seconds: float) -> datetime:
    """The first moment from `now` on that lies one, two, four, eight ... times `seconds` after `added`."""
    wait = timedelta(seconds=seconds)
    while added + wait < now:
        wait *= 2
    return added + wait


def attend(node: Node) -> int:
    """Draw and show all that there is, here and now; returns how many releases have a preview since."""
    while sources := wanted(node):
        for source in sources:
            keep(node, source, draw(node.blobs, source))
    count = 0
    while done := show(node):
        count += done
    return count
