"""What is given: the original under its recipient's marking, or an object that tells nothing of it."""

from __future__ import annotations

import json
from datetime import timedelta

import msgspec
import orjson
import pytest
import stix2

from tearline import deliver, label
from tearline.deliver.extension import DEFINITION, EXTENSION
from tearline.label.stix import parse_markings
from tearline.terms import BadInput, Label, Quarantine, Reach, Refused, Role, Tearline, Whole
from tests.releases import CREATED, ISSUED, KEY, NODE, cyber, portion, read, report, sealed, tearline, whole

SECRET = "(//GBR S//REL TO USA, AUS, CAN, GBR, UKR)"
TITLE = portion(SECRET, "Convoy at Zhytvyn", Role.TITLE)
FIRST = portion(SECRET, "1. A column of 34 vehicles left the depot.")
CLOSE = portion("(//GBR S//REL TO USA, FVEY)", "2. The commander is Major Hlib Sorvat.")
THIRD = portion("(//GBR U)", "3. The road is the only one with a hard surface.")
SOURCE = portion("(//GBR S)", "SOURCE: A driver in the column.", Role.SOURCE)
REPORT = report([TITLE, FIRST, CLOSE, THIRD, SOURCE])
OPEN = report([TITLE, FIRST, THIRD, portion(SECRET, "SOURCE: A driver in the column.", Role.SOURCE)])

INTRUSION = {
    "type": "intrusion-set",
    "spec_version": "2.1",
    "id": "intrusion-set--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061",
    "created_by_ref": "identity--9f3ad0f1-3b8c-4d9a-8d3a-111111111111",
    "created": "2026-10-01T00:00:00.000Z",
    "modified": "2026-10-14T06:30:00.000Z",
    "name": "Grey Heron",
    "object_marking_refs": ["marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"],
    "granular_markings": [
        {"marking_ref": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", "selectors": ["name"]}
    ],
}


def label_of(draft: deliver.Draft) -> Label | Quarantine:
    """The label that a recipient reads from the object and the definitions that come with it."""
    definitions = [item for item in draft.supporting if item["type"] == "marking-definition"]
    assert [item["id"] for item in definitions] == draft.object["object_marking_refs"]
    return parse_markings(definitions)[1]


# --- the original ----------------------------------------------------------------------------------


def test_a_cyber_product_goes_as_it_is_under_the_recipients_marking() -> None:
    draft = whole(cyber(INTRUSION, read("//GBR SECRET//REL TO USA, AUS, CAN, GBR, UKR")))
    kept = set(INTRUSION) - {"created_by_ref", "object_marking_refs", "granular_markings"}
    assert {key: draft.object[key] for key in kept} == {key: INTRUSION[key] for key in kept}
    assert set(draft.object) == kept | {"created_by_ref", "object_marking_refs"}
    assert draft.object["created_by_ref"] == NODE.id, "who made it was not given"
    assert (draft.object_id, draft.version) == (INTRUSION["id"], INTRUSION["modified"])
    received = label_of(draft)
    assert isinstance(received, Label)
    assert received.release == {"GBR", "UKR"}


def test_the_marking_is_never_wider() -> None:
    own = Label(reach=Reach.AMBER, owners=frozenset({"GBR"}))
    received = label_of(whole(cyber(INTRUSION, own)))
    assert isinstance(received, Label)
    assert label.dominates(received, label.narrow(own, "UKR"))


def test_an_extension_of_ours_in_the_original_is_dropped_and_others_stay() -> None:
    other = {
        "extension-definition--aaaaaaaa-3b8c-4d9a-8d3a-111111111111": {"extension_type": "property-extension"}
    }
    both = cyber(INTRUSION | {"extensions": other | {EXTENSION: {}}}, Label())
    assert whole(both).object["extensions"] == other
    assert "extensions" not in whole(cyber(INTRUSION | {"extensions": {EXTENSION: {}}}, Label())).object


def test_an_object_without_times_has_no_version() -> None:
    address = {
        "type": "ipv4-addr",
        "spec_version": "2.1",
        "id": "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4",
        "value": "192.0.2.7",
    }
    assert whole(cyber(address, Label())).version is None


@pytest.mark.parametrize("value", [2**53, "\ud800"])
def test_an_object_without_a_canonical_form_is_refused(value: object) -> None:
    product = cyber(INTRUSION, Label())
    content = json.dumps(INTRUSION | {"x_value": value}).encode()
    with pytest.raises(BadInput):
        whole(msgspec.structs.replace(product, content=content))


# --- reports ---------------------------------------------------------------------------------------


def test_a_whole_report_has_all_portions_under_narrowed_marks() -> None:
    item = whole(OPEN).object
    assert item["type"] == "report"
    assert item["id"] == OPEN.id
    assert item["name"] == "Convoy at Zhytvyn"
    assert item["description"].split("\n\n") == [
        "(//GBR S//REL TO GBR, UKR) 1. A column of 34 vehicles left the depot.",
        "(//GBR U) 3. The road is the only one with a hard surface.",
        "(//GBR S//REL TO GBR, UKR) SOURCE: A driver in the column.",
    ]
    assert (item["created"], item["modified"]) == ("2026-10-14T06:30:00.000Z", "2026-10-14T06:30:00.000Z")
    assert item["labels"] == ["land", "threat-to-life", "eastern-europe"]
    assert item["created_by_ref"] == NODE.id
    assert item["object_refs"] == [NODE.id]


def test_a_report_without_portion_marks_loses_its_banner() -> None:
    content = (
        "//GBR SECRET//REL TO USA, GBR, UKR\nTitle: Convoy\nMarking: //GBR SECRET//REL TO USA, GBR, UKR\n"
        "\nThe column (//GBR S//REL TO USA, GBR, UKR) left.\n\n//GBR SECRET//REL TO USA, GBR, UKR\n"
    )
    own = read("//GBR SECRET//REL TO USA, AUS, CAN, GBR, UKR")
    item = whole(report(content=content, own=own)).object
    assert item["description"] == "The column (//GBR S//REL TO GBR, UKR) left."


def test_a_report_with_an_id_of_another_form_gets_one_of_its_own() -> None:
    product = msgspec.structs.replace(OPEN, id="DESK/2026/17")
    first, second = whole(product), whole(product, "USA")
    assert first.object_id == second.object_id
    assert first.object_id.startswith("report--")


def test_a_report_that_came_as_stix_goes_as_stix() -> None:
    given = whole(OPEN).object
    product = msgspec.structs.replace(REPORT, content=orjson.dumps(given), portions=(), label=Label())
    assert whole(product).object["description"] == given["description"]


def test_tlp_is_written_as_tlp() -> None:
    body = portion("TLP:GREEN", "The column left.")
    assert whole(report([body])).object["description"] == "(TLP:GREEN) The column left."


# --- the tearline ----------------------------------------------------------------------------------


def test_a_tearline_has_what_may_go_and_no_gap() -> None:
    draft = tearline(REPORT, [TITLE, FIRST, THIRD])
    assert draft.object["name"] == "Convoy at Zhytvyn"
    assert draft.object["description"].split("\n\n") == [
        "(//GBR S//REL TO GBR, UKR) A column of 34 vehicles left the depot.",
        "(//GBR U) The road is the only one with a hard surface.",
    ]
    received = label_of(draft)
    assert isinstance(received, Label)
    assert received.release == {"GBR", "UKR"}


def test_a_tearline_has_no_title_that_may_not_go() -> None:
    assert tearline(REPORT, [FIRST]).object["name"] == "Report: land, threat to life"
    bare = msgspec.structs.replace(REPORT, topics=frozenset(), regions=frozenset())
    item = tearline(bare, [FIRST]).object
    assert item["name"] == "Report: no topic given"
    assert "labels" not in item


def test_a_source_line_never_goes() -> None:
    assert "driver" not in tearline(REPORT, [FIRST, SOURCE]).object["description"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("1. One", "One"),
        ("12) One", "One"),
        ("(3) One", "One"),
        ("4.2. One", "One"),
        ("2.5 tonnes", "2.5 tonnes"),
        ("34 vehicles", "34 vehicles"),
        ("They lost 34. Then they left.", "They lost 34. Then they left."),
        ("1. 2. One", "2. One"),
    ],
)
def test_the_numbers_of_paragraphs_do_not_tell_of_a_gap(text: str, left: str) -> None:
    description = tearline(REPORT, [portion("(//GBR U)", text)]).object["description"]
    assert description == f"(//GBR U) {left}"


def test_a_tearline_tells_nothing_of_the_original() -> None:
    draft = tearline(REPORT, [FIRST, THIRD])
    text = orjson.dumps([msgspec.to_builtins(draft), orjson.loads(sealed([draft])[0])]).decode()
    for secret in (REPORT.id, REPORT.id[8:], REPORT.version, "2026-10-14", "Zhytvyn", "Sorvat", "AUS", "CAN"):
        assert secret not in text
    assert {draft.object[key] for key in ("created", "modified", "published")} == {"2026-11-23T00:00:00.000Z"}


def test_tearlines_of_one_product_cannot_be_linked() -> None:
    drafts = [tearline(REPORT, [FIRST], partner) for partner in ("UKR", "USA")] + [tearline(REPORT, [THIRD])]
    assert len({draft.object_id for draft in drafts}) == len(drafts)
    stranger = msgspec.structs.replace(NODE, secret=bytes(32))
    outcome = Tearline(partner="UKR", portions=(FIRST,), label=FIRST.label, reasons=())
    theirs = deliver.compose(REPORT, outcome, node=stranger, issued=ISSUED)
    assert theirs.object_id != drafts[0].object_id
    assert theirs.release_id != drafts[0].release_id


# --- every draft -----------------------------------------------------------------------------------


def test_doing_it_again_gives_the_same_release() -> None:
    outcome = Whole(partner="UKR", reasons=())
    later = deliver.compose(OPEN, outcome, node=NODE, issued=ISSUED + timedelta(minutes=5))
    assert (later.release_id, later.digest) == (whole(OPEN).release_id, whole(OPEN).digest)
    again = tearline(REPORT, [FIRST])
    assert (again.release_id, again.object) == (tearline(REPORT, [FIRST]).release_id, again.object)


def test_what_differs_is_another_release() -> None:
    newer = msgspec.structs.replace(OPEN, version="2026-10-15T00:00:00.000Z")
    drafts = [whole(OPEN), whole(OPEN, "USA"), whole(newer), tearline(OPEN, [FIRST])]
    assert len({draft.release_id for draft in drafts}) == len(drafts)


def test_a_draft_survives_json() -> None:
    draft = whole(cyber(INTRUSION | {"x_ratio": 0.1}, Label()))
    assert msgspec.json.decode(msgspec.json.encode(draft), type=deliver.Draft) == draft


def test_the_supporting_objects_are_all_that_is_referred_to() -> None:
    draft = whole(OPEN)
    ids = {item["id"] for item in draft.supporting}
    assert {*draft.object["object_marking_refs"], draft.object["created_by_ref"], EXTENSION} <= ids
    assert draft.supporting[-2:] == (NODE.to_stix(), DEFINITION)


def test_what_cannot_be_marked_is_refused() -> None:
    quarantined = msgspec.structs.replace(
        REPORT, label=Quarantine(scheme="capco", mark="X", reason="unknown")
    )
    with pytest.raises(Refused):
        whole(quarantined)
    hidden = msgspec.structs.replace(FIRST, label=quarantined.label)
    with pytest.raises(Refused):
        whole(msgspec.structs.replace(REPORT, portions=(hidden,)))


@pytest.mark.parametrize(
    "draft", [whole(OPEN), tearline(REPORT, [FIRST]), whole(cyber(INTRUSION, Label(reach=Reach.AMBER)))]
)
def test_other_stix_clients_can_read_all_of_it(draft: deliver.Draft) -> None:
    (body,) = sealed([draft], KEY)
    for item in (orjson.loads(body), *draft.supporting):
        parsed = stix2.parse(item, allow_custom=True)
        assert parsed.id == item["id"]
    strict = stix2.parse(orjson.loads(body))
    assert orjson.loads(strict.serialize())["extensions"] == orjson.loads(body)["extensions"]


def test_created_is_the_originals() -> None:
    assert whole(OPEN).object["created"] == CREATED.strftime("%Y-%m-%dT%H:%M:%S.000Z")
