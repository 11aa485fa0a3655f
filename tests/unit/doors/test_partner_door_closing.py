"""The door and suspensions: it notes what it serves, and waits while releases are being sorted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tearline.adapters.view import View
from tearline.doors.partner import ByCertificate, PartnerDoor, Registry
from tearline.doors.partner import app as module
from tests.door import HEADERS, Identity, indicator, open_view, release

OBJECTS = "/api/collections/releases/objects/"


class Desk:
    """A door asked without a network, and another process's hand on the same view."""

    def __init__(self, folder: Path) -> None:
        self.registry = Registry(lambda party: open_view(folder, party))
        self.registry.admit({"BBB": Identity.make(folder / "keys", "BBB").pem})
        (self.key,) = self.registry._keys
        self.app = PartnerDoor(self.registry, ByCertificate(self.registry), title="AAA")
        self.view = open_view(folder, "BBB")

    def get(self, path: str) -> httpx.Response:
        return asyncio.run(self.ask("GET", path))

    async def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        async def as_party(scope: object, receive: object, send: object) -> None:
            await self.app({**scope, "state": {"tls_key": self.key}}, receive, send)  # type: ignore[dict-item, arg-type]

        transport = httpx.ASGITransport(as_party)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="https://x", timeout=60) as client:
            return await client.request(method, path, headers=HEADERS, json=body)

    def close_view(self, closing: bool) -> None:
        with self.view.begin() as writer:
            writer.set_closing(closing)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    release(tmp_path, "BBB", [indicator(1), indicator(2), indicator(3)])
    made = Desk(tmp_path)
    yield made
    made.registry.close()
    made.view.close()


def unserved(view: View) -> int:
    return len(view.unserved(-1, 100))


def test_what_is_served_is_noted_page_by_page(desk: Desk) -> None:
    desk.get("/api/collections/releases/manifest/")
    assert unserved(desk.view) == 3
    page = desk.get(OBJECTS + "?limit=2").json()
    assert unserved(desk.view) == 1
    again = desk.get(OBJECTS + "?limit=2")
    assert again.json()["objects"] == page["objects"]
    desk.get(f"{OBJECTS}{indicator(3)['id']}/")
    assert unserved(desk.view) == 0


def test_the_first_answer_and_the_next_are_the_same_to_the_byte(desk: Desk) -> None:
    """Law 5: whether something was served before cannot be told from the answer."""
    first, then = desk.get(OBJECTS), desk.get(OBJECTS)
    assert first.content == then.content
    assert first.headers == then.headers


@pytest.mark.parametrize(
    "path",
    [
        OBJECTS,
        "/api/collections/releases/manifest/",
        f"{OBJECTS}{indicator(1)['id']}/",
        f"{OBJECTS}{indicator(1)['id']}/versions/",
    ],
)
def test_answers_wait_until_the_view_is_open_again(desk: Desk, path: str) -> None:
    expected = desk.get(path)
    desk.close_view(True)
    found: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: found.append(desk.get(path)))
    asking.start()
    asking.join(0.2)
    assert asking.is_alive(), "it waits"
    desk.close_view(False)
    asking.join(20)
    assert found[0].content == expected.content
    assert found[0].headers == expected.headers


def test_the_inbox_goes_on_meanwhile(desk: Desk) -> None:
    desk.close_view(True)
    added = asyncio.run(desk.ask("POST", "/api/collections/inbox/objects/", {"objects": [indicator(7)]}))
    assert added.status_code == 202
    assert len(desk.get("/api/collections/inbox/objects/").json()["objects"]) == 1
    assert desk.get("/api/collections/").status_code == 200


def test_where_it_lasts_the_answer_is_that_the_node_is_busy(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLOSING_SECONDS", 0.05)
    desk.close_view(True)
    answer = desk.get(OBJECTS)
    assert answer.status_code == 503
    assert "suspen" not in answer.text
