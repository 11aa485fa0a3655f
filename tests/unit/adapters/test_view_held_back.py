"""What was never served can be taken out of a view again and come back; what was served cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tearline.adapters.view import OUT, Closing, Item, View
from tearline.deliver.taxii import Query
from tearline.terms import Broken

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
EVERYTHING = Query(versions=("all",))
NEWEST = Query()
IDENTITY, MARKING = "identity--00000000-0000-4000-8000-00000000000a", "marking-definition--0"


@pytest.fixture
def view(tmp_path: Path) -> Iterator[View]:
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    opened = View(tmp_path / "BBB.db", node="AAA", party="BBB", key=key, secret=b"s" * 32)
    yield opened
    opened.close()


def release(number: int, version: int = 1, *names: str, kind: str = "malware") -> Item:
    """Release `rNvV` of an object, which names others."""
    stamp = f"2026-01-01T00:00:0{version}.000Z"
    name = f"{kind}--{number}"
    body = json.dumps({"id": name, "modified": stamp, "refs": names}).encode()
    return Item(f"r{number}v{version}", name, kind, stamp, "2.1", body)


def named(name: str) -> Item:
    """What releases refer to."""
    stamp = "2026-01-01T00:00:00.000Z"
    return Item(None, name, name.partition("--")[0], stamp, "2.1", json.dumps({"id": name}).encode())


def put(view: View, *items: Item, at: datetime = NOW) -> None:
    with view.begin() as writer:
        writer.add(OUT, items, at)


def hold_back(view: View, *releases: str) -> None:
    rows = [added for added, release in view.unserved(-1, 1000) if release in releases]
    with view.begin() as writer:
        writer.hold_back(rows)
        writer.hold_back_unnamed()


def put_back(view: View, *releases: str, at: datetime = LATER) -> set[str]:
    with view.begin() as writer:
        return writer.put_back(releases, at)


def ids(view: View, query: Query = EVERYTHING, after: int = -1) -> list[str]:
    return [record.id for record in view.manifest(OUT, query, after=after, limit=1000).items]


def serve(view: View, query: Query = EVERYTHING, limit: int = 1000) -> int:
    return len(view.serve(OUT, query, after=-1, limit=limit).items)


def test_a_page_is_served_once_it_was_noted(view: View) -> None:
    put(view, release(1), release(2))
    assert view.served(OUT, EVERYTHING, after=-1, limit=9) is None
    page = view.serve(OUT, EVERYTHING, after=-1, limit=1)
    assert len(page.items) == 1
    assert [name for _, name in view.unserved(-1, 9)] == ["r2v1"]
    assert view.served(OUT, EVERYTHING, after=-1, limit=1) == page
    assert view.served(OUT, EVERYTHING, after=-1, limit=2) is None
    empty = view.served(OUT, EVERYTHING, after=10**17, limit=2)
    assert empty is not None
    assert empty.items == []


def test_what_stands_between_served_ones_does_not_count(view: View) -> None:
    """A partner that asks for one type is not kept writing by what it never asks for."""
    put(view, release(1), release(2, kind="tool"), release(3))
    only = Query(types=("malware",))
    view.serve(OUT, only, after=-1, limit=9)
    page = view.served(OUT, only, after=-1, limit=9)
    assert page is not None
    assert len(page.items) == 2


def test_a_manifest_serves_nothing(view: View) -> None:
    put(view, release(1))
    ids(view)
    assert view.unserved(-1, 9) != []


def test_only_what_was_never_served_is_held_back(view: View) -> None:
    put(view, release(1), release(2))
    serve(view, limit=1)
    everything = [record.added for record in view.manifest(OUT, EVERYTHING, after=-1, limit=9).items]
    with view.begin() as writer:
        writer.hold_back(everything)
    assert ids(view) == ["malware--1"]
    assert view.held_back() == {"r2v1"}


def test_it_comes_back_as_something_new_and_as_it_was(view: View) -> None:
    put(view, release(1), release(2))
    before = view.page(OUT, EVERYTHING, after=-1, limit=9)
    hold_back(view, "r1v1")
    assert ids(view) == ["malware--2"]
    assert put_back(view, "r1v1", "r2v1", "r9v1") == {"r1v1"}
    assert ids(view, after=before.last) == ["malware--1"]
    assert sorted(view.page(OUT, EVERYTHING, after=-1, limit=9).items) == sorted(before.items)
    assert view.held_back() == set()
    assert {name for _, name in view.unserved(-1, 9)} == {"r1v1", "r2v1"}
    assert put_back(view, "r1v1") == set()


def test_a_version_is_the_newest_again_while_a_later_one_is_held_back(view: View) -> None:
    put(view, release(1, 1))
    serve(view)
    put(view, release(1, 2))
    newest = [record.version for record in view.manifest(OUT, NEWEST, after=-1, limit=9).items]
    assert newest == ["2026-01-01T00:00:02.000Z"]
    hold_back(view, "r1v2")
    (now,) = view.manifest(OUT, NEWEST, after=-1, limit=9).items
    assert now.version == "2026-01-01T00:00:01.000Z"
    put_back(view, "r1v2")
    (then,) = view.manifest(OUT, NEWEST, after=-1, limit=9).items
    assert then.version == "2026-01-01T00:00:02.000Z"


def test_what_releases_name_goes_with_the_last_and_comes_with_the_first(view: View) -> None:
    put(view, named(IDENTITY), named(MARKING), release(1, 1, IDENTITY), release(2, 1, IDENTITY, MARKING))
    hold_back(view, "r2v1")
    assert ids(view) == [IDENTITY, "malware--1"]
    hold_back(view, "r1v1")
    assert ids(view) == []
    put_back(view, "r2v1")
    assert ids(view) == [IDENTITY, MARKING, "malware--2"]
    put_back(view, "r1v1")
    assert ids(view) == [IDENTITY, MARKING, "malware--2", "malware--1"]


def test_what_was_served_keeps_its_names_in_the_view(view: View) -> None:
    """Even those that nobody asked for."""
    put(view, named(IDENTITY), release(1, 1, IDENTITY), release(2, 1, IDENTITY))
    serve(view, Query(ids=("malware--1",)))
    hold_back(view, "r2v1")
    assert ids(view) == [IDENTITY, "malware--1"]


def test_what_came_anew_in_the_meantime_is_not_doubled(view: View) -> None:
    put(view, named(IDENTITY), release(1, 1, IDENTITY))
    hold_back(view, "r1v1")
    put(view, named(IDENTITY), release(2, 1, IDENTITY), at=LATER)
    put_back(view, "r1v1")
    assert sorted(ids(view)) == [IDENTITY, "malware--1", "malware--2"]


def test_a_release_that_is_held_back_counts_as_there(view: View) -> None:
    put(view, release(1))
    hold_back(view, "r1v1")
    with view.begin() as writer:
        assert writer.has_release(["r1v1", "r2v1"]) == {"r1v1"}


def test_what_contradicts_what_came_meanwhile_stays_held_back(view: View) -> None:
    put(view, release(1))
    hold_back(view, "r1v1")
    other = release(1)._replace(release="other", body=b'{"id": "malware--1", "changed": true}')
    put(view, other)
    with pytest.raises(Broken):
        put_back(view, "r1v1")
    assert view.held_back() == {"r1v1"}
    assert ids(view) == ["malware--1"]


def test_a_view_that_closes_gives_nothing_of_what_is_released(view: View) -> None:
    put(view, release(1))
    with view.begin() as writer:
        writer.set_closing(True)
        writer.set_closing(True)
    assert view.is_closing()
    with pytest.raises(Closing):
        serve(view)
    with pytest.raises(Closing):
        ids(view)
    with view.begin() as writer:
        writer.set_closing(False)
    assert serve(view) == 1


def test_serving_leaves_the_connection_as_durable_as_it_was(view: View) -> None:
    put(view, release(1))
    serve(view)
    with view.begin() as writer:
        writer.set_closing(True)
    with pytest.raises(Closing):
        serve(view)
    for _ in range(5):
        with view.begin() as writer:
            assert writer.db.exec_driver_sql("PRAGMA synchronous").scalar() == 2
