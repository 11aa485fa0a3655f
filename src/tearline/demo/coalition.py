"""The coalition of the demo: eight nodes, who shares with whom, and what each is granted."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from importlib.resources import as_file, files
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tearline import deliver
from tearline.adapters.home import Config, Desk, Marks
from tearline.adapters.officer_key import make_key
from tearline.agreement import Agreement, between, load
from tearline.node import Card, Node, Terms, add_partner, sign_approval
from tearline.node import agreements as life
from tearline.node.agreement_record import ADOPT
from tearline.node.officers import add_officer
from tearline.terms import Level, Party, Reach

OFFICERS = ("heron-1", "heron-2")
WHY = "The coalition of the demo."

FIVE_EYES = ("AUS", "CAN", "GBR", "NZL", "USA")

NAMES: dict[Party, str] = {
    "AUS": "Australian sharing desk",
    "CAN": "Canadian sharing desk",
    "GBR": "British sharing desk",
    "ISR": "Israeli sharing desk",
    "NZL": "New Zealand sharing desk",
    "SAU": "Saudi sharing desk",
    "UKR": "Ukrainian sharing desk",
    "USA": "American sharing desk",
}

BILATERAL: tuple[tuple[Party, Party], ...] = (
    ("USA", "UKR"),
    ("GBR", "UKR"),
    ("CAN", "UKR"),
    ("AUS", "UKR"),
    ("USA", "ISR"),
    ("GBR", "ISR"),
    ("USA", "SAU"),
    ("GBR", "SAU"),
)


def terms_for(party: Party) -> Terms:
    """What everybody grants `party`. Levels are granted scale by scale: no row means no."""
    five = party in FIVE_EYES
    highest = Level.TOP_SECRET if five else Level.SECRET
    return Terms(
        clearance=tuple((policy, highest) for policy in sorted(NAMES)),
        needs=frozenset({"SI"}) if five else frozenset(),
        reach=Reach.AMBER if five or party == "UKR" else Reach.GREEN,
        duties=frozenset({"FOUO", "STATEMENT"}),
    )


def build(folder: Path, pull_interval: float) -> dict[Party, Path]:
    """Make the eight nodes in `folder`, with their partners and agreements. Returns their homes."""
    homes = {party: folder / party for party in NAMES}
    with ExitStack() as stack:
        ports = iter(_free_ports(2 * len(NAMES)))
        nodes: dict[Party, Node] = {}
        for party, name in NAMES.items():
            config = Config(
                party=party,
                name=name,
                port=next(ports),
                desk=Desk(port=next(ports)),
                pull_interval=pull_interval,
                preview_s=1,
                marks=Marks(text=True),
            )
            nodes[party] = stack.enter_context(Node.create(homes[party], config))
        cards: dict[Party, Card] = {party: Card.of(node) for party, node in nodes.items()}
        for party, node in nodes.items():
            for other, card in cards.items():
                if other != party:
                    add_partner(node, card, terms_for(other))
            keys = found(node, folder / "officers" / party)
            for agreement in agreements():
                if party in agreement.parties:
                    adopt(node, agreement, keys)
    return homes


def found(node: Node, folder: Path) -> dict[str, Ed25519PrivateKey]:
    """Give a node its first officers; their keys are in `folder`, not encrypted: nobody else is here."""
    folder.mkdir(parents=True)
    keys = {name: make_key(folder / f"{name}.pem", None) for name in OFFICERS}
    for name, key in keys.items():
        add_officer(node, name, deliver.public_key_text(key.public_key()), by="founding", why=WHY)
    return keys


def adopt(node: Node, agreement: Agreement, keys: dict[str, Ed25519PrivateKey]) -> None:
    """The life of an agreement: proposed, reviewed, approved by both officers, adopted."""
    version, (first, *_) = agreement.version, keys
    life.propose(node, agreement, officer=first, why=WHY)
    life.review(node, version, officer=first, why=WHY)
    for name, key in keys.items():
        signed = sign_approval(node.party, name, key, act=ADOPT, subject=version, at=node.clock())
        life.approve(node, signed, WHY)
    life.adopt(node, version, officer=first, why=WHY)


def agreements() -> list[Agreement]:
    """The five-party agreement, and the bilateral one for each pair that has one."""
    with as_file(files("tearline.demo") / "agreements") as folder:
        five = _load(folder / "five-eyes")
        bilateral = _load(folder / "bilateral")
    return [five] + [between(bilateral, ("USA", "UKR"), pair) for pair in BILATERAL]


def _load(folder: Path) -> Agreement:
    manifest = (folder / "agreement.toml").read_text(encoding="utf-8")
    return load(manifest, (folder / "clauses.cedar").read_text(encoding="utf-8"), folder.name)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
