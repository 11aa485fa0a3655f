"""No cryptonym and no fact reaches a partner, whatever the form."""

from __future__ import annotations

import json

import msgspec
import pytest

from tearline import deliver
from tearline.intake.report_form import HEADER_KEYS
from tearline.terms import Label, Product, Refused, Role
from tests.releases import CREATED, cyber, portion, read, report, tearline, whole

MARK = "(//GBR S//REL TO USA, GBR, UKR)"
TOLD = (("FALCON-RIVER", (("town", "Varnik"), ("trade", "pilot"))),)


def telling(text: str, role: Role = Role.BODY) -> deliver.Draft:
    """Both forms of a report whose portion tells facts; the whole one is given back."""
    told = msgspec.structs.replace(portion(MARK, text, role), facts=TOLD)
    product = report([told, portion("(//GBR U)", "The road is open."), portion("(//GBR S)", "More.")])
    product = msgspec.structs.replace(product, sources=frozenset({"FALCON-RIVER", "OAK"}))
    for draft in (whole(product), tearline(product, [told, product.portions[1]])):
        said = msgspec.json.encode(draft).decode()
        assert not [
            word for word in ("FALCON", "Varnik", "trade", "pilot", "facts", "sources") if word in said
        ]
    return whole(product)


def test_what_a_portion_tells_of_sources_stays_here() -> None:
    description = telling("Nine barges lay.").object["description"]
    assert description.split("\n\n")[0] == "(//GBR S//REL TO GBR, UKR) Nine barges lay."


@pytest.mark.parametrize(
    "text", ["FALCON-RIVER saw it.", "It was\nfalcon-river.", "Falcon-River: nine barges.", "Seen by OAK."]
)
@pytest.mark.parametrize("role", [Role.BODY, Role.TITLE, Role.SOURCE])
def test_a_cryptonym_in_the_text_goes_to_nobody(text: str, role: Role) -> None:
    with pytest.raises(Refused, match="a cryptonym goes to nobody"):
        telling(text, role)


def test_a_word_that_is_also_a_cryptonym_is_text() -> None:
    telling("The oak by the river, and Oakham.")
    telling("SOAKED and OAKEN.")


def test_a_cryptonym_in_the_json_of_a_product_goes_to_nobody() -> None:
    item = {"type": "malware", "id": "malware--1", "name": "a", "description": "x\nFALCON-RIVER"}
    product = cyber(item, Label())
    assert whole(product).object["description"] == item["description"], "where it is no source, it is a word"
    with pytest.raises(Refused):
        whole(msgspec.structs.replace(product, sources=frozenset({"FALCON-RIVER"})))


@pytest.mark.parametrize("key", sorted(HEADER_KEYS))
def test_the_header_of_a_report_without_portion_marks_never_goes(key: str) -> None:
    content = (
        f"\n---\nTLP:AMBER\n{key.capitalize()}: OAK-HILL\n {key.upper()} : 1\n---\n\n"
        f"The port of Osk:\n\n{key}: this is text."
    )
    draft = whole(report(content=content, own=read("TLP:AMBER")))
    assert draft.object["description"] == f"The port of Osk:\n\n{key}: this is text."


def test_a_stored_product_without_the_fields_still_decodes() -> None:
    stored = json.loads(msgspec.json.encode(report([portion(MARK, "Nine barges lay.")])))
    del stored["sources"]
    for each in stored["portions"]:
        del each["facts"]
    product = msgspec.json.decode(json.dumps(stored), type=Product)
    assert (product.sources, product.portions[0].facts, product.created) == (frozenset(), (), CREATED)
