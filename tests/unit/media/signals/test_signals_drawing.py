"""Previews: a picture that shows where the power is, of a form that was released."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tearline.media import Preview, Previewed
from tearline.media.signals import answer
from tearline.media.signals.drawing import _colours, _ticks
from tearline.terms import BadInput
from tests.recordings import RATE, archive, metadata, noise


def drawn(path: Path, pixels: int = 512) -> tuple[Previewed, Image.Image]:
    target = path.with_suffix(".png")
    found = answer(Preview(source=str(path), target=str(target), pixels=pixels), lambda done: None)
    assert isinstance(found, Previewed)
    assert found.size == target.stat().st_size
    return found, Image.open(target)


def tone(path: Path, frequency: float, samples: int) -> Path:
    at = np.arange(samples)
    numbers = np.exp(2j * np.pi * frequency / RATE * at).astype("<c8") + 1e-3
    return archive(path, metadata(), numbers.astype("<c8").tobytes())


@pytest.mark.parametrize(("frequency", "part"), [(RATE / 4, 0.25), (-RATE / 4, 0.75), (RATE * 0.4, 0.1)])
def test_a_tone_is_a_bright_line_where_it_should_be(tmp_path: Path, frequency: float, part: float) -> None:
    _, picture = drawn(tone(tmp_path / "a.sigmf", frequency, 200_000))
    inside = np.asarray(picture.convert("L"))[6:-24, 64:-6].astype(float).mean(axis=1)
    assert abs(int(inside.argmax()) / len(inside) - part) < 0.02


@pytest.mark.parametrize(("pixels", "size"), [(64, (256, 128)), (512, (512, 256)), (9000, (1024, 512))])
def test_sizes_are_bounded(tmp_path: Path, pixels: int, size: tuple[int, int]) -> None:
    found, picture = drawn(tone(tmp_path / "a.sigmf", 1000.0, 5000), pixels)
    assert (found.width, found.height) == picture.size == size
    assert not picture.info


@pytest.mark.parametrize("samples", [2, 3, 17, 1000])
@pytest.mark.parametrize("datatype", ["cf32_le", "ri16_be", "ru8"])
def test_short_recordings_are_drawn(tmp_path: Path, samples: int, datatype: str) -> None:
    meta = metadata(datatype)
    if samples == 17:
        del meta["global"]["core:sample_rate"]
        del meta["captures"][0]["core:frequency"]
    drawn(archive(tmp_path / "a.sigmf", meta, noise(datatype, samples)))


def test_silence_and_samples_that_are_no_numbers_are_drawn(tmp_path: Path) -> None:
    drawn(archive(tmp_path / "a.sigmf", metadata(), bytes(8000)))
    drawn(archive(tmp_path / "b.sigmf", metadata(), np.full(2000, np.nan, "<f4").tobytes()))


def test_without_samples_there_is_no_picture(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.sigmf", metadata(core__metadata_only=True), None)
    with pytest.raises(BadInput, match="no samples"):
        drawn(path)


def test_lightness_rises_evenly() -> None:
    colours = _colours(np.linspace(-80, 0, 256)[None])[0].astype(float) / 255
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    light = linear @ [0.2126, 0.7152, 0.0722]
    steps = np.diff(np.cbrt(light))[15:240]
    assert (steps >= 0).all()
    assert steps.max() < 4 * np.median(steps)


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (432.5, 433.5), (-24.0, 24.0), (0.0, 1e-6), (0.0, 86_400.0)]
)
def test_ticks_are_few_and_inside(low: float, high: float) -> None:
    found = _ticks(low, high, 6)
    assert 2 <= len(found) <= 7
    assert all(low - 1e-9 <= value <= high * (1 + 1e-9) for value in found)
