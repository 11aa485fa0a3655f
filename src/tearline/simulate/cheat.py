"""A member that cheats: what it sends beside what its node gives. Nobody honest may take any of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from random import Random

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tearline import deliver
from tearline.adapters.view import OUT
from tearline.deliver.extension import EXTENSION
from tearline.deliver.taxii import Query
from tearline.ledger import Checkpoint, canonical, sign, tree
from tearline.simulate.laws import Observer
from tearline.simulate.member import Member
from tearline.terms import Party

KINDS = ("tampered", "forged signature", "not in its log", "another's release", "another's id", "replay")
_ALL = Query(versions=("all",))


class Cheat:
    """One member is the cheat for the whole run. Its own node is honest; its courier is not."""

    def __init__(self, members: Mapping[Party, Member], observer: Observer, draw: Random) -> None:
        self._members, self._observer, self._draw = members, observer, draw
        self.party = draw.choice(list(members))
        observer.cheats.add(self.party)

    def attempt(self, at: datetime) -> tuple[str, Party, Party, list[bytes]] | None:
        """(kind, giver, taker, objects) of one attempt; `None` where there is nothing to cheat with."""
        member, draw = self._members[self.party], self._draw
        if not member.up:
            return None
        taker = draw.choice(sorted(member.node.partners))
        kind = draw.choice(KINDS)
        body = self._body(kind, member, taker, at)
        return None if body is None else (kind, self.party, taker, [body])

    def _body(self, kind: str, member: Member, taker: Party, at: datetime) -> bytes | None:
        if kind == "another's id":
            return self._under_anothers_id(member, taker, at)
        if kind in ("forged signature", "not in its log"):
            return self._sealed(kind, member, taker, at)
        others = [party for party in sorted(member.node.partners) if party != taker]
        of = taker if kind != "another's release" or not others else self._draw.choice(others)
        page = member.node.view(of).page(OUT, _ALL, after=-1, limit=10_000)
        released = [body for body in page.items if EXTENSION.encode() in body]
        if not released:
            return None
        body = self._draw.choice(released)
        if kind != "tampered":
            return body
        item = orjson.loads(body)
        item["name"] = f"Changed {self._forged()}"
        item["id"] = f"{item['type']}--{self._uuid()}"
        return orjson.dumps(item)

    def _sealed(self, kind: str, member: Member, taker: Party, at: datetime) -> bytes:
        item = self._item(self._forged(), f"malware--{self._uuid()}", at)
        key = member.home.signing_key
        if kind == "forged signature":
            key = Ed25519PrivateKey.from_private_bytes(self._draw.randbytes(32))
        return _seal(member, taker, item, at, key, in_log=kind != "not in its log")

    def _under_anothers_id(self, member: Member, taker: Party, at: datetime) -> bytes | None:
        """A release of its own under the id of what a third one made, in a log with another history."""
        theirs = [
            item
            for item in list(self._observer.items.values())[-50:]
            if item.owner not in (self.party,) and item.category == "cyber"
        ]
        if not theirs:
            return None
        token = self._token()
        self._observer.borrowed[token] = self.party
        item = self._item(token, self._draw.choice(theirs).id, at)
        return _seal(member, taker, item, at, member.home.signing_key, in_log=True)

    def _item(self, token: str, name: str, at: datetime) -> dict[str, object]:
        stamp = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return {
            "type": "malware",
            "spec_version": "2.1",
            "id": name,
            "created": "2026-01-01T00:00:00.000Z",
            "modified": stamp,
            "name": f"Loud Heron {token}",
            "is_family": False,
            "object_marking_refs": ["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"],
        }

    def _forged(self) -> str:
        token = self._token()
        self._observer.forged.add(token)
        return token

    def _token(self) -> str:
        return f"TK{self._draw.getrandbits(40):010X}"

    def _uuid(self) -> str:
        text = f"{self._draw.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def _seal(
    member: Member,
    taker: Party,
    item: dict[str, object],
    at: datetime,
    key: Ed25519PrivateKey,
    *,
    in_log: bool,
) -> bytes:
    """Seal an object in a log of its own making, that has it as its only entry, or has another."""
    draft = deliver.Draft(
        release_id=sha256(canonical(item)).hexdigest(),
        recipient=taker,
        object_id=str(item["id"]),
        version=str(item["modified"]),
        issued=at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        digest=sha256(canonical(item)).hexdigest(),
        object=item,
        supporting=(),
    )
    envelope = deliver.sign_draft(draft, giver=member.party, key=key)
    leaf = tree.leaf_hash(envelope.payload if in_log else b"another entry")
    growing = tree.CompactRange()
    growing.append(leaf)
    origin = deliver.log_origin(member.party, taker)
    note = sign(Checkpoint(origin, 1, growing.root()), key, member.party)
    before = deliver.Previous(0, tree.EMPTY_ROOT, [])
    return deliver.seal(draft, envelope, checkpoint=note, index=0, proof=[], previous=before)
