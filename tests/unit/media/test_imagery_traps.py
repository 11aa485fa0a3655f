"""Traps that were seen in the libraries below: each would leak, or tell a lie, if it were walked into."""

from __future__ import annotations

import jbpy
import numpy as np
import pytest
import rasterio
import rasterio.shutil
import tifffile
from PIL import Image

from tearline.adapters import sandbox
from tearline.media import Inspect, Make, Preview
from tearline.media.imagery.nitf import Headers
from tearline.terms import ImageryForm
from tests import pictures

FORM = ImageryForm(name="coarse", gsd_m=10)
COLLECTOR = "QZXJKVWYQZXJ"


def test_gdal_copy_of_a_nitf_loses_its_marking_and_ours_does_not(tmp_path):
    source = pictures.marked(tmp_path / "source.ntf", FILE_TRE="SECRTA=0123456789")
    copy = tmp_path / "copy.ntf"
    rasterio.shutil.copy(source, copy, driver="NITF")
    lost = jbpy.Jbp().load(copy.open("rb"))["FileHeader"]
    assert (lost["FSCLAS"].value, lost["FSREL"].value) == ("U", None)  # the trap
    for form in (FORM, None):
        made = tmp_path / "form.ntf"
        pictures.make(source, made, form, "SECRET//REL TO USA, EST")
        assert pictures.inspect(made).marking == "SECRET//REL TO USA, EST"
        for place, group in Headers(made).groups():
            assert (group["CLAS"].value, group["REL"].value) == ("S", "USA EST"), place


def test_nitf_to_geotiff_keeps_identifying_tags_and_ours_does_not(tmp_path):
    names = {
        "FTITLE": COLLECTOR,
        "ONAME": COLLECTOR,
        "OSTAID": COLLECTOR[:10],
        "ISORCE": COLLECTOR,
        "IID2": COLLECTOR,
    }
    source = pictures.marked(tmp_path / "source.ntf", **names)
    copied, drawn = tmp_path / "copied.tif", tmp_path / "copied.png"
    with rasterio.Env(GDAL_PAM_ENABLED="YES"):
        rasterio.shutil.copy(source, copied, driver="GTiff")
        rasterio.shutil.copy(source, drawn, driver="PNG")
    assert copied.read_bytes().count(COLLECTOR.encode()) >= 4  # the trap
    assert COLLECTOR in (tmp_path / "copied.png.aux.xml").read_text()  # and its other half
    before = set(tmp_path.iterdir())
    target, png = tmp_path / "form.ntf", tmp_path / "form.png"
    pictures.make(source, target, FORM)
    sandbox.run(Preview(source=str(target), target=str(png)))
    assert set(tmp_path.iterdir()) - before == {target, png}
    assert not any(COLLECTOR[:10].encode() in path.read_bytes() for path in (target, png))


def test_a_forged_sidecar_does_not_override_the_marking(tmp_path):
    source = pictures.marked(tmp_path / "source.ntf")
    items = "<MDI key='NITF_FSCLAS'>U</MDI><MDI key='NITF_IDATIM'>20200101000000</MDI>"
    forged = f"<PAMDataset><Metadata>{items}</Metadata></PAMDataset>"
    (tmp_path / "source.ntf.aux.xml").write_text(forged)
    with rasterio.open(source) as deceived:
        assert deceived.tags()["NITF_FSCLAS"] == "U"  # the trap
    seen = sandbox.run(Inspect(source=str(source)))
    assert seen.marking == "SECRET//REL TO USA, GBR"
    assert seen.facts.taken == pictures.TAKEN
    assert pictures.inspect(source) == seen


def test_pillow_keeps_a_jpeg_comment_and_we_do_not(tmp_path):
    plain = tmp_path / "plain.jpg"
    Image.fromarray(pictures.noise()[0]).save(plain, comment=COLLECTOR)
    again = tmp_path / "again.jpg"
    with Image.open(plain) as picture:
        picture.save(again)
    assert COLLECTOR.encode() in again.read_bytes()  # the trap
    inside = tmp_path / "inside.tif"  # the same comment, in JPEG tiles of a TIFF
    pictures.raster(inside, compress="JPEG", tiled=True, blockxsize=64, blockysize=64)
    content = inside.read_bytes()
    with tifffile.TiffFile(inside) as file:
        page = file.pages[0]
        at, size = page.dataoffsets[0], page.databytecounts[0]
        counts = page.tags[325].valueoffset
    comment = b"\xff\xfe" + (len(COLLECTOR) + 2).to_bytes(2, "big") + COLLECTOR.encode()
    tile = content[at : at + 2] + comment + content[at + 2 : at + size]
    patched = bytearray(content + tile)
    offsets = page.tags[324].valueoffset
    patched[offsets : offsets + 4] = len(content).to_bytes(4, "little")
    patched[counts : counts + 4] = len(tile).to_bytes(4, "little")
    inside.write_bytes(patched)
    assert COLLECTOR.encode() in inside.read_bytes()
    target, png = tmp_path / "form.tif", tmp_path / "form.png"
    form = ImageryForm(name="plain")
    assert pictures.findings(target, pictures.make(inside, target, form), form) == ()
    sandbox.run(Preview(source=str(target), target=str(png)))
    assert not any(COLLECTOR.encode() in path.read_bytes() for path in (target, png))


def test_a_preview_is_pixels_and_nothing_else(tmp_path):
    data = pictures.noise(3, "uint16") * 500
    source = pictures.raster(tmp_path / "source.tif", data, photometric="RGB")
    target, png = tmp_path / "form.tif", tmp_path / "form.png"
    pictures.make(source, target, ImageryForm(name="plain"))
    drawn = sandbox.run(Preview(source=str(target), target=str(png), pixels=64))
    with Image.open(png) as picture:
        assert picture.size == (drawn.width, drawn.height) == (64, 48)
        assert picture.mode == "RGB"
        assert picture.info == {}
        assert np.asarray(picture).std() > 5
    kinds, at, content = [], 8, png.read_bytes()
    while at < len(content):
        kinds.append(content[at + 4 : at + 8])
        at += 12 + int.from_bytes(content[at : at + 4], "big")
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]


@pytest.mark.parametrize("form", [FORM, ImageryForm(name="plain"), None])
def test_the_same_form_is_the_same_file(tmp_path, form):
    source = pictures.marked(tmp_path / "source.ntf")
    made = {
        sandbox.run(
            Make(source=str(source), target=str(tmp_path / name), form=form, marking="SECRET//NOFORN")
        ).sha256
        for name in ("one", "two")
    }
    assert len(made) == 1
