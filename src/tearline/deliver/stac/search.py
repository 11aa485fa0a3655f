"""What is searched for: STAC API 1.0 item search, and items of OGC API - Features Part 1 (OGC 17-069r4).

A parameter that is not known, stands twice, is empty or cannot be read is an error (Features, section 7.11,
requirements 8 and 9): nobody is shown more than was asked for.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import orjson

from tearline.deliver.stac.shape import Shape, read_number, read_shape
from tearline.terms import BadInput, Box

DEFAULT_LIMIT, MAX_LIMIT = 10, 1000
"""Items in a page where no number is asked for, and at most."""
MAX_NAMES = 1000
"""Of ids, or collections."""

OF_ITEMS = ("limit", "bbox", "datetime", "token")
OF_SEARCH = (*OF_ITEMS, "intersects", "ids", "collections")

_NUMBER = re.compile(r"-?\d{1,20}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?")
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,18}))?(?:[Zz]|([+-])(\d\d):(\d\d))"
)
_EPOCH = date(1970, 1, 1).toordinal()
_MAC_BYTES = 16


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks for. `None` is no filter; times are microseconds since 1970, ends included."""

    boxes: tuple[Box, ...] | None = None
    """It touches one of these: two where the box that was asked for crosses the antimeridian."""
    shape: Shape | None = None
    """It touches this; `boxes` is what that lies within."""
    since: int | None = None
    until: int | None = None
    ids: tuple[str, ...] | None = None
    collections: tuple[str, ...] | None = None
    limit: int = DEFAULT_LIMIT
    token: str | None = None

    @property
    def touches(self) -> Callable[[Sequence[Sequence[float]]], Sequence[bool]] | None:
        return None if self.shape is None else self.shape.touches

    def bound(self) -> bytes:
        """What a token is bound to: every filter."""
        return msgspec.json.encode(msgspec.structs.replace(self, limit=0, token=None))


def read_query(text: str, known: Sequence[str] = ()) -> dict[str, str]:
    """The parameters of a query, each once. Raises `BadInput` where one is not among the `known` ones."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise BadInput("query", "", "it is not UTF-8") from None
    given = dict(pairs)
    if len(given) != len(pairs):
        raise BadInput("query", "", "a parameter is given twice", "give several values with commas between")
    _must_be_known(given, known)
    return given


def read_search(given: Mapping[str, str]) -> Search:
    """The search that the parameters of a GET ask for. Raises `BadInput`."""
    values: dict[str, Any] = dict(given)
    for name in ("ids", "collections"):
        if name in values:
            values[name] = values[name].split(",")
    if "bbox" in values:
        values["bbox"] = [float(n) if _NUMBER.fullmatch(n) else n for n in values["bbox"].split(",")]
    if "limit" in values and re.fullmatch(r"\d{1,16}", values["limit"]):
        values["limit"] = int(values["limit"])
    if "intersects" in values:
        values["intersects"] = _json(values["intersects"], "intersects")
    return _search(values)


def read_body(body: bytes | bytearray) -> tuple[Search, dict[str, Any]]:
    """The search that the body of a POST asks for, and the body. Raises `BadInput`."""
    given = _json(body, "")
    if not isinstance(given, dict):
        raise BadInput("body", "", "it is not a JSON object")
    _must_be_known(given, OF_SEARCH)
    return _search(given), given


def next_token(key: bytes, search: Search, start: int, added: int) -> str:
    """A stateless token: the place of the last item given, sealed to what was asked for."""
    place = start.to_bytes(8, "big", signed=True) + added.to_bytes(8, "big")
    return base64.urlsafe_b64encode(place + _mac(key, search, place)).decode("ascii")


def next_place(key: bytes, search: Search) -> tuple[int, int] | None:
    """The place (start, added) in the token of a search, if it has one. Raises `BadInput` where the token was
    not made for it."""
    if search.token is None:
        return None
    try:
        raw = base64.b64decode(search.token.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    place, mac = raw[:16], raw[16:]
    if not hmac.compare_digest(mac, _mac(key, search, place)):
        raise BadInput("query", "token", "it does not belong to this request", "start again without it")
    return int.from_bytes(place[:8], "big", signed=True), int.from_bytes(place[8:], "big")


def _mac(key: bytes, search: Search, place: bytes) -> bytes:
    return hmac.digest(key, b"stac " + place + search.bound(), hashlib.sha256)[:_MAC_BYTES]


def _must_be_known(given: Mapping[str, object], known: Sequence[str]) -> None:
    if not given.keys() <= set(known):
        names = ", ".join(known) or "none"
        raise BadInput("query", "", "there is a parameter that is not known here", f"known are: {names}")


def _json(text: str | bytes | bytearray, place: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadInput("query", place, "it is not JSON") from None


def _search(given: Mapping[str, Any]) -> Search:
    """`given`: the values as JSON has them."""
    if "bbox" in given and "intersects" in given:
        raise BadInput("query", "", "bbox and intersects are both given", "give one of them")
    shape = read_shape(given["intersects"], "intersects") if "intersects" in given else None
    boxes = _boxes(given["bbox"]) if "bbox" in given else None
    since, until = _interval(given["datetime"]) if "datetime" in given else (None, None)
    token = given.get("token")
    if "token" in given and not isinstance(token, str):
        raise BadInput("query", "token", "it is not a text")
    return Search(
        boxes=boxes if shape is None else (shape.box,),
        shape=shape,
        since=since,
        until=until,
        ids=_names(given, "ids"),
        collections=_names(given, "collections"),
        limit=_limit(given.get("limit", DEFAULT_LIMIT)),
        token=token,
    )


def _limit(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadInput("query", "limit", "it is not a whole number above zero")
    return min(value, MAX_LIMIT)


def _names(given: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    if name not in given:
        return None
    value = given[name]
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise BadInput("query", name, "it is not a list of names")
    if not 0 < len(value) <= MAX_NAMES:
        raise BadInput("query", name, f"it does not have between 1 and {MAX_NAMES} names")
    return tuple(sorted(set(value)))


def _boxes(value: object) -> tuple[Box, ...]:
    """The box, cut in two where it crosses the antimeridian: then its west is greater than its east (RFC
    7946, section 5.2). Heights are read and mean nothing: no item has one."""
    fault = BadInput("query", "bbox", "it is not four or six numbers, from south-west to north-east")
    if not isinstance(value, list) or len(value) not in (4, 6):
        raise fault
    try:
        numbers = [read_number(each) for each in value]
    except ValueError:
        raise fault from None
    half = len(numbers) // 2
    west, south, *low = numbers[:half]
    east, north, *high = numbers[half:]
    if max(abs(west), abs(east)) > 180 or max(abs(south), abs(north)) > 90:
        raise BadInput("query", "bbox", "it lies outside 180 degrees of longitude and 90 of latitude")
    if south > north or low > high:
        raise BadInput("query", "bbox", "its south is north of its north, or its bottom above its top")
    if west <= east:
        return (Box(west, south, east, north),)
    return (Box(west, south, 180.0, north), Box(-180.0, south, east, north))


def _interval(value: object) -> tuple[int | None, int | None]:
    """One instant, or two with a slash between, one of which may be open: empty or two dots."""
    ends = value.split("/") if isinstance(value, str) else []
    if not 1 <= len(ends) <= 2 or all(end in ("", "..") for end in ends):
        raise BadInput("query", "datetime", "it is neither an instant nor an interval", "see RFC 3339")
    start, stop = ends[0], ends[-1]
    open_ends = ("", "..") if len(ends) == 2 else ()
    since = None if start in open_ends else _instant(start, up=True)
    until = None if stop in open_ends else _instant(stop, up=False)
    if len(ends) == 2 and since is not None and until is not None and since > until + 1:
        raise BadInput("query", "datetime", "the interval ends before it begins")
    return since, until


def _instant(text: str, *, up: bool) -> int:
    """Microseconds since 1970 of an RFC 3339 time; what is finer is rounded `up` or down, so that nothing
    matches which does not lie within."""
    match = _INSTANT.fullmatch(text)
    fault = BadInput("query", "datetime", "a time is not as RFC 3339 has it", "write 2026-01-31T12:00:00Z")
    if match is None:
        raise fault
    day, hour, minute, second, fraction, sign, *offset = match.groups()
    try:
        days = date.fromisoformat(day).toordinal() - _EPOCH
    except ValueError:
        raise fault from None
    zone = [int(each or 0) for each in offset]
    # The 60th second is a leap second's.
    if int(hour) > 23 or int(minute) > 59 or int(second) > 60 or zone[0] > 23 or zone[1] > 59:
        raise fault
    away = (zone[0] * 60 + zone[1]) * (-60 if sign == "-" else 60)
    seconds = days * 86400 + int(hour) * 3600 + int(minute) * 60 + int(second) - away
    digits = (fraction or "").ljust(6, "0")
    rest = up and any(digit != "0" for digit in digits[6:])
    return seconds * 1_000_000 + int(digits[:6]) + rest
