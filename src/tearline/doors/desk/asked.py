"""What a person or a program asks: query, form or JSON, as the struct that the endpoint takes."""

from __future__ import annotations

from collections.abc import Mapping
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
    """What stands in the path and in a JSON body, or for what is only shown in the query."""
    if not endpoint.does:
        return await from_form(endpoint, request, request.query_params)
    body = await request.body()
    try:
        known = msgspec.json.decode(body) if body else {}
    except msgspec.DecodeError as error:
        raise BadInput("the body", "", f"it is not JSON: {error}") from None
    if not isinstance(known, dict):
        raise BadInput("the body", "", "it is not an object")
    return _made(endpoint, known | _in_path(endpoint, request))


def _in_path(endpoint: Endpoint, request: Request) -> dict[str, Any]:
    return {name: request.path_params[name] for name in endpoint.named}


def _made(endpoint: Endpoint, known: Mapping[str, Any]) -> msgspec.Struct:
    try:
        return msgspec.convert(known, endpoint.asks, strict=False)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$.")
        raise BadInput("what was asked", place.rstrip("`"), reason) from None


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
