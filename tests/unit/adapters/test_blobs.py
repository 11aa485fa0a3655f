"""Both stores of blobs do the same: whole files under their digest, or nothing."""

from __future__ import annotations

import io
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from obstore.store import LocalStore, MemoryStore

from tearline.adapters.blobs import Blobs, LocalBlobs, TooLarge, open_blobs
from tearline.adapters.blobs.s3 import ObjectBlobs
from tearline.terms import BadInput, Broken

LIMIT = 5_000_000
BODY = bytes(range(251)) * 12_000
DIGEST = sha256(BODY).hexdigest()


def _remote(folder: Path) -> ObjectBlobs:
    (folder / "remote").mkdir()
    return ObjectBlobs(LocalStore(folder / "remote"), LocalBlobs(folder / "blobs", LIMIT))


MAKERS: dict[str, Callable[[Path], Blobs]] = {
    "local": lambda folder: LocalBlobs(folder / "blobs", LIMIT),
    "memory": lambda folder: ObjectBlobs(MemoryStore(), LocalBlobs(folder / "blobs", LIMIT)),
    "object store": _remote,
}


@pytest.fixture(params=list(MAKERS))
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return MAKERS[request.param](tmp_path)


def test_what_was_stored_is_there_under_its_digest(blobs: Blobs, tmp_path: Path) -> None:
    assert blobs.put(io.BytesIO(BODY), "a") == (DIGEST, len(BODY))
    assert blobs.put(io.BytesIO(BODY), "again") == (DIGEST, len(BODY))
    path = blobs.local(DIGEST)
    assert path.read_bytes() == BODY
    assert path.relative_to(tmp_path / "blobs").parts == (DIGEST[:2], DIGEST[2:])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert blobs.has(DIGEST)
    assert not blobs.has("0" * 64)
    with pytest.raises(Broken):
        blobs.local("0" * 64)


def test_nothing_half_stored_stays(blobs: Blobs, tmp_path: Path) -> None:
    class Cut(io.BytesIO):
        def readinto(self, into: object) -> int:
            raise OSError("the cable is out")

    with pytest.raises(OSError, match="cable"):
        blobs.put(Cut(BODY), "a")
    with pytest.raises(TooLarge, match=r"big\.tif"):
        blobs.put(io.BytesIO(b"x" * (LIMIT + 1)), "big.tif")
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "lock"] == []


def test_a_blob_gets_another_name(blobs: Blobs, tmp_path: Path) -> None:
    blobs.put(io.BytesIO(BODY), "a")
    target = tmp_path / "released" / "name"
    blobs.link(DIGEST, target)
    blobs.link(DIGEST, target)
    assert target.samefile(blobs.local(DIGEST))
    with pytest.raises(Broken):
        blobs.link("1" * 64, tmp_path / "released" / "other")


def test_what_is_discarded_is_gone_and_may_be_gone_already(blobs: Blobs) -> None:
    blob = blobs.put(io.BytesIO(BODY), "a")
    for _ in range(2):
        blobs.discard(blob.sha256)
        assert not blobs.has(blob.sha256)


def test_sweeping_spares_what_is_kept_and_waits_for_who_stores(blobs: Blobs) -> None:
    kept = blobs.put(io.BytesIO(b"kept"), "a").sha256
    gone = blobs.put(io.BytesIO(b"gone"), "b").sha256
    with blobs.storing():
        assert blobs.sweep({kept}) == 0
        assert blobs.has(gone)
    assert blobs.sweep({kept}) == 1
    assert blobs.has(kept)
    assert not blobs.has(gone)


def test_sweeping_removes_what_a_crash_left(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "blobs", LIMIT)
    blobs.put(io.BytesIO(b"kept"), "a")
    (tmp_path / "blobs" / "parts" / "half").write_bytes(b"ha")
    blobs.sweep({sha256(b"kept").hexdigest()})
    assert list((tmp_path / "blobs" / "parts").iterdir()) == []


def test_an_emptied_cache_is_filled_again_and_checked(tmp_path: Path) -> None:
    blobs = _remote(tmp_path)
    blobs.put(io.BytesIO(BODY), "a")
    (tmp_path / "blobs" / DIGEST[:2] / DIGEST[2:]).unlink()
    assert blobs.local(DIGEST).read_bytes() == BODY
    (tmp_path / "blobs" / DIGEST[:2] / DIGEST[2:]).unlink()
    (tmp_path / "remote" / DIGEST[:2] / DIGEST[2:]).write_bytes(b"forged")
    with pytest.raises(Broken, match="not what was stored"):
        blobs.local(DIGEST)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", DIGEST.upper(), DIGEST[:-1]])
def test_a_name_that_is_no_digest_opens_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(Broken):
        LocalBlobs(tmp_path, LIMIT).has(name)


def test_the_configuration_says_which(tmp_path: Path) -> None:
    assert isinstance(open_blobs(tmp_path, None, LIMIT), LocalBlobs)
    assert isinstance(open_blobs(tmp_path, "memory:///", LIMIT), ObjectBlobs)
    with pytest.raises(BadInput, match="blobs"):
        open_blobs(tmp_path, "gopher://there", LIMIT)
