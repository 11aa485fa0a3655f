"""The page of a trace with pictures: what leaked beside what was released, and nothing from elsewhere."""

from __future__ import annotations

import io
import json
import re
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tearline.handout.trace import page
from tearline.ledger import Act
from tearline.node import Node
from tearline.node.trace import Case, trace
from tearline.trace.terms import Held
from tests.adoption import OFFICERS
from tests.unit.node.test_media_trace import _at_once, copy_for, give, ground, leak, three
from tests.unit.node.world import entries

__all__ = ["_at_once", "three"]


def asked(node: Node, path: Path, *, draw: bool = True) -> Case:
    return trace(node, [], [path], officer=OFFICERS[0], draw=draw)


def shown(node: Node, case: Case, path: Path) -> str:
    at = datetime(2026, 10, 14, tzinfo=UTC)
    return page(case, party=node.party, officer=OFFICERS[0], at=at, files=[path])


@pytest.fixture
def leaked(three: list[Node], tmp_path: Path) -> Path:
    """A part of USA's copy of a picture, as JPEG; another picture was given too."""
    _, gbr, usa = three
    give(gbr, ground(tmp_path / "a.tif"))
    path = leak(copy_for(gbr, usa), tmp_path / "<leak>.jpg")
    give(gbr, ground(tmp_path / "b.tif", seed=2))
    return path


def test_the_leak_stands_beside_the_form_and_the_copy(three: list[Node], leaked: Path) -> None:
    _, gbr, _ = three
    case = asked(gbr, leaked)
    assert case.named == ("USA",)
    assert case.verdict.held[Held.ALL] == ("AUS", "USA")
    assert re.fullmatch(r"USA: its mark is in <leak>.jpg; chance .*: \d.\de-\d+\.", case.says)
    text = shown(gbr, case, leaked)
    captions = re.findall(r"<figcaption>([^<]*)</figcaption>", text)
    assert captions[:2] == ["What leaked", "Released, before marks, and where the leak lies in it"]
    assert captions[2:] == ["the leak", "the form", "the copy of USA"]
    drawn = [
        np.asarray(Image.open(io.BytesIO(b64decode(found))), float)
        for found in re.findall(r'src="data:image/png;base64,([^"]+)"', text)
    ]
    whole, original, laid, form, copy = drawn
    assert (whole.shape, original.shape) == ((150, 160), (200, 200))
    for other in (laid, copy):
        assert np.corrcoef(form.ravel(), other.ravel())[0, 1] > 0.9
    assert (form != copy).any(), "it is drawn from the copy that was given"
    corners = np.array(re.findall(r"(-?\d+\.\d+),(-?\d+\.\d+)", text), float) * 200
    assert np.abs(corners - [(30, 20), (190, 20), (190, 170), (30, 170)]).max() < 2
    assert text.count("<img ") == len(captions) == len(drawn)
    assert not re.search(r'src="(?!data:image/png;base64,)|<(?:script|link|iframe|a)\b|\son\w+=|url\(', text)
    assert "img-src data:" in text
    assert "&lt;leak&gt;.jpg" in text
    assert "<leak>" not in text
    rows = dict(re.findall(r'<tr class="([^"]*)"><td>(USA|AUS)</td>', text.partition("<h3>")[2]))
    assert rows == {"named": "USA", "": "AUS"}
    widths = [float(each) for each in re.findall(r'<i style="width:([\d.]+)%', text)]
    assert widths[0] > 100 / 3 > widths[1], "only one reaches what is needed to accuse"


def test_pictures_are_on_the_page_alone(three: list[Node], leaked: Path) -> None:
    _, gbr, _ = three
    drawn, plain = asked(gbr, leaked), asked(gbr, leaked, draw=False)
    assert json.dumps(drawn.summary()) == json.dumps(plain.summary())
    first, second = (entry.body["answer"] for entry in entries(gbr, Act.TRACED))
    assert first == second
    assert plain.media[0].tried[0].drawing is None
    assert "<img" not in shown(gbr, plain, leaked)


def test_what_is_like_nothing_is_said_so(three: list[Node], leaked: Path, tmp_path: Path) -> None:
    _, gbr, _ = three
    other = leak(ground(tmp_path / "c.tif", seed=9), tmp_path / "other.jpg")
    case = asked(gbr, other)
    assert case.named == ()
    assert "It is like none of the 2 marked forms that it was held against." in shown(gbr, case, other)
