"""Files between real nodes: over TLS, cut off, killed, asked for by others, recalled."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tearline.adapters import store, tls
from tearline.adapters.home import Home
from tearline.deliver import RecallAction, RecallKind, RecallReason
from tearline.node import Node
from tearline.node.recall import recall
from tearline.terms import Media
from tests.coalition import make_nodes, serve, stop, tearline, until
from tests.media_files import recording

BIG = 6_000_000
"""Samples: 48 MB, six pieces."""


@pytest.fixture
def homes(tmp_path: Path) -> dict[str, Path]:
    return make_nodes(tmp_path, "AUS", "GBR", "USA")


@contextmanager
def served(*homes: Path) -> Iterator[list[subprocess.Popen[str]]]:
    processes = [serve(home) for home in homes]
    try:
        yield processes
    finally:
        for process in processes:
            if process.poll() is None:
                stop(process)


def intake(home: Path, path: Path, *more: str) -> None:
    arguments = ["intake", str(path), "--marking", "TLP:GREEN", "--topic", "threat-to-life", *more]
    done = subprocess.run(tearline(home, *arguments), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 taken in"), done.stdout


def files_held(home: Path) -> list[Media]:
    with Node.open(home) as node, node.reading() as db:
        return [
            msgspec.json.decode(held.product.content, type=Media)
            for held in store.held(db)
            if held.product.content.startswith(b"{")
        ]


def client(home: Path, of: Path) -> httpx.Client:
    """`home`, as it calls at the door of `of`."""
    own, other = Home(home), Home(of)
    context = tls.client_context(own.certificate, own.tls_key, other.certificate.read_text())
    base = f"https://127.0.0.1:{other.config.port}"
    headers = {"accept": "application/taxii+json;version=2.1"}
    return httpx.Client(base_url=base, verify=context, headers=headers, trust_env=False)


def url_for(who: httpx.Client) -> str:
    """Where the one file is that was released to this client."""
    found: list[dict[str, Any]] = []

    def there() -> bool:
        objects = who.get("/api/collections/releases/objects/").json().get("objects", [])
        found[:] = [item for item in objects if item["type"] == "artifact"]
        return bool(found)

    until(there, "the artifact stands in the view")
    return httpx.URL(found[0]["url"]).path


def same(one: httpx.Response, other: httpx.Response) -> bool:
    def seen(answer: httpx.Response) -> tuple[Any, ...]:
        headers = [(name, value) for name, value in answer.headers.multi_items() if name != "date"]
        return answer.status_code, headers, answer.content

    return seen(one) == seen(other)


def test_a_file_arrives_whole_and_others_find_nothing(homes: dict[str, Path], tmp_path: Path) -> None:
    gbr, usa, aus = homes["GBR"], homes["USA"], homes["AUS"]
    with served(gbr, usa, aus):
        intake(gbr, recording(tmp_path / "files", samples=300_000))
        until(lambda: len(files_held(usa)) == 1 and len(files_held(aus)) == 1, "both hold the file")
        (held,) = files_held(usa)
        blob = usa / "blobs" / held.sha256[:2] / held.sha256[2:]
        assert sha256(blob.read_bytes()).hexdigest() == held.sha256
        assert list((usa / "views" / "GBR.fetched").iterdir()) == []

        with client(usa, gbr) as ours, client(aus, gbr) as theirs:
            mine, other = url_for(ours), url_for(theirs)
            assert mine != other
            whole = ours.get(mine)
            assert whole.content == blob.read_bytes()
            assert whole.headers["content-type"] == "application/x-sigmf"
            tag = whole.headers["etag"]
            part = ours.get(mine, headers={"range": "bytes=1000-1999", "if-range": tag})
            assert (part.status_code, part.content) == (206, whole.content[1000:2000])
            assert ours.get(mine, headers={"range": "bytes=-7"}).content == whole.content[-7:]
            stale = ours.get(mine, headers={"range": "bytes=5-", "if-range": '"other"'})
            assert stale.status_code == 200
            beyond = ours.get(mine, headers={"range": f"bytes={held.size}-"})
            assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{held.size}")
            head = ours.head(mine)
            assert (head.content, head.headers["content-length"]) == (b"", str(held.size))

            absent = ours.get("/media/00000000-0000-4000-8000-000000000000")
            assert absent.status_code == 404
            assert same(absent, ours.get(other)), "another's file is as one that is not there"
            assert same(absent, ours.get("/media/" + held.sha256))
            assert same(absent, ours.get("/media/..%2f..%2fnode.toml"))
            assert same(ours.head(other), ours.head("/media/00000000-0000-4000-8000-000000000000"))

            with Node.open(gbr) as node:
                with node.reading() as db:
                    (product,) = {held.product.id for held in store.held(db)}
                recall(
                    node,
                    product,
                    kind=RecallKind.SUBSTANTIVE_RECALL,
                    reason=RecallReason.FACTUAL_ERROR,
                    actions=[RecallAction.DESTROY],
                    officer="heron-1",
                )
            assert same(absent, ours.get(mine))
            assert same(absent, ours.get(mine, headers={"range": "bytes=0-9"}))
            assert not list((gbr / "released").rglob("*-*")), "no link is left"


def test_killed_in_the_middle_of_fetching_it_goes_on(homes: dict[str, Path], tmp_path: Path) -> None:
    gbr, usa = homes["GBR"], homes["USA"]
    fetched = usa / "views" / "GBR.fetched"

    def begun() -> int:
        return max((path.stat().st_size for path in fetched.glob("*.part")), default=0)

    with served(gbr, usa) as (giver, taker):
        path = recording(tmp_path / "files", samples=BIG)
        with ThreadPoolExecutor(1) as beside:  # it may be fetched before the command has ended
            taking = beside.submit(intake, gbr, path)
            until(lambda: begun() > 0, "it is being fetched")
            os.kill(taker.pid, signal.SIGKILL)
            taking.result()
        taker.wait()
        if taker.stdout is not None:
            taker.stdout.close()
        assert files_held(usa) == [], "nothing is taken in before its file is whole"
        had = begun()
        assert had > 0
        with served(usa):
            until(lambda: len(files_held(usa)) == 1, "the file is held")
        (held,) = files_held(usa)
        blob = usa / "blobs" / held.sha256[:2] / held.sha256[2:]
        assert sha256(blob.read_bytes()).hexdigest() == held.sha256
        assert giver.poll() is None
