"""Labels: the lattice (`algebra`), and the markings that are read into it and rendered from it.

`parse` reads a marking in text; `stix` those of STIX objects, `tlp.parse_tags` those of MISP; `rollup`
makes a banner of portion marks; `tables` knows countries and coalitions.
"""

from __future__ import annotations

import re
from datetime import date

from tearline.label import capco, tlp
from tearline.label.algebra import BOTTOM, bars, dominates, join, join_all, may, may_be_shown, narrow
from tearline.label.capco import parse_banner, parse_portion, render_banner, render_portion
from tearline.label.tlp import parse_tags, parse_tlp, render_tags, render_tlp
from tearline.terms import Label, Marking, Quarantine

__all__ = [
    "BOTTOM",
    "bars",
    "dominates",
    "join",
    "join_all",
    "may",
    "may_be_shown",
    "narrow",
    "parse",
    "parse_banner",
    "parse_portion",
    "parse_tags",
    "parse_tlp",
    "render_banner",
    "render_portion",
    "render_tags",
    "render_tlp",
]

_TLP = re.compile(r"\s*(?:TLP|PAP)\b", re.IGNORECASE)


def parse(text: str, *, at: date) -> tuple[Marking, Label | Quarantine]:
    """Read a marking in text; its scheme is told by its form alone. Total: it never raises.

    `TLP:...` is TLP 2.0; what stands in parentheses is a CAPCO portion mark; all else a CAPCO banner
    line. `at` is the product's date.
    """
    if _TLP.match(text):
        return Marking(scheme="tlp2", text=text, parser=tlp.PARSER), parse_tlp(text)
    read = parse_portion if text.startswith("(") else parse_banner
    return Marking(scheme="capco", text=text, parser=capco.PARSER), read(text, at=at)
