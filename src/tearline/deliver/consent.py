"""Consent: the originator's signed yes to onward release by one holder to one recipient (law 4).

A consent names one product, by what its originator signed of it, or a scope; a standing consent is for all in
its scope that the holder has or will have. None is for ever. It says nothing about third parties: a recipient
who wants to pass the product on needs a consent of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tearline.deliver import dsse
from tearline.ledger import canonical
from tearline.terms import BadInput, Broken, Category, Party, Topic

PAYLOAD_TYPE = "application/vnd.tearline.consent+json"


class Form(StrEnum):
    """In which form a holder may pass on what another made."""

    WHOLE = "whole"
    """As its originator signed it, unchanged."""
    TEARLINE = "tearline"
    """As a text that the holder makes of it, and signs for."""


class Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="product", tag_field="kind"):
    """One version of one product, as in `Custody`."""

    object_id: str
    version: str | None
    core: str

    def __str__(self) -> str:
        return self.object_id


class Scope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="scope", tag_field="kind"):
    """Everything, or what is of these categories, or on one of these topics, as its originator signed it."""

    categories: frozenset[Category] = frozenset()
    topics: frozenset[Topic] = frozenset()

    def covers(self, category: Category, topics: frozenset[Topic]) -> bool:
        if self.categories and category not in self.categories:
            return False
        return not self.topics or not self.topics.isdisjoint(topics)

    def __str__(self) -> str:
        lists = {"category": self.categories, "topic": self.topics}
        return (
            " ".join(f"{kind}={','.join(sorted(names))}" for kind, names in lists.items() if names) or "all"
        )


class Consent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the originator signs."""

    serial: str
    """Says nothing, and is never used again."""
    originator: Party
    holder: Party
    recipient: Party
    subject: Subject | Scope
    forms: frozenset[Form]
    granted_at: datetime
    until: datetime

    def is_valid(self, now: datetime) -> bool:
        """Whether it is not over, as far as it says itself: it may have been revoked."""
        return now < self.until

    def allows(self, holder: Party, recipient: Party, form: Form, now: datetime) -> bool:
        """Whether it is for this holder, this recipient, in this form, at this moment."""
        return (
            (self.holder, self.recipient) == (holder, recipient) and form in self.forms and self.is_valid(now)
        )


def sign_consent(consent: Consent, key: Ed25519PrivateKey) -> dsse.Envelope:
    """The consent as it travels: to its holder, and with every release that rests on it."""
    body = msgspec.to_builtins(consent, order="deterministic")
    return dsse.sign(PAYLOAD_TYPE, canonical(body), key)


def read_consent(envelope: dsse.Envelope, originator: Party, keys: Sequence[Ed25519PublicKey]) -> Consent:
    """A consent that `originator` signed with one of its keys. Raises `Broken`."""
    payload = dsse.verify(envelope, keys, PAYLOAD_TYPE)
    consent = _read(payload)
    if consent.originator != originator:
        raise Broken("the consent was signed by one who is not its originator")
    return consent


def consent_in(envelope: dsse.Envelope) -> Consent:
    """What a consent says, whoever signed it. Raises `Broken`."""
    return _read(envelope.payload)


def _read(payload: bytes) -> Consent:
    try:
        consent = _decode(payload)
        exact = canonical(msgspec.to_builtins(consent, order="deterministic")) == payload
    except (msgspec.DecodeError, BadInput):
        raise Broken("a consent cannot be read") from None
    if not exact or consent.granted_at.tzinfo is None or consent.until.tzinfo is None:
        raise Broken("a consent is not in its one spelling")
    return consent


_decode = msgspec.json.Decoder(Consent).decode
