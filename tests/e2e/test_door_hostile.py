"""A partner's door under attack: nothing is lost, the others are served, and each gets a clear answer."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tearline.adapters import tls
from tearline.adapters.view import IN
from tearline.deliver.taxii import Query
from tearline.doors.partner import accept, listen
from tearline.doors.partner.pace import Pace
from tests.door import HEADERS, MEDIA_TYPE, Door, Identity, indicator, open_view, release, serving

IDLE = 10_000
INBOX = "/api/collections/inbox/objects/"
RELEASES = "/api/collections/releases/objects/"
# Connects as often as it is told and says nothing; its sockets stay open until its input ends.
HOLD = """
import socket, sys
held = []
for _ in range(int(sys.argv[2])):
    try:
        held.append(socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20))
    except OSError:
        pass
print(len(held), flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Identity]:
    folder = tmp_path_factory.mktemp("people")
    return {name: Identity.make(folder / name, name) for name in ("BBB", "CCC")}


@pytest.fixture
def door(tmp_path: Path, people: dict[str, Identity]) -> Iterator[Door]:
    for party in people:
        release(tmp_path, party, [indicator(1)])
    with serving(tmp_path, people) as running:
        yield running


def envelope(*objects: dict[str, object]) -> bytes:
    return json.dumps({"objects": objects}).encode()


def held(door: Door, party: str) -> int:
    view = open_view(door.folder, party)
    try:
        return len(view.page(IN, Query(versions=("all",)), after=-1, limit=100).items)
    finally:
        view.close()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def connect(door: Door, who: Identity) -> ssl.SSLSocket:
    context = tls.client_context(who.certificate, who.key, door.server.pem)
    return context.wrap_socket(socket.create_connection(("127.0.0.1", door.port), timeout=20))


def test_ten_thousand_connections_that_say_nothing(door: Door, people: dict[str, Identity]) -> None:
    mine = open_files()
    command = [sys.executable, "-c", HOLD, str(door.port), str(IDLE)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        assert int(holder.stdout.readline()) > IDLE * 0.9
        started = time.monotonic()
        with door.client(people["BBB"]) as client:
            assert len(client.get(RELEASES).json()["objects"]) == 1
        assert time.monotonic() - started < accept.HANDSHAKE_SECONDS
        assert open_files() - mine < 2 * accept.MAX_HANDSHAKES
    finally:
        holder.communicate("")


def test_a_partner_with_too_many_connections_is_told_so_and_others_are_served(
    door: Door, people: dict[str, Identity], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "MAX_CONNECTIONS", 8)
    open_ones = [connect(door, people["BBB"]) for _ in range(8)]
    with door.client(people["BBB"]) as client:
        answer = client.get(RELEASES)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["content-type"] == MEDIA_TYPE
        assert client.post(INBOX, content=envelope(indicator(1))).status_code == 503
    with door.client(people["CCC"]) as client:
        assert client.get(RELEASES).status_code == 200
    assert held(door, "BBB") == 0
    for one in open_ones:
        one.close()
    with door.client(people["BBB"]) as client:
        deadline = time.monotonic() + 10
        while (answer := client.get(RELEASES)).status_code == 503 and time.monotonic() < deadline:
            pass
        assert answer.status_code == 200


def test_a_flood_slows_down_its_partner_alone(tmp_path: Path, people: dict[str, Identity]) -> None:
    pace = Pace(time.monotonic, rate=1, burst=20)
    with serving(tmp_path, people, pace=pace) as door, door.client(people["BBB"]) as flooding:
        answers = [flooding.get(RELEASES) for _ in range(40)]
        codes = [answer.status_code for answer in answers]
        assert codes[:20] == [200] * 20
        assert set(codes[20:]) <= {200, 429}
        assert codes.count(429) > 10
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.headers["retry-after"] == "1"
        assert refused.json() == {
            "title": "Too Many Requests",
            "http_status": "429",
            "description": "Too many requests at once.",
        }
        with door.client(people["CCC"]) as other:
            assert [other.get(RELEASES).status_code for _ in range(10)] == [200] * 10


def test_what_is_sent_again_is_stored_once(door: Door, people: dict[str, Identity]) -> None:
    with door.client(people["BBB"]) as client:
        answers = [client.post(INBOX, content=envelope(indicator(7), indicator(8))) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert [answer.json()["success_count"] for answer in answers] == [2, 2, 2]
    assert held(door, "BBB") == 2


@pytest.mark.parametrize("cut", [0, 1, 60, -1], ids=["no body", "a byte", "an object", "but a byte"])
def test_a_request_that_is_cut_off_stores_nothing(door: Door, people: dict[str, Identity], cut: int) -> None:
    body = envelope(indicator(7), indicator(8))
    head = f"POST {INBOX} HTTP/1.1\r\nhost: door\r\ncontent-length: {len(body)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items()) + "\r\n"
    connection = connect(door, people["BBB"])
    connection.sendall(head.encode() + body[:cut])
    connection.close()
    with door.client(people["BBB"]) as client:  # by its answer the one before it is over
        assert client.get(RELEASES).status_code == 200
    assert held(door, "BBB") == 0


def test_a_chunked_body_that_is_cut_off_stores_nothing(door: Door, people: dict[str, Identity]) -> None:
    def half() -> Iterator[bytes]:
        yield envelope(indicator(7))[:-1]
        raise ConnectionResetError

    with door.client(people["BBB"]) as client, pytest.raises((ConnectionResetError, httpx.HTTPError)):
        client.post(INBOX, content=half())
    with door.client(people["BBB"]) as client:
        assert client.get(RELEASES).status_code == 200
    assert held(door, "BBB") == 0


def test_two_lengths_are_not_taken(door: Door, people: dict[str, Identity]) -> None:
    """Request smuggling: a length and a transfer encoding, or two lengths."""
    body = envelope(indicator(7))
    plain = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    for lengths in (
        f"content-length: {len(body)}\r\ntransfer-encoding: chunked\r\n",
        f"content-length: {len(body)}\r\ncontent-length: 5\r\n",
    ):
        connection = connect(door, people["BBB"])
        connection.sendall(f"POST {INBOX} HTTP/1.1\r\nhost: door\r\n{plain}{lengths}\r\n".encode() + body)
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 400 ")
        connection.close()
    assert held(door, "BBB") == 0
