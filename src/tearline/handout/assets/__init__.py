"""What others wrote and pages need: ECharts, Leaflet, the land of the earth; unchanged, each by its name.

`manifest.json` says where each file is from, by which licence, and its SHA-256.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import orjson

_HERE = files(__package__)


@cache
def names() -> dict[str, str]:
    """The SHA-256 of each file, in hexadecimal, by its name."""
    entries = orjson.loads(_HERE.joinpath("manifest.json").read_bytes())
    return {name: digest for entry in entries for name, digest in entry["files"].items()}


def read(name: str) -> bytes:
    """The bytes of a file of the manifest. Raises `KeyError` for any other name."""
    if name not in names():
        raise KeyError(name)
    return _HERE.joinpath(name).read_bytes()
