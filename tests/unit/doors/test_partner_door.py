"""The partner door's answers, without sockets: every endpoint, filter, header and refusal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tearline.adapters.view import IN, OUT, Item
from tearline.doors.partner import ByCertificate, Limits, PartnerDoor, Registry
from tests.door import HEADERS, MEDIA_TYPE, Identity, indicator, open_view, release

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Desk:
    """A door whose clock we hold, asked without a network by whoever we say."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, START
        self.partners = {name: Identity.make(folder / "keys" / name, "SAME NAME") for name in ("BBB", "CCC")}
        self.registry = Registry(lambda party: open_view(folder, party))
        self.registry.admit({name: who.pem for name, who in self.partners.items()})
        self.keys = {party: key for key, party in self.registry._keys.items()}
        limits = Limits(content_length=100_000, object_bytes=10_000)
        authenticate = ByCertificate(self.registry)
        self.app = PartnerDoor(
            self.registry, authenticate, title="AAA", limits=limits, body_seconds=0.2, clock=lambda: self.now
        )

    def ask(self, method: str, path: str, *, party: str | None = "BBB", **rest: Any) -> httpx.Response:
        async def as_party(scope: Any, receive: Any, send: Any) -> None:
            key = self.keys.get(party or "", party)
            await self.app({**scope, "state": {"tls_key": key}}, receive, send)

        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(as_party, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url="https://aaa.example:8443") as client:
                return await client.request(method, path, **{"headers": HEADERS, **rest})

        answer = asyncio.run(go())
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == MEDIA_TYPE
            assert answer.json()["http_status"] == str(answer.status_code)
            assert answer.json()["title"]
        return answer

    def get(self, path: str, **rest: Any) -> httpx.Response:
        return self.ask("GET", path, **rest)

    def add(self, *objects: Any, **rest: Any) -> dict[str, Any]:
        answer = self.ask("POST", "/api/collections/inbox/objects/", json={"objects": objects}, **rest)
        assert answer.status_code == 202, answer.text
        return answer.json()  # type: ignore[no-any-return]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.registry.close()


# --- who, where, how -------------------------------------------------------------------------------


@pytest.mark.parametrize("party", [None, "f" * 64, "BBB-is-not-a-key"])
@pytest.mark.parametrize("path", ["/taxii2/", "/api/", "/api/collections/", "/nothing/here"])
def test_a_stranger_is_turned_away_everywhere_alike(desk: Desk, party: str | None, path: str) -> None:
    answer = desk.get(path, party=party)
    assert answer.status_code == 401
    assert "www-authenticate" in answer.headers
    assert answer.content == desk.get("/other/", party=None).content


def test_who_is_no_partner_any_more_is_turned_away(desk: Desk) -> None:
    assert desk.get("/api/").status_code == 200
    desk.registry.admit({"CCC": desk.partners["CCC"].pem})
    assert desk.get("/api/").status_code == 401
    assert desk.get("/api/", party="CCC").status_code == 200


def test_a_scope_without_state_is_a_stranger(desk: Desk) -> None:
    async def go() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(desk.app), base_url="https://x") as client:
            return await client.get("/api/")

    assert asyncio.run(go()).status_code == 401


def test_server_information(desk: Desk) -> None:
    root = "https://aaa.example:8443/api/"
    discovery = desk.get("/taxii2/")
    assert discovery.json() == {"title": "AAA", "default": root, "api_roots": [root]}
    assert discovery.headers["content-type"] == MEDIA_TYPE
    assert desk.get("/api/").json() == {
        "title": "AAA",
        "versions": [MEDIA_TYPE],
        "max_content_length": 100_000,
    }


def test_a_strange_host_is_not_put_into_an_answer(desk: Desk) -> None:
    answer = desk.get("/taxii2/", headers=HEADERS | {"host": "evil.example/@x?"})
    assert answer.json()["default"] == "/api/"


def test_the_collections(desk: Desk) -> None:
    releases, inbox = desk.get("/api/collections/").json()["collections"]
    assert (releases["alias"], releases["can_read"], releases["can_write"]) == ("releases", True, False)
    assert (inbox["alias"], inbox["can_read"], inbox["can_write"]) == ("inbox", True, True)
    for collection in (releases, inbox):
        by_id = desk.get(f"/api/collections/{collection['id']}/")
        assert by_id.json() == collection
        assert desk.get(f"/api/collections/{collection['alias']}/").content == by_id.content


def test_each_partner_has_its_own_collections(desk: Desk) -> None:
    mine = desk.get("/api/collections/").json()["collections"]
    theirs = desk.get("/api/collections/", party="CCC").json()["collections"]
    assert not {c["id"] for c in mine} & {c["id"] for c in theirs}
    desk.add(indicator(1))
    assert desk.get("/api/collections/inbox/objects/", party="CCC").json() == {}


def test_hidden_and_absent_are_the_same(desk: Desk) -> None:
    (theirs, *_) = desk.get("/api/collections/", party="CCC").json()["collections"]
    status = desk.add(indicator(1), party="CCC")["id"]
    name = indicator(1)["id"]
    paths = [
        f"/api/collections/{theirs['id']}/",
        f"/api/collections/{theirs['id']}/objects/",
        f"/api/collections/{theirs['id']}/manifest/",
        "/api/collections/00000000-0000-4000-8000-000000000000/",
        "/api/collections/out/",
        f"/api/status/{status}/",
        "/api/status/00000000-0000-4000-8000-000000000000/",
        f"/api/collections/inbox/objects/{name}/",
        f"/api/collections/inbox/objects/{name}/versions/",
        f"/api/collections/releases/objects/{name}/",
        "/nothing/",
        "/api",
        "/taxii2",
        "/api/collections/inbox/objects",
        "//api/",
    ]
    answers = [desk.get(path) for path in paths]
    assert {answer.status_code for answer in answers} == {404}
    assert len({(answer.content, tuple(answer.headers.items())) for answer in answers}) == 1
    assert desk.ask("DELETE", f"/api/collections/inbox/objects/{name}/").content == answers[0].content


def test_other_methods_are_refused_with_those_there_are(desk: Desk) -> None:
    for method, path, allow in (
        ("POST", "/taxii2/", "GET"),
        ("PUT", "/api/collections/inbox/objects/", "GET, POST"),
        ("POST", "/api/collections/inbox/objects/x/", "GET, DELETE"),
        ("DELETE", "/api/collections/inbox/manifest/", "GET"),
    ):
        answer = desk.ask(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allow)


def test_content_is_negotiated(desk: Desk) -> None:
    for accept in ("application/taxii+json", "*/*", ""):
        answer = desk.get("/api/", headers={"accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, MEDIA_TYPE)
    for accept in ("text/html", "application/taxii+json;version=2.0"):
        assert desk.get("/api/collections/inbox/objects/", headers={"accept": accept}).status_code == 406


def test_a_range_is_ignored(desk: Desk) -> None:
    desk.add(indicator(1))
    answer = desk.get("/api/collections/inbox/objects/", headers=HEADERS | {"range": "items 5-9"})
    assert answer.status_code == 200
    assert len(answer.json()["objects"]) == 1


# --- reading ---------------------------------------------------------------------------------------


def test_an_empty_collection_is_an_empty_envelope(desk: Desk) -> None:
    for path in ("objects", "manifest"):
        answer = desk.get(f"/api/collections/releases/{path}/")
        assert (answer.status_code, answer.content) == (200, b"{}")


def test_releases_are_served_in_the_order_in_which_they_were_added(desk: Desk) -> None:
    objects = [indicator(n) for n in (3, 1, 2)]
    release(desk.folder, "BBB", objects)
    answer = desk.get("/api/collections/releases/objects/")
    assert answer.json() == {"objects": objects}
    manifest = desk.get("/api/collections/releases/manifest/")
    records = manifest.json()["objects"]
    assert [r["id"] for r in records] == [o["id"] for o in objects]
    assert {(r["version"], r["media_type"]) for r in records} == {
        ("2026-01-01T00:00:00.000Z", "application/stix+json;version=2.1")
    }
    for headers in (answer.headers, manifest.headers):
        assert headers["x-taxii-date-added-first"] == records[0]["date_added"]
        assert headers["x-taxii-date-added-last"] == records[-1]["date_added"]
    assert [r["date_added"] for r in records] == sorted({r["date_added"] for r in records})


@pytest.mark.parametrize("endpoint", ["objects", "manifest"])
def test_pages_by_next_and_by_added_after_give_the_same(desk: Desk, endpoint: str) -> None:
    desk.add(*(indicator(n) for n in range(7)))
    path = f"/api/collections/inbox/{endpoint}/"
    by_next: list[str] = []
    params: dict[str, str] = {"limit": "3"}
    while True:
        page = desk.get(path, params=params).json()
        by_next += [item["id"] for item in page["objects"]]
        if not page.get("more"):
            assert "next" not in page
            break
        params["next"] = page["next"]
    by_date: list[str] = []
    params = {"limit": "3"}
    while objects := (answer := desk.get(path, params=params)).json().get("objects"):
        by_date += [item["id"] for item in objects]
        params["added_after"] = answer.headers["x-taxii-date-added-last"]
    assert by_next == by_date == [indicator(n)["id"] for n in range(7)]


def test_a_next_is_of_no_use_elsewhere(desk: Desk) -> None:
    desk.add(*(indicator(n) for n in range(3)))
    desk.add(*(indicator(n) for n in range(3)), party="CCC")
    release(desk.folder, "BBB", [indicator(n) for n in range(3)])
    path = "/api/collections/inbox/objects/"
    token = desk.get(path + "?limit=1&match[type]=indicator").json()["next"]
    same = f"?match[type]=indicator&next={token}"
    assert desk.get(path + same + "&limit=2").status_code == 200
    for other in (
        path + f"?next={token}",
        path + same + "&match[version]=all",
        path + same + "&added_after=2020-01-01T00:00:00Z",
        path + f"?match[type]=malware&next={token}",
        path.replace("objects", "manifest") + same,
        path.replace("inbox", "releases") + same,
        path + "?match[type]=indicator&next=" + token[:-1] + ("A" if token[-1] != "A" else "B"),
        path + "?match[type]=indicator&next=",
    ):
        assert desk.get(other).status_code == 400, other
    assert desk.get(path + same, party="CCC").status_code == 400


def test_one_object_its_versions_and_their_pages(desk: Desk) -> None:
    desk.add(*(indicator(1, version=n) for n in (1, 3, 2)), indicator(2))
    path = f"/api/collections/inbox/objects/{indicator(1)['id']}/"
    assert [o["modified"][17:19] for o in desk.get(path).json()["objects"]] == ["03"]
    every = desk.get(path + "?match[version]=all").json()["objects"]
    assert [o["modified"][17:19] for o in every] == ["01", "03", "02"]
    versions = desk.get(path + "versions/")
    assert versions.json() == {"versions": [o["modified"] for o in every]}
    assert versions.headers["x-taxii-date-added-first"] < versions.headers["x-taxii-date-added-last"]
    page = desk.get(path + "versions/?limit=2").json()
    rest = desk.get(path + f"versions/?limit=2&next={page['next']}").json()
    assert page["versions"] + rest["versions"] == versions.json()["versions"]
    assert "more" not in rest
    last = versions.headers["x-taxii-date-added-last"]
    assert desk.get(path + f"versions/?added_after={last}").content == b"{}"
    assert desk.get(path + f"?added_after={last}").content == b"{}"
    assert desk.get(path + "?match[version]=2020-01-01T00:00:00Z").status_code == 404
    assert desk.get(path + "?match[spec_version]=2.0").status_code == 404


@pytest.mark.parametrize(
    "query", ["limit=0", "added_after=now", "match[version]=all,last", "limit=1&limit=2"]
)
def test_a_malformed_query_is_400(desk: Desk, query: str) -> None:
    for path in ("objects", "manifest"):
        assert desk.get(f"/api/collections/inbox/{path}/?{query}").status_code == 400


def test_a_query_without_end_is_414(desk: Desk) -> None:
    assert desk.get("/api/collections/inbox/objects/?match[id]=" + "x" * 20_000).status_code == 414


# --- adding ----------------------------------------------------------------------------------------


def test_what_is_added_is_there_and_its_status_is_kept_for_a_day(desk: Desk) -> None:
    status = desk.add(indicator(1), indicator(2))
    assert status["status"] == "complete"
    assert status["request_timestamp"] == "2026-11-23T12:00:00.000000Z"
    counts = [status[f"{name}_count"] for name in ("total", "success", "failure", "pending")]
    assert counts == [2, 2, 0, 0]
    assert status["successes"] == [
        {"id": indicator(n)["id"], "version": "2026-01-01T00:00:00.000Z"} for n in (1, 2)
    ]
    assert "failures" not in status
    assert desk.get(f"/api/status/{status['id']}/").json() == status
    assert desk.get("/api/collections/inbox/objects/").json()["objects"] == [indicator(1), indicator(2)]
    desk.now += timedelta(hours=23)
    assert desk.get(f"/api/status/{status['id']}/").status_code == 200
    desk.now += timedelta(hours=2)
    assert desk.get(f"/api/status/{status['id']}/").status_code == 404


def test_one_bad_object_does_not_poison_the_collection(desk: Desk) -> None:
    status = desk.add(indicator(1), {"type": "indicator"}, 5, indicator(2) | {"n": 2**70}, indicator(3))
    assert (status["total_count"], status["success_count"], status["failure_count"]) == (5, 2, 3)
    assert all(failure["message"] for failure in status["failures"])
    held = desk.get("/api/collections/inbox/objects/").json()["objects"]
    assert held == [indicator(1), indicator(3)]


def test_the_same_again_succeeds_and_is_not_held_twice(desk: Desk) -> None:
    assert desk.add(indicator(1), indicator(1))["success_count"] == 2
    assert desk.add(indicator(1))["success_count"] == 1
    assert len(desk.get("/api/collections/inbox/objects/?match[version]=all").json()["objects"]) == 1
    changed = desk.add(indicator(1) | {"name": "Another duck"})
    assert changed["failure_count"] == 1
    assert "modified" in changed["failures"][0]["message"]


def test_releases_cannot_be_written(desk: Desk) -> None:
    release(desk.folder, "BBB", [indicator(1)])
    path = "/api/collections/releases/objects/"
    assert desk.ask("POST", path, json={"objects": [indicator(2)]}).status_code == 403
    assert desk.ask("DELETE", path + indicator(1)["id"] + "/").status_code == 403
    assert desk.get(path).json()["objects"] == [indicator(1)]


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "application/taxii+json;version=2.0"]
)
def test_other_content_is_415(desk: Desk, content_type: str) -> None:
    answer = desk.ask(
        "POST", "/api/collections/inbox/objects/",
        headers=HEADERS | {"content-type": content_type}, content=b'{"objects":[]}',
    )  # fmt: skip
    assert answer.status_code == 415


def test_a_coded_body_is_415(desk: Desk) -> None:
    answer = desk.ask(
        "POST", "/api/collections/inbox/objects/",
        headers=HEADERS | {"content-encoding": "gzip"}, content=b"\x1f\x8b",
    )  # fmt: skip
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"", 400), (b"\xff", 400), (b"[]", 422), (b"{}", 422), (b'{"objects":[]}', 422)],
)
def test_a_body_that_cannot_be_used_is_told_so(desk: Desk, body: bytes, status: int) -> None:
    assert desk.ask("POST", "/api/collections/inbox/objects/", content=body).status_code == status


def test_a_body_may_be_as_long_as_said_and_no_longer(desk: Desk) -> None:
    body = json.dumps({"objects": [indicator(n) for n in range(50)]}).encode()
    full = body + b" " * (100_000 - len(body))
    assert desk.ask("POST", "/api/collections/inbox/objects/", content=full).status_code == 202
    for longer in (full + b" ", full * 5):
        answer = desk.ask("POST", "/api/collections/inbox/objects/", content=longer)
        assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    asking = HEADERS | {"expect": "100-continue"}
    assert (
        desk.ask("POST", "/api/collections/inbox/objects/", content=full * 5, headers=asking).status_code
        == 413
    )


def test_a_body_that_does_not_arrive_is_cut(desk: Desk) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b'{"objects":['
        await asyncio.sleep(30)

    async def go() -> list[Any]:
        sent: list[Any] = []
        chunks = slow()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": await anext(chunks), "more_body": True}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "POST", "path": "/api/collections/inbox/objects/", "query_string": b"",
            "headers": [(k.encode(), v.encode()) for k, v in HEADERS.items()],
            "state": {"tls_key": desk.keys["BBB"]},
        }  # fmt: skip
        await desk.app(scope, receive, send)
        return sent

    start, body = asyncio.run(go())
    assert start["status"] == 408
    assert json.loads(body["body"])["http_status"] == "408"


def test_requests_that_wait_together_are_answered_each_for_itself(desk: Desk) -> None:
    inbox = desk.registry.inbox("BBB")

    async def go() -> list[Any]:
        bodies = [json.dumps({"objects": [indicator(n), indicator(0)]}).encode() for n in range(8)]
        return await asyncio.gather(
            *(inbox.add(body, Limits(), START) for body in [*bodies, b"{", b"[]"]), return_exceptions=True
        )

    *statuses, broken, unfit = asyncio.run(go())
    assert [json.loads(status)["success_count"] for status in statuses] == [2] * 8
    assert type(broken).__name__ == "BadInput"
    assert type(unfit).__name__ == "NotAnEnvelope"
    assert len(inbox.view.page(IN, _all(), after=-1, limit=99).items) == 8


def _all() -> Any:
    from tearline.deliver.taxii import Query

    return Query(versions=("all",))


# --- removing --------------------------------------------------------------------------------------


def test_what_is_removed_is_gone(desk: Desk) -> None:
    desk.add(*(indicator(1, version=n) for n in (1, 2, 3)), indicator(2))
    path = f"/api/collections/inbox/objects/{indicator(1)['id']}/"
    one = desk.ask("DELETE", path + "?match[version]=2026-01-01T00:00:02Z")
    assert (one.status_code, one.content, one.headers["content-type"]) == (200, b"", MEDIA_TYPE)
    assert desk.get(path + "?match[version]=2026-01-01T00:00:02Z").status_code == 404
    assert desk.ask("DELETE", path + "?match[version]=2026-01-01T00:00:02Z").status_code == 404
    assert len(desk.get(path + "versions/").json()["versions"]) == 2
    assert desk.ask("DELETE", path).status_code == 200
    assert desk.get(path).status_code == 404
    left = desk.get("/api/collections/inbox/manifest/?match[version]=all").json()["objects"]
    assert [record["id"] for record in left] == [indicator(2)["id"]]


# --- what must never be told -----------------------------------------------------------------------


def test_a_fault_of_ours_tells_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.get("/api/")
    secret = "the vault is under the stairs"

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError(secret)

    monkeypatch.setattr(desk.registry.inbox("BBB").view, "served", fail)
    monkeypatch.setattr(desk.registry.inbox("BBB").view, "begin", fail)
    for answer in (
        desk.get("/api/collections/inbox/objects/"),
        desk.ask("POST", "/api/collections/inbox/objects/", json={"objects": [indicator(1)]}),
    ):
        assert answer.status_code == 500
        assert secret not in answer.text
        assert "Traceback" not in answer.text
        assert "RuntimeError" not in answer.text


def test_what_others_are_given_cannot_be_noticed(tmp_path: Path) -> None:
    """Law 5, for one partner's every endpoint: the bytes do not depend on another's view."""
    answers = []
    for folder, others in ((tmp_path / "a", 0), (tmp_path / "b", 40)):
        folder.mkdir()
        desk = Desk(folder)
        view = open_view(folder, "BBB")
        with view.begin() as writer:
            items = [
                Item(f"r{n}", o["id"], o["type"], o["modified"], "2.1", json.dumps(o).encode())
                for n, o in enumerate(indicator(n) for n in range(5))
            ]
            writer.add(OUT, items, START)
        view.close()
        release(folder, "CCC", [indicator(n) for n in range(others)])
        name = indicator(1)["id"]
        paths = ["/taxii2/", "/api/", "/api/collections/", "/api/collections/releases/"]
        paths += [f"/api/collections/releases/{end}/?limit=2" for end in ("objects", "manifest")]
        paths += [f"/api/collections/releases/objects/{name}/", "/api/collections/releases/objects/x/"]
        paths += [f"/api/collections/releases/objects/{name}/versions/"]
        answers.append([(a.status_code, a.content, tuple(a.headers.items())) for a in map(desk.get, paths)])
        desk.registry.close()
    assert answers[0] == answers[1]
