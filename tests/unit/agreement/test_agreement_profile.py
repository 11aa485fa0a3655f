"""The strict profile, its document, and the places of its findings."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from cedarpy import pst

from tearline.agreement.clauses import DEEPEST
from tearline.agreement.profile import CODES, lint

DOCUMENT = Path(__file__).parents[3] / "docs" / "agreement-profile.md"
NAMES = frozenset({"AUS", "GBR", "FVEY"})
HEAD = '@id("one") @reason("Example.")\npermit (principal, action == Action::"release", resource)\n'


def codes(text: str) -> list[str]:
    return [finding.code for finding in lint(text, NAMES)]


def sections() -> dict[str, tuple[str, str]]:
    found = re.findall(
        r"^### (E\d+) ([^\n]+)\n.*?```cedar\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    return {code: (title, example) for code, title, example in found}


def test_the_document_lists_every_code_with_its_meaning() -> None:
    assert {code: title for code, (title, _) in sections().items()} == CODES


@pytest.mark.parametrize("code", CODES)
def test_the_documents_example_has_this_finding_and_no_other(code: str) -> None:
    assert codes(sections()[code][1]) == [code]


def test_the_documents_clause_keeps_to_the_profile() -> None:
    clause = re.search(r"```\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert clause
    assert codes(clause[1]) == []


@pytest.mark.parametrize(
    "test",
    [
        "resource.level <= 3",
        "resource.reach != 4",
        'resource.category == Category::"cyber"',
        'resource.originator != Party::"GBR"',
        '[Party::"AUS", Party::"GBR"].contains(resource.originator)',
        'resource.topics.contains(Topic::"air")',
        'resource.regions.containsAny([Region::"global", Region::"caribbean"])',
        'resource.disciplines.containsAll([Discipline::"osint"])',
        "resource.topics.isEmpty()",
        'principal in Coalition::"FVEY"',
        'principal != Partner::"AUS"',
        'context.now < datetime("2027-06-30")',
        'context.now >= datetime("2027-06-30T12:00:00Z")',
        "!(resource.use < 2) || resource.level == 0 && resource.reach > 1",
    ],
)
def test_what_the_profile_lists_is_allowed(test: str) -> None:
    assert codes(f"{HEAD}when {{ {test} }};") == []
    assert codes(f"{HEAD}unless {{ {test} }};") == []


@pytest.mark.parametrize(
    ("test", "code"),
    [
        ("resource.level - 1 < 2", "E010"),
        ("resource.level * 2 < 2", "E010"),
        ("-resource.level < 2", "E010"),
        ('resource.title like "a*"', "E010"),
        ("if resource.level < 2 then resource.use < 1 else resource.use < 2", "E010"),
        ("resource has level", "E010"),
        ("principal is Partner", "E010"),
        ('resource.hasTag("a")', "E010"),
        ('resource.getTag("a") == 3', "E010"),
        ('{"a": 1} == {"a": 1}', "E010"),
        ('ip("192.0.2.1").isIpv4()', "E010"),
        ('decimal("1.0").lessThan(decimal("2.0"))', "E010"),
        ('context.now.toDate() < datetime("2027-01-01")', "E010"),
        ('context.now < datetime("2027-01-01").offset(duration("1d"))', "E010"),
        ("resource.category.level == 3", "E011"),
        ("3 <= resource.level", "E011"),
        ("true", "E011"),
        ('action == Action::"release"', "E011"),
        ('resource in Product::"x"', "E011"),
        ('principal in [Coalition::"FVEY"]', "E011"),
        ('["air"].contains(resource.category)', "E011"),
        ('context.now == datetime("2027-01-01")', "E011"),
        ('context.when < datetime("2027-01-01")', "E011"),
        ("resource.level < -1", "E012"),
        ("resource.level == 5", "E012"),
        ('principal in Coalition::"FVYE"', "E013"),
        ('resource.originator == Party::"ASU"', "E013"),
        ('context.now < datetime("2027-01-01T00:00:00+0200")', "E014"),
        ("resource.lvl < 2", "E015"),
        ('resource.topics.contains(Category::"cyber")', "E015"),
        ("[].contains(resource.category)", "E015"),
        ('principal == Party::"AUS"', "E016"),
        ('resource.originator != Partner::"AUS"', "E016"),
    ],
)
def test_what_it_does_not_list_is_refused(test: str, code: str) -> None:
    assert set(codes(f"{HEAD}when {{ {test} }};")) == {code}
    assert set(codes(f"{HEAD}when {{ resource.level < 3 && !({test}) }};")) == {code}


def test_every_node_and_operator_of_the_engine_is_either_allowed_or_refused() -> None:
    """The engine's own list is walked, so that one that a later version adds is met here."""
    from typing import get_args

    from tearline.agreement.profile import _foreign

    allowed = {"and", "or", "eq", "not_eq", "less", "less_eq", "greater", "greater_eq", "in"}
    allowed |= {"contains", "contains_any", "contains_all", "not", "is_empty", "datetime"}
    leaf = pst.LongLit(1)
    binary = [pst.BinaryOp(op, leaf, leaf) for op in get_args(pst.BinaryOpName)]
    unary = [pst.UnaryOp(op, leaf) for op in get_args(pst.UnaryOpName)]
    assert len(binary) + len(unary) > 40
    for node in [*binary, *unary]:
        assert bool(list(_foreign(node))) == (node.op not in allowed), node.op


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (HEAD + 'when {\n  resource.level <= 3 &&\n  resource.title like "a*"\n};', (5, 18)),
        ("// like\n\n" + HEAD + 'when { resource.title like "like" };', (5, 23)),
        (HEAD + 'when { principal == Partner::"AUX" };', (3, 30)),
        (HEAD + 'when { resource.topics.contains(Topic::"aire") };', (3, 33)),
        (HEAD + "when { resource.lvl < 3 };", (3, 17)),
        (HEAD + ";\n  permit (principal, action, resource", (4, 3)),
    ],
)
def test_a_finding_tells_its_place(text: str, place: tuple[int, int]) -> None:
    (finding,) = lint(text, NAMES)
    assert (finding.line, finding.column) == place


def test_findings_come_in_the_order_of_the_text_and_all_at_once() -> None:
    text = (
        "permit (principal, action, resource) when { true };\n"
        '@id("b") @reason("x") forbid (principal, action, resource);'
    )
    assert codes(text) == ["E002", "E004", "E007", "E011", "E007"]


def test_semicolons_in_strings_and_comments_end_no_clause() -> None:
    text = (
        '@id("one") @reason("a; b // c \\" ;")\n'
        'permit (principal, action == Action::"release", resource); // d; e\n'
        '@id("two") @reason("x") /'
        '/ f;\npermit (principal, action == Action::"release", resource);'
    )
    assert codes(text) == []


@pytest.mark.parametrize(
    "test",
    [
        "(" * 100_000 + "true" + ")" * 100_000,
        "!(" * 50 + "true" + ")" * 50,
        "1" + " + 1" * 20_000 + " == 1",
        "resource" + ".a" * 20_000 + " == 1",
        "if true then " * 20_000 + "true" + " else true" * 20_000,
        "[" * 20_000 + "]" * 20_000 + ".contains(resource.level)",
        " && ".join(["resource.level < 3"] * 20_000),
    ],
    ids=["brackets", "not", "plus", "chain", "if", "sets", "and"],
)
def test_a_clause_too_deep_for_the_engines_parser_is_a_finding_and_not_the_end_of_the_process(
    test: str,
) -> None:
    """In a process of its own: without the limit the parser overflows the stack."""
    program = (
        "import sys; from tearline.agreement.profile import lint; "
        "print(lint(sys.stdin.read(), frozenset())[0].code)"
    )
    text = f"{HEAD}when {{ {test} }};"
    done = subprocess.run(
        [sys.executable, "-c", program], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "E001"), done.stderr[-300:]


def test_brackets_may_nest_as_deep_as_is_said() -> None:
    depth = DEEPEST - 1  # the braces of `when` are one
    assert codes(f"{HEAD}when {{ {'(' * depth}resource.level < 3{')' * depth} }};") == []
    assert codes(f"{HEAD}when {{ {'(' * (depth + 1)}resource.level < 3{')' * (depth + 1)} }};") == ["E001"]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_comment_ends_where_the_engine_ends_it(end: str) -> None:
    """Cedar ends a comment at a carriage return too: what follows it is a clause, not a remark."""
    findings = lint(f"// a remark{end}permit (principal, action, resource);", frozenset())
    assert [finding.code for finding in findings] == ["E002", "E004", "E007"]
    assert lint("// a remark without an end permit (principal, action, resource);", frozenset()) == []
