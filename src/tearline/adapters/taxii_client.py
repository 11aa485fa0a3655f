"""Reads a partner's TAXII 2.1 door over mutual TLS. The server is known by its pinned certificate."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any
from urllib.parse import urljoin

import httpx
import msgspec
import orjson

from tearline.terms import BadInput, TearlineError

MEDIA_TYPE = "application/taxii+json;version=2.1"
PAGE = 200
MAX_BODY = 128 * 1024 * 1024
RELEASES = "releases"
"""The alias of the collection in which a Tearline node keeps what it released to the asker."""


class Unreachable(TearlineError):
    """The partner's door did not answer as TAXII has it; asking again later may help."""


class Page(msgspec.Struct, frozen=True):
    """Objects in the order in which they were added, and the date-added of the last one."""

    objects: list[dict[str, Any]]
    last: str | None


class TaxiiClient:
    """One partner's door. Keeps its connection open; use as an async context manager."""

    def __init__(self, discovery: str, context: ssl.SSLContext) -> None:
        self._discovery = discovery
        self._objects: str | None = None
        self._http = httpx.AsyncClient(
            verify=context,
            headers={"accept": MEDIA_TYPE},
            timeout=30.0,
            trust_env=False,
            follow_redirects=False,
        )

    async def __aenter__(self) -> TaxiiClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def releases(self, added_after: str | None) -> AsyncIterator[Page]:
        """Every page of what this partner released to us after `added_after`, oldest first.

        Raises `Unreachable` when the door does not answer; the pages given until then are whole.
        """
        if self._objects is None:
            self._objects = await self._find_collection()
        query: dict[str, str] = {"limit": str(PAGE)}
        if added_after is not None:
            query["added_after"] = added_after
        while True:
            envelope, headers = await self._get(self._objects, query)
            objects = envelope.get("objects", [])
            if not isinstance(objects, list) or not all(isinstance(item, dict) for item in objects):
                raise BadInput(self._discovery, "objects", "the partner's answer is not a TAXII envelope")
            yield Page(objects, headers.get("x-taxii-date-added-last"))
            if envelope.get("more") is not True or not isinstance(envelope.get("next"), str):
                return
            query = {**query, "next": envelope["next"]}

    async def _find_collection(self) -> str:
        discovery, _ = await self._get(self._discovery, {})
        roots = discovery.get("api_roots") or []
        root = discovery.get("default") or (roots[0] if roots else None)
        if not isinstance(root, str):
            raise Unreachable("the partner's door names no API root for us")
        root = urljoin(self._discovery, root if root.endswith("/") else root + "/")
        listing, _ = await self._get(urljoin(root, "collections/"), {})
        for collection in listing.get("collections", []):
            if collection.get("alias") == RELEASES and collection.get("can_read") is True:
                return urljoin(root, f"collections/{collection['id']}/objects/")
        raise Unreachable("the partner's door has no collection of releases for us")

    async def _get(self, url: str, query: dict[str, str]) -> tuple[dict[str, Any], httpx.Headers]:
        try:
            async with self._http.stream("GET", url, params=query) as answer:
                if answer.status_code != 200:
                    raise Unreachable(f"the partner's door answered {answer.status_code}")
                body = bytearray()
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > MAX_BODY:
                        raise Unreachable("the partner's answer is longer than we take")
                document = orjson.loads(body)
        except httpx.HTTPError as error:
            raise Unreachable(f"the partner's door cannot be reached ({type(error).__name__})") from None
        except orjson.JSONDecodeError:
            raise Unreachable("the partner's answer is not JSON") from None
        if not isinstance(document, dict):
            raise Unreachable("the partner's answer is not a TAXII resource")
        return document, answer.headers
