"""A partner that cheats: it signs whatever it likes with its own key, and has what others signed."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
import orjson

from tearline import deliver
from tearline.deliver import Chain, Envelope
from tearline.deliver.extension import EXTENSION
from tearline.ledger import canonical
from tearline.node import Node
from tests.unit.node.world import sealed_in_log


def release(giver: Node, item: dict[str, Any], recipient: str, chain: Chain | None) -> dict[str, Any]:
    """An object that a giver signs, under whatever custody."""
    about = canonical([item, msgspec.to_builtins(chain), recipient])
    draft = deliver.Draft(
        release_id=sha256(about).hexdigest(),
        recipient=recipient,
        object_id=item["id"],
        version=item.get("modified", item.get("created")),
        issued="2026-11-23T10:00:00.000000Z",
        digest=sha256(canonical(item)).hexdigest(),
        object=item,
        supporting=(),
        chain=chain,
    )
    (body,) = sealed_in_log(giver, [draft])
    made: dict[str, Any] = orjson.loads(body)
    return made


def taken_apart(item: dict[str, Any]) -> tuple[dict[str, Any], Chain]:
    """A release that was received: its content, and what travelled with it."""
    extensions = dict(item["extensions"])
    ours = extensions.pop(EXTENSION)
    content = {name: value for name, value in item.items() if name != "extensions"}
    content |= {"extensions": extensions} if extensions else {}
    return content, msgspec.convert(ours["chain"], Chain)


def custody(signer: Node, item: dict[str, Any], like: Envelope, **says: Any) -> Envelope:
    """A custody statement on an object, signed by a node that may not be who it says."""
    said = msgspec.structs.replace(
        deliver.custody_in(like),
        object_id=item["id"],
        version=item.get("modified", item.get("created")),
        core=deliver.core_digest(item),
        **says,
    )
    return deliver.sign_custody(said, signer.home.signing_key)
