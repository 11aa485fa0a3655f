"""The door on a real socket: who gets through TLS, what is not HTTP, and what takes too long."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tearline.adapters import tls
from tearline.doors.partner import listen
from tests.door import MEDIA_TYPE, Door, Identity, indicator, release, serving

# TLS 1.3 tells a client that it was refused when it first reads; the connection may be gone by then.
REFUSED = (httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError, httpx.WriteError)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Identity]:
    """Partners and strangers, all with the same common name."""
    folder = tmp_path_factory.mktemp("people")
    past = datetime.now(UTC) - timedelta(days=30)
    return {name: Identity.make(folder / name, "SAME") for name in ("BBB", "CCC", "stranger")} | {
        "expired": Identity.make(folder / "expired", "SAME", not_before=past, valid=timedelta(days=2))
    }


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, people: dict[str, Identity]) -> Iterator[Door]:
    partners = {"BBB": people["BBB"], "EXP": people["expired"]}
    with serving(tmp_path_factory.mktemp("door"), partners) as running:
        yield running


def raw(door: Door, who: Identity) -> ssl.SSLSocket:
    context = tls.client_context(who.certificate, who.key, door.server.pem)
    return context.wrap_socket(socket.create_connection(("127.0.0.1", door.port), timeout=10))


def read_all(connection: ssl.SSLSocket) -> bytes:
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except (ssl.SSLError, ConnectionError):
        pass
    return b"".join(parts)


def test_a_partner_comes_in(door: Door, people: dict[str, Identity]) -> None:
    with door.client(people["BBB"]) as client:
        answer = client.get("/taxii2/")
    assert answer.status_code == 200
    assert answer.json()["default"] == f"{door.url}/api/"
    assert "server" not in answer.headers


def test_without_a_certificate_nobody_comes_in(door: Door) -> None:
    context = ssl.create_default_context(cadata=door.server.pem)
    with pytest.raises(REFUSED), httpx.Client(verify=context, trust_env=False) as client:
        client.get(f"{door.url}/taxii2/")


@pytest.mark.parametrize("who", ["stranger", "expired"])
def test_an_unknown_and_an_expired_certificate_do_not_come_in(
    door: Door, people: dict[str, Identity], who: str
) -> None:
    with pytest.raises(REFUSED), door.client(people[who]) as client:
        client.get("/taxii2/")


def test_a_partner_cannot_vouch_for_another_key(
    door: Door, people: dict[str, Identity], tmp_path: Path
) -> None:
    giver = people["BBB"]
    parent = x509.load_pem_x509_certificate(giver.certificate.read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    child = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CHILD")]))
        .issuer_name(parent.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(parent.not_valid_before_utc)
        .not_valid_after(parent.not_valid_after_utc)
        .sign(load_pem_private_key(giver.key.read_bytes(), None), hashes.SHA256())  # type: ignore[arg-type]
    )
    made = Identity(tmp_path / "child.crt", tmp_path / "child.pem")
    made.certificate.write_bytes(child.public_bytes(Encoding.PEM) + giver.certificate.read_bytes())
    made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(REFUSED), door.client(made) as client:
        client.get("/taxii2/")


def test_a_door_that_asks_for_no_certificate_turns_strangers_away(
    tmp_path: Path, people: dict[str, Identity]
) -> None:
    """Should TLS ever let somebody through, the door itself still asks for the key."""
    with serving(tmp_path, {"BBB": people["BBB"]}) as door:
        door.context.verify_mode = ssl.CERT_OPTIONAL
        context = ssl.create_default_context(cadata=door.server.pem)
        with httpx.Client(verify=context, trust_env=False) as client:
            answer = client.get(f"{door.url}/api/", headers={"accept": MEDIA_TYPE})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"]
        with door.client(people["BBB"]) as client:
            assert client.get("/api/").status_code == 200


def test_partners_come_and_go_while_the_door_is_served(tmp_path: Path, people: dict[str, Identity]) -> None:
    with serving(tmp_path, {"BBB": people["BBB"]}) as door, door.client(people["BBB"]) as old:
        assert old.get("/api/").status_code == 200
        with pytest.raises(REFUSED), door.client(people["CCC"]) as early:
            early.get("/api/")
        release(door.folder, "CCC", [indicator(1)])
        door.admit({"BBB": people["BBB"].pem, "CCC": people["CCC"].pem})
        with door.client(people["CCC"]) as new:
            assert new.get("/api/collections/releases/objects/").json() == {"objects": [indicator(1)]}
        assert old.get("/api/collections/releases/objects/").json() == {}
        door.admit({"CCC": people["CCC"].pem})
        # The connection was made before; the answer is of now.
        assert old.get("/api/").status_code == 401


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"NOT HTTP AT ALL\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET http:// HTTP/1.1\r\n\r\n",
        b"POST /api/ HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n",
        b"GET /api/ HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x00",
    ],
)
def test_what_is_not_http_is_told_in_taxii(
    door: Door, people: dict[str, Identity], request_bytes: bytes
) -> None:
    with raw(door, people["BBB"]) as connection:
        connection.sendall(request_bytes)
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: " + MEDIA_TYPE.encode() in head
    assert json.loads(body)["http_status"] == "400"


def test_a_head_without_end_is_cut(door: Door, people: dict[str, Identity]) -> None:
    with raw(door, people["BBB"]) as connection:
        connection.sendall(b"GET /api/ HTTP/1.1\r\nhost: x\r\nx-long: ")
        answer: list[bytes] = []
        reader = threading.Thread(target=lambda: answer.append(read_all(connection)))
        reader.start()
        try:
            for _ in range(64):
                connection.sendall(b"a" * 16_384)
        except (ssl.SSLError, ConnectionError):
            pass
        reader.join(10)
    assert answer[0] == b"" or answer[0].startswith(b"HTTP/1.1 400 ")
    assert not reader.is_alive()


def test_large_bodies_are_not_taken_for_long_heads(door: Door, people: dict[str, Identity]) -> None:
    with door.client(people["BBB"]) as client:
        for start in range(0, 600, 200):
            big = [indicator(n) | {"description": "x" * 1000} for n in range(start, start + 200)]
            answer = client.post("/api/collections/inbox/objects/", json={"objects": big})
            assert (answer.status_code, answer.json()["success_count"]) == (202, 200)


def test_a_head_that_does_not_arrive_is_cut(
    door: Door, people: dict[str, Identity], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "HEAD_SECONDS", 0.2)
    for beginning in (b"", b"GET /api/ HTTP/1.1\r\n"):
        with raw(door, people["BBB"]) as connection:
            connection.sendall(beginning) if beginning else None
            assert read_all(connection) == b""
    with raw(door, people["BBB"]) as connection:
        connection.sendall(b"GET /api/ HTTP/1.1\r\nhost: x\r\n\r\nGET /api/")
        answers = read_all(connection)
    assert answers.count(b"HTTP/1.1 200 ") == 1


def test_a_body_that_stops_is_cut(tmp_path: Path, people: dict[str, Identity]) -> None:
    with (
        serving(tmp_path, {"BBB": people["BBB"]}, body_seconds=0.2) as door,
        raw(door, people["BBB"]) as sent,
    ):
        kind = MEDIA_TYPE.encode()
        sent.sendall(
            b"POST /api/collections/inbox/objects/ HTTP/1.1\r\nhost: x\r\naccept: " + kind
            + b"\r\ncontent-type: " + kind + b"\r\ncontent-length: 1000\r\n\r\n{"
        )  # fmt: skip
        assert read_all(sent).startswith(b"HTTP/1.1 408 ")


def test_a_partner_whose_connection_is_open_does_not_hold_up_the_end(
    tmp_path: Path, people: dict[str, Identity]
) -> None:
    started = datetime.now(UTC)
    with serving(tmp_path, {"BBB": people["BBB"]}) as door:
        client = door.client(people["BBB"])
        assert client.get("/api/").status_code == 200
    assert datetime.now(UTC) - started < timedelta(seconds=listen.STOP_SECONDS)
    client.close()
