"""The post in a view: what is being pushed, cursors, what is not signed yet, and the cadence."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tearline.adapters.log_audit import Fault
from tearline.adapters.view import IN, OUT, Closing, Item, Trouble, View
from tearline.deliver.taxii import Query
from tearline.terms import Broken

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
EVERYTHING = Query(versions=("all",))


def make(folder: Path, **more: Any) -> View:
    return View(folder / "BBB.db", node="AAA", party="BBB", secret=b"s" * 32, **more)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[View]:
    with closing(make(tmp_path, key=KEY)) as opened:
        yield opened


@pytest.fixture
def post(tmp_path: Path, node: View) -> Iterator[View]:
    """The same view, as the post room opens it."""
    with closing(make(tmp_path)) as opened:
        yield opened


def item(number: int, *, release: bool = True) -> Item:
    name = f"indicator--00000000-0000-4000-8000-{number:012x}"
    body = json.dumps({"id": name}).encode()
    stamp = "2026-01-01T00:00:00.000Z"
    return Item(f"release {number}" if release else None, name, "indicator", stamp, "2.1", body)


def release(view: View, *numbers: int, at: datetime = NOW) -> None:
    with view.begin() as writer:
        writer.add(OUT, [item(number) for number in numbers], at)


def give(view: View, *numbers: int) -> None:
    with view.begin() as writer:
        writer.add(IN, [item(number, release=False) for number in numbers], NOW)


# --- pushing: law 7 ------------------------------------------------------------------------------


def names(view: View) -> list[str]:
    return [name for _, name in view.unserved(-1, 100)]


def test_what_is_being_pushed_is_not_held_back_and_counts_as_served_once_it_arrived(
    node: View, post: View
) -> None:
    release(node, 1, 2)
    after, page = post.push(1)
    assert (after, len(page.items), page.more) == (-1, 1, True)
    assert names(node) == ["release 2"]
    with node.begin() as writer:
        writer.hold_back(page.added)
    assert node.held_back() == set()
    post.pushed(page)
    assert post.pushed_to() == page.last
    assert names(node) == ["release 2"]
    assert post.push_failed() is False


def test_a_push_that_failed_was_not_served_and_the_node_looks_before_anything_goes_on(
    node: View, post: View
) -> None:
    """A suspension that came while it was under way would else have passed it by."""
    release(node, 1)
    post.push(50)
    assert post.push_failed() is True
    with pytest.raises(Closing):
        post.push(50)
    assert names(node) == ["release 1"]
    with node.begin() as writer:
        writer.hold_back([added for added, _ in node.unserved(-1, 9)])
        writer.set_closing(False)
    assert post.push(50)[1].items == []
    assert post.has_to_push() is False


def test_what_was_pulled_while_it_was_pushed_was_served(node: View, post: View) -> None:
    release(node, 1)
    post.push(50)
    assert post.served(OUT, EVERYTHING, after=-1, limit=9) is None
    assert len(post.serve(OUT, EVERYTHING, after=-1, limit=9).items) == 1
    assert post.push_failed() is False
    assert names(node) == []


def test_what_a_partner_refuses_is_told_once_and_does_not_block(node: View, post: View) -> None:
    release(node, 1, 2)
    _, page = post.push(50)
    post.pushed(page, [(page.added[0], "too long")])
    assert post.has_to_push() is False
    (notice,) = node.troubles(0, 9)
    assert notice[1:] == (Trouble.UNDELIVERED, "release 1", "too long")
    node.forget_troubles(notice.number)
    assert node.troubles(0, 9) == []
    post.pushed(page, [(page.added[1], "again")])
    assert node.troubles(0, 9)[0].number > notice.number, "a number is never given twice"


# --- what comes in -------------------------------------------------------------------------------


def test_the_cursor_moves_only_over_what_is_here(post: View) -> None:
    with post.begin() as writer:
        writer.pulled(5, 9)
    assert post.pulled_to() == -1, "what comes before 5 is missing"
    for start, to, then in ((-1, 5, 5), (3, 9, 9), (9, 7, 9), (10, 12, 9), (9, 12, 12)):
        with post.begin() as writer:
            writer.pulled(start, to)
        assert post.pulled_to() == then


def test_what_is_removed_before_it_is_taken_in_is_taken_in_all_the_same(node: View, post: View) -> None:
    give(post, 1, 2)
    with post.begin() as writer:
        assert writer.remove(Query(ids=(item(1).id,), versions=("all",))) == 1
    assert len(post.page(IN, EVERYTHING, after=-1, limit=9).items) == 1
    given = node.inbox_after(-1, 9)
    assert [json.loads(body)["id"] for _, body in given] == [item(1).id, item(2).id]
    node.sign_inbox(given[-1][0])
    assert len(node.inbox_after(-1, 9)) == 1, "what was taken in need not be kept"


def test_without_the_key_nothing_is_signed(node: View, post: View) -> None:
    with pytest.raises(Broken), post.begin() as writer:
        writer.checkpoint(OUT)
    give(post, 1)
    assert node.verify(KEY.public_key(), taken=0)[1] == []
    (found,) = node.verify(KEY.public_key())[1]
    assert (found.fault, found.start, found.stop) == (Fault.UNSIGNED, 0, 1)


def test_what_was_taken_in_has_to_be_signed_and_there(tmp_path: Path, node: View, post: View) -> None:
    give(post, 1, 2)
    taken = node.sign_inbox(-1)
    give(post, 3)
    assert taken == 2
    assert node.verify(KEY.public_key(), taken=taken)[1] == []
    with closing(sqlite3.connect(tmp_path / "BBB.db")) as db, db:
        db.execute("DELETE FROM log_checkpoint WHERE log = 'in'")
    (found,) = node.verify(KEY.public_key(), taken=taken)[1]
    assert (found.fault, found.start) == (Fault.UNSIGNED, 0)
    with closing(sqlite3.connect(tmp_path / "BBB.db")) as db, db:
        db.execute("DELETE FROM log_entry WHERE log = 'in'")
        db.execute("DELETE FROM log_node WHERE log = 'in'")
    (found,) = node.verify(KEY.public_key(), taken=taken)[1]
    assert (found.fault, found.start, found.stop) == (Fault.MISSING, 0, 2)


# --- cadence: law 5 ------------------------------------------------------------------------------


def test_what_is_added_within_a_tick_is_read_from_the_next_one_on(tmp_path: Path, node: View) -> None:
    now = [NOW]
    with closing(make(tmp_path, cadence_ms=20, clock=lambda: now[0])) as door:
        release(node, 1, 2)
        assert door.page(OUT, EVERYTHING, after=-1, limit=9).items == []
        assert door.has_to_push() is False
        now[0] += timedelta(milliseconds=19, microseconds=999)
        assert door.manifest(OUT, EVERYTHING, after=-1, limit=9).items == []
        now[0] += timedelta(microseconds=1)
        assert len(door.page(OUT, EVERYTHING, after=-1, limit=9).items) == 2
        release(node, 3, at=now[0])
        assert len(door.push(50)[1].items) == 2
        now[0] -= timedelta(hours=1)
        assert len(door.push(50)[1].items) == 3, "a clock that was set back keeps nothing back"
