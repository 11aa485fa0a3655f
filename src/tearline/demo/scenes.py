"""Invented pictures and recordings for the demo, each with words in it that betray who took it.

They are made anew each time, of random numbers with a fixed seed: a coast with a harbour, an airfield, a
flooded town; a beacon that sweeps, and a radio channel. `PLANTED` stands in every field that has room for it,
and may be in nothing that goes in a sanitized form.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha512
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
from rasterio.transform import from_origin

from tearline.node.take_in_file import About
from tearline.terms import Party, Region, Topic

PLANTED = "Collector Kestrel-7"
PLACE = (31.234567, 46.345678)
"""Where the receivers stood: longitude and latitude."""
TAKEN = "2026-10-01T04:12:33.250000Z"
SEED = 20261001


class Take(NamedTuple):
    """A file, who takes it in, and what its officer says of it."""

    party: Party
    path: Path
    about: About


def make(folder: Path) -> list[Take]:
    """Write them into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        Take("USA", _harbour(folder / "harbour.tif"), _about("TLP:AMBER", Topic.MARITIME, Topic.LOGISTICS)),
        Take("USA", _airfield(folder / "airfield.ntf"), _about(None, Topic.AIR)),
        Take("CAN", _flood(folder / "flood.tif"), _about("TLP:GREEN", Topic.THREAT_TO_LIFE)),
        Take("GBR", _channel(folder), _about("TLP:AMBER", Topic.MARITIME)),
        Take("UKR", _beacon(folder), _about("TLP:AMBER", Topic.AIR)),
    ]


def _about(marking: str | None, *topics: Topic) -> About:
    return About(marking=marking, topics=frozenset(topics), regions=frozenset({Region.EASTERN_EUROPE}))


# --- Pictures -------------------------------------------------------------------------------------


def _harbour(path: Path) -> Path:
    """1200 pixels of 2 m each way, three bands: land, sea, two moles, quays and ships."""
    size, dice = 1200, np.random.default_rng(SEED)
    y, x = np.mgrid[0:size, 0:size]
    shore = 560 + 70 * np.sin(x / 170) + 40 * np.sin(x / 61 + 1)
    sea = y > shore
    picture = np.where(sea, np.array([18, 52, 86])[:, None, None], np.array([104, 112, 74])[:, None, None])
    picture = picture + _rough(dice, size) * np.where(sea, 4, 16)
    for mole in (380, 760):  # and a quay between them
        picture[:, 520:880, mole : mole + 14] = 150
    picture[:, 600:640, 394:760] = 165
    for number in range(26):  # sheds and tanks on land
        top, left = dice.integers(60, 430), dice.integers(250, 950)
        picture[:, top : top + 24, left : left + 46] = int(dice.integers(120, 215))
        if number % 3 == 0:
            picture[:, (y - top - 60) ** 2 + (x - left) ** 2 < 196] = 205
    for south, east in ((668, 430), (668, 530), (690, 640), (930, 300), (1010, 720), (840, 900)):
        ship = ((x - east) / 46) ** 2 + ((y - south) / 9) ** 2 < 1
        picture[:, ship] = 182
        picture[:, ship & (x > east + 18)] = 232
    _write(path, picture, origin=(499_000.0, 5_130_000.0), pixel=2.0)
    return path


def _flood(path: Path) -> Path:
    """480 pixels of 10 m: fields under a river that has left its bed."""
    size, dice = 480, np.random.default_rng(SEED + 1)
    y, x = np.mgrid[0:size, 0:size]
    fields = np.array([104, 116, 72])[:, None, None] + dice.integers(-24, 24, (3, size // 24, size // 24))
    fields = fields.repeat(24, 1).repeat(24, 2)
    river = np.abs(y - 240 - 60 * np.sin(x / 55)) + 26 * _rough(dice, size)[0]
    picture = np.where(river < 74, np.array([92, 84, 62])[:, None, None], fields)
    picture[:, river < 14] = np.array([46, 64, 82])[:, None]
    for top, left in dice.integers(20, size - 20, (60, 2)):
        picture[:, top : top + 4, left : left + 5] = 210
    _write(path, picture + 3 * _rough(dice, size), origin=(512_000.0, 5_180_000.0), pixel=10.0)
    return path


def _airfield(path: Path) -> Path:
    """640 pixels of 1 m in NITF, `SECRET//REL TO USA, FVEY`: a runway, stands and aircraft."""
    size, dice = 640, np.random.default_rng(SEED + 2)
    y, x = np.mgrid[0:size, 0:size]
    picture = 96 + 10 * _rough(dice, size)
    along, across = (x + y) / 1.414, (y - x) / 1.414
    picture[:, np.abs(across - 60) < 24] = 150
    picture[:, (np.abs(across - 60) < 2) & (along % 60 < 34)] = 225
    for number in range(5):
        left, top = 120 + 62 * number, 420 + 20 * number
        picture[:, (x - left) ** 2 + (y - top) ** 2 < 640] = 138
        body, wing = (np.abs(x - left) < 3) & (np.abs(y - top) < 17), np.abs(y - top - 3) < 3
        picture[:, body | (wing & (np.abs(x - left) < 17))] = 220
    security = {"CLAS": "S", "CLSY": "US", "CTLH": "RL", "REL": "USA FVEY"}
    fields = {f"{prefix}S{name}": value for prefix in "FI" for name, value in security.items()}
    told = {"OSTAID": PLANTED[:10], "ONAME": PLANTED, "FTITLE": PLANTED, "IID2": PLANTED, "ISORCE": PLANTED}
    _write(
        path,
        picture[:1],
        origin=(506_000.0, 5_150_000.0),
        pixel=1.0,
        driver="NITF",
        ICORDS="N",
        IDATIM="20261001041233",
        **fields,
        **told,
    )
    return path


def _rough(dice: Any, size: int) -> Any:
    """Noise of two sizes of grain, shape (1, size, size), about -1 to 1."""
    coarse = dice.standard_normal((1, size // 8, size // 8)).repeat(8, 1).repeat(8, 2)
    return 0.35 * coarse + 0.25 * dice.standard_normal((1, size, size))


def _write(
    path: Path, picture: Any, *, origin: tuple[float, float], pixel: float, driver: str = "GTiff", **more: str
) -> None:
    """In UTM zone 36 north; what a GeoTIFF can say of its maker it says."""
    options = more if driver == "NITF" else {"compress": "deflate", "tiled": True}
    with rasterio.open(
        path,
        "w",
        driver=driver,
        width=picture.shape[2],
        height=picture.shape[1],
        count=picture.shape[0],
        dtype="uint8",
        crs="EPSG:32636",
        transform=from_origin(*origin, pixel, pixel),
        **options,
    ) as file:
        file.write(picture.clip(1, 255).astype("uint8"))
        if driver == "GTiff":
            names = ("IMAGEDESCRIPTION", "SOFTWARE", "ARTIST", "COPYRIGHT", "HOSTCOMPUTER")
            file.update_tags(**{f"TIFFTAG_{name}": PLANTED for name in names}, SENSOR=PLANTED)
            file.update_tags(TIFFTAG_DATETIME="2026:10:01 04:12:33")


# --- Recordings -----------------------------------------------------------------------------------


def _channel(folder: Path) -> Path:
    """A second at 192 kHz: speech-like bursts at the centre, a steady tone and noise beside it."""
    rate, dice = 192_000, np.random.default_rng(SEED + 3)
    at = np.arange(rate) / rate
    bursts = (at % 0.25 < 0.17) & (at > 0.2) & (at < 0.8)
    voice = bursts * np.exp(1j * (4 * np.sin(2 * np.pi * 210 * at) + 2.5 * np.sin(2 * np.pi * 97 * at)))
    tone = 0.3 * np.exp(2j * np.pi * 52_000 * at)
    signal = 0.5 * voice + tone + _hiss(dice, rate, 0.02)
    return _record(folder / "channel", signal, rate, 156_800_000.0, [(0.2, 0.6)])


def _beacon(folder: Path) -> Path:
    """A second at 256 kHz: pulses that sweep 20 kHz around the centre."""
    rate, dice = 256_000, np.random.default_rng(SEED + 4)
    at = np.arange(rate) / rate
    within = at % 0.125
    sweep = np.exp(2j * np.pi * (-10_000 * within + 0.5 * 200_000 * within**2)) * (within < 0.1)
    return _record(
        folder / "beacon", 0.6 * sweep + _hiss(dice, rate, 0.03), rate, 1_030_000_000.0, [(0.3, 0.4)]
    )


def _hiss(dice: Any, samples: int, level: float) -> Any:
    return level * (dice.standard_normal(samples) + 1j * dice.standard_normal(samples))


def _record(stem: Path, signal: Any, rate: int, centre: float, spans: Sequence[tuple[float, float]]) -> Path:
    """A SigMF recording of two files; `spans`: annotations, (begin, length) in seconds."""
    data = signal.astype("<c8").tobytes()
    position = {"type": "Point", "coordinates": [*PLACE, 27.0]}
    meta = {
        "global": {
            "core:datatype": "cf32_le",
            "core:version": "1.2.0",
            "core:sample_rate": rate,
            "core:sha512": sha512(data).hexdigest(),
            "core:geolocation": position,
            **{f"core:{name}": PLANTED for name in ("author", "hw", "recorder", "license")},
            "antenna:model": PLANTED,
        },
        "captures": [
            {
                "core:sample_start": 0,
                "core:frequency": centre,
                "core:datetime": TAKEN,
                "core:geolocation": position,
                "capture_details:acq_scale_factor": 1.0,
            }
        ],
        "annotations": [
            {
                "core:sample_start": round(begin * rate),
                "core:sample_count": round(length * rate),
                "core:label": "burst",
                "core:comment": f"heard by {PLANTED}",
            }
            for begin, length in spans
        ],
    }
    stem.with_suffix(".sigmf-data").write_bytes(data)
    path = stem.with_suffix(".sigmf-meta")
    path.write_text(json.dumps(meta), encoding="utf-8")
    return path
