"""Annotations never come out again: reports as they are generated, through intake, to what partners get."""

from __future__ import annotations

import re
from contextlib import suppress

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline import deliver
from tearline.terms import Label, Party, Product, Reach, Refused, Tearline, Whole
from tests.releases import ISSUED, NODE
from tests.unit.intake.material import faults, products, read

CRYPTONYMS = ("FALCON-RIVER", "OAK-HILL", "LANTERN")
FACTS = ("town=Qvarnik", "trade=Qpilot", "rank = Qmate; town=Qosk", "Ship=Qheron (north)", "age=Q4: five")
SECRETS = re.compile(r"FALCON|OAK-HILL|LANTERN|Q[a-z4]|\[\[|\]\]", re.IGNORECASE)
MARKS = ("(//GBR S//REL TO USA, GBR, UKR)", "(//GBR U)", "(//GBR S)", "(TLP:AMBER)")

annotation = st.builds(
    lambda name, facts, gap: f"[[{name}:{gap}{facts}]]",
    st.sampled_from(CRYPTONYMS),
    st.sampled_from(FACTS),
    st.sampled_from(["", " ", "\n", "  "]),
)
word = st.one_of(
    annotation,
    st.sampled_from(
        ["Nine", "barges", "lay,", "(S)", "SOURCE:", "[1]", "\n", "- ", "#", ".", "(", ")", "[", "]"]
    ),
)
broken = st.tuples(
    annotation, st.integers(0, 40), st.sampled_from(["", "[", "]", "\u200b", "\n\n", ":", "="])
).map(lambda made: made[0][: made[1]] + made[2] + made[0][made[1] + 1 :])
glue = st.sampled_from(["", " ", " ", " "])


@st.composite
def paragraphs(draw: st.DrawFn, words: st.SearchStrategy[str]) -> str:
    mark = draw(st.sampled_from((*MARKS, *MARKS, "## (//GBR U)", "")))
    return mark + " " + "".join(draw(words) + draw(glue) for _ in range(draw(st.integers(1, 6))))


alone = st.builds(
    str.format, st.sampled_from(["{}", "--- {} ---", "TLP:AMBER {}", "(//GBR U) {}"]), annotation
)


@st.composite
def reports(draw: st.DrawFn, words: st.SearchStrategy[str] = word) -> str:
    head = draw(
        st.sampled_from(
            ["Title: (//GBR U) Moves\n", "Sources: OAK-HILL, LANTERN\n", "Джерела: LANTERN\n", ""]
        )
    )
    return (
        head
        + "Date: 2026-10-14\n\n"
        + "\n\n".join(
            draw(st.lists(st.one_of(paragraphs(words), paragraphs(words), alone), min_size=1, max_size=4))
        )
    )


def outgoing(product: Product, partner: Party = "UKR") -> list[deliver.Draft]:
    """Whole, and every tearline: all portions but one, and each alone."""
    forms = [product.portions]
    forms += [tuple(each for each in product.portions if each is not left) for left in product.portions]
    forms += [(each,) for each in product.portions]
    label = product.label if isinstance(product.label, Label) else Label()
    made = []
    outcomes = [Tearline(partner=partner, portions=form, label=label, reasons=()) for form in forms if form]
    for outcome in (Whole(partner=partner, reasons=()), *outcomes):
        with suppress(Refused):  # a portion in quarantine, or a cryptonym in the text
            made.append(deliver.compose(product, outcome, node=NODE, issued=ISSUED))
    return made


def clean(content: str) -> int:
    """Take a report in and look at all that could go out; how many drafts there were."""
    count = 0
    for product in products(read(content.encode(), "TLP:AMBER", party="GBR")):
        open_ = msgspec.structs.replace(product, label=Label(reach=Reach.CLEAR))
        for draft in outgoing(open_):
            count += 1
            said = msgspec.json.decode(msgspec.json.encode(draft.object))
            texts = [said["name"], said.get("description", "")]
            assert not any(map(SECRETS.search, texts)), (content, texts)
        told = {name for portion in product.portions for name, _ in portion.facts}
        assert told <= product.sources
    return count


@given(reports())
@settings(max_examples=150, deadline=None)
def test_annotations_never_go_out(content: str) -> None:
    clean(content)


@given(reports(st.one_of(word, broken)))
@settings(max_examples=150, deadline=None)
def test_nor_do_broken_ones(content: str) -> None:
    clean(content)


@given(reports())
@settings(max_examples=100, deadline=None)
def test_every_fact_is_kept_or_the_report_is_refused(content: str) -> None:
    written = len(re.findall(r"\[\[", content))
    for product in products(read(content.encode(), "TLP:AMBER", party="GBR")):
        told = {pair for portion in product.portions for name, of in portion.facts for pair in of}
        values = {
            value.strip()
            for text in re.findall(r"\[\[[A-Z-]+:([^\]]*)\]\]", content)
            for value in re.findall(r"=([^;]*)", text)
        }
        assert {value for _, value in told} == {" ".join(value.split()) for value in values}
        assert bool(told) == bool(written)


def test_the_generator_gets_through() -> None:
    """Else the properties above would hold of nothing."""
    body = "(//GBR S) Nine [[FALCON-RIVER: town=Qvarnik]] barges.\n\n(//GBR U) Six ([[LANTERN: age=Q4]]) lay."
    assert clean(f"Title: (//GBR U) Moves\nDate: 2026-10-14\n\n{body}\n") >= 4
    assert not faults(read(f"Date: 2026-10-14\n\n{body}\n".encode(), None, party="GBR"))
