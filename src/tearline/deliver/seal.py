"""Seals a draft into a release that its recipient can check by itself, and opens a received one.

The giver signs a statement (who gives which content to whom), puts the statement's bytes into its log to that
recipient, and lets statement, checkpoint and inclusion proof travel in the object.

`open_release` checks, in this order, and raises `Unproven` at the first that fails:

1. `extension`   the object carries our extension, whole and in its one spelling.
2. `signature`   the statement is signed with the giver's key.
3. `parties`     it names this giver and this recipient.
4. `checkpoint`  the checkpoint is signed with the giver's key, and is of the giver's log to this recipient.
5. `inclusion`   the statement is in that log.
6. `previous`    the log begins with the log as it was before.
7. `digest`      it is about this object: its id, its version, the digest of all its content, and its custody.

Whether that is the log that the recipient saw before is not asked here: see `witness`. Whose the object
is, and whether the giver may pass it on, `admit` checks.
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
    verify_consistency,
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


class Inclusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a statement is in the log, and the RFC 6962 audit path that proves it."""

    index: int
    proof: list[bytes]


class Previous(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An earlier state of the log, and the RFC 6962 consistency proof from it to the checkpoint."""

    size: int
    root: bytes
    proof: list[bytes]


class Proof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a release carries beside its content: our extension. `checkpoint` is a signed note."""

    extension_type: Literal["property-extension"] = "property-extension"
    dsse: dsse.Envelope
    inclusion: Inclusion
    checkpoint: str
    previous: Previous
    chain: Chain | None = None


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A release that holds: what was stated, the object without our extension, and what proved it."""

    statement: Statement
    object: dict[str, Any]
    proof: Proof
    log: Checkpoint
    """The giver's log to the recipient, as the proof has it."""
    key: str
    """The key that signed it, base64."""

    @property
    def chain(self) -> Chain | None:
        """Its custody, as its giver gave it."""
        return self.proof.chain

    @property
    def logged(self) -> str:
        """SHA-256 of the statement as it is logged, hexadecimal."""
        return sha256(self.proof.dsse.payload).hexdigest()


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
    draft: Draft,
    envelope: dsse.Envelope,
    *,
    checkpoint: str,
    index: int,
    proof: Sequence[bytes],
    previous: Previous,
) -> bytes:
    """The object to be given, as JSON. `index`, `proof`, `previous`: of the log that `checkpoint` signs."""
    ours = Proof(
        dsse=envelope,
        inclusion=Inclusion(index, list(proof)),
        checkpoint=checkpoint,
        previous=previous,
        chain=draft.chain,
    )
    return _sealed(draft.object, ours)


def sealed_again(release: Opened) -> bytes:
    """An opened release as it came, as JSON: what proves to anybody that its giver gave it."""
    return _sealed(release.object, release.proof)


def _sealed(item: Mapping[str, Any], proof: Proof) -> bytes:
    extensions = item.get("extensions", {}) | {EXTENSION: msgspec.to_builtins(proof)}
    return orjson.dumps({**item, "extensions": extensions})


def is_release(item: Mapping[str, Any]) -> bool:
    """Whether a STIX object claims to be one; `open_release` tells whether it is."""
    extensions = item.get("extensions")
    return isinstance(extensions, Mapping) and EXTENSION in extensions


def open_release(
    item: Mapping[str, Any],
    *,
    giver: Party,
    keys: Sequence[Ed25519PublicKey],
    recipient: Party,
) -> Opened:
    """The release in a received STIX object. Raises `Unproven`; see the module for the checks.

    `keys`: those of the giver that count, in any order.
    """
    with check(1, "extension", "its extension cannot be read"):
        proof = _extension(item)
    signer, statement, log = _proved(proof, giver, keys, recipient)
    with check(7, "digest", "its content is not what was signed"):
        content = _without_ours(item)
        named = (content.get("id"), content.get("modified", content.get("created")))
        must(named == (statement.object_id, statement.version))
        must(sha256(canonical(content)).hexdigest() == statement.digest)
        must((proof.chain and proof.chain.digest()) == statement.chain)
    return Opened(statement=statement, object=content, proof=proof, log=log, key=public_key_text(signer))


def open_proof(
    proof: Proof,
    *,
    giver: Party,
    keys: Sequence[Ed25519PublicKey],
    recipient: Party,
) -> tuple[Statement, Checkpoint]:
    """What is proved, whatever the content: all checks but `extension` and `digest`. Raises `Unproven`."""
    _, statement, log = _proved(proof, giver, keys, recipient)
    return statement, log


def _proved(
    proof: Proof, giver: Party, keys: Sequence[Ed25519PublicKey], recipient: Party
) -> tuple[Ed25519PublicKey, Statement, Checkpoint]:
    """As `open_proof`, and which of the keys signed it."""
    with check(2, "signature", "the giver did not sign it"):
        signer, payload = dsse.signer(proof.dsse, keys, PAYLOAD_TYPE), proof.dsse.payload
        statement = msgspec.json.decode(payload, type=Statement)
    with check(3, "parties", "it was given by, or to, someone else"):
        must((statement.giver, statement.recipient) == (giver, recipient))
    with check(4, "checkpoint", "its checkpoint is not of the giver's log"):
        log = _log(proof.checkpoint, giver, _raw(keys), recipient)
    with check(5, "inclusion", "the giver's log does not record it"):
        inclusion = proof.inclusion
        verify_inclusion(leaf_hash(payload), inclusion.index, log.size, inclusion.proof, log.root)
    with check(6, "previous", "the giver's log does not begin with what it was before"):
        before = proof.previous
        _grown(before.size, before.root, tuple(before.proof), log)
    return signer, statement, log


def _raw(keys: Sequence[Ed25519PublicKey]) -> tuple[bytes, ...]:
    return tuple(key.public_bytes_raw() for key in keys)


@lru_cache(maxsize=256)
def _log(note: str, giver: Party, keys: tuple[bytes, ...], recipient: Party) -> Checkpoint:
    """The giver's log; remembered, for all releases of a batch carry the same note."""
    key, *former = (Ed25519PublicKey.from_public_bytes(each) for each in keys)
    verifier = Verifier(giver, key, tuple(former))
    return open_note(note, verifier, origin=log_origin(giver, recipient))


@lru_cache(maxsize=256)
def _grown(size: int, root: bytes, proof: tuple[bytes, ...], log: Checkpoint) -> None:
    """Raises `Broken` unless `log` grew out of that of `size` and `root`; once for all of a batch."""
    must(size < log.size)
    verify_consistency(size, log.size, root, log.root, proof)


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


def _extension(item: Mapping[str, Any]) -> Proof:
    raw = item["extensions"][EXTENSION] if is_release(item) else None
    extension = msgspec.convert(raw, Proof)
    must(msgspec.to_builtins(extension) == raw)  # base64 has more than one spelling of the same bytes
    return extension


def _without_ours(item: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: body for name, body in item["extensions"].items() if name != EXTENSION}
    content = {name: value for name, value in item.items() if name != "extensions"}
    return content | ({"extensions": rest} if rest else {})
