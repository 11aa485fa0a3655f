"""Filters, times and pages: TAXII 2.1, sections 3.3 to 3.5.

Choices where the standard leaves one:

- `last` and `first` are the newest and oldest version held of an object, within the `spec_version`s that
  are asked for. `added_after` and `next` do not move them, so both ways of paging give the same objects.
- Match fields and parameters that the standard does not define are ignored (section 3.4).
- A `next` is of use with the same endpoint, collection and filters only; `limit` may change.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import msgspec

from tearline.terms import BadInput

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
"""Objects in a page where the client asks for no number, and at most."""

FIELDS = ("id", "type", "version", "spec_version")
_SINGLE = ("added_after", "limit", "next")
_KEYWORDS = {"first", "last", "all"}
_STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,18}))?Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAC_BYTES = 16


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks for. `None` is no filter; values are sorted and distinct."""

    ids: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None
    spec_versions: tuple[str, ...] | None = None
    versions: tuple[str, ...] = ("last",)
    """`first`, `last`, `all` or version stamps."""
    after: int = -1
    """`added_after` in microseconds since 1970; -1 is from the beginning."""
    limit: int = DEFAULT_LIMIT
    next: str | None = None
    versions_given: bool = False

    def bound(self) -> str:
        """What a `next` is bound to: every filter, in one text."""
        return repr((self.ids, self.types, self.spec_versions, self.versions, self.after))


def read_query(text: str, fields: tuple[str, ...] = FIELDS) -> Query:
    """The query of an endpoint that knows the match `fields`; others are ignored.

    Raises `BadInput` where a parameter is malformed, empty or given twice (section 3.4).
    """
    if not text:
        return Query()
    given: dict[str, str] = {}
    names = {f"match[{field}]" for field in fields} | set(_SINGLE)
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise BadInput("query", "", "it is not UTF-8") from None
    for name, value in pairs:
        if name in given:
            raise BadInput("query", name, "it is given twice", "give several values with commas between")
        if name in names:
            given[name] = value
    versions = _values(given, "version")
    return Query(
        ids=_values(given, "id"),
        types=_values(given, "type"),
        spec_versions=_values(given, "spec_version"),
        versions=("last",) if versions is None else _versions(versions),
        after=-1 if "added_after" not in given else read_date_added(given["added_after"], "added_after"),
        limit=_limit(given.get("limit")),
        next=given.get("next"),
        versions_given=versions is not None,
    )


def version_stamp(text: str) -> str | None:
    """A STIX timestamp in its one canonical form, milliseconds or finer; `None` where it is not one."""
    match = _STAMP.fullmatch(text)
    if match is None or _instant(match) is None:
        return None
    fraction = (match[7] or "").rstrip("0").ljust(3, "0")
    return f"{text[:19]}.{fraction}Z"


def read_date_added(text: str, place: str) -> int:
    """A TAXII timestamp in microseconds since 1970. Raises `BadInput`; `place` names the parameter."""
    match = _STAMP.fullmatch(text)
    instant = None if match is None else _instant(match)
    if match is None or instant is None:
        raise BadInput("query", place, "it is not a time in UTC", "write it as 2026-01-31T12:00:00.000000Z")
    return (instant - _EPOCH) // timedelta(microseconds=1) + int((match[7] or "").ljust(6, "0")[:6])


def date_added(microseconds: int) -> str:
    """The TAXII timestamp (section 2: microseconds, UTC) of an instant counted from 1970."""
    return (_EPOCH + timedelta(microseconds=microseconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def next_token(key: bytes, bound: str, position: int) -> str:
    """A stateless `next`: the date-added of the last object given, sealed to `bound`."""
    place = position.to_bytes(8, "big")
    return base64.urlsafe_b64encode(place + _mac(key, bound, place)).decode("ascii")


def next_position(key: bytes, bound: str, token: str) -> int:
    """The position in a `next`. Raises `BadInput` where it was not made for `bound`."""
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    place, mac = raw[:8], raw[8:]
    if not hmac.compare_digest(mac, _mac(key, bound, place)):
        raise BadInput("query", "next", "it does not belong to this request", "start again without it")
    return int.from_bytes(place, "big")


def _mac(key: bytes, bound: str, place: bytes) -> bytes:
    return hmac.digest(key, place + bound.encode(), hashlib.sha256)[:_MAC_BYTES]


def _instant(match: re.Match[str]) -> datetime | None:
    """The whole second of a matched timestamp; `None` where there is no such time."""
    try:
        return datetime(*map(int, match.groups()[:6]), tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError:
        return None


def _values(given: dict[str, str], field: str) -> tuple[str, ...] | None:
    name = f"match[{field}]"
    if name not in given:
        return None
    values = given[name].split(",")
    if "" in values:
        raise BadInput("query", name, "a value is empty")
    return tuple(sorted(set(values))) if field != "version" else tuple(values)


def _versions(values: tuple[str, ...]) -> tuple[str, ...]:
    stamps = [value if value in _KEYWORDS else version_stamp(value) for value in values]
    known = [stamp for stamp in stamps if stamp is not None]
    if len(known) != len(values):
        raise BadInput("query", "match[version]", "a value is neither first, last, all nor a time in UTC")
    if len(set(known)) != len(known):
        raise BadInput("query", "match[version]", "a value is given twice")
    if "all" in known and len(known) > 1:
        raise BadInput("query", "match[version]", "all stands alone")
    return tuple(sorted(known))


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"0*[1-9][0-9]{0,15}", text):
        raise BadInput("query", "limit", "it is not a whole number above zero")
    return min(int(text), MAX_LIMIT)
