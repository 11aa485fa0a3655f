from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from tearline.adapters import store
from tearline.adapters.view import Added, Item, Writer
from tearline.ledger import Act
from tearline.node import Node, consider, hand_over, receive, verify_ledger
from tearline.terms import Broken
from tests.unit.node.world import (
    GREEN,
    bundle,
    entries,
    malware,
    names,
    nodes,
    page,
    releases,
    state,
    take,
    work,
)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA") as made:
        yield made


def failing(*_: object, **__: object) -> None:
    raise MemoryError


def test_what_waits_stands_in_the_view_once(pair: list[Node]) -> None:
    gbr, usa = pair
    take(gbr, bundle(malware("a", GREEN), malware("b", GREEN)))
    consider(gbr)
    assert page(gbr, usa) == []
    assert hand_over(gbr) == 2
    assert sorted(names(page(gbr, usa))) == ["a", "b"]
    before = state(gbr)
    assert hand_over(gbr) == 0
    assert state(gbr) == before
    assert all(delivered for *_, delivered in releases(gbr))


def test_a_crash_before_the_next_step_loses_nothing(pair: list[Node]) -> None:
    """Each step is done by a node that opens the folder anew."""
    gbr, usa = pair
    take(gbr, bundle(malware("a", GREEN)))
    for step in (consider, hand_over, consider, hand_over):
        with Node.open(gbr.home.folder) as again:
            step(again)
    assert names(page(gbr, usa)) == ["a"]
    assert receive(usa, "GBR", page(gbr, usa)) == 1


def test_a_crash_between_view_and_mark_changes_nothing_when_repeated(
    pair: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    gbr, usa = pair
    take(gbr, bundle(malware("a", GREEN), malware("b", GREEN)))
    consider(gbr)
    monkeypatch.setattr(store, "mark_delivered", failing)
    with pytest.raises(MemoryError):
        hand_over(gbr)
    monkeypatch.undo()
    handed = page(gbr, usa)
    assert sorted(names(handed)) == ["a", "b"]
    assert not any(delivered for *_, delivered in releases(gbr))
    assert hand_over(gbr) == 2
    assert page(gbr, usa) == handed
    assert all(delivered for *_, delivered in releases(gbr))
    sizes, findings = verify_ledger(gbr)
    assert (sizes["GBR/USA/out"], findings) == (2, [])


def test_a_crash_within_the_view_leaves_neither_objects_nor_statements(
    pair: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    gbr, usa = pair
    take(gbr, bundle(malware("a", GREEN)))
    consider(gbr)
    monkeypatch.setattr("tearline.adapters.view.Writer.add", failing)
    with pytest.raises(MemoryError):
        hand_over(gbr)
    monkeypatch.undo()
    assert page(gbr, usa) == []
    assert verify_ledger(gbr)[0]["GBR/USA/out"] == 0
    work(gbr)
    assert names(page(gbr, usa)) == ["a"]
    assert verify_ledger(gbr)[0]["GBR/USA/out"] == 1


def test_one_partners_view_holds_nothing_of_anothers(tmp_path: Path) -> None:
    with nodes(tmp_path, "GBR", "USA", "CAN") as (gbr, usa, can):
        take(gbr, bundle(malware("a", GREEN)))
        work(gbr)
        mine, others = repr(page(gbr, usa)), repr(page(gbr, can))
        assert "CAN" not in mine
        assert "USA" not in others
        ids = Counter(release for _, release, *_ in releases(gbr))
        assert set(ids.values()) == {1}
        assert len(ids) == 2


def test_nothing_goes_before_it_is_on_the_ledger(pair: list[Node]) -> None:
    gbr, usa = pair
    take(gbr, bundle(malware("a", GREEN)))
    consider(gbr)
    told = {entry.body["object"] for entry in entries(gbr, Act.PRODUCT_RELEASED)}
    hand_over(gbr)
    assert {item["id"] for item in page(gbr, usa) if item["type"] == "malware"} == told


def test_times_of_nine_and_more_digits_can_be_delivered(pair: list[Node]) -> None:
    gbr, usa = pair
    digits = malware("a", GREEN, modified="2026-04-01T00:00:00.123456789123456789Z")
    take(gbr, bundle(digits, malware("b", GREEN, modified="2026-04-01T00:00:00." + "1" * 40 + "Z")))
    work(gbr)
    assert names(page(gbr, usa)) == ["a"]


def test_what_a_view_refuses_stays_behind_and_its_neighbours_go(
    pair: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    gbr, usa = pair
    real = Writer.add

    def refusing(writer: Writer, collection: str, items: Sequence[Item], at: datetime) -> list[Added]:
        if any(b'"name":"b"' in item.body for item in items):
            raise Broken("the view refuses")
        return real(writer, collection, items, at)

    monkeypatch.setattr(Writer, "add", refusing)
    take(gbr, bundle(malware("a", GREEN), malware("b", GREEN), malware("c", GREEN)))
    work(gbr)
    assert sorted(names(page(gbr, usa))) == ["a", "c"]
    assert [delivered is None for *_, delivered in releases(gbr)] == [False, True, False]
    assert len(entries(gbr, Act.RELEASE_STUCK)) == 1
    assert verify_ledger(gbr)[1] == []
