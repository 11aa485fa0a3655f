"""What a STIX object is about: topics and regions, from its type and its closed fields by two small tables.

Free text (names, descriptions) is never read for this: an agreement must not turn on a chance word.
A galaxy cluster becomes a STIX object first, so that a partner who receives it finds the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from tearline.label import tables
from tearline.terms import Region, Topic

_ACTORS = frozenset({"campaign", "intrusion-set", "threat-actor"})
_OF_TYPE = {
    "malware": Topic.MALWARE,
    "malware-analysis": Topic.MALWARE,
    "tool": Topic.MALWARE,
    "vulnerability": Topic.VULNERABILITY,
}
_FIELDS = (
    "labels",
    "goals",
    "indicator_types",
    "infrastructure_types",
    "malware_types",
    "personal_motivations",
    "primary_motivation",
    "report_types",
    "secondary_motivations",
    "sectors",
    "threat_actor_types",
    "tool_types",
    "x_mitre_domains",
    "x_mitre_sectors",
)
"""The fields whose words tell a topic; all hold short terms."""

_WORDS = {
    Topic.CYBER_ESPIONAGE: "espionage|spy|information theft",
    Topic.CYBER_SABOTAGE: "sabotage|denial of service|ddos|defacement|destruct|wiper",
    Topic.CYBER_CRIME: "crime|cybercrime|financial theft|financial(?:ly)?.(?:motivat|gain)|extortion|ransom"
    "|fraud|business email compromise",
    Topic.INFLUENCE: "information operation|influence|disinformation|propaganda",
    Topic.TERRORISM: "terror",
    Topic.ENERGY: "energy|electric|petroleum|oil|gas|nuclear|power",
    Topic.CRITICAL_INFRASTRUCTURE: "critical|telecom|transport|rail|water|utilit|infrastructure|health",
    Topic.LOGISTICS: "logistic",
    Topic.MARITIME: "maritime|shipping|naval",
    Topic.AIR: "aviation|aerospace|airline",
    Topic.SPACE: "space|satellite",
    Topic.DIPLOMACY: "diploma|embass",
    Topic.ECONOMY: "financ|bank|econom|cryptocurrenc|payment",
    Topic.INDUSTRIAL_CONTROL: "ics|industrial|scada",
    Topic.MALWARE: "malware|backdoor|trojan|ransomware",
    Topic.VULNERABILITY: "vulnerab|exploit",
}
"""Beginnings of words."""
_PATTERNS = [(topic, re.compile(rf"\b(?:{words})")) for topic, words in _WORDS.items()]
_SLUGS = frozenset(topic.value for topic in Topic)
_DEEDS = frozenset(
    {Topic.CYBER_ESPIONAGE, Topic.CYBER_SABOTAGE, Topic.CYBER_CRIME, Topic.INFLUENCE, Topic.TERRORISM}
)

_REGIONS = {
    "africa": "northern-africa eastern-africa middle-africa southern-africa western-africa",
    "americas": "northern-america caribbean central-america south-america",
    "asia": "central-asia eastern-asia south-eastern-asia southern-asia western-asia",
    "east-asia": "eastern-asia",
    "europe": "eastern-europe northern-europe southern-europe western-europe",
    "latin-america-caribbean": "caribbean central-america south-america",
    "melanesia": "pacific",
    "micronesia": "pacific",
    "middle-east": "western-asia",
    "north-america": "northern-america",
    "oceania": "australia-new-zealand pacific",
    "polynesia": "pacific",
    "south-asia": "southern-asia",
    "southeast-asia": "south-eastern-asia",
} | {region: str(region) for region in Region}
"""STIX 2.1 `region-ov` (section 10.25) and everyday names, as UN M49 sub-regions."""

_LONGEST = 200
"""Characters of a term that are looked at."""
_REGION_SLUGS = frozenset(region.value for region in Region)

VICTIM = "victim:"
"""A STIX label `victim:COUNTRY`: the galaxy reader writes it."""


def topics(item: Mapping[str, Any]) -> frozenset[Topic]:
    """The topics of one STIX object; `OTHER` where the tables know none."""
    kind = item["type"]
    kinds = [kind]
    if kind == "relationship":
        kinds = [_type_of(item.get(end)) for end in ("source_ref", "target_ref")]
    found = {_OF_TYPE[kind] for kind in kinds if kind in _OF_TYPE}
    for word in _words(item):
        found |= _meant(word[:_LONGEST])
    if _ACTORS & {*kinds} and not found & _DEEDS:
        found.add(Topic.CYBER_ESPIONAGE)
    return frozenset(found or {Topic.OTHER})


def regions(item: Mapping[str, Any], of_locations: Mapping[str, frozenset[Region]]) -> frozenset[Region]:
    """The regions of one STIX object; `GLOBAL` where none is told.

    `of_locations`: the regions of the file's location objects, by id; whoever refers to one is there.
    """
    names = [str(item[field]) for field in ("country", "region") if field in item]
    labels = item.get("labels", ())
    names += [word.removeprefix(VICTIM) for word in labels if word.startswith(VICTIM)]
    names += [word for word in labels if word in _REGION_SLUGS]
    found = {region for name in names for region in _named(name[:_LONGEST])}
    if of_locations:
        for ref in references(item):
            found |= of_locations.get(ref, frozenset())
    return frozenset(found or {Region.GLOBAL})


def references(item: Mapping[str, Any]) -> Iterator[str]:
    """What a valid object refers to by the properties of the standard, marking definitions aside."""
    for key, value in item.items():
        if key.startswith("x_") or key == "object_marking_refs":
            continue
        if key.endswith("_ref"):
            yield value
        elif key.endswith("_refs"):
            yield from value


def read_regions(names: Iterable[str]) -> frozenset[Region]:
    """Regions by slug, everyday name or country. Raises `ValueError` for another word."""
    found: set[Region] = set()
    for name in names:
        if not (meant := _named(name[:_LONGEST])):
            raise ValueError(name)
        found |= meant
    return frozenset(found)


def _type_of(ref: object) -> str:
    return str(ref).partition("--")[0]


def _words(item: Mapping[str, Any]) -> Iterator[str]:
    for field in _FIELDS:
        value = item.get(field)
        words = value if isinstance(value, list) else [value]
        yield from (word for word in words if isinstance(word, str))


@lru_cache(maxsize=4096)
def _meant(word: str) -> frozenset[Topic]:
    word = word.casefold()
    if word in _SLUGS:
        return frozenset({Topic(word)})
    if word.startswith(VICTIM):
        return frozenset()
    return frozenset(topic for topic, pattern in _PATTERNS if pattern.search(word))


@lru_cache(maxsize=4096)
def _named(name: str) -> frozenset[Region]:
    slug = "-".join(name.casefold().removeprefix("the ").split())
    if slug in _REGIONS:
        return frozenset(Region(each) for each in _REGIONS[slug].split())
    party = tables.party_of(name)
    region = tables.region_of(party) if party else None
    return frozenset({region} if region else ())
