"""Seals a draft into a release that its recipient can check by itself, and opens a received one.

The giver signs a statement (who gives which content to whom), puts the statement's bytes into its log to that
recipient, and lets statement, checkpoint and inclusion proof travel in the object.

`open_release` checks, in this order, and raises `Unproven` at the first that fails:

1. `extension`   the object carries our extension, whole and in its one spelling.
2. `signature`   the statement is signed with the giver's key.
3. `parties`     it names this giver and this recipient.
4. `digest`      it is about this object: its id, its version, the digest of all its content, and its custody.
5. `checkpoint`  the checkpoint is signed with the giver's key, and is of the giver's log to this recipient.
6. `inclusion`   the statement is in that log.

Whose the object is, and whether the giver may pass it on, `admit` checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal

import msgspec
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tearline.deliver import dsse
from tearline.deliver.compose import Draft
from tearline.deliver.custody import Chain
from tearline.deliver.extension import EXTENSION
from tearline.ledger import (
    Checkpoint,
    Verifier,
    canonical,
    leaf_hash,
    open_note,
    public_key_text,
    verify_inclusion,
)
from tearline.terms import BadInput, Broken, Party

PAYLOAD_TYPE = "application/vnd.tearline.release+json"


class Unproven(Broken):
    """A received object that is not a valid release. `check` and `code` are those of the list above."""

    def __init__(self, check: int, code: str, reason: str) -> None:
        self.check, self.code = check, code
        super().__init__(f"not a valid release: {reason} (check {check}, {code})")


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the giver signs and logs. Field by field as in `Draft`."""

    release_id: str
    giver: Party
    recipient: Party
    object_id: str
    version: str | None
    digest: str
    issued: str
    chain: str | None = None
    """`Chain.digest`: with which custody the giver gave it."""


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A release that holds: what was stated, and the object without our extension."""

    statement: Statement
    object: dict[str, Any]
    key: str = ""
    """The key that signed it, base64."""
    chain: Chain | None = None


class _Inclusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    index: int
    proof: list[bytes]


class _Extension(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    extension_type: Literal["property-extension"] = "property-extension"
    dsse: dsse.Envelope
    inclusion: _Inclusion
    checkpoint: str
    chain: Chain | None = None


def log_origin(giver: Party, recipient: Party) -> str:
    """The name of the log of all that `giver` released to `recipient`."""
    return f"{giver}/{recipient}/out"


def sign_draft(draft: Draft, *, giver: Party, key: Ed25519PrivateKey) -> dsse.Envelope:
    """The signed statement on `draft`. Its payload is what goes into the log."""
    statement = Statement(
        release_id=draft.release_id,
        giver=giver,
        recipient=draft.recipient,
        object_id=draft.object_id,
        version=draft.version,
        digest=draft.digest,
        issued=draft.issued,
        chain=None if draft.chain is None else draft.chain.digest(),
    )
    return dsse.sign(PAYLOAD_TYPE, canonical(msgspec.structs.asdict(statement)), key)


def seal(
    draft: Draft, envelope: dsse.Envelope, *, checkpoint: str, index: int, proof: Sequence[bytes]
) -> bytes:
    """The object to be given, as JSON. `index` and `proof` are of the log that `checkpoint` signs."""
    ours = _Extension(
        dsse=envelope, inclusion=_Inclusion(index, list(proof)), checkpoint=checkpoint, chain=draft.chain
    )
    extensions = draft.object.get("extensions", {}) | {EXTENSION: msgspec.to_builtins(ours)}
    return orjson.dumps(draft.object | {"extensions": extensions})


def is_release(item: Mapping[str, Any]) -> bool:
    """Whether a STIX object claims to be one; `open_release` tells whether it is."""
    extensions = item.get("extensions")
    return isinstance(extensions, Mapping) and EXTENSION in extensions


def open_release(
    item: Mapping[str, Any],
    *,
    giver: Party,
    key: Ed25519PublicKey,
    recipient: Party,
    former: Sequence[Ed25519PublicKey] = (),
) -> Opened:
    """The release in a received STIX object. Raises `Unproven`; see the module for the checks.

    `former`: keys that the giver signed with before.
    """
    with check(1, "extension", "its extension cannot be read"):
        extension = _extension(item)
    with check(2, "signature", "the giver did not sign it"):
        payload, signer = dsse.verified(extension.dsse, [key, *former], PAYLOAD_TYPE)
        statement = msgspec.json.decode(payload, type=Statement)
    with check(3, "parties", "it was given by, or to, someone else"):
        must((statement.giver, statement.recipient) == (giver, recipient))
    with check(4, "digest", "its content is not what was signed"):
        content = _without_ours(item)
        named = (content.get("id"), content.get("modified", content.get("created")))
        must(named == (statement.object_id, statement.version))
        must(sha256(canonical(content)).hexdigest() == statement.digest)
        must((extension.chain and extension.chain.digest()) == statement.chain)
    with check(5, "checkpoint", "its checkpoint is not of the giver's log"):
        log = _log(extension.checkpoint, giver, _raw(key, *former), recipient)
    with check(6, "inclusion", "the giver's log does not record it"):
        inclusion = extension.inclusion
        verify_inclusion(leaf_hash(payload), inclusion.index, log.size, inclusion.proof, log.root)
    return Opened(statement=statement, object=content, chain=extension.chain, key=public_key_text(signer))


def _raw(*keys: Ed25519PublicKey) -> tuple[bytes, ...]:
    return tuple(key.public_bytes_raw() for key in keys)


@lru_cache(maxsize=256)
def _log(note: str, giver: Party, keys: tuple[bytes, ...], recipient: Party) -> Checkpoint:
    """The giver's log; remembered, for all releases of a batch carry the same note."""
    key, *former = (Ed25519PublicKey.from_public_bytes(each) for each in keys)
    verifier = Verifier(giver, key, tuple(former))
    return open_note(note, verifier, origin=log_origin(giver, recipient))


@contextmanager
def check(number: int, code: str, reason: str) -> Iterator[None]:
    """Whatever is wrong inside: `Unproven`, for this reason."""
    try:
        yield
    except (Broken, BadInput, msgspec.DecodeError):
        raise Unproven(number, code, reason) from None


def must(holds: bool) -> None:
    """Raises `Broken` where it does not hold."""
    if not holds:
        raise Broken("it does not hold")


def _extension(item: Mapping[str, Any]) -> _Extension:
    raw = item["extensions"][EXTENSION] if is_release(item) else None
    extension = msgspec.convert(raw, _Extension)
    must(msgspec.to_builtins(extension) == raw)  # base64 has more than one spelling of the same bytes
    return extension


def _without_ours(item: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: body for name, body in item["extensions"].items() if name != EXTENSION}
    content = {name: value for name, value in item.items() if name != "extensions"}
    return content | ({"extensions": rest} if rest else {})
