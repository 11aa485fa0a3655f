"""Countries and coalitions, against the ISO and M49 facts of MISP's galaxies and ODNI's taxonomy."""

import json
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import pymispgalaxies
import pytest

from tearline.label.tables import (
    COALITIONS,
    COUNTRIES,
    TABLES_VERSION,
    coalitions_of,
    members,
    party_of,
    region_of,
)
from tearline.terms import BadInput, Region

LABELS = Path(__file__).parents[4] / "shared" / "data" / "labels"
CLUSTERS = Path(pymispgalaxies.__file__).parent / "data" / "misp-galaxy" / "clusters"
WITHDRAWN = {"ANT", "SCG"}
NOT_ISO = {"XKX"}


def clusters(name):
    return json.loads((CLUSTERS / f"{name}.json").read_text("utf-8"))["values"]


def test_countries_are_those_of_iso_3166():
    iso = {c["meta"]["ISO3"]: c["meta"]["ISO"] for c in clusters("country")}
    assert {code: country.alpha2 for code, country in COUNTRIES.items()} == {
        code: alpha2 for code, alpha2 in iso.items() if code not in WITHDRAWN | NOT_ISO
    }


def test_regions_are_those_of_m49():
    pacific = {"melanesia", "micronesia", "polynesia"}
    checked = 0
    for cluster in clusters("region"):
        name = cluster["value"].split(" - ")[1].lower().replace(" and ", " ").replace(" ", "-")
        name = {"channel-islands": "northern-europe"}.get(name, "pacific" if name in pacific else name)
        if name not in set(Region):
            continue
        for entry in cluster["meta"]["subregions"]:
            country = entry.split(" - ")[1].replace("China,  ", "China, ")
            if country in ("Channel Islands", "Sark"):
                continue
            code = party_of(country)
            assert code, country
            assert region_of(code) == name, country
            checked += 1
    assert checked > 240


@pytest.mark.skipif(not LABELS.exists(), reason="the register's vocabularies are not beside the repository")
def test_every_code_of_the_register_is_known():
    tree = ET.parse(LABELS / "CVEnumISMRelTo.xml")
    codes = {value.text for value in tree.iter("{urn:us:gov:ic:cve:v1}Value")}
    assert codes <= COUNTRIES.keys() | COALITIONS.keys()
    assert codes >= COUNTRIES.keys()


@pytest.mark.skipif(not LABELS.exists(), reason="the taxonomy is not beside the repository")
def test_members_are_those_of_the_taxonomy_on_the_day_it_was_verified():
    tetra = "{urn:us:gov:ic:taxonomy:catt:tetragraph}"
    found = set()
    for row in ET.parse(LABELS / "TetragraphTaxonomy.xml").iter(f"{tetra}Tetragraph"):
        code = row.find(f"{tetra}TetraToken").text
        found.add(code)
        countries = {country.text for country in row.iter(f"{tetra}Country")}
        nested = {o.text for o in row.iter(f"{tetra}Organization")}
        at = date(2022, 11, 2)
        if row.get("decomposable") == "Yes":
            assert members(code, at) == countries.union(*(members(o, at) for o in nested)), code
        else:
            assert members(code, at) is None, code
        if row.get("deprecated"):
            assert COALITIONS[code].until == date.fromisoformat(row.get("deprecated"))
    assert found == COALITIONS.keys()


def test_every_member_is_a_country():
    for coalition in COALITIONS.values():
        assert {party for _, party in coalition.joined or ()} <= COUNTRIES.keys()


def test_nato_as_it_grew():
    sizes = {
        1950: 12,
        1953: 14,
        1956: 15,
        1983: 16,
        2000: 19,
        2005: 26,
        2010: 28,
        2018: 29,
        2021: 30,
        2025: 32,
    }
    assert {year: len(members("NATO", date(year, 1, 1))) for year in sizes} == sizes
    assert "FIN" not in members("NATO", date(2023, 4, 3))
    assert "FIN" in members("NATO", date(2023, 4, 4))
    assert "SWE" not in members("NATO", date(2024, 3, 6))
    assert "SWE" in members("NATO", date(2024, 3, 7))


def test_what_cannot_be_decomposed_and_what_is_unknown():
    assert members("APFS", date(2026, 11, 1)) is None
    assert members("FVEY", date(2026, 11, 1)) == {"AUS", "CAN", "GBR", "NZL", "USA"}
    with pytest.raises(BadInput):
        members("GBR", date(2026, 11, 1))


def test_coalitions_of_a_party():
    assert {"FVEY", "TEYE", "ACGU"} <= coalitions_of("AUS", date(2026, 11, 1))
    assert "NATO" not in coalitions_of("SWE", date(2024, 1, 1))
    assert coalitions_of("CERT-UA", date(2026, 11, 1)) == frozenset()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Russian Federation", "RUS"),
        ("RUSSIA", "RUS"),
        ("South Korea", "KOR"),
        ("Korea (Democratic People's Republic of)", "PRK"),
        ("UK", "GBR"),
        ("U.S.", "USA"),
        ("united states of america", "USA"),
        ("The Netherlands", "NLD"),
        ("Côte d’Ivoire", "CIV"),
        ("Iran (Islamic Republic of)", "IRN"),
        ("ua", "UKR"),
        ("Vietnam", "VNM"),
        ("Turkey", "TUR"),
        ("European Union", None),
        ("", None),
        ("Kurdistan", None),
    ],
)
def test_a_country_by_its_names(name, code):
    assert party_of(name) == code


def test_every_name_means_one_country():
    for code, country in COUNTRIES.items():
        assert party_of(country.name) == party_of(country.alpha2) == party_of(code.lower()) == code


def test_regions():
    assert region_of("UKR") is Region.EASTERN_EUROPE
    assert region_of("NATO") is None
    assert TABLES_VERSION
