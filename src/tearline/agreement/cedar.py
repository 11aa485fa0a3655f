"""The one module that talks to the Cedar engine (cedarpy, pinned): parse, validate, decide.

Its node types (`cedarpy.pst`) may be read elsewhere; its functions may not. Three traps are shut here:

- an entity set built without the schema has no action groups, so `action in Action::"share"` is silently
  false: `Entities` are only made by `roster` and `with_products`, always with the schema;
- a clause that fails (an attribute or the whole resource absent) is skipped, so that a failing forbid
  lets pass: an `Answer` with any error beside it is `failed`, whatever was decided;
- error texts echo the entity document: none leaves this module, an `Answer` has only the fact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import cedarpy
import msgspec
import orjson
from cedarpy import Entities, pst

__all__ = ["Answer", "Clauses", "Entities", "NotCedar", "ask", "canonical", "misfits", "parse", "reference"]
__all__ += ["roster", "schema_text", "shape", "with_products"]


class NotCedar(Exception):
    """The text is not Cedar; says why in the engine's words."""


class Answer(msgspec.Struct, frozen=True):
    """What one request came to. `clauses`: the ids of the clauses that decided."""

    allowed: bool
    clauses: tuple[str, ...]
    failed: bool


def schema_text() -> str:
    """The schema, as it stands in the package."""
    return resources.files(__package__).joinpath("schema.cedarschema").read_text("utf-8")


@cache
def schema() -> cedarpy.Schema:
    return cedarpy.Schema.from_str(schema_text())


def parse(text: str) -> pst.Template:
    """The one clause in `text`. Raises `NotCedar`."""
    try:
        found = cedarpy.policies_to_pst(text)
    except ValueError as error:
        raise NotCedar(str(error)) from None
    policies = [*found.static_policies.values(), *found.templates.values()]
    if len(policies) != 1:
        raise NotCedar("here must be one clause")
    return policies[0]


def misfits(text: str) -> list[str]:
    """Why the clauses in `text` do not fit the schema in strict mode; empty when they do."""
    try:
        return [error.error for error in cedarpy.validate_policies(text, schema()).errors]
    except ValueError as error:
        return [str(error)]


def canonical(text: str) -> Any:
    """A clause as JSON data, the same whatever its layout and comments."""
    (policy,) = orjson.loads(cedarpy.policies_to_json_str(text))["staticPolicies"].values()
    return policy


@lru_cache(maxsize=8192)
def shape(text: str, party: str) -> bytes:
    """What a clause says, without its annotations, and with the partner `party` as an unnamed one."""
    said = {part: value for part, value in canonical(text).items() if part != "annotations"}
    named = orjson.dumps(_uid("Partner", party), option=orjson.OPT_SORT_KEYS)
    unnamed = orjson.dumps(_uid("Partner", ""), option=orjson.OPT_SORT_KEYS)
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS).replace(named, unnamed)


class Clauses:
    """A set of clauses to ask, each under the id it is given here."""

    def __init__(self, clauses: Mapping[str, pst.Template], *, reads_clock: bool) -> None:
        named = {name: replace(tree, id=name) for name, tree in clauses.items()}
        self.policies = cedarpy.PolicySet.from_pst(pst.PolicySet({}, named, ()))
        self.reads_clock = reads_clock


@lru_cache(maxsize=256)
def roster(members: frozenset[tuple[str, frozenset[str]]]) -> Entities:
    """Partners, each with the coalitions it is in."""
    names = {name for _, coalitions in members for name in coalitions}
    rows = [_entity("Coalition", name) for name in names] + [
        _entity("Partner", party, parents=[_uid("Coalition", name) for name in coalitions])
        for party, coalitions in members
    ]
    return Entities.from_json_str(orjson.dumps(rows).decode(), schema())


def with_products(base: Entities, products: Mapping[str, Mapping[str, Any]]) -> Entities:
    """`base` and one `Product` for each id, with these attributes.

    Raises `ValueError`, its text scrubbed, where an attribute is missing, misspelt or of the wrong type.
    """
    rows = [_entity("Product", name, attributes) for name, attributes in products.items()]
    try:
        return base.with_added_json_str(orjson.dumps(rows).decode(), schema())
    except ValueError:
        raise ValueError("the product does not fit the schema") from None


def reference(kind: str, name: str) -> dict[str, Any]:
    """An attribute's value that is an entity."""
    return {"__entity": _uid(kind, name)}


def ask(
    clauses: Clauses, entities: Entities, *, partner: str, action: str, product: str, now: datetime
) -> Answer:
    """May `product` be given to `partner`?

    Requests are made here and of fixed types, so they are not checked against the schema again; and
    a context that nobody reads is left out: both together take two thirds off the cost of a request.
    """
    request: dict[str, Any] = {
        "principal": _uid("Partner", partner),
        "action": _uid("Action", action),
        "resource": _uid("Product", product),
    }
    if clauses.reads_clock:
        request["context"] = orjson.dumps({"now": _instant(now)}).decode()
    (result,) = cedarpy.is_authorized_batch([request], clauses.policies, entities)
    return _answer(result)


def _answer(result: cedarpy.AuthzResult) -> Answer:
    decided = result.decision in {cedarpy.Decision.Allow, cedarpy.Decision.Deny}
    return Answer(
        allowed=result.allowed,
        clauses=tuple(sorted(result.diagnostics.reasons)),
        failed=not decided or bool(result.diagnostics.errors),
    )


def _instant(now: datetime) -> dict[str, Any]:
    text = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"__extn": {"fn": "datetime", "arg": text}}


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}


def _entity(
    kind: str,
    name: str,
    attributes: Mapping[str, Any] | None = None,
    parents: Sequence[dict[str, str]] = (),
) -> dict[str, Any]:
    return {"uid": _uid(kind, name), "attrs": attributes or {}, "parents": parents}
