"""The text of random agreements: laid out it says the same, it can be said, and its places are known."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.agreement import Agreement, cedar, difference, formatted, load, sentence
from tearline.agreement.clauses import Clause, split, tokens
from tearline.agreement.profile import nodes
from tearline.agreement.spans import Spans
from tests import agreements as made

GAPS = (" ", "\n", "\t", "\r\n  ", " // one; {\n", '\n\n// two \\ "\n', "\r// three\r", "//\n")
seeds = st.integers(0, 2**32).map(random.Random)


def drawn(draw: random.Random) -> Agreement:
    return made.agreement(draw, "deal")


def scattered(text: str, draw: random.Random) -> str:
    """The same tokens with other blanks and comments between them."""
    return "".join(token.text + draw.choice(GAPS) for token in tokens(text))


def comments(text: str) -> list[str]:
    return [token.text.rstrip() for token in tokens(text) if token.kind == "comment"]


def words(text: str) -> list[str]:
    return [token.text for token in tokens(text) if token.kind != "comment"]


@settings(max_examples=50, deadline=None)
@given(draw=seeds)
def test_laying_out_changes_no_word_and_no_comment_and_is_done_once(draw: random.Random) -> None:
    agreement = drawn(draw)
    text = scattered(agreement.clauses, draw)
    once = formatted(text, "x")
    assert (words(once), comments(once)) == (words(text), comments(text))
    assert load(agreement.manifest, once, "x").version == agreement.version
    assert formatted(once, "x") == once


@settings(max_examples=50, deadline=None)
@given(draw=seeds)
def test_the_layout_does_not_depend_on_the_layout_before(draw: random.Random) -> None:
    """Without comments only the words count."""
    text = drawn(draw).clauses
    blanks = "".join(token.text + draw.choice((" ", "\n", "  \n\n ")) for token in tokens(text))
    assert formatted(blanks, "x") == formatted(text, "x")
    assert all(line == line.rstrip() and "\t" not in line for line in formatted(text, "x").split("\n"))


@settings(max_examples=80, deadline=None)
@given(draw=seeds)
def test_every_clause_can_be_said_on_one_line(draw: random.Random) -> None:
    for clause in drawn(draw).parsed:
        said = sentence(clause.tree)
        assert said.startswith(("Releases ", "Never releases "))
        assert said.endswith(".")
        assert said.isprintable()
        assert ("unless" in said) == ("unless" in clause.text)


@settings(max_examples=80, deadline=None)
@given(draw=seeds)
def test_what_is_said_differently_is_told_apart(draw: random.Random) -> None:
    """One constant exchanged for one that stands nowhere else in the clause changes the sentence."""
    for clause in drawn(draw).parsed:
        constants = [
            token
            for token in tokens(clause.text)
            if token.text in {'"AUS"', '"FIN"', '"GBR"', '"FVEY"', '"EU"', '"air"', '"land"', '"humint"'}
        ]
        for token in constants:
            new = {"air": "space", "land": "energy", "humint": "cyber"}.get(token.text.strip('"'), "OTHER")
            other = f'{clause.text[: token.start]}"{new}"{clause.text[token.end :]}'
            if f'"{new}"' not in clause.text:
                alone = clause.text.count(token.text) == 1
                assert not alone or sentence(cedar.parse(other)) != sentence(clause.tree)


@settings(max_examples=80, deadline=None)
@given(draw=seeds)
def test_every_part_of_a_condition_is_found_in_the_text(draw: random.Random) -> None:
    """A part's own text, read as a condition again, is that part."""
    (clause, *_), _ = split(scattered(made.clause(draw, "one"), draw))
    spans = Spans(clause)
    for condition in clause.tree.clauses:
        for node in nodes(condition.expr):
            if type(node).__name__ in {"BinaryOp", "UnaryOp", "GetAttr", "Set", "EntityLit", "LongLit"}:
                start, end = spans.of(node)
                assert (start, end) != (0, len(clause.text))
                assert again(clause, clause.text[start:end]) == node


def again(clause: Clause, text: str) -> object:
    head = 'permit (principal, action == Action::"release", resource)'
    return cedar.parse(f"{head} when {{ {text} \n}};").clauses[0].expr


@settings(max_examples=30, deadline=None)
@given(draw=seeds)
def test_an_agreement_differs_from_itself_in_nothing_and_from_others_in_what_it_says(
    draw: random.Random,
) -> None:
    one, other = drawn(draw), drawn(draw)
    laid_out = load(one.manifest, formatted(one.clauses, "x"), "x")
    assert not difference(one, laid_out)
    assert bool(difference(one, other)) == (
        {clause.id: (clause.tree.effect, clause.tree.clauses, clause.tree.action) for clause in one.parsed}
        != {
            clause.id: (clause.tree.effect, clause.tree.clauses, clause.tree.action)
            for clause in other.parsed
        }
        or {clause.id: clause.tree.principal for clause in one.parsed}
        != {clause.id: clause.tree.principal for clause in other.parsed}
        or (one.parties, one.names, one.levels, one.bounds)
        != (other.parties, other.names, other.levels, other.bounds)
    )
