"""Scan: known identities found in texts, whatever their inflection, script or disguise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tearline.scan.values import CODES, Disposition, Hit, Identity, Kind, Names

if TYPE_CHECKING:
    from tearline.scan.scanner import Scanner

__all__ = ["CODES", "Disposition", "Hit", "Identity", "Kind", "Names", "Scanner"]


def __getattr__(name: str) -> Any:
    """The scanner is loaded when it is asked for: most commands only speak of hits, and it is large."""
    if name == "Scanner":
        from tearline.scan.scanner import Scanner  # noqa: PLC0415

        return Scanner
    raise AttributeError(name)
