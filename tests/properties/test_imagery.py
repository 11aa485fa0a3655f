"""What is written into a picture's fields is in no form of it; cells do not hang on the source's own grid."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.media import Preview
from tearline.media.imagery import answer
from tearline.media.imagery.grid import RUNGS
from tearline.terms import Box, Grain, ImageryForm
from tests import pictures

AREA = Box(33.0005, 49.6507, 33.004, 49.6522)
forms = st.builds(
    ImageryForm,
    name=st.just("sanitized"),
    gsd_m=st.sampled_from([0.0, 1.0, 2.5, 10.0, 30.0]),
    area=st.sampled_from([None, AREA]),
    bits=st.sampled_from([None, 8, 16]),
    time=st.sampled_from(Grain),
)
canaries = st.text("QZXJKVWY", min_size=12, max_size=16)
"""Letters that no header of ours has in a row."""
PLANTED = {
    "source.tif": pictures.planted_tiff,
    "camera.tif": pictures.planted_exif,
    "source.ntf": pictures.planted_nitf,
    "source.jp2": pictures.planted_jp2,
}


@pytest.mark.parametrize("name", PLANTED)
@settings(max_examples=12, deadline=None)
@given(canary=canaries, form=forms)
def test_a_canary_in_every_field_is_in_no_output(name, canary, form):
    with tempfile.TemporaryDirectory() as folder:
        source, target, drawn = (Path(folder, each) for each in (name, "form", "drawn.png"))
        PLANTED[name](source, canary)
        assert source.read_bytes().count(canary[:10].encode()) >= 3
        if name == "camera.tif":  # it has no place on the earth
            form = msgspec.structs.replace(form, gsd_m=0.0, area=None)
        made = pictures.make(source, target, form)
        assert pictures.findings(target, made, form) == ()
        previewed = answer(Preview(source=str(target), target=str(drawn)), lambda done: None)
        outputs = (target.read_bytes(), drawn.read_bytes(), msgspec.json.encode([made, previewed]))
        for output in outputs:
            for piece in (canary[:6], canary[-6:], canary[2:8]):
                assert piece.encode() not in output
                assert piece.encode("utf-16-le") not in output


@settings(max_examples=25, deadline=None)
@given(
    shift=st.tuples(st.integers(-9, 9), st.integers(-9, 9)),
    crop=st.tuples(st.integers(0, 30), st.integers(0, 30)),
    rung=st.sampled_from(RUNGS[3:5]),
)
def test_shifted_and_cropped_copies_give_the_same_cells(shift, crop, rung):
    """The same ground, from files with other origins: wherever two forms both have a cell, it is the same."""
    ground = np.random.default_rng(3).integers(0, 255, (400, 400), dtype=np.uint8)
    seen = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (right, down) in enumerate(
            ((0, 0), (crop[0] + max(0, shift[0]), crop[1] + max(0, shift[1])))
        ):
            part = ground[None, down:, right:]
            corner = pictures.from_origin(500_003.0 + 2 * right, 5_500_007.0 - 2 * down, 2, 2)
            source = pictures.raster(Path(folder, f"{number}.tif"), part, transform=corner)
            target = Path(folder, f"{number}-form.tif")
            pictures.make(source, target, ImageryForm(name="coarse", gsd_m=rung))
            with rasterio.open(target, driver="GTiff") as form:
                seen.append(cells(form))
    both = seen[0].keys() & seen[1].keys()
    assert both
    assert all(seen[0][at] == seen[1][at] for at in both)


def cells(form) -> dict[tuple[float, float], int]:
    data = form.read(1)
    return {
        (column + form.transform.c / form.transform.a, row - form.transform.f / form.transform.a): int(
            data[row, column]
        )
        for row in range(form.height)
        for column in range(form.width)
    }


@settings(max_examples=20, deadline=None)
@given(
    origin=st.tuples(st.floats(0, 50), st.floats(0, 50)),
    pixel=st.floats(0.6, 9.0),
    rung=st.sampled_from([10.0, 30.0]),
    tiled=st.booleans(),
    dtype=st.sampled_from(["uint8", "uint16", "int16", "float32"]),
)
def test_a_cell_is_the_mean_by_area(origin, pixel, rung, tiled, dtype):
    """Against the definition, cell by cell, for pixels that do not fit the grid."""
    data = pictures.noise(2, dtype)
    corner = pictures.from_origin(500_000 + origin[0], 5_500_000 - origin[1], pixel, pixel)
    blocks = {"tiled": True, "blockxsize": 32, "blockysize": 16} if tiled else {}
    with tempfile.TemporaryDirectory() as folder:
        source = pictures.raster(Path(folder, "source.tif"), data, transform=corner, **blocks)
        target = Path(folder, "form.tif")
        pictures.make(source, target, ImageryForm(name="coarse", gsd_m=rung))
        with rasterio.open(target, driver="GTiff") as form:
            got, place = form.read(), form.transform
    assert place.a == -place.e == rung
    assert place.c % rung == place.f % rung == 0
    for row in range(got.shape[1]):
        down = weights(data.shape[1], corner.f - place.f + rung * row, pixel, rung)
        for column in range(got.shape[2]):
            across = weights(data.shape[2], place.c + rung * column - corner.c, pixel, rung)
            want = (data * down[:, None] * across).sum(axis=(1, 2)) / (rung * rung)
            slack = 0.5001 if data.dtype.kind != "f" else 1e-3
            assert np.abs(got[:, row, column] - want).max() <= slack


def weights(count: int, start: float, pixel: float, side: float) -> np.ndarray:
    """How many metres of each source pixel lie in a cell that begins at `start`."""
    low = np.arange(count) * pixel
    return (np.minimum(low + pixel, start + side) - np.maximum(low, start)).clip(0, None)


LEVELS = ("UNCLASSIFIED", "CONFIDENTIAL", "SECRET", "TOP SECRET")
OWNERS = ("GBR", "CAN", "DEU", "POL", "UKR", "FRA", "EST", "NOR", "TUR", "ROU")
PARTNERS = ("CAN", "EST", "GBR", "POL", "UKR", "FVEY", "NATO")


@st.composite
def markings(draw) -> str:
    """Banner lines for which NITF has fields: every level and releasability."""
    level = draw(st.sampled_from(LEVELS))
    owner = draw(st.sampled_from(("USA", "NATO", *OWNERS)))
    names = draw(st.sets(st.sampled_from(PARTNERS), max_size=3)) - {owner}
    own = [name for name in PARTNERS if name in names]
    blocks = []
    if owner == "USA":
        text = level
        if level != "UNCLASSIFIED":
            sci = [name for name in ("SI", "TK") if draw(st.booleans())]
            blocks += ["/".join(sci)] if sci else []
        listed = [f"REL TO {', '.join(['USA', *own])}"] if own else ["NOFORN"] if draw(st.booleans()) else []
        dissem = (["ORCON"] if draw(st.booleans()) and level != "UNCLASSIFIED" else []) + listed
    elif owner == "NATO":
        text = f"//{'COSMIC TOP SECRET' if level == 'TOP SECRET' else f'NATO {level}'}"
        dissem = [f"REL TO {', '.join(own)}"] if own else []
    else:
        text = f"//{owner} {draw(st.sampled_from((level, 'RESTRICTED')))}"
        dissem = [f"REL TO {', '.join(['USA', *own])}"] if own else []
    return "//".join([text, *blocks, *(["/".join(dissem)] if dissem else [])])


@settings(max_examples=40, deadline=None)
@given(marking=markings(), whole=st.booleans())
def test_a_marking_comes_back_from_a_nitf(marking, whole):
    """Both as the fields of a form built anew and as those of a whole file marked anew."""
    form = None if whole else ImageryForm(name="coarse", gsd_m=10)
    with tempfile.TemporaryDirectory() as folder:
        source, target = pictures.marked(Path(folder, "source.ntf")), Path(folder, "form.ntf")
        made = pictures.make(source, target, form, marking)
        assert pictures.findings(target, made, form, marking) == ()
        seen = pictures.inspect(target)
    assert (seen.marking, seen.quarantine) == (marking, None)
