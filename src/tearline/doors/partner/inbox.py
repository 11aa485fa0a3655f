"""Takes in what a partner gives. Requests that wait together are stored together: one commit, one sync.

Reading is done straight in the event loop, for a page takes less than handing it to a thread and back would.
What writes has a thread of its own, a view: parsing and storing what comes in, and noting what is served for
the first time.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar

import orjson

from tearline.adapters.view import IN, Item, Page, View, Writer
from tearline.deliver.taxii import Accepted, Limits, Query, Rejected, Span, read_envelope, read_span
from tearline.terms import BadInput

T = TypeVar("T")

_CONFLICT = "this version is held already with other content; give a changed object a new modified time"


class _Request(NamedTuple):
    body: bytes | bytearray
    limits: Limits
    at: datetime
    answer: asyncio.Future[bytes]


class Inbox:
    """A partner's view, and the queue of what it adds to it."""

    def __init__(self, view: View, given: Callable[[], None] = lambda: None) -> None:
        """`given` is called when something new of the partner is in the view, and durable."""
        self.view, self._given = view, given
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inbox")
        self._waiting: list[_Request] = []
        self._draining: asyncio.Task[None] | None = None

    async def page(self, collection: str, query: Query, after: int) -> Page[bytes]:
        """The objects to send, by now noted as served. Raises `Closing`."""
        page = self.view.served(collection, query, after=after, limit=query.limit)
        if page is not None:
            return page
        return await self.run(partial(self.view.serve, collection, query, after=after, limit=query.limit))

    async def add(self, body: bytes | bytearray, limits: Limits, at: datetime) -> bytes:
        """Store the objects of an envelope; their status resource, when all of it is durable.

        Raises `BadInput` (of it, `NotAnEnvelope`) as `read_envelope` does; then nothing is stored.
        """
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Request(body, limits, at, answer))
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        return await answer

    async def remove(self, query: Query) -> int:
        """Remove the versions of the ids in `query`; how many there were."""

        def act() -> int:
            with self.view.begin() as writer:
                return writer.remove(query)

        return await self.run(act)

    async def pulled(self, envelope: bytes, limits: Limits, span: Span, at: datetime) -> None:
        """Store a page of what the partner released to us, which is all there is in `span`.

        What cannot be stored is noted for the node. Raises `BadInput` as `read_envelope` does.
        """

        def act() -> None:
            items = read_envelope(envelope, limits)
            with self.view.begin() as writer:
                for failure in _put(writer, items, at)[1]:
                    writer.refused(failure["id"], failure["message"])
                writer.pulled(span.after, span.to)

        await self.run(act)
        self._given()

    async def run(self, act: Callable[[], T]) -> T:
        """Do what writes to the view, in the thread that does."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, act)

    def close(self) -> None:
        """Finish what is being stored, then close the view."""
        self._thread.shutdown(wait=True)
        self.view.close()

    async def _drain(self) -> None:
        try:
            while self._waiting:
                requests, self._waiting = self._waiting, []
                try:
                    answers = await self.run(partial(_store, self.view, requests))
                    self._given()
                except Exception as error:  # whatever it is, each waiting request must learn of it
                    answers = [error] * len(requests)
                for request, answer in zip(requests, answers, strict=True):
                    if request.answer.cancelled():
                        continue
                    if isinstance(answer, Exception):
                        request.answer.set_exception(answer)
                    else:
                        request.answer.set_result(answer)
        finally:
            self._draining = None


def _store(view: View, requests: Sequence[_Request]) -> list[bytes | Exception]:
    """One answer a request: a status resource, or why its body could not be taken at all."""
    envelopes = [_parse(request) for request in requests]
    if all(isinstance(envelope, BadInput) for envelope in envelopes):
        return [envelope for envelope in envelopes if isinstance(envelope, BadInput)]
    with view.begin() as writer:
        return [
            envelope if isinstance(envelope, BadInput) else _add(writer, envelope, request)
            for request, envelope in zip(requests, envelopes, strict=True)
        ]


def _parse(request: _Request) -> list[Accepted | Rejected] | BadInput:
    try:
        return read_envelope(request.body, request.limits)
    except BadInput as error:
        return error


def _add(writer: Writer, envelope: Sequence[Accepted | Rejected], request: _Request) -> bytes:
    successes, failures = _put(writer, envelope, request.at)
    span = read_span(request.body)
    if span is not None:
        writer.pulled(span.after, span.to)
    status_id = str(uuid.uuid4())
    status = orjson.dumps(_status(status_id, request.at, successes, failures))
    writer.put_status(status_id, status, request.at)
    return status


def _put(
    writer: Writer, envelope: Sequence[Accepted | Rejected], at: datetime
) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Add to `in` what can be; the successes and failures of it, as a status resource has them."""
    good = [item for item in envelope if isinstance(item, Accepted)]
    answers = writer.add(
        IN, [Item(None, item.id, item.type, item.version, item.spec_version, item.body) for item in good], at
    )
    successes, failures = [], []
    for item, answer in zip(good, answers, strict=True):
        details = {"id": item.id, "version": answer.version}
        if answer.became == "conflict":
            failures.append(details | {"message": _CONFLICT})
        else:
            successes.append(details)
    failures += [
        {"id": item.id, "version": item.version, "message": item.message}
        for item in envelope
        if isinstance(item, Rejected)
    ]
    return successes, failures


def _status(
    status_id: str, at: datetime, successes: list[dict[str, str]], failures: list[dict[str, str]]
) -> dict[str, Any]:
    """The status resource (TAXII 2.1, section 4.3.1). Empty lists are left out (section 2)."""
    return {
        "id": status_id,
        "status": "complete",
        "request_timestamp": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "total_count": len(successes) + len(failures),
        "success_count": len(successes),
        **({"successes": successes} if successes else {}),
        "failure_count": len(failures),
        **({"failures": failures} if failures else {}),
        "pending_count": 0,
    }
