"""MISP galaxy clusters become STIX objects that other programs accept."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import stix2

from tearline.terms import Label, Product, Reach, Region, Topic, Use
from tests.unit.intake.material import fault, faults, label, one, products, quarantine, read

UUID = "0c6a4d0e-3c5e-4c1e-9a53-7d9b7f3c2a11"
OTHER = "1c6a4d0e-3c5e-4c1e-9a53-7d9b7f3c2a11"


def cluster(uuid: str = UUID, **changes: Any) -> dict[str, Any]:
    return {"uuid": uuid, "value": "Marsh Heron", "description": "A group of clerks."} | changes


def galaxy(*clusters: Any, **changes: Any) -> bytes:
    head = {"name": "Threat Actor", "type": "threat-actor", "version": 336, "authors": ["A. Clerk"]}
    return orjson.dumps({**head, **changes, "values": clusters})


META = {
    "country": "CN",
    "cfr-suspected-state-sponsor": "China",
    "cfr-suspected-victims": ["Japan", "Ukraine", "Middle East", "Bank of Alder"],
    "cfr-target-category": ["Private sector", "Energy"],
    "cfr-type-of-incident": "Espionage",
    "synonyms": ["Grey Heron", "G-9"],
    "refs": ["https://reports.example/heron", "Alder Quarterly 3", "http://[broken"],
    "attribution-confidence": "50",
}


def test_a_cluster_becomes_a_threat_actor() -> None:
    product = one(galaxy(cluster(meta=META)))
    actor = stix2.parse(product.content)
    assert isinstance(actor, stix2.v21.ThreatActor)
    assert orjson.loads(product.content) == {
        "type": "threat-actor",
        "spec_version": "2.1",
        "id": f"threat-actor--{UUID}",
        "created": "2020-01-01T00:00:00.000Z",
        "modified": "2020-01-01T00:05:36.000Z",
        "name": "Marsh Heron",
        "description": "A group of clerks.",
        "aliases": ["Grey Heron", "G-9"],
        "threat_actor_types": ["nation-state"],
        "labels": [
            "country:CN",
            "incident:Espionage",
            "sponsor:China",
            "target:Energy",
            "target:Private sector",
            "victim:Bank of Alder",
            "victim:Japan",
            "victim:Middle East",
            "victim:Ukraine",
        ],
        "external_references": [
            {"source_name": "reports.example", "url": "https://reports.example/heron"},
            {"source_name": "misp-galaxy", "description": "Alder Quarterly 3"},
            {"source_name": "misp-galaxy", "description": "http://[broken"},
        ],
    }
    assert product.topics == {Topic.CYBER_ESPIONAGE, Topic.ENERGY}
    assert product.regions == {Region.EASTERN_ASIA, Region.EASTERN_EUROPE, Region.WESTERN_ASIA}


def test_a_partner_who_receives_the_object_finds_the_same_in_it() -> None:
    product = one(galaxy(cluster(meta=META)))
    again = one(product.content)
    assert (again.id, again.version, again.topics, again.regions, again.content) == (
        product.id,
        product.version,
        product.topics,
        product.regions,
        product.content,
    )


def test_the_same_version_is_the_same_product_and_a_newer_one_is_newer() -> None:
    assert read(galaxy(cluster())) == read(galaxy(cluster(), authors=[]))
    older, newer = (one(galaxy(cluster(), version=version)) for version in (336, 25111311))
    assert older.id == newer.id
    assert older.version < newer.version


@pytest.mark.parametrize(
    ("kind", "stix"),
    [
        ("mitre-intrusion-set", stix2.v21.IntrusionSet),
        ("ransomware", stix2.v21.Malware),
        ("exploit-kit", stix2.v21.Tool),
        ("branded-vulnerability", stix2.v21.Vulnerability),
    ],
)
def test_other_galaxies(kind: str, stix: type) -> None:
    assert isinstance(stix2.parse(one(galaxy(cluster(meta=META), type=kind)).content), stix)


def test_a_galaxy_that_is_no_intelligence_is_refused() -> None:
    found = fault(galaxy(cluster(), type="country"))
    assert (found.place, found.reason) == (
        "type",
        "a galaxy of type 'country' holds no actors, malware, tools or weaknesses",
    )


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"tags": ["tlp:amber"]}, Label(reach=Reach.AMBER)),
        ({"Tag": [{"name": "tlp:red", "colour": "#f00"}]}, Label(reach=Reach.RED)),
        ({"tags": ["tlp:green", "PAP:RED", "misp:tool"]}, Label(reach=Reach.GREEN, use=Use.RED)),
        ({"tags": ["PAP:RED"]}, Label(reach=Reach.GREEN, use=Use.RED)),
        ({"tags": ["misp:tool"]}, Label(reach=Reach.GREEN)),
    ],
)
def test_tags_are_markings(tags: dict[str, Any], expected: Label) -> None:
    assert label(one(galaxy(cluster(**tags)))) == expected
    assert label(one(galaxy(cluster(), **tags))) == expected


def test_the_tags_of_the_galaxy_and_of_the_cluster_are_joined() -> None:
    assert label(one(galaxy(cluster(tags=["tlp:green"]), tags=["tlp:amber"]))).reach is Reach.AMBER


@pytest.mark.parametrize("tag", ["tlp:orange", 'nato:classification="NS"', 'fr-classif:non-classifiees="X"'])
def test_a_tag_that_bars_somebody_and_is_not_read_quarantines(tag: str) -> None:
    assert tag.casefold() in quarantine(one(galaxy(cluster(tags=[tag, "tlp:clear"])))).mark.casefold()


def test_without_tags_and_default_there_is_no_marking() -> None:
    assert quarantine(one(galaxy(cluster()), None)).reason == "no marking"
    assert quarantine(one(galaxy(cluster(tags=["PAP:RED"])), None)).reason == "no marking"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (5, "expected `object`, got `int`"),
        (cluster(uuid="1"), "`$.uuid`"),
        (cluster(value=None), "expected `str`, got `null` - at `$.value`"),
        (cluster(meta={"refs": [1]}), "`$.meta[...]"),
        (cluster(), f"{UUID} stands here for the second time"),
    ],
)
def test_a_bad_cluster_leaves_its_neighbours(bad: Any, reason: str) -> None:
    items = read(galaxy(cluster(), bad, cluster(OTHER)))
    assert [product.id[-36:] for product in products(items)] == [UUID, OTHER]
    (found,) = faults(items)
    assert found.place == "values[1]"
    assert reason in found.reason


@pytest.mark.parametrize("head", [{"version": "new"}, {"version": -1}, {"type": None}, {"tags": "tlp:red"}])
def test_a_galaxy_without_a_readable_head_is_refused(head: dict[str, Any]) -> None:
    assert "is no MISP galaxy" in fault(galaxy(cluster(), **head)).reason


def test_a_victim_is_no_topic() -> None:
    product: Product = one(galaxy(cluster(meta={"cfr-suspected-victims": ["Energy Bank"]})))
    assert product.topics == {Topic.CYBER_ESPIONAGE}
    assert product.regions == {Region.GLOBAL}
