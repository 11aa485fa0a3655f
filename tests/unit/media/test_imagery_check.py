"""The second parsers find what should not be in a form, wherever a fault of ours would have put it."""

from __future__ import annotations

import struct

import jbpy
import msgspec
import numpy as np
import pytest
import rasterio
import tifffile

from tearline.media.imagery.make import hashed
from tearline.terms import Box, Grain, ImageryForm, SignalForm
from tests import pictures

FORM = ImageryForm(name="coarse", gsd_m=10, time=Grain.DAY)


@pytest.fixture
def tiff(tmp_path):
    target = tmp_path / "form.tif"
    made = pictures.make(pictures.raster(tmp_path / "source.tif", pictures.noise(3)), target, FORM)
    assert pictures.findings(target, made, FORM) == ()
    return target, made


@pytest.fixture
def nitf(tmp_path):
    target = tmp_path / "form.ntf"
    made = pictures.make(pictures.marked(tmp_path / "source.ntf"), target, FORM)
    assert pictures.findings(target, made, FORM) == ()
    return target, made


def again(target, made, form=FORM) -> str:
    """The findings, once the hash is that of the changed file."""
    sha256, size = hashed(target)
    return "\n".join(pictures.findings(target, msgspec.structs.replace(made, sha256=sha256, size=size), form))


def entry(target, code: int) -> int:
    with tifffile.TiffFile(target) as file:
        return file.pages[0].tags[code].offset


def patch(target, at: int, content: bytes) -> None:
    old = target.read_bytes()
    target.write_bytes(old[:at] + content + old[at + len(content) :])


def test_a_changed_byte_is_another_file(tiff):
    target, made = tiff
    patch(target, target.stat().st_size - 1, b"\x01")
    assert "hash" in "\n".join(pictures.findings(target, made, FORM))


@pytest.mark.parametrize("code", [270, 305, 315, 700, 34675, 42112, 50844, 65000])
def test_a_tag_that_is_not_allowed(tiff, code):
    target, made = tiff
    patch(target, entry(target, 262), struct.pack("<H", code))
    assert f"tag {code} is not allowed" in again(target, made) or "cannot" in again(target, made)


def test_another_time_in_the_tag(tiff):
    target, made = tiff
    at = target.read_bytes().index(b"2026:11:20 00:00:00")
    patch(target, at, b"2026:11:20 10:11:12")
    assert "tag 306 does not hold what it should" in again(target, made)


def test_bytes_that_belong_to_nothing(tiff):
    target, made = tiff
    target.write_bytes(target.read_bytes() + b"secret")
    assert "belong to nothing" in again(target, made)


def test_bytes_in_a_gap(tiff):
    target, made = tiff
    with tifffile.TiffFile(target) as file:
        first = min(file.pages[0].dataoffsets)
    content = target.read_bytes()
    gap = [at for at in range(first - 12, first) if content[at] == 0]
    patch(target, gap[-1], b"x")
    assert "belong to nothing" in again(target, made)


def test_a_second_directory(tiff, tmp_path):
    target, made = tiff
    with tifffile.TiffWriter(target, append=True) as file:
        file.write(np.zeros((16, 16), np.uint8), metadata=None, software=False)
    assert "2 directories" in again(target, made)


def test_tiles_that_share_bytes(tiff):
    target, made = tiff
    with tifffile.TiffFile(target) as file:
        tag = file.pages[0].tags[324]
        at, first = tag.valueoffset, tag.value[0]
    patch(target, at + 4, struct.pack("<I", first))
    found = again(target, made)
    assert "share bytes" in found


def test_words_in_the_geographic_keys(tiff):
    target, made = tiff
    with tifffile.TiffFile(target) as file:
        at = file.pages[0].tags[34735].valueoffset
    patch(target, at + 16, struct.pack("<HHHH", 1026, 34737, 8, 0))
    assert again(target, made)


def test_it_is_not_what_was_told(tiff):
    target, made = tiff
    for change in ({"width": 7}, {"bands": 1}, {"dtype": "uint16"}, {"box": Box(1, 1, 2, 2)}, {"box": None}):
        facts = msgspec.structs.replace(made.facts, **change)
        assert pictures.findings(target, msgspec.structs.replace(made, facts=facts), FORM), change


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (ImageryForm(name="x", gsd_m=30), "finer than the form allows"),
        (ImageryForm(name="x", gsd_m=10, area=Box(33.001, 49.651, 33.002, 49.652)), "beyond the area"),
        (ImageryForm(name="x", gsd_m=10, time=Grain.MONTH), "time"),
        (ImageryForm(name="x", gsd_m=10, time=Grain.NONE), "time"),
    ],
)
def test_it_is_not_what_the_form_asks_for(tiff, nitf, form, reason):
    for target, made in (tiff, nitf):
        assert reason in "\n".join(pictures.findings(target, made, form))


def test_more_bits_than_the_form_allows(tmp_path):
    source, target = pictures.raster(tmp_path / "s.tif", pictures.noise(1, "uint16")), tmp_path / "f.tif"
    made = pictures.make(source, target, FORM)
    assert "more bits" in again(target, made, msgspec.structs.replace(FORM, bits=8))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OSTAID", b"QZXJ"),
        ("FTITLE", b"QZXJ"),
        ("ONAME", b"QZXJ"),
        ("OPHONE", b"QZXJ"),
        ("FDT", b"20261120101112"),
        ("FBKGC", b"QZX"),
        ("FSCOP", b"00007"),
    ],
)
def test_a_field_of_the_file_header(nitf, name, value):
    target, made = nitf
    header = jbpy.Jbp().load(target.open("rb"))["FileHeader"]
    patch(target, header[name].get_offset(), value)
    assert f"file header: field {name}" in again(target, made)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IID1", b"QZXJ"),
        ("IID2", b"QZXJ"),
        ("TGTID", b"QZXJ"),
        ("ISORCE", b"QZXJ"),
        ("IDATIM", b"20261120101112"),
        ("ISUBCAT00001", b"QZXJ"),
        ("ICAT", b"SAR"),
        ("ILOC", b"0000100001"),
    ],
)
def test_a_field_of_the_image(nitf, name, value):
    target, made = nitf
    header = jbpy.Jbp().load(target.open("rb"))["ImageSegments"][0]["subheader"]
    patch(target, header[name].get_offset(), value)
    assert f"image: field {name}" in again(target, made)


@pytest.mark.parametrize("name", ["ISCLAS", "ISREL", "ISCAUT", "ISCTLN"])
def test_a_security_field(nitf, name):
    target, made = nitf
    header = jbpy.Jbp().load(target.open("rb"))["ImageSegments"][0]["subheader"]
    patch(target, header[name].get_offset(), b"U")
    assert f"the security field {name[2:]} is not that of the marking" in again(target, made)


def test_trailing_bytes_of_a_nitf(nitf):
    target, made = nitf
    target.write_bytes(target.read_bytes() + b"secret")
    assert "cannot be read again" in again(target, made)


def test_gdal_reads_the_nitf_where_it_was_told(nitf):
    target, made = nitf
    with rasterio.open(target, driver="NITF") as picture:
        assert (picture.transform.a, picture.transform.e) == (10, -10)
        assert picture.transform.c % 10 == picture.transform.f % 10 == 0
    assert made.facts.gsd_m == 10


# --- Against what it was made of ------------------------------------------------------------------


def facts_of(source):
    return pictures.inspect(source).facts


def test_pixels_of_another_size_than_was_told(tiff, nitf):
    for target, made in (tiff, nitf):
        for size in (20.0, 9.0, None, float("nan")):
            told = msgspec.structs.replace(made.facts, gsd_m=size)
            said = pictures.findings(target, msgspec.structs.replace(made, facts=told), FORM)
            assert "the size of its pixels is not what was told" in said, size


def forged(tmp_path, left=None, top=None, side=10.0):
    """A form of the source's own pixels of 2 m, in which it is written that they are of `side`, and told."""
    source, target = pictures.raster(tmp_path / "source.tif"), tmp_path / "form.tif"
    made = pictures.make(source, target, ImageryForm(name="own", time=Grain.DAY))
    with tifffile.TiffFile(target) as file:
        scale, corner = (file.pages[0].tags[code].valueoffset for code in (33550, 33922))
    patch(target, scale, struct.pack("<2d", side, side))
    place = pictures.LEFT if left is None else left, pictures.TOP if top is None else top
    patch(target, corner + 24, struct.pack("<2d", *place))
    now = facts_of(target)
    told = msgspec.structs.replace(made.facts, gsd_m=now.gsd_m, box=now.box)
    sha256, size = hashed(target)
    lie = msgspec.structs.replace(made, facts=told, sha256=sha256, size=size)
    assert pictures.findings(target, lie, FORM) == (), "by itself it is sound"
    return pictures.findings(target, lie, FORM, of=facts_of(source))


def test_sharp_pixels_that_are_said_to_be_large_reach_beyond_their_picture(tmp_path):
    assert forged(tmp_path, 500_000.0, 5_500_000.0) == ("it reaches beyond its picture",)


def test_pixels_beside_the_common_grid(tmp_path):
    assert "its pixels are not on the common grid" in forged(tmp_path)
    assert "its pixels are not on the common grid" in forged(tmp_path, 500_000.0, 5_500_000.0, 11.0)


def test_a_form_is_no_more_than_its_picture(tiff, nitf, tmp_path):
    target, made = tiff
    of = facts_of(tmp_path / "source.tif")
    assert pictures.findings(target, made, FORM, of=of) == ()
    for change, reason in (
        ({"bands": 2}, "it has more bands than its picture"),
        ({"format": "nitf"}, "a nitf has no form that is geotiff"),
        ({"gsd_m": None, "box": None}, "it has a place that its picture has not"),
        ({"box": Box(1, 1, 2, 2)}, "it reaches beyond its picture"),
    ):
        said = "\n".join(pictures.findings(target, made, FORM, of=msgspec.structs.replace(of, **change)))
        assert reason in said
    lost = msgspec.structs.replace(of, box=None)
    assert pictures.findings(target, made, FORM, of=lost) == ()
    by_others = msgspec.structs.replace(FORM, sanitizer="fog/1")
    assert "180th meridian" in "\n".join(pictures.findings(target, made, by_others, of=lost))


def test_a_picture_is_no_form_of_a_recording(nitf):
    target, made = nitf
    assert pictures.findings(target, made, SignalForm(name="x")) == ("the form is not one of a picture",)
