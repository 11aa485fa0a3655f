"""What the administrator sets about logging in: where the desk is, and who else may say who somebody is."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from tearline.terms import BadInput


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

    def secret(self) -> str | None:
        """Raises `BadInput` where others can read the file."""
        if self.client_secret_file is None:
            return None
        path = Path(self.client_secret_file)
        if path.stat().st_mode & 0o077:
            raise BadInput(str(path), "", "others can read this file", "chmod 600 it")
        return path.read_text(encoding="utf-8").strip()

    def must_be_safe(self, url: str) -> None:
        """Raises `BadInput` where `url` is not HTTPS, nor the loopback that tests allow."""
        parts = urlsplit(url)
        plain = self.loopback_http and parts.scheme == "http" and parts.hostname == "127.0.0.1"
        if not plain and (parts.scheme != "https" or not parts.hostname):
            raise BadInput("node.toml", f"issuer {self.issuer}", "its addresses are not all https://")


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
            provider.must_be_safe(provider.issuer)

    @property
    def domain(self) -> str:
        """What passkeys are bound to (WebAuthn, section 5.1.2: the relying party's id)."""
        return str(urlsplit(self.origin).hostname)


def origin_of(host: str, port: int) -> str:
    """The origin where none is set. Passkeys are bound to a name, never to an address: loopback has one."""
    try:
        name = "localhost" if ip_address(host).is_loopback or ip_address(host).is_unspecified else host
    except ValueError:
        name = host
    name = f"[{name}]" if ":" in name else name
    return f"https://{name}" if port == 443 else f"https://{name}:{port}"
