"""STAC API 1.0 for partners, beside TAXII: Core, Browseable, Collections, Features, Item Search.

Who may ask, and how often, is for `app` to say, as for every request. What is answered comes from the asking
partner's view alone, of what was opened there; whoever asks for any of it has been served all of it. Hidden
and absent are the same 404 to the byte.

Answers have no validators and no times of their own (`ETag`, `Last-Modified`). `Accept` is not looked at (RFC
9110, section 12.4.1, leaves that to the server), for each resource has one form.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response

from tearline.adapters.view import Found, Place, Scenes
from tearline.deliver import stac
from tearline.deliver.stac import documents
from tearline.deliver.stac.documents import GEOJSON, JSON, OPENAPI, ROOT, Document
from tearline.doors.partner.inbox import Inbox
from tearline.doors.partner.problem import Problem, not_found

MAX_BODY = 256 * 1024
"""Bytes of a search that is posted."""
ITEMS_OF_A_MONTH = 500
"""Links to items in one catalog."""

_HOST = re.compile(r"[A-Za-z0-9.-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")


class Asked(NamedTuple):
    """A request to the catalogue, from a partner who may ask."""

    request: Request
    inbox: Inbox
    parts: Mapping[str, str]
    """Of the path."""
    title: str
    """The node's."""
    body: Callable[[int], Awaitable[bytearray]]
    """Reads the body, of so many bytes at most."""

    @property
    def base(self) -> str:
        """The address that was asked, which links begin with."""
        host = self.request.headers.get("host", "")
        if not _HOST.fullmatch(host):
            raise Problem(400, "The Host header names no host.")
        return f"https://{host}"

    def query(self, *known: str) -> dict[str, str]:
        try:
            text = str(self.request.scope["query_string"], "ascii")
        except UnicodeDecodeError:
            raise Problem(400, "The query is not percent-encoded.") from None
        return stac.read_query(text, known)

    async def open(self) -> None:
        """See that all that was released is there to be read, as served. Raises `Closing`."""
        while self.inbox.view.has_fresh_scenes():
            await self.inbox.run(self.inbox.view.open_scenes)

    @property
    def shelf(self) -> str:
        """The collection in the path."""
        name = self.parts["shelf"]
        if name not in documents.TITLES:
            raise not_found()
        return name


Endpoint = Callable[[Asked], Awaitable[Response]]


async def _landing(asked: Asked) -> Response:
    asked.query()
    return _answer(documents.landing(asked.base, asked.title))


async def _api(asked: Asked) -> Response:
    asked.query()
    return Response(description(), media_type=OPENAPI)


async def _conformance(asked: Asked) -> Response:
    asked.query()
    return _answer({"conformsTo": documents.CONFORMS_TO})


async def _collections(asked: Asked) -> Response:
    asked.query()
    await asked.open()
    with asked.inbox.view.scenes() as scenes:
        each = [_shelf(asked, scenes, name) for name in documents.TITLES]
    return _answer(documents.collections(asked.base, each))


async def _collection(asked: Asked) -> Response:
    asked.query()
    name = asked.shelf
    await asked.open()
    with asked.inbox.view.scenes() as scenes:
        return _answer(_shelf(asked, scenes, name))


async def _month(asked: Asked) -> Response:
    given = asked.query("token")
    name, which = asked.shelf, asked.parts["month"]
    span = documents.month_span(which)
    if span is None:
        raise not_found()
    bound = stac.Search(collections=(name,), since=span[0], until=span[1] - 1, token=given.get("token"))
    key = asked.inbox.view.token_key
    place = Place(*(stac.next_place(key, bound) or (span[1], 0)))
    await asked.open()
    with asked.inbox.view.scenes() as scenes:
        found = scenes.begun(name, span[0], place, ITEMS_OF_A_MONTH + 1)
    if not found:
        raise not_found()
    more = len(found) > ITEMS_OF_A_MONTH
    del found[ITEMS_OF_A_MONTH:]
    token = stac.next_token(key, bound, *found[-1][0]) if more else None
    ids = [each for _, each in found]
    return _answer(documents.month(asked.base, name, which, ids, bound.token, token))


async def _items(asked: Asked) -> Response:
    given = asked.query(*stac.OF_ITEMS)
    name = asked.shelf
    search = stac.read_search(given | {"collections": name})
    found, token = await _find(asked, search)
    here = f"{asked.base}{ROOT}/collections/{name}/items"
    links = [
        *documents.page_links(here, given, token),
        *documents.of_collection(asked.base, name),
    ]
    return _page(asked, found, links)


async def _item(asked: Asked) -> Response:
    asked.query()
    name = asked.shelf
    await asked.open()
    with asked.inbox.view.scenes() as scenes:
        stored = scenes.item(name, asked.parts["item"])
    if stored is None:
        raise not_found()
    return _answer(documents.item(asked.base, stored), GEOJSON)


async def _search(asked: Asked) -> Response:
    given = asked.query(*stac.OF_SEARCH)
    found, token = await _find(asked, stac.read_search(given))
    return _page(asked, found, documents.page_links(f"{asked.base}{ROOT}/search", given, token))


async def _search_posted(asked: Asked) -> Response:
    asked.query()
    headers = asked.request.headers
    if headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise Problem(415, f"Send {JSON}.")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "Send the body as it is, without a content encoding.")
    search, given = stac.read_body(await asked.body(MAX_BODY))
    found, token = await _find(asked, search)
    return _page(asked, found, documents.posted_links(f"{asked.base}{ROOT}/search", given, token))


ROUTES: tuple[tuple[str, Mapping[str, Endpoint]], ...] = (
    (ROOT, {"GET": _landing}),
    (ROOT + "/api", {"GET": _api}),
    (ROOT + "/conformance", {"GET": _conformance}),
    (ROOT + "/search", {"GET": _search, "POST": _search_posted}),
    (ROOT + "/collections", {"GET": _collections}),
    (ROOT + "/collections/(?P<shelf>[^/]+)", {"GET": _collection}),
    (ROOT + "/collections/(?P<shelf>[^/]+)/items", {"GET": _items}),
    (ROOT + "/collections/(?P<shelf>[^/]+)/items/(?P<item>[^/]+)", {"GET": _item}),
    (ROOT + "/collections/(?P<shelf>[^/]+)/months/(?P<month>[^/]+)", {"GET": _month}),
)


def is_ours(path: str) -> bool:
    """Whether a path is one of the catalogue, so that its errors are told as STAC tells them."""
    return path == ROOT or path.startswith(ROOT + "/")


def told(problem: Problem) -> Response:
    """A problem as STAC API tells it: a code and a description."""
    body = orjson.dumps({"code": str(problem.status), "description": problem.description})
    return Response(body, problem.status, problem.headers, JSON)


@cache
def description() -> bytes:
    """The catalogue's part of `docs/partner-door.openapi.yaml`, as JSON."""
    return files(__package__).joinpath("catalogue.openapi.json").read_bytes()


async def _find(asked: Asked, search: stac.Search) -> tuple[Found, str | None]:
    """A page of what is searched for, and the token of the next one."""
    view = asked.inbox.view
    place = stac.next_place(view.token_key, search)
    await asked.open()

    def act() -> Found:
        with view.scenes() as scenes:
            return scenes.search(search, None if place is None else Place(*place), search.limit)

    # What touches a shape is worked out, not read off an index: others should not wait for it.
    found = act() if search.shape is None else await asked.inbox.run(act)
    token = None if found.next is None else stac.next_token(view.token_key, search, *found.next)
    return found, token


def _shelf(asked: Asked, scenes: Scenes, name: str) -> Document:
    extent = scenes.extent(name)
    months = []
    start = scenes.next_start(name, None)
    while start is not None:
        months.append(documents.month_of(start))
        span = documents.month_span(months[-1])
        start = None if span is None else scenes.next_start(name, span[0])
    return documents.collection(asked.base, name, extent.box, extent.times, months)


def _page(asked: Asked, found: Found, links: list[Document]) -> Response:
    return _answer(documents.page(asked.base, found.items, found.matched, links), GEOJSON)


def _answer(document: Document, kind: str = JSON) -> Response:
    return Response(orjson.dumps(document), media_type=kind)
