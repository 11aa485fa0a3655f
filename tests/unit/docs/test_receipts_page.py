"""The page on receipts says what the program says."""

from __future__ import annotations

import re
from pathlib import Path

from tearline.cli.ledger import NOTE, ledger
from tearline.deliver.receipt import Became

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "receipts.md").read_text(encoding="utf-8")


def table(heading: str) -> list[str]:
    """The names in the first column of the table with this heading."""
    rows = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return [
        name
        for row in re.findall(r"^\| (`.*?) \|", rows, flags=re.MULTILINE)
        for name in re.findall(r"`([\w-]+)`", row)
    ]


def test_what_becomes_of_a_release() -> None:
    assert table("it says") == [each.value for each in Became]


def test_every_kind_of_difference_is_explained() -> None:
    said = set[str]()
    for name in ("partner_record", "export"):
        source = (ROOT / "src" / "tearline" / "node" / f"{name}.py").read_text(encoding="utf-8")
        said |= set(re.findall(r'_differ\(\s*"([\w-]+)"', source))
        said |= set(re.findall(r'Finding\(\s*"([\w-]+)"', source))
    opens = {"no-receipt", "not-receipted", "checkpoint"}
    assert opens < said
    assert set(table("it differs")) == (said - opens) | {"left-out"}


def test_a_missing_receipt_proves_nothing() -> None:
    assert "**A missing receipt proves nothing.**" in PAGE
    assert NOTE.startswith("A missing receipt proves nothing")


def test_its_commands_are_there() -> None:
    assert {"verify", "export", "fork"} <= set(ledger.commands)
    for options in re.findall(r"ledger (?:verify|export|fork settle) .*", PAGE):
        for option in re.findall(r"--[a-z]+", options):
            assert option in {"--partner", "--other", "--output", "--officer", "--why", "--json"}
