"""Law 7 with real processes: a suspension in the middle of a running stream, and one that is killed."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path

import httpx

from tearline.adapters import tls
from tearline.ledger import Act
from tearline.node import Node, ledger_tail, reconsider, take_in, verify_ledger
from tearline.node.suspend import resume, standing
from tests.adoption import OFFICERS, approve
from tests.coalition import bundle, make_nodes, serve, stop, tearline, until
from tests.door import HEADERS

ROUNDS = 60 if os.environ.get("TEARLINE_LONG") else 10
SUSPEND = """
import sys
from pathlib import Path
from tearline.agreement.suspension import Scope
from tearline.node import Node
from tearline.node.suspend import suspend
with Node.open(Path(sys.argv[1])) as node:
    print("ready", flush=True)
    sys.stdin.readline()
    suspend(node, "USA", Scope(), officer=sys.argv[2], reason="Example.")
    print("done", flush=True)
"""


@contextmanager
def client(homes: dict[str, Path], giver: str, taker: str) -> Iterator[httpx.Client]:
    """A connection to the giver's door with the taker's certificate; waits as long as the door does."""
    with Node.open(homes[taker]) as me:
        context = tls.client_context(me.home.certificate, me.home.tls_key, me.certificates[giver])
        url = me.partners[giver].url.removesuffix("taxii2/")
    with httpx.Client(base_url=url, verify=context, headers=HEADERS, trust_env=False, timeout=60) as made:
        yield made


def poll(door: httpx.Client) -> frozenset[str]:
    """The ids of all that the door gives."""
    found: list[str] = []
    asked = {"limit": "100", "match[version]": "all"}
    while True:
        answer = door.get("api/collections/releases/objects/", params=asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [item["id"] for item in page.get("objects", [])]
        if not page.get("more"):
            assert len(found) == len(set(found))
            return frozenset(found)
        asked["next"] = page["next"]


def in_view(home: Path, party: str) -> int:
    with closing(sqlite3.connect(home / "views" / f"{party}.db")) as db:
        return int(db.execute("SELECT count(*) FROM \"out\" WHERE id LIKE 'malware--%'").fetchone()[0])


def test_in_the_middle_of_a_stream_nothing_goes_once_the_command_has_returned(tmp_path: Path) -> None:
    """Three partners read all the while; one after the other is suspended while products pour in."""
    homes = make_nodes(tmp_path, "GBR", "USA", "CAN", "AUS", "NZL", pull_interval=60.0)
    home, suspended = homes["GBR"], ("USA", "CAN", "AUS")
    polls: dict[str, list[tuple[float, frozenset[str]]]] = {party: [] for party in suspended}
    taken, over = [0], threading.Event()

    def read(party: str) -> None:
        with client(homes, "GBR", party) as door:
            while not over.is_set():
                began = time.monotonic()
                polls[party].append((began, poll(door)))

    def pour() -> None:
        """Take products in, never far ahead of what is delivered."""
        with Node.open(home) as node:
            while not over.is_set():
                taken[0] += take(node, f"batch {taken[0]}", 5)
                until(lambda: in_view(home, "NZL") > taken[0] - 20, "the stream flows")

    def suspend(party: str) -> tuple[float, int]:
        begin = in_view(home, "NZL") + 20
        until(lambda: in_view(home, "NZL") > begin, "the stream flows")
        words = ("partner", "suspend", party, "--scope", "all", "--officer", OFFICERS[0], "--reason", "x")
        subprocess.run(tearline(home, *words), check=True, stdout=subprocess.DEVNULL)
        return time.monotonic(), in_view(home, party)

    def read_again(party: str) -> None:
        enough = len(polls[party]) + 2
        until(lambda: len(polls[party]) >= enough, "read again")

    running = serve(home)
    threads = [threading.Thread(target=read, args=(party,)) for party in suspended]
    threads.append(threading.Thread(target=pour))
    for thread in threads:
        thread.start()
    try:
        returned = {party: suspend(party) for party in suspended}
        for party in suspended:
            read_again(party)
    finally:
        over.set()
        for thread in threads:
            thread.join(120)
        wait_for(home, taken[0], "NZL")
        stop(running)
    for party, (moment, there) in returned.items():
        before = frozenset[str]().union(*(ids for began, ids in polls[party] if began < moment))
        after = {ids for began, ids in polls[party] if began >= moment}
        assert 0 < there < taken[0], "the suspension came in the middle"
        assert after == {before}, "what was served stays, nothing is added, and the answer stays the same"
        assert in_view(home, party) == there, "nothing is added to the view"
    with Node.open(home) as giver:
        assert verify_ledger(giver)[1] == []
        assert len(standing(giver)) == len(suspended)


def test_killed_at_any_instant_it_holds_or_nothing_has_changed(tmp_path: Path) -> None:
    draw = random.Random(20261123)
    homes = make_nodes(tmp_path, "GBR", "USA", "CAN", pull_interval=60.0)
    home = homes["GBR"]
    running = serve(home)
    taken, held, lasts = 0, list[bool](), 0.0
    try:
        with Node.open(home) as giver, client(homes, "GBR", "USA") as door:
            for number in range(ROUNDS):
                wait_for(home, taken, "CAN")
                had = poll(door)
                taken += take(giver, f"before {number}", 12)
                # The first one is left alone, to know how long it takes.
                lasts = max(lasts, suspend_and_kill(home, None if number == 0 else draw.uniform(0, lasts)))
                held.append(orders(giver) > 0)
                if held[-1]:
                    assert poll(door) == had
                    taken += take(giver, f"after {number}", 3)
                    wait_for(home, taken, "CAN")
                    assert poll(door) == had
                    (one,) = standing(giver)
                    approve(giver, "resume-partner", f"USA@{one.suspension.id}")
                    resume(giver, "USA", officer=OFFICERS[0], why="Example.")
                    reconsider(giver)
                wait_for(home, taken, "CAN", "USA")
            assert len([name for name in poll(door) if name.startswith("malware")]) == taken
            assert held[0]
            assert 0 < sum(held[1:]) < ROUNDS - 1, f"all kills came on one side of the ledger: {held}"
    finally:
        stop(running)
    with Node.open(home) as giver:
        assert verify_ledger(giver)[1] == []


def wait_for(home: Path, count: int, *parties: str) -> None:
    until(lambda: all(in_view(home, party) == count for party in parties), f"{parties} have all")


def take(node: Node, seed: str, count: int) -> int:
    return len(list(take_in(node, BytesIO(bundle(count, seed)), "file")))


def orders(node: Node) -> int:
    """How many suspensions the ledger tells of that have not ended."""
    acts = [entry.act for _, entry in ledger_tail(node, 1_000_000)]
    return acts.count(Act.PARTNER_SUSPENDED) - acts.count(Act.PARTNER_RESUMED)


def suspend_and_kill(home: Path, after: float | None) -> float:
    """Suspend in a process of its own; kill that after so many seconds, or see how long it takes."""
    process = subprocess.Popen(
        [sys.executable, "-c", SUSPEND, str(home), OFFICERS[0]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        assert process.stdout.readline() == "ready\n"
        began = time.monotonic()
        process.stdin.write("go\n")
        process.stdin.flush()
        if after is None:
            assert process.stdout.readline() == "done\n"
            took = time.monotonic() - began
        else:
            time.sleep(after)  # not a wait for anything: the random instant at which the process dies
            process.send_signal(signal.SIGKILL)
            took = 0.0
        process.wait()
        return took
