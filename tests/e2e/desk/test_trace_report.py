"""The report of a trace in a browser: a text, a picture and a recording that one partner leaked."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image
from playwright.sync_api import Browser, Page

from tearline.demo import scenes
from tearline.handout.trace import page as report_page
from tearline.media.signals import pack
from tearline.media.signals.recording import opened
from tearline.node import Node
from tearline.node.trace import trace
from tearline.trace.leak import read_leak
from tearline.trace.prior import read_prior
from tests.adoption import OFFICERS
from tests.desk import HUGE, IMAGES, NARROW, USUAL, chromium, must_be_accessible, picture
from tests.quick_sandbox import quick
from tests.traced import TEXTS, body, mark, report, reports
from tests.unit.node import test_media_trace
from tests.unit.node.test_consent import carry
from tests.unit.node.test_media_trace import agreed, give
from tests.unit.node.world import take


def screenshot(copy: Path, to: Path) -> Path:
    """A part of a picture, turned a little, as a phone sends it."""
    with rasterio.open(copy) as file:
        data = file.read().transpose(1, 2, 0)
    part = Image.fromarray(data).rotate(3, Image.Resampling.BICUBIC).crop((330, 260, 1010, 800))
    part.resize((544, 432), Image.Resampling.LANCZOS).save(to, "JPEG", quality=80)
    return to


def cut(copy: Path, folder: Path, to: Path) -> Path:
    """Half of a recording, under another name."""
    recording = opened(copy)
    start, stop = recording.samples // 5, recording.samples * 7 // 10
    data, meta = folder / "cut.sigmf-data", folder / "cut.sigmf-meta"
    data.write_bytes(np.concatenate(list(recording.stream(start, stop, 1 << 20))).tobytes())
    said = {key: value for key, value in recording.whole["global"].items() if not key.endswith("sha512")}
    captures = [{**recording.whole["captures"][0], "core:sample_start": 0}]
    meta.write_text(json.dumps({"global": said, "captures": captures, "annotations": []}))
    with to.open("wb") as out:
        pack(meta, data, out)
    return to


def copies(giver: Node, taker: Node, kind: str) -> list[Path]:
    """The files of a kind that a partner was given."""
    view = giver.view(taker.party)
    return [view.link(each.name) for each in view.released_files() if kind in each.media_type]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The report of a leak of what GBR gave to AUS and USA."""
    clauses = test_media_trace.CLAUSE + test_media_trace.CLAUSE.replace("media-forms", "signals").replace(
        "imagery", "intercept"
    )
    with quick(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_media_trace, "CLAUSE", clauses)
        yield made_report(tmp_path_factory.mktemp("trace"))


def made_report(tmp_path: Path) -> Path:
    made = {each.path.stem: each.path for each in scenes.make(tmp_path / "scenes")}
    with agreed(tmp_path / "nodes") as (aus, gbr, usa):
        mark(gbr, media=True)
        take(gbr, report(TEXTS[:2], name="velna-1").encode())
        give(gbr, made["harbour"])
        give(gbr, made["channel"])
        carry(gbr, aus, usa)
        carry(aus, gbr)
        carry(usa, gbr)
        text = body(next(item for item in reports(gbr, usa) if item["name"] == "Lorries at Velna"))
        files = [tmp_path / "post.txt"]
        files[0].write_text(f"A friend sends this:\n\n{text}\n", encoding="utf-8")
        files.append(screenshot(copies(gbr, usa, "tiff")[0], tmp_path / "harbour.jpg"))
        files.append(cut(copies(gbr, usa, "sigmf")[0], tmp_path, tmp_path / "channel.sigmf"))
        case = trace(
            gbr,
            [read_leak("post.txt", files[0].read_bytes())],
            files[1:],
            officer=OFFICERS[0],
            prior=read_prior("before.toml", "USA = 2", ["AUS", "USA"]),
            draw=True,
        )
        assert case.named == ("USA",)
        shown = report_page(
            case,
            party="GBR",
            officer=OFFICERS[0],
            at=datetime(2026, 10, 14, 9, 30, tzinfo=UTC),
            files=[Path(each.name) for each in files],
            prior=Path("before.toml"),
        )
    path = tmp_path / "trace.html"
    path.write_text(shown, encoding="utf-8")
    return path


def looked_at(browser: Browser, path: Path, size: tuple[int, int], *, dark: bool) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light"
    )
    page, complaints, asked = context.new_page(), list[str](), list[str]()
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url.partition(",")[0]))
    page.goto(path.as_uri())
    yield page
    assert set(asked) <= {path.as_uri(), "data:image/png;base64"}
    assert complaints == []
    context.close()


BOX = """svg => { const over = svg.querySelector('polygon').getBoundingClientRect(),
  under = svg.parentElement.querySelector('img').getBoundingClientRect();
  return [over.left - under.left, over.top - under.top, over.right - under.left, over.bottom - under.top]
    .map((each, at) => each / (at % 2 ? under.height : under.width)); }"""


@pytest.mark.parametrize(("size", "dark"), [(USUAL, False), (NARROW, True), (HUGE, True)])
def test_the_report_is_to_be_read(browser: Browser, written: Path, size: tuple[int, int], dark: bool) -> None:
    for page in looked_at(browser, written, size, dark=dark):
        must_be_accessible(page)
        sizes: list[Any] = page.eval_on_selector_all("img", "all => all.map(each => each.naturalWidth)")
        assert len(sizes) == 10
        assert min(sizes) > 200, "each is drawn"
        boxes = [handle.evaluate(BOX) for handle in page.query_selector_all(".picture svg")]
        assert len(boxes) == 2
        for number, (left, top, right, bottom) in enumerate(boxes):
            assert -0.01 <= left < right <= 1.01
            assert -0.01 <= top < bottom <= 1.01
            assert right - left < 0.8, f"{number}: only a part leaked"
        if size == USUAL:
            picture(page, "trace")
            for name, element in zip(
                ("picture", "recording"), page.query_selector_all(".evidence"), strict=True
            ):
                element.scroll_into_view_if_needed()
                drawn = element.screenshot()
                assert Image.open(io.BytesIO(drawn)).size[0] > 600
                picture_of(drawn, f"trace-{name}")


def picture_of(drawn: bytes, name: str) -> None:
    """As `desk.picture`, of a part of a page."""
    if os.environ.get("TEARLINE_PICTURES"):
        Image.open(io.BytesIO(drawn)).convert("RGB").quantize(255).save(IMAGES / f"{name}.png", optimize=True)
