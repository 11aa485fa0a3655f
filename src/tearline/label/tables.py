"""Countries and coalitions: which codes a mark may name, and who was in a coalition when.

Facts, not rules: ISO 3166-1 codes, UN M49 sub-regions, the coalition codes of the US register with their
dated members. The tables are files of the package (`data/*.toml`) and are read once. A coalition is
always expanded at a date, that of the product, so that a new member never opens an old product silently.
"""

from __future__ import annotations

import tomllib
import unicodedata
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Any

import msgspec

from tearline.terms import BadInput, Party, Region

TABLES_VERSION = "2026-11"
"""Goes into every `Marking.parser`: with which tables a marking was read."""


class Country(msgspec.Struct, frozen=True):
    """`code` is ISO 3166-1 alpha-3, `alpha2` its two-letter form, `region` a UN M49 sub-region."""

    code: Party
    alpha2: str
    region: Region
    name: str


class Coalition(msgspec.Struct, frozen=True):
    """`joined`: when which member came in; `None` where the members are not published."""

    code: Party
    name: str
    joined: tuple[tuple[date, Party], ...] | None
    until: date
    """From this day on the code can no longer be read; `date.max` for those in force."""


def table(name: str) -> dict[str, Any]:
    """The table `data/NAME.toml` of this package, as it stands there."""
    return tomllib.loads(resources.files(__package__).joinpath(f"data/{name}.toml").read_text("utf-8"))


def _joined(rows: list[tuple[date, str]] | None) -> tuple[tuple[date, Party], ...] | None:
    return None if rows is None else tuple((day, code) for day, codes in rows for code in codes.split())


def _plain(name: str) -> str:
    """`name` without case, accents, punctuation and a leading article."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    words = "".join(c if c.isalnum() else " " for c in bare.casefold()).split()
    return " ".join(words[1:] if words[:1] == ["the"] else words)


_COUNTRY_ROWS = table("countries")
COUNTRIES = {
    code: Country(code, alpha2, Region(region), name)
    for code, (alpha2, region, name, *_) in _COUNTRY_ROWS.items()
}
COALITIONS = {
    code: Coalition(code, row["name"], _joined(row.get("joined")), row.get("until", date.max))
    for code, row in table("coalitions").items()
}
_BY_NAME = {
    _plain(name): code
    for code, (alpha2, _, *names) in _COUNTRY_ROWS.items()
    for name in (code, alpha2, *names)
}


@lru_cache(maxsize=1024)
def members(coalition: str, at: date) -> frozenset[Party] | None:
    """Who was in `coalition` on the day `at`; `None` where it is known but cannot be decomposed.

    Raises `BadInput` for a code that is no coalition's.
    """
    if (found := COALITIONS.get(coalition)) is None:
        raise BadInput("coalition", coalition, "is not a known coalition", "use a code of the tables")
    if found.joined is None:
        return None
    return frozenset(party for day, party in found.joined if day <= at)


def coalitions_of(party: Party, at: date) -> frozenset[str]:
    """The coalitions that `party` was in on the day `at`, as far as their members are published."""
    return frozenset(code for code in COALITIONS if party in (members(code, at) or ()))


def region_of(code: Party) -> Region | None:
    """The UN M49 sub-region of the country `code` (alpha-3); `None` if it is not a country's."""
    return COUNTRIES[code].region if code in COUNTRIES else None


def party_of(country_name: str) -> Party | None:
    """The alpha-3 code for a country's name, other name, alpha-2 or alpha-3 code, in any case.

    For a field that holds a country, not for words of running text: `in` is India. `None` if unknown.
    """
    return _BY_NAME.get(_plain(country_name))
