"""Officers and their approvals: what one person must not do alone, the quorum does.

An approval is a signature over one act on one subject at this node. It counts while its officer is one and
has the key that signed it, whoever carried it here. The register of officers guards itself: once as many
officers as the quorum are there, each change of it needs the approvals of the quorum, and it never falls
below the quorum again.
"""

from __future__ import annotations

import base64
import binascii
import re
import shlex
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from tearline import deliver
from tearline.adapters import store
from tearline.adapters.store import Approval, Officer
from tearline.ledger import Act, canonical
from tearline.node.opened import Node
from tearline.terms import BadInput, Party, Refused

ADD, REMOVE = "officer-add", "officer-remove"
AHEAD = timedelta(minutes=5)
"""How far an officer's clock may be ahead of the node's."""

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Given(msgspec.Struct, frozen=True):
    """An approval that was taken in, and why it was given. `stands`: it counts today."""

    approval: Approval
    why: str
    stands: bool


def sign_approval(
    node_party: Party, officer: str, key: Ed25519PrivateKey, *, act: str, subject: str, at: datetime
) -> Approval:
    """An officer's yes. It needs no node: it is made on the officer's own machine."""
    unsigned = Approval(officer, act, subject, store.stamp(at.astimezone(UTC)), "")
    signature = key.sign(_signed(node_party, unsigned))
    return msgspec.structs.replace(unsigned, signature=base64.b64encode(signature).decode())


def approve(node: Node, approval: Approval, why: str) -> int:
    """Take an approval in; returns how many distinct officers have approved this act on this subject now.

    Raises `Refused` where the officer is none today or has not signed it. Taken in again it changes nothing.
    """
    with node.writing() as db:
        take_approval(node, db, approval, why)
        return len(standing(node, db, act=approval.act, subject=approval.subject))


def take_approval(node: Node, db: Connection, approval: Approval, why: str) -> bool:
    """`approve` within the transaction that is open; tells whether it was new."""
    must_say_why(why)
    key = _keys(db).get(approval.officer)
    if key is None:
        raise Refused(f"{approval.officer} is not an officer of this node")
    if not _holds(node.party, approval, key):
        raise Refused(f"the approval does not bear the signature of {approval.officer}")
    if signed_at(approval) > node.clock() + AHEAD:
        raise Refused("the approval is dated in the future: set the clock of the officer's machine")
    known = (known for known, _ in store.approvals(db, approval.act, approval.subject))
    if any((one.officer, one.at) == (approval.officer, approval.at) for one in known):
        return False
    node.record(Act.APPROVAL_GIVEN, msgspec.structs.asdict(approval) | {"why": why})
    store.add_approval(db, approval, why)
    return True


def approvers(node: Node, *, act: str, subject: str, since: datetime | None = None) -> frozenset[str]:
    """The distinct officers of today whose signed approval stands; `since`: of those made from then on.

    Every signature is verified again, with the key that the officer has today.
    """
    with node.reading() as db:
        return standing(node, db, act=act, subject=subject, since=since)


def standing(
    node: Node, db: Connection, *, act: str, subject: str, since: datetime | None = None
) -> frozenset[str]:
    """`approvers`, in the transaction that is open."""
    return frozenset(
        each.approval.officer
        for each in _given(node, db, act=act, subject=subject, since=since)
        if each.stands
    )


def given(node: Node, *, act: str, subject: str, since: datetime | None = None) -> list[Given]:
    """Every approval of this act on this subject, the oldest first, and whether it counts today."""
    with node.reading() as db:
        return _given(node, db, act=act, subject=subject, since=since)


def _given(node: Node, db: Connection, *, act: str, subject: str, since: datetime | None) -> list[Given]:
    keys = _keys(db)

    def stands(approval: Approval) -> bool:
        key = keys.get(approval.officer)
        held = key is not None and _holds(node.party, approval, key)
        return held and (since is None or signed_at(approval) >= since)

    return [Given(approval, why, stands(approval)) for approval, why in store.approvals(db, act, subject)]


def quorum(node: Node) -> int:
    """How many distinct officers must approve (`approvals` in `node.toml`)."""
    return node.home.config.approvals


def must_be_approved(
    node: Node, db: Connection, *, act: str, subject: str, since: datetime | None = None
) -> frozenset[str]:
    """Who approved, in the transaction that is open. Raises `Refused` where that is no quorum."""
    given, needed = standing(node, db, act=act, subject=subject, since=since), quorum(node)
    if len(given) < needed:
        by = f" ({', '.join(sorted(given))})" if given else ""
        raise Refused(
            f"{len(given)} of {needed} officers{by} have approved it; "
            f"each approves with: tearline officer approve {act} {shlex.quote(subject)}"
        )
    return given


def must_be_officer(db: Connection, name: str) -> None:
    """Raises `Refused` where `name` is not an officer today."""
    if name not in _keys(db):
        raise Refused(f"{name} is not an officer of this node")


def must_say_why(why: str) -> None:
    """Raises `BadInput` where the reason of a step is empty or not one line."""
    if not why.strip() or not why.isprintable():
        raise BadInput("--why", "", "it gives no reason on one line", "say why, in one sentence")


def signed_at(approval: Approval) -> datetime:
    """When it was signed. Raises `Refused` where that is no instant in UTC, spelt as `sign_approval` does."""
    try:
        instant = datetime.fromisoformat(approval.at)
        if store.stamp(instant.astimezone(UTC)) == approval.at:
            return instant
    except (ValueError, OverflowError):
        pass
    raise Refused("the approval does not say when it was signed")


# --- The register ---------------------------------------------------------------------------------


def officers(node: Node) -> list[Officer]:
    """The officers of today."""
    with node.reading() as db:
        return [officer for officer in store.officers(db) if officer.removed_at is None]


def add_officer(node: Node, name: str, key: str, *, by: str, why: str) -> Officer:
    """Add an officer. `by`: who does it; at the founding, while they are fewer than the quorum, anybody.

    Raises `Refused` where the quorum has not approved it, the name is taken, or the key was ever in use:
    one person is one officer.
    """
    if _NAME.fullmatch(name) is None:
        raise BadInput("officer", "", f"{name!r} is not a code in kebab-case", "use one such as heron-3")
    deliver.public_key(key)
    must_say_why(why)
    with node.writing() as db:
        everybody = store.officers(db)
        if any(officer.name == name and officer.removed_at is None for officer in everybody):
            raise Refused(f"there is an officer {name} already")
        if any(officer.key == key for officer in everybody):
            raise Refused("this key is or was another officer's: every officer has a key of their own")
        given, founded = frozenset[str](), store.is_founded(db)
        if founded:
            must_be_officer(db, by)
            given = must_be_approved(node, db, act=ADD, subject=_change(db, name, key))
        at = store.stamp(node.clock())
        node.record(Act.OFFICER_ADDED, _body(name, key, by, why, given))
        founds = not founded and len(everybody) + 1 >= quorum(node)
        store.add_officer(db, name, key, at, founds=founds)
    return Officer(name, key, at)


def remove_officer(node: Node, name: str, *, by: str, why: str) -> None:
    """Remove an officer: approvals that it gave no longer count. Raises `Refused` like `add_officer`."""
    must_say_why(why)
    with node.writing() as db:
        must_be_officer(db, by)
        key = _keys(db).get(name)
        if key is None:
            raise Refused(f"{name} is not an officer of this node")
        if len(_keys(db)) <= quorum(node):
            raise Refused(f"there would be fewer than {quorum(node)} officers: add another one first")
        given = must_be_approved(node, db, act=REMOVE, subject=_change(db, name, None))
        node.record(Act.OFFICER_REMOVED, _body(name, key, by, why, given))
        store.remove_officer(db, name, store.stamp(node.clock()))


def _change(db: Connection, name: str, key: str | None) -> str:
    """What officers sign. It names the change by number, so that no approval is ever used twice."""
    number = store.register_number(db) + 1
    return f"{name} {key} change {number}" if key else f"{name} change {number}"


def _body(name: str, key: str, by: str, why: str, given: frozenset[str]) -> dict[str, Any]:
    return {"officer": name, "key": key, "by": by, "why": why, "approved_by": sorted(given)}


# --- Signatures -----------------------------------------------------------------------------------


def _keys(db: Connection) -> dict[str, str]:
    return {officer.name: officer.key for officer in store.officers(db) if officer.removed_at is None}


def _signed(party: Party, approval: Approval) -> bytes:
    fields = msgspec.structs.asdict(approval) | {"party": party}
    del fields["signature"]
    return canonical(fields)


def _holds(party: Party, approval: Approval, key: str) -> bool:
    try:
        signature = base64.b64decode(approval.signature, validate=True)
        deliver.public_key(key).verify(signature, _signed(party, approval))
    except (binascii.Error, ValueError, InvalidSignature, BadInput):
        return False
    return True
