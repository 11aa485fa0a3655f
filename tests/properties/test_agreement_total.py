"""Whatever stands in an agreement's files, reading it ends in an agreement, a finding or `BadInput`."""

from __future__ import annotations

import re
from importlib.resources import files

import cedarpy
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.agreement import Agreements, check, load
from tearline.agreement.codes import CODES
from tearline.agreement.profile import lint
from tearline.terms import BadInput
from tests import strategies_gate as made

SHIPPED = files("tearline.demo") / "agreements" / "five-eyes"
MANIFEST, CLAUSES = ((SHIPPED / name).read_text("utf-8") for name in ("agreement.toml", "clauses.cedar"))
SIGNS = [";", '"', "(", ")", "{", "}", "[", "]", ",", ".", "&&", "||", "!", "==", "+", "//", "\n", "\\", "Ж"]
WORDS = [*SIGNS, "like", "if", "then", "has", "is", "in", '@id("x")', "permit", "when", "resource", "true"]
WORDS += ['datetime("2027-01-01")', "9223372036854775807"]


@st.composite
def mangled(draw: st.DrawFn, text: str) -> str:
    """`text` with a few pieces cut out, doubled or put in."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        piece = draw(st.sampled_from(["", text[start:end] * 2, *WORDS]) | st.text(max_size=3))
        text = text[:start] + piece + text[end:]
    return text


@settings(max_examples=150, deadline=None)
@given(manifest=st.just(MANIFEST) | mangled(MANIFEST), clauses=st.just(CLAUSES) | mangled(CLAUSES))
def test_a_mangled_agreement_is_read_or_refused_in_one_sentence(manifest: str, clauses: str) -> None:
    refused = ""
    try:
        agreement = load(manifest, clauses, "mangled")
    except BadInput as error:
        refused = str(error)
    if refused:
        assert refused.startswith("mangled, ")
        assert "\n" not in refused
        return
    lines = len(re.split(r"\r\n|\r|\n", clauses))
    for finding in check(agreement):
        assert finding.code in CODES
        assert 1 <= finding.line <= lines
        assert finding.column >= 1
        assert "\n" not in str(finding)


@settings(max_examples=150, deadline=None)
@given(text=mangled(CLAUSES))
def test_what_the_linter_lets_pass_the_engine_takes(text: str) -> None:
    if not lint(text, frozenset({"FVEY"})):
        cedarpy.PolicySet.from_str(text)
        Agreements("USA", [load(MANIFEST, text, "mangled")])


@settings(max_examples=100, deadline=None)
@given(deals=made.deals())
def test_layout_does_not_change_a_version_and_the_profile_takes_all_that_it_lists(
    deals: tuple[made.Deal, ...],
) -> None:
    for deal in deals:
        agreement = made.agreement(deal)
        assert check(agreement) == []
        laid_out = cedarpy.format_policies(agreement.clauses, line_width=40, indent_width=8)
        assert load(agreement.manifest, laid_out, deal.id).version == agreement.version
