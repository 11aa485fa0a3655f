"""The life that an agreement goes through before it decides, in one call: officers, review, approvals."""

from __future__ import annotations

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tearline import deliver
from tearline.agreement import Agreement
from tearline.agreement.proof import Answer, Proof, Status
from tearline.node import Node, agreements, sign_approval
from tearline.node.officers import add_officer, officers
from tearline.node.officers import approve as officers_approve
from tearline.review import Changes

OFFICERS = ("heron-1", "heron-2")
WHY = "Example."


def key_of(officer: str) -> Ed25519PrivateKey:
    """The key of an officer, the same for the same name."""
    return Ed25519PrivateKey.from_private_bytes(sha256(officer.encode()).digest())


def public_key_of(officer: str) -> str:
    return deliver.public_key_text(key_of(officer).public_key())


def found(node: Node) -> None:
    """Give the node its two first officers, where it has none yet."""
    if not officers(node):
        for name in OFFICERS:
            add_officer(node, name, public_key_of(name), by="founding", why=WHY)


def approve(node: Node, act: str, subject: str, *names: str) -> None:
    """These officers approve; both where none is named."""
    for name in names or OFFICERS:
        signed = sign_approval(node.party, name, key_of(name), act=act, subject=subject, at=node.clock())
        take_in = agreements.approve if act == "adopt" else officers_approve
        take_in(node, signed, WHY)


def proved(node: Node, agreement: Agreement, status: Status = Status.PROVED) -> Proof:
    """In the place of the prover: the charter is said to be kept, or not, or nothing is known."""
    return Proof(
        own=node.party,
        agreement=agreement.id,
        version=agreement.version,
        against=tuple(sorted(f"{each.id} {each.version}" for each in node.agreements)),
        since=node.clock(),
        answers=(Answer(question="charter", about="C1", status=status, sentence="Example."),),
    )


def replayed(node: Node, agreement: Agreement) -> Changes:
    """In the place of the replay: nothing would have been other."""
    return Changes(
        own=node.party, present=(), proposed=(agreement.version,), items=0, totals=(), cells=(), examples=()
    )


def adopt(node: Node, agreement: Agreement) -> Agreement:
    """Put a version in force in the one way that there is."""
    found(node)
    by, version = OFFICERS[0], agreement.version
    agreements.propose(node, agreement, officer=by, why=WHY)
    agreements.review(node, version, officer=by, why=WHY)
    approve(node, "adopt", version)
    return agreements.adopt(node, version, officer=by, why=WHY)
