"""The text of clauses: one `Clause` after the other, and the places of findings in it."""

from __future__ import annotations

import re

import msgspec
from cedarpy import pst

from tearline.agreement import cedar

_TOKEN = re.compile(r'//[^\n]*|"(?:\\.|[^"\\])*"|;')


class Finding(msgspec.Struct, frozen=True):
    """Where a clause leaves the profile. `line` and `column` count from 1. Its text fits on one line."""

    code: str
    line: int
    column: int
    message: str
    instead: str

    def __str__(self) -> str:
        return f"{self.message}; {self.instead}"


class Clause(msgspec.Struct, frozen=True):
    """One clause as it stands: its text, the offset of its first character, and its tree."""

    text: str
    start: int
    tree: pst.Template

    @property
    def id(self) -> str:
        return self.tree.annotations.get("id", "")


def split(text: str) -> tuple[list[Clause], list[Finding]]:
    """The clauses of `text`, and an `E001` for each that is not Cedar."""
    clauses, findings, start = [], [], 0
    ends = [token.end() for token in _TOKEN.finditer(text) if token[0] == ";"]
    for end in [*ends, len(text)]:
        start += _lead(text[start:end])
        if piece := text[start:end]:
            try:
                clauses.append(Clause(piece, start, cedar.parse(piece)))
            except cedar.NotCedar as error:
                line, column = place(text, start)
                findings.append(
                    Finding(
                        "E001", line, column, f"this is not Cedar ({error})", "write permit or forbid (...);"
                    )
                )
        start = end
    return clauses, findings


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, counted from 1."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def find(clause: str, near: str) -> int:
    """The offset of `near` in the text of a clause, 0 if it is not there.

    What has no quotes of its own is looked for outside strings and comments.
    """
    bare = clause if near.startswith('"') else _TOKEN.sub(lambda token: " " * len(token[0]), clause)
    edge = r"\b" if near[:1].isalnum() else ""
    found = re.search(edge + re.escape(near) + edge, bare) if near else None
    return found.start() if found else 0


def _lead(text: str) -> int:
    """How many characters of blanks and comments stand before the first word."""
    lead = re.match(r"(?:\s|//[^\n]*)*", text)
    return lead.end() if lead else 0
