"""TLP 2.0 and PAP in text and in MISP tags."""

from datetime import date

import pytest

from tearline.label import parse, parse_tags, parse_tlp, render_tags, render_tlp
from tearline.terms import Label, Quarantine, Reach, Use

AT = date(2026, 11, 1)


@pytest.mark.parametrize("reach", list(Reach))
@pytest.mark.parametrize("use", list(Use))
def test_rendering_is_read_back(reach, use):
    label = Label(reach=reach, use=use)
    assert parse_tlp(render_tlp(label)) == parse_tags(render_tags(label)) == label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("TLP:CLEAR", Label()),
        ("TLP:WHITE", Label()),
        ("TLP:AMBER+STRICT", Label(reach=Reach.AMBER_STRICT)),
        ("TLP:RED PAP:AMBER", Label(reach=Reach.RED, use=Use.AMBER)),
    ],
)
def test_text(text, label):
    marking, found = parse(text, at=AT)
    assert (marking.scheme, found) == ("tlp2", label)


@pytest.mark.parametrize(
    "text",
    [
        "TLP:ORANGE",
        "TLP: RED",
        "tlp:red",
        "TLP:RED\n",
        " TLP:RED",
        "TLP:AMBER STRICT",
        "TLP:EX:CHR",
        "TLP",
        "TLP:",
        "TLP:RED TLP:GREEN",
        "PAP:RED",
        "PAP:RED TLP:RED",
        "TLP:RED PAP:BLUE",
        "TLP:GREEN PAP:RED PAP:RED",
    ],
)
def test_what_is_no_tlp(text):
    marking, found = parse(text, at=AT)
    assert marking.scheme == "tlp2"
    assert isinstance(found, Quarantine)
    assert found.mark
    assert found.mark in text


@pytest.mark.parametrize(
    ("tags", "label"),
    [
        (["tlp:amber+strict", "misp-galaxy:threat-actor"], Label(reach=Reach.AMBER_STRICT)),
        (["tlp:white", "PAP:GREEN"], Label(use=Use.GREEN)),
        (["TLP:GREEN", "pap:red", "tlp:red"], Label(reach=Reach.RED, use=Use.RED)),
        (["tlp:red", "PAP:RED", "pap:green", "tlp:green"], Label(reach=Reach.RED, use=Use.RED)),
        (["type:OSINT"], None),
        ([], None),
        (["PAP:RED"], None),
        (["tlp:green", "tlp:unclear"], None),
        (["tlp:green", "pap:ultra"], None),
    ],
)
def test_tags(tags, label):
    found = parse_tags(tags)
    assert isinstance(found, Quarantine) if label is None else found == label
