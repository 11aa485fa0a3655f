"""A node's folder on disk: its configuration and keys. Files 0600, folders 0700."""

from __future__ import annotations

import fcntl
import hmac
import json
import os
import re
import secrets
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tearline.adapters import tls
from tearline.ledger import public_key, public_key_text
from tearline.terms import BadInput, Party

PARTY = re.compile(r"[A-Z][A-Z0-9-]{1,31}")


class BlobStore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[blobs]` in `node.toml`: a store of this node alone."""

    url: str
    """As obstore takes it: `s3://bucket/prefix`. Credentials come from the environment."""


class Marks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[marks]` in `node.toml`: what tells the copies of recipients apart. Absent: nothing does."""

    text: bool = False
    """Whether the texts of own reports are marked."""
    media: bool = False
    """Whether the sanitized forms of pictures and recordings are."""
    mode: Literal["single", "collusion"] = "single"
    """Against one who leaks, or also against several who compare their copies; the latter takes more text."""
    zero_width: bool = False
    """Whether texts that are marked have marks too that cannot be seen, and that are easily lost."""


class Provider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[desk.oidc.NAME]` in `node.toml`: an OpenID provider that says who it is, never what they may."""

    issuer: str
    client_id: str
    client_secret_file: str | None = None
    """A file that only its owner can read; none for a public client (PKCE binds the exchange anyway)."""
    label: str = ""
    """What the button says; the provider's name when empty."""
    loopback_http: bool = False
    """For tests: plain HTTP to a provider on 127.0.0.1. Nothing else lifts the need for TLS."""


class Desk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[desk]` in `node.toml`: where the officers' desk is."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 8470
    origin: str = ""
    """The address in officers' browsers, such as `https://desk.example`. [default: https://localhost:PORT]"""
    tls: bool = True
    """Off only behind a proxy on this machine that speaks TLS: then `host` must be a loopback address."""
    certificate: str = ""
    """Its certificate, PEM; the node's own when absent, which browsers do not know."""
    key: str = ""
    max_upload_mb: Annotated[int, msgspec.Meta(ge=1)] = 64
    oidc: dict[str, Provider] = {}
    """By a name of their own: what the desk's address for their answers ends with."""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`node.toml`. Times in seconds where not said otherwise."""

    party: str
    name: str
    host: str = "127.0.0.1"
    port: int = 0
    password_port: int | None = None
    """The plain-TLS password door for clients that cannot show a certificate; off when absent."""
    pull_interval: float = 5.0
    """How often partners' doors are asked for new releases."""
    cadence_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 20
    """Milliseconds between the ticks at which releases leave (law 5); 0 is at once."""
    pad: bool = False
    """Whether what goes over the wire is brought to a few fixed lengths."""
    undo_seconds: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 30
    """How long an officer can take back what was decided about a referral: so long nothing of it goes."""
    approvals: Annotated[int, msgspec.Meta(ge=1)] = 2
    """How many distinct officers must approve what needs approval: the quorum."""
    review_max_age_days: Annotated[int, msgspec.Meta(ge=1)] = 30
    """How old the review of an agreement may be when the agreement is adopted."""
    announce_days: Annotated[int, msgspec.Meta(ge=0)] = 60
    """How long before its end an agreement is announced to expire."""
    ask_consent: Literal["never", "automatic"] = "never"
    """Whether the node asks originators by itself where nothing but their consent is missing."""
    max_file_mb: Annotated[int, msgspec.Meta(ge=1)] = 64 * 1024
    """How long the file of a picture or recording may be, in MiB."""
    preview_s: Annotated[int, msgspec.Meta(ge=0)] = 60
    """How long after a release its preview shows in the partner's catalogue; 0 draws none."""
    blobs: BlobStore | None = None
    """Where the files lie; the node's folder when absent."""
    marks: Marks = Marks()
    desk: Desk = Desk()
    unknown_originators: Literal["refuse", "accept"] = "refuse"
    """What becomes of what a partner passes on from a party whose key this node does not have."""


class Home:
    """Paths and secrets of one node. Opening reads every key once; nothing of them is ever printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            text = (folder / "node.toml").read_text(encoding="utf-8")
            self.config = msgspec.convert(tomllib.loads(text), Config)
        except FileNotFoundError:
            raise BadInput(
                str(folder), "", "this is not a node's folder", "run `tearline init` first"
            ) from None
        except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
            raise BadInput(str(folder / "node.toml"), "", str(error), "mend the file") from None
        self.database = folder / "node.db"
        self.views = folder / "views"
        self.released = folder / "released"
        self.blobs = folder / "blobs"
        self.certificate = folder / "keys" / "tls.crt"
        self.tls_key = folder / "keys" / "tls.pem"
        self.signing_key = _signing_key(folder / "keys" / "signing.pem")
        self.former_keys = _former_keys(folder / "keys" / "former")
        self.secret = (folder / "keys" / "secret").read_bytes()

    @property
    def party(self) -> Party:
        return self.config.party

    def view(self, party: Party) -> Path:
        """Where the view of `party` is: the only file that the door opens for it."""
        return self.views / f"{party}.db"

    def released_to(self, party: Party) -> Path:
        """Where the links to the files that `party` may have are: the door may read them, and not write."""
        return self.released / party

    def view_secret(self, party: Party) -> bytes:
        """The secret of one view, made of the node's, which it does not tell."""
        return hmac.digest(self.secret, f"view {self.party} {party}".encode(), "sha256")

    def next_signing_key(self) -> Ed25519PrivateKey:
        """The key that is to follow, made on first use; it stays the same until `take_next_key`."""
        path = self.folder / "keys" / "signing.next.pem"
        if not path.exists():
            write_private(path, _pem(Ed25519PrivateKey.generate()))
        return _signing_key(path)

    def take_next_key(self) -> None:
        """Sign with the next key from now on. Killed at any point, it can be called again."""
        keys = self.folder / "keys"
        own = public_key_text(self.signing_key.public_key())
        if own not in (former := [public_key_text(key) for key in self.former_keys]):
            write_private(keys / "former", "".join(f"{line}\n" for line in [*former, own]).encode())
        (keys / "signing.next.pem").rename(keys / "signing.pem")
        self.signing_key = _signing_key(keys / "signing.pem")
        self.former_keys = tuple(
            key for key in _former_keys(keys / "former") if key != self.signing_key.public_key()
        )

    def renew_tls(self) -> str:
        """Show a new certificate from now on; returns it, PEM. Killed in between, it must be called again."""
        keys = self.folder / "keys"
        with TemporaryDirectory(dir=keys) as fresh:
            certificate, key = tls.make_identity(Path(fresh), self.party, self.config.host)
            key.rename(self.tls_key)
            certificate.rename(self.certificate)
        return self.certificate.read_text(encoding="ascii")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the node for serving. Raises `BadInput` where another process holds it."""
        with self._holding("serving", fcntl.LOCK_EX, "this node is being served already"):
            yield

    @contextmanager
    def at_desk(self) -> Iterator[None]:
        """Hold the keys as they are, for a desk. Raises `BadInput` where they are being changed."""
        with self._holding("desk.lock", fcntl.LOCK_SH, "the node's keys are being changed"):
            yield

    @contextmanager
    def no_desk(self) -> Iterator[None]:
        """Hold the keys to change them. Raises `BadInput` where a desk is open, which has read them."""
        with self._holding("desk.lock", fcntl.LOCK_EX, "a desk is open: end `tearline desk serve` first"):
            yield

    @contextmanager
    def _holding(self, name: str, how: int, otherwise: str) -> Iterator[None]:
        with (self.folder / name).open("w") as file:
            try:
                fcntl.flock(file, how | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BadInput(str(self.folder), "", otherwise) from None
            yield

    @classmethod
    def create(cls, folder: Path, config: Config) -> Home:
        """Make a node's folder with fresh keys. Raises `BadInput` where there is one already."""
        if PARTY.fullmatch(config.party) is None:
            raise BadInput(
                "party", "", f"{config.party!r} is not an organisation's code", "use capitals, such as USA"
            )
        if (folder / "node.toml").exists():
            raise BadInput(str(folder), "", "there is a node here already", "choose another folder")
        for part in (folder, folder / "keys", folder / "views"):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.chmod(0o700)
        write_private(folder / "keys" / "signing.pem", _pem(Ed25519PrivateKey.generate()))
        write_private(folder / "keys" / "secret", secrets.token_bytes(32))
        tls.make_identity(folder / "keys", config.party, config.host)
        # node.toml is written last: a folder without it is no node, so a crash leaves none half made.
        write_private(folder / "node.toml", _toml(config).encode())
        return cls(folder)


def write_private(path: Path, data: bytes) -> None:
    """Write `data` to a new file that only its owner may read, whole or not at all."""
    part = path.with_suffix(path.suffix + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


def _signing_key(path: Path) -> Ed25519PrivateKey:
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise BadInput(str(path), "", "this is not an Ed25519 key")
    return key


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _former_keys(path: Path) -> tuple[Ed25519PublicKey, ...]:
    """The public keys, a line each and the oldest first, that the node signed with before."""
    if not path.exists():
        return ()
    return tuple(public_key(line) for line in path.read_text(encoding="ascii").splitlines())


def _toml(config: Config) -> str:
    # A TOML basic string, number, float or truth value is written as JSON writes it.
    values = msgspec.to_builtins(config)
    tables = {name: values.pop(name) for name in ("blobs", "marks", "desk")}
    for name, default in (("marks", Marks()), ("desk", Desk())):
        if getattr(config, name) == default:
            tables[name] = None
    if tables["desk"] is not None:
        tables |= {f"desk.oidc.{name}": each for name, each in tables["desk"].pop("oidc").items()}
    texts = [_lines(values)]
    texts += [f"[{name}]\n{_lines(table)}" for name, table in tables.items() if table is not None]
    return "\n".join(texts)


def _lines(values: dict[str, object]) -> str:
    return "".join(f"{k} = {json.dumps(v, ensure_ascii=False)}\n" for k, v in values.items() if v is not None)
