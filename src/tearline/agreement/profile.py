"""The strict profile: which Cedar a clause may be written in, and the findings where it is not.

What a clause may say is listed here; whatever is not listed is refused. A condition is built with `&&`,
`||` and `!` from tests, and a test compares one attribute with constants:

    resource.level <= 3                          level, reach, use: a rank 0 to 4, by < <= > >= == !=
    resource.gsd >= 2                            area, delay, bandwidth, position: a class 0 to 4 (`media`)
    resource.category == Category::"cyber"       originator, category, by == !=
    [Topic::"air", ...].contains(resource.x)     the same, one of several
    resource.topics.contains(Topic::"air")       topics, regions, disciplines, by contains,
    resource.topics.containsAny([...])           containsAny, containsAll, isEmpty
    principal in Coalition::"FVEY"               principal == Partner::"GBR", too
    context.now < datetime("2027-06-30")         by < <= > >=

So a clause can be read aloud, turned into one table lookup for each attribute, and proved. The codes are
documented in `docs/agreement-profile.md`, one example each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches

import msgspec
from cedarpy import pst

from tearline.agreement import cedar
from tearline.agreement.clauses import Clause, Finding, split
from tearline.agreement.media import Detail, legend
from tearline.agreement.spans import Span, Spans, sign
from tearline.terms import Category, Discipline, Region, Topic

RANKS = range(5)

_KINDS = {"principal": "Partner", "originator": "Party", "category": "Category"}
_OPEN_TYPES = {"Partner", "Party", "Coalition"}
_CLOSED_TYPES = {"Category": Category, "Discipline": Discipline, "Region": Region, "Topic": Topic}
_ATTRIBUTES = (
    *("originator", "category", "level", "topics", "regions", "disciplines", "reach", "use"),
    *Detail._fields,
)
_ORDER = {"less", "less_eq", "greater", "greater_eq"}
_EQUAL = {"eq", "not_eq"}
_COMPARED = _ORDER | _EQUAL
_LOGIC = {"and", "or"}
_KNOWN = {*_LOGIC, *_ORDER, *_EQUAL, "in", "contains", "contains_all", "contains_any"}
_WORDS: dict[type, str] = {pst.HasAttr: "has", pst.IfThenElse: "if", pst.Record: "{"}
_INSTEAD = {
    "like": "names are from closed lists: write them in full, by == or contains",
    "if": "write two clauses, or join tests by && and ||",
    "has": "every attribute is always there: delete the test",
    "is": "who receives is always a Partner, what is given a Product: delete the test",
    **dict.fromkeys("+-*", "write the rank itself"),
}
_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?")


class Odd(msgspec.Struct, frozen=True):
    """A finding without its place."""

    code: str
    at: object
    """A node of the tree; `@name` of an annotation; a part of the head; or text to look for."""
    message: str
    instead: str


def lint(text: str, names: frozenset[str]) -> list[Finding]:
    """Every place where the clauses of `text` leave the profile, in the order of the text.

    `names` are the parties and coalitions that the manifest declares.
    """
    clauses, findings = split(text)
    seen: set[str] = set()
    for clause in clauses:
        odd = [*_annotations(clause.tree, seen), *_head(clause.tree), *_conditions(clause.tree)]
        odd += _names(clause.tree, names)
        odd = odd or [_misfit(sentence) for sentence in cedar.misfits(clause.text)]
        findings += located(text, clause, odd) if odd else []
        seen.add(clause.id)
    return sorted(findings, key=lambda found: (found.line, found.column, found.code))


def located(text: str, clause: Clause, odd: Iterable[Odd]) -> Iterator[Finding]:
    """The findings on a clause of `text`, each with its place."""
    spans = Spans(clause)
    for each in odd:
        start, end = (clause.start + offset for offset in _span(spans, each))
        yield Finding.at(text, start, end, code=each.code, message=each.message, instead=each.instead)


def _span(spans: Spans, odd: Odd) -> Span:
    match odd.at:
        case str(text) if text.startswith("@"):
            return spans.notes.get(text[1:], spans.effect)
        case str(text):
            return spans.head.get(text) or spans.word(text) or spans.effect
        case node:
            return spans.sign_of(node) if odd.code == "E010" else spans.of(node)


def moments(tree: pst.Template) -> Iterator[datetime]:
    """The moments that a clause of the profile compares `context.now` with."""
    for condition in tree.clauses:
        yield from _moments(condition.expr)


def nodes(part: object) -> Iterator[object]:
    """A part of a tree and all that is under it."""
    if isinstance(part, tuple):
        for each in part:
            yield from nodes(each)
    elif is_dataclass(part):
        yield part
        for field in fields(part):
            yield from nodes(getattr(part, field.name))


# --- Annotations and head ------------------------------------------------------------------------


def _annotations(tree: pst.Template, seen: set[str]) -> Iterator[Odd]:
    notes = tree.annotations
    if not _KEBAB.fullmatch(notes.get("id", "")):
        yield Odd("E002", "@id", "the clause has no id in kebab-case", 'write @id("cyber-whole")')
    elif notes["id"] in seen:
        yield Odd("E003", "@id", f"the id {notes['id']} is used twice", "give each clause its own")
    if not notes.get("reason", "").strip():
        yield Odd("E004", "@reason", "the clause gives no reason", 'write @reason("why, in one sentence")')
    for name, value in notes.items():
        if name not in {"id", "reason", "review"}:
            yield Odd("E005", f"@{name}", f"@{name} is no annotation of the profile", "delete it")
        elif name == "review" and not _is_date(value):
            yield Odd("E005", "@review", f"{value!r} is not a date", 'write @review("2027-06-30")')


def _head(tree: pst.Template) -> Iterator[Odd]:
    match tree.principal:
        case pst.ScopeAny():
            pass
        case pst.ScopeEq(pst.Slot()) | pst.ScopeIn(pst.Slot()) | pst.ScopeIsIn(_, pst.Slot()):
            yield Odd("E009", "?principal", "this is a template, which gives nothing", "name the partner")
        case pst.ScopeEq(pst.EntityUid(pst.EntityType("Partner"))):
            pass
        case pst.ScopeIn(pst.EntityUid(pst.EntityType("Coalition"))):
            pass
        case _:
            yield Odd(
                "E006",
                "principal",
                "the head does not say plainly who receives",
                'write principal, principal == Partner::"GBR" or principal in Coalition::"FVEY"',
            )
    if isinstance(tree.action, pst.ScopeAny):
        yield Odd(
            "E007",
            "action",
            "the head does not name the action, so that it would cover later ones too",
            'write action == Action::"release" (or "releaseTearline"), or action in Action::"share"',
        )
    match tree.resource:
        case pst.ScopeAny():
            pass
        case pst.ScopeEq(pst.Slot()) | pst.ScopeIn(pst.Slot()) | pst.ScopeIsIn(_, pst.Slot()):
            yield Odd("E009", "?resource", "this is a template, which gives nothing", "delete the slot")
        case _:
            yield Odd("E008", "resource", "the head constrains the resource", "ask for it in when { ... }")


# --- Conditions ----------------------------------------------------------------------------------


def _conditions(tree: pst.Template) -> Iterator[Odd]:
    for condition in tree.clauses:
        yield from _condition(condition.expr)


def _condition(expr: pst.Expr) -> Iterator[Odd]:
    """A condition: tests joined by `&&`, `||`, `!`."""
    match expr:
        case pst.BinaryOp(op, left, right) if op in _LOGIC:
            yield from _condition(left)
            yield from _condition(right)
        case pst.UnaryOp("not", inner):
            yield from _condition(inner)
        case _:
            yield from list(_foreign(expr)) or list(_test(expr))


def _test(expr: pst.Expr) -> Iterator[Odd]:
    """One test; `expr` has no operator from outside the profile."""
    match expr:
        case pst.BinaryOp(op, pst.GetAttr(pst.Var("resource"), name), pst.LongLit(rank)) if op in _COMPARED:
            yield from _no_rank(name, rank, expr.right)
        case pst.BinaryOp(op, pst.GetAttr(pst.Var("resource"), name), pst.EntityLit(uid)) if op in _EQUAL:
            yield from _same_kind(name, uid, expr.right)
        case pst.BinaryOp("contains", pst.GetAttr(pst.Var("resource")), pst.EntityLit()):
            pass
        case pst.BinaryOp("contains", pst.Set(constants), pst.GetAttr(pst.Var("resource"))):
            yield from _constants(constants)
        case pst.BinaryOp(
            "contains_any" | "contains_all", pst.GetAttr(pst.Var("resource")), pst.Set(constants)
        ):
            yield from _constants(constants)
        case pst.UnaryOp("is_empty", pst.GetAttr(pst.Var("resource"))):
            pass
        case pst.BinaryOp(
            "in", pst.Var("principal"), pst.EntityLit(pst.EntityUid(pst.EntityType("Coalition")))
        ):
            pass
        case pst.BinaryOp(op, pst.Var("principal"), pst.EntityLit(uid)) if op in _EQUAL:
            yield from _same_kind("principal", uid, expr.right)
        case pst.BinaryOp(
            op,
            pst.GetAttr(pst.Var("context"), "now"),
            pst.UnaryOp("datetime", pst.StringLit(moment)),
        ) if op in _ORDER:
            if not (_MOMENT.fullmatch(moment) and _is_moment(moment)):
                yield Odd(
                    "E014",
                    expr.right,
                    f"{moment!r} is not a UTC date or second",
                    'write datetime("2027-06-30")',
                )
        case _:
            yield Odd(
                "E011",
                expr,
                "this test does not compare one attribute with constants",
                "put resource.ATTRIBUTE, principal or context.now on the left and constants on the right",
            )


def _no_rank(name: str, rank: int, at: pst.Expr) -> Iterator[Odd]:
    if rank not in RANKS and name in Detail._fields:
        yield Odd("E012", at, f"{rank} is no class of {name}", f"write {legend(name)}")
    elif rank not in RANKS:
        yield Odd("E012", at, f"{rank} is no rank", "write a rank from 0 to 4 (3 is SECRET)")


def _same_kind(name: str, uid: pst.EntityUid, at: pst.Expr) -> Iterator[Odd]:
    """The engine finds nothing wrong with comparing things of two kinds, which are never equal."""
    kind = _KINDS.get(name)
    if kind and uid.type.basename != kind:
        yield Odd("E016", at, f"{name} is never a {uid.type}", f'write {kind}::"..."')


def _constants(elements: tuple[pst.Expr, ...]) -> Iterator[Odd]:
    for element in elements:
        if not isinstance(element, pst.EntityLit):
            message = "the set holds something else than names"
            yield Odd("E011", element, message, 'write [Topic::"air", Topic::"land"]')


def _foreign(expr: pst.Expr) -> Iterator[Odd]:
    """Operators in and under `expr` that the profile does not know."""
    match expr:
        case pst.Var() | pst.BoolLit() | pst.LongLit() | pst.StringLit() | pst.EntityLit():
            return
        case pst.GetAttr(base, _):
            yield from _foreign(base)
        case pst.Set(elements):
            for element in elements:
                yield from _foreign(element)
        case pst.UnaryOp("not" | "is_empty" | "datetime", inner):
            yield from _foreign(inner)
        case pst.BinaryOp(op, left, right) if op in _KNOWN:
            yield from _foreign(left)
            yield from _foreign(right)
        case _:
            word = _spelt(expr)
            instead = _INSTEAD.get(word, "use only the tests of the profile")
            yield Odd("E010", expr, f"the profile has no {word}", instead)


def _names(tree: pst.Template, names: frozenset[str]) -> Iterator[Odd]:
    """Parties and coalitions that the manifest does not declare, each where it stands."""
    heads = [(uid, str(uid)) for uid in pst.entity_uids((tree.principal, tree.resource))]
    literals = (node for node in nodes(tree.clauses) if isinstance(node, pst.EntityLit))
    for uid, at in [*heads, *((node.value, node) for node in literals)]:
        if uid.type.basename in _OPEN_TYPES and uid.id not in names:
            near = _nearest(uid.id, names)
            instead = f'write {uid.type}::"{near}"' if near else "correct it"
            yield Odd("E013", at, f"{uid} is not declared", f"{instead}, or declare it in agreement.toml")


def _moments(expr: pst.Expr) -> Iterator[datetime]:
    match expr:
        case pst.UnaryOp("datetime", pst.StringLit(moment)):
            yield datetime.fromisoformat(moment).replace(tzinfo=UTC)
        case pst.UnaryOp(_, inner):
            yield from _moments(inner)
        case pst.BinaryOp(_, left, right):
            yield from _moments(left)
            yield from _moments(right)


# --- Wording --------------------------------------------------------------------------------------


def _spelt(expr: pst.Expr) -> str:
    """How the operator of `expr`, or the word that it is, stands in the text."""
    match expr:
        case pst.UnaryOp(op, _) | pst.BinaryOp(op, _, _):
            return sign(op)
        case _:
            return _WORDS.get(type(expr), type(expr).__name__.lower())


def _misfit(sentence: str) -> Odd:
    """A finding of the engine's validator: it names what is wrong, between grave accents."""
    # On one line, and without the number that the engine gave to the clause.
    said = re.sub(r"\s+", " ", re.sub(r"^for policy `[^`]*`[,:] ", "", sentence)).strip()
    about = re.search("`([^`]*)`", said)
    name = about[1] if about else ""
    misspelt = re.fullmatch(r'(\w+)::"(.*)"', name)
    instead = "use the attributes and names of schema.cedarschema"
    if misspelt and misspelt[1] in _CLOSED_TYPES:
        said = f'{misspelt[1]} has no "{misspelt[2]}"'
        near = _nearest(misspelt[2], [str(word) for word in _CLOSED_TYPES[misspelt[1]]])
        instead = f'write {misspelt[1]}::"{near}"' if near else instead
    elif said.startswith("attribute") and (near := _nearest(name, _ATTRIBUTES)):
        instead = f"write resource.{near}"
    return Odd("E015", name, said, instead)


def _nearest(word: str, known: Iterable[str]) -> str:
    """What was probably meant; empty where nothing is like it."""
    return next(iter(get_close_matches(word, sorted(known), 1)), "")


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
