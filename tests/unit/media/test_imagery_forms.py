"""What a form is: its grid in other maps, its samples, what is not sound in it, and real pictures."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.transform import Affine

from tearline.media.imagery.grid import RUNGS
from tearline.terms import Box, Grain, ImageryForm
from tests import pictures

REAL = Path(__file__).parents[4] / "shared" / "data" / "media" / "RGB.byte.tif"


def test_each_rung_divides_the_next_and_class_borders_are_rungs():
    assert all(math.isclose(large / small % 1, 0) for small, large in itertools.pairwise(RUNGS))
    assert {0.5, 2.0, 10.0, 30.0} <= {*RUNGS}


def formed(tmp_path, source, **form) -> tuple[object, np.ndarray, Affine, int | None]:
    wanted = ImageryForm(name="x", **form)
    target = tmp_path / "form.tif"
    made = pictures.make(source, target, wanted)
    assert pictures.findings(target, made, wanted) == ()
    with rasterio.open(target, driver="GTiff") as picture:
        return made, picture.read(), picture.transform, picture.crs and picture.crs.to_epsg()


@pytest.mark.parametrize(("latitude", "times"), [(0.3, 1), (50.0, 2), (62.0, 4)])
def test_degrees_are_widened_until_they_are_long_enough(tmp_path, latitude, times):
    """A cell in degrees gets narrower towards the poles: its side is doubled, and stays on the grid."""
    step = 2e-5
    source = pictures.raster(
        tmp_path / "source.tif", crs="EPSG:4326", transform=pictures.from_origin(33.0, latitude, step, step)
    )
    made, _, place, epsg = formed(tmp_path, source, gsd_m=10)
    assert epsg == 4326
    side = 10 / 110_500
    assert place.a == pytest.approx(side * times)
    assert made.facts.gsd_m >= 9.9
    assert abs(place.c / place.a - round(place.c / place.a)) < 1e-6


def test_mercator_too(tmp_path):
    north = 6_446_275.0  # 50 degrees: a metre of this map is 0.64 m of ground
    source = pictures.raster(
        tmp_path / "source.tif", crs="EPSG:3857", transform=pictures.from_origin(3_673_000.0, north, 2, 2)
    )
    made, _, place, epsg = formed(tmp_path, source, gsd_m=10)
    assert (epsg, place.a) == (3857, 20.0)
    assert made.facts.gsd_m >= 10


def test_a_turned_picture_is_brought_onto_the_grid(tmp_path):
    turned = Affine.translation(500_000, 5_500_000) @ Affine.rotation(30) @ Affine.scale(2, -2)
    source = pictures.raster(tmp_path / "source.tif", np.full((1, 120, 160), 77, np.uint8), transform=turned)
    _, data, place, epsg = formed(tmp_path, source, gsd_m=10)
    assert epsg == 32636
    assert (place.a, place.b, place.e) == (10, 0, -10)
    assert place.c % 10 == place.f % 10 == 0
    assert {*np.unique(data)} == {0, 77}  # outside nothing, inside the mean of equals


def test_control_points_alone_give_a_place(tmp_path):
    source = tmp_path / "source.tif"
    points = [
        GroundControlPoint(row, column, 500_000 + 2 * column, 5_500_000 - 2 * row)
        for row in (0, 120)
        for column in (0, 160)
    ]
    profile = {"driver": "GTiff", "count": 1, "height": 120, "width": 160, "dtype": "uint8"}
    with rasterio.open(source, "w", **profile) as picture:
        picture.write(np.full((1, 120, 160), 9, np.uint8))
        picture.gcps = points, rasterio.CRS.from_epsg(32636)
    made, data, place, epsg = formed(tmp_path, source, gsd_m=10)
    assert (epsg, place.a, place.c % 10) == (32636, 10, 0)
    assert made.facts.gsd_m == 10
    assert 9 in data


def test_a_map_of_its_own_is_not_handed_on(tmp_path):
    words = (
        'PROJCS["QZXJKVWY",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],'
        'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],'
        'PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",33.123],PARAMETER["scale_factor",1],'
        'PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["metre",1]]'
    )
    source = pictures.raster(tmp_path / "source.tif", crs=words)
    assert b"QZXJKVWY" in source.read_bytes()
    _, _, _, epsg = formed(tmp_path, source, gsd_m=10)
    assert epsg == 32636
    assert b"QZXJ" not in (tmp_path / "form.tif").read_bytes()


def test_only_what_lies_in_the_area(tmp_path):
    """Samples outside have no part in it: not as pixels, nor in the averages, nor in the scale of bits."""
    data = pictures.noise(1, "uint16", seed=5) * 100
    source = pictures.raster(tmp_path / "source.tif", data)
    area = Box(33.0008, 49.6508, 33.0034, 49.6520)
    outputs = []
    for outside in (0, 65535):
        made, pixels, place, _ = formed(tmp_path, source, gsd_m=10, area=area, bits=8)
        box = made.facts.box
        assert area.west <= box.west < box.east <= area.east
        assert area.south <= box.south < box.north <= area.north
        outputs.append((tmp_path / "form.tif").read_bytes())
        # Everything that touches no cell of the form becomes something else.
        first = round((place.c - pictures.LEFT) / 2), round((pictures.TOP - place.f) / 2)
        kept = np.zeros((120, 160), bool)
        down, across = (5 * count + 1 for count in pixels.shape[1:])
        kept[first[1] : first[1] + down, first[0] : first[0] + across] = True
        data = np.where(kept, data, np.uint16(outside))
        source = pictures.raster(tmp_path / "source.tif", data)
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32", "float64", "uint32"])
def test_fewer_bits_are_a_straight_line(tmp_path, dtype):
    data = (np.arange(120 * 160).reshape(1, 120, 160) % 5000).astype(dtype)
    _, pixels, _, _ = formed(tmp_path, pictures.raster(tmp_path / "source.tif", data), bits=8)
    assert pixels.dtype == np.uint8
    assert pixels.max() == 255
    low = 0 if data.dtype.kind != "f" else 1  # a float may be no number: 0 is kept for that
    want = np.rint(data / 4999 * (255 - low)) + low
    assert np.abs(pixels.astype(float) - want).max() <= 1


def test_what_is_not_sound_takes_no_part(tmp_path):
    data = np.full((1, 120, 160), 100, np.int16)
    data[0, :, :82] = -9999  # two fifths of the 17th column of cells
    data[0, :, 157:] = -9999  # three fifths of the last
    source = pictures.raster(
        tmp_path / "source.tif", data, nodata=-9999, transform=pictures.from_origin(500_000, 5_500_000, 2, 2)
    )
    _, pixels, place, _ = formed(tmp_path, source, gsd_m=10)
    assert (place.c, place.f) == (500_000, 5_500_000)
    with rasterio.open(tmp_path / "form.tif", driver="GTiff") as form:
        assert form.nodata == -32768  # of the type, not of the source
    assert {*np.unique(pixels[0, :, :16])} == {-32768}
    assert {*np.unique(pixels[0, :, 16:31])} == {100}
    assert {*np.unique(pixels[0, :, 31])} == {-32768}


def test_transparency_is_not_a_band(tmp_path):
    data = pictures.noise(4)
    data[3] = 255
    data[3, :60] = 0
    source = pictures.raster(tmp_path / "source.tif", data, photometric="RGB", alpha="YES")
    made, pixels, _, _ = formed(tmp_path, source)
    assert made.facts.bands == 3
    assert (pixels[:, :60] == 0).all()
    assert (pixels[:, 60:] == np.maximum(data[:3, 60:], 1)).all()


@pytest.mark.parametrize("bands", [1, 2, 3, 12])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_samples_come_through_both_formats(tmp_path, bands, dtype):
    data = pictures.noise(bands, dtype)
    plain = pictures.raster(tmp_path / "source.tif", data, compress="deflate")
    _, pixels, _, _ = formed(tmp_path, plain)
    assert (pixels == data).all()
    form = ImageryForm(name="x")
    target = tmp_path / "form.ntf"
    made = pictures.make(pictures.marked(tmp_path / "source.ntf", data), target, form)
    assert pictures.findings(target, made, form) == ()
    with rasterio.open(target, driver="NITF") as picture:
        assert (picture.read() == data).all()


@pytest.mark.parametrize(
    ("grain", "digits", "tag"),
    [
        (Grain.EXACT, "20261120101112", "2026:11:20 10:11:12"),
        (Grain.HOUR, "2026112010----", "2026:11:20 10:00:00"),
        (Grain.DAY, "20261120------", "2026:11:20 00:00:00"),
        (Grain.MONTH, "202611--------", "2026:11:01 00:00:00"),
        (Grain.NONE, "--------------", None),
    ],
)
def test_time_is_told_as_exactly_as_the_form_says(tmp_path, grain, digits, tag):
    form = ImageryForm(name="x", time=grain)
    source = pictures.raster(tmp_path / "source.tif")
    made = pictures.make(source, tmp_path / "form.tif", form)
    assert pictures.findings(tmp_path / "form.tif", made, form) == ()
    with rasterio.open(tmp_path / "form.tif", driver="GTiff") as picture:
        assert picture.tags().get("TIFFTAG_DATETIME") == tag
        assert {*picture.tags()} <= {"TIFFTAG_DATETIME", "AREA_OR_POINT"}
    made = pictures.make(pictures.marked(tmp_path / "source.ntf"), tmp_path / "form.ntf", form)
    assert pictures.findings(tmp_path / "form.ntf", made, form) == ()
    assert digits.encode() in (tmp_path / "form.ntf").read_bytes()


def test_a_picture_that_is_coarser_already_stays_so(tmp_path):
    source = pictures.raster(
        tmp_path / "source.tif", transform=pictures.from_origin(500_003, 5_500_007, 20, 20)
    )
    made, pixels, place, _ = formed(tmp_path, source, gsd_m=10)
    assert (made.facts.gsd_m, place.a, place.c) == (20, 20, 500_003)
    assert (pixels == pictures.noise()).all()


@pytest.mark.skipif(not REAL.exists(), reason="the folder shared/data is not beside the project")
@pytest.mark.parametrize(
    "form", [{}, {"gsd_m": 3000.0}, {"gsd_m": 1000.0, "bits": 8}, {"area": Box(-78, 24, -77, 25)}]
)
def test_a_real_picture(tmp_path, form):
    made, pixels, _, epsg = formed(tmp_path, REAL, **form)
    assert epsg == 32618
    assert made.facts.bands == 3
    with rasterio.open(REAL, driver="GTiff") as source:
        mask, real = source.dataset_mask() > 0, source.read()
    sound = (pixels != 0).any(axis=0)
    for got, band in zip(pixels, real, strict=True):
        if "area" not in form:
            assert got[sound].mean() == pytest.approx(band[mask].mean(), rel=0.02)
