"""Reviews: what a version, a suspension or a scenario would imply. They decide nothing and store nothing."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any, Literal

import msgspec

from tearline.doors.desk.endpoint import N_, Area, At, Download, Upload
from tearline.doors.desk.person import Role
from tearline.handout import charts, figures
from tearline.node import agreement_record
from tearline.node.review import Inputs
from tearline.node.review import review as reviewed
from tearline.review import estimates, relations, requirements, scenario
from tearline.review.report import Kind, Review, Table, shown, tables
from tearline.review.scenario import Scenario
from tearline.terms import BadInput, Category, Party, Topic

area = Area("review", title=N_("Review"), path="/reviews", order=55, key="w")
ASKERS = frozenset({Role.ANALYST, Role.OFFICER})
ROWS = 100
"""Of a table on a page with others; alone it is shown whole."""


class About(StrEnum):
    """What is asked."""

    NOW = "now"
    VERSION = "version"
    SUSPEND = "suspend"
    SCENARIO = "scenario"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What to suppose, and what to read beside the node's own records: the files of `tearline review`."""

    about: About = About.NOW
    version: str = ""
    """Of an agreement: its id, or the first digits of the version."""
    partner: Party = ""
    scope: str = "all"
    scenario: Upload | None = None
    requirements: Upload | None = None
    estimates: Upload | None = None
    relations: Upload | None = None
    holdings: tuple[Upload, ...] = ()


class ReviewVersion(msgspec.Struct, frozen=True):
    version: str
    """The beginning of its SHA-256."""
    agreement: str


class Choices(msgspec.Struct, frozen=True):
    """What a question can be about here."""

    partners: tuple[Party, ...]
    versions: tuple[ReviewVersion, ...]
    """The digits of a version, and its agreement's id."""
    scopes: tuple[str, ...]


class ChoicesAsked(msgspec.Struct, frozen=True):
    adopt: str = ""
    """The version that is to be asked about, as the page of an agreement leads here."""


class FoundAsked(msgspec.Struct, frozen=True):
    job: str
    only: str = ""
    """One table, shown whole."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The tables of a review. Each says what its figures mean, and by which command they come again."""

    job: str
    title: str
    own: Party
    at: str
    inputs: tuple[str, ...]
    notes: tuple[str, ...]
    tables: tuple[Table, ...]
    more: dict[str, int]
    """How many rows of a table are left out here."""
    charts: dict[str, Any]
    """What can be drawn: bars, their parts, and the values of each."""

    def cells(self, table: Table) -> Iterator[list[tuple[str, bool]]]:
        """Rows as people read them: each cell with whether it is a number."""
        kinds = [column.kind for column in table.columns]
        for row in table.rows:
            yield [
                (shown(value, kind), kind is not Kind.TEXT) for value, kind in zip(row, kinds, strict=True)
            ]


class FileAsked(msgspec.Struct, frozen=True):
    job: str
    form: Literal["html", "json", "csv", "parquet"]


@area.shows("/reviews", "review/ask.html", roles=ASKERS)
def choices(at: At, asked: ChoicesAsked) -> Choices:
    """What a review can be asked about here."""
    return Choices(
        partners=tuple(sorted(at.node.partners)),
        versions=tuple(
            ReviewVersion(each.agreement.version[:12], each.agreement.id)
            for each in agreement_record.versions(at.node)
        ),
        scopes=(
            "all",
            *(f"category={each}" for each in Category),
            *(f"topic={each}" for each in sorted(Topic)),
        ),
    )


@area.does("/reviews", roles=ASKERS, then="/reviews/{job}", says=N_("A review is made"), slow=True)
def ask(at: At, asked: Question) -> Review:
    """Begin a review: what changes, who depends on whom, what is left unanswered, how it could get out."""
    today = at.node.clock().date()
    edges, adversaries = estimates.read(*_text(asked.estimates)) if asked.estimates else ((), ())
    with TemporaryDirectory(prefix="tearline-review-") as folder:
        inputs = Inputs(
            holdings=tuple(_kept(Path(folder), asked.holdings)),
            requirements=requirements.read(*_text(asked.requirements), today) if asked.requirements else (),
            edges=edges,
            adversaries=adversaries,
            relations=relations.read(*_text(asked.relations), at.node.party, today)
            if asked.relations
            else None,
        )
        return reviewed(
            at.node,
            _scenario(asked),
            inputs,
            arguments=_arguments(asked),
            progress=at.progress,
            doing=at.doing,
        )


@area.shows("/reviews/{job}", "review/found.html", roles=ASKERS)
def found(at: At, asked: FoundAsked) -> Found:
    """What a review found: the tables of `tearline review`."""
    made = _made(at, asked.job)
    every = tables(made)
    some = tuple(each for each in every if asked.only in {"", each.name})
    if not some:
        raise BadInput("only", asked.only, "there is no such table here")
    most = None if asked.only else ROWS
    return Found(
        job=asked.job,
        title=made.scenario.title,
        own=made.own,
        at=made.at.isoformat(),
        inputs=made.inputs,
        notes=made.notes,
        tables=tuple(msgspec.structs.replace(each, rows=each.rows[:most]) for each in some),
        more={each.name: len(each.rows) - ROWS for each in some if most and len(each.rows) > ROWS},
        charts={each.name: bars for each in some if (bars := charts.bars_of(each)) is not None},
    )


@area.shows("/reviews/{job}/file", roles=ASKERS)
def file(at: At, asked: FileAsked) -> Download:
    """A review to hand round as one page, or its tables for machines."""
    made = _made(at, asked.job)
    body = figures.written(asked.form, made, tables(made))
    return Download(f"review.{asked.form}", figures.FORMS[asked.form], body)


def _made(at: At, job: str) -> Review:
    made = at.kept(job)
    if not isinstance(made, Review):
        raise BadInput("the job", "", "it was no review")
    return made


def _scenario(asked: Question) -> Scenario:
    match asked.about:
        case About.VERSION:
            return scenario.adoption_of(asked.version)
        case About.SUSPEND:
            return scenario.suspension_of(asked.partner, asked.scope)
        case About.SCENARIO:
            if asked.scenario is None:
                raise BadInput("the scenario", "", "no file is given", "choose one")
            return scenario.read(*_text(asked.scenario))
    return Scenario(title="How things stand")


def _arguments(asked: Question) -> list[str]:
    """With which `tearline review` gives the same, where the files lie at hand."""
    given: list[str] = []
    if asked.about is About.VERSION:
        given = [asked.version]
    elif asked.about is About.SUSPEND:
        given = ["--suspend", asked.partner, *(["--scope", asked.scope] if asked.scope != "all" else [])]
    elif asked.scenario is not None and asked.about is About.SCENARIO:
        given = ["--scenario", asked.scenario.name]
    for name in ("holdings", "requirements", "estimates", "relations"):
        files = getattr(asked, name)
        for each in files if isinstance(files, tuple) else filter(None, (files,)):
            given += [f"--{name}", each.name]
    return given


def _text(upload: Upload) -> tuple[str, str]:
    try:
        return upload.body.decode("utf-8"), upload.name
    except UnicodeDecodeError:
        raise BadInput(upload.name, "", "it is not UTF-8", "save it as UTF-8 text") from None


def _kept(folder: Path, uploads: tuple[Upload, ...]) -> Iterator[Path]:
    """The files under their own names, as far as those are names."""
    for number, upload in enumerate(uploads):
        (folder / str(number)).mkdir()
        path = folder / str(number) / (PurePath(upload.name).name or "holdings.parquet")
        path.write_bytes(upload.body)
        yield path
