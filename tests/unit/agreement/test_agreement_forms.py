"""Forms in the manifest: what is read, what is refused and where, and what revisions make of them."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from tearline import gate
from tearline.agreement import Agreement, difference, examine, load
from tearline.terms import BadInput, Box, Grain, ImageryForm, Refused, SignalForm

HEAD = """\
id = "two"
title = "Agreement of two"
parties = ["GBR", "USA"]
valid_from = 2026-01-01
valid_until = 2028-01-01

[levels.USA]
SECRET = "SECRET"

[levels.GBR]
SECRET = "SECRET"
"""
COARSE = '[forms.coarse]\nkind = "imagery"\ngsd_m = 10\n'
LOG = '[forms.log]\nkind = "signal"\nsamples = false\n'
CLAUSES = """\
@id("lines") @reason("Example.") @review("2027-06-30")
permit (principal, action == Action::"releaseTearline", resource)
when { resource.level <= 3 };
"""
PAGE = Path(__file__).parents[3] / "docs" / "agreement-profile.md"


def read(*forms: str) -> Agreement:
    return load("\n".join([HEAD, *forms]), CLAUSES, "two")


def test_forms_are_read_in_their_order() -> None:
    assert read().forms == ()
    coarse, log = ImageryForm(name="coarse", gsd_m=10), SignalForm(name="log", samples=False)
    assert read(COARSE, LOG).forms == (coarse, log)
    assert read(LOG, COARSE).forms == (log, coarse)


def test_the_forms_of_the_page_are_read_and_its_clause_is_said() -> None:
    text = re.search(r"```toml\n(\[forms\.region\].*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    clause = re.search(
        r"```cedar\n(@id\(\"region-pictures\"\).*?)```\n\nNamed in words: (.*?)\n",
        PAGE.read_text("utf-8"),
        re.DOTALL,
    )
    assert text
    assert clause
    region, narrow, log = load(f"{HEAD}\n{text[1]}", clause[1], "page").forms
    assert region == ImageryForm(
        name="region",
        gsd_m=10,
        area=Box(20, 40, 30, 50),
        bits=8,
        time=Grain.DAY,
        delay_h=24,
        marking="SECRET//REL TO USA, GBR",
        sanitizer="fog/1",
    )
    assert narrow == SignalForm(name="narrow", annotated=True, bandwidth_hz=25000, position_deg=1)
    assert log == SignalForm(name="log", samples=False)
    assert examine(f"{HEAD}\n{text[1]}", clause[1], date(2026, 11, 1), gate.unreadable) == []


BAD = {
    "no kind": ("gsd_m = 10", "forms.x.kind: it says no kind"),
    "an unknown kind": ('kind = "sound"', "forms.x.kind: it says no kind"),
    "a field of the other kind": ('kind = "signal"\ngsd_m = 10', "forms.x.gsd_m: such forms have none"),
    "a misspelt field": ('kind = "imagery"\ngsd = 10', "forms.x.gsd: such forms have none"),
    "a name in it": ('kind = "imagery"\nname = "y"', "forms.x.name: such forms have none"),
    "a negative distance": ('kind = "imagery"\ngsd_m = -1', "forms.x.gsd_m: it is out of range"),
    "no number": ('kind = "imagery"\ngsd_m = nan', "forms.x.gsd_m: it is out of range"),
    "no end": ('kind = "signal"\nbandwidth_hz = inf', "forms.x.bandwidth_hz: it is out of range"),
    "no width": ('kind = "signal"\nbandwidth_hz = 0', "forms.x.bandwidth_hz: it is out of range"),
    "a text for a number": ('kind = "imagery"\ngsd_m = "10"', "forms.x.gsd_m: expected `float`, got `str`"),
    "too late": ('kind = "imagery"\ndelay_h = 9999999', "forms.x.delay_h: it is out of range"),
    "half an hour": ('kind = "imagery"\ndelay_h = 0.5', "forms.x.delay_h: expected `int`, got `float`"),
    "odd bits": ('kind = "imagery"\nbits = 12', "forms.x.bits: invalid enum value 12"),
    "an unknown grain": ('kind = "imagery"\ntime = "week"', "forms.x.time: invalid enum value 'week'"),
    "too fine a grid": ('kind = "signal"\nposition_deg = 0', "forms.x.position_deg: it is out of range"),
    "an area turned round": (
        'kind = "imagery"\narea = { west = 30, south = 40, east = 20, north = 50 }',
        "forms.x.area: it is no area on the earth",
    ),
    "an area off the earth": (
        'kind = "imagery"\narea = { west = 20, south = 40, east = 30, north = 95 }',
        "forms.x.area: it is no area on the earth",
    ),
    "an area and more": (
        'kind = "imagery"\narea = { west = 20, south = 40, east = 30, north = 50, up = 1 }',
        "forms.x.area: it is no area on the earth",
    ),
    "a sanitizer without a version": (
        'kind = "imagery"\nsanitizer = "fog"',
        "forms.x.sanitizer: it is no name with a version",
    ),
    "a sanitizer with a path": (
        'kind = "signal"\nsanitizer = "../fog/1"',
        "forms.x.sanitizer: it is no name with a version",
    ),
    "a sanitizer with a name too long": (
        f'kind = "signal"\nsanitizer = "{"fog" * 21}/1"',
        "forms.x.sanitizer: it is no name with a version",
    ),
    "half an area": ('kind = "imagery"\narea = { west = 20 }', "forms.x.area: object missing"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_is_named_with_its_place(name: str) -> None:
    form, sentence = BAD[name]
    text = f"[forms.x]\n{form}\n"
    with pytest.raises(BadInput, match=re.escape(f"two, {sentence}")):
        read(text)
    (finding,) = examine(f"{HEAD}\n{text}", CLAUSES, date(2026, 11, 1))
    assert finding.code == "E026"
    assert finding.message.startswith(sentence)
    line = f"{HEAD}\n{text}".split("\n")[finding.line - 1]
    field = sentence.split(":")[0].removeprefix("forms.x.")
    assert line.startswith(field) or line == "[forms.x]"


def test_names_and_numbers_of_forms() -> None:
    with pytest.raises(BadInput, match=r"forms\.Coarse: its name is not in kebab-case"):
        read(COARSE.replace("coarse", "Coarse"))
    with pytest.raises(BadInput, match="forms: there are more than 32"):
        read(*(COARSE.replace("coarse", f"coarse-{number}") for number in range(33)))
    with pytest.raises(BadInput, match="Expected `object`"):
        read('[forms]\ncoarse = "10 m"')


def test_a_marking_must_be_readable() -> None:
    marked = COARSE + 'marking = "SECRET//REL TO NOWHERE"\n'
    (finding,) = examine(f"{HEAD}\n{marked}", CLAUSES, date(2026, 11, 1), gate.unreadable)
    assert finding.code == "E026"
    assert finding.message.startswith("forms.coarse.marking: 'NOWHERE'")
    both = examine(f"{HEAD}\n{marked}delay_h = -1\n", CLAUSES, date(2026, 11, 1), gate.unreadable)
    assert [each.code for each in both] == ["E026", "E026"]
    with pytest.raises(Refused, match=r"two: agreement.toml, forms\.coarse\.marking: 'NOWHERE'"):
        gate.must_be_readable(read(marked))
    for good in ("TLP:GREEN", "CONFIDENTIAL//REL TO USA, GBR", "//GBR SECRET//REL TO USA, GBR"):
        gate.must_be_readable(read(COARSE + f'marking = "{good}"\n'))


def test_forms_and_their_order_are_part_of_the_version_and_what_is_understood_is_not() -> None:
    versions = [read(), read(COARSE), read(COARSE, LOG), read(LOG, COARSE), read(COARSE.replace("10", "11"))]
    assert len({each.version for each in versions}) == 5
    plain = read(COARSE + 'time = "day"\ndelay_h = 0\n'), read(COARSE.replace("10", "10.0 # metres"))
    assert {each.version for each in plain} == {read(COARSE).version}


def test_who_makes_a_form_is_part_of_it() -> None:
    fog, newer = (read(f'{COARSE}sanitizer = "fog/{number}"\n') for number in (1, 2))
    none = read(f'{COARSE}sanitizer = ""\n')
    assert len({fog.version, newer.version, none.version, read(LOG).version}) == 4
    assert (none.version, none.forms) == (read(COARSE).version, read(COARSE).forms)
    assert difference(fog, newer).manifest == (
        "form coarse is now imagery: no sharper than 10 m, with the day, made by fog/2; "
        "was imagery: no sharper than 10 m, with the day, made by fog/1",
    )


def test_what_a_revision_changes_in_forms() -> None:
    late = COARSE + 'delay_h = 24\nmarking = "TLP:GREEN"\n'
    assert difference(read(COARSE), read(late, LOG)).manifest == (
        "form coarse is now imagery: no sharper than 10 m, with the day, 24 hours after it was taken, "
        "own ones marked TLP:GREEN; was imagery: no sharper than 10 m, with the day",
        "form added: log, recordings: the metadata alone, no position, with the day",
    )
    assert difference(read(COARSE, LOG), read(LOG)).manifest == (
        "form removed: coarse, imagery: no sharper than 10 m, with the day",
    )
    assert difference(read(COARSE, LOG), read(LOG, COARSE)).manifest == (
        "forms are tried in another order: log, coarse",
    )
