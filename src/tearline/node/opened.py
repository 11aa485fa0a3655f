"""A node, opened: its identity, its stores, and the partners and agreements in force."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection

from tearline import deliver
from tearline.adapters import store
from tearline.adapters.blobs import open_blobs
from tearline.adapters.database import FILES, Disk, soon_durable
from tearline.adapters.home import Config, Home
from tearline.adapters.log import Log
from tearline.adapters.vault import VaultClient
from tearline.adapters.view import View
from tearline.agreement import Agreement, Agreements, lifecycle
from tearline.agreement.suspension import compiled
from tearline.ledger import Act, Entry, vkey
from tearline.terms import Broken, Party

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Node:
    """One organisation's node. Not safe for use from several threads at once."""

    def __init__(
        self,
        home: Home,
        *,
        clock: Callable[[], datetime] = utc_now,
        disk: Disk = FILES,
        vault: Callable[[float], VaultClient] | None = None,
    ) -> None:
        """`vault`: gives a client of the vault that waits so many seconds; else it is the one of `home`."""
        self.home, self.party, self.clock, self._disk = home, home.party, clock, disk
        self.vault = vault or (lambda timeout: VaultClient(home.folder, timeout=timeout))
        host, port = home.config.host, home.config.port
        self.identity = deliver.NodeIdentity(
            party=home.party, name=home.config.name, secret=home.secret, door=f"https://{host}:{port}"
        )
        url = None if home.config.blobs is None else home.config.blobs.url
        self.blobs = open_blobs(home.blobs, url, home.config.max_file_mb << 20)
        self.log = Log("ledger", f"{home.party}/ledger", home.former_keys)
        self._engine = disk.open(home.database, metadata=store.metadata)
        self._views: dict[Party, View] = {}
        self._acts: list[bytes] | None = None
        # A connection outside any transaction, in which SQLite counts the commits of all the others.
        self._watch = disk.watch(home.database)
        self._data_version = -1
        self.person = ""  # at whose word it acts: see `acting`
        self.held_up = ""  # why nothing is considered at the moment: see `consider`
        self.generation = -1
        self.refresh()

    @classmethod
    def open(cls, folder: Path) -> Node:
        return cls(Home(folder))

    @classmethod
    def create(cls, folder: Path, config: Config) -> Node:
        """Make a node's folder, keys and ledger."""
        node = cls(Home.create(folder, config))
        with node.writing():
            node.record(Act.NODE_CREATED, {"party": node.party, "vkey": node.vkey})
        return node

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for view in self._views.values():
            view.close()
        self._watch.close()
        self._engine.dispose()

    @property
    def vkey(self) -> str:
        """The verifier key of this node's checkpoints, in C2SP signed-note form."""
        return vkey(self.party, self.home.signing_key.public_key())

    def refresh(self) -> bool:
        """Read partners, agreements and suspensions again if they have changed; tells whether they have."""
        with self.reading() as db:
            generation = store.generation(db)
            if generation == self.generation:
                return False
            rows = store.partners(db)
            agreements = tuple(_agreements_in_force(db))
            suspensions = tuple(store.suspensions(db))
            shadows = tuple(_in_shadow(db))
            forked = store.forked(db)
        self.partners = {party: partner for party, (partner, _) in rows.items()}
        # Those who may come in: a partner whose key was revoked may not.
        self.certificates = {
            party: certificate
            for party, (partner, certificate) in rows.items()
            if partner.tls_key not in partner.revoked_tls
        }
        self.agreements, self.suspensions, self.shadows = agreements, suspensions, shadows
        self.forked = frozenset(forked)  # givers of whom nothing is taken: their log has two histories
        self.shadow_rules: dict[str, Agreements] = {}  # of each in shadow, once it was asked: see `shadow`
        stopped = (compiled(self.party, suspensions),) if suspensions else ()
        self.deciding = (*agreements, *stopped)
        self.rules = Agreements(self.party, self.deciding)
        self.generation = generation
        return True

    def stirred(self) -> bool:
        """Whether anything was committed to `node.db` since the last call, by whomever."""
        before = self._data_version
        self._data_version = self._watch.execute("PRAGMA data_version").fetchone()[0]
        return self._data_version != before

    def view(self, party: Party) -> View:
        """The store of what `party` may see, made on first use."""
        if party not in self._views:
            self._views[party] = View(
                self.home.view(party),
                node=self.party,
                party=party,
                key=self.home.signing_key,
                secret=self.home.view_secret(party),
                former=self.home.former_keys,
                clock=lambda: self.clock(),  # noqa: PLW0108 - as it is set then
                disk=self._disk,
                released=self.home.released_to(party),
            )
        return self._views[party]

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection to read `node.db` with the functions of `adapters.store`."""
        return self._engine.connect()

    def tick(self, at: datetime) -> datetime:
        """The tick of the cadence that had begun at `at`: what partners are told instead of it (law 5)."""
        cadence = timedelta(milliseconds=self.home.config.cadence_ms)
        return at - (at - _EPOCH) % cadence if cadence else at

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Connection]:
        """A transaction of `node.db`, with what it records and a signed checkpoint: all of it or nothing.

        Where it is not `durable`, a crash of the machine (not of the program) may undo it: what it records
        must then be so that the next start finds it again.
        """
        self._acts = []
        try:
            with self._engine.begin() if durable else soon_durable(self._engine) as db:
                yield db
                if self._acts:
                    self.log.append(db, self._acts)
                    self.log.checkpoint(db, self.home.signing_key)
        finally:
            self._acts = None

    @contextmanager
    def attempting(self, db: Connection) -> Iterator[None]:
        """A part of the open transaction; where it raises, nothing of it stays, on the ledger neither."""
        recorded = len(self._acts or ())
        try:
            with db.begin_nested():
                yield
        except BaseException:
            if self._acts is not None:
                del self._acts[recorded:]
            raise

    @contextmanager
    def acting(self, person: str) -> Iterator[None]:
        """What is recorded meanwhile tells that `person`, who logged in at the desk, did it."""
        before, self.person = self.person, person
        try:
            yield
        finally:
            self.person = before

    def record(self, act: Act, body: dict[str, Any]) -> None:
        """Put an act on the private log, in the transaction that is open: that of what it does (law 9).

        Raises `Broken` outside `writing`.
        """
        if self._acts is None:
            raise Broken("an act can be recorded only in the transaction of what it does")
        at = store.stamp(self.clock())
        if self.person:
            body = body | {"person": self.person}
        self._acts.append(Entry(act=act, at=at, actor=self.party, body=body).to_bytes())


def _agreements_in_force(db: Connection) -> Iterator[Agreement]:
    """The adopted versions, and of the suspended ones the red lines, by agreement id."""
    states = _states(db)
    in_force = [version for version, state in states.items() if state in lifecycle.IN_FORCE]
    for version, (manifest, clauses) in store.agreement_texts(db, in_force).items():
        agreement = lifecycle.kept(version, manifest, clauses)
        suspended = states[version] is lifecycle.State.SUSPENDED
        yield lifecycle.red_lines(agreement) if suspended else agreement


def _in_shadow(db: Connection) -> Iterator[store.Run]:
    """The runs of versions that are still proposed; whether their time is over is for their reader."""
    states = _states(db)
    return (run for run in store.shadows(db) if states.get(run.version) is lifecycle.State.PROPOSED)


def _states(db: Connection) -> dict[str, lifecycle.State]:
    return lifecycle.states((row.version, lifecycle.Step(row.step)) for row in store.steps(db))
