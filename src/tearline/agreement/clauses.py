"""The text of clauses: one `Clause` after the other, and the places of findings in it."""

from __future__ import annotations

import re
from itertools import accumulate

import msgspec
from cedarpy import pst

from tearline.agreement import cedar

DEEPEST, MOST_SIGNS = 32, 500
"""How deep brackets of a clause may nest, and how many operators and brackets it may have. The engine's
parser recurses on both: 1,000 nested brackets end the process."""

_TOKEN = re.compile(r'//[^\n\r]*|"(?:\\.|[^"\\])*"|;')
_SIGN = re.compile(r"[-.+*&|<>=!(){}\[\]]|\b(?:if|has|like|is|in)\b")
_REMEDY = "write permit (...) or forbid (...), when { ... } or unless { ... }, and a semicolon"


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
    """The clauses of `text`, and a finding for each that is not Cedar."""
    clauses, findings, start = [], [], 0
    ends = [token.end() for token in _TOKEN.finditer(text) if token[0] == ";"]
    for end in [*ends, len(text)]:
        start += _lead(text[start:end])
        if piece := text[start:end]:
            try:
                clauses.append(Clause(piece, start, _parse(piece)))
            except cedar.NotCedar as error:
                findings.append(Finding("E001", *place(text, start), f"this is not Cedar ({error})", _REMEDY))
        start = end
    return clauses, findings


def _parse(piece: str) -> pst.Template:
    signs = _SIGN.findall(_bare(piece))
    depth = max(accumulate((sign in "([{") - (sign in ")]}") for sign in signs), default=0)
    if depth > DEEPEST or len(signs) > MOST_SIGNS:
        raise cedar.NotCedar("it is too long or too deep to be read")
    return cedar.parse(piece)


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, counted from 1."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def find(clause: str, near: str) -> int:
    """The offset of `near` in the text of a clause, 0 if it is not there.

    What has no quotes of its own is looked for outside strings and comments, as a whole word.
    """
    before, after = (r"\b" if end.isalnum() else "" for end in (near[:1], near[-1:]))
    found = re.search(before + re.escape(near) + after, clause if '"' in near else _bare(clause))
    return found.start() if found else 0


def _bare(clause: str) -> str:
    """The clause with blanks for its strings and comments."""
    return _TOKEN.sub(lambda token: " " * len(token[0]), clause)


def _lead(text: str) -> int:
    """How many characters of blanks and comments stand before the first word."""
    lead = re.match(r"(?:\s|//[^\n\r]*)*", text)
    return lead.end() if lead else 0
