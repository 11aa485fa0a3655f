"""Small pictures and recordings for tests, written by the libraries that others use."""

from __future__ import annotations

import json
from hashlib import sha512
from pathlib import Path

import numpy as np


def recording(
    folder: Path, name: str = "beach", *, seed: int = 1, samples: int = 4096, **more: object
) -> Path:
    """A SigMF recording of two files; returns the metadata's path. `more`: global fields."""
    data = np.random.default_rng(seed).standard_normal(2 * samples).astype("<f4").tobytes()
    meta = {
        "global": {
            "core:datatype": "cf32_le",
            "core:sample_rate": 48000.0,
            "core:version": "1.2.0",
            "core:sha512": sha512(data).hexdigest(),
            **more,
        },
        "captures": [
            {"core:sample_start": 0, "core:frequency": 145e6, "core:datetime": "2026-11-01T10:20:30.000Z"}
        ],
        "annotations": [{"core:sample_start": 100, "core:sample_count": 200, "core:label": "tone"}],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.sigmf-data").write_bytes(data)
    path = folder / f"{name}.sigmf-meta"
    path.write_text(json.dumps(meta))
    return path


def picture(path: Path, *, seed: int = 1, pixels: int = 64, told: str = "") -> Path:
    """A GeoTIFF of noise, 10 m a pixel, in UTM zone 36. `told`: its description."""
    import rasterio
    from rasterio.transform import Affine

    noise = np.random.default_rng(seed).integers(0, 255, (pixels, pixels), dtype="uint8")
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=pixels,
        height=pixels,
        count=1,
        dtype="uint8",
        crs="EPSG:32636",
        transform=Affine(10, 0, 500_000, 0, -10, 5_500_000),
    ) as file:
        file.write(noise, 1)
        if told:
            file.update_tags(TIFFTAG_IMAGEDESCRIPTION=told)
    return path
