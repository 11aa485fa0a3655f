"""STAC clients that others wrote, unmodified, against the catalogue: over real TLS sockets.

`stac-api-validator` can show no certificate, so it goes through a forwarder that can. It wants the schemas of
STAC from the internet; it gets those that pystac brings along.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pystac
import pystac.validation
import pytest
from pystac_client import Client
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO

from tearline.adapters import tls
from tearline.deliver.scene import FILE_EXTENSION
from tearline.terms import Box, Grain, Position
from tests.catalogue import give, picture, recording, scene
from tests.door import Door, Identity, serving
from tests.forwarder import forwarding, world

CLASSES = ("core", "browseable", "collections", "features", "item-search")
AREA = {"type": "Polygon", "coordinates": [[[20, 20], [22, 20], [22, 22], [20, 22], [20, 20]]]}
PICTURES = 30
SCHEMAS = "https://schemas.stacspec.org/v1.1.0"
OF_FILE_EXTENSION = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["stac_extensions", "assets"],
    "properties": {
        "stac_extensions": {"contains": {"const": FILE_EXTENSION}},
        "assets": {
            "additionalProperties": {
                "properties": {
                    "file:size": {"type": "integer", "minimum": 0},
                    "file:checksum": {"type": "string", "pattern": "^[a-f0-9]+$"},
                },
            }
        },
    },
}
"""What the extension says of the two fields that we use."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stac")


@pytest.fixture(scope="module")
def partner(folder: Path) -> Identity:
    return Identity.make(folder / "BBB", "BBB")


@pytest.fixture(scope="module")
def door(folder: Path, partner: Identity) -> Iterator[Door]:
    views = folder / "views"
    views.mkdir()
    pictures = [picture(Box(20 + n / 10, 20, 21 + n / 10, 21)) for n in range(PICTURES)]
    scenes = [scene(n, each) for n, each in enumerate(pictures)]
    scenes += [
        scene(100, recording(Position(20.0, 20.0)), grain=Grain.DAY),
        scene(101, recording(None), grain=Grain.MONTH, asset=False),
        scene(102, picture(None), grain=Grain.NONE),
    ]
    give(views, "BBB", scenes)
    give(views, "CCC", [scene(n, picture(Box(20, 20, 21, 21))) for n in range(200, 220)])
    with serving(views, {"BBB": partner}) as running:
        yield running


@pytest.fixture
def client(door: Door, partner: Identity, monkeypatch: pytest.MonkeyPatch) -> Client:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(door.server.certificate))
    io = StacApiIO(max_retries=None)
    io.session.cert = (str(partner.certificate), str(partner.key))
    return Client.open(f"{door.url}/stac", stac_io=io)


def test_pystac_client_finds_by_place_time_and_name(client: Client) -> None:
    assert {each.id for each in client.get_collections()} == {"imagery", "signals"}
    assert client.search().matched() == PICTURES + 3
    found = client.search(bbox=[20, 20, 20.35, 20.5], collections=["imagery"], limit=2)
    assert found.matched() == 4
    assert len({each.id for each in found.items()}) == 4
    assert client.search(datetime="2026-03-14T12:30:15.250Z").matched() == PICTURES + 3
    assert client.search(datetime="2026-03-15/2026-04-01").matched() == 2
    named = [each.id for each in found.items()][:2]
    assert {each.id for each in client.search(ids=named).items()} == set(named)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pystac_client_pages_through_each_item_once(client: Client, method: str) -> None:
    found = [each.id for each in client.search(method=method, limit=7).items()]
    assert len(found) == len(set(found)) == PICTURES + 3
    within = [each.id for each in client.search(method=method, limit=4, intersects=AREA).items()]
    assert len(within) == len(set(within)) == 22


def test_everything_can_be_reached_from_link_to_link(client: Client) -> None:
    walked = [each.id for child in client.get_children() for each in _walk(child)]
    assert len(walked) == len(set(walked)) == PICTURES + 3


def _walk(catalog: pystac.Catalog) -> Iterator[pystac.Item]:
    for link in catalog.get_links("item"):
        target = link.resolve_stac_object(root=catalog.get_root()).target
        assert isinstance(target, pystac.Item)
        yield target
    for link in catalog.get_links("child"):
        child = link.resolve_stac_object(root=catalog.get_root()).target
        assert isinstance(child, pystac.Catalog)
        yield from _walk(child)


def test_pystac_client_is_told_what_was_wrong(client: Client) -> None:
    with pytest.raises(APIError, match="bbox: it lies outside 180 degrees"):
        list(client.search(bbox=[0, 0, 500, 1]).items())


def test_another_partner_is_none(door: Door, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = Identity.make(folder / "stranger", "BBB")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(door.server.certificate))
    io = StacApiIO(max_retries=None)
    io.session.cert = (str(stranger.certificate), str(stranger.key))
    with pytest.raises(APIError):
        Client.open(f"{door.url}/stac", stac_io=io)


def test_stac_api_validator_has_no_complaint(door: Door, partner: Identity, folder: Path) -> None:
    hosts = ("schemas.stacspec.org", "stac-extensions.github.io", "geojson.org")
    (folder / "world").mkdir()
    outside = Identity(*tls.make_identity(folder / "world", "world", *hosts))
    bundle = folder / "bundle.pem"
    bundle.write_text(door.server.pem + outside.pem)
    command = [
        str(Path(sys.executable).parent / "stac-api-validator"),
        *(part for name in CLASSES for part in ("--conformance", name)),
        *("--collection", "imagery", "--geometry", json.dumps(AREA), "--validate-pagination"),
    ]
    with forwarding(door, partner, door.server) as port, world(_schemas(), outside) as (proxy, missing):
        done = subprocess.run(
            [*command, "--root-url", f"https://127.0.0.1:{port}/stac"],
            env=_surroundings(folder, bundle, proxy),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert missing == []
    assert "Errors: none" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def _schemas() -> dict[str, bytes]:
    """By URL, what pystac has of them."""
    home = Path(pystac.validation.__file__).parent / "jsonschemas"
    homes = {"item": "item-spec", "collection": "collection-spec", "catalog": "catalog-spec"}
    found = {FILE_EXTENSION: json.dumps(OF_FILE_EXTENSION).encode()}
    for path in (home / "stac-spec" / "v1.1.0").glob("*.json"):
        part = homes.get(path.stem, "item-spec")
        found[f"{SCHEMAS}/{part}/json-schema/{path.name}"] = path.read_bytes()
    for path in (home / "geojson").glob("*.json"):
        found[f"https://geojson.org/schema/{path.name}"] = path.read_bytes()
    return found


def _surroundings(folder: Path, bundle: Path, proxy: int) -> dict[str, str]:
    """The environment of a tool that trusts `bundle` alone and reaches the internet through a proxy.

    `requests` takes its anchors from certifi, which can be told nothing; so another one stands before it, as
    in distributions that have anchors of their own.
    """
    shim = folder / "anchors" / "certifi"
    shim.mkdir(parents=True)
    where = f"from pathlib import Path\n\n\ndef where():\n    return {str(bundle)!r}\n"
    (shim / "__init__.py").write_text(where + "\n\ndef contents():\n    return Path(where()).read_text()\n")
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    through = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY"), f"http://127.0.0.1:{proxy}")
    anchors = {
        "REQUESTS_CA_BUNDLE": str(bundle),
        "SSL_CERT_FILE": str(bundle),
        "PYTHONPATH": str(shim.parent),
    }
    return kept | through | anchors | {"NO_PROXY": "127.0.0.1"}
