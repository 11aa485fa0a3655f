"""Whom we share with: cards, and what is granted to them."""

from __future__ import annotations

import re
from base64 import b64encode

import msgspec

from tearline import deliver
from tearline.adapters import store, tls
from tearline.adapters.home import PARTY
from tearline.ledger import Act
from tearline.node import officers
from tearline.node.opened import Node
from tearline.terms import BadInput, Level, Partner, Party, Policy, Reach, Refused, Use

MAX_NAME = 200
CHUNK = 500
"""Releases in one transaction of a view, and in one ledger entry."""
_COLLECTION = re.compile(r"[A-Za-z0-9._-]{1,200}")
_DOOR = re.compile(r"https://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:/[!-~]*)?")


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a node tells of itself to those who want to add it as a partner. Public."""

    party: str
    name: str
    url: str
    certificate: str
    """TLS certificate, PEM."""
    signing_key: str
    """Ed25519 public key, base64."""

    @classmethod
    def of(cls, node: Node) -> Card:
        config = node.home.config
        host = f"[{config.host}]" if ":" in config.host else config.host
        return cls(
            party=node.party,
            name=config.name,
            url=f"https://{host}:{config.port}/taxii2/",
            certificate=node.home.certificate.read_text(encoding="ascii"),
            signing_key=deliver.public_key_text(node.home.signing_key.public_key()),
        )

    def check(self) -> None:
        """Raises `BadInput` where its fields cannot be what they should be. It comes from outside."""
        if PARTY.fullmatch(self.party) is None:
            raise BadInput("card", "party", f"{self.party!r} is not an organisation's code")
        if not (self.name.isprintable() and 0 < len(self.name) <= MAX_NAME):
            raise BadInput("card", "name", f"it is not one line of 1 to {MAX_NAME} characters")
        if _DOOR.fullmatch(self.url) is None:
            raise BadInput("card", "url", "it is not the https address of a partner door")
        deliver.public_key(self.signing_key)


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What an officer grants a partner and what it has undertaken; see `Recipient`."""

    clearance: tuple[tuple[Policy, Level], ...] = ()
    needs: frozenset[str] = frozenset()
    reach: Reach = Reach.GREEN
    use: Use = Use.RED
    duties: frozenset[str] = frozenset()


def add_partner(node: Node, card: Card, terms: Terms, *, checkpoint: str = "") -> Partner:
    """Add a partner, or change what is granted to it. Its view is made; nothing is in it yet.

    `checkpoint`: of the partner's private log, as it stood in its invitation: kept on the ledger. With other
    keys than before, the old signing key is a former one, unless it was revoked. Raises `Refused`
    for a card with revoked keys.
    """
    if card.party == node.party:
        raise BadInput("card", "party", "this card is the node's own")
    card.check()
    tls_key = tls.key_fingerprint(card.certificate)
    with node.reading() as db:
        before = store.former_partner(db, card.party)
    if before is not None and (card.signing_key in before.revoked_keys or tls_key in before.revoked_tls):
        raise Refused(f"this card has a key of {card.party} that was revoked here")
    partner = Partner(
        party=card.party,
        name=card.name,
        tls_key=tls_key,
        signing_key=card.signing_key,
        former_keys=() if before is None else _former_keys(before, card),
        revoked_keys=() if before is None else before.revoked_keys,
        revoked_tls=() if before is None else before.revoked_tls,
        url=card.url,
        clearance=terms.clearance,
        needs=terms.needs,
        reach=terms.reach,
        use=terms.use,
        duties=terms.duties,
    )
    node.view(partner.party)
    with node.writing() as db:
        entry = {"partner": partner.party, "tls_key": tls_key, "signing_key": partner.signing_key}
        node.record(Act.PARTNER_ADDED, entry | ({"checkpoint": checkpoint} if checkpoint else {}))
        store.put_partner(db, partner, card.certificate)
    node.refresh()
    return partner


def add_server(
    node: Node,
    party: Party,
    url: str,
    collection: str,
    terms: Terms,
    *,
    authority: str,
    login: tuple[str, str],
) -> Partner:
    """Add a plain TAXII 2.1 server as a partner, or change what is granted to it: it is given releases, and
    nothing else happens with it.

    `url`: of its API root. `authority`: certificates (PEM) that vouch for it; without, those that the system
    trusts. `login`: user and password there, or two empty texts. Raises `Refused` for what is a node.
    """
    if party == node.party or PARTY.fullmatch(party) is None:
        raise BadInput("name", "", f"{party!r} is not a code for another organisation", "use capitals")
    if _DOOR.fullmatch(url) is None:
        raise BadInput("--url", "", "it is not an https address")
    if not _COLLECTION.fullmatch(collection):
        raise BadInput("--collection", "", "it is not the id of a collection")
    if authority:
        tls.key_fingerprint(authority)
    if party in node.partners and node.partners[party].kind == "node":
        raise Refused(f"{party} is a partner with a node of its own")
    partner = Partner(
        party=party,
        name=party,
        tls_key="",
        signing_key="",
        url=url,
        collection=collection,
        clearance=terms.clearance,
        needs=terms.needs,
        reach=terms.reach,
        use=terms.use,
        duties=terms.duties,
    )
    node.view(party)
    user, password = login
    header = "Basic " + b64encode(f"{user}:{password}".encode()).decode() if user else ""
    with node.writing() as db:
        node.record(Act.PARTNER_ADDED, {"partner": party, "server": url, "collection": collection})
        store.put_partner(db, partner, authority)
        store.put_authorization(db, party, header)
    node.refresh()
    return partner


def authorizations(node: Node) -> dict[Party, str]:
    """The header with which each plain server lets us in."""
    with node.reading() as db:
        return store.authorizations(db)


def _former_keys(before: Partner, card: Card) -> tuple[str, ...]:
    known = dict.fromkeys((*before.former_keys, before.signing_key))
    return tuple(key for key in known if key not in (*before.revoked_keys, card.signing_key))


def remove_partner(node: Node, party: Party, *, officer: str, why: str) -> None:
    """End a relation: nothing more goes to `party` or is taken from it, and its door is closed.

    What each has of the other stays with it: its view and logs here, what it was given there. Raises
    `Refused` for who is no partner, or no officer.
    """
    officers.must_say_why(why)
    if party not in node.partners:
        raise Refused(f"{party} is not a partner of this node")
    with node.writing() as db:
        officers.must_be_officer(db, officer)
        node.record(Act.PARTNER_REMOVED, {"partner": party, "officer": officer, "why": why})
        stopped = store.stop_all(db, party, _take_back(node, party))
        for start in range(0, len(stopped), CHUNK):
            some = stopped[start : start + CHUNK]
            node.record(Act.RELEASES_STOPPED, {"partner": party, "releases": some})
        store.remove_partner(db, party, store.stamp(node.clock()))
    node.refresh()


def _take_back(node: Node, party: Party) -> set[str]:
    """Hold back what `party` was never served: if it is ever a partner again, it begins anew."""
    view, after = node.view(party), -1
    with view.begin() as writer:
        while rows := view.unserved(after, CHUNK):
            after = rows[-1][0]
            writer.hold_back([added for added, _ in rows])
        writer.hold_back_unnamed()
    return view.held_back()


def add_login(node: Node, party: Party, user: str, password: str) -> None:
    """Let `party` in at the password door; `password` is its hash. Raises `Refused` for a stranger."""
    if party not in node.partners:
        raise Refused(f"{party} is not a partner of this node")
    with node.writing() as db:
        node.record(Act.LOGIN_ADDED, {"partner": party, "user": user})
        store.put_login(db, user, party, password)
    node.refresh()


def logins(node: Node) -> dict[str, tuple[Party, str]]:
    """Every login of the password door that counts today: user to party and password hash."""
    with node.reading() as db:
        kept = store.logins(db)
    return {user: (party, password) for user, (party, password) in kept.items() if party in node.certificates}
