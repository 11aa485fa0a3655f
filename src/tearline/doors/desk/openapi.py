"""The OpenAPI 3.1 description of the REST API, made of the endpoints' own types."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from tearline import __version__
from tearline.doors.desk.asked import LARGEST, SMALLEST
from tearline.doors.desk.endpoint import Download, Endpoint
from tearline.doors.desk.jobs import Job

API = "/api/v1"
_REF = "#/components/schemas/{name}"


def description(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """The whole description, as JSON values."""
    found = [each for each in endpoints if each.api]
    kinds: list[Any] = [Job]
    for each in found:
        kinds += [each.asks, each.answers]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    by_kind = dict(zip(map(id, kinds), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for each in found:
        path = re.sub(r":[a-z]+\}", "}", API + each.path).rstrip("/")
        paths.setdefault(path, {})["post" if each.does else "get"] = _operation(each, by_kind, components)
    components["Problem"] = {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
        },
        "required": ["title", "status"],
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tearline desk",
            "version": __version__,
            "description": "What officers see and do at the desk, for programs of their own organisation.",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {
                "Problem": {
                    "description": "It was not done; `detail` says why, in one sentence.",
                    "content": {
                        "application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}
                    },
                }
            },
        },
    }


def _operation(endpoint: Endpoint, by_kind: dict[int, Any], components: dict[str, Any]) -> dict[str, Any]:
    words = " ".join((endpoint.call.__doc__ or "").split())
    roles = ", ".join(sorted(endpoint.roles))
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.area],
        "summary": words.partition(". ")[0].rstrip("."),
        "description": f"{words} For: {roles}.".strip(),
        "parameters": _parameters(endpoint, by_kind, components),
        "responses": {
            "202" if endpoint.slow else "200": _answer(endpoint, by_kind),
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }
    if endpoint.does:
        operation["requestBody"] = _body(endpoint, by_kind, components)
    return operation


def _body(endpoint: Endpoint, by_kind: dict[int, Any], components: dict[str, Any]) -> dict[str, Any]:
    """What is asked, but for what stands in the path already; nothing beside it."""
    whole = _resolved(by_kind[id(endpoint.asks)], components)
    fields = {k: _bounded(kind) for k, kind in whole["properties"].items() if k not in endpoint.named}
    required = [name for name in whole["required"] if name in fields]
    schema = {"type": "object", "properties": fields, "required": required, "additionalProperties": False}
    return {"required": bool(required), "content": {"application/json": {"schema": schema}}}


def _answer(endpoint: Endpoint, by_kind: dict[int, Any]) -> dict[str, Any]:
    if endpoint.slow:
        return {
            "description": "It has begun; ask `/api/v1/jobs/{job}` how far it is.",
            "content": {"application/json": {"schema": by_kind[id(Job)]}},
        }
    if endpoint.answers is Download:
        kind = {"type": "string", "format": "binary"}
        return {"description": "The file.", "content": {"*/*": {"schema": kind}}}
    return {
        "description": "Done.",
        "content": {"application/json": {"schema": by_kind[id(endpoint.answers)]}},
    }


def _parameters(
    endpoint: Endpoint, by_kind: dict[int, Any], components: dict[str, Any]
) -> list[dict[str, Any]]:
    schema = _resolved(by_kind[id(endpoint.asks)], components)
    fields, required = schema.get("properties", {}), schema.get("required", [])
    return [
        {
            "name": name,
            "in": "path" if name in endpoint.named else "query",
            "required": name in endpoint.named or name in required,
            "schema": _bounded(kind),
        }
        for name, kind in fields.items()
        if name in endpoint.named or not endpoint.does
    ]


def _bounded(kind: dict[str, Any]) -> dict[str, Any]:
    """A number has the bounds that `asked` holds it to."""
    if "anyOf" in kind:
        return kind | {"anyOf": [_bounded(each) for each in kind["anyOf"]]}
    return {"minimum": SMALLEST, "maximum": LARGEST} | kind if kind.get("type") == "integer" else kind


def _resolved(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = components[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found
