"""Files between real nodes: over TLS, cut off, killed, asked for by others, recalled; and as the recipient's
own tools see them in the catalogue."""

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
import orjson
import pytest
from pystac_client import Client
from pystac_client.stac_api_io import StacApiIO

from tearline.adapters import store, tls
from tearline.adapters.home import Home
from tearline.agreement import load
from tearline.deliver import RecallAction, RecallKind, RecallReason
from tearline.node import Node
from tearline.node.recall import recall
from tearline.terms import Media
from tests.adoption import adopt
from tests.coalition import AGREEMENTS, make_nodes, serve, stop, tearline, until
from tests.media_files import picture, recording

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


CANARY = "Collector Kestrel-7"
FORMS = """
[forms.coarse]
kind = "imagery"
gsd_m = 60

[forms.narrow]
kind = "signal"
annotated = true
position_deg = 1.0
"""
CLAUSES = """
@id("whole")
@reason("Pictures and recordings go whole to AUS.")
permit (principal == Partner::"AUS", action == Action::"release", resource)
when { resource.category == Category::"imagery" || resource.category == Category::"intercept" }
unless { resource.disciplines.contains(Discipline::"humint") };

@id("forms")
@reason("And in a form to the others.")
permit (principal in Coalition::"FVEY", action == Action::"releaseTearline", resource)
when { resource.category == Category::"imagery" || resource.category == Category::"intercept" };
"""
FOR_TWO = ("--marking", "//GBR UNCLASSIFIED//REL TO USA, AUS, GBR")


def catalogue_of(who: Path, giver: Path, patch: pytest.MonkeyPatch) -> Client:
    """The catalogue at the giver's door, as pystac-client opens it."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        patch.delenv(name, raising=False)
    patch.setenv("REQUESTS_CA_BUNDLE", str(Home(giver).certificate))
    io = StacApiIO(max_retries=None)
    io.session.cert = (str(Home(who).certificate), str(Home(who).tls_key))
    return Client.open(f"https://127.0.0.1:{Home(giver).config.port}/stac", stac_io=io)


def downloaded(who: Path, giver: Path, patch: pytest.MonkeyPatch) -> dict[str, dict[str, bytes]]:
    """By collection and asset: what `who` finds in its catalogue, each with the digest that the item tells.

    One item of each collection, with previews.
    """
    found: dict[str, dict[str, bytes]] = {}

    def there() -> bool:
        items = list(catalogue_of(who, giver, patch).search().items())
        return len(items) == 2 and all("thumbnail" in item.assets for item in items)

    until(there, f"{who.name} sees two items with previews")
    with client(who, giver) as door:
        for item in catalogue_of(who, giver, patch).search().items():
            assert item.collection_id is not None
            files = {name: door.get(httpx.URL(asset.href).path) for name, asset in item.assets.items()}
            for name, answer in files.items():
                told = item.assets[name].extra_fields
                assert answer.status_code == 200
                assert told["file:checksum"] == "1220" + sha256(answer.content).hexdigest()
                assert told["file:size"] == len(answer.content)
            found[item.collection_id] = {name: answer.content for name, answer in files.items()}
    return found


@pytest.mark.skipif(
    "TEARLINE_LONG" not in os.environ, reason="make test-long: the demo shows it too, audited"
)
def test_whole_in_a_form_and_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    homes = make_nodes(tmp_path, "AUS", "CAN", "GBR", "USA", preview_s=1)
    aus, can, gbr, usa = (homes[party] for party in ("AUS", "CAN", "GBR", "USA"))
    manifest = (AGREEMENTS / "five-eyes" / "agreement.toml").read_text().replace('"five-eyes"', '"media"', 1)
    with Node.open(gbr) as node:
        adopt(node, load(manifest + FORMS, CLAUSES, "media"))
    picture(tmp_path / "scene.tif", pixels=600, told=CANARY)
    where = {"core:geolocation": {"type": "Point", "coordinates": [31.23456, 46.78901]}}
    recording(tmp_path, **{"core:author": CANARY, "core:hw": CANARY, **where})
    with served(*homes.values()):
        for name in ("scene.tif", "beach.sigmf-meta"):
            arguments = ["intake", str(tmp_path / name), *FOR_TWO]
            subprocess.run(tearline(gbr, *arguments), capture_output=True, check=True)
        until(lambda: len(files_held(aus)) == len(files_held(usa)) == 2, "both hold the files")
        with Node.open(gbr) as node, node.reading() as db:
            source = {msgspec.json.decode(held.product.content, type=Media).sha256 for held in store.held(db)}
        whole, form = (downloaded(who, gbr, monkeypatch) for who in (aus, usa))
        assert {sha256(each["data"]).hexdigest() for each in whole.values()} == source
        for who, got in ((aus, whole), (usa, form)):
            assert {held.sha256 for held in files_held(who)} == {
                sha256(each["data"]).hexdigest() for each in got.values()
            }
        assert {*whole["imagery"]} == {"data", "thumbnail", "overview"}
        assert {*form["imagery"]} == {"data", "thumbnail"}, "of 100 pixels there is no more to see"

        # What was stripped is in nothing that the recipient can get, in whatever way.
        with client(usa, gbr) as door:
            listed = door.get("/api/collections/releases/objects/?limit=1000").content
            items = door.get("/stac/search").content
        for content in (listed, items, *(each for got in form.values() for each in got.values())):
            assert not [word for word in (CANARY, "31.23", "46.78", *source) if word.encode() in content]
        assert CANARY.encode() in whole["imagery"]["data"]

        # Who was not given it finds nothing, nor by another's address.
        assert list(catalogue_of(can, gbr, monkeypatch).search().items()) == []
        assert not (gbr / "released" / "CAN").exists()
        with client(can, gbr) as door, client(usa, gbr) as theirs:
            features = orjson.loads(theirs.get("/stac/search").content)["features"]
            stolen = [each["href"] for item in features for each in item["assets"].values()]
            absent = door.get("/media/00000000-0000-4000-8000-000000000000")
            assert all(same(absent, door.get(httpx.URL(href).path)) for href in stolen)

            # The officer's own look shows what the partner sees; a recall takes it from both.
            out = tmp_path / "out"
            subprocess.run(
                tearline(gbr, "catalogue", "previews", "USA", "--folder", str(out)),
                capture_output=True,
                check=True,
            )
            seen = {got[name] for got in form.values() for name in got if name != "data"}
            assert {path.read_bytes() for path in out.iterdir()} == seen
            subprocess.run(
                tearline(gbr, "catalogue", "map", "USA", "--output", str(out / "map.html")),
                capture_output=True,
                check=True,
            )
            assert (out / "map.html").read_text().count("data:image/png;base64,") == 2
            with Node.open(gbr) as node:
                with node.reading() as db:
                    product = next(iter(store.held(db))).product.id
                how = {"kind": RecallKind.SUBSTANTIVE_RECALL, "reason": RecallReason.FACTUAL_ERROR}
                recall(node, product, **how, actions=[RecallAction.DESTROY], officer="heron-1")  # type: ignore[arg-type]
            gone = [feature for feature in features if feature["collection"] == "imagery"]
            hrefs = [each["href"] for item in gone for each in item["assets"].values()]
            assert len(hrefs) == 2
            assert all(same(absent, theirs.get(httpx.URL(href).path)) for href in hrefs)
