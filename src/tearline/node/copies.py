"""What shows that a recipient has just this copy of a text, so that nobody is framed, its giver not able to.

The giver signed and logged a statement with the digest of the object; the recipient receipted the digest of
the statement. The marked text that is made again from the form must be the one in that object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import orjson
from sqlalchemy import Connection

from tearline.adapters import store
from tearline.deliver import Opened
from tearline.node.marks import key_of, text_of
from tearline.node.opened import Node
from tearline.node.partner_record import Keys, receipts_of
from tearline.terms import Broken, Party, Refused


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One copy, and what is in hand about it. Digests are SHA-256, hexadecimal."""

    partner: Party
    release: str
    form: str
    mode: str
    delivered: str | None
    """When it went into the partner's view, RFC 3339; `None` while it waits."""
    object: str | None = None
    """The digest of the released object, as its signed statement says."""
    statement: str | None = None
    """The digest of the statement: what a receipt names."""
    made_again: bool | None = None
    """Whether the text made again is the one that was released; `None` where that is not at hand."""
    receipt: str | None = None
    """The receipt that commits the recipient to this statement."""
    receipted: str | None = None
    """When, by the recipient's own clock."""


class _Receipt(NamedTuple):
    name: str
    at: str
    statement: str


def shown(
    node: Node,
    db: Connection,
    forms: Mapping[str, store.Form],
    copies: Iterable[store.Delivered],
) -> list[Shown]:
    """What is in hand about these copies of `forms` (by their ids)."""
    by_partner: dict[Party, list[store.Delivered]] = {}
    for each in copies:
        by_partner.setdefault(each.copy.partner, []).append(each)
    found = []
    for party, its in sorted(by_partner.items()):
        found += _of_partner(node, db, forms, party, its)
    return found


def _of_partner(
    node: Node,
    db: Connection,
    forms: Mapping[str, store.Form],
    party: Party,
    copies: Sequence[store.Delivered],
) -> list[Shown]:
    key = key_of(node)
    names = [each.copy.release_id for each in copies]
    try:
        keys = Keys(node, party)
    except Refused:  # nobody's view can be read without their keys
        released, receipted = dict[str, Opened](), dict[str, _Receipt]()
    else:
        released = dict(_released(node, party, keys, names))
        receipted = _receipted(node, db, party, keys)
    found = []
    for each in copies:
        name = each.copy.release_id
        opened, receipt = released.get(name), receipted.get(name)
        made = text_of(key, forms[each.copy.form], each.copy)
        # A receipt of another statement commits to nothing here.
        if opened is None or receipt is None or receipt.statement != opened.logged:
            receipt = None
        found.append(
            Shown(
                partner=party,
                release=name,
                form=each.copy.form,
                mode=each.copy.mode,
                delivered=each.at,
                object=None if opened is None else opened.statement.digest,
                statement=None if opened is None else opened.logged,
                made_again=None if opened is None else opened.object.get("description") == made,
                receipt=None if receipt is None else receipt.name,
                receipted=None if receipt is None else receipt.at,
            )
        )
    return found


def _released(node: Node, party: Party, keys: Keys, names: Sequence[str]) -> Iterable[tuple[str, Opened]]:
    """The releases as they stand in the view, each checked again."""
    for name, body in node.view(party).objects_of(names).items():
        try:
            yield name, keys.opened(orjson.loads(body), ours=True)
        except Broken:
            continue


def _receipted(node: Node, db: Connection, party: Party, keys: Keys) -> dict[str, _Receipt]:
    """By release, the first receipt that agrees with our log."""
    found: dict[str, _Receipt] = {}
    for name, got, lines in receipts_of(node, db, party, keys, []):
        for line in got.releases:
            if lines.get(line.release, "") is None:
                found.setdefault(line.release, _Receipt(name, got.at, line.statement))
    return found
