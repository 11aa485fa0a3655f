"""A text with checks as one types, and its proposal."""

from __future__ import annotations

from datetime import date

import msgspec

from tearline import gate
from tearline.agreement import examine, formatted, load
from tearline.agreement.kinds import GivenKind
from tearline.agreement.lifecycle import IN_FORCE, State
from tearline.agreement.templates import TEMPLATES, made_of
from tearline.doors.desk.areas.agreements.area import (
    SEES,
    ClauseWords,
    FormWords,
    TextChanges,
    area,
    changes_of,
    clauses_of,
    forms_of,
    gets_of,
)
from tearline.doors.desk.endpoint import N_, At
from tearline.doors.desk.person import OFFICERS
from tearline.node import Node, agreement_record, agreements
from tearline.terms import BadInput

MAX_TEXT = 1 << 20
"""Characters of one file that are checked."""


class DraftStart(msgspec.Struct, frozen=True, kw_only=True):
    """What to begin a text with: a `template` between `parties` (codes with commas, this node's own first
    where it gives), the text of a `version`, or nothing."""

    template: str = ""
    parties: str = ""
    start: date | None = None
    end: date | None = None
    version: str = ""


class DraftText(msgspec.Struct, frozen=True, kw_only=True):
    """The two files of an agreement, as they stand in the editor."""

    manifest: str = ""
    clauses: str = ""


class DraftFinding(msgspec.Struct, frozen=True, kw_only=True):
    """Something to say of the text. `line`, `column` and `length` are in characters, from 1. An error stops
    the proposal, a warning does not."""

    file: str
    line: int
    column: int
    length: int
    code: str
    error: bool
    message: str
    instead: str


class DraftTemplate(msgspec.Struct, frozen=True):
    """An agreement to begin with, and what it is for."""

    name: str
    purpose: str


class DraftChecks(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said of a text. All but `findings` is there only where none of them is an error."""

    findings: tuple[DraftFinding, ...]
    sound: bool
    id: str = ""
    version: str = ""
    state: State | None = None
    """Of this version at the node, where it is known there already."""
    formatted: str = ""
    """The clauses in the one layout, where that differs."""
    clauses: tuple[ClauseWords, ...] = ()
    forms: tuple[FormWords, ...] = ()
    gets: tuple[GivenKind, ...] = ()
    changes: TextChanges | None = None
    """Against the version in force, or else the newest that is known."""
    against_in_force: bool = False


class AgreementDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A text, and what is to be said of it; without `checks` nothing was written yet."""

    manifest: str
    clauses: str
    checks: DraftChecks | None
    templates: tuple[DraftTemplate, ...]


class AgreementProposal(msgspec.Struct, frozen=True, kw_only=True):
    """A text to be proposed, and why, in one sentence."""

    manifest: str
    clauses: str
    why: str


class AgreementProposed(msgspec.Struct, frozen=True):
    id: str
    version: str


@area.shows("/agreements/draft", "agreements/draft.html", roles=SEES)
def draft(at: At, asked: DraftStart) -> AgreementDraft:
    """Begin a text: from a template, from a version that the node keeps, or empty."""
    if asked.version:
        version = agreement_record.find(at.node, asked.version)
        with at.node.reading() as db:
            begun = agreement_record.agreement_of(db, version)
    elif asked.template:
        today = at.node.clock().date()
        parties = [code.strip().upper() for code in asked.parties.split(",") if code.strip()]
        begun = made_of(
            asked.template, parties, start=asked.start or today, end=asked.end, today=today
        )  # fmt: skip
    else:
        return _shown(at.node, DraftText())
    return _shown(at.node, DraftText(manifest=begun.manifest, clauses=begun.clauses))


@area.does("/agreements/check", roles=SEES, template="agreements/draft.html")
def check(at: At, asked: DraftText) -> AgreementDraft:
    """Say everything that is to be said of a text. It is not kept."""
    return _shown(at.node, asked)


@area.does(
    "/agreements/propose",
    roles=OFFICERS,
    then="/agreements/versions/{version}",
    says=N_("{id} is proposed. Nothing has changed yet."),
)
def propose(at: At, asked: AgreementProposal) -> AgreementProposed:
    """Propose a text: it is kept for all to see, and decides nothing."""
    agreement = load(asked.manifest, asked.clauses, "the text")
    made = agreements.propose(at.node, agreement, officer=at.person.name, why=asked.why)
    return AgreementProposed(made.id, made.version)


def _shown(node: Node, text: DraftText) -> AgreementDraft:
    for file in (text.manifest, text.clauses):
        if len(file) > MAX_TEXT:
            raise BadInput("the text", "", f"it has more than {MAX_TEXT:,} characters", "make it shorter")
    return AgreementDraft(
        manifest=text.manifest,
        clauses=text.clauses,
        checks=_checks(node, text) if text.manifest.strip() or text.clauses.strip() else None,
        templates=tuple(DraftTemplate(name, purpose) for name, purpose in TEMPLATES.items()),
    )


def _checks(node: Node, text: DraftText) -> DraftChecks:
    found = examine(text.manifest, text.clauses, node.clock().date(), gate.unreadable)
    findings = tuple(
        DraftFinding(
            file=each.file,
            line=each.line,
            column=each.column,
            length=each.length,
            code=each.code,
            error=each.is_error,
            message=each.message,
            instead=each.instead,
        )
        for each in found
    )
    if any(each.error for each in findings):
        return DraftChecks(findings=findings, sound=False)
    agreement = load(text.manifest, text.clauses, "the text")
    layout = formatted(text.clauses, "the text")
    known = [each for each in agreement_record.versions(node) if each.agreement.id == agreement.id]
    in_force = next((each for each in known if each.state in IN_FORCE), None)
    other = in_force or next((each for each in reversed(known)), None)
    return DraftChecks(
        findings=findings,
        sound=True,
        id=agreement.id,
        version=agreement.version,
        state=next((each.state for each in known if each.agreement.version == agreement.version), None),
        formatted="" if layout == text.clauses else layout,
        clauses=clauses_of(agreement),
        forms=forms_of(agreement),
        gets=gets_of(node, agreement),
        changes=changes_of(other.agreement, agreement) if other else None,
        against_in_force=in_force is not None,
    )
