"""STIX 2.1 marking definitions, checked with the `stix2` package."""

import json
from datetime import date

import pytest
import stix2

from tearline.label import BOTTOM, dominates, parse
from tearline.label.stix import EXTENSION, parse_markings, render_markings, well_known
from tearline.terms import Label, Level, Quarantine, Reach, Refused, Use

AT = date(2026, 11, 1)
BY = "identity--7d3c1f7e-5a2b-4c19-9a43-0f7f6f1c2b10"
STATEMENT = {
    "type": "marking-definition",
    "spec_version": "2.1",
    "id": "marking-definition--0a2f2f0e-64a5-4f0c-9f5c-2b9a8a6f7c11",
    "created": "2026-01-05T00:00:00.000Z",
    "definition_type": "statement",
    "definition": {"statement": "Copyright 2026, Example Works"},
}


def ours(created="2026-11-01T00:00:00.000Z", **content):
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": "marking-definition--5b0f0e5e-7ad5-4f6c-8f28-3a3f7f4c9d22",
        "created": created,
        "extensions": {EXTENSION: {"extension_type": "property-extension", **content}},
    }


def label_of(*definitions):
    return parse_markings(definitions)[1]


@pytest.mark.parametrize(
    ("definition", "reach"),
    [
        (stix2.TLP_WHITE, Reach.CLEAR),
        (stix2.TLP_GREEN, Reach.GREEN),
        (stix2.TLP_AMBER, Reach.AMBER),
        (stix2.TLP_RED, Reach.RED),
    ],
)
def test_tlp_1_of_the_stix2_package(definition, reach):
    as_json = json.loads(definition.serialize())
    assert label_of(as_json) == Label(reach=reach)
    assert well_known(as_json["id"]) == as_json


@pytest.mark.parametrize(
    ("ref", "label"),
    [
        # OASIS cti-stix-common-objects, TLP 2.0 and PAP
        ("94868c89-83c2-464b-929b-a1a8aa3c8487", Label()),
        ("bab4a63c-aed9-4cf5-a766-dfca5abac2bb", Label(reach=Reach.GREEN)),
        ("55d920b0-5e8b-4f79-9ee9-91f868d9b421", Label(reach=Reach.AMBER)),
        ("939a9414-2ddd-4d32-a0cd-375ea402b003", Label(reach=Reach.AMBER_STRICT)),
        ("e828b379-4e03-4974-9ac4-e53a884c97c1", Label(reach=Reach.RED)),
    ],
)
def test_tlp_2(ref, label):
    definition = well_known(f"marking-definition--{ref}")
    stix2.parse(definition)
    assert label_of(definition) == label
    assert render_markings(label, created_by_ref=BY, at=AT) == [definition]


@pytest.mark.parametrize(
    ("ref", "use"),
    [
        ("a3bea94c-b469-41dc-9cfe-d6e7daba7730", Use.CLEAR),
        ("ad15a0cd-55b6-4588-a14c-a66105329b92", Use.CLEAR),
        ("c43594d1-4b11-4c59-93ab-1c9b14d53ce9", Use.GREEN),
        ("60f8932b-e51e-4458-b265-a2e8be9a80ab", Use.AMBER),
        ("740d36e5-7714-4c30-961a-3ae632ceee0e", Use.RED),
    ],
)
def test_pap_beside_tlp_and_alone(ref, use):
    pap = well_known(f"marking-definition--{ref}")
    green = well_known("marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb")
    assert label_of(pap, green) == Label(reach=Reach.GREEN, use=use)
    assert label_of(pap) == Quarantine(scheme="stix", mark="", reason="no marking")


def test_none_at_all_is_no_marking():
    assert label_of() == Quarantine(scheme="stix", mark="", reason="no marking")


def test_several_are_joined():
    label = label_of(
        STATEMENT, ours(scheme="capco", text="SECRET//REL TO USA, GBR"), ours(owners=["CERT-UA"])
    )
    assert label.duties == {"STATEMENT"}
    assert label.level == (("USA", Level.SECRET),)
    assert label.owners == {"USA", "CERT-UA"}


def test_a_banner_is_read_on_the_day_the_definition_was_created():
    early = label_of(ours("2024-03-06T23:59:59Z", scheme="capco", text="SECRET//REL TO USA, NATO"))
    late = label_of(ours("2024-03-07T00:00:00.000Z", scheme="capco", text="SECRET//REL TO USA, NATO"))
    assert late.release - early.release == {"SWE"}


TLP_RED = json.loads(stix2.TLP_RED.serialize())


@pytest.mark.parametrize(
    "definition",
    [
        {**TLP_RED, "definition": {"tlp": "white"}},
        {**TLP_RED, "definition_type": "statement", "definition": {"statement": "x"}},
        {**TLP_RED, "extensions": {EXTENSION: {"extension_type": "property-extension", "owners": ["USA"]}}},
        {**TLP_RED, "type": "indicator"},
        {**STATEMENT, "definition_type": "tlp"},
        {**STATEMENT, "definition_type": "tlp", "definition": {"tlp": "TLP:RED"}},
        {**STATEMENT, "definition": {"statement": "x", "more": 1}},
        {**STATEMENT, "definition": None},
        {**STATEMENT, "definition_type": "x-acs"},
        {**STATEMENT, "extensions": {"extension-definition--3a65884d-005a-4290-8335-cb2d778a83ce": {}}},
        {**STATEMENT, "extensions": ["x"]},
        {key: value for key, value in STATEMENT.items() if key != "id"},
        {key: value for key, value in STATEMENT.items() if not key.startswith("definition")},
        ours(),
        ours(scheme="capco"),
        ours(text="SECRET//NOFORN"),
        ours(scheme="other", text="SECRET//NOFORN"),
        ours(scheme="capco", text="SECRET//REL TO USA, EDU"),
        ours(owners=["not a code"]),
        ours(owners=["USA\n"]),
        ours(owners="USA"),
        ours(owners=["USA"], reach="RED"),
        ours("yesterday", scheme="capco", text="SECRET//NOFORN"),
        ours("2026-13-01T00:00:00Z", scheme="capco", text="SECRET//NOFORN"),
        "marking-definition",
        None,
    ],
    ids=str,
)
def test_anything_else_is_quarantined_even_beside_what_can_be_read(definition):
    for found in (label_of(definition), label_of(STATEMENT, definition), label_of(definition, STATEMENT)):
        assert isinstance(found, Quarantine)
        assert found.reason


def test_the_part_that_cannot_be_read_is_named():
    assert label_of(ours(scheme="capco", text="SECRET//REL TO USA, EDU")).mark == "EDU"
    assert label_of({**STATEMENT, "definition_type": "x-acs"}).mark == STATEMENT["id"]


def test_the_marking_keeps_the_original():
    marking, _ = parse_markings([STATEMENT])
    assert marking.scheme == "stix"
    assert json.loads(marking.text) == [STATEMENT]


def test_rendering_is_deterministic_and_tells_makers_apart():
    label = parse("SECRET//REL TO USA, GBR", at=AT)[1]
    once, again = (render_markings(label, created_by_ref=BY, at=AT) for _ in range(2))
    other = render_markings(label, created_by_ref=BY.replace("7d3c", "8d3c"), at=AT)
    later = render_markings(label, created_by_ref=BY, at=date(2026, 11, 2))
    assert once == again
    assert len({definitions[0]["id"] for definitions in (once, other, later)}) == 3


def test_what_is_rendered_is_the_callers_own():
    for _ in range(2):
        (definition,) = render_markings(Label(reach=Reach.RED), created_by_ref=BY, at=AT)
        assert label_of(definition) == Label(reach=Reach.RED)
        definition["extensions"].clear()
        well_known(definition["id"])["extensions"].clear()


@pytest.mark.parametrize(
    ("label", "kinds"),
    [
        (BOTTOM, ["TLP:CLEAR"]),
        (Label(use=Use.RED), ["TLP:CLEAR", "PAP:RED"]),
        (Label(reach=Reach.AMBER, owners=frozenset({"CERT-UA"})), ["TLP:AMBER", EXTENSION]),
        (Label(duties=frozenset({"STATEMENT"})), ["statement"]),
        (parse("SECRET//NOFORN", at=AT)[1], [EXTENSION]),
    ],
)
def test_what_is_rendered_is_stix_and_reads_back(label, kinds):
    definitions = render_markings(label, created_by_ref=BY, at=AT)
    for definition, kind in zip(definitions, kinds, strict=True):
        stix2.parse(definition)
        assert kind in json.dumps(definition)
    assert dominates(label_of(*json.loads(json.dumps(definitions))), label)


def test_a_label_that_no_scheme_says_is_refused():
    with pytest.raises(Refused):
        render_markings(Label(release=frozenset({"CERT-UA"})), created_by_ref=BY, at=AT)
