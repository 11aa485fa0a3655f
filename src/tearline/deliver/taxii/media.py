"""Content negotiation: TAXII 2.1, sections 1.6.8 and 3.1; RFC 9110, section 12.5.1."""

from __future__ import annotations

from functools import lru_cache

MEDIA_TYPE = "application/taxii+json;version=2.1"

_NONE, _ANY, _APPLICATION, _TAXII, _TAXII_2_1 = range(-1, 4)
"""How closely a media range names what we serve; the closest one decides."""


@lru_cache(maxsize=256)
def accepts(accept: str) -> bool:
    """Whether an `Accept` header admits TAXII 2.1; an empty one admits everything."""
    if not accept.strip():
        return True
    closest, quality = _NONE, 0.0
    for part in accept.split(","):
        name, parameters = _split(part)
        rank = _rank(name, parameters)
        if rank > closest:
            closest, quality = rank, _quality(parameters.get("q", "1"))
        elif rank == closest:
            quality = max(quality, _quality(parameters.get("q", "1")))
    return closest != _NONE and quality > 0


@lru_cache(maxsize=256)
def is_taxii(content_type: str) -> bool:
    """Whether a `Content-Type` header says TAXII 2.1; the version may be left out."""
    name, parameters = _split(content_type)
    return _rank(name, parameters) >= _TAXII


def _rank(name: str, parameters: dict[str, str]) -> int:
    if name == "*/*":
        return _ANY
    if name == "application/*":
        return _APPLICATION
    if name != "application/taxii+json":
        return _NONE
    version = parameters.get("version")
    if version is None:
        return _TAXII
    return _TAXII_2_1 if version == "2.1" else _NONE


def _split(part: str) -> tuple[str, dict[str, str]]:
    name, *rest = part.split(";")
    pairs = (item.partition("=") for item in rest)
    return name.strip().lower(), {
        key.strip().lower(): value.strip().strip('"').lower() for key, _, value in pairs
    }


def _quality(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0.0 <= value <= 1.0 else 0.0
