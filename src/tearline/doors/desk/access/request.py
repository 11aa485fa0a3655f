"""What every page here does with a request: where it came from, what it carries, where it goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from tearline.terms import BadInput, TearlineError

Handler = Callable[[Request], Awaitable[Response]]
MAX_JSON = 64 << 10
"""Bytes of what a passkey tells."""


class Render(Protocol):
    """Draws a page of the desk, in the person's language."""

    def __call__(self, request: Request, template: str, **values: Any) -> Response: ...


def from_here(origin: str, handler: Handler) -> Handler:
    """Take what changes something from this desk's own pages alone.

    A browser tells with each POST which page it came from (Fetch, section 3.2), and no page can make it lie.
    """

    async def guarded(request: Request) -> Response:
        request.scope["endpoint_name"] = "access"  # in metrics and the log: never an address with a link
        if request.method == "POST" and request.headers.get("origin") != origin:
            return PlainTextResponse("This did not come from a page of this desk.", 403)
        return await handler(request)

    return guarded


def answering_json(handler: Callable[[Request, Any], Awaitable[Response]]) -> Handler:
    """For the script of passkeys: takes JSON, and says as JSON what is wrong."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request, await _json(request))
        except TearlineError as error:
            return JSONResponse({"error": str(error)}, 403)

    return answer


async def field(request: Request, name: str) -> str:
    """A text field of the form; empty where it is missing."""
    value = (await request.form()).get(name)
    return value if isinstance(value, str) else ""


def go(where: str) -> Response:
    """On to another page, by GET."""
    return RedirectResponse(where, 303)


def address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


async def _json(request: Request) -> Any:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_JSON:
            raise BadInput("the body", "", "it is too long")
    try:
        return msgspec.json.decode(body) if body else {}
    except msgspec.DecodeError:
        raise BadInput("the body", "", "it is not JSON") from None
