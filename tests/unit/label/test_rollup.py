"""The roll-up against ODNI's scenarios (optional real input beside the repository) and our own."""

import re
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import pytest

from tearline.label.capco import expand
from tearline.label.grammar import read
from tearline.label.marks import (
    Mark,
    atomic_order,
    country_order,
    dissem_order,
    other_order,
    owner_order,
    write,
)
from tearline.label.rollup import common, roll_up, takes_part
from tearline.terms import Level, Refused

AT = date(2018, 8, 10)
SCENARIOS = Path(__file__).parents[4] / "shared" / "data" / "labels" / "odni-rollup"
ISM = "{urn:us:gov:ic:ism}"
X = "{http://www.jenitennison.com/xslt/xspec}"
RANKS = {"U": 0, "R": 1, "C": 2, "S": 3, "TS": 4}

NOT_APPLICABLE = {
    "AEARollup ensure we don't get multiple AEA Declass exemptions": "declassification is no mark",
    "Declass Date 25 years when unknown": "declassification is no mark",
    "Multiple Declass Date's choose longest": "declassification is no mark",
    "Approx Markings": "approximate markings are an attribute of the XML only",
    "CountryRollup-Functions Rel Token Hash": "an intermediate value of ODNI's stylesheet",
    "CountryRollup-Functions Rel Strings minus the common": "an intermediate value of ODNI's stylesheet",
    "PartTags Function": "walks the XML tree; we are given the portions",
}
NO_MARK = ("declassException", "declassDate", "hasApproximateMarkings", "[2][@ism:classification")


def mark_of(element) -> Mark:
    def names(attribute, order):
        return tuple(sorted((element.get(ISM + attribute) or "").split(), key=order))

    fgi = names("FGIsourceOpen", owner_order) + names("FGIsourceProtected", owner_order)
    return Mark(
        owners=names("ownerProducer", owner_order),
        rank=Level(RANKS[element.get(ISM + "classification")]),
        sci=names("SCIcontrols", lambda path: path.split("-")),
        aea=names("atomicEnergyMarkings", atomic_order),
        fgi=fgi,
        dissem=names("disseminationControls", dissem_order),
        release=names("releasableTo", country_order),
        display=names("displayOnlyTo", country_order),
        other=names("nonICmarkings", other_order),
    )


def attributes_of(mark: Mark) -> dict[str, str]:
    found = {
        "classification": list(RANKS)[mark.rank],
        "ownerProducer": " ".join(mark.owners),
        "SCIcontrols": " ".join(mark.sci),
        "atomicEnergyMarkings": " ".join(mark.aea),
        "FGIsourceProtected" if mark.fgi == ("FGI",) else "FGIsourceOpen": " ".join(mark.fgi),
        "disseminationControls": " ".join(mark.dissem),
        "releasableTo": " ".join(mark.release),
        "displayOnlyTo": " ".join(mark.display),
        "nonICmarkings": " ".join(mark.other),
    }
    return {name: value for name, value in found.items() if value}


def portions_of(tree) -> list[Mark]:
    return [
        mark_of(element)
        for element in tree.iter()
        if element.get(ISM + "classification")
        and element.get(ISM + "resourceElement") != "true"
        and element.get(ISM + "excludeFromRollup") != "true"
        and element.tag != "resourceElement"
    ]


def check_attributes(expect, got):
    """One XPath of the scenarios, of the few forms that they have, against the attributes."""
    exact = re.sub(r"\s*=\s*", "=", expect.get("test"))
    test = re.sub(r"\s+", "", exact)
    if expect.find("resourceElement") is not None:
        due = {name.removeprefix(ISM): value for name, value in expect.find("resourceElement").attrib.items()}
        for name in attributes_of(Mark(fgi=("FGI",), dissem=("NF",))) | got:
            assert got.get(name) == due.get(name), name
    elif found := re.fullmatch(r"count\(.*\[@ism:(\w+)='([^']*)'\]\)=(\d)", exact):
        assert (got.get(found[1]) == found[2]) == (found[3] == "1")
    elif found := re.fullmatch(r"count\(\.//resourceElement\[@ism:(\w+)\]\)=(\d)", test):
        assert (found[1] in got) == (found[2] == "1")
    elif found := re.fullmatch(r".*xs:NMTOKENS\(@ism:(\w+)\)=xs:NMTOKENS\('([^']*)'\)\]\)=(\d)", test):
        assert (found[2] in got.get(found[1], "").split()) == (found[3] == "1")
    elif found := re.search(r"(?:normalize-space\((?:@ism:)?|/@ism:)(\w+)\)?\]?='([^']*)'", exact):
        assert got.get(found[1]) == found[2]
    elif "distinct-values(xs:NMTOKENS(@ism:disseminationControls))" in test:
        assert len(set(got["disseminationControls"].split())) == len(got["disseminationControls"].split())
    else:
        pytest.fail(f"a form of expectation that this test does not know: {expect.get('test')}")


def check_call(call, expects):
    """The functions of ODNI's stylesheet that have a counterpart here."""
    params = {param.get("name"): param for param in call.findall(f"{X}param")}
    function = call.get("function").split(":")[1]
    lists = re.findall(r"'([^']*)'", params["relToStrings"].get("select")) if "relToStrings" in params else []
    lists = [tuple(codes.split()) for codes in lists]
    due = [(expect.text or "").strip() for expect in expects]
    if function == "sortAtomicenergymarkings":
        names = params["values"].get("select").strip("'").split()
        assert " ".join(sorted(names, key=atomic_order)) == due[0]
    elif function == "countFdrPortions":
        assert sum(map(takes_part, portions_of(params["context"]))) == int(due[0])
    elif function == "PartakesInFDR":
        (mark,) = portions_of(params["elementNode"])
        assert takes_part(mark) == (expects[0].get("select") == "true()")
    elif function == "expandDecomposableTetras":
        countries = re.findall(r"'(\w+)'", expects[0].get("select"))
        assert expand(params["portionCountryStrings"].text.split(), AT) - {"USA"} == set(countries)
    elif function in ("commonToAllTokens", "unsortedCommonRelTokens"):
        tokens = {token.text for token in expects[0].findall("token")}
        assert set(common(lists, AT)) - {"USA"} == tokens
    elif function == "expandAllTetras":
        for codes, expect in zip(lists, expects, strict=False):
            assert expand(codes, AT) - {"USA"} == set(re.search(r"'([^']*)'", expect.get("test"))[1].split())
    else:
        pytest.fail(f"a function that this test does not know: {function}")


def scenarios():
    return [
        (f"{path.stem}: {scenario.get('label')}", scenario)
        for path in sorted(SCENARIOS.glob("*.xspec"))
        for scenario in ET.parse(path).getroot().iter(f"{X}scenario")
    ]


ALL = scenarios()
LEFT_OUT = [name for name, _ in ALL if any(start in name for start in NOT_APPLICABLE)]
ODNI = [(name, scenario) for name, scenario in ALL if name not in LEFT_OUT]
needs_odni = pytest.mark.skipif(not ALL, reason="ODNI's scenarios are not beside the repository")


@needs_odni
@pytest.mark.parametrize("scenario", [s for _, s in ODNI], ids=[name for name, _ in ODNI])
def test_odni(scenario):
    expects = [
        e for e in scenario.findall(f"{X}expect") if not any(n in (e.get("test") or "") for n in NO_MARK)
    ]
    assert expects
    if (call := scenario.find(f"{X}call")) is not None:
        check_call(call, expects)
        return
    got = attributes_of(roll_up(portions_of(scenario.find(f"{X}context")), at=AT).banner)
    for expect in expects:
        check_attributes(expect, got)


@needs_odni
def test_every_scenario_is_run_or_left_out_for_a_reason():
    assert (len(ODNI), len(LEFT_OUT), len(ALL)) == (64, 12, 76)
    assert all(any(start in name for name in LEFT_OUT) for start in NOT_APPLICABLE)


@pytest.mark.parametrize(
    ("portions", "banner"),
    [
        (["U", "U"], "UNCLASSIFIED"),
        (["U//FOUO", "S//REL TO USA, GBR"], "SECRET//NOFORN"),
        (["U", "S//REL TO USA, FVEY", "S//REL TO USA, JPN, FVEY"], "SECRET//REL TO USA, FVEY"),
        (["S//REL TO USA, NATO", "S//REL TO USA, FVEY"], "SECRET//REL TO USA, CAN, GBR"),
        (["S//REL TO USA, GBR, APFS", "S//REL TO USA, NZL, APFS"], "SECRET//REL TO USA, APFS"),
        (["S", "C//SI", "U//FOUO"], "SECRET//SI"),
        (["S", "U//SBU-NF"], "SECRET//NOFORN//SBU"),
        (["S//OC-USGOV/NF", "S//OC/NF"], "SECRET//ORCON/NOFORN"),
        (["S//SI//NF", "TS//TK//NF"], "TOP SECRET//SI/TK//NOFORN"),
        (["S//RELIDO", "C//RELIDO"], "SECRET//RELIDO"),
        (["S//REL TO USA, GBR/RELIDO", "S//REL TO USA, GBR"], "SECRET//REL TO USA, GBR"),
        (["S//REL TO USA, AFG", "S//DISPLAY ONLY AFG, IRQ"], "SECRET//DISPLAY ONLY AFG"),
        (["//GBR S//REL TO USA, GBR", "S//REL TO USA, GBR"], "SECRET//FGI GBR//REL TO USA, GBR"),
        (["//GBR S//REL TO USA, GBR", "//FGI S//REL TO USA, GBR", "U"], "SECRET//FGI//REL TO USA, GBR"),
        (["//GBR S", "//GBR C"], "//GBR SECRET"),
        (["//GBR U", "//GBR U//REL TO USA, GBR"], "//GBR UNCLASSIFIED//REL TO USA, GBR"),
        (["//GBR S", "//NZL S"], "//JOINT SECRET GBR NZL"),
        (["//GBR R", "U"], "CONFIDENTIAL//FGI GBR"),
        (["U//SBU-NF", "U//LES"], "UNCLASSIFIED//SBU NOFORN/LES"),
        (["U//SBU-NF", "S//REL TO USA, GBR"], "SECRET//NOFORN//SBU"),
    ],
    ids=str,
)
def test_our_own(portions, banner):
    marks = [read(text, portion=True, at=date(2026, 11, 1)) for text in portions]
    assert write(roll_up(marks, at=date(2026, 11, 1)).banner, portion=False) == banner


def test_without_portions_there_is_no_banner():
    with pytest.raises(Refused):
        roll_up([], at=AT)


def test_what_no_banner_can_say_is_refused():
    nato = read("//NS//ATOMAL//REL TO USA, GBR", portion=True, at=AT)
    with pytest.raises(Refused):
        roll_up([nato, Mark(rank=Level.SECRET, dissem=("NF",))], at=AT)


def test_a_portion_that_contradicts_itself_counts_as_noforn():
    both = Mark(rank=Level.SECRET, dissem=("NF", "REL"), release=("USA", "GBR"))
    assert write(roll_up([both], at=AT).banner, portion=False) == "SECRET//NOFORN"
