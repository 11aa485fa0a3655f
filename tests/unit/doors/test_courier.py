"""A courier and a partner's real door: in order, once, over outages; what is refused does not block."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tearline.adapters import tls
from tearline.adapters.view import IN, OUT, Item, View
from tearline.deliver.taxii import Query
from tearline.doors.partner import Inbox, Limits
from tearline.doors.post import padding
from tearline.doors.post.client import TaxiiClient
from tearline.doors.post.courier import Courier
from tests.door import Door, Identity, indicator, open_view, serving

EVERYTHING = Query(versions=("all",))


def release(view: View, *objects: dict[str, Any]) -> None:
    items = [
        Item(f"release {each['id']} {each['modified']}", each["id"], each["type"], each["modified"], "2.1",
             json.dumps(each).encode())
        for each in objects
    ]  # fmt: skip
    with view.begin() as writer:
        writer.add(OUT, items, datetime.now(UTC))


async def so(true: Callable[[], bool], what: str) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)
    assert true(), what


def run(
    folder: Path, act: Callable[[View, Courier, Callable[[], list[str]], Door], Awaitable[None]], **more: Any
) -> None:
    """`act` is given our view of the partner BBB, a running courier, and what BBB was given so far."""
    us = Identity.make(folder / "us", "BBB")
    there = folder / "there"
    there.mkdir()
    with (
        serving(there, {"BBB": us}, **more) as door,
        closing(View(folder / "BBB.db", node="CCC", party="BBB", secret=b"t" * 32)) as ours,
        closing(open_view(there, "BBB")) as theirs,
    ):

        def given() -> list[str]:
            page = theirs.page(IN, EVERYTHING, after=-1, limit=1000)
            return [json.loads(body)["id"] for body in page.items]

        async def main() -> None:
            context = tls.client_context(us.certificate, us.key, door.server.pem)
            async with TaxiiClient(door.url + "/taxii2/", context) as client:
                courier = Courier(
                    "BBB", Inbox(ours), client, "inbox",
                    plain=False, cadence=0.0, pad=padding.to_bucket, troubled=lambda: None,
                )  # fmt: skip
                task = asyncio.create_task(courier.run())
                try:
                    await act(ours, courier, given, door)
                finally:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)

        asyncio.run(main())


def test_everything_arrives_in_order_and_the_partner_knows_how_far(tmp_path: Path) -> None:
    async def act(ours: View, courier: Courier, given: Callable[[], list[str]], door: Door) -> None:
        objects = [indicator(number) for number in range(120)]
        release(ours, *objects[:100])
        courier.wake()
        await so(lambda: len(given()) == 100, "the first have arrived")
        release(ours, *objects[100:])
        courier.wake()
        await so(lambda: not ours.has_to_push(), "all are acknowledged")
        assert given() == [each["id"] for each in objects]
        with closing(open_view(door.folder, "BBB")) as theirs:
            assert theirs.pulled_to() == ours.pushed_to() > 0

    run(tmp_path, act)


def test_what_the_partner_refuses_is_noted_and_the_rest_goes_on(tmp_path: Path) -> None:
    async def act(ours: View, courier: Courier, given: Callable[[], list[str]], door: Door) -> None:
        large = indicator(2) | {"description": "x" * 3000}
        release(ours, indicator(1), large, indicator(3))
        courier.wake()
        await so(lambda: not ours.has_to_push(), "all are acknowledged")
        assert given() == [indicator(1)["id"], indicator(3)["id"]]
        (notice,) = ours.troubles(0, 9)
        assert (notice.what, "larger" in notice.why) == (f"release {large['id']} {large['modified']}", True)

    run(tmp_path, act, limits=Limits(object_bytes=2000))


def test_an_envelope_that_is_too_long_is_cut_until_it_fits(tmp_path: Path) -> None:
    async def act(ours: View, courier: Courier, given: Callable[[], list[str]], door: Door) -> None:
        objects = [indicator(number) | {"description": "x" * 1000} for number in range(30)]
        objects[7] |= {"description": "x" * 20_000}
        release(ours, *objects)

        async def settle() -> None:
            """What the node does when a push has failed."""
            while True:
                if ours.is_closing():
                    with ours.begin() as writer:
                        writer.set_closing(False)
                await asyncio.sleep(0.01)

        settling = asyncio.create_task(settle())
        courier.wake()
        await so(lambda: not ours.has_to_push(), "all are acknowledged")
        settling.cancel()
        assert given() == [each["id"] for each in objects if each is not objects[7]]
        assert len(ours.troubles(0, 9)) == 1

    run(tmp_path, act, limits=Limits(content_length=16_384))


def test_nothing_is_lost_while_the_partner_does_not_let_us_in(tmp_path: Path) -> None:
    async def act(ours: View, courier: Courier, given: Callable[[], list[str]], door: Door) -> None:
        us = (tmp_path / "us" / "tls.crt").read_text()
        await asyncio.to_thread(door.admit, {})
        release(ours, indicator(1))
        courier.wake()
        await so(lambda: courier._patience.failures > 0, "it has failed")
        assert [name for _, name in ours.unserved(-1, 9)] != [], "what did not arrive was not served"
        assert given() == []
        await asyncio.to_thread(door.admit, {"BBB": us})
        if ours.is_closing():
            with ours.begin() as writer:
                writer.set_closing(False)
        courier.heard()
        await so(lambda: not ours.has_to_push(), "all are acknowledged")
        assert given() == [indicator(1)["id"]]

    run(tmp_path, act)
