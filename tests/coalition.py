"""Real nodes for tests: folders, `tearline serve` processes, and waiting for what must come to pass."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from tearline.adapters.home import Config
from tearline.agreement import load
from tearline.node import Card, Node, Terms, add_partner
from tearline.terms import Level, Reach
from tests.adoption import adopt

AGREEMENTS = Path(__file__).parents[1] / "src" / "tearline" / "demo" / "agreements"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def make_nodes(
    folder: Path, *parties: str, pull_interval: float = 0.05, preview_s: int = 60
) -> dict[str, Path]:
    """Nodes that know one another and have the five-party agreement in force."""
    homes = {party: folder / party for party in parties}
    nodes = {
        party: Node.create(
            home,
            Config(
                party=party,
                name=f"Desk {party}",
                port=free_port(),
                pull_interval=pull_interval,
                preview_s=preview_s,
            ),
        )
        for party, home in homes.items()
    }
    five = AGREEMENTS / "five-eyes"
    agreement = load((five / "agreement.toml").read_text(), (five / "clauses.cedar").read_text(), "five-eyes")
    terms = Terms(
        clearance=tuple((party, Level.SECRET) for party in sorted(parties)),
        reach=Reach.AMBER,
        duties=frozenset({"FOUO", "STATEMENT"}),
    )
    for party, node in nodes.items():
        for other, its in nodes.items():
            if other != party:
                add_partner(node, Card.of(its), terms)
        adopt(node, agreement)
    for node in nodes.values():
        node.close()
    return homes


def tearline(home: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "tearline.cli", "--home", str(home), *arguments]


def serve(home: Path) -> subprocess.Popen[str]:
    """A serving node, from its door's first answer on."""
    process = subprocess.Popen(tearline(home, "serve"), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("serving"), line
    return process


def stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(20)
    assert process.stdout is not None
    process.stdout.close()


def until(true: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait until something that other processes bring about is so."""
    end = time.monotonic() + seconds
    begun = time.monotonic()
    while not true():
        assert time.monotonic() < end, f"still not so after {seconds:.0f} s: {what}"
        # Looking takes a third of the time at most: those who are waited for need the processor.
        time.sleep(max(0.02, 2 * (time.monotonic() - begun)))
        begun = time.monotonic()


def bundle(count: int, seed: str) -> bytes:
    """A STIX 2.1 bundle of `count` invented malware objects, the same for the same seed."""
    space = uuid.uuid5(uuid.NAMESPACE_URL, seed)
    objects = [
        {
            "type": "malware",
            "spec_version": "2.1",
            "id": f"malware--{uuid.uuid5(space, str(number))}",
            "created": "2026-03-01T00:00:00.000Z",
            "modified": "2026-03-01T00:00:00.000Z",
            "name": f"Quiet Heron {seed} {number}",
            "is_family": False,
            # TLP:GREEN of TLP 2.0
            "object_marking_refs": ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"],
        }
        for number in range(count)
    ]
    return json.dumps({"type": "bundle", "id": f"bundle--{space}", "objects": objects}).encode()
