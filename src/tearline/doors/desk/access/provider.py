"""OpenID providers: the authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0)."""

from __future__ import annotations

import warnings
from typing import Any

import httpx
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.deprecate import AuthlibDeprecationWarning  # type: ignore[import-untyped]
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import Response

from tearline.adapters.accounts import Identity
from tearline.doors.desk.access.settings import Settings, must_be_safe, secret_of
from tearline.doors.desk.endpoint import N_
from tearline.terms import BadInput, Refused

with warnings.catch_warnings():  # it would have another HTTP client, and says so to whoever runs a command
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.starlette_client import OAuth  # type: ignore[import-untyped]

_ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Signatures alone: with a shared secret the desk could have signed the token itself."""
_SECONDS = 10.0


class Providers:
    """The providers that the administrator named. What they tell of somebody is issuer and subject alone."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._oauth = settings, OAuth()
        for name, provider in settings.providers.items():
            self._oauth.register(
                name,
                client_id=provider.client_id,
                client_secret=secret_of(provider),
                server_metadata_url=f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration",
                client_kwargs={"scope": "openid", "code_challenge_method": "S256", "timeout": _SECONDS},
            )

    @property
    def names(self) -> dict[str, str]:
        """What their buttons say, by name."""
        return {name: provider.label or name for name, provider in self._settings.providers.items()}

    async def leave(self, request: Request, name: str) -> Response:
        """Send the browser to the provider. Raises `Refused` where that cannot be reached or trusted."""
        client = await self._client(name)
        back: Response = await client.authorize_redirect(
            request, f"{self._settings.origin}/login/oidc/{name}/callback"
        )
        return back

    async def back(self, request: Request, name: str) -> Identity:
        """Who the provider says it is. Raises `Refused` where it answers nothing that this browser asked."""
        client, provider = await self._client(name), self._settings.providers[name]
        try:
            token = await client.authorize_access_token(
                request,
                claims_options={
                    "iss": {"essential": True, "values": [provider.issuer]},
                    "aud": {"essential": True, "values": [provider.client_id]},
                },
            )
            told = token["userinfo"]  # there only where an ID token was, with its nonce
            return Identity(provider.issuer, _text(told["sub"]))
        except (AuthlibBaseError, JoseError, httpx.HTTPError, KeyError, ValueError, RuntimeError):
            raise Refused(f"{name} did not confirm who you are: try again") from None

    async def _client(self, name: str) -> Any:
        provider = self._settings.providers.get(name)
        if provider is None:
            raise Refused(N_("there is no such provider"))
        client = self._oauth.create_client(name)
        try:
            known = await client.load_server_metadata()
            if known["issuer"] != provider.issuer:
                raise Refused(f"{name} says that it is another issuer")
            for address in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                must_be_safe(provider, known[address])
            offered = known.get("id_token_signing_alg_values_supported", ["RS256"])
            known["id_token_signing_alg_values_supported"] = sorted(_ALGORITHMS & set(offered))
        except (httpx.HTTPError, KeyError, ValueError, TypeError, BadInput):
            raise Refused(f"{name} cannot be reached, or cannot be trusted") from None
        return client


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(value)
    return value
