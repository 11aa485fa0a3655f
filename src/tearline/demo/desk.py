"""A desk over one of the demo's nodes, for who wants to see what officers see."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from tearline.adapters.officer_key import read_key
from tearline.demo.coalition import NAMES, OFFICERS
from tearline.demo.run import Failed, started
from tearline.doors.desk import Role
from tearline.node import Node, progress, referral
from tearline.node.people import People
from tearline.terms import BadInput, Party

BY = "demo"
ROLES = dict(
    zip(
        OFFICERS,
        (
            frozenset({Role.ANALYST, Role.OFFICER, Role.SOURCE_HANDLER, Role.AUDITOR}),
            frozenset({Role.OFFICER, Role.ADMINISTRATOR}),
        ),
        strict=True,
    )
)
"""The first sees all that the node does, the second also keeps the accounts: two can approve together."""
_OPEN = "the desk is open: "


class OpenDesk(msgspec.Struct, frozen=True, kw_only=True):
    """A desk that is served, and how its people get in."""

    party: Party
    address: str
    links: dict[str, str]
    """By account: the address where its person chooses how to log in. Works once."""
    passphrase: str
    """Of the signing keys that the desk has of both officers."""


def with_most_to_see(homes: Mapping[Party, Path]) -> Party:
    """The node with the most referrals; of several, the one that holds the most."""

    def weight(party: Party) -> tuple[int, int]:
        with Node.open(homes[party]) as node:
            return referral.count(node), progress(node).products

    return max(homes, key=weight)


@contextmanager
def open_desk(folder: Path, party: Party) -> Iterator[OpenDesk]:
    """Serve the desk of `party`, one of the nodes in `folder`, in a process of its own, with its officers'
    accounts. Raises `BadInput` where its libraries are missing, `Failed` where it does not start."""
    home, passphrase = folder / party, secrets.token_hex(8)
    ends = _accounts(home, folder / "officers" / party, passphrase)
    with started(home, "desk", "serve") as process:
        said = process.stdout.readline() if process.stdout else ""
        if not said.startswith(_OPEN):
            raise Failed(f"the desk of {NAMES[party]} did not start: see {home / 'desk-serve.log'}")
        address = said.removeprefix(_OPEN).strip()
        links = {name: f"{address}/login/enrol/{end}" for name, end in ends.items()}
        yield OpenDesk(party=party, address=address, links=links, passphrase=passphrase)


def _accounts(home: Path, keys: Path, passphrase: str) -> dict[str, str]:
    """An account for each officer, with their signing key; what their enrolment links end with."""
    try:
        from tearline.doors.desk.access import keep_key  # noqa: PLC0415 (an extra)
    except ModuleNotFoundError as error:
        reason = f"{error.name} is not installed"
        raise BadInput("the desk", "", reason, "pip install 'tearline[desk]'") from None
    sealed = BestAvailableEncryption(passphrase.encode())
    with Node.open(home) as node, closing(People(node)) as people:
        ends = {name: people.add(name, roles, by=BY) for name, roles in ROLES.items()}
        for name in ends:
            key = read_key(keys / f"{name}.pem", lambda: "")
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed)
            keep_key(people, name, pem, passphrase, by=BY)
        return ends
