"""The catalogue of a view: opened by who asks, held back with its release, found by every filter."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from tearline.adapters.view import Closing, Found, Place, View, catalogue, search
from tearline.deliver.stac import Search
from tearline.terms import Box, Grain, Position
from tests.catalogue import NOON, picture, put, recording, scene
from tests.door import SIGNING_KEY, open_view

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def view(tmp_path: Path) -> Iterator[View]:
    opened = open_view(tmp_path, "BBB")
    yield opened
    opened.close()


def find(view: View, after: Place | None = None, limit: int = 100, **wanted: Any) -> Found:
    with view.scenes() as scenes:
        return scenes.search(Search(**wanted), after, limit)


def numbers(found: Found) -> list[int]:
    return [int(orjson.loads(each)["id"][-12:], 16) for each in found.items]


def micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def test_what_was_not_opened_is_not_there(view: View) -> None:
    put(view, [scene(1, picture(Box(0, 0, 1, 1)))])
    assert view.has_fresh_scenes()
    assert find(view) == Found([], None, 0)
    with view.scenes() as scenes:
        assert scenes.extent("imagery") == (None, None)
        assert scenes.next_start("imagery", None) is None
        assert scenes.item("imagery", scene(1, picture(None)).id) is None
    view.open_scenes()
    assert not view.has_fresh_scenes()
    assert numbers(find(view)) == [1]


def test_what_was_opened_was_served_and_is_never_held_back(view: View) -> None:
    added = put(view, [scene(1, picture(None))])
    view.open_scenes()
    assert view.unserved(-1, 10) == []
    with view.begin() as writer:
        writer.hold_back(added)
    assert view.held_back() == set()
    assert numbers(find(view)) == [1]


def test_a_scene_is_held_back_and_comes_back_with_its_release(view: View) -> None:
    kept, gone = scene(1, picture(None)), scene(2, picture(None))
    added = put(view, [kept, gone])
    with view.begin() as writer:
        writer.hold_back(added[1:])
    view.open_scenes()
    assert numbers(find(view)) == [1]
    assert not view.has_fresh_scenes()
    with view.begin() as writer:
        assert writer.put_back([gone.id], NOON + timedelta(hours=1)) == {gone.id}
    assert view.has_fresh_scenes()
    view.open_scenes()
    assert numbers(find(view)) == [2, 1]


def test_nothing_is_opened_while_the_view_is_being_sorted(view: View) -> None:
    put(view, [scene(1, picture(None))])
    view.open_scenes()
    with view.begin() as writer:
        writer.set_closing(True)
    with pytest.raises(Closing):
        view.has_fresh_scenes()
    with pytest.raises(Closing):
        view.open_scenes()


def test_it_keeps_to_the_cadence(tmp_path: Path) -> None:
    now = NOON
    view = View(
        tmp_path / "BBB.db",
        node="AAA",
        party="BBB",
        key=SIGNING_KEY,
        secret=b"s" * 32,
        cadence_ms=20,
        clock=lambda: now,
    )
    put(view, [scene(1, picture(None))], at=now)
    assert not view.has_fresh_scenes()
    now += timedelta(milliseconds=20)
    assert view.has_fresh_scenes()
    view.close()


def test_a_scene_that_was_removed_is_gone(view: View) -> None:
    both = [scene(1, picture(Box(0, 0, 1, 1))), scene(2, picture(Box(0, 0, 2, 2)))]
    put(view, both)
    view.open_scenes()
    with view.begin() as writer:
        writer.remove_scenes([both[1].id, "no such release"])
    assert numbers(find(view, boxes=(Box(0, 0, 9, 9),))) == [1]
    with view.scenes() as scenes:
        assert scenes.extent("imagery").box == Box(0, 0, 1, 1)
        assert scenes.item("imagery", both[1].id) is None


def test_of_an_object_the_newest_version_stays(view: View) -> None:
    put(view, [scene(1, picture(Box(0, 0, 1, 1)))])
    view.open_scenes()
    put(view, [scene(1, picture(Box(5, 5, 6, 6)))], at=NOON + timedelta(hours=1), release="again ")
    assert find(view, boxes=(Box(5, 5, 6, 6),)).matched == 0
    view.open_scenes()
    assert find(view).matched == 1
    assert find(view, boxes=(Box(0, 0, 1, 1),)).matched == 0
    assert find(view, boxes=(Box(5, 5, 6, 6),)).matched == 1


def test_much_is_opened_in_parts(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "_BATCH", 3)
    put(view, [scene(number, picture(None)) for number in range(8)])
    rounds = 0
    while view.has_fresh_scenes():
        view.open_scenes()
        rounds += 1
    assert (rounds, find(view).matched) == (3, 8)


def test_every_filter_narrows(view: View) -> None:
    day = timedelta(days=1)
    put(
        view,
        [
            scene(1, picture(Box(0, 0, 1, 1), NOON)),
            scene(2, picture(Box(10, 10, 11, 11), NOON + day)),
            scene(3, recording(Position(10.5, 10.5), NOON + 2 * day), grain=Grain.DAY),
            scene(4, recording(None, NOON + 3 * day)),
        ],
    )
    view.open_scenes()
    assert numbers(find(view)) == [4, 3, 2, 1]
    assert numbers(find(view, boxes=(Box(10.5, 10.5, 20, 20),))) == [3, 2]
    assert numbers(find(view, boxes=(Box(0, 0, 1, 1), Box(11, 11, 12, 12)))) == [2, 1]
    assert numbers(find(view, collections=("signals",))) == [4, 3]
    assert numbers(
        find(view, collections=("imagery", "signals", "x"), ids=(scene(2, picture(None)).id,))
    ) == [2]
    assert numbers(find(view, collections=("x",))) == []
    assert numbers(find(view, since=micros(NOON + day), until=micros(NOON + day))) == [2]
    assert numbers(find(view, since=micros(NOON + 2 * day + timedelta(hours=11)))) == [4, 3]
    assert numbers(find(view, until=micros(NOON) - 1)) == []
    with view.scenes() as scenes:
        assert scenes.extent("signals").box == Box(10.5, 10.5, 10.5, 10.5)
        assert scenes.extent("imagery").times == (micros(NOON), micros(NOON + day))


def test_what_is_too_much_to_count_is_paged_all_the_same(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    put(view, [scene(n, picture(Box(n, 0, n + 1, 1), NOON + timedelta(hours=n % 5))) for n in range(30)])
    view.open_scenes()
    whole = numbers(find(view))
    monkeypatch.setattr(search, "MOST", 10)
    after, seen = None, []
    while True:
        page = find(view, after, 7)
        assert page.matched is None
        seen += numbers(page)
        if page.next is None:
            break
        after = page.next
    assert seen == whole
    assert find(view, boxes=(Box(3.5, 0, 5.5, 1),)).matched == 3
