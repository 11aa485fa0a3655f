"""An agreement: a manifest (`agreement.toml`) and clauses (`clauses.cedar`), bound by one version.

The manifest::

    id = "five-eyes"
    title = "Five-party agreement on intelligence sharing"
    parties = ["AUS", "CAN", "GBR", "NZL", "USA"]
    coalitions = ["FVEY"]        # that the clauses name
    others = []                  # parties that the clauses name without being bound
    valid_from = 2026-01-01      # the first day, UTC
    valid_until = 2031-01-01     # the first day on which it no longer holds
    four_eyes = true             # what officers let go under it takes the quorum; else one is enough

    [levels.USA]                 # the policy's ranks on the common scale: one kept or raised,
    CONFIDENTIAL = "CONFIDENTIAL"  # never lowered; a rank without a row is not shared
    SECRET = "SECRET"

    [forms.coarse]               # how pictures and recordings may be sanitized: see `forms`
    kind = "imagery"
    gsd_m = 10
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import Annotated, Any

import msgspec
import rfc8785

from tearline.agreement import cedar, forms
from tearline.agreement.clauses import Clause, Finding, split
from tearline.agreement.profile import lint
from tearline.terms import BadInput, Level, MediaForm, Party, Policy, Refused

_Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
_Code = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9][A-Z0-9_-]+$")]


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: _Name
    title: Annotated[str, msgspec.Meta(min_length=1)]
    parties: Annotated[frozenset[_Code], msgspec.Meta(min_length=2)]
    valid_from: date
    valid_until: date
    levels: dict[_Code, dict[str, str]]
    coalitions: frozenset[_Code] = frozenset()
    others: frozenset[_Code] = frozenset()
    forms: dict[str, dict[str, Any]] = {}
    four_eyes: bool = False


class Agreement(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A version of a sharing agreement; its clauses are Cedar, but not yet known to be sound."""

    manifest: str
    """`agreement.toml`, as it came."""
    clauses: str
    """`clauses.cedar`, as it came."""
    id: str
    title: str
    parties: frozenset[Party]
    names: frozenset[str]
    """Parties and coalitions that the clauses may name."""
    valid_from: date
    valid_until: date
    levels: dict[Policy, dict[Level, Level]]
    forms: tuple[MediaForm, ...]
    """How pictures and recordings may be sanitized, the form to be given first first."""
    four_eyes: bool = False
    """Whether a referred tearline goes under it only with the approvals of the quorum."""
    version: str
    """SHA-256, hex, of the canonical JSON (RFC 8785) of both files: layout and comments do not count."""

    @cached_property
    def parsed(self) -> tuple[Clause, ...]:
        return tuple(split(self.clauses)[0])

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Where the clauses leave the strict profile (`docs/agreement-profile.md`); empty if they do not."""
        return tuple(lint(self.clauses, self.names))

    @cached_property
    def bounds(self) -> tuple[datetime, datetime]:
        """The instants from which on it holds, and from which on it no longer does."""
        return _midnight(self.valid_from), _midnight(self.valid_until)

    def common_rank(self, level: Sequence[tuple[Policy, Level]]) -> Level | None:
        """The highest of the ranks on the common scale; `None` where one of them has no row."""
        highest = Level.UNCLASSIFIED
        for policy, rank in level:
            if (common := self.levels.get(policy, {}).get(rank)) is None:
                return None
            highest = max(highest, common)
        return highest

    def must_be_sound(self) -> None:
        """Raise `Refused`, naming the first finding, where the clauses leave the profile."""
        if findings := check(self):
            first, more = findings[0], len(findings) - 1
            raise Refused(
                f"{self.id}: clauses.cedar, line {first.line}, column {first.column}: {first.code} {first}"
                + (f" (and {more} more)" if more else "")
            )


def load(manifest: str, clauses: str, where: str) -> Agreement:
    """Read an agreement. `where` names it in errors.

    Raises `BadInput` where the manifest is not one, or the clauses are not Cedar. Whether they keep to
    the profile is told by `check`; an agreement that does not is refused by `Agreements`.
    """
    read = _read(manifest, where)
    media_forms = forms.read(where, read.forms)
    parsed, findings = split(clauses)
    if findings:
        first = findings[0]
        raise BadInput(where, f"line {first.line}, column {first.column}", first.message, first.instead)
    return Agreement(
        manifest=manifest,
        clauses=clauses,
        id=read.id,
        title=read.title,
        parties=read.parties,
        names=read.parties | read.coalitions | read.others,
        valid_from=read.valid_from,
        valid_until=read.valid_until,
        levels={policy: _ranks(where, policy, rows) for policy, rows in read.levels.items()},
        forms=media_forms,
        four_eyes=read.four_eyes,
        version=_version(where, read, media_forms, parsed),
    )


def check(agreement: Agreement) -> list[Finding]:
    """Where the clauses leave the strict profile (`docs/agreement-profile.md`); empty when they do not."""
    return list(agreement.findings)


def between(agreement: Agreement, parties: tuple[Party, Party], others: tuple[Party, Party]) -> Agreement:
    """The same text agreed by another pair: in both files each of `parties`, and its lower case in the
    id, is replaced as a whole word by the one of `others` in its place."""
    new = dict(zip(parties, others, strict=True))
    new |= {old.lower(): other.lower() for old, other in new.items()}
    word = re.compile(r"\b(" + "|".join(map(re.escape, new)) + r")\b")
    manifest, clauses = (
        word.sub(lambda found: new[found[0]], text) for text in (agreement.manifest, agreement.clauses)
    )
    return load(manifest, clauses, f"{agreement.id} between {' and '.join(others)}")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _read(manifest: str, where: str) -> _Manifest:
    try:
        read = msgspec.convert(tomllib.loads(manifest), _Manifest)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(
            where, "agreement.toml", f"is not TOML ({error})", "see the shipped agreements"
        ) from None
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at ")
        raise BadInput(
            where, f"agreement.toml {place}".strip(), reason, "see the shipped agreements"
        ) from None
    if read.valid_from >= read.valid_until:
        raise BadInput(
            where, "valid_until", "is not after valid_from", "give the first day it no longer holds"
        )
    return read


def _ranks(where: str, policy: Policy, rows: dict[str, str]) -> dict[Level, Level]:
    """One policy's rows. Rounding is up: a row keeps a rank or raises it, and keeps their order."""
    ranks: dict[Level, Level] = {}
    for old, new in rows.items():
        place = f"levels.{policy}.{old}"
        if old not in Level.__members__ or new not in Level.__members__:
            raise BadInput(where, place, "names no rank", f"use one of {', '.join(Level.__members__)}")
        if Level[new] < Level[old]:
            raise BadInput(where, place, f"lowers {old} to {new}", "keep the rank or raise it")
        ranks[Level[old]] = Level[new]
    ordered = [new for _, new in sorted(ranks.items())]
    if ordered != sorted(ordered):
        raise BadInput(where, f"levels.{policy}", "puts a higher rank below a lower one", "keep their order")
    return ranks


def _version(where: str, read: _Manifest, media_forms: tuple[MediaForm, ...], clauses: list[Clause]) -> str:
    manifest = msgspec.to_builtins(read, order="deterministic")
    # Without these the version is what it was before there were forms and four eyes.
    del manifest["forms"]
    if not read.four_eyes:
        del manifest["four_eyes"]
    # Their order counts, and a default that is written does not.
    body: dict[str, Any] = {
        "manifest": manifest | ({"forms": [_fields(form) for form in media_forms]} if media_forms else {}),
        "clauses": [cedar.canonical(clause.text) for clause in clauses],
    }
    try:
        return hashlib.sha256(rfc8785.dumps(body)).hexdigest()
    except rfc8785.CanonicalizationError:
        raise BadInput(where, "clauses.cedar", "a number is too large", "write a rank from 0 to 4") from None


def _fields(form: MediaForm) -> dict[str, Any]:
    """Without a sanitizer of its own a form is what it was before there were any."""
    fields: dict[str, Any] = msgspec.to_builtins(form)
    return fields if form.sanitizer else {name: each for name, each in fields.items() if name != "sanitizer"}
