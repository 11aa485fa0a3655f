"""Clients that others wrote, unmodified, against the door: over real TLS sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import stix2
from cytaxii2 import cytaxii2
from taxii2client.exceptions import AccessError
from taxii2client.v21 import ApiRoot, Collection, Server, as_pages

from tearline.doors.partner import Login, hash_password
from tests.door import HEADERS, Door, Identity, indicator, release, serving

COUNT = 25


@pytest.fixture(scope="module", autouse=True)
def _no_surroundings() -> Iterator[None]:
    """`requests` puts bundles and proxies of the environment before what it is told."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            patch.delenv(name, raising=False)
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity.make(tmp_path_factory.mktemp("partner") / "BBB", "BBB")


@pytest.fixture
def door(tmp_path: Path, partner: Identity) -> Iterator[Door]:
    logins = {"desk": Login("BBB", hash_password("correct horse"))}
    with serving(tmp_path, {"BBB": partner}, logins=logins) as running:
        given = [indicator(n) for n in range(COUNT)] + [indicator(3, version=7), indicator(1, kind="tool")]
        release(running.folder, "BBB", given)
        yield running


@pytest.fixture
def root(door: Door, partner: Identity) -> ApiRoot:
    files = (str(partner.certificate), str(partner.key))
    return Server(f"{door.url}/taxii2/", cert=files, verify=str(door.server.certificate)).default


def named(root: ApiRoot, alias: str) -> Collection:
    (found,) = (collection for collection in root.collections if collection.alias == alias)
    return found


# --- taxii2-client ---------------------------------------------------------------------------------


def test_taxii2_client_discovers(door: Door, partner: Identity, root: ApiRoot) -> None:
    server = Server(
        f"{door.url}/taxii2", cert=(str(partner.certificate), str(partner.key)),
        verify=str(door.server.certificate),
    )  # fmt: skip
    assert server.title == "Door of AAA"
    assert [r.url for r in server.api_roots] == [f"{door.url}/api/"]
    assert root.versions == ["application/taxii+json;version=2.1"]
    assert root.max_content_length == 100 * 1024 * 1024
    assert [c.alias for c in root.collections] == ["releases", "inbox"]
    named(root, "releases").refresh()


@pytest.mark.parametrize("per_request", [0, 1, 7, COUNT + 1, 5000])
@pytest.mark.parametrize("endpoint", ["get_objects", "get_manifest"])
def test_taxii2_client_reads_every_page_once(root: ApiRoot, endpoint: str, per_request: int) -> None:
    pages = list(as_pages(getattr(named(root, "releases"), endpoint), per_request=per_request))
    found = [item["id"] for page in pages for item in page["objects"]]
    assert len(found) == len(set(found)) == COUNT + 1
    if 0 < per_request <= COUNT:
        assert all(len(page["objects"]) == per_request for page in pages[:-1])


def test_taxii2_client_pages_with_filters(root: ApiRoot) -> None:
    releases = named(root, "releases")
    pages = as_pages(releases.get_objects, per_request=4, type="indicator", version=["first", "last"])
    found = [(item["id"], item["modified"]) for page in pages for item in page["objects"]]
    assert len(found) == len(set(found)) == COUNT + 1
    first = releases.get_manifest(limit=5)
    rest = releases.get_objects(added_after=first["objects"][-1]["date_added"])
    assert len(rest["objects"]) == COUNT + 1 - 5
    assert releases.get_objects(added_after="2100-01-01T00:00:00Z") == {}


def test_taxii2_client_reads_one_object_and_its_versions(root: ApiRoot) -> None:
    releases, name = named(root, "releases"), indicator(3)["id"]
    assert releases.get_object(name) == {"objects": [indicator(3, version=7)]}
    assert len(releases.get_object(name, version="all")["objects"]) == 2
    assert releases.object_versions(name)["versions"] == [
        "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:07.000Z",
    ]  # fmt: skip
    pages = list(as_pages(lambda **kw: _as_objects(releases.object_versions(name, **kw)), per_request=1))
    assert [page["objects"] for page in pages] == [
        ["2026-01-01T00:00:00.000Z"], ["2026-01-01T00:00:07.000Z"],
    ]  # fmt: skip


def _as_objects(versions: dict[str, Any]) -> dict[str, Any]:
    """`as_pages` counts what is under `objects`."""
    return {("objects" if key == "versions" else key): value for key, value in versions.items()}


def test_taxii2_client_adds_asks_and_removes(root: ApiRoot) -> None:
    inbox = named(root, "inbox")
    status = inbox.add_objects({"objects": [indicator(900), {"type": "oops"}]})
    assert (status.status, status.success_count, status.failure_count) == ("complete", 1, 1)
    status.refresh()
    assert root.get_status(status.id).success_count == 1
    assert inbox.get_objects()["objects"] == [indicator(900)]
    inbox.delete_object(indicator(900)["id"])
    with pytest.raises(requests.HTTPError) as caught:
        inbox.get_object(indicator(900)["id"])
    assert caught.value.response.status_code == 404
    with pytest.raises(AccessError):
        named(root, "releases").add_objects({"objects": [indicator(1)]})


def test_taxii2_client_without_a_certificate_gets_nothing(door: Door) -> None:
    with pytest.raises(requests.ConnectionError):
        _ = Server(f"{door.url}/taxii2/", verify=str(door.server.certificate)).title


# --- stix2 -----------------------------------------------------------------------------------------


def test_stix2_source_gets_and_queries(root: ApiRoot) -> None:
    source = stix2.TAXIICollectionSource(named(root, "releases"), items_per_page=6)
    name = indicator(3)["id"]
    assert source.get(name).modified == stix2.utils.parse_into_datetime("2026-01-01T00:00:07Z")
    assert source.get(indicator(4000)["id"]) is None
    assert len(source.all_versions(name)) == 2
    assert len(source.query([stix2.Filter("type", "=", "indicator")])) == COUNT
    assert [item["id"] for item in source.query([stix2.Filter("type", "=", "tool")])] == [
        indicator(1, kind="tool")["id"]
    ]


def test_stix2_sink_adds_what_its_source_finds(root: ApiRoot) -> None:
    inbox = named(root, "inbox")
    duck = stix2.v21.Indicator(
        name="Duck", pattern="[ipv4-addr:value = '192.0.2.9']", pattern_type="stix",
        valid_from="2026-01-01T00:00:00Z",
    )  # fmt: skip
    address = stix2.v21.IPv4Address(value="192.0.2.9")
    sink = stix2.TAXIICollectionSink(inbox)
    sink.add(duck)
    sink.add([address, stix2.v21.Bundle(duck, address)])
    source = stix2.TAXIICollectionSource(inbox)
    assert source.get(duck.id) == duck
    assert source.get(address.id) == address
    assert len(source.query()) == 2


# --- cytaxii2 --------------------------------------------------------------------------------------


@pytest.fixture
def cyware(door: Door, monkeypatch: pytest.MonkeyPatch) -> cytaxii2.cytaxii2:
    # It has no argument for a CA; the environment is where `requests` looks for one.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(door.server.certificate))
    return cytaxii2.cytaxii2(f"{door.password_url}/taxii2/", "desk", "correct horse")


def test_cytaxii2_polls_and_adds_through_the_password_door(cyware: cytaxii2.cytaxii2) -> None:
    assert cyware.discovery_request()["response"]["title"] == "Door of AAA"
    assert cyware.root_discovery()["status_code"] == 200
    releases, inbox = cyware.collection_request()["response"]["collections"]
    assert cyware.collection_data_request(releases["id"])["response"] == releases
    found: list[str] = []
    token = None
    while True:
        answer = cyware.poll_request(releases["id"], limit=10, next=token, object_type="indicator")
        assert answer["status_code"] == 200
        found += [item["id"] for item in answer["response"]["objects"]]
        token = answer["response"].get("next")
        if token is None:
            break
    assert len(found) == len(set(found)) == COUNT
    envelope = json.dumps({"objects": [indicator(901)]})
    assert cyware.inbox_request(inbox["id"], envelope)["response"]["success_count"] == 1
    assert cyware.poll_request(inbox["id"])["response"]["objects"] == [indicator(901)]
    assert cyware.inbox_request(releases["id"], envelope)["status_code"] == 403


def test_cytaxii2_with_a_wrong_password_is_told_so_in_taxii(door: Door, cyware: cytaxii2.cytaxii2) -> None:
    stranger = cytaxii2.cytaxii2(f"{door.password_url}/taxii2/", "desk", "wrong horse")
    answer = stranger.discovery_request()
    assert answer["status_code"] == 401
    assert answer["response"]["http_status"] == "401"


def test_the_doors_do_not_take_each_others_credentials(door: Door, partner: Identity) -> None:
    with httpx.Client(
        verify=_client_context(door, partner),
        auth=("desk", "correct horse"),
        headers=HEADERS,
        trust_env=False,
    ) as client:
        assert client.get(f"{door.password_url}/api/").status_code == 200
        assert client.get(f"{door.password_url}/api/", auth=("desk", "x")).status_code == 401
        # A certificate is not asked for there, and so says nothing.
        assert client.get(f"{door.password_url}/api/", auth=httpx.Auth()).status_code == 401


def _client_context(door: Door, partner: Identity) -> Any:
    from tearline.adapters import tls

    return tls.client_context(partner.certificate, partner.key, door.server.pem)


# --- httpx -----------------------------------------------------------------------------------------


def test_plain_http_client(door: Door, partner: Identity) -> None:
    with door.client(partner) as client:
        answer = client.get("/api/collections/releases/objects/", params={"limit": 3})
        assert answer.http_version == "HTTP/1.1"
        assert [item["id"] for item in answer.json()["objects"]] == [indicator(n)["id"] for n in (0, 1, 2)]
        missing = client.get("/favicon.ico")
        assert (missing.status_code, missing.headers["content-type"]) == (404, HEADERS["accept"])
