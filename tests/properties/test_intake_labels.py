"""The label of a product is never wider than any marking it bears, wherever that stands."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.label import BOTTOM, dominates, join_all, parse
from tearline.label.stix import parse_markings, well_known
from tearline.terms import Label, Quarantine
from tests.unit.intake.material import PAP_AMBER, TLP_AMBER, TLP_GREEN, TLP_RED, bundle, one, sdo

REFS = st.lists(st.sampled_from([TLP_GREEN, TLP_AMBER, TLP_RED, PAP_AMBER]), max_size=3)
DAY = date(2026, 10, 14)
MARKS = st.sampled_from(
    [
        "U", "C", "S//NF", "S//REL TO USA, GBR", "S//REL TO USA, AUS, CAN", "TS//SI//NF", "U//FOUO",
        "//GBR S", "//GBR C//REL TO USA, GBR", "TLP:GREEN", "TLP:RED", "S//OC/NF", "S//RD//NF",
    ]
)  # fmt: skip
BANNERS = st.sampled_from(
    [None, "UNCLASSIFIED", "SECRET//NOFORN", "SECRET//REL TO USA, GBR", "TOP SECRET//SI//NOFORN", "TLP:RED"]
)


@settings(max_examples=100, deadline=None)
@given(REFS, REFS, st.sampled_from(["TLP:CLEAR", "TLP:RED"]))
def test_every_marking_of_a_stix_object_counts(own: list[str], parts: list[str], default: str) -> None:
    granular = [{"selectors": ["name"], "marking_ref": ref} for ref in parts]
    product = one(bundle(sdo(object_marking_refs=own, granular_markings=granular)), default)
    clear = well_known("marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487") or {}
    definitions = [well_known(ref) or {} for ref in {*own, *parts}]
    expected = parse_markings([*definitions, clear])[1]
    if not {*own, *parts} - {PAP_AMBER}:
        expected = join_all([part for part in (expected, mark(default)) if isinstance(part, Label)])
    assert product.label == expected


def mark(text: str) -> Label:
    found = parse(text if text.startswith("TLP") else f"({text})", at=DAY)[1]
    assert isinstance(found, Label)
    return found


@settings(max_examples=200, deadline=None)
@given(BANNERS, st.lists(MARKS | st.none(), max_size=5), st.sampled_from([None, "TLP:CLEAR"]))
def test_every_mark_of_a_report_counts(
    banner: str | None, marks: list[str | None], default: str | None
) -> None:
    head = f"{banner}\n" if banner else ""
    body = "\n\n".join(f"({each}) Text." if each else "Text." for each in marks)
    product = one(
        f"{head}Date: {DAY}\n\nTitle line.\n\n{body}\n".replace("Title line.", "# Head").encode(), default
    )
    read = parse(banner, at=DAY)[1] if banner else BOTTOM
    assert isinstance(read, Label)
    marked = [mark(each) for each in marks if each]
    if marked and None in marks:
        assert isinstance(product.label, Quarantine)
    if not marked and banner is None and default is None:
        assert isinstance(product.label, Quarantine)
    if isinstance(product.label, Label):
        assert product.label == join_all([read, *marked])
        for portion in product.portions:
            assert isinstance(portion.label, Label)
            assert dominates(product.label, portion.label)
        assert [p.label for p in product.portions[1:]] == marked
