"""Where the parts of a clause stand in its text: the engine's tree does not tell.

The tree's parts come in the order of the text, with brackets and commas left out. So the tree is walked
along the tokens, each part taking those that it is made of.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import accumulate

from cedarpy import pst

from tearline.agreement.clauses import Clause, Token, tokens

Span = tuple[int, int]
"""Offsets in the text of a clause: the first character, and the one after the last."""

SIGNS = {"less": "<", "less_eq": "<=", "greater": ">", "greater_eq": ">=", "eq": "==", "not_eq": "!="}
SIGNS |= {"and": "&&", "or": "||", "not": "!", "add": "+", "sub": "-", "neg": "-", "mul": "*"}
_AFTER = {"datetime", "decimal", "duration", "ip", "not", "neg"}
"""One-sided operators that stand before what they are of; the others are methods and stand after it."""


def sign(op: str) -> str:
    """How an operator of the tree stands in the text."""
    return SIGNS.get(op) or re.sub("_(.)", lambda letter: letter[1].upper(), op)


class Spans:
    """The spans of a clause's annotations, of its head's three parts, and of its conditions' tests."""

    def __init__(self, clause: Clause) -> None:
        self._tokens = [token for token in tokens(clause.text) if token.kind != "comment"]
        self._whole = (0, len(clause.text))
        self._of: dict[int, Span] = {}
        self._signs: dict[int, Span] = {}
        self.notes: dict[str, Span] = {}
        self.effect: Span = self._whole
        self.head: dict[str, Span] = {}
        self._at = 0
        self._tree = clause.tree  # its nodes are known by identity
        try:
            self._lead()
            for condition in clause.tree.clauses:
                self._take(lambda text: text in {"when", "unless"})
                self._visit(condition.expr)
        except (_LostError, IndexError):
            pass  # a spelling that the walk does not know: the spans that it has found are right

    def of(self, node: object) -> Span:
        """Where `node`, one of the clause's own, stands; the whole clause where that is not known."""
        return self._of.get(id(node), self._whole)

    def sign_of(self, node: object) -> Span:
        """Where the operator of `node` stands."""
        return self._signs.get(id(node), self.of(node))

    def word(self, text: str) -> Span | None:
        """The first token that is `text`, or the first tokens that make `Type::"name"`."""
        parts = [token.text for token in tokens(text)]
        for number in range(len(self._tokens) - len(parts) + 1):
            if parts and [token.text for token in self._tokens[number : number + len(parts)]] == parts:
                return self._tokens[number].start, self._tokens[number + len(parts) - 1].end
        return None

    def _lead(self) -> None:
        """Annotations and head."""
        while self._tokens[self._at].text == "@":
            first, name = self._tokens[self._at], self._tokens[self._at + 1]
            has_text = self._tokens[self._at + 2].text == "("
            self._at += 5 if has_text else 2
            self.notes[name.text] = first.start, self._tokens[self._at - 1].end
        effect = self._tokens[self._at]
        self.effect = effect.start, effect.end
        self._at += 2
        for part in ("principal", "action", "resource"):
            first = last = self._tokens[self._at]
            depth = 0
            while depth or last.text not in {",", ")"}:
                end = last.end
                depth += _opens(last)
                self._at += 1
                last = self._tokens[self._at]
                self.head[part] = first.start, end
            self._at += last.text == ","

    def _take(self, wanted: Callable[[str], bool]) -> Token:
        """The next token that is wanted; only brackets and the like may stand before it."""
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if wanted(token.text):
                return token
            if token.text not in set("(),.[]{}:") | {"::"}:
                break
        raise _LostError

    def _word(self, text: str) -> Token:
        return self._take(lambda found: found in {text, f'"{text}"'})

    def _visit(self, node: pst.Expr) -> None:  # noqa: PLR0912 - one case for each kind of node
        first = self._at
        while first < len(self._tokens) and self._tokens[first].text in {"(", ",", "{", ":", ")", "]", "}"}:
            first += 1
        match node:
            case pst.Var(word) | pst.GetAttr(_, word):
                if isinstance(node, pst.GetAttr):
                    self._visit(node.base)
                self._word(word)
            case pst.BoolLit(value):
                self._word(str(value).lower())
            case pst.LongLit(value):
                if value < 0:
                    self._word("-")
                self._take(str.isdecimal)
            case pst.StringLit():
                self._take(lambda text: text.startswith('"'))
            case pst.EntityLit(uid):
                self._word((*uid.type.namespace, uid.type.basename)[0])
                self._take(lambda text: text.startswith('"'))
            case pst.BinaryOp(op, left, right):
                self._visit(left)
                self._sign(node, sign(op))
                self._visit(right)
            case pst.UnaryOp(op, arg) if op in _AFTER:
                self._sign(node, sign(op))
                self._visit(arg)
            case pst.UnaryOp(op, arg):
                self._visit(arg)
                self._sign(node, sign(op))
                self._word("(")
            case pst.Set(elements):
                self._word("[")
                for element in elements:
                    self._visit(element)
            case pst.IfThenElse(condition, then, otherwise):
                self._sign(node, "if")
                for part, word in ((condition, "then"), (then, "else"), (otherwise, "")):
                    self._visit(part)
                    if word:
                        self._word(word)
            case pst.HasAttr(base, attributes):
                self._visit(base)
                self._sign(node, "has")
                for attribute in attributes:
                    self._word(attribute)
            case pst.Like(base):
                self._visit(base)
                self._sign(node, "like")
                self._take(lambda text: text.startswith('"'))
            case _:
                raise _LostError
        self._of[id(node)] = self._enclosed(first)

    def _sign(self, node: object, text: str) -> None:
        token = self._word(text)
        self._signs[id(node)] = token.start, token.end

    def _enclosed(self, first: int) -> Span:
        """From token `first` to the last one taken, and what closes or opens the brackets between."""
        last = self._at - 1
        depths = list(accumulate(map(_opens, self._tokens[first : last + 1]), initial=0))
        before, behind = -min(depths), depths[-1] - min(depths)
        while before > 0:
            first -= 1
            before -= _opens(self._tokens[first])
        while behind > 0:
            last += 1
            behind += _opens(self._tokens[last])
        return self._tokens[first].start, self._tokens[last].end


def _opens(token: Token) -> int:
    return (token.text in {"(", "[", "{"}) - (token.text in {")", "]", "}"})


class _LostError(Exception):
    """The tokens are not those that the tree says."""
