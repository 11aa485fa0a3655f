"""Fetching a file in pieces: resumed, smaller when the line is bad, checked, dropped when nobody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from types import TracebackType

import pytest

from tearline.adapters.http import Answer, Unreachable
from tearline.adapters.view import View, WantedFile
from tearline.doors.partner import Inbox
from tearline.doors.post import fetcher
from tearline.doors.post.fetcher import Fetcher
from tests.door import open_view

NAME = "00000000-0000-4000-8000-000000000001"
BODY = bytes(range(256)) * 10_000
FILE = WantedFile(NAME, sha256(BODY).hexdigest(), len(BODY))


class Line:
    """A partner's door. `faults`: what happens at which request, by number."""

    def __init__(self, body: bytes = BODY, faults: Mapping[int, object] | None = None) -> None:
        self.body, self.faults = body, dict(faults or {})
        self.asked: list[tuple[int, int]] = []

    async def __aenter__(self) -> Line:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    async def request(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] = {}
    ) -> Answer:
        assert (method, target) == ("GET", f"/media/{NAME}")
        first, _, last = headers["range"].removeprefix("bytes=").partition("-")
        start, stop = int(first), int(last) + 1
        self.asked.append((start, stop))
        fault = self.faults.get(len(self.asked))
        if isinstance(fault, Exception):
            raise fault
        if isinstance(fault, Answer):
            return fault
        told = {"content-range": f"bytes {start}-{stop - 1}/{len(self.body)}"}
        return Answer(206, told, self.body[start:stop])


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher, "MOST", 1_000_000)
    monkeypatch.setattr(fetcher, "LOOK", 0.01)


def fetch(view: View, line: Line, *, until: bool = True, seconds: float = 5.0) -> int:
    """Run a fetcher until the file is here, or for so long; how often it said that one came."""
    came = 0

    async def main() -> None:
        done = asyncio.Event()

        def note() -> None:
            nonlocal came
            came += 1
            done.set()

        one = Fetcher("BBB", Inbox(view), line, note)  # type: ignore[arg-type]
        task = asyncio.create_task(one.run())
        try:
            async with asyncio.timeout(seconds):
                await done.wait()
        except TimeoutError:
            assert not until
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    return came


def wanting(folder: Path, file: WantedFile = FILE) -> View:
    view = open_view(folder, "BBB")
    with view.begin() as writer:
        writer.want_files([file])
    return view


def test_it_comes_in_pieces_and_is_said_once(tmp_path: Path) -> None:
    view, line = wanting(tmp_path), Line()
    assert fetch(view, line) == 1
    assert (view.fetched / NAME).read_bytes() == BODY
    assert line.asked == [(0, 1_000_000), (1_000_000, 2_000_000), (2_000_000, len(BODY))]
    assert view.wanted_files(here=True) == [FILE]
    assert view.wanted_files(here=False) == []
    assert [path.name for path in view.fetched.iterdir()] == [NAME]


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    view, line = wanting(tmp_path), Line()
    view.fetched.mkdir()
    (view.fetched / f"{NAME}.part").write_bytes(BODY[:1_500_000])
    fetch(view, line)
    assert line.asked[0][0] == 1_500_000
    assert (view.fetched / NAME).read_bytes() == BODY


@pytest.mark.parametrize(
    "fault",
    [
        Unreachable("it cannot be reached"),
        Answer(404, {}, b"{}"),
        Answer(200, {}, BODY),
        Answer(206, {"content-range": f"bytes 0-5/{len(BODY)}"}, BODY[:6]),
        Answer(206, {"content-range": f"bytes 1000000-1999999/{len(BODY)}"}, b"short"),
        ValueError("a fault of ours"),
    ],
)
def test_a_piece_that_fails_is_asked_for_again_and_smaller(tmp_path: Path, fault: object) -> None:
    view, line = wanting(tmp_path), Line(faults={2: fault})
    fetch(view, line)
    assert line.asked[1] == (1_000_000, 2_000_000)
    assert line.asked[2] == (1_000_000, 1_500_000)
    assert (view.fetched / NAME).read_bytes() == BODY


def test_another_file_than_was_signed_is_thrown_away(tmp_path: Path) -> None:
    view = wanting(tmp_path)
    assert fetch(view, Line(BODY[::-1]), until=False, seconds=0.3) == 0
    assert not (view.fetched / NAME).exists()
    assert view.wanted_files(here=False) == [FILE]


def test_a_part_that_was_spoilt_is_begun_anew(tmp_path: Path) -> None:
    view, line = wanting(tmp_path), Line()
    view.fetched.mkdir()
    (view.fetched / f"{NAME}.part").write_bytes(b"?" * 1_500_000)
    fetch(view, line)
    assert (view.fetched / NAME).read_bytes() == BODY
    assert (0, 500_000) in line.asked


def test_what_nobody_waits_for_is_removed(tmp_path: Path) -> None:
    view = wanting(tmp_path)
    view.fetched.mkdir()
    (view.fetched / "other.part").write_bytes(b"x")
    fetch(view, Line())
    assert [path.name for path in view.fetched.iterdir()] == [NAME]


def test_one_that_is_wanted_no_more_is_dropped_between_two_pieces(tmp_path: Path) -> None:
    view = wanting(tmp_path)

    class Forgetting(Line):
        async def request(self, *given: object, **more: object) -> Answer:
            with view.begin() as writer:
                writer.forget_files([NAME])
            return await super().request(*given, **more)  # type: ignore[arg-type]

    line = Forgetting()
    assert fetch(view, line, until=False, seconds=0.3) == 0
    assert len(line.asked) == 1
    assert list(view.fetched.iterdir()) == []


def test_an_empty_file(tmp_path: Path) -> None:
    view, line = wanting(tmp_path, WantedFile(NAME, sha256().hexdigest(), 0)), Line(b"")
    assert fetch(view, line) == 1
    assert line.asked == []
