"""What a person or a program asks: query, form or JSON, as the struct that the endpoint takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import inspect
from starlette.datastructures import FormData, ImmutableMultiDict, UploadFile
from starlette.requests import Request

from tearline.doors.desk.endpoint import Endpoint, Upload
from tearline.terms import BadInput

MAX_PART = 4 << 20
"""Bytes of one field of a form, files aside."""
MAX_FIELDS, MAX_FILES = 2_000, 16
SMALLEST, LARGEST = -(2**63), 2**63 - 1
"""Of the numbers that SQLite holds."""
_MANY = (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)


async def form_of(request: Request) -> FormData:
    """The form. Raises `BadInput` where it cannot be read."""
    try:
        return await request.form(max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=MAX_PART)
    except msgspec.DecodeError:
        raise BadInput("the form", "", "it cannot be read") from None


async def from_form(
    endpoint: Endpoint, request: Request, form: ImmutableMultiDict[str, Any]
) -> msgspec.Struct:
    """What stands in the path and in a query or form. An empty field was not filled in."""
    known: dict[str, Any] = {}
    for field in _fields(endpoint.asks):
        if isinstance(field.type, _MANY):
            values = [await _value(each) for each in form.getlist(field.encode_name)]
            if any(found := [each for each in values if each not in (None, "")]):
                known[field.encode_name] = found
        elif field.encode_name in form:
            value = await _value(form[field.encode_name])
            if value not in (None, "") or field.required:
                known[field.encode_name] = "" if value is None else value
    return _made(endpoint, known | _in_path(endpoint, request))


async def from_json(endpoint: Endpoint, request: Request) -> msgspec.Struct:
    """What stands in the path and in a JSON body, or for what is only shown in the query.

    A program is told of a name that nobody asks for: a filter or a limit that is misspelt must not be without
    effect. And it says an empty text where it means one.
    """
    if not endpoint.does:
        query = request.query_params
        _must_be_asked(endpoint, query)
        given = {
            each.encode_name: query.getlist(each.encode_name)
            if isinstance(each.type, _MANY)
            else query[each.encode_name]
            for each in _fields(endpoint.asks)
            if each.encode_name in query
        }
        return _made(endpoint, given | _in_path(endpoint, request))
    body = await request.body()
    try:
        known = msgspec.json.decode(body) if body else {}
    except msgspec.DecodeError as error:
        raise BadInput("the body", "", f"it is not JSON: {error}") from None
    if not isinstance(known, dict):
        raise BadInput("the body", "", "it is not an object")
    _must_be_asked(endpoint, known)
    return _made(endpoint, known | _in_path(endpoint, request))


def _must_be_asked(endpoint: Endpoint, given: Iterable[str]) -> None:
    known = {each.encode_name for each in _fields(endpoint.asks)}
    if unknown := sorted(set(given) - known):
        remedy = f"it asks for {', '.join(sorted(known)) or 'nothing'}"
        raise BadInput("what was asked", unknown[0][:60], "nobody asks for this", remedy)


def _in_path(endpoint: Endpoint, request: Request) -> dict[str, Any]:
    return {name: request.path_params[name] for name in endpoint.named}


def _made(endpoint: Endpoint, known: Mapping[str, Any]) -> msgspec.Struct:
    try:
        made = msgspec.convert(known, endpoint.asks, strict=False)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$.")
        raise BadInput("what was asked", place.rstrip("`"), reason) from None
    for name, value in msgspec.structs.asdict(made).items():
        if isinstance(value, int) and not SMALLEST <= value <= LARGEST:
            raise BadInput("what was asked", name, "no number of ours is so large")
    return made


async def _value(value: Any) -> Any:
    if isinstance(value, UploadFile):
        body = await value.read()
        return {"name": value.filename or "", "body": body} if value.filename or body else None
    # A browser ends lines of a text field with CR LF (HTML, section 4.10.11).
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _fields(kind: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    found = inspect.type_info(kind)
    assert isinstance(found, inspect.StructType)  # noqa: S101
    return found.fields


__all__ = ["Upload", "form_of", "from_form", "from_json"]
