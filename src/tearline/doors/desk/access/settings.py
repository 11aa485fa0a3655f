"""What the administrator sets about logging in: where the desk is, and who else may say who somebody is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from tearline.adapters.home import Desk as DeskConfig
from tearline.adapters.home import Provider
from tearline.terms import BadInput


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the desk is reached, as browsers spell it, and its providers by name."""

    origin: str
    """Such as `https://desk.example.org`, without a path."""
    providers: Mapping[str, Provider] = {}

    def __post_init__(self) -> None:
        parts = urlsplit(self.origin)
        # A browser takes a page of its own machine for safe, with TLS or without (Secure Contexts, 3.1).
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "localhost")
        if not safe or not parts.hostname or self.origin != f"{parts.scheme}://{parts.netloc}":
            raise BadInput("node.toml", "[desk] origin", "it is not an https:// address without a path")
        for provider in self.providers.values():
            must_be_safe(provider, provider.issuer)

    @property
    def domain(self) -> str:
        """What passkeys are bound to (WebAuthn, section 5.1.2: the relying party's id)."""
        return str(urlsplit(self.origin).hostname)


def origin_of(desk: DeskConfig, port: int) -> str:
    """The desk's address in browsers, as it is set or as it is served on this machine at `port`."""
    return desk.origin.rstrip("/") or f"{'https' if desk.tls else 'http'}://localhost:{port}"


def must_be_safe(provider: Provider, url: str) -> None:
    """Raises `BadInput` where `url` is not HTTPS, nor the loopback that tests allow."""
    parts = urlsplit(url)
    plain = provider.loopback_http and parts.scheme == "http" and parts.hostname == "127.0.0.1"
    if not plain and (parts.scheme != "https" or not parts.hostname):
        raise BadInput("node.toml", f"issuer {provider.issuer}", "its addresses are not all https://")


def secret_of(provider: Provider) -> str | None:
    """Raises `BadInput` where others can read the file."""
    if provider.client_secret_file is None:
        return None
    path = Path(provider.client_secret_file)
    if path.stat().st_mode & 0o077:
        raise BadInput(str(path), "", "others can read this file", "chmod 600 it")
    return path.read_text(encoding="utf-8").strip()
