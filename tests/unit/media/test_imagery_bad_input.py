"""Files that cannot be taken: each is named with its reason, nothing is left behind, nothing is fetched."""

from __future__ import annotations

import socket
import struct
import threading

import numpy as np
import pytest
import rasterio
import tifffile
from rasterio.transform import Affine

from tearline.adapters import sandbox
from tearline.media import Inspect, Make
from tearline.terms import BadInput, Box, ImageryForm
from tests import pictures


def refused(path) -> str:
    with pytest.raises(BadInput) as caught:
        pictures.inspect(path)
    return str(caught.value)


def test_what_is_no_picture(tmp_path):
    for content in (b"", b"x", b"\x89PNG\r\n\x1a\n" + bytes(100), b"II*\0" + bytes(4), b"MM\0*garbage" * 9):
        path = tmp_path / "source.tif"
        path.write_bytes(content)
        assert refused(path)


def test_a_name_does_not_make_a_format(tmp_path):
    path = pictures.marked(tmp_path / "source.ntf").rename(tmp_path / "source.tif")
    assert pictures.inspect(path).facts.format == "nitf"


@pytest.mark.parametrize("kind", ["tif", "deflate", "ntf", "jp2"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.98])
def test_truncated(tmp_path, kind, part):
    path = tmp_path / "source"
    data = pictures.noise(1)
    if kind == "ntf":
        pictures.marked(path, data)
    elif kind == "jp2":
        pictures.raster(path, data, driver="JP2OpenJPEG", QUALITY="100", REVERSIBLE="YES")
    else:
        pictures.raster(path, data, **({"compress": "deflate"} if kind == "deflate" else {}))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    assert refused(path)


def test_decompression_bombs(tmp_path):
    sparse = tmp_path / "sparse.tif"
    options = {"driver": "GTiff", "count": 1, "dtype": "uint8", "tiled": True, "SPARSE_OK": "TRUE"}
    with rasterio.open(sparse, "w", width=200_000, height=200_000, **options):
        pass
    assert "bytes of pixels in a file of" in refused(sparse)
    wide = tmp_path / "wide.tif"
    with rasterio.open(wide, "w", **(options | {"width": 1_100_000, "height": 16})):
        pass
    assert "pixels a side" in refused(wide)
    tile = tmp_path / "tile.tif"
    tifffile.imwrite(tile, np.zeros((8208, 8208), np.uint8), compression="zlib", tile=(8208, 8208))
    assert "its tiles" in refused(tile)


def test_headers_that_contradict_the_pixels(tmp_path):
    path = pictures.marked(tmp_path / "source.ntf")
    content = bytearray(path.read_bytes())
    for length in (len(content) + 1, len(content) - 1):
        path.write_bytes(bytes(content[:342]) + f"{length:012}".encode() + bytes(content[354:]))
        assert "length" in refused(path)
    tall = pictures.raster(tmp_path / "tall.tif")
    with tifffile.TiffFile(tall) as file:
        at = file.pages[0].tags[257].valueoffset
    content = bytearray(tall.read_bytes())
    content[at : at + 2] = struct.pack("<H", 60_000)
    tall.write_bytes(bytes(content))
    assert refused(tall)


def test_only_nan(tmp_path):
    empty = np.full((1, 120, 160), np.nan, np.float32)
    assert "not numbers" in refused(pictures.raster(tmp_path / "empty.tif", empty))
    empty[0, 60, 80] = 1
    assert pictures.inspect(pictures.raster(tmp_path / "one.tif", empty)).facts.dtype == "float32"


@pytest.mark.parametrize(
    "affine",
    [
        Affine(0, 0, 1, 0, 0, 1),
        Affine(float("nan"), 0, 0, 0, -1, 0),
        Affine(1e12, 0, 0, 0, -1e12, 0),
        Affine(1e-9, 0, 500_000, 0, -1e-9, 5_500_000),
    ],
)
def test_absurd_places(tmp_path, affine):
    path = tmp_path / "source.tif"
    keys = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32636)
    matrix = (affine.a, affine.b, 0, affine.c, affine.d, affine.e, 0, affine.f, 0, 0, 0, 0, 0, 0, 0, 1)
    tags = [(34735, "H", len(keys), keys, True), (34264, "d", 16, tuple(map(float, matrix)), True)]
    tifffile.imwrite(path, pictures.noise()[0], extratags=tags, metadata=None)
    assert "place on the earth" in refused(path)


def test_samples_that_are_not_taken(tmp_path):
    assert "complex" in refused(pictures.raster(tmp_path / "complex.tif", pictures.noise(1, "complex64")))
    palette = tmp_path / "palette.tif"
    tifffile.imwrite(
        palette, pictures.noise()[0], photometric="palette", colormap=np.zeros((3, 256), np.uint16)
    )
    assert "palette" in refused(palette)


def test_references_to_elsewhere_are_not_followed(tmp_path):
    heard = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen():
            try:
                server.accept()
            except OSError:
                return
            heard.set()

        ear = threading.Thread(target=listen, daemon=True)
        ear.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/secret.tif"
        outside = pictures.raster(tmp_path / "outside.tif")
        for target in (f"/vsicurl/{url}", str(outside)):
            vrt = tmp_path / "source.tif"
            vrt.write_text(
                f"<VRTDataset rasterXSize='160' rasterYSize='120'><VRTRasterBand dataType='Byte' band='1'>"
                f"<SimpleSource><SourceFilename relativeToVRT='0'>{target}</SourceFilename>"
                f"</SimpleSource></VRTRasterBand></VRTDataset>"
            )
            for request in (
                Inspect(source=str(vrt)),
                Make(source=str(vrt), target=str(tmp_path / "form"), form=ImageryForm(name="x"), marking="U"),
            ):
                with pytest.raises(BadInput, match="first bytes"):
                    sandbox.run(request)
        server.shutdown(socket.SHUT_RDWR)
        ear.join()
    assert not heard.is_set()
    assert not (tmp_path / "form").exists()


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (ImageryForm(name="x", area=Box(10, 10, 11, 11)), "nothing of the picture"),
        (ImageryForm(name="x", gsd_m=3000), "nothing of the picture"),
        (ImageryForm(name="x", gsd_m=40_000), "is the most"),
    ],
)
def test_forms_that_cannot_be_made_leave_nothing(tmp_path, form, reason):
    source, target = pictures.raster(tmp_path / "source.tif"), tmp_path / "form.tif"
    with pytest.raises(BadInput, match=reason):
        sandbox.run(Make(source=str(source), target=str(target), form=form, marking="UNCLASSIFIED"))
    assert not target.exists()


def test_a_marking_without_a_place_in_nitf_is_not_written(tmp_path):
    source = pictures.marked(tmp_path / "source.ntf")
    for marking in ("TLP:AMBER", "SECRET//SI-G ABCD//NOFORN", "//JOINT SECRET CAN GBR", "//AUS SECRET"):
        for form in (None, ImageryForm(name="x")):
            with pytest.raises(BadInput, match="security fields"):
                pictures.make(source, tmp_path / "form.ntf", form, marking)
