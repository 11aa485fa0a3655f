"""What the private ledger records: who did what, when. Entries are RFC 8785 canonical JSON."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from tearline.ledger.canonical import canonical
from tearline.terms import Broken, Party


class Act(StrEnum):
    """Every act that is put on the ledger."""

    NODE_CREATED = "node-created"
    PARTNER_ADDED = "partner-added"
    LOGIN_ADDED = "login-added"
    AGREEMENT_ADOPTED = "agreement-adopted"
    PRODUCT_TAKEN_IN = "product-taken-in"
    QUARANTINE_RESOLVED = "quarantine-resolved"
    PRODUCT_CONSIDERED = "product-considered"
    ALL_RECONSIDERED = "all-reconsidered"
    PRODUCT_RELEASED = "product-released"
    RELEASE_STUCK = "release-stuck"
    RELEASE_RECEIVED = "release-received"
    RELEASE_REFUSED = "release-refused"


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One act. `at`: RFC 3339, UTC. `body`: JSON values; what it holds is told by the act."""

    act: Act
    at: str
    actor: Party
    body: dict[str, Any]

    def to_bytes(self) -> bytes:
        """The one spelling of this entry. Raises `BadInput` where `body` holds what JSON cannot carry."""
        return canonical(msgspec.structs.asdict(self))

    @classmethod
    def read(cls, data: bytes) -> Entry:
        """Reads what `to_bytes` wrote. Raises `Broken` for anything else."""
        try:
            return _decode(data)
        except msgspec.DecodeError:
            raise Broken("an entry of the ledger cannot be read") from None


_decode = msgspec.json.Decoder(Entry).decode
