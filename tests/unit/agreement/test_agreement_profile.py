"""The strict profile, its document, and the places of its findings."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest
from cedarpy import pst

from tearline.agreement import examine
from tearline.agreement.clauses import DEEPEST
from tearline.agreement.codes import CODES
from tearline.agreement.profile import lint

DOCUMENT = Path(__file__).parents[3] / "docs" / "agreement-profile.md"
TODAY = date(2026, 11, 1)
USING_ALL = """
@id("one") @reason("Example.") @review("2027-06-30")
permit (principal, action == Action::"release", resource) when { resource.level <= 3 };
@id("two") @reason("Example.") @review("2027-06-30")
forbid (principal == Partner::"NZL", action == Action::"release", resource)
unless { principal in Coalition::"FVEY" };
"""
NAMES = frozenset({"AUS", "GBR", "FVEY"})
HEAD = '@id("one") @reason("Example.")\npermit (principal, action == Action::"release", resource)\n'


def codes(text: str) -> list[str]:
    return [finding.code for finding in lint(text, NAMES)]


class Section(NamedTuple):
    title: str
    language: str
    example: str
    way_out: str


def sections() -> dict[str, Section]:
    """The document's section on each code: an example, and the way out."""
    found = re.findall(
        r"^### (\w+) ([^\n]+)\n\n[^\n]+\n\n```(\w+)\n(.*?)```\n\n```\3\n(.*?)```",
        DOCUMENT.read_text("utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    return {code: Section(*rest) for code, *rest in found}


def examined(language: str, text: str) -> list[str]:
    """The codes found in `text`, with the document's manifest or with clauses that use what it declares."""
    manifest = re.search(r"```toml\n(id = .*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert manifest
    files = (text, USING_ALL) if language == "toml" else (manifest[1], text)
    file = "agreement.toml" if language == "toml" else "clauses.cedar"
    return [found.code for found in examine(*files, TODAY) if found.file == file]


def test_the_document_lists_every_code_with_its_meaning() -> None:
    assert {code: section.title for code, section in sections().items()} == CODES


@pytest.mark.parametrize("code", CODES)
def test_the_documents_example_has_this_finding_and_no_other_and_its_way_out_has_none(code: str) -> None:
    section = sections()[code]
    assert examined(section.language, section.example) == [code]
    assert examined(section.language, section.way_out) == []


def test_the_documents_clause_keeps_to_the_profile() -> None:
    clause = re.search(r"```\n(@id.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
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


WHEN = HEAD + "when { %s };"
ACTION = 'action in [Action::"release"]'
BAD_HEAD = '@id("one") @reason("Example.")\n%s;'


@pytest.mark.parametrize(
    ("text", "line", "meant"),
    [
        (HEAD + 'when {\n  resource.level <= 3 &&\n  resource.title like "a*"\n};', 5, "like"),
        ("// like\n\n" + WHEN % 'resource.title like "like"', 5, "like"),
        (WHEN % "resource.level < 3 && (resource.use + 1) < 3 && resource.level - 1 < 2", 3, "+"),
        (WHEN % 'principal == Partner::"AUX"', 3, 'Partner::"AUX"'),
        (WHEN % "resource.level <= 3 || (resource.use) <= 30", 3, "30"),
        (WHEN % "resource.use < 2 && ((resource.level) < -1)", 3, "-1"),
        (WHEN % 'resource.topics.contains(Topic::"aire")', 3, 'Topic::"aire"'),
        (WHEN % "resource.lvl < 3", 3, "lvl"),
        (WHEN % 'resource["level"] < 3 && (3 <= resource.level)', 3, "3 <= resource.level"),
        (WHEN % "[(resource.use), 3].contains(resource.level)", 3, "resource.use"),
        (WHEN % 'resource.use < 3 || (principal in [X::"A"])', 3, 'principal in [X::"A"]'),
        (WHEN % 'context.now < datetime("2027-02-30")', 3, 'datetime("2027-02-30")'),
        (WHEN % "resource.use < 3 && (if resource.use < 3 then true else false)", 3, "if"),
        (WHEN % "resource.use < 3 && resource has use", 3, "has"),
        (WHEN % 'resource.use < 3 && context.now.toDate() < datetime("2027-01-01")', 3, "toDate"),
        (WHEN % "resource.level <== 3", 3, "="),
        (WHEN % "resource.level <= 3 &&", 3, "}"),
        (WHEN % "[resource.level < 3", 3, "}"),
        (WHEN % "resource.level <= 3 3 && 3", 3, "3"),
        (WHEN % "resource.level <= жук", 3, "жук"),
        (WHEN % 'resource.topics.contains(Topic::"air)', 3, '"'),
        (WHEN % 'resource.topics.contains(Topic:"air")', 3, ":"),
        (WHEN % "foo(3) && resource.level < 3", 3, "foo"),
        (HEAD + ";\n  permit (principal, action, resource", 4, "resource"),
        (BAD_HEAD % f"permit (principal is Partner, {ACTION}, resource)", 2, "principal is Partner"),
        (BAD_HEAD % f'permit (principal == Partner::"XXX", {ACTION}, resource)', 2, 'Partner::"XXX"'),
        (BAD_HEAD % "permit (principal, action, resource)", 2, "action"),
        (BAD_HEAD % f"permit (principal, {ACTION}, resource is Product)", 2, "resource is Product"),
        (BAD_HEAD % f"permit (principal == ?principal, {ACTION}, resource)", 2, "?principal"),
        (f'@id("one") // @reason("no")\npermit (principal, {ACTION}, resource);', 2, "permit"),
        ('@reason("x")\n@id("A b")' + HEAD.partition("\n")[2] + ";", 2, '@id("A b")'),
        (HEAD.replace("@reason", '@review("soon") @reason') + ";", 1, '@review("soon")'),
        (HEAD.replace("@reason", "@odd @reason") + ";", 1, "@odd"),
    ],
)
def test_a_finding_tells_its_place_and_what_is_meant(text: str, line: int, meant: str) -> None:
    finding = lint(text, NAMES)[0]
    row = text.split("\n")[finding.line - 1]
    assert finding.line == line
    assert row[finding.column - 1 : finding.column - 1 + finding.length] == meant


def test_what_is_alike_is_told_apart_by_its_place() -> None:
    """The second of two equal names is the odd one: it is compared with another kind of attribute."""
    text = WHEN % 'resource.topics.contains(Topic::"air") && resource.category == Topic::"air"'
    (finding,) = lint(text, NAMES)
    assert finding.column == text.split("\n")[2].rindex("Topic") + 1


@pytest.mark.parametrize(
    ("test", "instead"),
    [
        ('resource.topics.contains(Topic::"aire")', 'write Topic::"air"'),
        ("resource.levels < 3", "write resource.level"),
        ('principal in Coalition::"FVYE"', 'write Coalition::"FVEY", or declare it in agreement.toml'),
        ('principal == Partner::"ZZZ"', "correct it, or declare it in agreement.toml"),
        ("resource has level", "every attribute is always there: delete the test"),
    ],
)
def test_a_finding_tells_what_was_probably_meant(test: str, instead: str) -> None:
    assert [finding.instead for finding in lint(WHEN % test, NAMES)] == [instead]


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
