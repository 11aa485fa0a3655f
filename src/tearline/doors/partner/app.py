"""TAXII 2.1 (OASIS Standard, 10 June 2021) for partners, as an ASGI application.

A request is checked in one fixed order, so that an answer never tells more than the one before it would:
who (401), how often (429), where (404), how (405), what form is asked for (406), which collection (404),
if allowed (403), what form is sent (415, 413), then the query and the content (400, 422).

Routing is a table of our own rather than Starlette's router, because *every* answer has to be a TAXII error,
404, 405 and 500 too, and because what is hidden and what is absent must be the same to the byte. Requests and
responses are Starlette's.

Choices where the standard leaves one: a path without its trailing slash is no endpoint (404; section 3.1);
`Range` is ignored but for files, for 2.1 has no item ranges (section 1.7.1; RFC 9110, section 14.2); an alias
stands for its collection id; DELETE without `match[version]` removes every version; `X-TAXII-Date-Added-*`
are absent where no object is given, for there is no time to tell.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

import msgspec
import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tearline.adapters.view import IN, OUT, Closing, Page, View
from tearline.deliver.file import PATH
from tearline.deliver.taxii import (
    MEDIA_TYPE,
    Limits,
    NotAnEnvelope,
    Query,
    accepts,
    date_added,
    is_taxii,
    next_position,
    next_token,
    read_query,
)
from tearline.doors.partner import catalogue
from tearline.doors.partner.credentials import Authenticate
from tearline.doors.partner.download import Download
from tearline.doors.partner.inbox import Inbox
from tearline.doors.partner.pace import Pace
from tearline.doors.partner.problem import Problem, not_found
from tearline.doors.partner.registry import Registry
from tearline.terms import BadInput

log = structlog.get_logger()

ROOT = "/api/"
MAX_QUERY = 16 * 1024
CLOSING_SECONDS, CLOSING_LOOK = 30.0, 0.01
"""How long a request for releases waits while they are being sorted, and how often it looks."""
STIX = "application/stix+json;version="


class _Shelf(NamedTuple):
    """What a partner is told of a collection."""

    alias: str
    title: str
    description: str
    can_write: bool


_SHELVES = {
    OUT: _Shelf("releases", "Releases", "What this node has released to you.", can_write=False),
    IN: _Shelf("inbox", "Inbox", "What you have given to this node.", can_write=True),
}


class _Call(NamedTuple):
    """A request that has passed the checks up to 406, and whose view is open."""

    request: Request
    inbox: Inbox
    collection: str
    """`out` or `in`; empty where the endpoint has none."""
    name: str
    """The id of an object or a status in the path; empty where there is none."""
    parts: Mapping[str, str]
    """All that is named in the path."""

    @property
    def view(self) -> View:
        return self.inbox.view


class PartnerDoor:
    """One listener's application. Serves `registry`'s partners, each from its own view alone."""

    def __init__(
        self,
        registry: Registry,
        authenticate: Authenticate,
        *,
        title: str,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        body_seconds: float = 120.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        pace: Pace | None = None,
    ) -> None:
        """`body_seconds`: how long a request's body may take to arrive."""
        self._pace = pace or Pace(time.monotonic)
        self._registry, self._authenticate, self._clock = registry, authenticate, clock
        self._title, self._limits, self._body_seconds = title, limits, body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError("this application speaks HTTP alone")
        try:
            response = await self._answer(Request(scope, receive))
        except Problem as problem:
            response = _told(problem, scope)
        except BadInput as error:
            response = _told(Problem.of(error), scope)
        except ClientDisconnect:
            return
        except Exception as error:
            # The text of an error could hold content: its kind and place are enough to find it.
            log.error("request failed", kind=type(error).__name__, at=_place(error))  # noqa: TRY400
            response = _told(Problem(500, "The node could not do this; it is not your fault."), scope)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response | Download:
        party = await self._authenticate(request)
        self._pace.take(party)
        match, methods = _route(request.scope["path"])
        endpoint = methods.get(request.method)
        if endpoint is None:
            raise Problem(405, "This endpoint does not do that.", {"allow": ", ".join(methods)})
        ours = endpoint is PartnerDoor._file or catalogue.is_ours(request.scope["path"])
        if not ours and not accepts(",".join(request.headers.getlist("accept"))):
            raise Problem(406, f"Answers are {MEDIA_TYPE}.")
        if len(request.scope["query_string"]) > MAX_QUERY:
            raise Problem(414, f"A query has at most {MAX_QUERY} bytes.")
        inbox = self._registry.inbox(party)
        parts = match.groupdict()
        named = parts.get("collection")
        collection = "" if named is None else _find(inbox.view, named)
        call = _Call(request, inbox, collection, parts.get("name", ""), parts)
        return await _when_open(endpoint, self, call)

    # --- server information: section 4 -------------------------------------------------------------

    async def _discovery(self, call: _Call) -> Response:
        host = call.request.headers.get("host", "")
        # Some clients take the root as it stands and cannot resolve a relative one.
        root = f"https://{host}{ROOT}" if _HOST.fullmatch(host) else ROOT
        return _json({"title": self._title, "default": root, "api_roots": [root]})

    async def _root(self, _: _Call) -> Response:
        return _json(
            {
                "title": self._title,
                "versions": [MEDIA_TYPE],
                "max_content_length": self._limits.content_length,
            }
        )

    async def _status(self, call: _Call) -> Response:
        body = call.view.status(call.name, self._clock())
        if body is None:
            raise not_found()
        return Response(body, media_type=MEDIA_TYPE)

    # --- files -------------------------------------------------------------------------------------

    async def _file(self, call: _Call) -> Download:
        file = call.view.file(call.name)
        if file is None:
            raise not_found()

        def may() -> bool:
            try:
                return call.view.file(call.name) is not None
            except Closing:  # it is being sorted: if the file goes, the next piece does not
                return True

        return Download(call.request, file, call.view.link(file.name), may, self._body_seconds)

    # --- collections: section 5 --------------------------------------------------------------------

    async def _collections(self, call: _Call) -> Response:
        return _json({"collections": [_resource(call.view, name) for name in _SHELVES]})

    async def _collection(self, call: _Call) -> Response:
        return _json(_resource(call.view, call.collection))

    async def _manifest(self, call: _Call) -> Response:
        query = read_query(_query(call))
        after, bound = _position(call, query, "manifest")
        page = call.view.manifest(call.collection, query, after=after, limit=query.limit)
        records = [
            {
                "id": record.id,
                "date_added": date_added(record.added),
                "version": record.version,
                "media_type": STIX + record.spec_version,
            }
            for record in page.items
        ]
        return _paged(call, page, bound, "objects", orjson.dumps(records)[1:-1])

    async def _objects(self, call: _Call) -> Response:
        query = read_query(_query(call))
        after, bound = _position(call, query, "objects")
        page = await call.inbox.page(call.collection, query, after)
        return _paged(call, page, bound, "objects", b",".join(page.items))

    async def _object(self, call: _Call) -> Response:
        query = _of_object(read_query(_query(call), ("version", "spec_version")), call)
        after, bound = _position(call, query, "object")
        page = await call.inbox.page(call.collection, query, after)
        if not page.items:
            _must_exist(call, query)
        return _paged(call, page, bound, "objects", b",".join(page.items))

    async def _versions(self, call: _Call) -> Response:
        query = _of_object(read_query(_query(call), ("spec_version",)), call)
        query = msgspec.structs.replace(query, versions=("all",))
        after, bound = _position(call, query, "versions")
        page = call.view.manifest(call.collection, query, after=after, limit=query.limit)
        if not page.items:
            _must_exist(call, query)
        versions = orjson.dumps([record.version for record in page.items])
        return _paged(call, page, bound, "versions", versions[1:-1])

    async def _add(self, call: _Call) -> Response:
        _must_write(call)
        headers = call.request.headers
        if not is_taxii(headers.get("content-type", "")):
            raise Problem(415, f"Send {MEDIA_TYPE}.")
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Problem(415, "Send the body as it is, without a content encoding.")
        async with self._pace.body(call.view.party):
            body = await self._body(call.request, self._limits.content_length)
            try:
                status = await call.inbox.add(body, self._limits, self._clock())
            except NotAnEnvelope as error:
                raise Problem.of(error, 422) from None
        return Response(status, 202, media_type=MEDIA_TYPE)

    async def _delete(self, call: _Call) -> Response:
        _must_write(call)
        query = read_query(_query(call), ("version", "spec_version"))
        versions = query.versions if query.versions_given else ("all",)
        gone = await call.inbox.remove(_of_object(msgspec.structs.replace(query, versions=versions), call))
        if not gone:
            raise not_found()
        return Response(b"", media_type=MEDIA_TYPE)

    async def _body(self, request: Request, limit: int) -> bytearray:
        """The body, if it keeps to the limit. What is too long is read on for a while and thrown away, so
        that the client gets to see the answer; then the connection is cut."""
        too_long = Problem(413, f"A body has at most {limit} bytes.", {"connection": "close"})
        if _declared(request) > limit and "expect" in request.headers:
            raise too_long
        body, size = bytearray(), 0
        try:
            async with asyncio.timeout(self._body_seconds):
                async for chunk in request.stream():
                    size += len(chunk)
                    if size > 2 * limit:
                        break
                    if size <= limit:
                        body += chunk
        except TimeoutError:
            raise Problem(408, "The body took too long to arrive.", {"connection": "close"}) from None
        if size > limit:
            raise too_long
        return body


_Endpoint = Callable[[PartnerDoor, _Call], Awaitable[Response | Download]]


def _of_catalogue(endpoint: catalogue.Endpoint, door: PartnerDoor, call: _Call) -> Awaitable[Response]:
    async def body(limit: int) -> bytearray:
        kept = call.request.state  # the endpoint is called again where it has to wait
        if not hasattr(kept, "body"):
            async with door._pace.body(call.view.party):
                kept.body = await door._body(call.request, limit)
        return bytearray(kept.body)

    return endpoint(catalogue.Asked(call.request, call.inbox, call.parts, door._title, body))


_HOST = re.compile(r"[A-Za-z0-9.-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")
_COLLECTION = ROOT + "collections/(?P<collection>[^/]+)/"
_OBJECT = _COLLECTION + "objects/(?P<name>[^/]+)/"
_PATHS: tuple[tuple[str, Mapping[str, _Endpoint]], ...] = (
    (_COLLECTION + "objects/", {"GET": PartnerDoor._objects, "POST": PartnerDoor._add}),
    (_COLLECTION + "manifest/", {"GET": PartnerDoor._manifest}),
    (_OBJECT, {"GET": PartnerDoor._object, "DELETE": PartnerDoor._delete}),
    (_OBJECT + "versions/", {"GET": PartnerDoor._versions}),
    (_COLLECTION, {"GET": PartnerDoor._collection}),
    (ROOT + "collections/", {"GET": PartnerDoor._collections}),
    (ROOT + "status/(?P<name>[^/]+)/", {"GET": PartnerDoor._status}),
    (ROOT, {"GET": PartnerDoor._root}),
    (re.escape(PATH) + "(?P<name>[^/]+)", {"GET": PartnerDoor._file, "HEAD": PartnerDoor._file}),
    ("/taxii2/", {"GET": PartnerDoor._discovery}),
    *(
        (path, {method: partial(_of_catalogue, endpoint) for method, endpoint in methods.items()})
        for path, methods in catalogue.ROUTES
    ),
)
_ROUTES = [(re.compile(path), methods) for path, methods in _PATHS]


def _route(path: str) -> tuple[re.Match[str], Mapping[str, _Endpoint]]:
    for pattern, methods in _ROUTES:
        match = pattern.fullmatch(path)
        if match is not None:
            return match, methods
    raise not_found()


async def _when_open(endpoint: _Endpoint, door: PartnerDoor, call: _Call) -> Response | Download:
    """The endpoint's answer, if need be as soon as what is released may be read again: mostly at once."""
    loop = asyncio.get_running_loop()
    end = loop.time() + CLOSING_SECONDS
    while True:
        try:
            return await endpoint(door, call)
        except Closing:
            if loop.time() > end:
                raise Problem(503, "The node is busy; ask again later.") from None
        await asyncio.sleep(CLOSING_LOOK)


def _find(view: View, named: str) -> str:
    for name, shelf in _SHELVES.items():
        if named in (view.ids[name], shelf.alias):
            return name
    raise not_found()


def _resource(view: View, name: str) -> dict[str, object]:
    """The collection resource (section 5.2.1)."""
    shelf = _SHELVES[name]
    return {
        "id": view.ids[name],
        "title": shelf.title,
        "description": shelf.description,
        "alias": shelf.alias,
        "can_read": True,
        "can_write": shelf.can_write,
        "media_types": [STIX + "2.1", STIX + "2.0"],
    }


def _query(call: _Call) -> str:
    try:
        return str(call.request.scope["query_string"], "ascii")
    except UnicodeDecodeError:
        raise Problem(400, "The query is not percent-encoded.") from None


def _of_object(query: Query, call: _Call) -> Query:
    return msgspec.structs.replace(query, ids=(call.name,))


def _position(call: _Call, query: Query, endpoint: str) -> tuple[int, str]:
    """The date-added after which to read on, and what a `next` of this request is bound to."""
    bound = f"{endpoint} {call.view.ids[call.collection]} {query.bound()}"
    if query.next is None:
        return query.after, bound
    return max(query.after, next_position(call.view.token_key, bound, query.next)), bound


def _must_exist(call: _Call, query: Query) -> None:
    """An object of which nothing matches, whenever it was added, is not there (sections 5.6 to 5.8)."""
    if not call.view.manifest(call.collection, query, after=-1, limit=1).items:
        raise not_found()


def _must_write(call: _Call) -> None:
    if not _SHELVES[call.collection].can_write:
        raise Problem(403, "You may read this collection, not change it.")


def _paged(call: _Call, page: Page[Any], bound: str, key: str, items: bytes) -> Response:
    """An envelope, manifest or versions resource around `items`, which are JSON already."""
    if not page.items:
        return Response(b"{}", media_type=MEDIA_TYPE)
    head = b"{"
    if page.more:
        token = next_token(call.view.token_key, bound, page.last)
        head = b'{"more":true,"next":"' + token.encode() + b'",'
    return Response(
        b"".join((head, b'"', key.encode(), b'":[', items, b"]}")),
        headers={
            "x-taxii-date-added-first": date_added(page.first),
            "x-taxii-date-added-last": date_added(page.last),
        },
        media_type=MEDIA_TYPE,
    )


def _told(problem: Problem, scope: Scope) -> Response:
    return catalogue.told(problem) if catalogue.is_ours(scope["path"]) else problem.response()


def _json(resource: dict[str, object]) -> Response:
    return Response(orjson.dumps(resource), media_type=MEDIA_TYPE)


def _declared(request: Request) -> int:
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"
