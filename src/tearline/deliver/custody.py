"""The chain of custody: what an originator signed of its own product travels with every copy (law 4).

With each release goes a `Custody`: its originator's signed statement on the core of the object, which is its
content without the markings, that are made anew for each recipient, and without our extensions. Who passes
the object on leaves it as it is, and adds the consent of the originator, and of every other owner, for this
holder and this recipient. So it cannot be changed, nor given a wider label, on the way.

A text that the giver made itself (a tearline) the giver signs for itself, and names in it whose information
it holds; the consents of these owners must allow tearlines.

`tearline.deliver.admit` checks all that at the recipient.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal, get_args

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tearline.deliver import dsse
from tearline.deliver.extension import EXTENSION, RECALL
from tearline.deliver.file import is_file_report
from tearline.ledger import canonical
from tearline.terms import BadInput, Broken, Category, Label, Party, Topic

PAYLOAD_TYPE = "application/vnd.tearline.custody+json"
Handling = Literal["onward only with the originator's consent"]
(HANDLING,) = get_args(Handling)
_OURS = frozenset({EXTENSION, RECALL})
"""What each giver says itself: how it was released, and whether it was recalled or revised."""
_MARKS = frozenset({"object_marking_refs", "granular_markings"})
_INNER = re.compile(r"\([^()\n]*//[^()\n]*\)")
_NAMES = frozenset({"id", "created", "modified", "created_by_ref", "published"})


class Custody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an originator states of an object that it made."""

    originator: Party
    object_id: str
    version: str | None
    core: str
    """SHA-256 of the object's core in RFC 8785 form, hexadecimal."""
    category: Category
    """`REPORT` or `CYBER`, as the object travels."""
    topics: frozenset[Topic]
    label: Label
    """The originator's own, its lists cut to the owners: who else is on them is nobody's business (law 5)."""
    handling: Handling
    first_recipient: Party
    issued: str

    @property
    def owners(self) -> frozenset[Party]:
        """All whose information is in it."""
        return self.label.owners | self.label.consent | {self.originator}


class Chain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What travels with an object: its originator's signed `Custody`, and the consents that let it go on."""

    custody: dsse.Envelope
    consents: list[dsse.Envelope] = []

    def digest(self) -> str:
        """SHA-256, hexadecimal: what the giver signs of it."""
        return sha256(canonical(msgspec.to_builtins(self))).hexdigest()


def core_digest(item: Mapping[str, Any]) -> str:
    """The digest of an object's core. Raises `BadInput` where it has no canonical form."""
    return sha256(canonical(_without(item, _MARKS))).hexdigest()


def substance_digest(item: Mapping[str, Any]) -> str:
    """The same for objects that differ in no more than marks, id, times and whom they name as creator.

    The marks in a report's text are cut to its recipient, so they differ too.
    """
    rest = _without(item, _MARKS | _NAMES)
    words = {name: _INNER.sub("", value) for name, value in rest.items() if isinstance(value, str)}
    return sha256(canonical(rest | words)).hexdigest()


def _without(item: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    if is_file_report(item):
        names |= {"object_refs"}  # they name the file as one recipient knows it; its digest is in the core
    rest = {name: value for name, value in item.items() if name not in names and name != "extensions"}
    extensions = {name: body for name, body in (item.get("extensions") or {}).items() if name not in _OURS}
    return rest | ({"extensions": extensions} if extensions else {})


def category_of(object_id: str) -> Category:
    """The category as which an object travels: what it was made of (a picture, an intercept) is not told."""
    return Category.REPORT if object_id.startswith("report--") else Category.CYBER


def state(
    item: Mapping[str, Any],
    *,
    originator: Party,
    first_recipient: Party,
    label: Label,
    topics: frozenset[Topic],
    issued: str,
) -> Custody:
    """What `originator` states of an object that it gives to `first_recipient`; `label` is its own, whole."""
    own = label.owners | label.consent | {originator}
    return Custody(
        originator=originator,
        object_id=item["id"],
        version=item.get("modified", item.get("created")),
        core=core_digest(item),
        category=category_of(item["id"]),
        topics=topics,
        label=msgspec.structs.replace(
            label,
            owners=own,
            release=None if label.release is None else label.release & own,
            display=None if label.display is None else label.display & own,
            info=frozenset(),
        ),
        handling=HANDLING,
        first_recipient=first_recipient,
        issued=issued,
    )


def sign_custody(custody: Custody, key: Ed25519PrivateKey) -> dsse.Envelope:
    """The statement as it travels."""
    return dsse.sign(PAYLOAD_TYPE, canonical(msgspec.to_builtins(custody, order="deterministic")), key)


def custody_in(envelope: dsse.Envelope) -> Custody:
    """What a custody statement says, whoever signed it. Raises `Broken`."""
    try:
        custody = _decode(envelope.payload)
        exact = canonical(msgspec.to_builtins(custody, order="deterministic")) == envelope.payload
    except (msgspec.DecodeError, BadInput):
        raise Broken("a custody statement cannot be read") from None
    if not exact:
        raise Broken("a custody statement is not in its one spelling")
    return custody


def verify_custody(envelope: dsse.Envelope, keys: Sequence[Ed25519PublicKey]) -> None:
    """Raises `Broken` where none of the originator's `keys` signed it."""
    dsse.verify(envelope, keys, PAYLOAD_TYPE)


_decode = msgspec.json.Decoder(Custody).decode
