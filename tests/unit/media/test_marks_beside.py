"""A leak drawn beside the original: where it lies in it, and the same part of both."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import rasterio
from PIL import Image
from scipy.signal import resample_poly

from tearline.adapters import sandbox
from tearline.media import Detect, Detected, Drawing, Failed, Make, Preview, Previewed
from tearline.media.__main__ import answer
from tearline.media.signals import pack
from tearline.terms import ImageryForm, SignalForm

SEED = b"one recipient".ljust(32, b".")
PIXELS = 448
MARKING = "//GBR SECRET//REL TO USA, GBR"


def ground(bands: int = 1, size: int = 240) -> Any:
    """1/f texture: as rough as the ground."""
    rng = np.random.default_rng(5)
    f = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None])
    f[0, 0] = 1.0
    data = np.fft.ifft2(np.fft.fft2(rng.standard_normal((bands, size, size))) / f**1.3).real
    data = (data - data.min()) / np.ptp(data)
    return (
        np.rint(data * 250 + 2).astype(np.uint8) if bands == 3 else np.rint(300 + data * 2000).astype("<u2")
    )


def form_of(path: Path, data: Any, driver: str = "GTiff") -> Path:
    bands, height, width = data.shape
    more = {"photometric": "rgb"} if bands == 3 and driver == "GTiff" else {}
    profile = {"driver": driver, "width": width, "height": height, "count": bands, "dtype": data.dtype}
    source = path.with_suffix(".source")
    with rasterio.open(source, "w", **profile, **more) as file:
        file.write(data)
    made = answer(Make(source=str(source), target=str(path), form=ImageryForm(name="own"), marking=MARKING))
    assert not isinstance(made, Failed), made
    return path


def beside(leak: Path, original: Path) -> Drawing:
    said = answer(Detect(leaked=str(leak), original=str(original), seeds=(SEED,), pixels=PIXELS))
    assert isinstance(said, Detected), said
    assert said.drawing is not None, said.how
    return said.drawing


def opened(png: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(png)), float)


def alike(one: bytes, other: bytes) -> float:
    here, there = opened(one).ravel(), opened(other).ravel()
    return float(np.corrcoef(here, there)[0, 1])


@pytest.mark.parametrize("kind", ["GTiff", "NITF"])
def test_a_cut_lies_where_it_was_cut_from(tmp_path: Path, kind: str) -> None:
    data = ground()
    form = form_of(tmp_path / "form", data, kind)
    eight = (data[0, 40:200, 60:180] / 10).clip(0, 255).astype(np.uint8)
    Image.fromarray(eight).resize((240, 320)).save(tmp_path / "leak", "PNG")
    drawn = beside(tmp_path / "leak", form)
    corners = [(60, 40), (180, 40), (180, 200), (60, 200)]
    assert np.abs(np.array(drawn.outline) * 240 - corners).max() < 1.5
    left, top, right, bottom = drawn.part
    assert np.abs(np.array([left - 60, top - 40, right - 180, bottom - 200])).max() <= 3
    assert opened(drawn.original).shape == (240, 240)
    assert opened(drawn.leak).shape == (320, 240)
    assert opened(drawn.here).shape == opened(drawn.laid).shape == (bottom - top, right - left)
    assert alike(drawn.here, drawn.laid) > 0.98
    shown = tmp_path / "part.png"
    said = answer(Preview(source=str(form), target=str(shown), pixels=PIXELS, part=drawn.part))
    assert isinstance(said, Previewed)
    assert shown.read_bytes() == drawn.here, "a copy is drawn as its form is"


def test_colours_stay_colours_and_all_of_it_is_bounded(tmp_path: Path) -> None:
    """Through the walls: noise in colours is the longest answer there is."""
    data = ground(3, 480)
    noise = np.random.default_rng(1).integers(-60, 60, data.shape)
    form = form_of(tmp_path / "form", (data.astype(int) + noise).clip(1, 254).astype(np.uint8))
    with rasterio.open(form) as file:
        shown = file.read().transpose(1, 2, 0)
    Image.fromarray(np.rot90(shown, 1)).save(tmp_path / "leak", "JPEG", quality=98)
    request = Detect(leaked=str(tmp_path / "leak"), original=str(form), seeds=(SEED,), pixels=PIXELS)
    drawn = sandbox.run(request).drawing
    assert drawn is not None
    assert len(msgspec.json.encode(drawn)) < 4 << 20
    for png in (drawn.original, drawn.leak, drawn.here, drawn.laid):
        assert opened(png).shape[2] == 3
        assert max(opened(png).shape) == PIXELS
    assert alike(drawn.here, drawn.laid) > 0.8, "JPEG halves the noise of colours"
    outline = np.array(drawn.outline)
    assert np.abs(np.sort(outline[:, 0]) - [0, 0, 1, 1]).max() < 0.01
    # turned by a quarter: the first corner of the leak is another one of the original
    assert np.abs(outline[0] - (1, 0)).max() < 0.01 or np.abs(outline[0] - (0, 1)).max() < 0.01


def test_what_shows_something_else_is_not_drawn(tmp_path: Path) -> None:
    form = form_of(tmp_path / "form", ground())
    other = np.random.default_rng(3).integers(0, 255, (200, 200)).astype(np.uint8)
    Image.fromarray(other).save(tmp_path / "leak", "PNG")
    request = Detect(leaked=str(tmp_path / "leak"), original=str(form), seeds=(SEED,), pixels=PIXELS)
    said = answer(request)
    assert isinstance(said, Detected)
    assert (said.scores, said.drawing) == ((), None)


def recording(folder: Path, name: str, signal: Any, rate: float = 48_000.0) -> Path:
    data, meta, path = (folder / f"{name}{end}" for end in (".sigmf-data", ".sigmf-meta", ".sigmf"))
    data.write_bytes(signal.astype("<c8").tobytes())
    told = {"core:datatype": "cf32_le", "core:sample_rate": rate, "core:version": "1.2.0"}
    meta.write_bytes(
        msgspec.json.encode({"global": told, "captures": [{"core:sample_start": 0}], "annotations": []})
    )
    with path.open("wb") as out:
        pack(meta, data, out)
    return path


def test_of_a_recording_the_same_stretch_is_drawn(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    noise = rng.standard_normal(60_000) + 1j * rng.standard_normal(60_000)
    tone = 30 * np.exp(2j * np.pi * np.cumsum(np.linspace(-0.3, 0.3, 60_000)))  # it rises, so time is seen
    source = recording(tmp_path, "a", noise + tone)
    form = tmp_path / "form"
    made = answer(
        Make(source=str(source), target=str(form), form=SignalForm(name="own"), marking="TLP:GREEN")
    )
    assert not isinstance(made, Failed), made
    leak = recording(tmp_path, "leak", resample_poly((noise + tone)[15_000:45_000] * 0.2j, 5, 4), 60_000.0)
    drawn = beside(leak, form)
    channel, start, stop = drawn.part
    assert (channel, abs(start - 15_000) < 50, abs(stop - 45_000) < 50) == (0, True, True)
    shapes = {opened(png).shape for png in (drawn.original, drawn.leak, drawn.here, drawn.laid)}
    assert shapes == {(224, 448, 3)}
    assert alike(drawn.here, drawn.laid) > 0.9
    assert alike(drawn.here, drawn.original) < 0.8
    (left, top), (right, *_), (_, bottom), _ = drawn.outline
    plot = np.array([64, 442]) / 448
    assert np.abs((np.array([left, right]) - plot[0]) / np.ptp(plot) - (0.25, 0.75)).max() < 0.01
    assert 0 < top < bottom < 1
    for part in ((0, -1, 50), (1, 0, 50), (0, 0, 60_001), (0, 5, 5)):
        said = answer(Preview(source=str(form), target=str(tmp_path / "x"), part=part))
        assert isinstance(said, Failed)


def test_only_a_part_that_is_there_is_drawn(tmp_path: Path) -> None:
    form = form_of(tmp_path / "form", ground())
    for part in ((0, 0, 241, 10), (-1, 0, 5, 5), (5, 5, 5, 9)):
        said = answer(Preview(source=str(form), target=str(tmp_path / "x"), part=part))
        assert isinstance(said, Failed)
        assert said.reason == "does not lie in the picture"
