"""Small invented STIX objects and files, and how the tests read them."""

from __future__ import annotations

import io
import uuid
from datetime import UTC, datetime
from typing import Any

import orjson

from tearline import intake
from tearline.intake import Fault, Limits
from tearline.terms import Label, Product, Quarantine

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TLP_GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
TLP_AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
TLP_RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
PAP_AMBER = "marking-definition--60f8932b-e51e-4458-b265-a2e8be9a80ab"
TIMES = {"created": "2026-03-01T08:00:00.000Z", "modified": "2026-03-02T09:30:00.125Z"}


def ident(kind: str, number: int) -> str:
    return f"{kind}--{uuid.UUID(int=number, version=4)}"


def sdo(kind: str = "tool", number: int = 1, **properties: Any) -> dict[str, Any]:
    named = {"name": f"{kind} {number}"} | ({"is_family": True} if kind == "malware" else {})
    return {"type": kind, "spec_version": "2.1", "id": ident(kind, number)} | TIMES | named | properties


def link(number: int, source: str, target: str, **properties: Any) -> dict[str, Any]:
    ends = {"relationship_type": "uses", "source_ref": source, "target_ref": target}
    item = sdo("relationship", number, **ends, **properties)
    del item["name"]
    return item


def statement(number: int = 900) -> dict[str, Any]:
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": ident("marking-definition", number),
        "created": "2026-01-01T00:00:00.000Z",
        "definition_type": "statement",
        "definition": {"statement": "Copyright Alder Institute"},
    }


def bundle(*items: Any, **members: Any) -> bytes:
    return orjson.dumps({"type": "bundle", "id": ident("bundle", 1), **members, "objects": list(items)})


def read(
    content: bytes, marking: str | None = "TLP:GREEN", *, party: str = "USA", limits: Limits | None = None
) -> list[Product | Fault]:
    context = intake.Context(party=party, at=NOW, default_marking=marking, limits=limits or Limits())
    return list(intake.read(io.BytesIO(content), "file", context=context))


def products(items: list[Product | Fault]) -> list[Product]:
    return [item for item in items if isinstance(item, Product)]


def faults(items: list[Product | Fault], severity: str = "error") -> list[Fault]:
    return [item for item in items if isinstance(item, Fault) and item.severity == severity]


def one(content: bytes, marking: str | None = "TLP:GREEN", **options: Any) -> Product:
    items = read(content, marking, **options)
    assert not faults(items), [str(fault) for fault in faults(items)]
    (product,) = products(items)
    return product


def label(product: Product) -> Label:
    assert isinstance(product.label, Label), product.label
    return product.label


def quarantine(product: Product) -> Quarantine:
    assert isinstance(product.label, Quarantine), product.label
    return product.label


def fault(content: bytes, **options: Any) -> Fault:
    """The one error, from a file that gives no product."""
    items = read(content, **options)
    assert not products(items)
    (found,) = faults(items)
    return found
