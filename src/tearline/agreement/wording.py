"""Clauses in plain English: total over the profile, so that whatever can be adopted can be read aloud.

A condition is first brought to tests joined by "and" and "or": `!` is carried inwards (De Morgan), so
that each test says by itself whether it must or must not hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from cedarpy import pst

from tearline.agreement.media import Detail, said
from tearline.agreement.spans import sign
from tearline.terms import Category, Discipline, Level, Reach, Use

_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_OPPOSITE |= {"any": "none", "all": "not all", "empty": "not empty", "in": "not in"}
_NOUNS = {
    Category.CYBER: "cyber products",
    Category.REPORT: "reports",
    Category.IMAGERY: "imagery",
    Category.INTERCEPT: "intercepts",
}
_SOURCES = {
    Discipline.HUMINT: "human sources",
    Discipline.SIGINT: "signals",
    Discipline.GEOINT: "imagery",
    Discipline.OSINT: "open sources",
    Discipline.CYBER: "cyber collection",
    Discipline.UNKNOWN: "sources unknown",
}
_LEVEL = {"<": "below {}", "<=": "up to {}", ">": "above {}", ">=": "from {} up"}
_LEVEL |= {"==": "at {}", "!=": "not at {}"}
_MARK = {"<": "wider than {}", "<=": "{} or wider", ">": "narrower than {}", ">=": "{} or narrower"}
_MARK |= {"==": "{}", "!=": "not {}"}
_DAY = {"<": "before {}", "<=": "until the start of {}", ">": "after the start of {}", ">=": "from {} on"}
_SECOND = {"<": "before {}", "<=": "until {}", ">": "after {}", ">=": "from {} on"}
_LEAD = {"topics": "on", "regions": "about", "disciplines": "from"}
_ONE = {"topics": "topic", "regions": "region", "disciplines": "discipline"}


class Test(msgspec.Struct, frozen=True):
    """One attribute and constants. `about`: an attribute, `principal` or `now`. `how`: a comparison, `any`,
    `all`, `none` or `not all` of the names, `empty`, `in`, or what is the opposite of those."""

    about: str
    how: str
    names: tuple[str, ...] = ()


class Joined(msgspec.Struct, frozen=True):
    """Two parts or more, of which all must hold (`and`) or one (`or`)."""

    word: str
    parts: frozenset[Test | Joined]
    order: tuple[Test | Joined, ...]
    """The same, as they stand in the text."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Joined) and (self.word, self.parts) == (other.word, other.parts)

    def __hash__(self) -> int:
        return hash((self.word, self.parts))


Condition = Test | Joined


def sentence(tree: pst.Template) -> str:
    """What a clause does, in one sentence. Total over the profile; `ValueError` outside it."""
    verb = "Releases" if tree.effect == "permit" else "Never releases"
    unless = "".join(f", unless {phrase(exception)}" for exception in exceptions(tree))
    return f"{verb} {how(tree)}, to {whom(tree)}: {what(requirements(tree))}{unless}."


def how(tree: pst.Template) -> str:
    """Whole, as a tearline, or either."""
    forms = {"release": "whole", "releaseTearline": "as a tearline"}
    named = actions(tree)
    return " or ".join(form for action, form in forms.items() if action in named)


def actions(tree: pst.Template) -> frozenset[str]:
    """The actions that the head covers: `release`, `releaseTearline` or both."""
    match tree.action:
        case pst.ActionEq(uid):
            named = {uid.id}
        case pst.ActionIn(uids):
            named = {uid.id for uid in uids}
        case _:
            raise ValueError("the head names no action")
    return frozenset({"release", "releaseTearline"} if "share" in named else named)


def whom(tree: pst.Template) -> str:
    """Who receives, after the head."""
    match tree.principal:
        case pst.ScopeAny():
            return "each party" if tree.effect == "permit" else "anybody"
        case pst.ScopeEq(pst.EntityUid(_, party)):
            return party
        case pst.ScopeIn(pst.EntityUid(_, coalition)):
            return f"members of {coalition}"
        case _:
            raise ValueError("the head does not say plainly who receives")


def requirements(tree: pst.Template) -> tuple[Condition, ...]:
    """What must hold, after all `when`s: each by itself."""
    whens = (_read(part.expr, True) for part in tree.clauses if isinstance(part, pst.When))
    return _flat("and", whens)


def exceptions(tree: pst.Template) -> tuple[Condition, ...]:
    """One for each `unless`, which none of them may be true."""
    return tuple(_read(part.expr, True) for part in tree.clauses if isinstance(part, pst.Unless))


def what(required: Sequence[Condition]) -> str:
    """Products of which all this is true: `reports up to SECRET, on air or land`."""
    kinds = [
        each for each in required if isinstance(each, Test) and each.about == "category" and each.how == "any"
    ]
    levels = [each for each in required if isinstance(each, Test) and each.about == "level"]
    rest = [each for each in required if each not in kinds[:1] + levels]
    noun = _or(_NOUNS[Category(name)] for name in kinds[0].names) if kinds else "products"
    words = [phrase(level) for level in levels]
    words += [f"either {phrase(each)}" if isinstance(each, Joined) else phrase(each) for each in rest]
    if not required:
        return "everything"
    return " ".join([noun, ", ".join(words)]).strip()


def phrase(condition: Condition, within: str = "") -> str:
    """A condition as it is said of products; in brackets where it stands `within` the other joining word."""
    if isinstance(condition, Test):
        return _test(condition)
    words = f" {condition.word} ".join(phrase(part, condition.word) for part in condition.order)
    return f"({words})" if within not in {"", condition.word} else words


# --- From the tree --------------------------------------------------------------------------------


def _read(expr: pst.Expr, holds: bool) -> Condition:
    match expr:
        case pst.UnaryOp("not", inner):
            return _read(inner, not holds)
        case pst.BinaryOp("and" | "or" as op, left, right):
            word = op if holds else {"and": "or", "or": "and"}[op]
            parts = _flat(word, (_read(left, holds), _read(right, holds)))
            return parts[0] if len(parts) == 1 else Joined(word, frozenset(parts), parts)
        case _:
            test = _leaf(expr)
            return test if holds else msgspec.structs.replace(test, how=_opposite(test.how))


def _flat(word: str, parts: Iterable[Condition]) -> tuple[Condition, ...]:
    """The parts of parts that are joined by the same word, each once."""
    flat = (
        inner
        for part in parts
        for inner in (part.order if isinstance(part, Joined) and part.word == word else (part,))
    )
    return tuple(dict.fromkeys(flat))


def _leaf(expr: pst.Expr) -> Test:  # noqa: PLR0911 - one case for each test of the profile
    match expr:
        case pst.BinaryOp("in", pst.Var("principal"), pst.EntityLit(uid)):
            return Test("principal", "in", (uid.id,))
        case pst.BinaryOp("eq" | "not_eq" as op, pst.Var("principal"), pst.EntityLit(uid)):
            return Test("principal", sign(op), (uid.id,))
        case pst.BinaryOp(op, pst.GetAttr(pst.Var("context"), name), pst.UnaryOp(_, pst.StringLit(moment))):
            return Test(name, sign(op), (moment,))
        case pst.BinaryOp(op, pst.GetAttr(_, name), pst.LongLit(rank)):
            return Test(name, sign(op), (str(rank),))
        case pst.BinaryOp("eq" | "contains", pst.GetAttr(_, name), pst.EntityLit(uid)):
            return Test(name, "any", (uid.id,))
        case pst.BinaryOp("not_eq", pst.GetAttr(_, name), pst.EntityLit(uid)):
            return Test(name, "none", (uid.id,))
        case pst.BinaryOp("contains", pst.Set(names), pst.GetAttr(_, name)):
            return Test(name, "any", _ids(names))
        case pst.BinaryOp("contains_any", pst.GetAttr(_, name), pst.Set(names)):
            return Test(name, "any", _ids(names))
        case pst.BinaryOp("contains_all", pst.GetAttr(_, name), pst.Set(names)):
            found = _ids(names)
            return Test(name, "all" if len(found) > 1 else "any", found)
        case pst.UnaryOp("is_empty", pst.GetAttr(_, name)):
            return Test(name, "empty")
        case _:
            raise ValueError("this test is not of the profile")


def _ids(names: tuple[pst.Expr, ...]) -> tuple[str, ...]:
    return tuple(sorted({name.value.id for name in names if isinstance(name, pst.EntityLit)}))


def _opposite(word: str) -> str:
    return _OPPOSITE.get(word) or next(old for old, new in _OPPOSITE.items() if new == word)


# --- Into words -----------------------------------------------------------------------------------


def _test(test: Test) -> str:  # noqa: PLR0911 - one sentence for each kind of test
    match test.about:
        case "level":
            return _LEVEL[test.how].format(Level(int(test.names[0])).name.replace("_", " "))
        case "reach":
            return "marked " + _MARK[test.how].format(f"TLP:{_mark(Reach, test.names[0])}")
        case "use":
            return "marked " + _MARK[test.how].format(f"PAP:{_mark(Use, test.names[0])}")
        case "now":
            return _moment(test)
        case name if name in Detail._fields:
            return said(name, test.how, int(test.names[0]))
        case "principal":
            return _recipient(test)
        case "category":
            names = [_NOUNS[Category(name)].removesuffix(" products") for name in test.names]
            return "that are " + (_or(names) if test.how == "any" else f"not {_or(names)}")
        case "originator":
            return ("" if test.how == "any" else "not ") + f"made by {_or(test.names)}"
        case _:
            return _set(test)


def _set(test: Test) -> str:
    lead = _LEAD[test.about]
    names = [word(test.about, name) for name in test.names]
    match test.how:
        case "any":
            return f"{lead} {_or(names)}"
        case "none":
            return f"not {lead} {_or(names)}"
        case "all":
            return f"{lead} all of {_and(names)}"
        case "not all":
            return f"not {lead} all of {_and(names)}"
        case "empty":
            return f"without a {_ONE[test.about]}"
        case _:
            return f"with a {_ONE[test.about]}"


def word(about: str, name: str) -> str:
    """A name of a closed vocabulary as it is said."""
    match about:
        case "disciplines":
            return _SOURCES[Discipline(name)]
        case "topics":
            return name.replace("-", " ")
        case "regions":
            return "the whole world" if name == "global" else name.replace("-", " ").title()
        case _:
            return name


def _recipient(test: Test) -> str:
    name = test.names[0]
    forms = {"==": name, "!=": f"others than {name}"}
    forms |= {"in": f"members of {name}", "not in": f"others than members of {name}"}
    return f"to {forms[test.how]}"


def _moment(test: Test) -> str:
    moment = test.names[0]
    if "T" not in moment:
        return _DAY[test.how].format(moment)
    return _SECOND[test.how].format(f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M:%S} UTC")


def _mark(scale: type[Reach | Use], rank: str) -> str:
    """The colour of a rank. PAP has four colours, and a clause may compare with a fifth rank."""
    if int(rank) in set(scale):
        return scale(int(rank)).name.replace("AMBER_STRICT", "AMBER+STRICT")
    return rank


def _or(names: Iterable[str]) -> str:
    return _list("or", list(names))


def _and(names: Iterable[str]) -> str:
    return _list("and", list(names))


def _list(word: str, names: list[str]) -> str:
    return f" {word} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
