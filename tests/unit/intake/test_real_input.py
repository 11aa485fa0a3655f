"""Real files: ATT&CK for ICS (if it is beside the repository), and the galaxies of an installed package."""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files
from pathlib import Path

import orjson
import pytest
import stix2

from tearline.terms import Label, Region, Topic
from tests.unit.intake.material import faults, label, products, read

ATTACK = Path(__file__).parents[4] / "shared" / "data" / "attack-ics-18.1.json"
CLUSTERS = files("pymispgalaxies") / "data" / "misp-galaxy" / "clusters"


@pytest.mark.skipif(not ATTACK.parent.is_dir(), reason="the shared data folder is not beside this repository")
def test_attack_for_ics() -> None:
    content = ATTACK.read_bytes()
    items = read(content, "TLP:CLEAR")
    taken = products(items)
    assert len(items) == len(taken) == 1825, "no faults and no warnings"
    objects = {item["id"]: item for item in orjson.loads(content)["objects"]}
    left = {ident for ident in objects if ident not in {product.id for product in taken}}
    assert len(objects) == 1826
    assert Counter(objects[ident]["type"] for ident in left) == {"marking-definition": 1}
    assert all(orjson.loads(product.content) == objects[product.id] for product in taken)
    assert sum(objects[product.id].get("revoked", False) for product in taken) == 2
    assert {product.label for product in taken} == {Label(duties=frozenset({"STATEMENT"}))}
    assert all(product.topics and product.title for product in taken)
    assert sum(Topic.INDUSTRIAL_CONTROL in product.topics for product in taken) == 450


def test_threat_actors_of_the_misp_galaxy() -> None:
    content = (CLUSTERS / "threat-actor.json").read_bytes()
    items = read(content)
    taken = products(items)
    clusters = {f"threat-actor--{each['uuid']}": each for each in json.loads(content)["values"]}
    assert len(items) == len(taken) == 864
    assert {product.id for product in taken} == clusters.keys()
    for product in taken:
        actor = stix2.parse(product.content)
        assert isinstance(actor, stix2.v21.ThreatActor)
        assert actor.name == clusters[product.id]["value"]
    regions = Counter(region for product in taken for region in product.regions)
    assert regions[Region.NORTHERN_AMERICA] >= 60
    assert regions[Region.GLOBAL] < 864 - 130
    assert sum(Topic.CYBER_CRIME in product.topics for product in taken) > 0
    assert {label(product).reach.name for product in taken} == {"GREEN"}


@pytest.mark.parametrize(
    "name",
    ["microsoft-activity-group", "mitre-ics-groups", "ransomware", "exploit-kit", "branded_vulnerability"],
)
def test_other_galaxies_of_the_package(name: str) -> None:
    content = (CLUSTERS / f"{name}.json").read_bytes()
    items = read(content)
    assert not faults(items)
    assert len(products(items)) == len(json.loads(content)["values"])
    for product in products(items)[:100]:
        stix2.parse(product.content)
