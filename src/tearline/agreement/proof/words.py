"""A case in the words of the domain."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time

from tearline.agreement.evaluate import Action, Facts, Ruling, Verdict
from tearline.agreement.media import NOT_MEDIA, said
from tearline.agreement.proof.answers import Example
from tearline.agreement.proof.universe import UNNAMED
from tearline.terms import Category

_GOES = {Action.RELEASE: "go whole", Action.RELEASE_TEARLINE: "go as a tearline"}
_NOUNS = {Category.REPORT: "report"}


def goes(action: Action) -> str:
    return _GOES[action]


def product(facts: Facts) -> str:
    """ "a SECRET imagery product on topic maritime, from originator USA"."""
    levels = [_level(policy, rank.name, facts.originator) for policy, rank in facts.level]
    noun = _NOUNS.get(facts.category, f"{facts.category} product")
    what = " ".join([" and ".join(levels), noun]).strip()
    marks = [f"TLP:{facts.reach.name.replace('_', '+')}"] if facts.reach else []
    marks += [f"PAP:{facts.use.name}"] if facts.use else []
    details = [
        said(name, "==", rank)
        for name, rank in facts.detail._asdict().items()
        if rank != getattr(NOT_MEDIA, name)
    ]
    parts = [
        _article(what) + _of("on topic", facts.topics),
        _of("of region", facts.regions),
        _of("of discipline", facts.disciplines),
        f" marked {' and '.join(marks)}" if marks else "",
        *(f" {detail}" for detail in details),
        f" from originator {facts.originator}"
        if facts.originator != UNNAMED
        else " from an originator that no agreement names",
    ]
    return ",".join(part for part in parts if part)


def partner(example: Example) -> str:
    """The partner, with what it would have to be a member of."""
    name = example.partner if example.partner != UNNAMED else "a partner that no agreement names"
    if not example.supposed:
        return name
    coalitions = _listed(example.coalitions) or "none of the coalitions named"
    return f"{name} if it is a member of {coalitions}"


def lasting(example: Example, since: datetime) -> str:
    """From when to when, where that is not all the time."""
    start = f" from {_moment(example.at)}" if example.at > since else ""
    if example.until is not None:
        return f"{start} until {_moment(example.until)}"
    return f"{start} on" if start else ""


def by(clauses: Iterable[str]) -> str:
    """ "by clause a/b"."""
    names = sorted(clauses)
    return f"by clause{'s' if len(names) > 1 else ''} {_listed(names)}"


def barred(ruling: Ruling) -> str:
    """Why it does not go."""
    match ruling.verdict:
        case Verdict.FORBID:
            return f"forbidden {by(ruling.clauses)}"
        case Verdict.NO_AGREEMENT:
            return "no agreement with the partner is in force"
        case Verdict.NO_LEVEL:
            return "the table has no row for its level"
        case _:
            return "no clause permits it"


def _level(policy: str, rank: str, originator: str) -> str:
    name = rank.replace("_", " ")
    if policy == UNNAMED:
        return f"{name} (on a scale that no agreement names)"
    return name if policy == originator else f"{policy} {name}"


def _article(what: str) -> str:
    return f"{'an' if what[0] in 'aeioAEIO' or what.startswith('UN') else 'a'} {what}"


def _of(word: str, names: Iterable[str]) -> str:
    found = sorted(names)
    return f" {word}{'s' if len(found) > 1 else ''} {_listed(found)}" if found else ""


def _listed(names: Iterable[str]) -> str:
    *most, last = [str(name) for name in sorted(names)] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def _moment(moment: datetime) -> str:
    moment = moment.astimezone(UTC)
    if moment.time() == time():
        return f"{moment:%Y-%m-%d}"
    spec = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=spec).replace("+00:00", "Z")
