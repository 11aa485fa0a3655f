"""Pictures for tests, with whatever is wanted in whichever field has room for it."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from pathlib import Path

import jbpy
import numpy as np
import rasterio
import tifffile
from rasterio.transform import Affine

from tearline.media import Findings, Inspect, Inspected, Made, Make, Verify
from tearline.media.imagery import answer
from tearline.terms import Imagery, ImageryForm, Signal

TAKEN = datetime(2026, 11, 20, 10, 11, 12, tzinfo=UTC)
WIDTH, HEIGHT = 160, 120
LEFT, TOP, PIXEL = 500_003.0, 5_500_007.0, 2.0
"""In UTM zone 36 north, at 33 degrees east and 49.6 north."""


def from_origin(west: float, north: float, across: float, down: float) -> Affine:
    """As rasterio's, which multiplies its matrices in a way that affine 3 warns of."""
    return Affine(across, 0.0, west, 0.0, -down, north)


def noise(bands: int = 1, dtype: str = "uint8", seed: int = 0) -> np.ndarray:
    dice = np.random.default_rng(seed)
    return dice.integers(1, 120, (bands, HEIGHT, WIDTH)).astype(dtype)


def raster(path: Path, data: np.ndarray | None = None, **options: object) -> Path:
    """A picture written by GDAL. `options` are those of `rasterio.open`."""
    data = noise() if data is None else data
    profile = {
        "driver": "GTiff",
        "count": data.shape[0],
        "height": data.shape[1],
        "width": data.shape[2],
        "dtype": data.dtype,
        "crs": "EPSG:32636",
        "transform": from_origin(LEFT, TOP, PIXEL, PIXEL),
    } | options
    with rasterio.open(path, "w", **profile) as picture:
        picture.write(data)
    return path


def marked(path: Path, data: np.ndarray | None = None, **options: object) -> Path:
    """A NITF that is `SECRET//REL TO USA, GBR`, unless `options` say otherwise."""
    fields = {"SCLAS": "S", "SCLSY": "US", "SCTLH": "RL", "SREL": "USA GBR"}
    security = {f"{prefix}{name}": value for prefix in "FI" for name, value in fields.items()}
    return raster(path, data, driver="NITF", ICORDS="N", IDATIM="20261120101112", **(security | options))


def inspect(path: Path) -> Inspected:
    said = answer(Inspect(source=str(path)), lambda done: None)
    assert isinstance(said, Inspected)
    return said


def make(source: Path, target: Path, form: ImageryForm | None, marking: str = "SECRET//NOFORN") -> Made:
    request = Make(source=str(source), target=str(target), form=form, marking=marking, taken=TAKEN)
    said = answer(request, lambda done: None)
    assert isinstance(said, Made)
    measured = findings(target, said, form, marking, inspect(source).facts)
    assert measured == findings(target, said, form, marking), "our own maker keeps its word"
    return said


def findings(
    target: Path,
    made: Made,
    form: ImageryForm | None,
    marking: str = "SECRET//NOFORN",
    of: Imagery | Signal | None = None,
) -> tuple[str, ...]:
    request = Verify(made=str(target), form=form, marking=marking, taken=TAKEN, expected=made, of=of)
    said = answer(request, lambda done: None)
    assert isinstance(said, Findings)
    return said.found


# --- Planting a canary ---------------------------------------------------------------------------


def planted_tiff(path: Path, canary: str) -> Path:
    """`canary` in every tag that holds text or bytes, private ones, a second directory, gaps and sidecars."""
    text = canary.encode("ascii")
    keys = (1, 1, 0, 4, 1024, 0, 1, 1, 1025, 0, 1, 1, 1026, 34737, len(canary) + 1, 0, 3072, 0, 1, 32636)
    xml = f'<GDALMetadata><Item name="{canary}">{canary}</Item></GDALMetadata>'
    strings = (269, 271, 272, 285, 315, 316, 333, 337, 33432, 34737, 51000, 65000)
    blobs = (700, 34377, 34675, 33723, 37724, 50706 + 34, 65001)
    tags = [
        *((code, "s", 0, f"{canary}|" if code == 34737 else canary, True) for code in strings),
        *((code, "B", len(text), text, True) for code in blobs),
        (42112, "s", 0, xml, True),
        (50844, "d", 92, tuple(float(byte) for byte in (text * 92)[:92]), True),
        (34735, "H", len(keys), keys, True),
        (33550, "d", 3, (PIXEL, PIXEL, 0.0), True),
        (33922, "d", 6, (0.0, 0.0, 0.0, LEFT, TOP, 0.0), True),
    ]
    with tifffile.TiffWriter(path) as file:
        options = {"photometric": "minisblack", "metadata": None, "software": canary, "datetime": TAKEN}
        file.write(noise()[0], description=canary, extratags=tags, **options)
        file.write(noise(seed=1)[0], description=canary, **options)
    path.write_bytes(path.read_bytes() + text)
    for sidecar in (f"{path}.aux.xml", f"{path}.ovr", f"{path}.msk", path.with_suffix(".tfw")):
        Path(sidecar).write_text(
            f"<PAMDataset><Metadata><MDI key='{canary}'>{canary}</MDI></Metadata></PAMDataset>"
        )
    return path


def planted_exif(path: Path, canary: str) -> Path:
    """`canary` in EXIF and GPS directories and in the ICC profile, as cameras' software writes them."""
    from PIL import Image

    picture = Image.fromarray(noise()[0])
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = canary
    exif.get_ifd(0x8769)[0x9286] = canary
    exif.get_ifd(0x8825)[0x001B] = canary.encode()
    picture.save(path, exif=exif, icc_profile=canary.encode() * 4, description=canary)
    return path


def planted_nitf(path: Path, canary: str) -> Path:
    """`canary` in every field that holds text, in records of every header, in text and extension segments."""
    word = canary[:10]
    root = jbpy.Jbp()
    header = root["FileHeader"]
    header["NUMI"].value = header["NUMT"].value = header["NUMDES"].value = 1
    _fill(header, "F", canary, ("OSTAID", "FTITLE", "ONAME", "OPHONE"))
    _records(header, "UDHDL", "UDHD", word)
    _records(header, "XHDL", "XHD", word)
    image = root["ImageSegments"][0]
    subheader = image["subheader"]
    _fill(subheader, "I", canary, ("IID1", "TGTID", "IID2", "ISORCE"))
    for name, value in {
        "NBANDS": 1,
        "NROWS": HEIGHT, "NCOLS": WIDTH, "ABPP": 8, "NBPP": 8, "NPPBH": WIDTH, "NPPBV": HEIGHT, "NICOM": 3,
        "ICORDS": "N",
    }.items():  # fmt: skip
        subheader[name].value = value
    corners = ((0.5, 0.5), (WIDTH - 0.5, 0.5), (WIDTH - 0.5, HEIGHT - 0.5), (0.5, HEIGHT - 0.5))
    at = [(LEFT + PIXEL * x, TOP - PIXEL * y) for x, y in corners]
    subheader["IGEOLO"].value = "".join(f"36{round(x):06}{round(y):07}" for x, y in at)
    subheader["IREPBAND00001"].value = "M"
    subheader["ISUBCAT00001"].value = word[:6]
    for number in (1, 2, 3):
        subheader[f"ICOM{number}"].value = canary
    _records(subheader, "UDIDL", "UDID", word)
    _records(subheader, "IXSHDL", "IXSHD", word)
    image["Data"].size = WIDTH * HEIGHT
    text = root["TextSegments"][0]
    _fill(text["subheader"], "T", canary, ("TEXTID", "TXTITL"))
    text["subheader"]["TXTFMT"].value = "STA"
    text["Data"].size = len(canary)
    extension = root["DataExtensionSegments"][0]
    extension["subheader"]["DESID"].value = word
    extension["subheader"]["DESVER"].value = 1
    _fill(extension["subheader"], "DE", canary, ())
    extension["DESDATA"].size = len(canary)
    root.finalize()
    with path.open("wb") as file:
        root.dump(file)
        for part, content in (
            (image["Data"], noise()[0].tobytes()),
            (text["Data"], canary.encode()),
            (extension["DESDATA"], canary.encode()),
        ):
            file.seek(part.get_offset())
            file.write(content)
    Path(f"{path}.aux.xml").write_text(
        f"<PAMDataset><Metadata><MDI key='NITF_FSCLAS'>{canary}</MDI></Metadata></PAMDataset>"
    )
    return path


def _fill(header: object, prefix: str, canary: str, names: tuple[str, ...]) -> None:
    for name in (*names, *(f"{prefix}S{field}" for field in ("CAUT", "CTLN"))):
        field = header[name]  # type: ignore[index]
        field.value = canary[: field.size]
    for field, value in (("CLAS", "S"), ("CLSY", "US"), ("CTLH", "RL"), ("REL", "USA GBR")):
        header[f"{prefix}S{field}"].value = value  # type: ignore[index]


def _records(header: object, length: str, name: str, word: str) -> None:
    header[length].value = 3 + 11 + 10  # type: ignore[index]
    record = jbpy.core.UnknownTre(word[:6])
    record["TREL"].value = 10
    record["TREDATA"].value = word.encode()
    header[name].append(record)  # type: ignore[index]


def planted_jp2(path: Path, canary: str) -> Path:
    """`canary` in boxes for XML, UUID and rights, and in a comment of the codestream."""
    plain = raster(path.with_suffix(".plain.jp2"), driver="JP2OpenJPEG", QUALITY="100", REVERSIBLE="YES")
    old, text = plain.read_bytes(), canary.encode()
    new, at = b"", 0
    while at < len(old):
        size, kind = struct.unpack(">I4s", old[at : at + 8])
        body = old[at + 8 : at + size] if size else old[at + 8 :]
        if kind == b"jp2c":
            new += _box(b"xml ", b"<a>%s</a>" % text) + _box(b"uuid", b"0123456789abcdef" + text)
            new += _box(b"jp2i", text)
            end = 4 + struct.unpack(">H", body[4:6])[0]  # behind SOC and SIZ
            body = body[:end] + struct.pack(">HHH", 0xFF64, 4 + len(text), 1) + text + body[end:]
        new += _box(kind, body)
        at += size or len(old)
    path.write_bytes(new + _box(b"free", text))
    return path


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body
