"""Trace: whose copy was it? A leaked text, picture or recording is given, and the evidence is shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import msgspec

from tearline.doors.desk.endpoint import N_, Area, At, Download, Nothing, Upload
from tearline.doors.desk.person import OFFICERS
from tearline.handout.trace import page
from tearline.node import variants
from tearline.node.trace import trace
from tearline.terms import BadInput, Party
from tearline.trace.leak import Leak, read_leak
from tearline.trace.prior import read_prior
from tearline.trace.terms import told

if TYPE_CHECKING:
    from tearline.node.trace import Case

area = Area("trace", title=N_("Trace"), path="/trace", order=70, key="t")

MEDIA = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".jp2", ".ntf", ".nitf", ".sigmf", ".tar")
"""How the last parts of the names of pictures and recordings begin."""
_ODD = re.compile(r"[^\w.-]+")


class TraceAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What leaked: files, or a text as it was seen, or both; all of it by one recipient, it is thought."""

    files: tuple[Upload, ...] = ()
    text: Annotated[str, msgspec.Meta(max_length=2_000_000)] = ""
    prior: Annotated[str, msgspec.Meta(max_length=20_000)] = ""
    """What was thought before: a line `PARTY = WEIGHT` each. Without it, all are alike."""
    alpha: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 1e-6
    """How likely it may be that any innocent is accused."""


class TraceSuspect(msgspec.Struct, frozen=True, kw_only=True):
    """A recipient, and what the marks in texts say of it."""

    partner: Party
    held: str
    """Whether it was given what leaked: `all`, `some` or `none`."""
    receipted: bool
    agree: int | None = None
    slots: int | None = None
    chance: float | None = None
    """At most so likely an innocent's copy fits the leak as well."""
    chance_told: str = ""
    ratio: float | None = None
    """Likelihood ratio, logarithm to base 10."""
    prior: float | None = None
    odds: str = ""
    accused: bool = False


class TracePiece(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a leak that comes from a product."""

    leak: str
    product: str
    version: str
    title: str
    portions: tuple[tuple[int, float], ...]
    """Of each paragraph (from 1) that leaked, how much of it."""
    word_for_word: bool
    """Else only its facts are alike, as in a translation."""


class TraceFound(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. "Not enough evidence" is one."""

    case: str
    says: str
    named: tuple[Party, ...]
    suspects: tuple[TraceSuspect, ...]
    pieces: tuple[TracePiece, ...]
    alpha: float
    tests: int
    threshold: float
    places: int
    canaries_read: bool


class Traced(msgspec.Struct, frozen=True, kw_only=True):
    """What a trace leaves until its page is shown."""

    found: TraceFound
    page: str
    """All the evidence side by side, as one page to hand round."""


class TraceKept(msgspec.Struct, frozen=True):
    job: str


class Unvaried(msgspec.Struct, frozen=True):
    """What copies differ in no more, by an officer's word."""

    entries: tuple[str, ...]
    text_marks: bool
    media_marks: bool
    mode: str


class UnvariedChange(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the lexicon, or one place, and why."""

    what: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    why: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


@area.shows("/trace", "trace/ask.html", roles=OFFICERS)
def marking(at: At, asked: Nothing) -> Unvaried:
    """How copies are marked here, and what is varied no more."""
    marks = at.node.home.config.marks
    return Unvaried(
        entries=tuple(variants.switched_off(at.node)),
        text_marks=marks.text,
        media_marks=marks.media,
        mode=marks.mode,
    )


@area.does("/trace/off", roles=OFFICERS, then="/trace", says=N_("{what} is varied no more."))
def switch_off(at: At, asked: UnvariedChange) -> Nothing:
    """Vary an entry or a place no more, for all partners alike."""
    variants.switch_off(at.node, asked.what, officer=at.person.name, why=asked.why)
    return Nothing()


@area.does("/trace/on", roles=OFFICERS, then="/trace", says=N_("{what} is varied again."))
def switch_on(at: At, asked: UnvariedChange) -> Nothing:
    """Vary again what was switched off."""
    variants.switch_on(at.node, asked.what, officer=at.person.name, why=asked.why)
    return Nothing()


@area.does("/trace/ask", roles=OFFICERS, slow=True, then="/trace/found/{job}", says=N_("A leak is traced"))
def ask(at: At, asked: TraceAsked) -> Traced:
    """Ask whose copy leaked. Who asked is on the ledger before the answer is seen."""
    leaks: list[Leak] = []
    media: list[Path] = []
    with TemporaryDirectory(prefix="leak-") as folder:  # 0700, and gone with the answer
        for number, upload in enumerate(asked.files):
            name = _ODD.sub("_", Path(upload.name).name) or "leak"
            if Path(name).suffix.lower().startswith(MEDIA):
                path = Path(folder, str(number), name)
                path.parent.mkdir()
                path.write_bytes(upload.body)
                media.append(path)
            else:
                leaks.append(read_leak(upload.name, upload.body))
        if asked.text.strip():
            leaks.append(read_leak(_PASTED, asked.text.encode()))
        if not leaks and not media:
            raise BadInput("the leak", "", "nothing was given", "choose a file, or paste the text")
        before = read_prior(_PRIOR, asked.prior, sorted(at.node.partners)) if asked.prior.strip() else {}
        tell: Callable[[int, int], None] = at.progress
        case = trace(
            at.node,
            leaks,
            media,
            officer=at.person.name,
            prior=before,
            alpha=asked.alpha,
            draw=True,
            tell=tell,
        )
    names = [Path(upload.name).name for upload in asked.files] + ["-"] * bool(asked.text.strip())
    shown = page(
        case,
        party=at.node.party,
        officer=at.person.name,
        at=at.node.clock(),
        files=[Path(name) for name in names],
        prior=Path(_PRIOR) if before else None,
    )
    return Traced(found=_found(case), page=shown)


@area.shows("/trace/found/{job}", "trace/found.html", roles=OFFICERS)
def found(at: At, asked: TraceKept) -> TraceFound:
    """What a trace found."""
    kept: Traced = at.kept(asked.job)
    return kept.found


@area.shows("/trace/found/{job}/evidence", roles=OFFICERS)
def evidence(at: At, asked: TraceKept) -> Download:
    """All the evidence side by side, as one page to hand round."""
    kept: Traced = at.kept(asked.job)
    name = f"trace-{kept.found.case[:12]}.html"
    return Download(name, "text/html; charset=utf-8", kept.page.encode(), shown=True)


_PASTED, _PRIOR = "the pasted text", "prior.toml"


def _found(case: Case) -> TraceFound:
    held = {party: str(how) for how, parties in case.verdict.held.items() for party in parties}
    marks = {each.partner: each for each in case.verdict.suspects}
    receipted = {each.partner for each in case.copies if each.receipt}
    suspects = []
    for party in [*marks, *sorted(held.keys() - marks.keys())]:
        its = marks.get(party)
        known = {"partner": party, "held": held.get(party, "none"), "receipted": party in receipted}
        known["accused"] = party in case.named
        if its is not None:
            known |= {"agree": its.agree, "slots": its.slots, "chance": its.chance, "ratio": its.ratio}
            known |= {"chance_told": told(its.chance), "prior": its.prior, "odds": its.stands}
        suspects.append(msgspec.convert(known, TraceSuspect))
    return TraceFound(
        case=case.id,
        says=case.says,
        named=case.named,
        suspects=tuple(suspects),
        pieces=tuple(
            TracePiece(
                leak=case.leaks[each.leak].name,
                product=each.product,
                version=each.version,
                title=each.title,
                portions=tuple((number + 1, share) for number, share in each.portions),
                word_for_word=bool(each.matches),
            )
            for each in case.pieces
        ),
        alpha=case.verdict.alpha,
        tests=case.verdict.tests,
        threshold=case.verdict.threshold,
        places=len(case.places),
        canaries_read=case.canaries_read,
    )
