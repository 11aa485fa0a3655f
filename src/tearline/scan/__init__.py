"""Scan: known identities found in texts, whatever their inflection, script or disguise."""

from tearline.scan.scanner import Scanner
from tearline.scan.values import Disposition, Hit, Identity, Kind, Names

__all__ = ["Disposition", "Hit", "Identity", "Kind", "Names", "Scanner"]
