"""Forms by plug-ins through a whole node: released, referred where one lies or is missing, tried again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import rasterio

from tearline.adapters.home import Marks
from tearline.agreement import load
from tearline.deliver import file_in
from tearline.ledger import Act
from tearline.node import Node, media, reconsider, verify_ledger
from tearline.node.take_in_file import About, take_in_file
from tests import sanitizers
from tests.adoption import adopt
from tests.coalition import AGREEMENTS
from tests.media_files import picture, recording
from tests.unit.node.world import codes, entries, nodes, page, work

FORMS = """
[forms.hazy-picture]
kind = "imagery"
gsd_m = 30
sanitizer = "{0}"

[forms.hazy-recording]
kind = "signal"
sanitizer = "{0}"
"""
CLAUSE = """
@id("media-forms")
@reason("Recordings and pictures go in the form that was agreed.")
permit (principal in Coalition::"FVEY", action == Action::"releaseTearline", resource)
when { resource.category == Category::"intercept" || resource.category == Category::"imagery" };
"""
REFERRED = {("USA", "refer", "form.found"): 1}
RELEASED = {("USA", "tearline", "agreement.permit"): 1}


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Any]:
    """GBR and USA, whose forms the sanitizer of the parameter makes; and GBR's environment."""
    folder = AGREEMENTS / "five-eyes"
    manifest = (folder / "agreement.toml").read_text(encoding="utf-8").replace('"five-eyes"', '"media"', 1)
    named = getattr(request, "param", "fog/1")
    agreement = load(manifest + FORMS.format(named), CLAUSE, "media")
    environment = tmp_path / "env"
    others = {"liar": sanitizers.LIAR, "raises": sanitizers.failing("raises")}
    monkeypatch.setattr(sys, "executable", str(sanitizers.environment(environment, **others)))
    with nodes(tmp_path / "nodes", "GBR", "USA") as made:
        for node in made:
            adopt(node, agreement)
        (site,) = (environment / "lib").glob("*/site-packages")
        yield *made, site


def give(node: Node, path: Path) -> None:
    list(take_in_file(node, path, About(marking="TLP:GREEN")))
    settle(node)


def settle(node: Node) -> None:
    work(node)
    while media.attend(node):
        work(node)


def released(giver: Node, taker: Node) -> Path:
    (report,) = (item for item in page(giver, taker) if item["type"] == "report")
    return giver.view(taker.party).link(file_in(report).name)


def in_steps(path: Path) -> bool:
    with rasterio.open(path) as file:
        data = file.read(1)
    return bool((data % 16 == 0).all()) and len(np.unique(data)) > 1


def test_a_product_goes_in_the_form_of_a_plug_in(pair: Any, tmp_path: Path) -> None:
    gbr, usa, site = pair
    sanitizers.install(site, "fog", sanitizers.FOG)
    picture(tmp_path / "a.tif")
    give(gbr, tmp_path / "a.tif")
    assert codes(gbr) == RELEASED
    assert in_steps(released(gbr, usa))
    (made,) = entries(gbr, Act.FORM_MADE)
    assert (made.body["sanitizer"], made.body["found"]) == ("fog/1", [])
    assert made.body["did"][0] == "made by the sanitizer fog/1"
    assert verify_ledger(gbr)[1] == []


def test_a_recording_does_too(pair: Any, tmp_path: Path) -> None:
    gbr, usa, site = pair
    sanitizers.install(site, "fog", sanitizers.FOG)
    give(gbr, recording(tmp_path, **{"core:author": "CANARY"}))
    assert codes(gbr) == RELEASED
    assert b"CANARY" not in released(gbr, usa).read_bytes()


def test_a_recipients_mark_is_laid_over_what_a_plug_in_made(pair: Any, tmp_path: Path) -> None:
    gbr, usa, site = pair
    sanitizers.install(site, "fog", sanitizers.FOG)
    gbr.home.config = msgspec.structs.replace(gbr.home.config, marks=Marks(media=True))
    picture(tmp_path / "a.tif", pixels=400)
    give(gbr, tmp_path / "a.tif")
    assert codes(gbr) == RELEASED
    plain, marked = entries(gbr, Act.FORM_MADE)
    assert [each.body["sanitizer"] for each in (plain, marked)] == ["fog/1"] * 2
    assert marked.body["marked_for"] == "USA"
    assert marked.body["did"][-1].startswith("marked for its recipient")
    assert in_steps(gbr.blobs.local(plain.body["made"]))
    assert released(gbr, usa).samefile(gbr.blobs.local(marked.body["made"]))
    assert not in_steps(released(gbr, usa))


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        (
            "fog/1",
            "its form by fog/1, the sanitizer: is not installed here; install the one package that has it, "
            "then say `tearline reconsider`",
        ),
        (
            "liar/2",
            "its form by liar/2, the sanitizer: is here in version 1; install 2, "
            "then say `tearline reconsider`",
        ),
        ("raises/1", "its form by raises/1, the sanitizer: failed (ValueError)"),
        ("liar/1", "the size of its pixels is not what was told"),
    ],
    indirect=["pair"],
)
def test_what_a_plug_in_cannot_keep_goes_to_an_officer(pair: Any, tmp_path: Path, reason: str) -> None:
    gbr, usa, _ = pair
    picture(tmp_path / "a.tif")
    give(gbr, tmp_path / "a.tif")
    assert codes(gbr) == REFERRED
    assert page(gbr, usa) == []
    (made,) = entries(gbr, Act.FORM_MADE)
    assert made.body["found"][0] == reason
    assert len(list(gbr.home.blobs.glob("??/*"))) == 1, "the picture itself, and nothing of a form"


def test_a_form_is_tried_again_once_its_plug_in_is_there(pair: Any, tmp_path: Path) -> None:
    gbr, usa, site = pair
    picture(tmp_path / "a.tif")
    give(gbr, tmp_path / "a.tif")
    assert codes(gbr) == REFERRED
    sanitizers.install(site, "fog", sanitizers.FOG)
    settle(gbr)
    assert codes(gbr) == REFERRED, "not by itself"
    assert reconsider(gbr) == 1
    settle(gbr)
    assert codes(gbr) == RELEASED
    assert in_steps(released(gbr, usa))
    reconsider(gbr)
    settle(gbr)
    assert len(entries(gbr, Act.FORM_MADE)) == 2, "what was made is not made again"
    assert verify_ledger(gbr)[1] == []
