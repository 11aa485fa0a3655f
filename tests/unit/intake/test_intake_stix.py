"""STIX objects become products with the label that their markings say."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tearline.label import parse
from tearline.label.stix import render_markings
from tearline.terms import Category, Discipline, Label, Product, Reach, Region, Topic, Use
from tests.unit.intake.material import (
    NOW,
    PAP_AMBER,
    TLP_GREEN,
    TLP_RED,
    bundle,
    fault,
    faults,
    ident,
    label,
    link,
    one,
    products,
    quarantine,
    read,
    sdo,
    statement,
)


def test_a_product_carries_its_object_as_it_came_in() -> None:
    item = sdo("malware", 7, name="  Rook\tLoader ", lang="uk", score=0.1)
    product = one(bundle(item), party="CERT-UA")
    assert orjson.loads(product.content) == item
    assert (product.id, product.version) == (item["id"], "2026-03-02T09:30:00.125Z")
    assert product.title == "Rook Loader"
    assert product.created.isoformat() == "2026-03-01T08:00:00+00:00"
    assert product.originator == "CERT-UA"
    assert (product.category, product.language) == (Category.CYBER, "uk")
    assert product.disciplines == {Discipline.CYBER}
    assert product.topics == {Topic.MALWARE}


@pytest.mark.parametrize(
    "content",
    [
        bundle(sdo()),
        orjson.dumps({"more": False, "objects": [sdo()]}),
        orjson.dumps([sdo()]),
        orjson.dumps(sdo()),
        orjson.dumps(sdo(), option=orjson.OPT_INDENT_2) + b"\r\n",
        b"\xef\xbb\xbf\n " + bundle(sdo()),
    ],
    ids=["bundle", "envelope", "list", "object", "indented", "with a byte order mark"],
)
def test_the_same_object_in_every_wrapping(content: bytes) -> None:
    assert one(content) == one(bundle(sdo()))


def test_an_empty_bundle_and_a_bundle_without_objects_hold_nothing() -> None:
    assert read(bundle()) == []
    assert read(b'{"type":"bundle","id":"%b"}' % ident("bundle", 1).encode()) == []


# --- Labels --------------------------------------------------------------------------------------


def test_the_markings_of_the_object_and_of_its_parts_are_joined() -> None:
    granular = [{"marking_ref": TLP_RED, "selectors": ["description"]}, {"lang": "uk", "selectors": ["name"]}]
    item = sdo(object_marking_refs=[TLP_GREEN, PAP_AMBER], granular_markings=granular)
    assert label(one(bundle(item), None)) == Label(reach=Reach.RED, use=Use.AMBER)


def test_a_definition_may_stand_behind_what_it_marks() -> None:
    secret = parse("SECRET//NOFORN", at=NOW.date())[1]
    assert isinstance(secret, Label)
    (banner,) = render_markings(secret, created_by_ref=ident("identity", 1), at=NOW.date())
    items = read(bundle(sdo(object_marking_refs=[banner["id"]]), banner), None)
    (product,) = products(items)
    assert label(product) == secret


@pytest.mark.parametrize("refs", [[], [statement()["id"]], [PAP_AMBER], [statement()["id"], PAP_AMBER]])
def test_what_no_marking_says_who_may_have_takes_the_default(refs: list[str]) -> None:
    content = bundle(statement(), sdo(object_marking_refs=refs))
    found = label(one(content, "TLP:AMBER"))
    assert found == Label(
        reach=Reach.AMBER,
        use=Use.AMBER if PAP_AMBER in refs else Use.CLEAR,
        duties=frozenset({"STATEMENT"}) if statement()["id"] in refs else frozenset(),
    )
    assert quarantine(one(content, None)).reason == "no marking"


def test_a_default_does_not_touch_what_is_marked() -> None:
    assert label(one(bundle(sdo(object_marking_refs=[TLP_GREEN])), "TLP:RED")).reach is Reach.GREEN


def test_a_default_that_cannot_be_read_takes_nothing_in() -> None:
    found = fault(bundle(sdo()), marking="TLP:ORANGE")
    assert (found.where, found.place) == ("default marking", "'TLP:ORANGE'")


def test_a_marking_that_is_not_defined_quarantines_and_is_named() -> None:
    ref = ident("marking-definition", 44)
    found = quarantine(one(bundle(sdo(object_marking_refs=[TLP_GREEN, ref])), "TLP:GREEN"))
    assert (found.mark, found.reason) == (ref, "is not defined in this file")


def test_two_different_definitions_of_one_id_are_none() -> None:
    first, second = statement(), statement()
    second["definition"] = {"statement": "Do as you like"}
    items = read(bundle(first, second, sdo(object_marking_refs=[first["id"]])))
    assert "second time" in faults(items)[0].reason
    assert quarantine(products(items)[0]).reason == "is defined twice"


def test_a_definition_that_is_not_whole_defines_nothing() -> None:
    broken = statement()
    del broken["created"]
    items = read(bundle(broken, sdo(object_marking_refs=[broken["id"]])))
    assert faults(items)[0].reason == "marking-definition has no created"
    assert quarantine(products(items)[0]).mark == broken["id"]


def test_a_definition_that_borrows_a_standard_id_quarantines() -> None:
    wolf = statement() | {"id": TLP_RED, "definition": {"statement": "for all"}}
    items = read(bundle(wolf, sdo(object_marking_refs=[TLP_RED])))
    assert quarantine(products(items)[0]).mark == TLP_RED


# --- What is a product ---------------------------------------------------------------------------


def test_definitions_are_no_products_and_creators_come_first() -> None:
    creator, victim = sdo("identity", 1), sdo("identity", 2)
    extension = sdo(
        "extension-definition", 3, schema="x", version="1.0", extension_types=["property-extension"]
    )
    tool = sdo("tool", 4, created_by_ref=creator["id"])
    items = read(bundle(statement(), tool, extension, victim, creator))
    assert [product.id for product in products(items)] == [creator["id"], tool["id"], victim["id"]]
    assert len(items) == 3


def test_revoked_and_custom_objects_and_observables_are_taken() -> None:
    address = {"type": "ipv4-addr", "id": ident("ipv4-addr", 1), "value": "192.0.2.7"}
    custom = sdo("x-alder-finding", 2)
    extended = sdo("sensor", 3, extensions={ident("extension-definition", 4): {"extension_type": "new-sdo"}})
    bare = {"type": "x-alder-trace", "id": ident("x-alder-trace", 5)}
    content = bundle(address, custom, extended, bare, sdo("tool", 6, revoked=True))
    found = products(read(content))
    assert len(found) == 5
    assert found[0].version == "1970-01-01T00:00:00.000Z"
    assert found[0].title == "192.0.2.7"
    assert read(content) == found, "the same file is the same products"


def test_versions_of_one_object_are_taken_and_the_same_version_is_not() -> None:
    newer = sdo(modified="2026-04-01T00:00:00Z")
    items = read(bundle(sdo(), newer, sdo(name="again")))
    assert [product.version for product in products(items)] == [
        "2026-03-02T09:30:00.125Z",
        "2026-04-01T00:00:00.000Z",
    ]
    assert [(found.place, found.reason) for found in faults(items)] == [
        ("objects[2]", f"{sdo()['id']} of 2026-03-02T09:30:00.125Z stands here for the second time")
    ]


def test_a_bad_first_one_does_not_bar_a_good_second() -> None:
    bad = sdo(name=5)
    items = read(bundle(bad, sdo()))
    assert len(products(items)) == len(faults(items)) == 1


def test_a_dangling_reference_in_a_bundle_is_a_warning_and_the_object_is_taken() -> None:
    here, there = sdo("tool", 1), ident("malware", 2)
    content = [here, link(3, here["id"], there), link(4, here["id"], here["id"])]
    items = read(bundle(*content))
    assert len(products(items)) == 3
    (warning,) = faults(items, "warning")
    assert (warning.where, warning.place) == ("file", "objects[1]")
    assert warning.reason == f"refers to {there}, not in this file"
    assert not faults(read(orjson.dumps({"objects": content})), "warning"), "a TAXII page is a part by design"


# --- Form ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        ({"type": 5}, ".type", "expected `str`, got `int`"),
        ({"type": "Tool"}, ".type", "'Tool' is not an object type"),
        ({"type": "bundle"}, ".type", "'bundle' is not an object type"),
        ({"type": "sensor", "id": ident("sensor", 1)}, ".type", "sensor is not a type of STIX 2.1"),
        ({"id": "tool--1"}, ".id", "'tool--1' is not of the form TYPE--UUID"),
        ({"id": ident("tool", 1).upper()}, ".id", "is not of the form TYPE--UUID"),
        ({"id": ident("malware", 1)}, ".id", "is not the id of a tool"),
        ({"spec_version": None}, ".spec_version", "expected `str`, got `null`"),
        ({"spec_version": "2.0"}, ".spec_version", "is of STIX 2.0, and only 2.1 is read"),
        ({"created": "2026-03-01"}, ".created", "'2026-03-01' is not a time"),
        ({"created": "2026-02-30T00:00:00Z"}, ".created", "is not a time"),
        ({"modified": "2026-02-01T00:00:00.000Z"}, ".modified", "is before created"),
        ({"name": ["x"]}, ".name", "expected `str`, got `array`"),
        ({"revoked": "no"}, ".revoked", "expected `bool`"),
        ({"confidence": 101}, ".confidence", "expected `int` <= 100"),
        ({"labels": ["a", 1]}, ".labels[1]", "expected `str`, got `int`"),
        ({"external_references": [{}]}, ".external_references[0]", "missing required field `source_name`"),
        ({"object_marking_refs": [TLP_GREEN, 1]}, ".object_marking_refs[1]", "expected `str`"),
        ({"object_marking_refs": ["tlp:red"]}, ".object_marking_refs[0]", "'tlp:red' is not of the form"),
        ({"granular_markings": [{"marking_ref": TLP_RED}]}, ".granular_markings[0]", "`selectors`"),
        (
            {"granular_markings": [{"marking_ref": "x", "selectors": []}]},
            ".granular_markings[0]",
            "'x' is not",
        ),
        ({"created_by_ref": "me"}, ".created_by_ref", "'me' is not of the form TYPE--UUID"),
        ({"object_refs": "me"}, ".object_refs", "should be a list of ids"),
    ],
)
def test_a_fault_names_place_and_reason_and_the_neighbours_are_taken(
    change: dict[str, Any], place: str, reason: str
) -> None:
    before, after = sdo("tool", 11), sdo("tool", 12)
    items = read(bundle(before, sdo() | change, after))
    assert [product.id for product in products(items)] == [before["id"], after["id"]]
    (found,) = faults(items)
    assert (found.where, found.place) == ("file", "objects[1]" + place)
    assert reason in found.reason


@pytest.mark.parametrize("key", ["type", "id", "spec_version", "created", "modified", "name"])
def test_required_properties(key: str) -> None:
    item = sdo()
    del item[key]
    assert key in fault(orjson.dumps([item])).reason


@pytest.mark.parametrize(
    ("kind", "missing"), [("malware", "is_family"), ("relationship", "source_ref"), ("report", "published")]
)
def test_properties_that_one_type_requires(kind: str, missing: str) -> None:
    full: dict[str, Any] = {
        "is_family": True,
        "published": TIMES_PUBLISHED,
        "object_refs": [ident("tool", 1)],
    }
    full |= {"relationship_type": "uses", "source_ref": ident("tool", 1), "target_ref": ident("tool", 2)}
    item = sdo(kind, 1, **full)
    assert len(products(read(orjson.dumps(item)))) == 1
    del item[missing]
    assert fault(orjson.dumps(item)).reason == f"{kind} has no {missing}"


TIMES_PUBLISHED = "2026-03-01T08:00:00.000Z"


def test_stix_2_0_is_refused_and_said_so() -> None:
    old = sdo()
    del old["spec_version"]
    assert "STIX 2.0" in fault(bundle(old)).reason
    assert fault(bundle(old, spec_version="2.0")).sentence == (
        "file, spec_version: is a bundle of STIX 2.0; send STIX 2.1"
    )


def test_a_custom_property_may_end_like_a_reference() -> None:
    assert one(bundle(sdo(x_alder_source_ref="")))


# --- Topics and regions --------------------------------------------------------------------------


def of(item: dict[str, Any], *others: dict[str, Any]) -> Product:
    return products(read(bundle(item, *others)))[0]


@pytest.mark.parametrize(
    ("item", "topics"),
    [
        (sdo("vulnerability"), {Topic.VULNERABILITY}),
        (sdo("intrusion-set"), {Topic.CYBER_ESPIONAGE}),
        (sdo("threat-actor", threat_actor_types=["crime-syndicate"]), {Topic.CYBER_CRIME}),
        (sdo("campaign", labels=["sabotage"]), {Topic.CYBER_SABOTAGE}),
        (sdo("tool", x_mitre_domains=["ics-attack"]), {Topic.MALWARE, Topic.INDUSTRIAL_CONTROL}),
        (sdo("identity", sectors=["energy"]), {Topic.ENERGY}),
        (sdo("report", published=TIMES_PUBLISHED, object_refs=[], labels=["missile"]), {Topic.MISSILE}),
        (sdo("course-of-action"), {Topic.OTHER}),
        (sdo("course-of-action", description="against espionage"), {Topic.OTHER}),
        (link(1, ident("malware", 2), ident("vulnerability", 3)), {Topic.MALWARE, Topic.VULNERABILITY}),
    ],
)
def test_topics(item: dict[str, Any], topics: set[Topic]) -> None:
    assert of(item).topics == topics


@pytest.mark.parametrize(
    ("place", "regions"),
    [
        ({"country": "UA"}, {Region.EASTERN_EUROPE}),
        ({"region": "southern-asia"}, {Region.SOUTHERN_ASIA}),
        ({"region": "melanesia"}, {Region.PACIFIC}),
        (
            {"region": "europe", "country": "FR"},
            {
                Region.EASTERN_EUROPE,
                Region.NORTHERN_EUROPE,
                Region.SOUTHERN_EUROPE,
                Region.WESTERN_EUROPE,
            },
        ),
        ({"country": "XX"}, {Region.GLOBAL}),
    ],
)
def test_regions_of_a_location_and_of_what_points_to_it(place: dict[str, str], regions: set[Region]) -> None:
    location = sdo("location", 1, **place)
    assert of(location).regions == regions
    assert of(link(2, ident("tool", 3), location["id"]), location).regions == regions
    assert of(sdo("tool", 3), location).regions == {Region.GLOBAL}


def test_labels_that_are_our_own_words_are_read_back() -> None:
    product = of(sdo("tool", labels=["critical-infrastructure", "eastern-africa", "western-asia", "east"]))
    assert product.topics == {Topic.MALWARE, Topic.CRITICAL_INFRASTRUCTURE}
    assert product.regions == {Region.EASTERN_AFRICA, Region.WESTERN_ASIA}
