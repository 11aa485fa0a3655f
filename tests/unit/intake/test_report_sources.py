"""What a report says of its sources: read whole, cut without a trace, or refused with the place."""

from __future__ import annotations

import pytest

from tearline.intake import report_sources
from tearline.terms import Product
from tearline.vault import source as vault_source
from tests.unit.intake.material import fault, one, quarantine

HEAD = "SECRET//NOFORN\nTitle: (U) Barges\nDate: 2026-10-14\n"


def take(body: str, head: str = HEAD) -> Product:
    return one(f"{head}\n{body}\n".encode(), None)


def refused(body: str, head: str = HEAD) -> str:
    found = str(fault(f"{head}\n{body}\n".encode(), marking=None))
    for secret in ("Varnik", "varnik", "Sorvat"):
        assert secret not in found
    return found


def test_facts_belong_to_their_portion() -> None:
    product = take(
        "(S//NF) Nine barges [[FALCON-RIVER: Town=Varnik; trade = pilot]] lay.\n\n"
        "(U) Six were full. [[FALCON-RIVER: rank=mate]] [[OAK-HILL: town=Osk]]\n\n(U) No more.",
        HEAD + "Sources: OAK-HILL, GREEN-LAMP\n",
    )
    assert [(each.text, each.facts) for each in product.portions] == [
        ("Barges", ()),
        ("Nine barges lay.", (("FALCON-RIVER", (("town", "Varnik"), ("trade", "pilot"))),)),
        ("Six were full.", (("FALCON-RIVER", (("rank", "mate"),)), ("OAK-HILL", (("town", "Osk"),)))),
        ("No more.", ()),
    ]
    assert product.sources == {"FALCON-RIVER", "OAK-HILL", "GREEN-LAMP"}


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("Nine [[A]] barges", "Nine barges"),
        ("Nine barges [[A]].", "Nine barges."),
        ("[[A]] Nine barges", "Nine barges"),
        ("Nine barges [[A]]", "Nine barges"),
        ("Nine[[A]] barges", "Nine barges"),
        ("Nine [[A]]barges", "Nine barges"),
        ("bar[[A]]ges", "barges"),
        ("Nine ([[A]]) barges", "Nine barges"),
        ("Nine ( [[A]] ), barges", "Nine, barges"),
        ("Nine barges ([[A]])", "Nine barges"),
        ("Nine (big [[A]]) barges", "Nine (big) barges"),
        ("Nine [[A]]   [[A]], barges", "Nine, barges"),
        ("Nine [[A]]\nbarges", "Nine\nbarges"),
        ("Nine\n[[A]]\nbarges", "Nine\nbarges"),
        ("Nine\n[[A]] barges", "Nine\nbarges"),
        ("Nine [[FALCON: town=\nVarnik]] barges", "Nine\nbarges"),
        ("Nine\n[[FALCON:\n town=Varnik]]\nbarges", "Nine\nbarges"),
    ],
)
def test_an_annotation_leaves_no_gap(written: str, left: str) -> None:
    text = written.replace("[[A]]", "[[FALCON: town=Varnik]]")
    portion = take(f"(S//NF) {text}\n\n(U) End.").portions[1]
    assert (portion.text, portion.facts) == (left, (("FALCON", (("town", "Varnik"),)),))


def test_a_line_of_its_own_belongs_to_the_portion_that_begins_below_it() -> None:
    first, second = take("(U) One.\n\n[[FALCON: town=Varnik]]\n(S//NF) Two.").portions[1:]
    assert (first.facts, second.facts) == ((), (("FALCON", (("town", "Varnik"),)),))


def test_title_and_headings_can_tell_too() -> None:
    product = take(
        "## (U) Moves [[OAK: town=Osk]]\n\n(S//NF) Two.", HEAD.replace("Barges", "Barges [[OAK: rank=mate]]")
    )
    assert product.title == "Barges"
    assert [each.facts for each in product.portions] == [
        (("OAK", (("rank", "mate"),)),),
        (("OAK", (("town", "Osk"),)),),
        (),
    ]


def test_no_mark_hides_behind_an_annotation() -> None:
    texts = [each.text for each in take("(U) One.\n[[FALCON: town=Varnik]] (S//NF) Two.").portions]
    assert texts[1:] == ["One.", "Two."]
    source = take("(S//NF) SOURCE [[FALCON: town=Varnik]]: A pilot.\n\n(U) End.").portions[1]
    assert source.role == "source"


@pytest.mark.parametrize("key", ["Sources", "Джерела", "Источники"])
def test_the_header_lists_cryptonyms(key: str) -> None:
    assert take("(U) One.", f"{HEAD}{key}: OAK-HILL; FALCON\n").sources == {"OAK-HILL", "FALCON"}
    plain = one(f"TLP:AMBER\nDate: 2026-10-14\n{key}: OAK-HILL\n\nThe port closed.\n".encode(), None)
    assert (plain.sources, plain.portions) == ({"OAK-HILL"}, ())


@pytest.mark.parametrize("value", ["Hlib Sorvat", "oak-hill", "OAK-HILL, Sorvat", ","])
def test_a_header_that_lists_something_else_is_refused_unseen(value: str) -> None:
    said = refused("(U) One.", f"{HEAD}Sources: {value}\n")
    assert said.startswith("file, line 4: this lists no cryptonyms; give cryptonyms")


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        ("(U) One [[FALCON town=Varnik]].", 5, "does not begin with a cryptonym"),
        ("(U) One [[Falcon: town=Varnik]].", 5, "does not begin with a cryptonym"),
        ("(U) One [[FALCON: Varnik]].", 5, "not each an attribute"),
        ("(U) One [[FALCON: town=]].", 5, "not each an attribute"),
        ("(U) One [[FALCON: town=Varnik;]].", 5, "not each an attribute"),
        ("(U) One [[FALCON: town=Varnik; Town=Osk]].", 5, "not each an attribute"),
        ("(U) One [[FALCON: to\u200bwn=Varnik]].", 5, "not each an attribute"),
        ("(U) One [[FALCON:\n\ntown=Varnik]].", 5, "does not begin with a cryptonym"),
        ("(U) One\ntwo [[FALCON: town=Varnik", 6, "half an annotation"),
        ("(U) One FALCON: town=Varnik]].", 5, "half an annotation"),
        ("(U) One [FALCON: town=Varnik].", 5, "half an annotation"),
        ("(U) One {FALCON-RIVER: town=Varnik}.", 5, "half an annotation"),
        ("(U) One [\u200b[FALCON: town=Varnik]\u200b].", 5, "half an annotation"),
        ("(U) One ［［FALCON: town=Varnik］］.", 5, "half an annotation"),
        ("(U) One ⟦FALCON: town=Varnik⟧.", 5, "half an annotation"),
        ("(U) One [[[FALCON: town=Varnik]][FALCON: town=Varnik]].", 5, "half an annotation"),
        ("(U) One [[see Varnik]].", 5, "does not begin with a cryptonym"),
        ("(U) [[FALCON: town=Varnik]]", 5, "stands alone"),
        ("(U) One" + " [[FALCON: town=Varnik]]" * 101, 5, "more than 100 annotations"),
        ("(U) One.\n\n[[FALCON: town=Varnik]]\n\n(U) Two.", 7, "stands in no portion"),
        ("(U) One.\n\n[[FALCON: town=Varnik]]", 7, "stands in no portion"),
        ("[[FALCON: town=Varnik]]\n\n(U) One.", 5, "stands in no portion"),
        ("(U) One.\n\n--- [[FALCON: town=Varnik]] ---", 7, "stands in no portion"),
        ("(U) One.\n\nSECRET//NOFORN [[FALCON: town=Varnik]]", 7, "stands in no portion"),
        ("(U) [[FALCON: town=Varnik]] One\n[[FALCON: town=Osk]].", 6, "another value"),
    ],
)
def test_half_an_annotation_is_refused_with_its_line(body: str, line: int, said: str) -> None:
    found = refused(body)
    assert found.startswith(f"file, line {line}: ")
    assert said in found
    assert ";" in found or "more than" in found, "it says what to do"


@pytest.mark.parametrize(
    "head",
    [
        HEAD.replace("Date: 2026-10-14", "Date: 2026-10-14 [[FALCON: town=Varnik]]"),
        HEAD.replace("(U) Barges", "[[FALCON: town=Varnik]]"),
        HEAD.replace("Barges", "[[FALCON: town=Varnik]]"),
        HEAD.replace("SECRET//NOFORN\n", "SECRET//NOFORN [[FALCON: town=Varnik]]\n"),
    ],
)
def test_in_the_header_only_a_title_can_tell(head: str) -> None:
    assert "put it into the portion that tells the facts" in refused("(U) One.", head)


def test_a_report_without_portion_marks_cannot_tell() -> None:
    said = refused("The port of Osk [[FALCON: town=Varnik]] closed.", "TLP:AMBER\nDate: 2026-10-14\n")
    assert said == (
        "file, line 4: a source is annotated in a report without portion marks; "
        "mark every paragraph, such as (S//NF)"
    )


def test_an_annotation_without_a_mark_is_quarantined_with_its_paragraph() -> None:
    text = f"{HEAD}\n(U) One.\n\nTwo [[FALCON: town=Varnik]].\n"
    assert "has no portion mark" in quarantine(one(text.encode(), None)).reason


def test_brackets_apart_are_text() -> None:
    text = "Points [ [30.1, 50.2], [30.3, 50.4] ] and [1] and (C) of [sic]."
    assert take(f"(U) {text}").portions[1].text == text


def test_cryptonyms_are_those_of_the_vault() -> None:
    assert report_sources.CRYPTONYM.pattern == vault_source.CRYPTONYM.pattern
