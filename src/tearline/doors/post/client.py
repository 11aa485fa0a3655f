"""Speaks to a partner's TAXII 2.1 server: reads what it released to us, adds what we release to it.

A node is known by its pinned certificate and found by its discovery URL; a plain server by the authority
that vouches for it, and found by its API root.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urljoin, urlsplit

import msgspec

from tearline.adapters.http import Answer, HttpConnection, Unreachable
from tearline.deliver.taxii import MEDIA_TYPE, date_added, read_date_added
from tearline.terms import BadInput, TearlineError

_T = TypeVar("_T")

__all__ = ["Page", "TaxiiClient", "TooMuch", "Unreachable"]

PAGE = 200
RELEASES, INBOX = "releases", "inbox"
"""The aliases of the collections in which a node keeps what it released to the asker, and what that gave."""
REFUSALS = frozenset({400, 413, 422})
"""Answers to an envelope that sending it again would not change."""


class TooMuch(TearlineError):
    """The server will not take this envelope, whenever it is sent."""


class Page(msgspec.Struct, frozen=True):
    """An envelope as it came, and the date-added of its last object in microseconds since 1970."""

    envelope: bytes
    last: int


class Failure(msgspec.Struct, frozen=True):
    """An object that the server did not take (TAXII 2.1, section 4.3.2)."""

    id: str
    version: str = ""
    message: str = ""


class Status(msgspec.Struct, frozen=True):
    """What became of an envelope (section 4.3.1)."""

    id: str
    status: str
    failures: list[Failure] = []


class _Paging(msgspec.Struct):
    objects: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1)] | None = None
    more: bool = False
    next: str | None = None


class TaxiiClient:
    """One server. Keeps its connection open; use as an async context manager, one request at a time."""

    def __init__(
        self, url: str, context: ssl.SSLContext, *, root: bool = False, authorization: str | None = None
    ) -> None:
        """`url`: of its discovery or, with `root`, of its API root. `authorization`: that header."""
        headers = {"accept": MEDIA_TYPE} | ({"authorization": authorization} if authorization else {})
        self._http = HttpConnection(url, context, headers)
        self._url = url
        self._root = url.rstrip("/") + "/" if root else None

    async def __aenter__(self) -> TaxiiClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def connect(self) -> None:
        """Open the connection and find the API root, where that is not done. Raises `Unreachable`."""
        await self._http.connect()
        if self._root is None:
            await self._find_root()

    async def releases(self, after: int) -> AsyncIterator[Page]:
        """Every page of what this node released to us after the date-added `after`, oldest first.

        Raises `Unreachable` when the door does not answer; the pages given until then are whole. Raises
        `BadInput` where its answers are not what TAXII has.
        """
        query = f"limit={PAGE}" + (f"&added_after={_date_added(after)}" if after >= 0 else "")
        more = ""
        while True:
            answer = await self._get(f"collections/{RELEASES}/objects/?{query}{more}")
            paging = self._read(answer, _Paging)
            if paging.objects:
                yield Page(answer.body, _last(answer.headers))
            if not paging.more or not paging.next or not paging.objects:
                return
            more = "&next=" + quote(paging.next, safe="")

    async def add(self, collection: str, envelope: bytes) -> Status:
        """Add objects; when this returns the server has them, but for the failures, or is at it (`pending`).

        Raises `TooMuch` where it will never take this envelope, `Unreachable` where it may another time.
        """
        root = self._root or await self._find_root()
        target = _target(f"{root}collections/{collection}/objects/")
        answer = await self._http.request("POST", target, envelope, {"content-type": MEDIA_TYPE})
        if answer.status in REFUSALS:
            raise TooMuch(f"it answered {answer.status}")
        if answer.status != 202:
            raise Unreachable(f"it answered {answer.status}")
        return self._read(answer, Status)

    async def status(self, status_id: str) -> Status:
        """What became of an envelope that was pending."""
        return self._read(await self._get(f"status/{quote(status_id, safe='')}/"), Status)

    async def _find_root(self) -> str:
        discovery = self._read(await self._ask(self._url), dict[str, Any])
        roots = discovery.get("api_roots") or []
        root = discovery.get("default") or (roots[0] if isinstance(roots, list) and roots else None)
        if not isinstance(root, str):
            raise Unreachable("it names no API root for us")
        root = urljoin(self._url, root if root.endswith("/") else root + "/")
        if urlsplit(root).netloc != urlsplit(self._url).netloc:
            raise Unreachable("its API root is at another address")
        self._root = root
        return root

    async def _get(self, path: str) -> Answer:
        return await self._ask((self._root or await self._find_root()) + path)

    async def _ask(self, url: str) -> Answer:
        answer = await self._http.request("GET", _target(url))
        if answer.status != 200:
            raise Unreachable(f"it answered {answer.status}")
        return answer

    def _read(self, answer: Answer, what: type[_T]) -> _T:
        try:
            return msgspec.json.decode(answer.body, type=what)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise BadInput(self._url, "", "its answer is not what TAXII 2.1 has there") from None


def _target(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + ("?" + parts.query if parts.query else "")


def _last(headers: dict[str, str]) -> int:
    """Raises `BadInput`."""
    return read_date_added(headers.get("x-taxii-date-added-last", ""), "X-TAXII-Date-Added-Last")


def _date_added(after: int) -> str:
    return quote(date_added(after), safe="")
