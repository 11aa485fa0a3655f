"""TAXII add-objects and get-objects against two other servers, and an idle poll as a collection grows.

    .venv/bin/python benchmarks/taxii.py [--quick]

One client, the same 2,000 STIX objects, batches and pages of 100, one connection kept open. "CPU" is the time
that the server's processes took by /proc/PID/stat; "wall" is what the client waited. Ours runs as a partner
meets it: mutual TLS, SQLite with synchronous=FULL, the incoming log and its signed checkpoint in the same
commit. The others run without TLS: OpenTAXII 0.9.3 (SQLite, bearer token; gunicorn with one worker; mended so
that it can answer), medallion 3.0.0 (memory backend, HTTP Basic; the server that it starts by itself). They
are installed into `.venv-peers`, which this makes; nothing of them enters the project.

The objects are those of ../shared/data/attack-ics-18.1.json without relationships, marking and collection,
where that file is there, else invented ones of the same size; repeated under new ids to make up the number.
`--quick`: 500 objects, and no idle poll beyond 100,000.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.client
import json
import os
import re
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson
import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.progress import track

from tearline.adapters import tls
from tearline.adapters.view import OUT, Item, View
from tearline.doors.partner import ByCertificate, PartnerDoor, Registry, run_door

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".venv-peers"
DATA = ROOT.parent / "shared" / "data" / "attack-ics-18.1.json"
MEDIA_TYPE = "application/taxii+json;version=2.1"
PAGE = 100
NEXT = re.compile(rb'"next":\s*("[^"]+")')
"""A page's `next`: it stands before or after the objects, never among them, in what all three answer."""
TICK = os.sysconf("SC_CLK_TCK")
KEY = Ed25519PrivateKey.from_private_bytes(b"benchmark" * 3 + b"12345")
ERR = Console(stderr=True)


class Measured(NamedTuple):
    """Objects per second: of the server's CPU, and of the client's clock."""

    cpu: float
    wall: float


class Client:
    """One connection, kept open where the server lets it; plain, for it shares the machine."""

    def __init__(self, port: int, headers: dict[str, str], context: ssl.SSLContext | None = None) -> None:
        if context is None:
            self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        else:
            self._http = http.client.HTTPSConnection("127.0.0.1", port, timeout=600, context=context)
        self._headers = {"accept": MEDIA_TYPE, "content-type": MEDIA_TYPE} | headers

    def get(self, path: str, **asked: str) -> bytes:
        return self._ask("GET", f"{path}?{urlencode(asked)}", None, 200)

    def post(self, path: str, body: bytes) -> bytes:
        return self._ask("POST", path, body, 202)

    def _ask(self, method: str, path: str, body: bytes | None, expected: int) -> bytes:
        self._http.request(method, path, body, self._headers)
        answer = self._http.getresponse()
        content = answer.read()
        if answer.status != expected:
            raise RuntimeError(f"{answer.status}: {content[:200]!r}")
        return content


class Peer(NamedTuple):
    """A running server: its process, a client for it and the path of a collection that takes objects."""

    pid: int
    client: Client
    collection: str


# --- objects ---------------------------------------------------------------------------------------


def objects(count: int) -> list[dict[str, Any]]:
    if DATA.exists():
        # OpenTAXII cannot take a marking definition: it has no `modified`.
        skipped = ("relationship", "x-mitre-collection", "marking-definition")
        found = [item for item in json.loads(DATA.read_text())["objects"] if item["type"] not in skipped]
    else:
        found = [
            {
                "type": "indicator",
                "spec_version": "2.1",
                "id": "indicator--00000000-0000-4000-8000-000000000000",
                "created": "2026-01-01T00:00:00.000Z",
                "modified": "2026-01-01T00:00:00.000Z",
                "name": f"Invented indicator {number}",
                "description": "An invented sentence about a duck on a pond. " * 45,
                "pattern": f"[ipv4-addr:value = '192.0.2.{number}']",
                "pattern_type": "stix",
                "valid_from": "2026-01-01T00:00:00Z",
            }
            for number in range(250)
        ]
    return [found[number % len(found)] for number in range(count)]


def batches(items: list[dict[str, Any]]) -> list[bytes]:
    """Envelopes of the objects, each under an id of its own."""
    fresh = [item | {"id": f"{item['type']}--{uuid.uuid4()}"} for item in items]
    return [
        json.dumps({"objects": fresh[start : start + PAGE]}).encode() for start in range(0, len(fresh), PAGE)
    ]


# --- measuring -------------------------------------------------------------------------------------


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of its children."""
    total = 0.0
    for process in [pid, *children(pid)]:
        fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / TICK
    return total


def children(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def measured(pid: int, count: int, into: list[Measured]) -> Iterator[None]:
    cpu, wall = cpu_seconds(pid), time.perf_counter()
    yield
    wall = time.perf_counter() - wall
    cpu = max(cpu_seconds(pid) - cpu, 1 / TICK)
    into.append(Measured(count / cpu, count / wall))


def add_and_get(peer: Peer, items: list[dict[str, Any]], rounds: int, walks: int) -> list[Measured]:
    """Adding; getting the newest versions (what a client gets that asks for nothing else); getting all."""
    url = f"{peer.collection}objects/"
    rates: list[Measured] = []
    envelopes = [body for _ in range(rounds) for body in batches(items)]
    held = len(items) * rounds
    with measured(peer.pid, held, rates):
        for body in envelopes:
            peer.client.post(url, body)
    for versions in ("last", "all"):
        asked = {} if versions == "last" else {"match[version]": versions}
        with measured(peer.pid, held * walks, rates):
            pages = [page for _ in range(walks) for page in walk(peer.client, url, asked)]
        found = sum(len(orjson.loads(page).get("objects", [])) for page in pages)
        if found != held * walks:
            raise RuntimeError(f"{found} objects came back of {held * walks}")
    return rates


def walk(client: Client, path: str, asked: dict[str, str]) -> list[bytes]:
    """Every page, as it came: the client reads no more of it than where to go on."""
    pages, token = [], {}
    while True:
        pages.append(client.get(path, limit=str(PAGE), **asked, **token))
        found = NEXT.search(pages[-1][:400]) or NEXT.search(pages[-1][-400:])
        if found is None:
            return pages
        token = {"next": json.loads(found[1])}


# --- the servers -----------------------------------------------------------------------------------


@contextmanager
def started(command: list[str], **rest: Any) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, text=True, **rest)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def ours(folder: Path) -> Iterator[Peer]:
    for name in ("server", "partner"):
        (folder / name).mkdir()
        tls.make_identity(folder / name, name, "127.0.0.1")
    with started([sys.executable, __file__, "--serve", str(folder)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        server, partner = folder / "server", folder / "partner"
        context = tls.client_context(
            partner / "tls.crt", partner / "tls.pem", (server / "tls.crt").read_text()
        )
        yield Peer(process.pid, Client(port, {}, context), "/api/collections/inbox/")


def serve(folder: Path) -> None:
    """What `ours` starts: the door as a node runs it, with one partner."""
    context = tls.server_context(folder / "server" / "tls.crt", folder / "server" / "tls.pem")
    registry = Registry(lambda party: view_of(folder, party))
    registry.admit({"BBB": (folder / "partner" / "tls.crt").read_text()}, context)
    door = PartnerDoor(registry, ByCertificate(registry), title="Benchmark")
    uvloop.run(run_door(door, context, "127.0.0.1", 0, ready=lambda port: print(port, flush=True)))


def view_of(folder: Path, party: str) -> View:
    return View(folder / f"{party}.db", node="AAA", party=party, key=KEY, secret=b"s" * 32)


def install_peers() -> None:
    if not (PEERS / ".ready").exists():
        ERR.print("installing OpenTAXII 0.9.3 and medallion 3.0.0 into .venv-peers")
        venv.create(PEERS, with_pip=True)
        pip = [str(PEERS / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "opentaxii==0.9.3", "medallion==3.0.0", "gunicorn"], check=True)
        (PEERS / ".ready").touch()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(300):
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.1)
    raise RuntimeError(f"nothing answers at port {port}")


# As it is, 0.9.3 stores what is added and then answers 500: a UUID in its status is not JSON.
OPENTAXII_APP = """
import json
json.JSONEncoder.default = lambda _, value: str(value)
from opentaxii.http import app
"""
OPENTAXII_SETUP = """
from opentaxii.http import app, server
with app.app_context():
    api = server.servers.taxii2.persistence.api
    root = api.add_api_root(title="benchmark", default=True)
    collection = api.add_collection(
        api_root_id=root.id, title="benchmark", is_public=True, is_public_write=True
    )
    server.auth.api.create_account(username="user", password="password", is_admin=True)
    print(root.id, collection.id, server.auth.authenticate("user", "password"))
"""


@contextmanager
def opentaxii(folder: Path) -> Iterator[Peer]:
    port = free_port()
    config = {
        "domain": f"127.0.0.1:{port}",
        "auth_api": {
            "class": "opentaxii.auth.sqldb.SQLDatabaseAPI",
            "parameters": {
                "db_connection": f"sqlite:///{folder}/auth.db",
                "create_tables": True,
                "secret": "benchmark-secret-of-enough-bytes",
                "token_ttl_secs": 3600,
            },
        },
        "taxii1": None,
        "taxii2": {
            "title": "benchmark",
            "max_content_length": 104857600,
            "allow_custom_properties": True,
            "persistence_api": {
                "class": "opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI",
                "parameters": {"db_connection": f"sqlite:///{folder}/data.db", "create_tables": True},
            },
        },
        "logging": {"opentaxii": "error", "root": "error"},
    }
    (folder / "config.yml").write_text(json.dumps(config))  # JSON is YAML
    (folder / "peer_app.py").write_text(OPENTAXII_APP)
    environment = os.environ | {"OPENTAXII_CONFIG": str(folder / "config.yml"), "PYTHONWARNINGS": "ignore"}
    python = str(PEERS / "bin" / "python")
    made = subprocess.run(
        [python, "-c", OPENTAXII_SETUP], env=environment, check=True, capture_output=True, text=True
    )
    root, collection, token = made.stdout.split()[-3:]
    command = [
        python,
        "-m",
        "gunicorn",
        "peer_app:app",
        "--bind",
        f"127.0.0.1:{port}",
        "--pythonpath",
        str(folder),
    ]
    command += ["--workers", "1", "--worker-class", "gthread", "--threads", "1", "--log-level", "error"]
    with started(command, env=environment, stdout=subprocess.DEVNULL) as process:
        wait_for(port)
        client = Client(port, {"authorization": f"Bearer {token}"})
        yield Peer(process.pid, client, f"/taxii2/{root}/collections/{collection}/")


@contextmanager
def medallion(folder: Path) -> Iterator[Peer]:
    port, collection = free_port(), str(uuid.uuid4())
    data = {
        "/discovery": {"title": "benchmark", "default": "api", "api_roots": ["api"]},
        "api": {
            "information": {"title": "api", "versions": [MEDIA_TYPE], "max_content_length": 104857600},
            "status": [],
            "collections": [
                {
                    "id": collection,
                    "title": "benchmark",
                    "can_read": True,
                    "can_write": True,
                    "media_types": ["application/stix+json;version=2.1"],
                    "objects": [],
                    "manifest": [],
                }
            ],
        },
    }
    (folder / "data.json").write_text(json.dumps(data))
    config = {
        "backend": {
            "module": "medallion.backends.memory_backend",
            "module_class": "MemoryBackend",
            "filename": str(folder / "data.json"),
        },
        "users": {"user": "password"},
        "taxii": {"max_page_size": PAGE},
    }
    (folder / "config.json").write_text(json.dumps(config))
    command = [str(PEERS / "bin" / "medallion"), "--port", str(port), str(folder / "config.json")]
    with started(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for(port)
        basic = base64.b64encode(b"user:password").decode()
        client = Client(port, {"authorization": f"Basic {basic}"})
        yield Peer(process.pid, client, f"/api/collections/{collection}/")


# --- idle polls ------------------------------------------------------------------------------------


def idle(sizes: list[int], polls: int) -> Iterator[tuple[int, float, float]]:
    """(objects in the collection, median wall ms, server CPU ms) of a poll that brings nothing new."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        held = 0
        with ours(folder) as peer:
            url = peer.collection.replace("inbox", "releases") + "objects/"
            for size in sizes:
                fill(folder, held, size)
                held = size
                assert orjson.loads(peer.client.get(url, limit="1"))["more"]
                times = []
                cpu = cpu_seconds(peer.pid)
                for _ in range(polls):
                    start = time.perf_counter()
                    assert peer.client.get(url, added_after="2100-01-01T00:00:00.000000Z") == b"{}"
                    times.append(time.perf_counter() - start)
                yield size, statistics.median(times) * 1e3, (cpu_seconds(peer.pid) - cpu) / polls * 1e3


def fill(folder: Path, start: int, stop: int) -> None:
    """Put releases into the partner's view, as the node does, up to `stop` of them."""
    view, step = view_of(folder, "BBB"), 5000
    starts = range(start, stop, step)
    for at in track(starts, f"{stop:,} objects", console=ERR, disable=len(starts) < 20):
        with view.begin() as writer:
            items = []
            for number in range(at, min(at + step, stop)):
                name = f"indicator--00000000-0000-4000-8000-{number:012x}"
                body = json.dumps({"type": "indicator", "id": name, "name": f"Duck {number}"}).encode()
                items.append(Item(name, name, "indicator", "2026-01-01T00:00:00.000Z", "2.1", body))
            writer.add(OUT, items, datetime.now(UTC))
    view.close()


# --- the table -------------------------------------------------------------------------------------


def compare(count: int) -> None:
    install_peers()
    items = objects(count)
    size = sum(map(len, batches(items))) / count
    print(f"{count:,} STIX objects of {size:,.0f} bytes on average, in batches and pages of {PAGE}.\n")
    rows: list[tuple[str, list[Measured]]] = []
    for name, server, rounds, walks in (
        ("Tearline (mutual TLS, durable, logged)", ours, 5, 4),
        ("OpenTAXII 0.9.3 (SQLite, bearer token)", opentaxii, 1, 2),
        ("medallion 3.0.0 (memory)", medallion, 1, 1),
    ):
        ERR.print(name)
        with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as peer:
            rows.append((name, add_and_get(peer, items, rounds, walks)))
    acts = ("add", "get newest", "get all versions")
    print(f"| server | {' | '.join(f'{act} / CPU s | {act} / wall s' for act in acts)} |")
    print("|---" + "|---:" * 2 * len(acts) + "|")
    for name, rates in rows:
        print(f"| {name} | {' | '.join(f'{rate:,.0f}' for each in rates for rate in each)} |")
    (_, mine), *others = rows
    ratios = [
        rate / max(rates[act][unit] for _, rates in others)
        for act, each in enumerate(mine)
        for unit, rate in enumerate(each)
    ]
    print(
        f"| **ours to the better of the others** | {' | '.join(f'**{ratio:.1f} ×**' for ratio in ratios)} |"
    )


def poll(sizes: list[int]) -> None:
    print("\n| objects in the collection | idle poll, wall ms (median) | idle poll, server CPU ms |")
    print("|---:|---:|---:|")
    for size, wall, cpu in idle(sizes, 400):
        print(f"| {size:,} | {wall:.2f} | {cpu:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer objects, smaller collections")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve)
        return
    compare(500 if options.quick else 2000)
    poll([1_000, 10_000, 100_000] if options.quick else [1_000, 10_000, 100_000, 1_000_000])


if __name__ == "__main__":
    main()
