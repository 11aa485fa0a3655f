"""Reports with portion marks: what is read, and that nothing unmarked gets through."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tearline.intake import Limits
from tearline.label import parse
from tearline.terms import (
    Category,
    Discipline,
    Label,
    Portion,
    Product,
    Quarantine,
    Reach,
    Region,
    Role,
    Topic,
)
from tests.unit.intake.material import NOW, fault, faults, label, one, quarantine, read

HEAD = "Date: 2026-10-14T06:30:00Z\n"


def take(text: str, marking: str | None = None, party: str = "USA") -> Product:
    return one(text.encode(), marking, party=party)


def mark(text: str) -> Label:
    found = parse(text, at=NOW.date())[1]
    assert isinstance(found, Label)
    return found


def parts(product: Product) -> list[tuple[str, Role, str | None]]:
    return [(p.text, p.role, p.marking and p.marking.text) for p in product.portions]


WHOLE = """\
SECRET//NOFORN
Title: (U) Barges on the Lower Osk
Date: 2026-10-14T08:30:00+02:00
Originator: USA
Topics: maritime, logistics
Regions: eastern-europe, Georgia
Discipline: humint, sigint
Language: en

## (U) Movements

(S//REL TO USA, GBR) 1. Nine barges lay at Varnik
on 13 October.

(U) 2. The river is open until December.

- (S//NF) Three of them were empty.
- (U) Six were full.

(S//NF) SOURCE: A harbour pilot with direct access.

SECRET//NOFORN
"""


def test_a_report_is_read_whole() -> None:
    product = take(WHOLE)
    assert product.title == "Barges on the Lower Osk"
    assert product.created == datetime(2026, 10, 14, 6, 30, tzinfo=UTC)
    assert product.version == "2026-10-14T06:30:00.000Z"
    assert (product.originator, product.category, product.language) == ("USA", Category.REPORT, "en")
    assert product.topics == {Topic.MARITIME, Topic.LOGISTICS}
    assert product.regions == {Region.EASTERN_EUROPE, Region.WESTERN_ASIA}
    assert product.disciplines == {Discipline.HUMINT, Discipline.SIGINT}
    assert product.content == WHOLE.encode()
    assert product.marking is not None
    assert product.marking.text == "SECRET//NOFORN"
    assert parts(product) == [
        ("Barges on the Lower Osk", Role.TITLE, "(U)"),
        ("Movements", Role.BODY, "(U)"),
        ("1. Nine barges lay at Varnik\non 13 October.", Role.BODY, "(S//REL TO USA, GBR)"),
        ("2. The river is open until December.", Role.BODY, "(U)"),
        ("Three of them were empty.", Role.BODY, "(S//NF)"),
        ("Six were full.", Role.BODY, "(U)"),
        ("SOURCE: A harbour pilot with direct access.", Role.SOURCE, "(S//NF)"),
    ]
    assert label(product) == mark("SECRET//NOFORN")
    assert [p.label for p in product.portions][2] == mark("(S//REL TO USA, GBR)")


def test_the_label_is_the_join_of_banner_and_portions() -> None:
    product = take(f"SECRET//NOFORN\n{HEAD}\n(S//REL TO USA, GBR) a\n\n(U//FOUO) b\n")
    assert label(product).release == {"USA"}
    assert "FOUO" in label(product).duties, "the banner leaves it out, the report does not"


def test_a_report_without_portion_marks_has_its_banners_label() -> None:
    product = take(
        f"TLP:AMBER\n{HEAD}\n# Port closed\n\nThe port of Averly closed.\n\n1. At noon.\n\nTLP:AMBER\n"
    )
    assert (product.title, product.portions) == ("Port closed", ())
    assert label(product) == Label(reach=Reach.AMBER)


def test_the_default_marking_is_for_what_has_no_mark_at_all() -> None:
    text = f"{HEAD}\nThe port of Averly (north) closed: see https://averly.example/news.\n\n(1) At noon (https://a.example//b).\n"
    assert label(take(text, "TLP:GREEN")) == Label(reach=Reach.GREEN)
    assert quarantine(take(text)).reason == "no marking"
    marked = take(f"{HEAD}\n(TLP:AMBER) The port closed.\n", "TLP:CLEAR")
    assert label(marked) == Label(reach=Reach.AMBER)


def test_marks_are_read_as_of_the_reports_date() -> None:
    old = take("SECRET//REL TO USA, NATO\nDate: 2021-01-01\n\nText.\n")
    new = take("SECRET//REL TO USA, NATO\nDate: 2026-01-01\n\nText.\n")
    assert (label(new).release or set()) - (label(old).release or set()) == {"FIN", "SWE"}


# --- Nothing unmarked gets through ---------------------------------------------------------------


@pytest.mark.parametrize(
    "unmarked",
    [
        "Plain words.",
        "- A list item.",
        "1. A number.",
        "| a | table |",
        "> A quotation.",
        "    code",
        "(see annex) Words.",
        "SOURCE: A pilot.",
        "(s//nf Words.",
    ],
)
def test_a_paragraph_without_a_mark_is_quarantined_and_the_report_with_it(unmarked: str) -> None:
    text = f"SECRET//NOFORN\n{HEAD}\n(U) First.\n\n{unmarked}\n\n(U) Last.\n\nSECRET//NOFORN\n"
    product = take(text, "TLP:CLEAR")
    assert quarantine(product).reason == "the paragraph in line 6 has no portion mark"
    assert [isinstance(p.label, Quarantine) for p in product.portions] == [False, True, False]


def test_a_heading_without_a_mark_is_as_narrow_as_the_whole() -> None:
    product = take(f"SECRET//NOFORN\n{HEAD}Title: Barges\n\n(U) First.\n\n## Empty barges\n\n(S//NF) Last.\n")
    title, _, heading, _ = product.portions
    assert title.label == heading.label == product.label == mark("SECRET//NOFORN")
    assert (title.role, heading.role, title.marking) == (Role.TITLE, Role.BODY, None)


@pytest.mark.parametrize(
    "written",
    ["(S//NF) two", "**(S//NF)** two", "> (S//NF) two", "* (S//NF) two", "2. (S//NF) two", "### (S//NF) two"],
)
def test_a_mark_begins_a_portion_wherever_a_line_begins(written: str) -> None:
    product = take(f"SECRET//NOFORN\n{HEAD}\n(U) one\n{written}\n")
    assert [(p.text, p.label) for p in product.portions] == [("one", mark("(U)")), ("two", mark("(S//NF)"))]


@pytest.mark.parametrize("break_", ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_no_line_break_hides_a_mark(break_: str) -> None:
    text = f"SECRET//NOFORN\n{HEAD}\n(U) one{break_}(S//NF) two\n"
    if break_ == "\x0b":
        assert "U+000B" in fault(text.encode()).reason
    else:
        assert [p.text for p in take(text).portions] == ["one", "two"]


@pytest.mark.parametrize(
    "inner",
    [
        "one (S//NF) two",
        "one (S//REL TO USA,\nGBR) two",
        "one (S//NF two",
        "(S//NF https://a) b",
        "one. (S) Two.",
        "one (TLP:RED) two",
        "one (tlp:red) two",
        "one (//GBR S) two",
    ],
)
def test_a_mark_within_a_portion_makes_it_narrower(inner: str) -> None:
    product = take(f"{HEAD}\n(U) {inner}\n")
    (portion,) = product.portions
    assert product.label == portion.label != mark("(U)")


def test_a_mark_within_a_report_with_one_banner_makes_it_narrower() -> None:
    assert label(take(f"TLP:GREEN\n{HEAD}\nOne (TLP:RED) two.\n")).reach is Reach.RED


@pytest.mark.parametrize(
    "wrong",
    ["(S//NOFORN)", "(S//NF//REL TO USA)", "(s//nf)", "(SECRET)", "(Ѕ//NF)", "(С)", "(NATO)", "(tlp:red)"],
)
def test_a_mark_that_is_written_wrong_is_quarantined_not_taken_for_text(wrong: str) -> None:
    product = take(f"SECRET//NOFORN\n{HEAD}\n(U) one\n\n{wrong} two\n", "TLP:CLEAR")
    assert isinstance(product.portions[1].label, Quarantine)
    assert quarantine(product) == product.portions[1].label
    alone = take(f"{HEAD}\n{wrong} two\n", "TLP:CLEAR")
    assert isinstance(alone.label, Quarantine), "the default is not for what has a mark"


@pytest.mark.parametrize(
    "wrong",
    [
        "SECRETT//NOFORN",
        "secret//noforn",
        "**SECRET//NF**",
        "TLP: AMBER",
        "tlp:amber",
        "Secret",
        "TLP:RED" + " x" * 4000,
        "ТАЄМНО",
        "Секретно",
        "ДСК",
        "FOR COUNCIL EYES ONLY",
        "SЕСRET",
    ],
)
@pytest.mark.parametrize(
    "form", ["{wrong}\n{head}\nText.\n", "{head}\n{wrong}\n\nText.\n", "{head}\nText.\n\n{wrong}\n"]
)
def test_a_banner_that_cannot_be_read_is_no_text(wrong: str, form: str) -> None:
    assert isinstance(take(form.format(wrong=wrong, head=HEAD), "TLP:CLEAR").label, Quarantine)


def test_a_banner_may_stand_in_the_header() -> None:
    assert label(take(f"{HEAD}Classification: SECRET//NOFORN\n\nText.\n")) == mark("SECRET//NOFORN")
    assert label(take(f"---\n{HEAD}Гриф: TLP:RED\n---\n\nText.\n")).reach is Reach.RED


# --- Banners -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("banner", "portion", "axis"),
    [
        ("CONFIDENTIAL//NOFORN", "S//NF", "level"),
        ("SECRET//REL TO USA, GBR", "S//NF", "release"),
        ("SECRET//NOFORN", "S//SI//NF", "need"),
        ("SECRET//NOFORN", "S//OC/NF", "consent"),
        ("TLP:GREEN", "TLP:AMBER", "reach"),
        ("TLP:RED", "S//NF", "level"),
        ("UNCLASSIFIED", "S", "level"),
    ],
)
def test_a_banner_wider_than_a_portion_quarantines(banner: str, portion: str, axis: str) -> None:
    found = quarantine(take(f"{banner}\n{HEAD}\n({portion}) Text.\n"))
    assert found.mark == banner
    assert f"is wider than ({portion}) in line 4 (" in found.reason
    assert axis in found.reason


@pytest.mark.parametrize(
    ("banner", "portions"),
    [
        ("SECRET//NOFORN", ["S//NF", "U//FOUO", "C//REL TO USA, GBR"]),
        ("SECRET//REL TO USA, GBR", ["S//REL TO USA, AUS, GBR", "U"]),
        ("TOP SECRET//SI//NOFORN", ["S//NF", "TS//SI//NF"]),
        ("SECRET//RD//NOFORN", ["S//RD//NF", "U//DCNI"]),
        ("TLP:AMBER+STRICT", ["TLP:AMBER", "TLP:CLEAR"]),
        ("//GBR SECRET", ["//GBR S", "//GBR S//REL TO USA, GBR", "//GBR U"]),
    ],
)
def test_a_banner_that_rolls_its_portions_up(banner: str, portions: list[str]) -> None:
    text = "\n\n".join(f"({portion}) Text." for portion in portions)
    assert label(take(f"{banner}\n{HEAD}\n{text}\n"))


def test_banners_that_differ_quarantine() -> None:
    found = quarantine(take(f"SECRET//NOFORN\n{HEAD}\nText.\n\nSECRET//REL TO USA, GBR\n"))
    assert found.mark == "SECRET//REL TO USA, GBR"
    assert found.reason == "the banner in line 6 contradicts the first one, SECRET//NOFORN"
    page = take(f"SECRET//NOFORN\n{HEAD}\nPage one.\n\nTOP SECRET//NOFORN\n\nPage two.\n\nSECRET//NOFORN\n")
    assert "line 6" in quarantine(page).reason


# --- Sources -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "SOURCE: A pilot.",
        "Source: A pilot.",
        "**SOURCE:** A pilot.",
        "6. SOURCE COMMENT: A pilot.",
        "ДЖЕРЕЛО: Лоцман.",
        "Джерела: Лоцман.",
        "ДЖЕРЕЛО. Лоцман.",
        "ИСТОЧНИК: Лоцман.",
        "The barges left. SOURCE: A pilot.",
    ],
)
def test_source_lines(text: str) -> None:
    assert take(f"{HEAD}\n(U) {text}\n").portions[0].role is Role.SOURCE


def test_a_source_line_never_rides_with_the_paragraph_before_it() -> None:
    product = take(f"{HEAD}\n(U) The barges left.\nДЖЕРЕЛО: Лоцман.\n")
    assert [p.role for p in product.portions] == [Role.BODY, Role.SOURCE]
    assert isinstance(product.label, Quarantine)


def test_text_about_sources_is_text() -> None:
    assert take(f"{HEAD}\n(U) Open sources, and resources, agree.\n").portions[0].role is Role.BODY


# --- Header --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "language"),
    [
        (
            "Назва: (U) Баржі\nДата: 14.10.2026\nОрган: UKR\nТеми: maritime\nРегіони: Ukraine\nМова: uk\n",
            "uk",
        ),
        (
            "Название: (U) Баржи\nДата: 14.10.2026\nОрган: UKR\nТемы: maritime\nРегионы: UA\nЯзык: ru\n",
            "ru",
        ),
    ],
)
def test_headers_in_ukrainian_and_russian(head: str, language: str) -> None:
    product = take(f"{head}\n(U) Text.\n", party="UKR")
    assert product.created == datetime(2026, 10, 14, tzinfo=UTC)
    assert (product.originator, product.language) == ("UKR", language)
    assert (product.topics, product.regions) == ({Topic.MARITIME}, {Region.EASTERN_EUROPE})
    assert label(product).owners == {"USA"}, "(U) is a mark of the United States"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The barges left at noon.", "en"),
        ("Баржі вийшли опівдні, їх було дев'ять.", "uk"),
        ("Баржи вышли в полдень, их было девять.", "ru"),
        ("Die Schiffe fuhren mittags.", "en"),
        ("The barge ЗОРЯ left with BARON and KESTREL.", "en"),
    ],
)
def test_the_language_is_told_by_its_letters(text: str, language: str) -> None:
    assert take(f"{HEAD}\n(U) {text}\n").language == language


def test_another_originator_keeps_its_information() -> None:
    product = take(f"TLP:GREEN\n{HEAD}Originator: United Kingdom\n\nText.\n")
    assert product.originator == "GBR"
    assert label(product).owners == {"GBR"}


def test_the_id_is_stable_and_of_its_originator() -> None:
    text = f"TLP:GREEN\n{HEAD}\nText.\n"
    assert take(text) == take(text)
    assert take(text).id != take(text, party="GBR").id
    assert take(text).id.startswith("report--")
    named = [
        take(f"TLP:GREEN\nDate: {day}\nId: OSK-7\n\nText {day}.\n") for day in ("2026-10-01", "2026-10-02")
    ]
    assert named[0].id == named[1].id
    assert named[0].version < named[1].version
    own = "report--0c6a4d0e-3c5e-4c1e-9a53-7d9b7f3c2a11"
    assert take(f"TLP:GREEN\n{HEAD}Id: {own}\n\nText.\n").id == own


def test_a_report_without_a_date_is_dated_by_intake_with_a_warning() -> None:
    items = read(b"TLP:GREEN\n\nText.\n", None)
    (warning,) = faults(items, "warning")
    assert "no Date" in warning.reason
    assert isinstance(items[0], Product)
    assert items[0].created == NOW


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Date: yesterday", "'yesterday' is no date"),
        ("Date: 31.02.2026", "'31.02.2026' is no date"),
        ("Originator: harbour office", "is no originator"),
        ("Topics: maritime, ships", "'maritime, ships' is no topics"),
        ("Regions: Narnia", "is no regions"),
        ("Discipline: gossip", "is no discipline"),
        ("Language: English", "is no language"),
        ("Title: again", "the header names Title twice"),
    ],
)
def test_a_header_line_that_cannot_be_read_is_named(line: str, reason: str) -> None:
    found = fault(f"TLP:GREEN\nTitle: Barges\n{line}\n\nText.\n".encode())
    assert found.place == "line 3"
    assert reason in found.reason


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        (b"TLP:GREEN\n\nna\xefve\n", "byte 13", "is not UTF-8"),
        ("TLP:GREEN".encode("utf-16"), "byte 0", "is not UTF-8"),
        (b"TLP:GREEN\n\nna\x00ve\n", "line 3", "U+0000"),
        (b"TLP:GREEN\nDate: 2026-10-01\n\n---\n", "", "holds no text"),
    ],
)
def test_what_is_no_text_is_refused(content: bytes, place: str, reason: str) -> None:
    found = fault(content)
    assert found.place == place
    assert reason in found.reason


def test_limits() -> None:
    text = f"TLP:GREEN\n{HEAD}\n" + "Text.\n\n" * 5
    assert one(text.encode(), limits=Limits(report=len(text), portions=5))
    assert "longer" in fault(text.encode(), limits=Limits(report=len(text) - 1)).reason
    assert "more than 4 paragraphs" in fault(text.encode(), limits=Limits(portions=4)).reason


def test_a_portion_is_never_wider_than_its_own_marks() -> None:
    """`(C)` may be a copyright sign; at the beginning of a sentence it is a mark."""
    (sign,) = take(f"{HEAD}\n(U) Copyright (C) Alder Institute\n").portions
    assert isinstance(sign, Portion)
    assert sign.label == mark("(U)")
