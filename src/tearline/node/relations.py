"""Whom we share with: cards, and what is granted to them."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import orjson

from tearline import deliver
from tearline.adapters import store, tls
from tearline.adapters.home import PARTY
from tearline.ledger import Act
from tearline.node.opened import Node
from tearline.terms import BadInput, Level, Partner, Party, Policy, Reach, Refused, Use

MAX_NAME = 200
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

    def to_json(self) -> str:
        return orjson.dumps(msgspec.to_builtins(self), option=orjson.OPT_INDENT_2).decode()

    @classmethod
    def read(cls, path: Path) -> Card:
        """Raises `BadInput` where the file is not a card."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except OSError as error:
            raise BadInput(str(path), "", f"it cannot be read ({error.strerror})") from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise BadInput(str(path), "", "this is not a partner's card", "ask for it again") from None

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


def add_partner(node: Node, card: Card, terms: Terms) -> Partner:
    """Add a partner, or change what is granted to it. Its view is made; nothing is in it yet."""
    if card.party == node.party:
        raise BadInput("card", "party", "this card is the node's own")
    card.check()
    partner = Partner(
        party=card.party,
        name=card.name,
        tls_key=tls.key_fingerprint(card.certificate),
        signing_key=card.signing_key,
        url=card.url,
        clearance=terms.clearance,
        needs=terms.needs,
        reach=terms.reach,
        use=terms.use,
        duties=terms.duties,
    )
    node.view(partner.party)
    with node.writing() as db:
        node.record(Act.PARTNER_ADDED, {"partner": partner.party, "tls_key": partner.tls_key})
        store.put_partner(db, partner, card.certificate)
    node.refresh()
    return partner


def add_login(node: Node, party: Party, user: str, password: str) -> None:
    """Let `party` in at the password door; `password` is its hash. Raises `Refused` for a stranger."""
    if party not in node.partners:
        raise Refused(f"{party} is not a partner of this node")
    with node.writing() as db:
        node.record(Act.LOGIN_ADDED, {"partner": party, "user": user})
        store.put_login(db, user, party, password)
    node.refresh()


def logins(node: Node) -> dict[str, tuple[Party, str]]:
    """Every login of the password door: user to party and password hash."""
    with node.reading() as db:
        return store.logins(db)
