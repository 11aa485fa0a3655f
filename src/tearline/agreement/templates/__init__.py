"""Agreements to begin with: each a pair of files that is sound as it stands, between ALPHA and BRAVO."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from importlib import resources

from tearline.agreement.clauses import CLAUSES, MANIFEST
from tearline.agreement.fmt import formatted
from tearline.agreement.manifest import Agreement, load
from tearline.terms import BadInput, Party

FIRST, SECOND = "ALPHA", "BRAVO"
TEMPLATES = {
    "multilateral": "a club: all give all nearly everything up to SECRET",
    "bilateral": "two sides: warning, cyber and reports both ways, and what each alone gives",
    "one-way": "the first party supports the others; nothing comes back",
    "crisis": "a cell for one region and a short time, with an end date",
    "threat-to-life": "warnings of a threat to life, and nothing else",
}
"""Each template, with what it is for. Documented in `docs/templates.md`."""


def template(name: str) -> Agreement:
    """The template as it ships. Raises `BadInput` where there is none of this name."""
    if name not in TEMPLATES:
        raise BadInput("template", "", f"there is no template {name!r}", f"use {', '.join(TEMPLATES)}")
    folder = resources.files(__package__) / name
    manifest, clauses = ((folder / file).read_text("utf-8") for file in (MANIFEST, CLAUSES))
    return load(manifest, clauses, name)


def made_of(
    name: str,
    parties: Sequence[Party],
    *,
    start: date,
    end: date | None = None,
    coalitions: Sequence[str] = (),
    ident: str = "",
    today: date | None = None,
) -> Agreement:
    """An agreement between `parties` after the template `name`.

    The first party is ALPHA of the template, the second BRAVO where it has a part of its own. Without `end`
    it lasts as long as the template does. Days of review keep their distance from `start`, or from `today`
    where that is later, and do not lie behind the end. With `coalitions` the permits are for members of one
    of them alone. Raises `BadInput` where the parties or days do not fit.
    """
    model = template(name)
    _must_fit(name, parties, model)
    last = end or start + (model.valid_until - model.valid_from)
    if last <= start:
        raise BadInput("template", "--until", f"{last} is not after {start}", "give a later day")
    shift = max(start, today or start) - model.valid_from
    clauses = re.sub(
        r'@review\("([0-9-]+)"\)',
        lambda found: f'@review("{min(date.fromisoformat(found[1]) + shift, last)}")',
        model.clauses,
    )
    clauses = formatted(_narrowed(_between(clauses, parties), coalitions), name)
    manifest = _manifest(model, parties, ident or _ident(name, parties), start, last, coalitions)
    made = load(manifest, clauses, name)
    made.must_be_sound()
    return made


def _must_fit(name: str, parties: Sequence[Party], model: Agreement) -> None:
    if len(set(parties)) < max(2, len(parties)):
        raise BadInput(
            "template", "--parties", "they are not two codes or more, each once", "such as GBR,USA"
        )
    has_two_parts = f'"{SECOND}"' in model.clauses
    if has_two_parts and len(parties) > 2:
        raise BadInput("template", "--parties", f"{name} is between two", "use multilateral for more")


def _between(text: str, parties: Sequence[Party]) -> str:
    """ALPHA is the first party. BRAVO alone is the second; in remarks, all but the first."""
    *most, last = parties
    words = {
        f"{FIRST} and {SECOND}": f"{', '.join(most)} and {last}",
        FIRST: parties[0],
        SECOND: " and ".join(filter(None, [", ".join(most[1:]), last])),
    }
    return re.sub(rf"\b({'|'.join(words)})\b", lambda found: words[found[0]], text)


def _narrowed(clauses: str, coalitions: Sequence[str]) -> str:
    """Permits for anybody become permits for members of one of `coalitions`."""
    if not coalitions:
        return clauses
    if len(coalitions) == 1:
        return clauses.replace("permit (principal,", f'permit (principal in Coalition::"{coalitions[0]}",')
    members = " || ".join(f'principal in Coalition::"{name}"' for name in coalitions)
    return re.sub(r"(permit \(principal,[^\n]*\))", rf"\1 when {{ {members} }}", clauses)


def _manifest(
    model: Agreement, parties: Sequence[Party], ident: str, start: date, end: date, coalitions: Sequence[str]
) -> str:
    """The template's manifest, with its first table of levels once for each party."""
    head, *tables = re.split(r"^(?=\[levels\.)", model.manifest, flags=re.MULTILINE)
    pattern, *others = (table for table in tables if f"[levels.{SECOND}]" not in table)
    title = _between(model.title, parties).replace('"', "")
    listed = f"parties = {_list(sorted(parties))}"
    values = {
        "id": f'"{ident}"',
        "title": f'"{title}"',
        "valid_from": str(start),
        "valid_until": str(end),
    }
    for key, value in values.items():
        head = re.sub(rf"^{key} = .*$", f"{key} = {value}", head, count=1, flags=re.MULTILINE)
    listed += f"\ncoalitions = {_list(coalitions)}" if coalitions else ""
    head = re.sub(r"^parties = .*$", listed, head, count=1, flags=re.MULTILINE)
    blocks = [pattern.replace(f"[levels.{FIRST}]", f"[levels.{party}]") for party in sorted(parties)]
    return head + "".join([*blocks, *others])


def _list(codes: Sequence[str]) -> str:
    quoted = (f'"{code}"' for code in codes)
    return f"[{', '.join(quoted)}]"


def _ident(name: str, parties: Sequence[Party]) -> str:
    """Two parties are named in the id; a larger circle by the template alone."""
    words = [name, *parties] if len(parties) == 2 else [name]
    return re.sub(r"[^a-z0-9]+", "-", "-".join(words).lower()).strip("-")
