"""The vault's folder: one of two whole files, whatever happened; closed to others; one change at a time."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tearline.adapters.vault import VaultFile
from tearline.terms import BadInput, Broken, Refused
from tearline.vault import sealed as sealing
from tests.unit.vault.world import CHEAP, sealed


@pytest.fixture(autouse=True)
def cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "COST", CHEAP)


@pytest.fixture
def file(tmp_path: Path) -> VaultFile:
    file = VaultFile(tmp_path)
    with file.locked():
        pass
    return file


def test_what_was_prepared_and_committed_is_read(file: VaultFile) -> None:
    data = sealed()
    recorded = file.prepare(data)
    file.commit()
    file.settle(recorded)
    assert file.read() == data
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.folder.stat().st_mode) == 0o700


def test_a_prepared_change_that_was_recorded_is_made(file: VaultFile) -> None:
    file.prepare(sealed())
    file.commit()
    new = sealed()
    file.settle(file.prepare(new))
    assert file.read() == new


def test_a_prepared_change_that_was_not_recorded_is_dropped(file: VaultFile) -> None:
    old = sealed()
    recorded = file.prepare(old)
    file.commit()
    file.prepare(sealed())
    file.settle(recorded)
    assert file.read() == old
    assert [path.name for path in sorted(file.folder.iterdir())] == ["lock", "sources.vault"]


def test_a_torn_change_is_dropped(file: VaultFile) -> None:
    recorded = file.prepare(sealed())
    file.commit()
    (file.folder / "sources.next").write_bytes(sealed()[:50])
    file.settle(recorded)
    assert not (file.folder / "sources.next").exists()


def test_a_file_that_the_ledger_does_not_tell_of_is_refused(file: VaultFile) -> None:
    old = sealed()
    file.prepare(old)
    file.commit()
    recorded = file.prepare(sealed())
    file.commit()
    file.path.write_bytes(old)
    with pytest.raises(Broken, match="not the vault's file that the ledger tells of"):
        file.settle(recorded)
    with pytest.raises(Broken):
        file.settle(None)
    file.path.unlink()
    with pytest.raises(Broken):
        file.settle(recorded)
    with pytest.raises(BadInput, match="there is no vault"):
        file.settle(None)
    with pytest.raises(Broken, match="cannot be read"):
        file.read()
    with pytest.raises(Broken, match="cannot be read"):
        file.stamp()


def test_one_change_at_a_time(file: VaultFile) -> None:
    with file.locked(), pytest.raises(Refused, match="another process holds"), file.locked(wait=0.1):
        pytest.fail("two commands hold the vault")
    with file.locked(wait=0):
        pass
