"""One layout for clauses, that of the shipped agreements. Words and comments stay as they are, and in order.

Annotations stand on a line each, then the head, then each `when` and `unless`. Whatever fits on a line
stands on one; what does not is opened at its outermost brackets, or has one part on each line, with the
`&&` or `||` before it. A clause is one paragraph, with one blank line before it.

The engine has a formatter too, which is not used: it drops the blank lines between comments, so that the
remark on a file runs into the first heading, and it writes a list as three lines for each bracket.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct, structs

from tearline.agreement import cedar
from tearline.agreement.clauses import Token, split, tokens
from tearline.terms import BadInput, Broken

WIDTH = 110
_STEP = "  "
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_KEYWORDS = {"permit", "forbid", "when", "unless", "if", "then", "else", "in", "like", "has", "is"}
_TIGHT = {".", "::", "@", "?"}
"""Signs with no blank on either side; the others of one character have none before them."""
_WIDE = {"&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "{", "}"}


class _Group(Struct):
    """Brackets with what is between them."""

    open: _Word
    inner: list[_Word | _Group]
    close: _Word


class _Word(Struct):
    """A token with the comments on lines of their own before it, and the one behind it on its line."""

    text: str
    kind: str
    before: list[str] = []
    after: str = ""


_Item = _Word | _Group


def formatted(text: str, where: str) -> str:
    """`text`, the clauses of an agreement, in the one layout; ends with a line's end.

    What it says (`Agreement.version`) and its comments do not change, and doing it again changes nothing.
    Raises `BadInput` where a clause is not Cedar.
    """
    _, findings = split(text)
    if findings:
        first = findings[0]
        place = f"line {first.line}, column {first.column}"
        raise BadInput(where, place, first.message, first.instead)
    laid_out = "".join(f"{line}\n" for line in _paragraphs(text))
    if _substance(laid_out) != _substance(text):
        raise Broken(f"{where}: the layout would change what the clauses say; the file is left as it is")
    return laid_out


def _substance(text: str) -> tuple[list[object], list[str]]:
    """What a layout must keep: what each clause says, and every comment."""
    clauses, _ = split(text)
    comments = [token.text.rstrip() for token in tokens(text) if token.kind == "comment"]
    return [cedar.canonical(clause.text) for clause in clauses], comments


# --- The file -------------------------------------------------------------------------------------


def _paragraphs(text: str) -> list[str]:
    """The lines of the file. Comments between clauses keep their blank lines, one at most."""
    lines: list[str] = []
    held: list[_Word] = []
    last = 0
    for token in tokens(text):
        gap = text[last : token.start].replace("\r\n", "\n").replace("\r", "\n").count("\n")
        last = token.end
        if token.kind == "comment" and not gap and (held or lines):
            if held:
                held[-1].after += f" {token.text.rstrip()}"
            else:
                lines[-1] += f" {token.text.rstrip()}"
            continue
        if not held and lines and (gap > 1 or not lines[-1].startswith("//")):
            lines.append("")
        if token.kind == "comment" and not held:
            lines.append(token.text.rstrip())
        else:
            _hold(held, token)
        if token.text == ";":
            lines += _clause(held)
            held = []
    return lines


def _hold(held: list[_Word], token: Token) -> None:
    """Comments wait, as a word without text, for the word that they stand before."""
    waiting = held.pop().before if held and not held[-1].text else []
    if token.kind == "comment":
        held.append(_Word("", "comment", [*waiting, token.text.rstrip()]))
    else:
        held.append(_Word(token.text, token.kind, waiting))


def _clause(words: list[_Word]) -> list[str]:
    """The lines of one clause."""
    lines = _Lines()
    items = _grouped(words)
    while items:
        part, items = items[: _length(items)], items[_length(items) :]
        lines.put(part, "")
        lines.end()
    return lines.done


def _length(items: Sequence[_Item]) -> int:
    """How many of `items` belong on the first line: an annotation, the head, or a condition; and `;`."""
    end = next((number + 1 for number, item in enumerate(items) if isinstance(item, _Group)), len(items))
    named = isinstance(items[0], _Word) and items[0].text == "@"
    if named and not isinstance(items[2], _Group):  # an annotation without a text
        end = 2
    if end < len(items) and _text(items[end]) == ";":
        end += 1
    return end


def _grouped(words: list[_Word]) -> list[_Item]:
    items: list[_Item] = []
    open_groups: list[tuple[_Word, list[_Item]]] = []
    for word in words:
        if word.kind == "sign" and word.text in _CLOSING:
            open_groups.append((word, items))
            items = []
        elif word.kind == "sign" and word.text in _CLOSING.values():
            opening, outer = open_groups.pop()
            outer.append(_Group(opening, items, word))
            items = outer
        else:
            items.append(word)
    return items


# --- One line -------------------------------------------------------------------------------------


def _text(item: _Item) -> str:
    return item.text if isinstance(item, _Word) else item.open.text


def _flat(items: Sequence[_Item]) -> str | None:
    """`items` on one line; `None` where a comment forbids it."""
    line = ""
    previous: _Item | None = None
    for item in items:
        if isinstance(item, _Word):
            if item.before or item.after:
                return None
            said: str | None = item.text
        else:
            said = _flat_group(item)
        if said is None:
            return None
        line += (" " if line and _apart(previous, item, items) else "") + said
        previous = item
    return line


def _flat_group(group: _Group, *, bare: bool = False) -> str | None:
    """Brackets on one line; `bare`: whatever comments stand before and behind them."""
    if group.open.after or group.close.before or (not bare and (group.open.before or group.close.after)):
        return None
    inner = _flat(group.inner)
    if inner is None:
        return None
    room = " " if group.open.text == "{" and inner else ""
    return f"{group.open.text}{room}{inner}{room}{group.close.text}"


def _apart(previous: _Item | None, item: _Item, items: Sequence[_Item]) -> bool:
    """Whether a blank stands between two neighbours of one line."""
    if previous is None:
        return False
    before, after = _text(previous), _text(item)
    if isinstance(previous, _Word) and previous.kind == "sign":
        if before in _TIGHT or before == "!" or (before == "-" and _is_sign_of_number(previous, items)):
            return False
        if after == "?" or before in _WIDE | {",", ":"}:
            return True
    if isinstance(item, _Group):
        word = isinstance(previous, _Word) and previous.kind == "word"
        return after == "{" or (word and before in _KEYWORDS) or not (word or isinstance(previous, _Group))
    return item.kind != "sign" or after in _WIDE or after in {"!", "@", "?"}


def _is_sign_of_number(minus: _Word, items: Sequence[_Item]) -> bool:
    """Whether a minus stands before its number, not between two."""
    at = next(number for number, item in enumerate(items) if item is minus)
    return at == 0 or (isinstance(items[at - 1], _Word) and _text(items[at - 1]) in _WIDE | {",", "!"})


# --- Several lines --------------------------------------------------------------------------------


class _Lines:
    """Lines in the making."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self._line = ""

    def end(self) -> None:
        if self._line.strip():
            self.done.append(self._line.rstrip())
        self._line = ""

    def put(self, items: Sequence[_Item], indent: str, hang: str | None = None) -> None:
        """`items`, on one line where they fit; else in parts, the later ones indented by `hang`."""
        flat = _flat(items)
        if flat is not None and len(indent) + len(flat) <= WIDTH:
            self._line = (self._line or indent) + flat
        elif parts := _parts(items):
            for number, part in enumerate(parts):
                place = indent if hang is None or number == 0 else hang
                self.put(part, place, place + _STEP)
                self.end()
        else:
            self._open(items, indent)

    def _open(self, items: Sequence[_Item], indent: str) -> None:
        """Word by word. Brackets with comments in them are opened; and the last ones, where it is long."""
        self._line = self._line or indent
        groups = [item for item in items if isinstance(item, _Group)]
        commented = _flat(items) is None
        previous: _Item | None = None
        for item in items:
            if self._line.strip() and _apart(previous, item, items):
                self._line += " "
            previous = item
            if isinstance(item, _Word):
                self._word(item, indent)
                continue
            flat = _flat_group(item, bare=True)
            is_long = not commented or flat is None or len(self._line) + len(flat) > WIDTH
            if flat is None or (item is groups[-1] and is_long):
                self._opened(item, indent)
            else:
                self._word(structs.replace(item.open, text=flat, after=item.close.after), indent)

    def _opened(self, group: _Group, indent: str) -> None:
        """Brackets at the ends of lines, with what is between them on lines of its own."""
        only = group.inner[0] if len(group.inner) == 1 and _is_list(group.inner[0]) else None
        self._word(group.open, indent)
        if isinstance(only, _Group) and not (group.open.after or only.open.before or only.close.after):
            self._opened(only, indent)
        else:
            self.end()
            self._inner(group, indent + _STEP)
            self.end()
            self._line = indent
        self._word(group.close, indent)

    def _inner(self, group: _Group, indent: str) -> None:
        if not any(_is(item, ",") for item in group.inner):
            self.put(group.inner, indent)
            return
        for element in _elements(group.inner):
            flat = _flat(element)
            if self._line and (flat is None or len(self._line) + 1 + len(flat) > WIDTH):
                self.end()
            if flat is None:
                self._open(element, indent)
                self.end()
            else:
                self._line = f"{self._line} {flat}" if self._line else indent + flat

    def _word(self, word: _Word, indent: str) -> None:
        """A word with its comments, each of which ends its line."""
        if word.before:
            self.end()
            self.done += [indent + comment for comment in word.before]
            self._line = indent
        self._line += word.text
        if word.after:
            self._line += word.after
            self.end()
            self._line = indent


def _parts(items: Sequence[_Item]) -> list[list[_Item]]:
    """`items` cut before each `||`, or where there is none before each `&&`; empty where there is neither."""
    for sign in ("||", "&&"):
        cuts = [number for number, item in enumerate(items) if number and _is(item, sign)]
        if cuts:
            return [list(items[start:end]) for start, end in pairwise([0, *cuts, len(items)])]
    return []


def _elements(items: Sequence[_Item]) -> list[list[_Item]]:
    """`items` cut after each comma."""
    elements: list[list[_Item]] = [[]]
    for item in items:
        elements[-1].append(item)
        if _is(item, ","):
            elements.append([])
    return [element for element in elements if element]


def _is_list(item: _Item) -> bool:
    return isinstance(item, _Group) and item.open.text == "["


def _is(item: _Item, text: str) -> bool:
    return isinstance(item, _Word) and item.text == text
