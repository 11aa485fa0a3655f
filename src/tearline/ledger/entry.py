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
    PARTNER_REMOVED = "partner-removed"
    PARTNER_KEY_CHANGED = "partner-key-changed"
    PARTNER_KEY_REVOKED = "partner-key-revoked"
    KEY_CHANGED = "key-changed"
    PARTNER_SUSPENDED = "partner-suspended"
    PARTNER_RESUMED = "partner-resumed"
    RELEASES_STOPPED = "releases-stopped"
    RELEASES_CONTINUED = "releases-continued"
    LOGIN_ADDED = "login-added"
    OFFICER_ADDED = "officer-added"
    OFFICER_REMOVED = "officer-removed"
    APPROVAL_GIVEN = "approval-given"
    AGREEMENT_PROPOSED = "agreement-proposed"
    AGREEMENT_REVIEWED = "agreement-reviewed"
    AGREEMENT_SHADOWED = "agreement-shadowed"
    AGREEMENT_ADOPTED = "agreement-adopted"
    AGREEMENT_SUPERSEDED = "agreement-superseded"
    AGREEMENT_SUSPENDED = "agreement-suspended"
    AGREEMENT_RESUMED = "agreement-resumed"
    AGREEMENT_WITHDRAWN = "agreement-withdrawn"
    AGREEMENT_EXPIRED = "agreement-expired"
    PRODUCT_TAKEN_IN = "product-taken-in"
    QUARANTINE_RESOLVED = "quarantine-resolved"
    PRODUCT_CONSIDERED = "product-considered"
    REFERRAL_DECIDED = "referral-decided"
    DECISION_UNDONE = "decision-undone"
    HITS_CLEARED = "hits-cleared"
    ALL_RECONSIDERED = "all-reconsidered"
    FORM_MADE = "form-made"
    PREVIEW_DRAWN = "preview-drawn"
    PRODUCT_RELEASED = "product-released"
    PRODUCT_RECALLED = "product-recalled"
    RELEASES_CANCELLED = "releases-cancelled"
    RECALL_SENT = "recall-sent"
    RELEASE_STUCK = "release-stuck"
    RELEASE_UNDELIVERED = "release-undelivered"
    RELEASE_RECEIVED = "release-received"
    RELEASE_REFUSED = "release-refused"
    CONSENT_REQUESTED = "consent-requested"
    CONSENT_ASKED_FOR = "consent-asked-for"
    CONSENT_GRANTED = "consent-granted"
    CONSENT_REFUSED = "consent-refused"
    CONSENT_REVOKED = "consent-revoked"
    CONSENT_RECEIVED = "consent-received"
    CONSENT_DENIED = "consent-denied"
    CONSENT_ENDED = "consent-ended"
    CUSTODY_UNVERIFIED = "custody-unverified"
    RECEIPT_DIFFERS = "receipt-differs"
    FORK_FOUND = "fork-found"
    FORK_SETTLED = "fork-settled"
    MESSAGE_SENT = "message-sent"
    MESSAGE_RECEIVED = "message-received"
    VAULT_WRITTEN = "vault-written"
    VAULT_OPENED = "vault-opened"
    VAULT_REFUSED = "vault-refused"
    VAULT_RESTORED = "vault-restored"
    PASSPHRASE_CHANGED = "passphrase-changed"  # noqa: S105 - an act, not a secret
    SOURCE_ADDED = "source-added"
    SOURCE_EXTENDED = "source-extended"
    SOURCE_SHOWN = "source-shown"
    SOURCE_OBLIGED = "source-obliged"
    SOURCE_RETIRED = "source-retired"
    POPULATION_KEPT = "population-kept"
    SOURCE_LINKED = "source-linked"
    FACTS_ADDED = "facts-added"
    FACTS_TOLD = "facts-told"
    MARKING_STOPPED = "marking-stopped"
    MARKING_RESUMED = "marking-resumed"
    TRACED = "traced"
    CANARY_ADDED = "canary-added"
    CANARY_REMOVED = "canary-removed"
    ACCOUNT_ADDED = "account-added"
    ACCOUNT_CHANGED = "account-changed"
    ACCOUNT_REMOVED = "account-removed"
    PERSON_LOGGED_IN = "person-logged-in"
    PERSON_CONFIRMED = "person-confirmed"
    PERSON_LOGGED_OUT = "person-logged-out"
    PERSON_LOCKED_OUT = "person-locked-out"


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
