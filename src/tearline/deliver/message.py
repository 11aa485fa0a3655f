"""What nodes say to each other beside products: receipts, consents, keys. Each is a STIX object of its own.

A message travels as every release does: sealed by its giver for one recipient, in the giver's log to it, with
an inclusion proof. So it is authentic, in order and taken once, and needs no channel of its own. The type is
declared by an extension definition (STIX 2.1, section 7.3.2, `new-sdo`); clients that do not know it leave it
alone. Plain TAXII partners are sent none.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

import msgspec

from tearline.deliver.compose import Draft, NodeIdentity, markings
from tearline.ledger import canonical
from tearline.terms import Broken, Label, Party, Reach

TYPE = "tearline-message"
_EXTENSION = "extension-definition--6e0a5a32-98f5-4f3c-8f6c-2f2a1c9a7b1d"

_DEFINITION: dict[str, Any] = {
    "type": "extension-definition",
    "spec_version": "2.1",
    "id": _EXTENSION,
    "created_by_ref": "identity--4f4c6a3b-2c84-4f5b-9a0e-6f1c2f0c8d17",
    "created": "2026-11-01T00:00:00.000Z",
    "modified": "2026-11-01T00:00:00.000Z",
    "name": "Tearline message",
    "description": "What one node says to another: `kind` tells what, `body` holds it.",
    "schema": f"`{TYPE}`: `kind` (text) and `body` (an object whose fields the kind tells).",
    "version": "1.0.0",
    "extension_types": ["new-sdo"],
}


class Kind(StrEnum):
    """What a message says."""

    RECEIPT = "receipt"
    CONSENT_REQUEST = "consent-request"
    CONSENT_ANSWER = "consent-answer"
    KEY_CHANGE = "key-change"


class Message(msgspec.Struct, frozen=True):
    """One message, opened. `body`: JSON values; what it holds is told by the kind."""

    kind: Kind
    body: dict[str, Any]


def compose_message(
    message: Message, *, recipient: Party, about: str, node: NodeIdentity, issued: datetime
) -> Draft:
    """The draft of a message, for its recipient alone (TLP:RED).

    `about`: the same for the same message, so that saying it again changes nothing. Raises `BadInput` where
    the body has no canonical form.
    """
    opaque = node.opaque("message", message.kind, recipient, about)
    at = issued.astimezone(UTC)
    stamp = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"
    marks = markings(Label(reach=Reach.RED), recipient, node, at)
    object_id = f"{TYPE}--{uuid.UUID(bytes=opaque[:16], version=4)}"
    item = {
        "type": TYPE,
        "spec_version": "2.1",
        "id": object_id,
        "created_by_ref": node.id,
        "created": stamp,
        "modified": stamp,
        "kind": message.kind.value,
        "body": message.body,
        "object_marking_refs": [mark["id"] for mark in marks],
        "extensions": {_EXTENSION: {"extension_type": "new-sdo"}},
    }
    return Draft(
        release_id=opaque.hex(),
        recipient=recipient,
        object_id=object_id,
        version=stamp,
        issued=at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        digest=sha256(canonical(item)).hexdigest(),
        object=item,
        supporting=(*marks, node.to_stix(), _DEFINITION),
    )


def is_message(item: Mapping[str, Any]) -> bool:
    """Whether a STIX object is a message between nodes."""
    return item.get("type") == TYPE


def read_message(item: Mapping[str, Any]) -> Message:
    """The message in an opened release. Raises `Broken` where it says nothing that we know."""
    try:
        return msgspec.convert({"kind": item.get("kind"), "body": item.get("body")}, Message)
    except msgspec.ValidationError:
        raise Broken("a message is of no kind that this node knows") from None
