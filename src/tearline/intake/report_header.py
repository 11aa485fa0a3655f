"""The header of a report: what its lines say, or why one cannot be read."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from tearline.intake import report_sources, subject
from tearline.intake.context import Context, shown
from tearline.label import tables
from tearline.terms import BadInput, Discipline, Party, Region, Topic

_NAMESPACE = uuid.UUID("b7b2f2a4-0c1d-4d0e-9a64-7b1e6a8f3c55")
_ID = re.compile(r"report--[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_PARTY = re.compile(r"[A-Z][A-Z0-9-]{1,63}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_T = TypeVar("_T")


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """`date` is in UTC; `dated`: whether the report says it. `ident` and `language` may be empty."""

    title: str
    date: datetime
    dated: bool
    originator: Party
    ident: str
    topics: frozenset[Topic]
    regions: frozenset[Region]
    disciplines: frozenset[Discipline]
    language: str
    sources: frozenset[str]


def read(lines: Mapping[str, tuple[int, str]], name: str, context: Context) -> Header:
    """Raises `BadInput` at the line that cannot be read. `lines`: line number and value by key."""

    def value(key: str, reader: Callable[[str], _T], default: _T, remedy: str = "") -> _T:
        number, text = lines.get(key, (0, ""))
        if not text:
            return default
        try:
            return reader(text)
        except (ValueError, OverflowError):
            # A name where a cryptonym should stand must not come into an error text (law 10).
            reason = "this lists no cryptonyms" if key == "sources" else f"{shown(text)!r} is no {key}"
            raise BadInput(name, f"line {number}", reason, remedy) from None

    originator = value("originator", _party, context.party, "give a party's code, such as GBR or CERT-UA")
    return Header(
        title=value("title", str, ""),
        date=value(
            "date", _date, context.at.astimezone(UTC), "give a day or an instant: 2026-11-02T10:00:00Z"
        ),
        dated=bool(lines.get("date", (0, ""))[1]),
        originator=originator,
        ident=value("id", lambda text: _ident(text, originator), ""),
        topics=value("topics", _topics, frozenset({Topic.OTHER}), f"known are {', '.join(Topic)}"),
        regions=value(
            "regions", _regions, frozenset({Region.GLOBAL}), "give countries or UN M49 sub-regions"
        ),
        disciplines=value("discipline", _disciplines, frozenset({Discipline.UNKNOWN})),
        language=value("language", _language, "", "give a code, such as en, uk or ru"),
        sources=value(
            "sources",
            report_sources.cryptonyms,
            frozenset(),
            "give cryptonyms, such as FALCON-RIVER, with commas between",
        ),
    )


def made_id(originator: Party, of: str) -> str:
    """The same id for the same `of`, which is a report's own name or a digest of its content."""
    return f"report--{uuid.uuid5(_NAMESPACE, f'{originator}/{of}')}"


def _date(text: str) -> datetime:
    if day := _DAY.fullmatch(text):
        return datetime(int(day[3]), int(day[2]), int(day[1]), tzinfo=UTC)
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _party(text: str) -> Party:
    if found := text if _PARTY.fullmatch(text) else tables.party_of(text):
        return found
    raise ValueError(text)


def _ident(text: str, originator: Party) -> str:
    return text if _ID.fullmatch(text) else made_id(originator, text)


def _names(text: str) -> list[str]:
    return [name.strip().casefold() for name in text.split(",") if name.strip()]


def _topics(text: str) -> frozenset[Topic]:
    return frozenset(map(Topic, _names(text)))


def _regions(text: str) -> frozenset[Region]:
    return subject.read_regions(_names(text))


def _disciplines(text: str) -> frozenset[Discipline]:
    return frozenset(map(Discipline, _names(text)))


def _language(text: str) -> str:
    if not _LANGUAGE.fullmatch(text):
        raise ValueError(text)
    return text
