"""The files that partners may have: linked when their release is sealed, closed with it, opened with it.

A released file can be had as long as its release was neither recalled nor covered by a suspension, and no
consent on which it rests is over, be it served or not: other than a pre-signed URL, its address outlives none
of these. What hides an object in a view (`suspend.settle`) closes its file in the same place; from then on
the door answers as if it had never been.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress

from tearline import deliver
from tearline.adapters import store
from tearline.adapters.view import ReleasedFile, View, Writer
from tearline.node.opened import Node
from tearline.terms import Broken, Party


def bring(node: Node, draft: deliver.Draft) -> None:
    """Have the file of a draft on this machine, before a lock is taken: it may come from far."""
    if draft.file is not None:
        with suppress(Broken):  # `release` will say so
            node.blobs.local(draft.file.sha256)


def release(node: Node, view: Writer, party: Party, drafts: Sequence[deliver.Draft]) -> None:
    """Let the partner have the files of these, and see them in its catalogue, in the transaction that seals
    them and once they are in the view. Raises `Broken`."""
    for draft in drafts:
        if (file := draft.file) is not None:
            node.blobs.link(file.sha256, node.home.released_to(party) / file.name)
            row = ReleasedFile(file.name, draft.release_id, file.sha256, file.size, file.media_type, True)
            view.release_files([row])
        if draft.scene is not None:
            view.add_scene(draft.release_id, draft.scene)


def reopen(node: Node, view: Writer, party: Party, releases: Collection[str]) -> None:
    """The same for what was held back, and stands in the view again."""
    if not releases:
        return
    for file in node.view(party).released_files():
        if file.release in releases:
            node.blobs.link(file.sha256, node.home.released_to(party) / file.name)
            view.open_files([file.name], is_open=True)
    _link_previews(node, node.view(party), releases)


def _link_previews(node: Node, view: View, releases: Collection[str]) -> None:
    """A preview can be had as its file can; the link to it comes and goes with that one's."""
    for preview in view.previews():
        if preview.release in releases:
            node.blobs.link(preview.sha256, view.link(preview.name))


def settle(node: Node, party: Party) -> None:
    """Open the files that the partner may have now, and close the others. Can be repeated."""
    view = node.view(party)
    released = view.released_files()
    if not released:
        return
    releases = [file.release for file in released]
    now = node.clock()
    with node.reading() as db:
        products = store.products_of(db, releases)
        standing = [each for each in store.suspensions(db, party) if each.until is None or now < each.until]
        recalled = store.recalled_of(db, releases)
        for_good = store.recalled_for_good(db, releases)
        lapsed = store.lapsed_files(db, store.stamp(now), party)
    closed = (
        recalled
        | lapsed
        | {
            release
            for release in releases
            if release not in products or any(each.scope.covers(products[release]) for each in standing)
        }
    )
    opening = [file for file in released if file.release not in closed and not file.open]
    closing = [file for file in released if file.release in closed]
    with view.begin() as writer:
        for file in opening:
            node.blobs.link(file.sha256, view.link(file.name))
        writer.open_files([file.name for file in opening], is_open=True)
        writer.open_files([file.name for file in closing], is_open=False)
        writer.remove_scenes(sorted(for_good))
    _link_previews(node, view, {file.release for file in opening})
    gone = {file.release for file in closing}
    previews = [each.name for each in view.previews() if each.release in gone]
    for name in (*previews, *(file.name for file in closing)):
        view.link(name).unlink(missing_ok=True)


def has_lapsed(node: Node, party: Party) -> bool:
    """Whether the partner can have a file that rests on a consent that is over (law 4)."""
    with node.reading() as db:
        lapsed = store.lapsed_files(db, store.stamp(node.clock()), party)
    return bool(lapsed) and any(
        file.open and file.release in lapsed for file in node.view(party).released_files()
    )


def sweep(node: Node) -> int:
    """Remove, at the start of a node, blobs to which nothing refers, and links without a row that is open."""
    for party in node.partners:
        view = node.view(party)
        shown = {file.release: file.name for file in view.released_files() if file.open}
        names = {*shown.values(), *(each.name for each in view.previews() if each.release in shown)}
        folder = node.home.released_to(party)
        for link in folder.iterdir() if folder.is_dir() else ():
            if link.name not in names:
                link.unlink()
    with node.reading() as db:
        keep = store.blobs_referred_to(db)
    return node.blobs.sweep(keep)
