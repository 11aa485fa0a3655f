"""STIX markings: reading is total, and what is rendered never reads wider."""

import json
from datetime import date

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tearline.label import dominates, narrow
from tearline.label.stix import EXTENSION, PAP_EXTENSION, TLP2_EXTENSION, parse_markings, render_markings
from tearline.terms import Label, Quarantine, Refused
from tests.strategies import labels, parties

BY = "identity--7d3c1f7e-5a2b-4c19-9a43-0f7f6f1c2b10"
days = st.dates(date(1990, 1, 1), date(2040, 1, 1))
# fmt: off
words = st.sampled_from((
    "marking-definition", "tlp", "statement", "red", "capco", "property-extension", "SECRET//NOFORN",
    "2026-11-01T00:00:00Z", "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
    EXTENSION, TLP2_EXTENSION, PAP_EXTENSION,
))
keys = st.sampled_from((
    "type", "id", "created", "definition_type", "definition", "extensions", "tlp", "statement", "scheme",
    "text", "owners", "extension_type", "tlp_2_0", EXTENSION, TLP2_EXTENSION,
))
# fmt: on
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | words,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(keys | st.text(max_size=3), part, max_size=5),
    max_leaves=12,
)


@given(st.lists(junk | st.dictionaries(keys, junk | words), max_size=3))
def test_reading_is_total(definitions):
    marking, found = parse_markings(definitions)
    assert marking.scheme == "stix"
    assert isinstance(found, Label | Quarantine)
    if not definitions:
        assert isinstance(found, Quarantine)


@given(labels(), days)
def test_what_is_rendered_is_read_no_wider(label, at):
    try:
        definitions = render_markings(label, created_by_ref=BY, at=at)
    except Refused:
        return
    read = parse_markings(json.loads(json.dumps(definitions)))[1]
    assert isinstance(read, Label)
    assert dominates(read, msgspec.structs.replace(label, info=frozenset()))


@given(labels(owners=("GBR", "UKR", "USA")), parties, days)
def test_a_copy_names_nobody_but_owners_and_recipient(label, party, at):
    for_it = narrow(label, party)
    if for_it.release is None and for_it.display is None:
        return  # it has no list, and its default does not come from who else received it
    try:
        definitions = render_markings(for_it, created_by_ref=BY, at=at)
    except Refused:
        return
    read = parse_markings(definitions)[1]
    assert read.release <= label.owners | {party}
    assert read.display <= label.owners | {party}


@given(labels(), days, st.text(max_size=3))
def test_a_changed_definition_is_never_read_partly(label, at, text):
    """One that cannot be read among those that can: the whole is quarantined."""
    try:
        definitions = render_markings(label, created_by_ref=BY, at=at)
    except Refused:
        return
    broken = {**definitions[0], "definition_type": f"x-{text}"}
    assert isinstance(parse_markings([*definitions, broken])[1], Quarantine)
