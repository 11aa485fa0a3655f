"""The security fields of NITF: read whole or not at all, and never written wider than asked."""

from __future__ import annotations

import jbpy
import pytest

from tearline.label import parse
from tearline.label.grammar import Unreadable
from tearline.media.imagery.nitf import Headers
from tearline.media.imagery.security import WIDTHS, Unwritable, banner, fields_of
from tearline.terms import ImageryForm, Label
from tests import pictures

BLANK = dict.fromkeys(WIDTHS, "")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"CLAS": "U"}, "UNCLASSIFIED"),
        ({"CLAS": "S", "CLSY": "US"}, "SECRET"),
        ({"CLAS": "S", "CLSY": "US", "CTLH": "NF"}, "SECRET//NOFORN"),
        ({"CLAS": "S", "CLSY": "US", "REL": "USA GBR"}, "SECRET//REL TO USA, GBR"),
        ({"CLAS": "T", "CLSY": "US", "CODE": "SI TK", "CTLH": "OC"}, "TOP SECRET//SI/TK//ORCON"),
        ({"CLAS": "T", "CLSY": "XN"}, "//COSMIC TOP SECRET"),
        ({"CLAS": "R", "CLSY": "XN"}, "//NATO RESTRICTED"),
        ({"CLAS": "C", "CLSY": "UP", "REL": "USA POL"}, "//UKR CONFIDENTIAL//REL TO USA, POL"),
        ({"CLAS": "U", "CLSY": "US", "CODE": "FO"}, "UNCLASSIFIED//FOUO"),
        ({"CLAS": "S", "CLSY": "UK"}, "//GBR SECRET"),
    ],
)
def test_fields_as_a_banner(fields, text):
    assert banner(BLANK | fields) == text
    marking, label = parse(text, at=pictures.TAKEN.date())
    assert isinstance(label, Label), marking


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"CLAS": "X"}, "CLAS"),
        ({"CLAS": ""}, "CLAS"),
        ({"CLAS": "S"}, "CLSY"),
        ({"CLAS": "S", "CLSY": "AU"}, "CLSY"),
        ({"CLAS": "S", "CLSY": "ZZ"}, "CLSY"),
        ({"CLAS": "U", "REL": "USA GBR"}, "CLSY"),
        ({"CLAS": "S", "CLSY": "US", "CODE": "QQ"}, "CODE"),
        ({"CLAS": "S", "CLSY": "US", "CODE": "SI SI"}, "CODE"),
        ({"CLAS": "S", "CLSY": "US", "CTLH": "RL"}, "REL"),
        ({"CLAS": "S", "CLSY": "US", "REL": "USA QQQ"}, "REL"),
        ({"CLAS": "S", "CLSY": "US", "REL": "US UK"}, "REL"),
        ({"CLAS": "S", "CLSY": "US", "REL": "GBR"}, "CODE"),
        ({"CLAS": "S", "CLSY": "US", "CTLH": "NF", "REL": "USA GBR"}, "CODE"),
        ({"CLAS": "R", "CLSY": "US"}, "CODE"),
        ({"CLAS": "U", "CLSY": "US", "CODE": "SI"}, "CODE"),
        ({"CLAS": "S", "CLSY": "US", "CLTX": "HANDLE WITH CARE"}, "CLTX"),
    ],
)
def test_what_is_not_read_whole_is_not_read(fields, field):
    with pytest.raises(Unreadable) as caught:
        banner(BLANK | fields)
    assert caught.value.mark == field


@pytest.mark.parametrize(
    "text",
    [
        "TLP:AMBER",
        "SECRET//SI-G ABCD//NOFORN",
        "SECRET//HCS-P//NOFORN",
        "SECRET//RELIDO",
        "SECRET//FGI GBR",
        "//JOINT SECRET CAN GBR",
        "//AUS SECRET",
        "SECRET//REL TO USA, AUS, CAN, GBR, NZL, POL",
        "secret",
        "",
    ],
)
def test_what_the_fields_cannot_say_is_not_written(text):
    with pytest.raises(Unwritable):
        fields_of(text)


def patched(path, place: str, field: str, value: str):
    """Overwrite one security field of the file header (F) or of the image (I)."""
    root = jbpy.Jbp().load(path.open("rb"))
    header = root["FileHeader"] if place == "F" else root["ImageSegments"][0]["subheader"]
    found = header[f"{place}S{field}"]
    content = bytearray(path.read_bytes())
    content[found.get_offset() : found.get_offset() + found.size] = value.encode("latin-1").ljust(found.size)
    path.write_bytes(bytes(content))
    return path


@pytest.mark.parametrize(
    ("place", "field", "value", "reason"),
    [
        ("I", "CLAS", "T", "image 1: it is marked narrower"),
        ("I", "REL", "USA", "image 1, field CODE"),
        ("I", "CTLH", "NF", "image 1, field CODE"),
        ("F", "CLAS", "C", "image 1: it is marked narrower"),
        ("F", "REL", "USA FVEY", "image 1: it is marked narrower"),
        ("F", "CLSY", "", "file header, field CLSY"),
        ("F", "CODE", "\xe9", "file header, field CODE"),
        ("F", "DCTP", "QQ", "file header, field DCTP"),
        ("F", "REL", " USA GBR", "file header, field REL"),
        ("I", "CLAS", " ", "image 1, field CLAS"),
    ],
)
def test_an_unreadable_or_contradictory_field_quarantines(tmp_path, place, field, value, reason):
    seen = pictures.inspect(patched(pictures.marked(tmp_path / "source.ntf"), place, field, value))
    assert seen.marking is None
    assert seen.quarantine
    assert seen.quarantine.startswith(reason)


def test_a_segment_with_a_duty_that_the_file_does_not_have(tmp_path):
    plain = {"SCLAS": "U", "SCLSY": "US", "SCTLH": "", "SREL": ""}
    fields = {f"{prefix}{name}": value for prefix in "FI" for name, value in plain.items()}
    assert pictures.inspect(pictures.marked(tmp_path / "one.ntf", **fields)).marking == "UNCLASSIFIED"
    fields["ISCODE"] = "FO"
    seen = pictures.inspect(pictures.marked(tmp_path / "two.ntf", **fields))
    assert (seen.marking, seen.quarantine) == (None, "image 1: it is marked narrower than the file")


def test_an_unclassified_segment_may_be_in_any_file(tmp_path):
    fields = {
        "FSCLSY": "UK",
        "FSREL": "",
        "FSCTLH": "",
        "ISCLAS": "U",
        "ISCLSY": "",
        "ISREL": "",
        "ISCTLH": "",
    }
    seen = pictures.inspect(pictures.marked(tmp_path / "source.ntf", **fields))
    assert (seen.marking, seen.quarantine) == ("//GBR SECRET", None)


def test_every_segment_is_marked_anew_and_nothing_else_is_touched(tmp_path):
    source = pictures.planted_nitf(tmp_path / "source.ntf", "QZXJKVWYQZXJ")
    target = tmp_path / "whole.ntf"
    made = pictures.make(source, target, None, "SECRET//REL TO USA, EST")
    assert pictures.findings(target, made, None, "SECRET//REL TO USA, EST") == ()
    places = [place for place, _ in Headers(target).groups()]
    assert places == ["file header", "image 1", "text 1", "data extension 1"]
    old, new = source.read_bytes(), target.read_bytes()
    assert len(old) == len(new)
    allowed = {
        at
        for _, group in Headers(source).groups()
        for field in group.values()
        for at in range(field.get_offset(), field.get_offset() + field.size)
    }
    assert {at for at in range(len(old)) if old[at] != new[at]} <= allowed


def test_what_else_a_file_carries_is_listed_by_name(tmp_path):
    source = pictures.planted_nitf(tmp_path / "source.ntf", "QZXJKVWYQZXJ")
    seen = pictures.inspect(source)
    words = "\n".join(seen.texts)
    for place in ("NITF_FTITLE", "NITF_ONAME", "NITF_ISORCE", "NITF_IMAGE_COMMENTS", "NITF_FSCAUT"):
        assert place in words
    assert "QZXJKVWYQZXJ" in seen.texts
    assert seen.carries == ("TRE QZXJKV", "segment text 1", "segment data extension 1", "comment")
    seen = pictures.inspect(pictures.planted_tiff(tmp_path / "source.tif", "QZXJKVWYQZXJ"))
    assert {"tag 305", "tag 315", "tag 700", "tag 50844", "tag 65000"} <= {*seen.carries}
    assert "QZXJKVWYQZXJ" in seen.texts
    seen = pictures.inspect(pictures.planted_exif(tmp_path / "camera.tif", "QZXJKVWYQZXJ"))
    assert "QZXJKVWYQZXJ" in seen.texts
    seen = pictures.inspect(pictures.planted_jp2(tmp_path / "source.jp2", "QZXJKVWYQZXJ"))
    assert "QZXJKVWYQZXJ" in "\n".join(seen.texts)


def test_a_form_of_a_marked_picture_bears_the_marking_asked_for(tmp_path):
    source, target = pictures.marked(tmp_path / "source.ntf"), tmp_path / "form.ntf"
    form = ImageryForm(name="coarse", gsd_m=10)
    made = pictures.make(source, target, form, "UNCLASSIFIED//FOUO")
    assert pictures.findings(target, made, form, "UNCLASSIFIED//FOUO") == ()
    assert any("marking" in found for found in pictures.findings(target, made, form, "SECRET//NOFORN"))
