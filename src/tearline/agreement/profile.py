"""The strict profile: which Cedar a clause may be written in, and the findings where it is not.

What a clause may say is listed here; whatever is not listed is refused. A condition is built with `&&`,
`||` and `!` from tests, and a test compares one attribute with constants:

    resource.level <= 3                          level, reach, use: a rank 0 to 4, by < <= > >= == !=
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
from collections.abc import Iterator
from datetime import UTC, date, datetime

import msgspec
from cedarpy import pst

from tearline.agreement import cedar
from tearline.agreement.clauses import Finding, find, place, split

CODES = {
    "E001": "not Cedar",
    "E002": "no @id, or not in kebab-case",
    "E003": "@id used twice",
    "E004": "no @reason",
    "E005": "an annotation that is not @id, @reason or @review(date)",
    "E006": "a head that does not say plainly who receives",
    "E007": "a head that does not name the action",
    "E008": "a head that constrains the resource",
    "E009": "a template slot",
    "E010": "an operator outside the profile",
    "E011": "a test that does not compare one attribute with constants",
    "E012": "a number that is no rank",
    "E013": "a party or coalition that the manifest does not declare",
    "E014": "a moment that is not a UTC date or second",
    "E015": "a clause that does not fit the schema",
    "E016": "a comparison with a name of another kind",
}
RANKS = range(5)

_KINDS = {"principal": "Partner", "originator": "Party", "category": "Category"}
_OPEN_TYPES = {"Partner", "Party", "Coalition"}
_ORDER = {"less": "<", "less_eq": "<=", "greater": ">", "greater_eq": ">="}
_EQUAL = {"eq": "==", "not_eq": "!="}
_OF_SETS = {"contains": "contains", "contains_all": "containsAll", "contains_any": "containsAny"}
_LOGIC = {"and", "or"}
_KNOWN = {*_LOGIC, *_ORDER, *_EQUAL, *_OF_SETS, "in"}
# How operators stand in the text, to find their place.
_SIGNS = {"add": "+", "sub": "-", "neg": "-", "mul": "*"}
_SIGNS |= {**_ORDER, **_EQUAL, **_OF_SETS, "and": "&&", "or": "||", "not": "!"}
_WORDS: dict[type, str] = {pst.HasAttr: "has", pst.IfThenElse: "if", pst.Record: "{"}
_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?")


class _Odd(msgspec.Struct, frozen=True):
    """A finding without its place: `near` is what to look for in the clause."""

    code: str
    near: str
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
        odd = odd or [
            _Odd("E015", _named(misfit), _scrub(misfit), "use the attributes and names of schema.cedarschema")
            for misfit in cedar.misfits(clause.text)
        ]
        for each in odd:
            line, column = place(text, clause.start + find(clause.text, each.near))
            findings.append(Finding(each.code, line, column, each.message, each.instead))
        seen.add(clause.id)
    return sorted(findings, key=lambda found: (found.line, found.column, found.code))


def moments(tree: pst.Template) -> Iterator[datetime]:
    """The moments that a clause of the profile compares `context.now` with."""
    for condition in tree.clauses:
        yield from _moments(condition.expr)


# --- Annotations and head ------------------------------------------------------------------------


def _annotations(tree: pst.Template, seen: set[str]) -> Iterator[_Odd]:
    notes = tree.annotations
    if not _KEBAB.fullmatch(notes.get("id", "")):
        yield _Odd("E002", "@id", "the clause has no id in kebab-case", 'write @id("cyber-whole")')
    elif notes["id"] in seen:
        yield _Odd("E003", "@id", f"the id {notes['id']} is used twice", "give each clause its own")
    if not notes.get("reason", "").strip():
        yield _Odd("E004", "@reason", "the clause gives no reason", 'write @reason("why, in one sentence")')
    for name, value in notes.items():
        if name not in {"id", "reason", "review"}:
            yield _Odd("E005", f"@{name}", f"@{name} is no annotation of the profile", "delete it")
        elif name == "review" and not _is_date(value):
            yield _Odd("E005", "@review", f"{value!r} is not a date", 'write @review("2027-06-30")')


def _head(tree: pst.Template) -> Iterator[_Odd]:
    match tree.principal:
        case pst.ScopeAny():
            pass
        case pst.ScopeEq(pst.Slot()) | pst.ScopeIn(pst.Slot()) | pst.ScopeIsIn(_, pst.Slot()):
            yield _Odd("E009", "?principal", "this is a template, which gives nothing", "name the partner")
        case pst.ScopeEq(pst.EntityUid(pst.EntityType("Partner"))):
            pass
        case pst.ScopeIn(pst.EntityUid(pst.EntityType("Coalition"))):
            pass
        case _:
            yield _Odd(
                "E006",
                "principal",
                "the head does not say plainly who receives",
                'write principal, principal == Partner::"GBR" or principal in Coalition::"FVEY"',
            )
    if isinstance(tree.action, pst.ScopeAny):
        yield _Odd(
            "E007",
            "action",
            "the head does not name the action, so that it would cover later ones too",
            'write action == Action::"release" (or "releaseTearline"), or action in Action::"share"',
        )
    match tree.resource:
        case pst.ScopeAny():
            pass
        case pst.ScopeEq(pst.Slot()) | pst.ScopeIn(pst.Slot()) | pst.ScopeIsIn(_, pst.Slot()):
            yield _Odd("E009", "?resource", "this is a template, which gives nothing", "delete the slot")
        case _:
            yield _Odd("E008", "resource", "the head constrains the resource", "ask for it in when { ... }")


# --- Conditions ----------------------------------------------------------------------------------


def _conditions(tree: pst.Template) -> Iterator[_Odd]:
    for condition in tree.clauses:
        yield from _condition(condition.expr)


def _condition(expr: pst.Expr) -> Iterator[_Odd]:
    """A condition: tests joined by `&&`, `||`, `!`."""
    match expr:
        case pst.BinaryOp(op, left, right) if op in _LOGIC:
            yield from _condition(left)
            yield from _condition(right)
        case pst.UnaryOp("not", inner):
            yield from _condition(inner)
        case _:
            yield from list(_foreign(expr)) or list(_test(expr))


def _test(expr: pst.Expr) -> Iterator[_Odd]:
    """One test; `expr` has no operator from outside the profile."""
    match expr:
        case pst.BinaryOp(op, pst.GetAttr(pst.Var("resource")), pst.LongLit(rank)) if op in _ORDER | _EQUAL:
            if rank not in RANKS:
                yield _Odd("E012", str(rank), f"{rank} is no rank", "write a rank from 0 to 4")
        case pst.BinaryOp(op, pst.GetAttr(pst.Var("resource"), name), pst.EntityLit(uid)) if op in _EQUAL:
            yield from _same_kind(name, uid)
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
            yield from _same_kind("principal", uid)
        case pst.BinaryOp(
            op,
            pst.GetAttr(pst.Var("context"), "now"),
            pst.UnaryOp("datetime", pst.StringLit(moment)),
        ) if op in _ORDER:
            if not (_MOMENT.fullmatch(moment) and _is_moment(moment)):
                yield _Odd(
                    "E014",
                    f'"{moment}"',
                    f"{moment!r} is not a UTC date or second",
                    'write datetime("2027-06-30")',
                )
        case _:
            yield _Odd(
                "E011",
                _sign(expr),
                "this test does not compare one attribute with constants",
                "put resource.ATTRIBUTE, principal or context.now on the left and constants on the right",
            )


def _same_kind(name: str, uid: pst.EntityUid) -> Iterator[_Odd]:
    """The engine finds nothing wrong with comparing things of two kinds, which are never equal."""
    kind = _KINDS.get(name)
    if kind and uid.type.basename != kind:
        yield _Odd("E016", uid.type.basename, f"{name} is never a {uid.type}", f'write {kind}::"..."')


def _constants(elements: tuple[pst.Expr, ...]) -> Iterator[_Odd]:
    if not all(isinstance(element, pst.EntityLit) for element in elements):
        yield _Odd(
            "E011", "[", "the set holds something else than names", 'write [Topic::"air", Topic::"land"]'
        )


def _foreign(expr: pst.Expr) -> Iterator[_Odd]:
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
            sign = _sign(expr)
            yield _Odd("E010", sign, f"the profile has no {sign}", "use only the tests of the profile")


def _names(tree: pst.Template, names: frozenset[str]) -> Iterator[_Odd]:
    for uid in sorted(pst.entity_uids(tree), key=str):
        if uid.type.basename in _OPEN_TYPES and uid.id not in names:
            yield _Odd(
                "E013",
                f'"{uid.id}"',
                f"{uid} is not declared",
                "correct it, or add it to parties, coalitions or others in agreement.toml",
            )


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


def _sign(expr: pst.Expr) -> str:
    """How the operator of `expr` stands in the text."""
    match expr:
        case pst.UnaryOp(op, _) | pst.BinaryOp(op, _, _):
            return _SIGNS.get(op) or re.sub("_(.)", lambda letter: letter[1].upper(), op)
        case pst.GetAttr(_, name) | pst.Var(name):
            return name
        case pst.BoolLit(value):
            return str(value).lower()
        case _:
            return _WORDS.get(type(expr), type(expr).__name__.lower())


def _scrub(misfit: str) -> str:
    """The engine's sentence on one line, without the number it gave to the clause."""
    return re.sub(r"\s+", " ", re.sub(r"^for policy `[^`]*`[,:] ", "", misfit)).strip()


def _named(misfit: str) -> str:
    """What the engine's sentence is about, as it stands in the text."""
    named = re.search("`([^`]*)`", _scrub(misfit))
    return named[1] if named else ""


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
