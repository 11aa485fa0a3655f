"""Takes in what a partner adds. Requests that wait together are stored together: one commit, one sync.

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
from tearline.deliver.taxii import Accepted, Limits, Query, Rejected, read_envelope
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

    def __init__(self, view: View) -> None:
        self.view = view
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inbox")
        self._waiting: list[_Request] = []
        self._draining: asyncio.Task[None] | None = None

    async def page(self, collection: str, query: Query, after: int) -> Page[bytes]:
        """The objects to send, by now noted as served. Raises `Closing`."""
        page = self.view.served(collection, query, after=after, limit=query.limit)
        if page is not None:
            return page
        return await self._run(partial(self.view.serve, collection, query, after=after, limit=query.limit))

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

        return await self._run(act)

    def close(self) -> None:
        """Finish what is being stored, then close the view."""
        self._thread.shutdown(wait=True)
        self.view.close()

    async def _drain(self) -> None:
        try:
            while self._waiting:
                requests, self._waiting = self._waiting, []
                try:
                    answers = await self._run(partial(_store, self.view, requests))
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

    async def _run(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, act)


def _store(view: View, requests: Sequence[_Request]) -> list[bytes | Exception]:
    """One answer a request: a status resource, or why its body could not be taken at all."""
    envelopes = [_parse(request) for request in requests]
    if all(isinstance(envelope, BadInput) for envelope in envelopes):
        return [envelope for envelope in envelopes if isinstance(envelope, BadInput)]
    with view.begin() as writer:
        return [
            envelope if isinstance(envelope, BadInput) else _add(writer, envelope, request.at)
            for request, envelope in zip(requests, envelopes, strict=True)
        ]


def _parse(request: _Request) -> list[Accepted | Rejected] | BadInput:
    try:
        return read_envelope(request.body, request.limits)
    except BadInput as error:
        return error


def _add(writer: Writer, envelope: Sequence[Accepted | Rejected], at: datetime) -> bytes:
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
    status_id = str(uuid.uuid4())
    status = orjson.dumps(_status(status_id, at, successes, failures))
    writer.put_status(status_id, status, at)
    return status


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
