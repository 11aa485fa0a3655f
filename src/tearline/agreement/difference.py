"""What a revision changes, in words: clause by clause, by id, and in the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

import msgspec
from cedarpy import pst

from tearline.agreement.clauses import Clause, tokens
from tearline.agreement.forms import in_words
from tearline.agreement.manifest import Agreement
from tearline.agreement.wording import (
    Condition,
    Joined,
    Test,
    exceptions,
    how,
    phrase,
    requirements,
    sentence,
    whom,
    word,
)
from tearline.terms import Level, MediaForm


class Kind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    """It says something else."""
    RENAMED = "renamed"
    """It says the same under another id."""
    REWORDED = "reworded"
    """It says the same: reason, review date, comments or the way of writing differ."""


class Change(msgspec.Struct, frozen=True):
    """One clause. `was` is its earlier id where it was renamed. `parts` say what changed."""

    clause: str
    kind: Kind
    sentence: str
    """What the clause does now; for a removed one, what it did."""
    parts: tuple[str, ...] = ()
    was: str = ""


class Difference(msgspec.Struct, frozen=True):
    """`manifest`: one sentence each. `clauses`: in the order of the new text, removed ones last."""

    old: str
    new: str
    """Versions."""
    manifest: tuple[str, ...]
    clauses: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.manifest or self.clauses)


def difference(old: Agreement, new: Agreement) -> Difference:
    """What `new` changes. Raises `Refused` where one of the two is not sound."""
    old.must_be_sound()
    new.must_be_sound()
    before = {clause.id: clause for clause in old.parsed}
    after = {clause.id: clause for clause in new.parsed}
    comments = _comments(old), _comments(new)
    gone = {name: clause for name, clause in before.items() if name not in after}
    changes: list[Change] = []
    for name, clause in after.items():
        was = before.get(name) or _same(clause, gone)
        if was is None:
            changes.append(Change(name, Kind.ADDED, sentence(clause.tree)))
            continue
        gone.pop(was.id, None)
        notes = [*_notes(was.tree, clause.tree), *_remarks(comments[0][was.id], comments[1][name])]
        meaning = list(_meaning(was.tree, clause.tree))
        if was.id != name:
            changes.append(Change(name, Kind.RENAMED, sentence(clause.tree), (*meaning, *notes), was.id))
        elif meaning:
            changes.append(Change(name, Kind.CHANGED, sentence(clause.tree), (*meaning, *notes)))
        elif notes or _core(was) != _core(clause):
            notes = notes or ["written another way, it says the same"]
            changes.append(Change(name, Kind.REWORDED, sentence(clause.tree), tuple(notes)))
    changes += [Change(name, Kind.REMOVED, sentence(clause.tree)) for name, clause in gone.items()]
    return Difference(old.version, new.version, tuple(_manifest(old, new)), tuple(changes))


def is_same(old: pst.Template, new: pst.Template) -> bool:
    """Whether two clauses say the same, whatever their ids, reasons and the order of their tests."""
    return not any(_meaning(old, new))


# --- Clauses --------------------------------------------------------------------------------------


def _core(clause: Clause) -> tuple[object, ...]:
    tree = clause.tree
    return tree.effect, tree.principal, tree.action, tree.clauses


def _same(clause: Clause, gone: dict[str, Clause]) -> Clause | None:
    """The clause of those that are gone that says what this one says."""
    return next((each for each in gone.values() if is_same(each.tree, clause.tree)), None)


def _meaning(old: pst.Template, new: pst.Template) -> Iterator[str]:
    """What of the meaning differs; nothing where the two say the same."""
    if old.effect != new.effect:
        yield {"permit": "permits instead of forbidding", "forbid": "forbids instead of permitting"}[
            new.effect
        ]
    if how(old) != how(new):
        yield f"{how(new)} instead of {how(old)}"
    if old.principal != new.principal:
        yield f"to {whom(new)} instead of {whom(old)}"
    yield from _conditions(requirements(old), requirements(new), "", "no longer required", "required too")
    old_exceptions, new_exceptions = (_alternatives(exceptions(tree)) for tree in (old, new))
    yield from _conditions(
        old_exceptions, new_exceptions, "exception ", "no longer an exception", "a new exception"
    )


def _alternatives(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """Each `unless`, and each part of one that is joined by "or", bars by itself."""
    return tuple(
        dict.fromkeys(
            part
            for each in conditions
            for part in (each.order if isinstance(each, Joined) and each.word == "or" else (each,))
        )
    )


def _conditions(
    old: Sequence[Condition], new: Sequence[Condition], lead: str, gone: str, come: str
) -> Iterator[str]:
    """What differs between two lists of which the order does not matter."""
    lost = [each for each in old if each not in new]
    found = [each for each in new if each not in old]
    for was in list(lost):
        now = next((each for each in found if _comparable(was, each)), None)
        if isinstance(was, Test) and isinstance(now, Test):
            yield lead + _shift(was, now)
            lost.remove(was)
            found.remove(now)
    yield from (f"{gone}: {phrase(each)}" for each in lost)
    yield from (f"{come}: {phrase(each)}" for each in found)


def _comparable(old: Condition, new: Condition) -> bool:
    """Whether both are tests of one kind, so that the names tell what changed."""
    if not (isinstance(old, Test) and isinstance(new, Test) and old.about == new.about):
        return False
    return old.how == new.how or not {old.how, new.how} & {"any", "all", "none", "not all"}


def _shift(old: Test, new: Test) -> str:
    """One test that became another of its kind."""
    if old.how != new.how or old.how not in {"any", "none"}:
        return f"{phrase(new)} instead of {phrase(old)}"
    more = [word(new.about, name) for name in new.names if name not in old.names]
    less = [word(old.about, name) for name in old.names if name not in new.names]
    label = f"{old.about}" if old.how == "any" else f"not of {old.about}"
    parts = [f"now also {label} {', '.join(more)}"] if more else []
    parts += [f"no longer {label} {', '.join(less)}"] if less else []
    return ", ".join(parts)


def _notes(old: pst.Template, new: pst.Template) -> Iterator[str]:
    for name, words in (("reason", "reason"), ("review", "review date")):
        was, now = old.annotations.get(name), new.annotations.get(name)
        if was == now:
            continue
        before = f", was “{was}”" if was is not None else ""
        yield f"{words} is now “{now}”{before}" if now is not None else f"{words} taken away{before}"


# --- Comments -------------------------------------------------------------------------------------


def _comments(agreement: Agreement) -> dict[str, list[str]]:
    """The comments before and in each clause, and on the line where it ends."""
    ends = [(clause.start + len(clause.text), clause.id) for clause in agreement.parsed]
    comments: dict[str, list[str]] = {name: [] for _, name in ends}
    for token in tokens(agreement.clauses):
        if token.kind == "comment":
            owner = next((name for end, name in ends if _belongs(agreement.clauses, token.start, end)), None)
            if owner is not None:
                comments[owner].append(token.text.rstrip())
    return comments


def _belongs(text: str, start: int, end: int) -> bool:
    return start < end or not set(text[end:start]) & {"\n", "\r"}


def _remarks(old: list[str], new: list[str]) -> Iterator[str]:
    if old != new:
        yield "comments changed"


# --- Manifest -------------------------------------------------------------------------------------


def _manifest(old: Agreement, new: Agreement) -> Iterator[str]:
    if old.id != new.id:
        yield f"the id is now {new.id}, was {old.id}: this is another agreement"
    if old.title != new.title:
        yield f"the title is now {new.title!r}, was {old.title!r}"
    yield from _members("party", old.parties, new.parties)
    others = old.names - old.parties, new.names - new.parties
    yield from _members("name that clauses may use", others[0] - new.parties, others[1] - old.parties)
    if old.valid_from != new.valid_from:
        yield f"valid from {new.valid_from}, was {old.valid_from}"
    if old.valid_until != new.valid_until:
        days = (new.valid_until - old.valid_until).days
        longer = f"{abs(days)} {'day' if abs(days) == 1 else 'days'} {'longer' if days > 0 else 'shorter'}"
        yield f"valid until {new.valid_until}, {longer} (was {old.valid_until})"
    if old.four_eyes != new.four_eyes:
        who = "the quorum lets" if new.four_eyes else "one officer is enough to let"
        yield f"{who} a referred tearline go"
    for policy in sorted(old.levels.keys() | new.levels.keys()):
        yield from _levels(policy, old.levels.get(policy, {}), new.levels.get(policy, {}))
    yield from _forms(old.forms, new.forms)


def _forms(old: Sequence[MediaForm], new: Sequence[MediaForm]) -> Iterator[str]:
    before, after = ({form.name: form for form in some} for some in (old, new))
    for name, form in after.items():
        if name not in before:
            yield f"form added: {name}, {in_words(form)}"
        elif before[name] != form:
            yield f"form {name} is now {in_words(form)}; was {in_words(before[name])}"
    yield from (
        f"form removed: {name}, {in_words(form)}" for name, form in before.items() if name not in after
    )
    both = [[name for name in some if name in before and name in after] for some in (before, after)]
    if both[0] != both[1]:
        yield f"forms are tried in another order: {', '.join(after)}"


def _members(kind: str, old: frozenset[str], new: frozenset[str]) -> Iterator[str]:
    yield from (f"{kind} added: {name}" for name in sorted(new - old))
    yield from (f"{kind} removed: {name}" for name in sorted(old - new))


def _levels(policy: str, old: dict[Level, Level], new: dict[Level, Level]) -> Iterator[str]:
    if not old or not new:
        rows = ", ".join(f"{_said(rank)} as {_said(common)}" for rank, common in sorted((old or new).items()))
        yield (
            f"{policy} gets a table of levels: {rows}"
            if new
            else f"{policy} loses its table of levels: {rows}"
        )
        return
    for rank in sorted(old.keys() | new.keys()):
        name = f"{policy} {_said(rank)}"
        if rank not in old:
            yield f"{name} is now shared, as {_said(new[rank])}"
        elif rank not in new:
            yield f"{name} is no longer shared: its row is gone"
        elif old[rank] != new[rank]:
            yield f"{name} counts as {_said(new[rank])} instead of {_said(old[rank])}"


def _said(rank: Level) -> str:
    return rank.name.replace("_", " ")
