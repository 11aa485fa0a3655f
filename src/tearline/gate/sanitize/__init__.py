"""The tearline maker: masks identities, coarsens times and places, and leaves no seam (`docs/tearlines.md`).

`sanitize` does all of it to the texts of a product; `finer` is the second look; `notices` tells of persons
whom the vault does not know.
"""

from tearline.gate.sanitize.descriptors import described, language_of
from tearline.gate.sanitize.finer import Finding, finer
from tearline.gate.sanitize.product import sanitize
from tearline.gate.sanitize.unknown import Installed, Recogniser, is_installed, notices
from tearline.gate.sanitize.values import CODES, DONE, Flag, Sanitized

__all__ = [
    "CODES",
    "DONE",
    "Finding",
    "Flag",
    "Installed",
    "Recogniser",
    "Sanitized",
    "described",
    "finer",
    "is_installed",
    "language_of",
    "notices",
    "sanitize",
]
