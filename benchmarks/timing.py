"""Can a partner tell by the clock what is withheld from it? Law 5, at the wire, with a stop-watch.

A node of its own (`tearline serve`) is asked over one mutual TLS connection. Two classes of requests come
in random order, so that whatever else the machine does falls on both alike; the one tenth of the samples that
took longest is left out, by one threshold for both (as dudect does). Printed are the difference of the means
and Welch's t.

    python benchmarks/timing.py [--samples 100000] [--only id|filter|refused|scene|busy]

- `id`       an object that is withheld, and one that was never there: `objects/ID/`
- `filter`   the same by `match[id]`, where the answer is an empty page
- `refused`  a collection of another partner by its true id, and one that does not exist
- `scene`    an item of the catalogue that is held back, and one that was never there
- `busy`     the poll right after withheld products were taken in, and after as many were taken in elsewhere
"""

from __future__ import annotations

import argparse
import random
import socket
import ssl
import statistics
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from tearline.adapters import tls
from tearline.doors.partner.pace import REQUESTS_A_SECOND
from tearline.node import Node, take_in
from tearline.terms import Box
from tests.catalogue import picture, put, scene
from tests.coalition import make_nodes, serve, stop
from tests.unit.node.world import GREEN, RED, bundle, malware

GIVER, ASKER, OTHER = "GBR", "USA", "CAN"
WITHHELD, ABSENT, GIVEN = malware("withheld", RED), malware("absent"), malware("given", GREEN)
HELD_BACK, NO_SCENE = (scene(number, picture(Box(18.0, 54.0, 19.0, 55.0))) for number in (1, 2))
KEPT = 0.9
PAUSE = 1.05 / REQUESTS_A_SECOND
"""Seconds between two requests."""


class Compared(NamedTuple):
    """Two classes: their means in microseconds, and Welch's t of the difference."""

    one: float
    other: float
    t: float
    samples: int

    @property
    def effect(self) -> float:
        return abs(self.one - self.other)


class Wire:
    """One connection to a node's door, as a partner. Each request waits for its whole answer."""

    def __init__(self, homes: dict[str, Path]) -> None:
        with Node.open(homes[ASKER]) as me:
            context = tls.client_context(me.home.certificate, me.home.tls_key, me.certificates[GIVER])
            at = urlsplit(me.partners[GIVER].url)
        plain = socket.create_connection((at.hostname, at.port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket: ssl.SSLSocket = context.wrap_socket(plain, server_hostname=at.hostname)
        self._due = time.perf_counter()
        self._head = f" HTTP/1.1\r\nhost: {at.netloc}\r\naccept: application/taxii+json;version=2.1\r\n\r\n"

    def get(self, path: str) -> bytes:
        """The answer's body; no more often than the door lets one partner ask.

        Raises `RuntimeError` where the door said that it was too often: nothing would be measured then.
        """
        self._wait()
        return self._get(path)

    def _wait(self) -> None:
        time.sleep(max(0.0, self._due - time.perf_counter()))
        self._due = max(self._due, time.perf_counter()) + PAUSE

    def _get(self, path: str) -> bytes:
        self._socket.sendall(f"GET {path}{self._head}".encode())
        found = b""
        while b"\r\n\r\n" not in found:
            found += self._socket.recv(65536)
        head, _, body = found.partition(b"\r\n\r\n")
        if b" 429 " in head.partition(b"\r\n")[0]:
            raise RuntimeError("the door lets a partner ask less often than this asks")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while len(body) < length:
            body += self._socket.recv(65536)
        return body

    def time(self, path: str) -> float:
        """Microseconds that an answer takes."""
        self._wait()
        start = time.perf_counter_ns()
        self._get(path)
        return (time.perf_counter_ns() - start) / 1000

    def close(self) -> None:
        self._socket.close()


def compare(sample: Callable[[bool], float], samples: int, seed: int = 5) -> Compared:
    """Draw `samples` of each class, interleaved at random."""
    order = [True, False] * samples
    random.Random(seed).shuffle(order)
    for which in order[: min(200, samples)]:
        sample(which)
    taken: dict[bool, list[float]] = {True: [], False: []}
    for which in order:
        taken[which].append(sample(which))
    return welch(taken[True], taken[False])


def welch(one: list[float], other: list[float]) -> Compared:
    """The means and Welch's t (Biometrika 34, 1947) of what is below the threshold of both."""
    limit = sorted(one + other)[int(KEPT * (len(one) + len(other))) - 1]
    kept = [[value for value in values if value <= limit] for values in (one, other)]
    means = [statistics.fmean(values) for values in kept]
    error = sum(statistics.variance(values) / len(values) for values in kept) ** 0.5
    return Compared(*means, (means[0] - means[1]) / error if error else 0.0, len(one))


class Asked:
    """The node that is asked, and the partner that asks."""

    def __init__(self, folder: Path) -> None:
        self.homes = make_nodes(folder, GIVER, ASKER, OTHER, pull_interval=3600.0)
        with Node.open(self.homes[GIVER]) as node:
            take(node, WITHHELD, GIVEN)
            self.others = node.view(OTHER).ids["out"]
            added = put(node.view(ASKER), [HELD_BACK])
            with node.view(ASKER).begin() as writer:
                writer.hold_back(added)
        self.process = serve(self.homes[GIVER])
        self.wire = Wire(self.homes)
        self.served, self.idle = Node.open(self.homes[GIVER]), Node.open(self.homes[OTHER])
        while b'"malware"' not in self.wire.get("/api/collections/releases/objects/"):
            time.sleep(0.02)

    def close(self) -> None:
        self.wire.close()
        self.served.close()
        self.idle.close()
        stop(self.process)

    def by_id(self, withheld: bool) -> float:
        return self.wire.time(f"/api/collections/releases/objects/{_one(withheld)}/")

    def by_filter(self, withheld: bool) -> float:
        return self.wire.time(f"/api/collections/releases/objects/?match[id]={_one(withheld)}")

    def refused(self, real: bool) -> float:
        named = self.others if real else "0b7f3c52-4b3e-4f7e-9a39-0a1f6c2d7e55"
        return self.wire.time(f"/api/collections/{named}/objects/")

    def scene(self, held_back: bool) -> float:
        one = HELD_BACK if held_back else NO_SCENE
        return self.wire.time(f"/stac/collections/imagery/items/{one.id}")

    def busy(self, here: bool) -> float:
        """The same work is done in this process for both classes; only one gives the node something."""
        self._count = getattr(self, "_count", 0) + 1
        take(self.served if here else self.idle, *(malware(f"{self._count} {n}", RED) for n in range(3)))
        return max(self.wire.time("/api/collections/releases/manifest/?limit=1") for _ in range(3))


def take(node: Node, *items: object) -> None:
    for _ in take_in(node, BytesIO(bundle(*items)), "benchmark"):
        pass


def _one(withheld: bool) -> str:
    return str((WITHHELD if withheld else ABSENT)["id"])


CLASSES: dict[str, Callable[[Asked], Callable[[bool], float]]] = {
    "id": lambda asked: asked.by_id,
    "filter": lambda asked: asked.by_filter,
    "refused": lambda asked: asked.refused,
    "scene": lambda asked: asked.scene,
    "busy": lambda asked: asked.busy,
}
SLOW = {"busy": 100}
"""So many times fewer samples: each takes products in."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--only", choices=CLASSES)
    options = parser.parse_args()
    print("| class | samples | withheld µs | absent µs | effect µs | Welch's t |")
    print("|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        asked = Asked(Path(folder))
        try:
            for name, sampler in CLASSES.items():
                if options.only in (None, name):
                    found = compare(sampler(asked), options.samples // SLOW.get(name, 1))
                    means = f"{found.one:.1f} | {found.other:.1f} | {found.effect:.1f}"
                    print(f"| `{name}` | {found.samples} | {means} | {found.t:.2f} |", flush=True)
        finally:
            asked.close()


if __name__ == "__main__":
    main()
