"""One web server that an officer named: documents and files from it, and from nowhere else.

HTTPS alone; a redirect is not followed, a proxy is not used, an address at another host is not asked. Bytes
come as they are: no content encoding, so nothing small unpacks into something large. A file is fetched into
a part beside its tag; what is there of it after a break is not fetched again (RFC 9110, sections 13 and 14).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx
import msgspec

from tearline.terms import BadInput

SECONDS = 60.0
"""How long the server may be silent."""
MOST_SECONDS = 120.0
"""How long one document may take in all."""
KEPT_DAYS = 30
_CHUNK = 1 << 20
_DEFAULT_PORT = 443
_AGAIN = "run the same again: it goes on where it ended"
_WHY = {
    401: "it does not let us in",
    403: "it does not let us in",
    404: "it is not there",
    429: "it is asked too often",
}


class Known(msgspec.Struct, frozen=True):
    """What is kept of a file that was fetched, or half fetched."""

    tag: str = ""
    """Its strong entity tag; empty where the server has none."""
    sha256: str = ""
    """Of the whole file, once it is here and taken in; empty before."""
    size: int = 0


class Expected(msgspec.Struct, frozen=True):
    """What is said of a file before it is fetched."""

    most: int
    """Bytes that it may have."""
    size: int | None = None
    checksums: Sequence[tuple[str, bytes]] = ()
    """By name of the function, as hashlib has it."""


class Fetched(msgspec.Struct, frozen=True):
    """A whole file at `part`, until it is `settled`."""

    part: Path
    tag: str
    sha256: str
    size: int


class Unchanged(msgspec.Struct, frozen=True):
    """The file of that digest is still what the server has."""

    sha256: str


class Site:
    """The server of `url`. Use as a context manager, one request at a time."""

    def __init__(self, url: str, context: ssl.SSLContext, folder: Path) -> None:
        """`folder`: where parts of files are. Raises `BadInput` where `url` is no address by https."""
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
            raise BadInput(url, "", "is not an address that begins with https://")
        self._origin, self._folder = _origin(parts), folder
        self._http = httpx.Client(
            verify=context,
            trust_env=False,
            follow_redirects=False,
            timeout=SECONDS,
            headers={"accept-encoding": "identity", "user-agent": "tearline"},
        )

    def __enter__(self) -> Self:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        old = time.time() - KEPT_DAYS * 86400
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < old:
                    path.unlink()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def here(self, base: str, href: str) -> str:
        """The address that `href` is at `base`. Raises `BadInput` where it is not at this server."""
        try:
            url = urljoin(base, href)
            parts = urlsplit(url)
            own = parts.scheme == "https" and _origin(parts) == self._origin and not parts.username
        except ValueError:
            own, url = False, ""
        if not own:
            raise BadInput(base, "", "refers to another host, which is not asked", "fetch that file yourself")
        return url.partition("#")[0]

    def document(self, url: str, most: int) -> bytes:
        """What stands at `url`, of `most` bytes. Raises `BadInput`."""
        body, end = bytearray(), time.monotonic() + MOST_SECONDS
        with self._asked(url, {"accept": "application/geo+json, application/json"}) as answer:
            if answer.status_code != 200:
                raise _refused(url, answer)
            for piece in answer.iter_raw():
                body += piece
                if len(body) > most:
                    raise BadInput(url, "", f"is longer than {most} bytes")
                if time.monotonic() > end:
                    raise BadInput(url, "", f"takes longer than {MOST_SECONDS:g} seconds", "try again")
        return bytes(body)

    def known(self, url: str) -> Known:
        """What is kept of the file at `url`."""
        try:
            return msgspec.json.decode(self._note(url).read_bytes(), type=Known)
        except (FileNotFoundError, msgspec.MsgspecError):
            return Known()

    def fetch(
        self, url: str, expected: Expected, progress: Callable[[int, int | None], None]
    ) -> Fetched | Unchanged:
        """The file at `url`, whole and with the bytes that were said; what is here of it is kept.

        `progress` is called with how many bytes are here, of how many. Raises `BadInput`: of a file that is
        not what was said nothing is kept; of one that broke off, what came.
        """
        part, note, known = self._part(url), self._note(url), self.known(url)
        begun = part.stat().st_size if part.exists() and not known.sha256 else 0
        headers = {"accept": "*/*"}
        if known.sha256 and known.tag:
            headers["if-none-match"] = known.tag
        elif begun and known.tag:
            headers |= {"range": f"bytes={begun}-", "if-range": known.tag}
        with self._asked(url, headers) as answer:
            if answer.status_code == 304 and known.sha256:
                return Unchanged(known.sha256)
            if answer.status_code == 416:  # all of it is here, or the part is of something else
                self.forget(url)
                raise BadInput(url, "", "is not what it was when it was begun", "try again")
            if answer.status_code not in {200, 206}:
                raise _refused(url, answer)
            start, size = _extent(url, answer, begun)
            _must_be_expected(url, size, expected)
            tag = answer.headers.get("etag", "")
            tag = tag if re.fullmatch(r'"[\x21\x23-\x7e\x80-\xff]*"', tag) else ""  # weak ones bind nothing
            note.write_bytes(msgspec.json.encode(Known(tag=tag)))
            hashes = [hashlib.sha256(), *(_new(name) for name, _ in expected.checksums)]
            with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
                file.truncate(start)
                while piece := file.read(_CHUNK):
                    for each in hashes:
                        each.update(piece)
                for piece in answer.iter_raw():
                    file.write(piece)
                    for each in hashes:
                        each.update(piece)
                    if file.tell() > min(expected.most, size or expected.most):
                        break
                    progress(file.tell(), size)
                length = file.tell()
        if size is not None and length < size:
            raise BadInput(url, "", f"broke off after {length} bytes of {size}", _AGAIN)
        wrong = [
            name
            for (name, digest), each in zip(expected.checksums, hashes[1:], strict=True)
            if each.digest() != digest
        ]
        if length > expected.most or length != (size or length) or wrong:
            self.forget(url)
            said = (
                f"does not have the {wrong[0]} that its item states" if wrong else "is longer than was said"
            )
            raise BadInput(url, "", said)
        return Fetched(part, tag, hashes[0].hexdigest(), length)

    def settled(self, url: str, fetched: Fetched) -> None:
        """The file was taken in: only what tells it again is kept."""
        note = Known(tag=fetched.tag, sha256=fetched.sha256, size=fetched.size)
        self._note(url).write_bytes(msgspec.json.encode(note))
        fetched.part.unlink(missing_ok=True)

    def forget(self, url: str) -> None:
        """Keep nothing of the file at `url`."""
        self._part(url).unlink(missing_ok=True)
        self._note(url).unlink(missing_ok=True)

    def _part(self, url: str) -> Path:
        return self._folder / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.part"

    def _note(self, url: str) -> Path:
        return self._part(url).with_suffix(".json")

    @contextlib.contextmanager
    def _asked(self, url: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
        try:
            with self._http.stream("GET", url, headers=headers) as answer:
                if answer.headers.get("content-encoding", "identity").lower() != "identity":
                    raise BadInput(url, "", "comes packed, though that was not asked for")
                yield answer
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise BadInput(url, "", f"cannot be fetched ({_cause(error)})", _AGAIN) from None


def at_one(url: str, other: str) -> bool:
    """Whether two addresses are at the same host and port."""
    with contextlib.suppress(ValueError):
        return _origin(urlsplit(url)) == _origin(urlsplit(other))
    return False


def _origin(parts: SplitResult) -> tuple[str, int]:
    """Raises `ValueError` for a port that is none."""
    return (parts.hostname or "").lower(), parts.port or _DEFAULT_PORT


def _new(name: str) -> hashlib._Hash:
    return hashlib.new(name, usedforsecurity=False)


def _refused(url: str, answer: httpx.Response) -> BadInput:
    if answer.is_redirect:
        return BadInput(url, "", "leads on to another address, which is not followed", "give that one itself")
    code = answer.status_code
    return BadInput(url, "", f"it answered {code}" + (f": {_WHY[code]}" if code in _WHY else ""))


def _extent(url: str, answer: httpx.Response, begun: int) -> tuple[int, int | None]:
    """From where on the answer goes, and how long the whole file is, if that is told."""
    length = answer.headers.get("content-length", "")
    if answer.status_code == 200:
        return 0, int(length) if length.isdecimal() else None
    told = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", answer.headers.get("content-range", ""))
    if told is None or int(told[1]) != begun or int(told[2]) + 1 != int(told[3]):
        raise BadInput(url, "", "answers with another part of the file than was asked for")
    return begun, int(told[3])


def _must_be_expected(url: str, size: int | None, expected: Expected) -> None:
    if (size or 0) > expected.most:
        raise BadInput(url, "", f"is longer than {expected.most} bytes", "raise `max_file_mb`")
    if size is not None and expected.size is not None and size != expected.size:
        raise BadInput(url, "", f"has {size} bytes, its item says {expected.size}")


def _cause(error: Exception) -> str:
    """What went wrong, without what the server said."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ssl.SSLCertVerificationError):
            return "its certificate is not one that is trusted here"
        inner = inner.__cause__ or inner.__context__
    return type(error).__name__
