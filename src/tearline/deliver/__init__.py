"""Delivery: compose what is given, seal it so that its recipient can check it, open what is received."""

from tearline.deliver.compose import (
    EVERYTHING,
    Draft,
    NodeIdentity,
    compose,
    identity_id,
    pointing_within,
    with_object,
)
from tearline.deliver.dsse import Envelope
from tearline.deliver.key_change import follow, is_key_change, key_change
from tearline.deliver.message import Kind, Message, compose_message, is_message, read_message
from tearline.deliver.references import mentioned
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
    "EVERYTHING",
    "Draft",
    "Envelope",
    "Kind",
    "Message",
    "NodeIdentity",
    "Opened",
    "Previous",
    "Proof",
    "Statement",
    "Unproven",
    "compose",
    "compose_message",
    "follow",
    "identity_id",
    "is_key_change",
    "is_message",
    "is_release",
    "key_change",
    "log_origin",
    "mentioned",
    "open_proof",
    "open_release",
    "pointing_within",
    "public_key",
    "public_key_text",
    "read_message",
    "seal",
    "sealed_again",
    "sign_draft",
    "with_object",
]
