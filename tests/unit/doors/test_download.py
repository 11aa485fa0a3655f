"""Files at the partner door: whole, in ranges, to whom they were released, and until they are closed."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tearline.adapters.view import OUT, Item, ReleasedFile
from tearline.doors.partner.pace import Pace
from tests.door import Door, Identity, open_view, serving

BODY = bytes(range(256)) * 20_000
NAME, HELD_BACK, CLOSED, ABSENT = (f"00000000-0000-4000-8000-00000000000{n}" for n in range(4))


class Pair(NamedTuple):
    door: Door
    bbb: httpx.Client
    ccc: httpx.Client


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    who = {party: Identity.make(tmp_path / f"{party}-keys", party) for party in ("BBB", "CCC")}
    release(tmp_path, "BBB", NAME)
    release(tmp_path, "BBB", HELD_BACK)
    release(tmp_path, "BBB", CLOSED)
    view = open_view(tmp_path, "BBB")
    with view.begin() as writer:
        added = {name: at for at, name in view.unserved(-1, 10)}
        writer.hold_back([added[f"release {HELD_BACK}"]])
        writer.open_files([CLOSED], is_open=False)
    view.close()
    with serving(tmp_path, who) as door, door.client(who["BBB"]) as bbb, door.client(who["CCC"]) as ccc:
        yield Pair(door, bbb, ccc)


def release(folder: Path, party: str, name: str) -> None:
    view = open_view(folder, party)
    view.link(name).parent.mkdir(exist_ok=True)
    view.link(name).write_bytes(BODY)
    with view.begin() as writer:
        of = f"release {name}"
        item = Item(of, f"report--{name}", "report", "2026-01-01T00:00:00.000Z", "2.1", b"{}")
        writer.add(OUT, [item], datetime.now(UTC))
        writer.release_files([ReleasedFile(name, of, "a" * 64, len(BODY), "image/tiff", True)])
    view.close()


def test_the_whole_file(pair: Pair) -> None:
    answer = pair.bbb.get(f"/media/{NAME}", headers={"accept": "image/*"})
    assert answer.status_code == 200
    assert answer.content == BODY
    assert answer.headers["content-type"] == "image/tiff"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"] == f'"{NAME}"'
    assert "last-modified" not in answer.headers, "that would tell when others were given it"
    head = pair.bbb.head(f"/media/{NAME}")
    assert head.content == b""
    assert {**head.headers, "date": ""} == {**answer.headers, "date": ""}


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-", 100, len(BODY)),
        ("bytes=-5", len(BODY) - 5, len(BODY)),
        ("bytes=-99999999999", 0, len(BODY)),
        ("bytes=10-99999999999", 10, len(BODY)),
        ("BYTES = 7-9", 7, 10),
    ],
)
def test_a_range(pair: Pair, asked: str, start: int, stop: int) -> None:
    answer = pair.bbb.get(f"/media/{NAME}", headers={"range": asked})
    assert answer.status_code == 206
    assert answer.content == BODY[start:stop]
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(BODY)}"
    assert answer.headers["content-length"] == str(stop - start)


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "lines=1-2", "bytes=5-2", "bytes=-", "bytes=a-b", ""])
def test_what_is_no_single_range_gets_the_whole(pair: Pair, asked: str) -> None:
    answer = pair.bbb.get(f"/media/{NAME}", headers={"range": asked})
    assert (answer.status_code, answer.content) == (200, BODY)


@pytest.mark.parametrize("asked", [f"bytes={len(BODY)}-", "bytes=99999999999-", "bytes=-0"])
def test_a_range_that_is_not_there(pair: Pair, asked: str) -> None:
    answer = pair.bbb.get(f"/media/{NAME}", headers={"range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(BODY)}"


def test_a_range_goes_on_only_with_what_is_known(pair: Pair) -> None:
    known, other = {"if-range": f'"{NAME}"'}, {"if-range": '"else"'}
    assert pair.bbb.get(f"/media/{NAME}", headers={"range": "bytes=1-2", **known}).status_code == 206
    assert pair.bbb.get(f"/media/{NAME}", headers={"range": "bytes=1-2", **other}).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [{}, {"range": "bytes=0-5"}, {"accept": "image/tiff"}])
def test_what_cannot_be_had_is_as_what_is_not_there(pair: Pair, method: str, headers: dict[str, str]) -> None:
    def seen(client: httpx.Client, name: str) -> tuple[object, ...]:
        answer = client.request(method, f"/media/{name}", headers=headers)
        rest = [each for each in answer.headers.multi_items() if each[0] != "date"]
        return answer.status_code, rest, answer.content

    absent = seen(pair.bbb, ABSENT)
    assert absent[0] == 404
    for name in (HELD_BACK, CLOSED, "a" * 64, "..%2fBBB.db", "x", "%00", NAME.upper()[:-1] + "F"):
        assert seen(pair.bbb, name) == absent
    assert seen(pair.ccc, NAME) == absent, "another's"
    assert seen(pair.bbb, "no/such/path") == absent, "no endpoint"


def test_other_methods_are_refused(pair: Pair) -> None:
    answer = pair.bbb.post(f"/media/{NAME}", content=b"x")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_who_is_not_known_gets_nothing(pair: Pair) -> None:
    context = ssl.create_default_context(cadata=pair.door.server.pem)
    context.check_hostname = False
    stranger = httpx.Client(base_url=pair.door.url, verify=context, trust_env=False)
    with stranger, suppress(httpx.TransportError):  # turned away before
        assert stranger.get(f"/media/{NAME}").status_code == 401


def test_a_file_that_is_closed_ends_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tearline.doors.partner import download

    monkeypatch.setattr(download, "PIECE", 1000)
    who = Identity.make(tmp_path / "keys", "BBB")
    release(tmp_path, "BBB", NAME)
    with serving(tmp_path, {"BBB": who}) as door, door.client(who) as client:
        got = bytearray()

        def read() -> None:
            with client.stream("GET", f"/media/{NAME}") as answer:
                for chunk in answer.iter_raw(1000):
                    if not got:
                        view = open_view(tmp_path, "BBB")
                        with view.begin() as writer:
                            writer.open_files([NAME], is_open=False)
                        view.close()
                    got.extend(chunk)

        with pytest.raises(httpx.RemoteProtocolError):
            read()
        assert 0 < len(got) < len(BODY)
        assert client.get(f"/media/{NAME}").status_code == 404


def test_a_request_for_a_file_counts(tmp_path: Path) -> None:
    who = Identity.make(tmp_path / "keys", "BBB")
    with (
        serving(tmp_path, {"BBB": who}, pace=Pace(lambda: 0.0, burst=3)) as door,
        door.client(who) as client,
    ):
        answers = [client.get(f"/media/{NAME}").status_code for _ in range(4)]
    assert answers == [404, 404, 404, 429]


def test_names_are_checked_by_the_view_and_never_by_the_disk(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "BBB.media" / "stray").write_bytes(b"secret")
    assert pair.bbb.get("/media/stray").status_code == 404
