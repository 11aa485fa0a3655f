"""One organisation of the coalition: a real node over a simulated disk, clock and vault."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tearline import deliver
from tearline.adapters.home import Config, Home
from tearline.adapters.vault import VaultClient
from tearline.adapters.view import IN, OUT, Item
from tearline.deliver.taxii import Accepted, Limits, Query, read_envelope
from tearline.intake import Fault
from tearline.ledger import Act
from tearline.node import (
    AlreadyHeld,
    Card,
    Node,
    TakenIn,
    agreements,
    consider,
    hand_over,
    take_in,
    take_inbox,
)
from tearline.node.receive import BATCH
from tearline.node.suspend import attend
from tearline.simulate.disk import SimulatedDisk
from tearline.simulate.traffic import Source
from tearline.terms import Party, Refused
from tearline.vault import Obligations, Row, RowKind, Standing, State
from tearline.vault import Source as Protected
from tearline.vault.keeper import Finder
from tearline.vault.wire import Answer, Hits, ListSources, Scan, Sources, frame, read_answer, read_request

BEGINNING = datetime(2027, 1, 1, tzinfo=UTC)
PAGE = 200
"""Objects in one message."""
_ALL = Query(versions=("all",))
_LIMITS = Limits()


class SimulatedHome(Home):
    """A node's configuration and keys, made of a seed; nothing of it is on a real disk."""

    def __init__(self, party: Party, seed: bytes) -> None:
        self.config = Config(party=party, name=f"Desk of {party}", port=1)
        self.folder = Path("/simulated") / party
        self.database, self.views = self.folder / "node.db", self.folder / "views"
        self.blobs, self.released = self.folder / "blobs", self.folder / "released"
        self.certificate, self.tls_key = self.folder / "tls.crt", self.folder / "tls.pem"
        self.seed, seed = seed, seed + party.encode()
        self.signing_key = Ed25519PrivateKey.from_private_bytes(sha256(b"key" + seed).digest())
        self.former_keys = ()
        self.secret = sha256(b"secret" + seed).digest()
        number = 1 + int.from_bytes(sha256(b"tls" + seed).digest()[:31], "big")
        self._tls = ec.derive_private_key(number, ec.SECP256R1())

    def card(self) -> Card:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.party)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._tls.public_key())
            .serial_number(1)
            .not_valid_before(BEGINNING)
            .not_valid_after(BEGINNING + timedelta(days=36_500))
            .sign(self._tls, hashes.SHA256())
        )
        return Card(
            party=self.party,
            name=self.config.name,
            url=f"https://{self.party.lower()}.invalid/taxii2/",
            certificate=certificate.public_bytes(Encoding.PEM).decode(),
            signing_key=deliver.public_key_text(self.signing_key.public_key()),
        )


class SimulatedVault(VaultClient):
    """The vault's process, answering from within: the real wire words and the real scanner; no socket."""

    def __init__(self, home: Path, sources: Sequence[Source]) -> None:
        super().__init__(home)
        owed = {each.cryptonym: Obligations(k=each.k) for each in sources}
        self._sources = [
            Protected(
                cryptonym=each.cryptonym,
                rows=(Row(RowKind.PERSON, each.name, "en"), Row(RowKind.DOCUMENT, each.secret)),
                obligations=owed[each.cryptonym],
            )
            for each in sources
        ]
        # What is found depends on the text alone: one that stands in every partner's draft is scanned once.
        self._scan = lru_cache(maxsize=100_000)(Finder(self._sources, bytes(32)).scan)
        self.shut = False

    def close(self) -> None:
        """One process answers all the time."""

    def _exchange(self, framed: bytes) -> Answer:
        if self.shut:
            raise ConnectionRefusedError
        answer: Answer
        match read_request(framed[4:]):
            case Scan(texts):
                answer = Hits(tuple(map(self._scan, texts)))
            case ListSources():
                answer = Sources(
                    tuple(
                        Standing(
                            cryptonym=each.cryptonym, obligations=each.obligations, state=State.ACTIVE, rows=2
                        )
                        for each in self._sources
                    )
                )
            case _:
                raise Refused("nobody asks the simulated vault for its state")
        return read_answer(frame(answer)[4:])


class Member:
    """One organisation. `time`: gives the simulated instant; `grown`: told when a view has a new commit."""

    def __init__(
        self, party: Party, seed: bytes, time: Callable[[], datetime], sources: Sequence[Source] = ()
    ) -> None:
        self.party, self.sources = party, tuple(sources)
        self.home = SimulatedHome(party, seed)
        self.skew = timedelta()
        self._time = time
        self.disk = SimulatedDisk(self._committed)
        self.grown: dict[Party, None] = {}
        """Partners whose view has had a commit since it was last looked at."""
        self.vault = SimulatedVault(self.home.folder, sources) if sources else None
        self.up = self.has_post = True
        self.attended: datetime | None = None
        self.node = self._opened()
        with self.node.writing():
            self.node.record(Act.NODE_CREATED, {"party": party, "vkey": self.node.vkey})

    def clock(self) -> datetime:
        return self._time() + self.skew

    def _opened(self) -> Node:
        vault = self.vault
        return Node(
            self.home,
            clock=self.clock,
            disk=self.disk,
            vault=None if vault is None else lambda _: vault,
        )

    def _committed(self, name: str) -> None:
        if name != "node.db":
            self.grown[name.removesuffix(".db")] = None

    # --- Life and death ---------------------------------------------------------------------------

    def crash(self, *, power: bool) -> list[str]:
        """The process is gone, and with the power what was not synced. Returns of which databases."""
        self.up = False
        return self.disk.lose(power)

    def start(self) -> None:
        self.disk.restart()
        self.node = self._opened()
        self.grown |= dict.fromkeys(sorted(self.node.partners))
        self.attended = None
        self.up = True

    # --- The worker -------------------------------------------------------------------------------

    @property
    def must_attend(self) -> bool:
        """Whether suspensions may ask for something: after a start, and daily while there are any.

        A view can be closing only where a crash came between. A serving node looks more often: it knows
        nothing of commands that run beside it.
        """
        now = self.clock().date()
        return self.attended is None or (bool(self.node.suspensions) and self.attended.date() != now)

    def work(self, arrived: Collection[Party]) -> int:
        """A round of the worker, as `tearline serve` has it. `arrived`: in whose inboxes something is new."""
        node, done = self.node, 0
        if self.must_attend:
            done += attend(node)
        done += agreements.expire(node)
        self.attended = node.clock()
        if arrived:
            while (taken := take_inbox(node, arrived)) >= BATCH:
                done += taken
            done += taken
        if node.stirred() or node.held_up:
            while batch := consider(node) + hand_over(node):
                done += batch
        return done

    def take(self, content: bytes) -> list[TakenIn | AlreadyHeld | Fault]:
        """The desk takes in a file; what it is told is acknowledged."""
        return list(take_in(self.node, BytesIO(content), "file"))

    # --- The post room ----------------------------------------------------------------------------

    @property
    def post(self) -> bool:
        """Whether letters come and go: its process may be down while the worker's is not."""
        return self.up and self.has_post

    def letters(self, partner: Party, after: int) -> tuple[list[bytes], int]:
        """What the door serves to a partner after an instant, and the instant to go on from."""
        view = self.node.view(partner)
        match = {"match": _ALL, "after": after, "limit": PAGE}
        page = view.served(OUT, **match) or view.serve(OUT, **match)  # type: ignore[arg-type]
        return list(page.items), page.last if page.items else after

    def deliver(self, giver: Party, bodies: Sequence[bytes]) -> None:
        """What a giver sent comes into its inbox here, in one transaction, as its door would put it there."""
        envelope = b'{"objects":[' + b",".join(bodies) + b"]}"
        items = [
            Item(None, each.id, each.type, each.version, each.spec_version, each.body)
            for each in read_envelope(envelope, _LIMITS)
            if isinstance(each, Accepted)
        ]
        with self.node.view(giver).begin() as view:
            view.add(IN, items, self.clock())
