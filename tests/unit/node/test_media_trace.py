"""Copies of a form, each with its recipient's mark, and whose a leaked one is."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.transform import from_origin

from tearline.adapters import sandbox
from tearline.adapters.home import Marks
from tearline.agreement import load
from tearline.agreement.suspension import Scope
from tearline.deliver import file_in
from tearline.ledger import Act
from tearline.media import Failed, reads
from tearline.media.__main__ import answer
from tearline.node import Node, media
from tearline.node.files import sweep
from tearline.node.media_trace import trace_media
from tearline.node.suspend import suspend
from tearline.node.take_in_file import About, take_in_file
from tearline.terms import BadInput, Topic
from tests.adoption import OFFICERS, adopt
from tests.coalition import AGREEMENTS
from tests.unit.node.world import entries, nodes, page, work

FORMS = """
[forms.near]
kind = "signal"
time = "day"

[forms.own]
kind = "imagery"
time = "day"
"""
CLAUSE = """
@id("media-forms")
@reason("Pictures go in the form that was agreed.")
permit (principal in Coalition::"FVEY", action == Action::"releaseTearline", resource)
when { resource.category == Category::"imagery" };
"""
ABOUT = About(marking="TLP:GREEN", topics=frozenset({Topic.CRIME}))


@contextmanager
def agreed(place: Path) -> Iterator[list[Node]]:
    """AUS, GBR and USA; GBR marks what it gives."""
    folder = AGREEMENTS / "five-eyes"
    manifest = (folder / "agreement.toml").read_text(encoding="utf-8").replace('"five-eyes"', '"media"', 1)
    agreement = load(manifest + FORMS, CLAUSE, "media")
    with nodes(place, "AUS", "GBR", "USA") as made:
        for node in made:
            adopt(node, agreement)
        marking(made[1])
        yield made


@pytest.fixture
def three(tmp_path: Path) -> Iterator[list[Node]]:
    with agreed(tmp_path / "nodes") as made:
        yield made


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a process for each request."""

    def run(request: Any, **_: Any) -> Any:
        said = answer(request)
        if isinstance(said, Failed):
            raise BadInput(reads(request), said.place, said.reason, said.remedy)
        return said

    monkeypatch.setattr(sandbox, "run", run)


def marking(node: Node, media: bool = True) -> None:
    node.home.config = msgspec.structs.replace(node.home.config, marks=Marks(media=media))


def ground(path: Path, seed: int = 1, size: int = 200, east: float = 500_000) -> Path:
    rng = np.random.default_rng(seed)
    f = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None])
    f[0, 0] = 1.0
    data = np.fft.ifft2(np.fft.fft2(rng.standard_normal((size, size))) / f**1.2).real
    data = np.rint(300 + 2000 * (data - data.min()) / np.ptp(data)).astype(np.uint16)
    profile = {"driver": "GTiff", "width": size, "height": size, "count": 1, "dtype": "uint16"}
    place = {"crs": "EPSG:32636", "transform": from_origin(east, 5_500_000, 10, 10)}
    with rasterio.open(path, "w", **profile, **place) as file:
        file.write(data, 1)
    return path


def give(node: Node, path: Path) -> str:
    (taken,) = take_in_file(node, path, ABOUT)
    while True:
        work(node)
        if not media.attend(node):
            return str(taken.product_id)  # type: ignore[union-attr]


def copy_for(giver: Node, taker: Node) -> Path:
    (report,) = (item for item in page(giver, taker) if item["type"] == "report")
    return giver.view(taker.party).link(file_in(report).name)


def leak(path: Path, to: Path) -> Path:
    with rasterio.open(path) as file:
        data = file.read(1)[20:170, 30:190]
    low, high = np.percentile(data, (1, 99))
    shown = io.BytesIO()
    eight = (255 * ((data - low) / (high - low)).clip(0, 1)).astype(np.uint8)
    Image.fromarray(eight).save(shown, "JPEG", quality=70)
    to.write_bytes(shown.getvalue())
    return to


def test_each_has_a_copy_of_its_own_and_a_leaked_one_names_its_holder(
    three: list[Node], tmp_path: Path
) -> None:
    aus, gbr, usa = three
    product = give(gbr, ground(tmp_path / "a.tif"))
    copies = [copy_for(gbr, taker).read_bytes() for taker in (aus, usa)]
    assert copies[0] != copies[1]
    assert len(copies[0]) == len(copies[1])
    told = entries(gbr, Act.FORM_MADE)
    assert [entry.body.get("marked_for") for entry in told] == [None, "AUS", "USA"]

    other = give(gbr, ground(tmp_path / "b.tif", seed=2))
    (tmp_path / "usa.tif").write_bytes(copies[1])
    path = leak(tmp_path / "usa.tif", tmp_path / "leak.jpg")
    first, second = trace_media(gbr, path)
    assert (first.product, second.product) == (product, other)
    assert [suspect.partner for suspect in first.named] == ["USA"]
    assert first.tests == 4
    assert len(first.named[0].releases) == 1
    assert second.named == ()
    (again,) = trace_media(gbr, path, products=[other])
    assert again.named == ()

    sweep(gbr)  # what the copies were made of is kept
    assert trace_media(gbr, path, products=[product])[0].suspects == first.suspects
    for body in (b"", b"no picture"):
        (tmp_path / "rubbish").write_bytes(body)
        with pytest.raises(BadInput, match="first bytes"):
            trace_media(gbr, tmp_path / "rubbish")
    with pytest.raises(BadInput, match="cannot be read"):
        trace_media(gbr, tmp_path / "none")


@pytest.mark.parametrize(("told", "tried"), [("a", 1), ("b", 2), ("", 2), ("nowhere", 2)])
def test_a_leak_that_tells_its_place_is_tried_there_first(
    three: list[Node], tmp_path: Path, told: str, tried: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is of `a`; what it says of its place is not believed where nothing there is like it."""
    _, gbr, usa = three
    places = {"a": 500_000, "b": 560_000, "nowhere": 400_000}
    product = give(gbr, ground(tmp_path / "a.tif", seed=1, east=places["a"]))
    copy = copy_for(gbr, usa)
    give(gbr, ground(tmp_path / "b.tif", seed=2, east=places["b"]))
    with rasterio.open(copy) as file:
        data = file.read()[:, 20:170, 30:190]
    crs = (
        {"crs": "EPSG:32636", "transform": from_origin(places[told] + 300, 5_499_800, 10, 10)} if told else {}
    )
    path = tmp_path / "leak.tif"
    profile = {"driver": "GTiff", "width": 160, "height": 150, "count": 1, "dtype": data.dtype}
    with rasterio.open(path, "w", **profile, **crs) as file:
        file.write(data)
    asked: list[str] = []
    run = sandbox.run
    monkeypatch.setattr(
        sandbox,
        "run",
        lambda request, **more: (asked.append(type(request).__name__), run(request, **more))[1],
    )
    first, *rest = trace_media(gbr, path)
    assert first.product == product
    assert [each.partner for each in first.named] == ["USA"]
    assert first.tests == 4
    assert asked.count("Detect") == tried == 1 + len(rest)


def test_what_one_gets_does_not_depend_on_who_else_gets_it(tmp_path: Path) -> None:
    """Law 5: among others or alone, the same bytes."""
    copies = []
    for world in ("among", "alone"):
        with agreed(tmp_path / world) as (aus, gbr, usa):
            if world == "alone":
                suspend(gbr, "AUS", Scope(), officer=OFFICERS[0], reason="Example.")
            give(gbr, ground(tmp_path / f"{world}.tif"))
            copies.append(copy_for(gbr, usa).read_bytes())
            assert [entry.body.get("marked_for") for entry in entries(gbr, Act.FORM_MADE)] == (
                [None, "USA"] if world == "alone" else [None, "AUS", "USA"]
            )
            assert world == "alone" or copy_for(gbr, aus).read_bytes() != copies[0]
    assert copies[0] == copies[1]


def test_a_node_that_does_not_mark_gives_all_the_same(three: list[Node], tmp_path: Path) -> None:
    aus, gbr, usa = three
    marking(gbr, media=False)
    give(gbr, ground(tmp_path / "a.tif"))
    assert copy_for(gbr, aus).read_bytes() == copy_for(gbr, usa).read_bytes()
    assert trace_media(gbr, ground(tmp_path / "b.tif")) == []
