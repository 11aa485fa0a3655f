"""A partner's view: order, versions, pages that cost by their own length, and what is durable."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tearline.adapters.view import IN, OUT, Item, View
from tearline.adapters.view import pages as paging
from tearline.deliver.taxii import Query
from tearline.terms import Broken

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
EVERYTHING = Query(versions=("all",))


@pytest.fixture
def view(tmp_path: Path) -> Iterator[View]:
    opened = make(tmp_path)
    yield opened
    opened.close()


def make(folder: Path, **changed: Any) -> View:
    given = {"node": "AAA", "party": "BBB", "key": KEY, "secret": b"s" * 32} | changed
    return View(folder / "BBB.db", **given)


def item(
    number: int,
    version: str | None = "2026-01-01T00:00:00.000Z",
    *,
    release: str | None = None,
    kind: str = "indicator",
    spec: str = "2.1",
    body: bytes | None = None,
) -> Item:
    name = f"{kind}--00000000-0000-4000-8000-{number:012x}"
    text = json.dumps({"id": name, "v": version, "spec": spec}).encode() if body is None else body
    return Item(release, name, kind, version, spec, text)


def put(view: View, *items: Item, collection: str = IN, at: datetime = NOW) -> list[str]:
    with view.begin() as writer:
        return [answer.became for answer in writer.add(collection, items, at)]


def versions(view: View, query: Query = EVERYTHING, collection: str = IN) -> list[tuple[str, str]]:
    page = view.manifest(collection, query, after=-1, limit=1000)
    return [(record.id[-1], record.version[17:23]) for record in page.items]


def at(second: int) -> str:
    return f"2026-01-01T00:00:{second:02d}.000Z"


def test_date_added_rises_though_the_clock_stands_still_or_goes_back(view: View) -> None:
    put(view, item(1), item(2))
    put(view, item(3))
    put(view, item(4), at=NOW - timedelta(days=1))
    put(view, item(5), at=NOW + timedelta(seconds=1))
    added = [record.added for record in view.manifest(IN, EVERYTHING, after=-1, limit=9).items]
    start = added[0]
    assert added == [start, start + 1, start + 2, start + 3, start + 1_000_000]


def test_date_added_is_not_given_twice_though_its_object_is_gone(view: View) -> None:
    put(view, item(1), item(2))
    before = view.manifest(IN, EVERYTHING, after=-1, limit=9).last
    with view.begin() as writer:
        assert writer.remove(Query(ids=(item(2).id,), versions=("all",))) == 1
    put(view, item(3))
    assert view.manifest(IN, EVERYTHING, after=-1, limit=9).last == before + 1


def test_the_bodies_are_served_as_they_came(view: View) -> None:
    body = '{"b": 1,  "a": "Їжак \\u2028"}'.encode()
    put(view, item(1, body=body))
    assert view.page(IN, Query(), after=-1, limit=9).items == [body]


def test_last_first_and_all_versions(view: View) -> None:
    put(view, item(1, at(5)), item(2, at(1)), item(1, at(9)), item(1, at(2)))
    assert versions(view, Query()) == [("2", "01.000"), ("1", "09.000")]
    assert versions(view, Query(versions=("first",))) == [("2", "01.000"), ("1", "02.000")]
    assert versions(view, Query(versions=("first", "last"))) == [
        ("2", "01.000"), ("1", "09.000"), ("1", "02.000"),
    ]  # fmt: skip
    assert len(versions(view)) == 4
    assert versions(view, Query(versions=(at(5), at(1)))) == [("1", "05.000"), ("2", "01.000")]


def test_the_newest_of_a_spec_version_counts_where_only_that_is_asked_for(view: View) -> None:
    put(view, item(1, at(1), spec="2.0"), item(1, at(2), spec="2.0"), item(1, at(3), spec="2.1"))
    assert versions(view, Query()) == [("1", "03.000")]
    assert versions(view, Query(spec_versions=("2.0",))) == [("1", "02.000")]
    assert versions(view, Query(spec_versions=("2.0", "2.1"))) == [("1", "03.000")]
    assert versions(view, Query(spec_versions=("2.0",), ids=(item(1).id,))) == [("1", "02.000")]
    assert versions(view, Query(spec_versions=("2.2",))) == []


def test_the_newest_is_found_again_when_it_is_removed(view: View) -> None:
    put(view, item(1, at(1)), item(1, at(2)), item(1, at(3)))
    with view.begin() as writer:
        assert writer.remove(Query(ids=(item(1).id,), versions=("last",))) == 1
    assert versions(view, Query()) == [("1", "02.000")]
    assert versions(view, Query(versions=("first",))) == [("1", "01.000")]


def test_finer_versions_sort_as_times(view: View) -> None:
    put(view, item(1, "2026-01-01T00:00:00.0001Z"), item(1, "2026-01-01T00:00:00Z"), item(1, at(0)))
    assert [r.version for r in view.manifest(IN, Query(), after=-1, limit=9).items] == [
        "2026-01-01T00:00:00.0001Z"
    ]
    assert len(versions(view)) == 2


def test_what_is_held_is_not_held_twice(view: View) -> None:
    same = item(1, body=b'{"a":1,"b":2}')
    assert put(view, same, same) == ["added", "held"]
    assert put(view, same, item(1, body=b'{"b":2,"a":1}')) == ["held", "held"]
    assert put(view, item(1, body=b'{"a":1,"b":3}')) == ["conflict"]
    assert view.page(IN, EVERYTHING, after=-1, limit=9).items == [same.body]


def test_objects_without_a_version_are_told_apart_by_content(view: View) -> None:
    one, other = item(1, None, body=b'{"a":1}'), item(1, None, body=b'{"a":2}')
    assert put(view, one) == ["added"]
    assert put(view, one, other, other) == ["held", "added", "held"]
    assert view.page(IN, Query(), after=-1, limit=9).items == [other.body]
    assert view.page(IN, EVERYTHING, after=-1, limit=9).items == [one.body, other.body]


def test_a_release_is_added_once(view: View) -> None:
    assert put(view, item(1, release="r1"), collection=OUT) == ["added"]
    assert put(view, item(1, release="r1"), item(2, release="r2"), collection=OUT) == ["held", "added"]
    with view.begin() as writer:
        assert writer.has_release(["r1", "r2", "r3"]) == {"r1", "r2"}
    assert len(versions(view, collection=OUT)) == 2


def test_two_releases_of_one_version_with_different_content_are_refused(view: View) -> None:
    put(view, item(1, release="r1"), collection=OUT)
    with pytest.raises(Broken):
        put(view, item(2, release="r2"), item(1, release="r3", body=b'{"x":1}'), collection=OUT)
    assert len(versions(view, collection=OUT)) == 1


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("version", [at(1), None])
def test_a_release_takes_the_place_of_what_was_only_referred_to(
    view: View, together: bool, version: str | None
) -> None:
    support = item(1, version, body=b'{"plain":1}')
    released = item(1, version, release="r1", body=b'{"sealed":1}')
    if together:
        put(view, support, released, collection=OUT)
    else:
        put(view, support, item(2), collection=OUT)
        put(view, released, collection=OUT)
    bodies = view.page(OUT, EVERYTHING, after=-1, limit=9).items
    assert released.body in bodies
    assert support.body not in bodies
    assert put(view, support, collection=OUT) == ["added" if version is None else "conflict"]


def test_a_transaction_that_fails_leaves_nothing(view: View) -> None:
    def fail() -> None:
        with view.begin() as writer:
            writer.add(IN, [item(1)], NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert versions(view) == []


def test_what_is_added_is_there_when_the_view_is_opened_again(tmp_path: Path) -> None:
    with make(tmp_path).begin() as writer:
        writer.add(IN, [item(1)], NOW)
    again = make(tmp_path)
    assert len(versions(again)) == 1
    assert put(again, item(2)) == ["added"]
    added = [record.added for record in again.manifest(IN, EVERYTHING, after=-1, limit=9).items]
    assert added[1] == added[0] + 1


def test_a_stranger_version_is_not_stored(view: View) -> None:
    for wrong in ("yesterday", "2026-01-01T00:00:00+02:00", ""):
        with pytest.raises(Broken):
            put(view, item(1, wrong))
    with pytest.raises(Broken):
        put(view, item(1, spec="3.0"))


def test_collections_do_not_mix(view: View) -> None:
    put(view, item(1))
    put(view, item(2), collection=OUT)
    assert [name for name, _ in versions(view, collection=OUT)] == ["2"]
    assert [name for name, _ in versions(view, collection=IN)] == ["1"]


def test_ids_and_tokens_are_the_views_own(tmp_path: Path) -> None:
    def facts(folder: str, **changed: Any) -> tuple[str, ...]:
        (tmp_path / folder).mkdir()
        made = make(tmp_path / folder, **changed)
        return (*made.ids.values(), made.token_key.hex())

    base = facts("a")
    assert base == facts("b")
    for number, changed in enumerate(({"party": "CCC"}, {"node": "DDD"}, {"secret": b"t" * 32})):
        assert not set(base) & set(facts(f"other{number}", **changed))
    assert len(set(base)) == 3


def test_statuses_are_kept_for_a_day(view: View) -> None:
    with view.begin() as writer:
        writer.put_status("one", b"{}", NOW)
    assert view.status("one", NOW + timedelta(hours=24) - timedelta(microseconds=1)) == b"{}"
    assert view.status("one", NOW + timedelta(hours=24)) is None
    assert view.status("two", NOW) is None
    with view.begin() as writer:
        writer.put_status("two", b"{}", NOW + timedelta(hours=25))
    assert view.status("one", NOW) is None


def test_the_inbox_is_read_on_from_where_one_was(view: View) -> None:
    put(view, *(item(number, body=b"%d" % number) for number in range(5)))
    first = view.inbox_after(0, 2)
    rest = view.inbox_after(first[-1][0], 9)
    assert [body for _, body in first + rest] == [b"0", b"1", b"2", b"3", b"4"]
    assert view.inbox_after(rest[-1][0], 9) == []


def test_the_log_of_the_inbox_has_an_entry_for_each_object_and_finds_changes(
    view: View, tmp_path: Path
) -> None:
    key = KEY
    with view.begin() as writer:
        writer.add(IN, [item(1), item(1), item(2)], NOW)
        writer.remove(Query(ids=(item(1).id,), versions=("all",)))
    sizes, findings = view.verify(key.public_key())
    assert sizes == {"AAA/BBB/out": 0, "AAA/BBB/in": 3}
    assert findings == []
    with sqlite3.connect(tmp_path / "BBB.db") as raw:
        raw.execute("UPDATE log_entry SET data = x'00' WHERE seq = 1")
    assert view.verify(key.public_key())[1]


def test_a_page_is_of_one_moment_though_it_is_read_in_parts(
    view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what is added between two parts could be passed over for good."""
    put(view, item(1), item(2, kind="malware"))
    real, calls = paging._statement, []

    def interrupted(*arguments: str) -> str:
        calls.append(arguments)
        if len(calls) == 2:
            put(view, item(3), item(4, kind="malware"))
        return real(*arguments)

    monkeypatch.setattr(paging, "_statement", interrupted)
    query = Query(types=("indicator", "malware"))
    start = view.manifest(IN, EVERYTHING, after=-1, limit=10).last
    calls.clear()
    page = view.page(IN, query, after=start, limit=10)
    rest = view.page(IN, query, after=max(start, page.last), limit=10)
    assert [len(page.items), len(rest.items)] == [0, 2]


# --- cost ------------------------------------------------------------------------------------------

QUERIES = {
    "last": Query(),
    "all": EVERYTHING,
    "first": Query(versions=("first",)),
    "type": Query(types=("indicator",)),
    "type and all": Query(types=("indicator",), versions=("all",)),
    "types and both ends": Query(types=("indicator", "malware"), versions=("first", "last")),
    "spec_version": Query(spec_versions=("2.0",)),
    "version": Query(versions=(at(1),)),
    "version and type": Query(versions=(at(1), "last"), types=("malware",)),
    "id": Query(ids=(item(1).id,)),
    "id and all": Query(ids=(item(1).id, item(2).id), versions=("all",)),
    "id and version": Query(ids=(item(1).id,), versions=(at(1), "first")),
}


@pytest.mark.parametrize("name", QUERIES)
def test_every_page_is_read_off_an_index_in_order(view: View, name: str) -> None:
    """No filter may scan the table or, ids aside, sort what it finds: both cost by the collection's size."""
    put(view, item(1), item(2, kind="malware"), item(3, spec="2.0"))
    query = QUERIES[name]
    with view._snapshot() as db:
        streams = list(paging._streams(db, IN, query))
        assert streams
        for index, conditions, values in streams:
            statement = paging._statement(IN, "added, body", index, conditions)
            plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", (*values, 0, 9, 10))]
            assert plan[0].startswith("SEARCH "), plan
            assert query.ids is not None or len(plan) == 1, plan


def steps(view: View, query: Query, after: int) -> int:
    """How many times SQLite's machine turned for a page, in hundreds."""
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    with view._snapshot() as db:
        db.set_progress_handler(tick, 100)
        paging.objects(db, IN, query, after, 10)
        db.set_progress_handler(None, 0)
    return count


@pytest.mark.parametrize("name", [name for name in QUERIES if not name.startswith("id")])
def test_a_page_costs_the_same_in_a_collection_ten_times_as_large(view: View, name: str) -> None:
    def grow(start: int, stop: int) -> None:
        put(view, *(item(n, at(n % 50), kind=("indicator", "malware")[n % 2]) for n in range(start, stop)))

    query = QUERIES[name]
    grow(0, 300)
    first, empty = steps(view, query, -1), steps(view, query, 2**62)
    grow(300, 3000)
    assert steps(view, query, -1) <= first + 3
    assert steps(view, query, 2**62) <= empty + 3


def test_many_old_versions_do_not_slow_a_poll_for_the_newest(view: View) -> None:
    put(view, *(item(n) for n in range(20)))
    few = steps(view, Query(), -1)
    for minute in range(30):
        put(view, *(item(999, f"2026-01-01T00:{minute:02d}:{second:02d}.000Z") for second in range(60)))
    put(view, item(1000))
    assert steps(view, Query(), -1) <= few + 3


def test_a_page_ends_before_it_grows_too_large(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE_BYTES", 250)
    put(view, *(item(number, body=b"x" * 100) for number in range(5)), item(6, body=b"y" * 1000))
    seen, after = [], -1
    while True:
        page = view.page(IN, Query(), after=after, limit=100)
        seen.append(len(page.items))
        if not page.more:
            break
        after = page.last
    assert seen == [2, 2, 1, 1]
