"""A partner's new key: said by the old one, agreed to by the new one."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from tearline.deliver.message import Kind, is_message, read_message
from tearline.deliver.seal import Opened
from tearline.ledger import canonical, public_key, public_key_text
from tearline.terms import BadInput, Broken, Partner, Party


def key_change(party: Party, old: str, new: Ed25519PrivateKey) -> dict[str, Any]:
    """The body of the message that `party` signs with another key from now on; `old` is base64."""
    following = public_key_text(new.public_key())
    agreed = base64.b64encode(new.sign(_said(party, old, following))).decode()
    return {"from": old, "to": following, "agreed": agreed}


def is_key_change(release: Opened) -> bool:
    return is_message(release.object) and release.object.get("kind") == Kind.KEY_CHANGE


def follow(partner: Partner, release: Opened) -> Partner:
    """The partner with its new key. Raises `Broken` where its key of today did not sign the change, the new
    one does not agree, or the new one was revoked here."""
    body = read_message(release.object).body
    old, new, agreed = (body.get(name) for name in ("from", "to", "agreed"))
    if not (isinstance(old, str) and isinstance(new, str) and isinstance(agreed, str)):
        raise Broken("a change of keys is not whole")
    if not partner.signing_key == old == release.key or new in partner.revoked_keys:
        raise Broken("a change of keys is not from the key that the partner has today")
    try:
        public_key(new).verify(base64.b64decode(agreed, validate=True), _said(partner.party, old, new))
    except (InvalidSignature, binascii.Error, BadInput):
        raise Broken("a change of keys is not agreed to by the new key") from None
    return replace(partner, signing_key=new, former_keys=(*partner.former_keys, old))


def _said(party: Party, old: str, new: str) -> bytes:
    return canonical({"act": "tearline key change", "party": party, "from": old, "to": new})
