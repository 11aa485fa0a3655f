"""The text of clauses: its tokens, one `Clause` after the other, and the places of findings in it."""

from __future__ import annotations

import re
from itertools import accumulate

import msgspec
from cedarpy import pst

from tearline.agreement import cedar

DEEPEST, MOST_SIGNS = 32, 500
"""How deep brackets of a clause may nest, and how many operators and brackets it may have. The engine's
parser recurses on both: 1,000 nested brackets end the process."""

MANIFEST, CLAUSES = "agreement.toml", "clauses.cedar"
"""The two files of an agreement."""

# Cedar ends a comment at a carriage return too. What is none of the others is a sign of one character.
_TOKEN = re.compile(
    r"""(?P<comment>//[^\n\r]*)|(?P<string>"(?:\\.|[^"\\])*")|(?P<word>\w+)"""
    r"""|(?P<sign>::|&&|\|\||[=!<>]=|[^\s\w])"""
)
_SIGN = re.compile(r"[-.+*&|<>=!(){}\[\]]|\b(?:if|has|like|is|in)\b")
_REMEDY = "write permit (...) or forbid (...), when { ... } or unless { ... }, and a semicolon"
_CEDAR = re.compile(r'\w+|[-+*/%<>=!@?,.;:&|(){}\[\]]+|".*"', re.ASCII | re.DOTALL)
"""A token that the engine may know."""


class Token(msgspec.Struct, frozen=True):
    """A word, string, sign or comment. `start` and `end` are offsets in the text."""

    text: str
    start: int
    kind: str
    """`comment`, `string`, `word` or `sign`."""

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class Finding(msgspec.Struct, frozen=True):
    """A place where an agreement leaves the profile (codes E...), or that an officer should look at
    (codes W...). `line` and `column` count from 1, in characters; `length` characters of that line are
    meant. Its text fits on one line."""

    code: str
    line: int
    column: int
    message: str
    instead: str
    length: int = 1
    file: str = CLAUSES

    def __str__(self) -> str:
        return f"{self.message}; {self.instead}"

    @property
    def is_error(self) -> bool:
        """Whether it stops adoption."""
        return self.code.startswith("E")

    @classmethod
    def at(
        cls, text: str, start: int, end: int, *, code: str, message: str, instead: str, file: str = CLAUSES
    ) -> Finding:
        """A finding on `text[start:end]`, or on as much of it as stands on its first line."""
        line, column = place(text, start)
        meant = re.split(r"[\r\n]", text[start:end], maxsplit=1)[0]
        return cls(code, line, column, message, instead, max(1, len(meant)), file)


class Clause(msgspec.Struct, frozen=True):
    """One clause as it stands: its text, the offset of its first character, and its tree."""

    text: str
    start: int
    tree: pst.Template

    @property
    def id(self) -> str:
        return self.tree.annotations.get("id", "")


def tokens(text: str) -> list[Token]:
    """Everything in `text` but blanks, in order."""
    return [Token(found[0], found.start(), found.lastgroup or "") for found in _TOKEN.finditer(text)]


def split(text: str) -> tuple[list[Clause], list[Finding]]:
    """The clauses of `text`, and a finding for each that is not Cedar."""
    clauses: list[Clause] = []
    findings: list[Finding] = []
    held: list[Token] = []
    for token in tokens(text):
        if token.kind != "comment":
            held.append(token)
        if token.text == ";":
            _read(text, held, clauses, findings)
            held = []
    if held:
        _read(text, held, clauses, findings)
    return clauses, findings


def _read(text: str, held: list[Token], clauses: list[Clause], findings: list[Finding]) -> None:
    """Put the clause made of the tokens `held` where it belongs."""
    start = held[0].start
    piece = text[start : held[-1].end]
    signs = _SIGN.findall(_bare(piece))
    depth = max(accumulate((sign in "([{") - (sign in ")]}") for sign in signs), default=0)
    if depth > DEEPEST or len(signs) > MOST_SIGNS:
        error, odd = "it is too long or too deep to be read", held[0]
    else:
        try:
            clauses.append(Clause(piece, start, cedar.parse(piece)))
        except cedar.NotCedar as refused:
            error, odd = str(refused), _odd_one(held, str(refused))
        else:
            return
    message = f"this is not Cedar ({' '.join(error.split())})"  # the engine quotes a string with its lines
    findings.append(Finding.at(text, odd.start, odd.end, code="E001", message=message, instead=_REMEDY))


def _odd_one(held: list[Token], error: str) -> Token:
    """The token that the engine's parser means: it names it, and does not say where it stands."""
    if error == "unexpected end of input":
        return held[-1]
    if error == "invalid token":
        return next((token for token in held if not _CEDAR.fullmatch(token.text)), held[0])
    named = re.findall(r"`(.+)`|: @?(\w+)$", error)
    alike = [number for number, token in enumerate(held) if named and token.text in named[0]]
    for number in alike[:MOST_SIGNS]:
        # The parser tells of the first error, once it has seen what comes after it.
        if _error(held[: number + 2]) == error:
            return held[number]
    return held[alike[0]] if alike else held[0]


def _error(held: list[Token]) -> str:
    try:
        cedar.parse(" ".join(token.text for token in held))
    except cedar.NotCedar as error:
        return str(error)
    return ""


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, counted from 1. A line ends where Cedar ends it."""
    lines = re.split(r"\r\n|\r|\n", text[:offset])
    return len(lines), len(lines[-1]) + 1


def _bare(clause: str) -> str:
    """The clause with blanks for its strings and comments."""
    kept = ("" if token.kind in {"comment", "string"} else token.text for token in tokens(clause))
    return " ".join(kept)
