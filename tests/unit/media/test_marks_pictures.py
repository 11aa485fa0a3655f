"""Marks in pictures: how strong, where not, and that they are found again."""

from __future__ import annotations

import io
import math
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.transform import from_origin
from scipy.ndimage import rotate, zoom

from tearline.adapters import sandbox
from tearline.media import Detect, Detected, Failed, Findings, Made, Make, Mark, Verify
from tearline.media.__main__ import answer
from tearline.media.marks import pattern
from tearline.media.marks.keyed import chance, dice, signs
from tearline.terms import Grain, ImageryForm

SEEDS = tuple(sha256(b"recipient %d" % number).digest() for number in range(16))
FORM = ImageryForm(name="own", time=Grain.DAY)
SURE = 1e-6 / 64


def ground(size: int = 320, seed: int = 3, low: int = 300, high: int = 2300) -> Any:
    """Fields with edges, and 1/f texture, as the ground has."""
    rng = np.random.default_rng(seed)
    f = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None])
    f[0, 0] = 1.0
    texture, shapes = (
        np.fft.ifft2(np.fft.fft2(rng.standard_normal((size, size))) / f**b).real for b in (1.2, 1.8)
    )
    data = texture / texture.std() + 2.0 * (shapes > shapes.mean())
    data = (data - data.min()) / np.ptp(data)
    return np.rint(low + (high - low) * data).astype(np.uint16)[None]


def written(path: Path, data: Any, **more: Any) -> Path:
    bands, height, width = data.shape
    place = {"crs": "EPSG:32636", "transform": from_origin(300_000, 5_600_000, 2, 2)}
    profile = {"driver": "GTiff", "width": width, "height": height, "count": bands, "dtype": data.dtype}
    with rasterio.open(path, "w", **{**profile, **place, **more}) as file:
        file.write(data)
    return path


def copies(
    tmp_path: Path, data: Any, numbers: tuple[int, ...] = (0,), **more: Any
) -> tuple[Path, list[Path]]:
    """The form without a mark, and the copies of some recipients; each is verified."""
    source, form = written(tmp_path / "source.tif", data, **more), tmp_path / "form"
    made = answer(Make(source=str(source), target=str(form), form=FORM, marking="TLP:GREEN"))
    assert isinstance(made, Made)
    paths = []
    for number in numbers:
        paths.append(tmp_path / f"copy{number}")
        copy = answer(Mark(source=str(form), target=str(paths[-1]), made=made, seed=SEEDS[number]))
        assert isinstance(copy, Made), copy
        assert copy.facts == made.facts
        assert copy.sha256 == sha256(paths[-1].read_bytes()).hexdigest() != made.sha256
        check = Verify(made=str(paths[-1]), form=FORM, marking="TLP:GREEN", expected=copy)
        assert answer(check) == Findings(found=())
    return form, paths


def read(path: Path) -> Any:
    with rasterio.open(path) as file:
        return file.read().astype(np.int64) if file.dtypes[0][0] != "f" else file.read()


def screen(data: Any) -> Any:
    """As a viewer shows it: 8 bits, stretched."""
    low, high = np.percentile(data, (1, 99))
    return np.rint(255 * ((data - low) / (high - low)).clip(0, 1)).astype(np.uint8)


def jpeg(data: Any, quality: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(data).save(file, "JPEG", quality=quality)
    return file.getvalue()


def found(tmp_path: Path, form: Path, leak: bytes) -> Detected:
    path = tmp_path / "leak"
    path.write_bytes(leak)
    said = answer(Detect(leaked=str(path), original=str(form), seeds=SEEDS))
    assert isinstance(said, Detected), said
    return said


def test_the_mark_is_as_weak_as_promised_and_leaves_what_is_saturated_or_missing(tmp_path: Path) -> None:
    data = ground()
    data[:, :30, :40] = 0
    data[:, 100:120, 100:130] = data.max()
    form, (copy,) = copies(tmp_path, data, nodata=0)
    before, after = read(form), read(copy)
    sound = before != 0
    span = np.subtract(*np.percentile(before[sound], (99.5, 0.5)))
    error = (after - before)[sound]
    assert 20 * math.log10(span / math.sqrt((error**2).mean())) >= 50.0
    assert np.abs(error).max() <= math.ceil(4 * span * 10 ** (-50.5 / 20))
    still = ~sound | (before == before.max())
    assert (after[still] == before[still]).all()
    assert (after[sound] > 0).all()
    assert after.max() == before.max()


@pytest.mark.parametrize("more", [{}, {"compress": "deflate"}])
def test_but_for_samples_the_copy_is_the_form(tmp_path: Path, more: dict[str, str]) -> None:
    form, (copy,) = copies(tmp_path, np.concatenate([ground(seed=1), ground(seed=2)]), **more)
    with rasterio.open(form) as here, rasterio.open(copy) as there:
        assert here.profile == there.profile
        assert here.tags() == there.tags()
    if not more:  # the very bytes, outside of the tiles
        assert form.read_bytes()[:256] == copy.read_bytes()[:256]


def test_the_same_seed_gives_the_same_file_and_strips_have_no_seam(tmp_path: Path) -> None:
    class Rows:
        width, height = 320, 320

        def __init__(self, data: Any, rows: int) -> None:
            self._data, self.rows = data, rows

        def read(self, top: int, bottom: int) -> tuple[Any, Any]:
            data = self._data[:, top:bottom]
            return data, np.ones(data.shape[1:], bool)

    data = ground().astype(np.float32)
    usual = pattern.levels(Rows(data, 64))
    wholes = [
        np.concatenate(list(pattern.strips(Rows(data, rows), usual, SEEDS[0])), axis=1)
        for rows in (64, 96, 320)
    ]
    assert np.allclose(wholes[0], wholes[1], atol=1e-3)
    assert np.allclose(wholes[0], wholes[2], atol=1e-3)
    other = np.concatenate(list(pattern.strips(Rows(data, 64), usual, SEEDS[1])), axis=1)
    assert abs(np.corrcoef((wholes[0] - data).ravel(), (other - data).ravel())[0, 1]) < 0.05


@pytest.mark.parametrize("kind", ["uint8", "int16", "float32"])
def test_other_samples_bear_a_mark_too(tmp_path: Path, kind: str) -> None:
    data = ground()
    data = screen(data) if kind == "uint8" else (data.astype(np.int32) - 1300).astype(kind)
    if kind == "float32":
        data = data / np.float32(1e4)
        data[0, :20, :20] = np.nan
    form, (copy,) = copies(tmp_path, data)
    assert (np.isnan(read(form)) == np.isnan(read(copy))).all()
    said = found(tmp_path, form, jpeg(screen(np.nan_to_num(read(copy)[0])), 60))
    assert said.chances[0] < SURE < min(said.chances[1:])


def test_a_picture_of_one_value_bears_none(tmp_path: Path) -> None:
    source, form = written(tmp_path / "a", np.full((1, 64, 64), 7, np.uint16)), tmp_path / "form"
    made = answer(Make(source=str(source), target=str(form), form=FORM, marking=""))
    assert isinstance(made, Made)
    said = answer(Mark(source=str(form), target=str(tmp_path / "copy"), made=made, seed=SEEDS[0]))
    assert isinstance(said, Failed)
    assert "alike" in said.reason


def test_found_after_jpeg_and_a_cut(tmp_path: Path) -> None:
    form, (copy,) = copies(tmp_path, ground())
    said = found(tmp_path, form, jpeg(screen(read(copy)[0])[40:266, 60:286], 50))
    assert said.chances[0] < SURE < min(said.chances[1:])
    assert "by points" in said.how


def test_found_after_turning_shrinking_and_jpeg(tmp_path: Path) -> None:
    form, (copy,) = copies(tmp_path, ground())
    turned = rotate(screen(read(copy)[0]).astype(float), 2.5, reshape=False)[20:-20, 20:-20]
    small = zoom(turned, 0.83).clip(0, 255).astype(np.uint8)
    said = found(tmp_path, form, jpeg(small, 60))
    assert said.chances[0] < SURE < min(said.chances[1:])


def test_found_on_its_side(tmp_path: Path) -> None:
    form, (copy,) = copies(tmp_path, ground())
    for turns in (1, 2, 3):
        said = found(tmp_path, form, jpeg(np.rot90(screen(read(copy)[0]), turns), 80))
        assert said.chances[0] < SURE < min(said.chances[1:])


def test_all_four_are_found_in_the_mean_of_their_copies(tmp_path: Path) -> None:
    form, paths = copies(tmp_path, ground(), (0, 3, 5, 9))
    said = found(tmp_path, form, jpeg(screen(np.mean([read(path)[0] for path in paths], axis=0)), 90))
    assert {number for number, one in enumerate(said.chances) if one < SURE} == {0, 3, 5, 9}


def test_nobody_is_found_in_the_form_without_a_mark_or_in_another_picture(tmp_path: Path) -> None:
    form, _ = copies(tmp_path, ground())
    assert min(found(tmp_path, form, jpeg(screen(read(form)[0]), 90)).chances) > SURE
    other = found(tmp_path, form, jpeg(screen(ground(seed=77)[0]), 90))
    assert other.scores == ()


def test_the_difference_of_two_copies_names_both(tmp_path: Path) -> None:
    """Who compares two copies and publishes one with their difference doubled is named, not somebody else."""
    form, (one, two) = copies(tmp_path, ground(), (0, 1))
    pushed = read(one)[0] + (read(one)[0] - read(two)[0])
    said = found(tmp_path, form, jpeg(screen(pushed), 90))
    assert said.chances[0] < SURE
    assert min(said.chances[1:]) > SURE
    assert said.scores[1] < -6  # pushed away from: the other took part


def test_a_bomb_and_rubbish_are_one_plain_sentence(tmp_path: Path) -> None:
    form, _ = copies(tmp_path, ground(64))
    leak = tmp_path / "leak"
    huge = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(huge, "PNG")
    for body in (
        huge.getvalue(),
        b"\x89PNG\r\n\x1a\nrubbish",
        jpeg(screen(ground()[0]), 80)[:900],
        b"\0" * 500,
    ):
        leak.write_bytes(body)
        said = answer(Detect(leaked=str(leak), original=str(form), seeds=SEEDS))
        assert isinstance(said, Failed), body[:20]


def test_signs_do_not_depend_on_how_many_are_asked_for() -> None:
    few, many = (signs(SEEDS[0], "picture", range(7, 9), count) for count in (100, 4000))
    assert (few == many[:, :100]).all()
    assert 0.45 < many.mean() < 0.55
    assert (signs(SEEDS[0], "picture", range(8, 9), 100)[0] == few[1]).all()
    assert (few[0] != few[1]).any()
    assert 0.45 < dice(SEEDS[0], "picture", 7, 4001).mean() < 0.55


def test_the_bound_holds_where_coins_are_worst() -> None:
    """Few coins of even weight: the tail of the binomial, exactly, against the bound."""
    for count in (1, 2, 3, 4, 7, 16, 64):
        for heads in range(count + 1):
            z = (2 * heads - count) / math.sqrt(count)
            exact = sum(math.comb(count, k) for k in range(heads, count + 1)) / 2**count
            assert exact <= chance(z) * (1 + 1e-12)
    assert chance(5.8) < SURE < chance(5.6)


def test_the_requests_survive_json() -> None:
    request = Detect(leaked="/a", original="/b", seeds=SEEDS[:2])
    assert msgspec.json.decode(msgspec.json.encode(request), type=Detect) == request


def test_in_the_sandbox(tmp_path: Path) -> None:
    """As the others, behind the walls: two files are read, one is written."""
    source, form = written(tmp_path / "source.tif", ground()), tmp_path / "form"
    made = answer(Make(source=str(source), target=str(form), form=FORM, marking="TLP:GREEN"))
    assert isinstance(made, Made)
    copy = tmp_path / "copy"
    sandbox.run(Mark(source=str(form), target=str(copy), made=made, seed=SEEDS[2]))
    said = sandbox.run(Detect(leaked=str(copy), original=str(form), seeds=SEEDS))
    assert said.chances[2] < SURE
    assert "its place on the earth" in said.how
