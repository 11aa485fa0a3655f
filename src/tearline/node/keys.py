"""Changing the key that a node signs with, so that its partners follow and its history still holds.

The change is told to every partner in a message that the old key signs and to which the new key agrees. Only
then does the node sign with the new one. What the old key signed stays valid: it is among the former keys,
here and with the partners. A key that others may have got hold of is another matter: partners `revoke` it,
and trust is made anew by an invitation.
"""

from __future__ import annotations

from msgspec.structs import replace
from sqlalchemy import Connection

from tearline import deliver
from tearline.adapters import store, tls
from tearline.deliver import Kind
from tearline.ledger import Act, public_key_text
from tearline.node import messages, officers
from tearline.node.hand_over import hand_over
from tearline.node.opened import Node
from tearline.terms import Party, Refused


def rotate(node: Node, *, officer: str, why: str) -> str:
    """Sign with a new key from now on; returns it, base64.

    The caller holds `home.lock()`, and opens the node anew afterwards. Killed at any point, it can be called
    again and goes on. Raises `Refused` for who is no officer.
    """
    officers.must_say_why(why)
    following = node.home.next_signing_key()
    own = public_key_text(node.home.signing_key.public_key())
    body = deliver.key_change(node.party, own, following)
    with node.writing() as db:
        officers.must_be_officer(db, officer)
        entry = {"from": own, "to": body["to"], "officer": officer, "why": why}
        node.record(Act.KEY_CHANGED, entry)
        for party in node.partners:
            messages.send(node, db, party, Kind.KEY_CHANGE, body, about=body["to"])
    while hand_over(node):  # the old key signs what tells of the new one
        pass
    node.home.take_next_key()
    return str(body["to"])


def renew_tls(node: Node, *, officer: str, why: str) -> None:
    """Show a new TLS certificate from now on. The caller holds `home.lock()`.

    Partners know a node by the key of its certificate, and each connection proves it: so they need a new
    invitation before the next one. Raises `Refused` for who is no officer.
    """
    officers.must_say_why(why)
    with node.writing() as db:
        officers.must_be_officer(db, officer)
        fingerprint = tls.key_fingerprint(node.home.renew_tls())
        node.record(Act.KEY_CHANGED, {"tls_key": fingerprint, "officer": officer, "why": why})


def partner_changed(node: Node, db: Connection, taken: messages.Taken) -> None:
    """What a partner's KEY_CHANGE brings about. Raises `Broken` as `deliver.follow` does."""
    before = node.partners[taken.giver]
    partner = deliver.follow(before, taken.release)
    entry = {"partner": partner.party, "from": before.signing_key, "to": partner.signing_key}
    node.record(Act.PARTNER_KEY_CHANGED, entry)
    store.put_partner(db, partner)


def revoke(node: Node, party: Party, *, officer: str, why: str) -> None:
    """Take nothing more that a partner has signed until now, and let it in no more, until it comes with a new
    invitation. Raises `Refused` for who is no partner, or no officer."""
    officers.must_say_why(why)
    partner = node.partners.get(party)
    if partner is None:
        raise Refused(f"{party} is not a partner of this node")
    with node.writing() as db:
        officers.must_be_officer(db, officer)
        keys = (*partner.former_keys, partner.signing_key)
        node.record(Act.PARTNER_KEY_REVOKED, {"partner": party, "keys": keys, "officer": officer, "why": why})
        changed = replace(
            partner,
            former_keys=(),
            revoked_keys=tuple(dict.fromkeys((*partner.revoked_keys, *keys))),
            revoked_tls=tuple(dict.fromkeys((*partner.revoked_tls, partner.tls_key))),
        )
        store.put_partner(db, changed)
    node.refresh()
