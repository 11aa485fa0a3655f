"""Joining: what a node gives to those who want it as a partner, and how they know that it is genuine.

An invitation is a file: the node's card and the newest checkpoint of its private log, signed with the key in
the card. Whoever intercepts the file can put another card in it, so its SHA-256 is read out over another way
as a phrase of four words. A word stands for 16 bits (proquints: D. S. Wilkerson, 2009), a phrase for 64: to
find another invitation with the same phrase takes 2^63 tries.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec

from tearline import deliver
from tearline.deliver import Envelope, dsse
from tearline.ledger import Checkpoint, Verifier, canonical, open_note
from tearline.node.opened import Node
from tearline.node.relations import Card
from tearline.terms import BadInput, Broken, Party, Refused

PAYLOAD_TYPE = "application/vnd.tearline.invitation+json"
WORDS = 4
MAX_FILE = 256 * 1024
_CONSONANTS, _VOWELS = "bdfghjklmnprstvz", "aiou"
_AGAIN = "ask for a new one"


class Invitation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who invites, until when, and the state of its private log. Public, but for its integrity."""

    card: Card
    checkpoint: str
    """C2SP note of the log `PARTY/ledger`: kept, so that a later rewriting of that log can be shown."""
    recipient: Party = ""
    """Whom it is for; empty where it is for anybody."""
    expires: str


def invite(node: Node, *, recipient: Party = "", valid: timedelta = timedelta(days=14)) -> bytes:
    """A fresh invitation, as the bytes of its file."""
    with node.writing() as db:
        checkpoint = node.log.checkpoint(db, node.home.signing_key)
    invitation = Invitation(
        card=Card.of(node),
        checkpoint=checkpoint,
        recipient=recipient,
        expires=(node.clock() + valid).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    payload = canonical(msgspec.to_builtins(invitation))
    return msgspec.json.encode(dsse.sign(PAYLOAD_TYPE, payload, node.home.signing_key)) + b"\n"


def read_invitation(path: Path) -> tuple[Invitation, str]:
    """The invitation in a file, and its phrase. Raises `BadInput` where it is none, or was altered."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise BadInput(str(path), "", f"it cannot be read ({error.strerror})") from None
    try:
        envelope = msgspec.json.decode(data, type=Envelope)
        invitation = msgspec.json.decode(envelope.payload, type=Invitation)
        key = deliver.public_key(invitation.card.signing_key)
        dsse.verify(envelope, [key], PAYLOAD_TYPE)
        _must_be_canonical(envelope.payload, invitation)
        _checkpoint(invitation)
    except (msgspec.DecodeError, UnicodeDecodeError, BadInput, Broken):
        raise BadInput(
            str(path), "", "this is not a partner's invitation, or it was altered", _AGAIN
        ) from None
    invitation.card.check()
    return invitation, phrase(envelope.payload)


def accepted(node: Node, invitation: Invitation, phrase: str, heard: str) -> Card:
    """The card, if this invitation may be taken up here and now. Raises `Refused` otherwise.

    `heard`: the phrase as the partner said it, in any case, with spaces or hyphens between its words.
    """
    if invitation.recipient not in ("", node.party):
        raise Refused(f"this invitation is for {invitation.recipient}")
    if datetime.fromisoformat(invitation.expires) <= node.clock():
        raise Refused(f"this invitation ended at {invitation.expires}; {_AGAIN}")
    said = "-".join(heard.lower().replace("-", " ").split())
    if not hmac.compare_digest(said.encode(), phrase.encode()):
        raise Refused("the phrase is not that of this invitation: it may have been replaced on its way")
    return invitation.card


def phrase(payload: bytes) -> str:
    """Four words for the SHA-256 of an invitation."""
    digest = sha256(payload).digest()
    return "-".join(_word(int.from_bytes(digest[2 * at : 2 * at + 2], "big")) for at in range(WORDS))


def _must_be_canonical(payload: bytes, invitation: Invitation) -> None:
    if canonical(msgspec.to_builtins(invitation)) != payload:
        raise Broken("it has more than one spelling")


def _word(number: int) -> str:
    """A proquint: consonant, vowel, consonant, vowel, consonant, from the highest bits on."""
    parts = ((12, _CONSONANTS), (10, _VOWELS), (6, _CONSONANTS), (4, _VOWELS), (0, _CONSONANTS))
    return "".join(letters[number >> shift & len(letters) - 1] for shift, letters in parts)


def _checkpoint(invitation: Invitation) -> Checkpoint:
    card = invitation.card
    verifier = Verifier(card.party, deliver.public_key(card.signing_key))
    return open_note(invitation.checkpoint, verifier, origin=f"{card.party}/ledger")
