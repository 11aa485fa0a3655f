"""Law 8: after `kill -9` at any instant, nothing acknowledged is missing and nothing is doubled."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

from tearline.adapters import store
from tearline.node import Node, progress, releases_on_ledger, verify_ledger
from tests.coalition import bundle, make_nodes, serve, stop, tearline, until

KILLS = 24 if os.environ.get("TEARLINE_LONG") else 12
PRODUCTS = 25


def test_nothing_is_lost_or_doubled_by_kills(tmp_path: Path) -> None:
    draw = random.Random(20261123)
    homes = make_nodes(tmp_path, "GBR", "USA")
    files = []
    for number in range(KILLS):
        path = tmp_path / f"{number}.json"
        path.write_bytes(bundle(PRODUCTS, f"round {number}"))
        files.append(path)
    running = {party: serve(home) for party, home in homes.items()}
    killed = {"GBR": 0, "USA": 0, "intake": 0}
    for number, path in enumerate(files):
        victim = ("GBR", "USA", "intake")[number % 3]
        taking = subprocess.Popen(tearline(homes["GBR"], "intake", str(path)), stdout=subprocess.DEVNULL)
        # Not a wait for anything: the random instant at which the process dies.
        time.sleep(draw.uniform(0.2, 1.1) if victim == "intake" else draw.uniform(0.3, 1.4))
        if victim == "intake":
            taking.send_signal(signal.SIGKILL)
            taking.wait()
            killed[victim] += 1
            # What was not acknowledged is taken in again; what was stored already must not be doubled.
            assert subprocess.run(tearline(homes["GBR"], "intake", str(path)), check=False).returncode == 0
        else:
            running[victim].send_signal(signal.SIGKILL)
            running[victim].wait()
            running[victim].stdout.close()
            killed[victim] += 1
            running[victim] = serve(homes[victim])
            assert taking.wait(60) == 0
    assert sum(killed.values()) == KILLS

    expected = KILLS * PRODUCTS
    with Node.open(homes["GBR"]) as giver, Node.open(homes["USA"]) as taker:
        until(lambda: progress(taker).received >= expected, "the partner has everything")
        for process in running.values():
            stop(process)
        done = progress(giver)
        assert (done.products, done.considered, done.delivered) == (expected, expected, expected)
        with giver.reading() as db:
            sent = [release for _, release, _, _, _ in store.releases(db)]
        with taker.reading() as db:
            got = [release for release, _, _, _ in store.received(db)]
            held = [item.product.id for item in store.held(db)]
        assert len(sent) == len(set(sent)) == expected
        assert sorted(got) == sorted(sent)
        assert len(held) == len(set(held)) == expected
        assert releases_on_ledger(giver) == set(sent)
        with closing(sqlite3.connect(giver.home.view("USA"))) as view:
            ids = [i for (i,) in view.execute("SELECT id FROM \"out\" WHERE id LIKE 'malware--%'")]
        assert len(ids) == len(set(ids)) == expected
        for node in (giver, taker):
            assert verify_ledger(node)[1] == []
