"""The CAPCO codec against hand-written marks: what each means, and what cannot be read."""

import tomllib
from datetime import date
from pathlib import Path

import pytest

from tearline.label import dominates, join, narrow, parse, render_banner, render_portion
from tearline.label.capco import parse_banner, parse_portion
from tearline.terms import Label, Level, Quarantine, Reach, Refused

VECTORS = Path(__file__).parents[2] / "vectors" / "labels"
AT = date(2026, 11, 1)


def vectors(name):
    return tomllib.loads((VECTORS / f"{name}.toml").read_text("utf-8"))


def expected(case):
    owners = frozenset(case.get("owners", ["USA"]))
    everyone = case["release"] == "everyone"
    release = None if everyone else frozenset(case["release"])
    return Label(
        level=tuple((owner, Level[case["rank"]]) for owner in sorted(owners)),
        need=frozenset(case.get("need", [])),
        release=release,
        display=None if everyone else frozenset(case.get("display", case["release"])),
        owners=owners,
        consent=frozenset(case.get("consent", [])),
        duties=frozenset(case.get("duties", [])),
        info=frozenset(case.get("info", [])),
    )


CASES = [(mark, case) for case in vectors("capco")["case"] for mark in case["marks"]]
BAD = [(kind, mark, names) for kind, rows in vectors("quarantine").items() for mark, names in rows]


@pytest.mark.parametrize(("mark", "case"), CASES, ids=[mark for mark, _ in CASES])
def test_a_mark_means(mark, case):
    marking, label = parse(mark, at=case.get("at", AT))
    assert label == expected(case)
    assert (marking.scheme, marking.text) == ("capco", mark)


@pytest.mark.parametrize(("mark", "case"), CASES, ids=[mark for mark, _ in CASES])
def test_a_mark_that_was_read_can_be_written_and_is_not_wider(mark, case):
    at = case.get("at", AT)
    label = parse(mark, at=at)[1]
    without_info = expected(case | {"info": []})
    for text in (render_banner(label), render_portion(label)):
        assert dominates(parse(text, at=at)[1], without_info), text


@pytest.mark.parametrize(("kind", "mark", "names"), BAD, ids=[mark for _, mark, _ in BAD])
def test_what_is_not_read_whole_is_quarantined_and_named(kind, mark, names):
    label = parse(mark, at=AT)[1]
    assert isinstance(label, Quarantine)
    if kind == "contradiction":
        assert (label.mark, names in label.reason) == (mark, True), label
    else:
        assert label.mark == (names or mark)
        assert label.reason


def test_a_new_member_does_not_open_an_old_product():
    before, after = (
        parse_banner("SECRET//REL TO USA, NATO", at=day) for day in (date(2024, 3, 6), date(2024, 3, 7))
    )
    assert after.release - before.release == {"SWE"}
    assert "SWE" not in parse_banner(render_banner(before), at=AT).release


def test_a_portion_mark_is_read_with_and_without_its_parentheses():
    assert parse_portion("S//NF", at=AT) == parse_portion("(S//NF)", at=AT)
    assert isinstance(parse_portion("((S//NF))", at=AT), Quarantine)


def test_a_mark_too_long_to_be_one():
    found = parse_banner("SECRET//" + "SI/" * 5000, at=AT)
    assert isinstance(found, Quarantine)
    assert len(found.mark) == 200


@pytest.mark.parametrize(("mark", "banner", "portion"), vectors("rendering")["cases"])
def test_rendering(mark, banner, portion):
    label = parse(mark, at=AT)[1]
    assert (render_banner(label), render_portion(label)) == (banner, portion)


def test_a_narrowed_label_is_written_for_its_recipient_alone():
    label = parse("SECRET//REL TO USA, FVEY", at=AT)[1]
    assert render_banner(narrow(label, "NZL")) == "SECRET//REL TO USA, NZL"


def test_of_several_scales_the_highest_rank_is_written():
    label = join(
        parse("//GBR RESTRICTED//REL TO USA, GBR", at=AT)[1], parse("(U//REL TO USA, GBR)", at=AT)[1]
    )
    assert render_banner(label) == "CONFIDENTIAL//FGI GBR//REL TO USA, GBR"


@pytest.mark.parametrize(
    "label",
    [
        Label(),
        Label(reach=Reach.AMBER),
        Label(owners=frozenset({"CERT-UA"})),
        Label(owners=frozenset({"USA"}), duties=frozenset({"STATEMENT"})),
        Label(owners=frozenset({"USA"}), need=frozenset({"ULTRA"})),
        Label(owners=frozenset({"USA"}), need=frozenset({"RD-SG-X"})),
        Label(owners=frozenset({"USA"}), need=frozenset({"SI-A-B-C-D"})),
        Label(owners=frozenset({"USA"}), need=frozenset({"SI"})),
        Label(owners=frozenset({"USA"}), release=frozenset()),
        Label(owners=frozenset({"USA"}), release=frozenset({"GBR"})),
        Label(owners=frozenset({"USA"}), release=frozenset({"USA", "CERT-UA"})),
        Label(owners=frozenset({"USA", "FGI", "GBR"})),
    ],
)
def test_what_no_mark_says_is_refused(label):
    with pytest.raises(Refused):
        render_banner(label)
    with pytest.raises(Refused):
        render_portion(label)
