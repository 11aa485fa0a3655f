"""Delivery: compose what is given, seal it so that its recipient can check it, open what is received."""

from tearline.deliver.admit import Admitted, Known, admit, covers
from tearline.deliver.compose import Draft, NodeIdentity, compose, identity_id
from tearline.deliver.consent import Consent, Form, Scope, Subject, consent_in, read_consent, sign_consent
from tearline.deliver.custody import (
    Chain,
    Custody,
    category_of,
    core_digest,
    custody_in,
    sign_custody,
    state,
    substance_digest,
)
from tearline.deliver.dsse import Envelope
from tearline.deliver.key_change import follow, is_key_change, key_change
from tearline.deliver.message import Kind, Message, compose_message, is_message, read_message
from tearline.deliver.seal import (
    Opened,
    Previous,
    Proof,
    Statement,
    Unproven,
    is_release,
    log_origin,
    open_proof,
    open_release,
    seal,
    sealed_again,
    sign_draft,
)
from tearline.ledger import public_key, public_key_text

__all__ = [
    "Admitted",
    "Chain",
    "Consent",
    "Custody",
    "Draft",
    "Envelope",
    "Form",
    "Kind",
    "Known",
    "Message",
    "NodeIdentity",
    "Opened",
    "Previous",
    "Proof",
    "Scope",
    "Statement",
    "Subject",
    "Unproven",
    "admit",
    "category_of",
    "compose",
    "compose_message",
    "consent_in",
    "core_digest",
    "covers",
    "custody_in",
    "follow",
    "identity_id",
    "is_key_change",
    "is_message",
    "is_release",
    "key_change",
    "log_origin",
    "open_proof",
    "open_release",
    "public_key",
    "public_key_text",
    "read_consent",
    "read_message",
    "seal",
    "sealed_again",
    "sign_consent",
    "sign_custody",
    "sign_draft",
    "state",
    "substance_digest",
]
