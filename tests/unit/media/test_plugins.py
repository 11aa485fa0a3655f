"""Sanitizers as plug-ins: found by name and version, run behind the walls, and not believed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tearline.adapters import sandbox
from tearline.media import SANITIZER, Inspect, Made, Make, Verify
from tearline.terms import BadInput, Grain, ImageryForm, SignalForm
from tests import pictures, recordings, sanitizers

FORM = ImageryForm(name="hazy", gsd_m=10, sanitizer="fog/1")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    failing = {name: sanitizers.failing(name) for name in sanitizers.FAILS}
    plugins = {"fog": sanitizers.FOG, "broken": "import nothing_of_this_name\n", "liar": sanitizers.LIAR}
    return sanitizers.environment(tmp_path_factory.mktemp("env") / "env", **plugins, **failing)


@pytest.fixture(autouse=True)
def _in_it(python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(python))


def made(source: Path, form: ImageryForm | SignalForm) -> tuple[Path, Made]:
    target = source.with_suffix(".made")
    told = {"form": form, "marking": "UNCLASSIFIED", "taken": pictures.TAKEN}
    return target, sandbox.run(Make(source=str(source), target=str(target), **told))


def found(source: Path, form: ImageryForm | SignalForm) -> tuple[str, ...]:
    """What the second parsers find in what is made."""
    target, said = made(source, form)
    told = {"form": form, "marking": "UNCLASSIFIED", "taken": pictures.TAKEN}
    of = sandbox.run(Inspect(source=str(source))).facts
    return sandbox.run(Verify(made=str(target), expected=said, of=of, **told)).found


def test_a_picture_is_made_by_the_plug_in_that_is_named(tmp_path: Path) -> None:
    source = pictures.raster(tmp_path / "source.tif")
    target, said = made(source, FORM)
    assert said.did[0] == "made by the sanitizer fog/1"
    assert set(np.unique(tifffile.imread(target) % 16)) == {0}
    assert found(source, FORM) == ()
    plain, own = made(source, ImageryForm(name="x", gsd_m=10, sanitizer=SANITIZER))
    assert own == made(source, ImageryForm(name="x", gsd_m=10))[1]
    assert set(np.unique(tifffile.imread(plain) % 16)) != {0}


def test_a_recording_is_too(tmp_path: Path) -> None:
    samples = recordings.noise("cf32_le", 1000)
    source = recordings.archive(tmp_path / "a.sigmf", recordings.metadata(), samples)
    form = SignalForm(name="hazy", sanitizer="fog/1")
    assert found(source, form) == ()
    _, data = recordings.files(made(source, form)[0])
    assert np.array_equal(np.frombuffer(data, "<f4"), np.frombuffer(samples, "<f4") / 2)


def test_the_example_of_the_page_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path(__file__).parents[3] / "docs" / "sanitizer-plugins.md"
    example = re.search(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    assert example
    monkeypatch.setattr(sys, "executable", str(sanitizers.environment(tmp_path / "env", fog=example[1])))
    source = pictures.raster(tmp_path / "source.tif")
    assert found(source, FORM) == ()
    assert set(np.unique(tifffile.imread(made(source, FORM)[0]) % 16)) == {0}


REFUSED = {
    "mist/1": "the sanitizer: is not installed here; install the one package that has it, "
    "then say `tearline reconsider`",
    "fog/2": "the sanitizer: is here in version 1; install 2, then say `tearline reconsider`",
    "media/2": "the sanitizer: of this node is of version 1; agree on that one",
    "broken/1": "the sanitizer: cannot be loaded (ModuleNotFoundError); repair its package, "
    "then say `tearline reconsider`",
    "raises/1": "the sanitizer: failed (ValueError)",
    "leaves/1": "the sanitizer: failed (SystemExit)",
    "dies/1": "makes its reader fail; it is damaged, or made to do harm",
    "says-nothing/1": "the sanitizer: does not say what it made",
    "looks-around/1": "the sanitizer: failed (PermissionError)",
    "calls-out/1": "the sanitizer: failed (PermissionError)",
    "says-it-cannot/1": "its pixels: are all grey",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_made_is_one_sentence_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    source = pictures.raster(tmp_path / "source.tif")
    with pytest.raises(BadInput) as caught:
        made(source, ImageryForm(name="hazy", gsd_m=10, sanitizer=name))
    assert str(caught.value).removeprefix(str(source)).lstrip(":, ") == REFUSED[name]
    assert [*tmp_path.iterdir()] == [source]


def test_a_name_that_two_packages_offer_is_nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = sanitizers.environment(tmp_path / "env", fog=sanitizers.FOG)
    (site,) = (tmp_path / "env" / "lib").glob("*/site-packages")
    sanitizers.install(site, "fog", sanitizers.LIAR.replace("liar", "fog"), package="other")
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(BadInput, match="is offered by two packages"):
        made(pictures.raster(tmp_path / "source.tif"), FORM)


def test_no_package_can_take_the_place_of_the_nodes_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    false = sanitizers.FOG.replace("fog =", "media =").replace('"1"', '"9"')
    monkeypatch.setattr(sys, "executable", str(sanitizers.environment(tmp_path / "env", media=false)))
    source = pictures.raster(tmp_path / "source.tif")
    with pytest.raises(BadInput, match="of this node is of version 1"):
        made(source, ImageryForm(name="x", sanitizer="media/9"))


def test_a_lie_about_the_size_of_pixels_is_found(tmp_path: Path) -> None:
    for source in (pictures.raster(tmp_path / "a.tif"), pictures.marked(tmp_path / "a.ntf", SCLAS="U")):
        said = found(source, ImageryForm(name="x", gsd_m=10, time=Grain.DAY, sanitizer="liar/1"))
        assert "the size of its pixels is not what was told" in said
