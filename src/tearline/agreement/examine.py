"""Everything that is to be said of an agreement's two files before somebody proposes it.

Errors (codes E...) stop adoption: those of the clauses are `profile.lint`'s, those of the manifest are
found here, field by field, so that all come at once. Warnings (W...) are what an officer should look at.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import msgspec
from cedarpy import pst

from tearline.agreement import forms
from tearline.agreement.clauses import MANIFEST, Clause, Finding, place, split
from tearline.agreement.manifest import Agreement, _Manifest, _ranks, load
from tearline.agreement.profile import Odd, lint, located, nodes
from tearline.agreement.spans import Span
from tearline.terms import BadInput

_SEE = "see the shipped agreements"


Unreadable = Callable[[str, date], str]
"""Why a marking cannot be read; empty where it can. The labels' house is not this one: `gate.unreadable`."""


def examine(
    manifest: str, clauses: str, today: date, unreadable: Unreadable = lambda _marking, _day: ""
) -> list[Finding]:
    """All findings on the manifest, then all on the clauses, each in the order of the text."""
    try:
        read = tomllib.loads(manifest)
    except tomllib.TOMLDecodeError as error:
        unknown_names = [found for found in lint(clauses, frozenset()) if found.code != "E013"]
        return [_not_toml(manifest, error), *unknown_names]
    lists = (read.get(key) for key in ("parties", "coalitions", "others"))
    names = (name for each in lists if isinstance(each, list) for name in each if isinstance(name, str))
    of_manifest = [*_fields(manifest, read), *_markings(manifest, read, today, unreadable)]
    of_clauses = lint(clauses, frozenset(names))
    if not of_manifest:
        agreement = load(manifest, "", MANIFEST)
        parsed = split(clauses)[0]
        of_manifest += _on_manifest(agreement, parsed, today)
        for clause in parsed:
            if not any(_is_in(found, clauses, clause) for found in of_clauses):
                of_clauses += located(clauses, clause, _on_clause(agreement, clause.tree, today))
    return [*sorted(of_manifest, key=_place), *sorted(of_clauses, key=_place)]


def _place(found: Finding) -> tuple[int, int, str]:
    return found.line, found.column, found.code


def _is_in(found: Finding, text: str, clause: Clause) -> bool:
    first, last = (place(text, clause.start + offset)[0] for offset in (0, len(clause.text)))
    return first <= found.line <= last


# --- Errors of the manifest -----------------------------------------------------------------------


def _not_toml(manifest: str, error: tomllib.TOMLDecodeError) -> Finding:
    """The library says the place in its text."""
    said = str(error).partition(" (at ")
    place = re.search(r"line (\d+), column (\d+)", said[2])
    line, column = (int(place[1]), int(place[2])) if place else (manifest.count("\n") + 1, 1)
    message = f"this is not TOML ({said[0][:1].lower()}{said[0][1:]})"
    return Finding("E020", line, column, message, 'write key = "value"', file=MANIFEST)


def _fields(manifest: str, read: dict[str, Any]) -> Iterator[Finding]:
    known = {field.name: field for field in msgspec.structs.fields(_Manifest)}
    for name in read.keys() - known.keys():
        yield _at(manifest, (name,), "E022", f"manifests have no {name}", f"use {', '.join(known)}")
    for name, field in known.items():
        if name not in read:
            if field.required:
                yield _at(manifest, (), "E021", f"{name} is missing", _EXAMPLES[name])
            continue
        try:
            msgspec.convert(read[name], field.type)
        except msgspec.ValidationError as error:
            reason = str(error).partition(" - at ")[0]
            message = f"{name} is not what it should be ({reason[:1].lower()}{reason[1:]})"
            yield _at(manifest, (name,), "E023", message, _EXAMPLES[name])
    yield from _validity(manifest, read)
    tables = read.get("levels")
    for policy, rows in tables.items() if isinstance(tables, dict) else ():
        yield from _rows(manifest, policy, rows)
    tables = read.get("forms")
    for name, form in tables.items() if isinstance(tables, dict) else ():
        yield from _form(manifest, name, form)


def _form(manifest: str, name: str, form: object) -> Iterator[Finding]:
    if not isinstance(form, dict):
        return  # said already
    try:
        forms.read(MANIFEST, {name: form})
    except BadInput as error:
        yield _at(
            manifest, tuple(error.place.split(".")), "E026", f"{error.place}: {error.reason}", error.remedy
        )


def _markings(manifest: str, read: dict[str, Any], today: date, unreadable: Unreadable) -> Iterator[Finding]:
    tables = read.get("forms")
    for name, form in tables.items() if isinstance(tables, dict) else ():
        marking = form.get("marking") if isinstance(form, dict) else None
        if isinstance(marking, str) and (why := unreadable(marking, today)):
            path = ("forms", name, "marking")
            remedy = "write a marking as on a product, such as SECRET//REL TO USA, GBR or TLP:AMBER"
            yield _at(manifest, path, "E026", f"forms.{name}.marking: {why}", remedy)


def _validity(manifest: str, read: dict[str, Any]) -> Iterator[Finding]:
    start, end = read.get("valid_from"), read.get("valid_until")
    if type(start) is type(end) is date and start >= end:
        message = f"the agreement ends on {end}, which is not after {start}"
        yield _at(
            manifest, ("valid_until",), "E024", message, "write the first day on which it no longer holds"
        )


def _rows(manifest: str, policy: str, rows: object) -> Iterator[Finding]:
    if not isinstance(rows, dict) or not all(isinstance(row, str) for row in rows.values()):
        return  # said already
    try:
        _ranks(MANIFEST, policy, rows)
    except BadInput as error:
        path = tuple(error.place.split("."))
        yield _at(manifest, path, "E025", f"{error.place} {error.reason}", error.remedy)


_EXAMPLES = {
    "id": 'write id = "two-sides", in kebab-case',
    "title": 'write title = "Agreement on ..."',
    "parties": 'write parties = ["GBR", "USA"], two or more codes in capitals',
    "valid_from": "write valid_from = 2026-01-01, without quotes",
    "valid_until": "write valid_until = 2028-01-01, without quotes",
    "levels": 'write [levels.GBR] and under it rows such as SECRET = "SECRET"',
    "coalitions": 'write coalitions = ["FVEY"], codes in capitals',
    "others": 'write others = ["UKR"], codes in capitals',
    "four_eyes": "write four_eyes = true or four_eyes = false",
    "forms": 'write [forms.coarse] and under it kind = "imagery" and what it asks for',
}


# --- Warnings on the manifest ---------------------------------------------------------------------


def _on_manifest(agreement: Agreement, clauses: list[Clause], today: date) -> Iterator[Finding]:
    used = {uid.id for clause in clauses for uid in pst.entity_uids(clause.tree)}
    for name in sorted(agreement.names - agreement.parties - used):
        message = f"{name} is declared, and no clause uses it"
        yield _at(agreement.manifest, ("", name), "W004", message, "delete it, or write the clause it is for")
    if agreement.valid_until <= today:
        message = f"the agreement ended on {agreement.valid_until}: nothing goes under it"
        yield _at(agreement.manifest, ("valid_until",), "W006", message, "write a later day, or withdraw it")
    for party in sorted(agreement.parties - agreement.levels.keys()):
        message = f"{party} has no table of levels: nothing that it has classified goes under this agreement"
        yield _at(agreement.manifest, ("", party), "W007", message, f"add [levels.{party}] with its rows")


# --- Warnings on a clause -------------------------------------------------------------------------


def _on_clause(agreement: Agreement, tree: pst.Template, today: date) -> Iterator[Odd]:
    """`tree` keeps to the profile."""
    review = tree.annotations.get("review")
    if review is None:
        message = "nobody is asked to look at this clause again"
        yield Odd("W002", "@review", message, 'write @review("2027-06-30") with the day by which to do so')
    elif date.fromisoformat(review) <= today:
        message = f"this clause was to be looked at again by {review}"
        yield Odd("W001", "@review", message, "look at it, and give the next day")
    if tree.effect == "permit":
        yield from _strangers(agreement, tree)
        if not any(isinstance(node, pst.GetAttr) and node.attr == "level" for node in nodes(tree.clauses)):
            message = "this gives products of every level that the table has a row for"
            yield Odd("W005", "permit", message, "add resource.level <= 3, or another rank, to when { ... }")
    elif isinstance(tree.principal, pst.ScopeAny) and not tree.clauses:
        message = "this stops everything, to everybody"
        yield Odd("W009", "forbid", message, "say what, or to whom; to stop a partner, suspend it")
    for node in nodes(tree.clauses):
        match node:
            case pst.BinaryOp("less" | "less_eq", _, pst.UnaryOp("datetime", pst.StringLit(moment))):
                if date.fromisoformat(moment[:10]) < today:
                    message = "this time is over: the test comes out the same from now on"
                    yield Odd("W008", node, message, "delete the clause, or give a later time")


def _strangers(agreement: Agreement, tree: pst.Template) -> Iterator[Odd]:
    """Permits count only between parties; a red line may name anybody."""
    heads = [(uid, str(uid)) for uid in pst.entity_uids(tree.principal)]
    literals = (node for node in nodes(tree.clauses) if isinstance(node, pst.EntityLit))
    for uid, at in [*heads, *((node.value, node) for node in literals)]:
        if uid.type.basename == "Partner" and uid.id not in agreement.parties:
            message = f"{uid.id} is not a party: an agreement gives nothing to others"
            yield Odd("W003", at, message, "add it to parties, or delete it here")


# --- Places in the manifest -----------------------------------------------------------------------


def _at(manifest: str, path: tuple[str, ...], code: str, message: str, instead: str) -> Finding:
    start, end = _span(manifest, path)
    return Finding.at(manifest, start, end, code=code, message=message, instead=instead, file=MANIFEST)


def _span(manifest: str, path: tuple[str, ...]) -> Span:
    """Where the value at `path` is written; the library does not tell. The path ("", NAME) is the first
    string NAME. The beginning of the file where it is not found: dotted keys and inline tables."""
    match path:
        case ("", name):
            found = re.search(rf"[\"']{re.escape(name)}[\"']", manifest)
        case (key,):
            found = re.search(
                rf"^[ \t]*({re.escape(key)}[ \t]*=.*|\[{re.escape(key)}\b.*)", manifest, re.MULTILINE
            )
        case (("levels" | "forms") as table, name, *rest):
            title = rf"^\[{table}\.[\"']?{re.escape(name)}[\"']?\].*"
            head = re.search(title + r"(?:\n(?!\[).*)*", manifest, re.MULTILINE)
            found = head
            if head is not None and rest:
                row = re.compile(rf"^[ \t]*{re.escape(rest[0])}[ \t]*=.*", re.MULTILINE)
                found = row.search(manifest, head.start(), head.end()) or head
        case _:
            found = None
    return (found.start(), found.end()) if found else (0, 0)
