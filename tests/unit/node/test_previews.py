"""Previews: of what was released alone, once for each file, at times that tell nothing, gone with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from tearline.adapters import sandbox
from tearline.agreement import load
from tearline.agreement.suspension import Scope
from tearline.deliver import RecallAction, RecallKind, RecallReason
from tearline.deliver.file import PATH
from tearline.deliver.stac import Search
from tearline.ledger import Act
from tearline.media import Preview
from tearline.node import Node, files, media, previews, reconsider
from tearline.node.recall import recall
from tearline.node.suspend import RESUME, resume, suspend
from tearline.node.take_in_file import About, take_in_file
from tearline.terms import Topic
from tests.adoption import OFFICERS, adopt, approve
from tests.coalition import AGREEMENTS
from tests.media_files import picture, recording
from tests.unit.node.world import entries, held, nodes, work

BY = OFFICERS[0]
START = datetime(2026, 11, 24, tzinfo=UTC)
MINUTE = 60.0
WHOLE = About(marking="TLP:GREEN", topics=frozenset({Topic.THREAT_TO_LIFE}))
IN_FORM = About(marking="TLP:GREEN")
FORMS = """
[forms.coarse]
kind = "imagery"
gsd_m = 60

[forms.log]
kind = "signal"
samples = false
"""
CLAUSE = """
@id("forms")
@reason("Recordings and pictures go in the form that was agreed.")
permit (principal in Coalition::"FVEY", action == Action::"releaseTearline", resource)
when { resource.category == Category::"intercept" || resource.category == Category::"imagery" };
"""


@pytest.fixture
def gbr(tmp_path: Path) -> Iterator[Node]:
    """With two partners, forms in the agreement, and a clock that stands still."""
    folder = AGREEMENTS / "five-eyes"
    manifest = (folder / "agreement.toml").read_text(encoding="utf-8").replace('"five-eyes"', '"media"', 1)
    with nodes(tmp_path / "nodes", "GBR", "AUS", "USA") as (node, *_):
        adopt(node, load(manifest + FORMS, CLAUSE, "media"))
        at(node, 0)
        yield node


def at(node: Node, seconds: float) -> None:
    node.clock = lambda: START + timedelta(seconds=seconds)


def give(node: Node, path: Path, about: About = WHOLE) -> None:
    """Take a file in, and seal it into the views of all who may have it."""
    list(take_in_file(node, path, about))
    while work(node) or media.attend(node):
        pass


def assets(node: Node, party: str) -> list[dict[str, Any]]:
    """Of each item in the catalogue of a partner, as it is told."""
    view = node.view(party)
    view.open_scenes()
    with view.scenes() as scenes:
        return [orjson.loads(item)["assets"] for item in scenes.search(Search(), None, 100).items]


def shown(node: Node, party: str) -> bool:
    return any("thumbnail" in each for each in assets(node, party))


def had(node: Node, party: str, asset: dict[str, Any]) -> bytes | None:
    """What the partner's door gives for an asset."""
    view = node.view(party)
    file = view.file(asset["href"].removeprefix(PATH))
    return None if file is None else view.link(file.name).read_bytes()


def test_a_preview_shows_a_minute_after_the_release(gbr: Node, tmp_path: Path) -> None:
    give(gbr, picture(tmp_path / "a.tif"))
    before = assets(gbr, "USA")
    assert [set(each) for each in before] == [{"data"}], "a release does not wait for its preview"
    assert previews.attend(gbr) == 2
    name = gbr.view("USA").previews()[0].name
    at(gbr, MINUTE - 0.001)
    assert assets(gbr, "USA") == before
    assert gbr.view("USA").file(name) is None
    at(gbr, MINUTE + 0.1)
    (told,) = assets(gbr, "USA")
    thumbnail = told["thumbnail"]
    assert {**told, "thumbnail": None} == {**before[0], "thumbnail": None}
    content = had(gbr, "USA", thumbnail)
    assert content is not None
    assert content.startswith(b"\x89PNG")
    assert thumbnail["file:checksum"] == "1220" + sha256(content).hexdigest()
    assert (thumbnail["file:size"], thumbnail["type"]) == (len(content), "image/png")
    assert thumbnail["roles"] == ["thumbnail"]
    assert entries(gbr, Act.PREVIEW_DRAWN)[0].body["pictures"] == {"thumbnail": sha256(content).hexdigest()}


def test_one_that_was_drawn_before_shows_no_sooner(gbr: Node, tmp_path: Path) -> None:
    """Else it would tell that somebody else was given the same file."""
    suspension = suspend(gbr, "USA", Scope(), officer=BY, reason="Example.")
    give(gbr, picture(tmp_path / "a.tif"))
    previews.attend(gbr)
    at(gbr, 1000)
    approve(gbr, RESUME, f"USA@{suspension.id}")
    resume(gbr, "USA", officer=BY, why="Example.")
    reconsider(gbr)
    work(gbr)
    assert previews.attend(gbr) == 1
    at(gbr, 1000 + MINUTE - 0.001)
    assert shown(gbr, "AUS")
    assert not shown(gbr, "USA")
    at(gbr, 1000 + MINUTE + 0.1)
    assert shown(gbr, "USA")


@pytest.mark.parametrize(
    ("drawn", "due"), [(0, 60), (60, 60), (61, 120), (120, 120), (121, 240), (1000, 1920)]
)
def test_one_that_is_late_shows_at_a_time_that_tells_little(drawn: float, due: float) -> None:
    now = START + timedelta(seconds=drawn)
    assert previews._due(START, now, MINUTE) == START + timedelta(seconds=due)


def test_a_file_is_drawn_once_for_all_who_have_it(
    gbr: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    real = sandbox.run

    def counted(request: Any, **more: Any) -> Any:
        if isinstance(request, Preview):
            sizes.append(request.pixels)
        return real(request, **more)

    monkeypatch.setattr(sandbox, "run", counted)
    give(gbr, picture(tmp_path / "a.tif", pixels=600))
    assert previews.attend(gbr) == 2
    assert sizes == [512, 2048]
    names = {party: {each.name for each in gbr.view(party).previews()} for party in ("AUS", "USA")}
    assert names["AUS"].isdisjoint(names["USA"])
    assert {each.role for each in gbr.view("USA").previews()} == {"thumbnail", "overview"}


def test_it_is_drawn_from_what_was_released(gbr: Node, tmp_path: Path) -> None:
    give(gbr, picture(tmp_path / "a.tif", pixels=120), IN_FORM)
    previews.attend(gbr)
    at(gbr, MINUTE + 0.1)
    content = had(gbr, "USA", assets(gbr, "USA")[0]["thumbnail"])
    assert content is not None
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    assert max(width, height) <= 20, "of 60 m, not of 10 m"


def test_what_has_nothing_to_see_has_no_preview(gbr: Node, tmp_path: Path) -> None:
    give(gbr, recording(tmp_path), IN_FORM)
    previews.attend(gbr)
    at(gbr, 10_000)
    assert [set(each) for each in assets(gbr, "USA")] == [{"data"}]


@pytest.mark.parametrize("drawn_first", [True, False])
def test_it_goes_and_comes_with_its_file(gbr: Node, tmp_path: Path, drawn_first: bool) -> None:
    give(gbr, picture(tmp_path / "a.tif"))
    if drawn_first:
        previews.attend(gbr)
    at(gbr, MINUTE + 1)
    told = assets(gbr, "USA")  # served: the item stays
    suspension = suspend(gbr, "USA", Scope(), officer=BY, reason="Example.")
    previews.attend(gbr)
    at(gbr, 10 * MINUTE)
    name = gbr.view("USA").previews()[0].name
    assert gbr.view("USA").file(name) is None
    assert not gbr.view("USA").link(name).exists()
    assert gbr.view("AUS").file(gbr.view("AUS").previews()[0].name) is not None
    approve(gbr, RESUME, f"USA@{suspension.id}")
    resume(gbr, "USA", officer=BY, why="Example.")
    work(gbr)
    assert len(told) == 1
    (now,) = assets(gbr, "USA")
    assert had(gbr, "USA", now["thumbnail"]) is not None
    how = {"kind": RecallKind.SUBSTANTIVE_RECALL, "reason": RecallReason.FACTUAL_ERROR}
    recall(gbr, held(gbr)[0].product.id, **how, actions=[RecallAction.DESTROY], officer=BY)  # type: ignore[arg-type]
    assert gbr.view("USA").file(name) is None
    assert not gbr.view("USA").link(name).exists()


def test_sweeping_keeps_it_and_its_link_as_long_as_the_file(gbr: Node, tmp_path: Path) -> None:
    give(gbr, picture(tmp_path / "a.tif"))
    previews.attend(gbr)
    at(gbr, MINUTE + 1)
    asset = assets(gbr, "USA")[0]["thumbnail"]
    assert files.sweep(gbr) == 0
    assert had(gbr, "USA", asset) is not None
    link = gbr.home.released_to("USA") / asset["href"].removeprefix(PATH)
    suspend(gbr, "USA", Scope(), officer=BY, reason="Example.")
    link.write_bytes(b"left by a crash")
    files.sweep(gbr)
    assert not link.exists()
