"""The archive: what is read of a tar, what is refused, and what is written."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import sigmf

from tearline.media.signals import pack
from tearline.media.signals.archive import BLOCK, header, members
from tearline.media.signals.recording import opened
from tearline.terms import BadInput, Signal
from tests.recordings import archive, inspect, metadata

DATA = bytes(8 * 100)


def refused(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        inspect(path)
    assert caught.value.where == path.name
    return caught.value.reason


def odd(kind: bytes, name: str = "harbour/odd", **fields: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in fields.items():
        setattr(info, key, value)
    return info


def test_a_plain_archive_is_read(tmp_path: Path) -> None:
    assert inspect(archive(tmp_path / "a.sigmf", metadata(), DATA)).facts.samples == 100


def test_folders_and_leading_dots_are_plain_names(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "a.sigmf",
        metadata(),
        DATA,
        stem="./harbour/harbour",
        entry=odd(tarfile.DIRTYPE, "./harbour"),
    )
    assert inspect(path).facts.samples == 100


def test_ordinary_pax_headers_are_read_and_named(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.sigmf", metadata(), DATA, pax={"mtime": "1234567890.5", "comment": "mole"})
    carries = inspect(path).carries
    assert {"tar mtime", "tar comment"} <= set(carries)
    assert "mole" not in " ".join(carries)


def test_all_that_an_archive_says_in_words_is_at_hand(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "a.sigmf", metadata(core__hw="heron"), DATA, pax={"comment": "mole", "uname": "osier"}
    )
    said = str(opened(path).whole)
    assert {word for word in ("heron", "mole", "osier", "harbour/harbour.sigmf-data") if word in said} == {
        "heron",
        "mole",
        "osier",
        "harbour/harbour.sigmf-data",
    }
    old = tmp_path / "b.sigmf"
    with tarfile.open(old, "w", format=tarfile.USTAR_FORMAT) as out:
        entry = tarfile.TarInfo("a.sigmf-meta")
        entry.uname, entry.gname = "osier", "reed"
        text = json.dumps(metadata(core__metadata_only=True)).encode()
        entry.size = len(text)
        out.addfile(entry, io.BytesIO(text))
    assert "osier" in str(opened(old).whole)
    assert {"tar uname", "tar gname"} <= set(inspect(old).carries)


@pytest.mark.parametrize(
    "entry",
    [
        odd(tarfile.SYMTYPE, linkname="/etc/passwd"),
        odd(tarfile.LNKTYPE, linkname="harbour/harbour.sigmf-meta"),
        odd(tarfile.CHRTYPE, devmajor=1, devminor=3),
        odd(tarfile.BLKTYPE, devmajor=8),
        odd(tarfile.FIFOTYPE),
        odd(tarfile.GNUTYPE_SPARSE),
        odd(b"7"),
    ],
    ids=["symlink", "link", "character", "block", "fifo", "sparse", "contiguous"],
)
def test_what_is_no_plain_file_is_refused(tmp_path: Path, entry: tarfile.TarInfo) -> None:
    assert "no plain file" in refused(archive(tmp_path / "a.sigmf", metadata(), DATA, entry=entry))


@pytest.mark.parametrize(
    "name",
    ["/etc/harbour", "../harbour", "harbour/../../x", "a//b", "C:harbour", "a\\b", "a/b/c/d/e", "a\nb"],
)
def test_path_tricks_are_refused(tmp_path: Path, name: str) -> None:
    entry = odd(tarfile.REGTYPE, name)
    assert "plain relative" in refused(archive(tmp_path / "a.sigmf", metadata(), DATA, entry=entry))


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    entry = odd(tarfile.REGTYPE, "harbour/harbour.sigmf-data")
    assert "twice" in refused(archive(tmp_path / "a.sigmf", metadata(), DATA, entry=entry))


def test_a_third_file_is_refused(tmp_path: Path) -> None:
    entry = odd(tarfile.REGTYPE, "harbour/notes.txt", size=10)
    assert "exactly one recording" in refused(archive(tmp_path / "a.sigmf", metadata(), DATA, entry=entry))


@pytest.mark.parametrize("key", ["GNU.sparse.size", "hdrcharset", "SCHILY.xattr.user.secret", "linkpath"])
def test_surprising_pax_records_are_refused(tmp_path: Path, key: str) -> None:
    path = archive(tmp_path / "a.sigmf", metadata(), DATA, pax={key: "1"})
    assert "record that no recording needs" in refused(path)


def test_a_pax_size_that_is_no_number_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.sigmf", metadata(), DATA)
    record = b"15 size=-00001\n"
    forged = header("x", len(record))[:156] + b"x" + header("x", len(record))[157:]
    total = sum(forged[:148]) + sum(forged[156:]) + 256
    forged = forged[:148] + b"%06o\0 " % total + forged[156:]
    path.write_bytes(forged + record.ljust(BLOCK, b"\0") + path.read_bytes())
    assert "size in an extended header" in refused(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda read: read[: -5 * BLOCK],
        lambda read: read[:700],
        lambda read: read[: 2 * BLOCK],
        lambda read: read[:BLOCK],
        lambda read: b"",
    ],
)
def test_a_truncated_archive_is_refused(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    path = archive(tmp_path / "a.sigmf", metadata(), bytes(8 * 4000))
    read = path.read_bytes().rstrip(b"\0")
    path.write_bytes(change(read + bytes(-len(read) % BLOCK)))
    assert "truncated" in refused(path)


def test_something_behind_the_end_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.sigmf", metadata(), DATA)
    path.write_bytes(path.read_bytes() + bytes(5000) + b"mole")
    assert "behind the end" in refused(path)


def test_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.sigmf", metadata(), DATA)
    read = bytearray(path.read_bytes())
    read[110] ^= 1
    path.write_bytes(read)
    assert "checksum" in refused(path)


def test_a_size_beyond_the_file_is_truncation_not_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.sigmf"
    path.write_bytes(header("harbour/harbour.sigmf-data", 10**15) + bytes(BLOCK * 4))
    assert "truncated" in refused(path)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 8**11 - 1, 8**11, 10**15])
def test_headers_are_read_by_tarfile(size: int) -> None:
    info = tarfile.TarInfo.frombuf(header("name/name.sigmf-data", size), "utf-8", "strict")
    assert (info.name, info.size, info.mtime, info.uid, info.mode) == (
        "name/name.sigmf-data",
        size,
        0,
        0,
        0o644,
    )
    assert (info.uname, info.gname, info.linkname, info.type) == ("", "", "", tarfile.REGTYPE)


def test_a_pair_is_packed_the_same_way_each_time(tmp_path: Path) -> None:
    meta, data = tmp_path / "mole.sigmf-meta", tmp_path / "mole.sigmf-data"
    meta.write_bytes(b"{}")
    data.write_bytes(b"x" * 2000)
    first, second = io.BytesIO(), io.BytesIO()
    pack(meta, data, first)
    data.touch()
    pack(meta, data, second)
    assert first.getvalue() == second.getvalue()
    assert b"mole" not in first.getvalue()
    found = members(first, "a")
    assert [(member.name, member.size) for member in found] == [
        ("recording/recording.sigmf-meta", 2),
        ("recording/recording.sigmf-data", 2000),
    ]


def test_a_dataset_that_does_not_conform_keeps_its_name(tmp_path: Path) -> None:
    meta, data = tmp_path / "a.sigmf-meta", tmp_path / ("long" * 40 + ".wav")
    meta.write_bytes(b"{}")
    data.write_bytes(b"x")
    out = io.BytesIO()
    pack(meta, data, out)
    assert [member.name for member in members(out, "a")][1] == f"recording/{data.name}"


def test_a_pair_without_its_data_is_refused(tmp_path: Path) -> None:
    meta = tmp_path / "a.sigmf-meta"
    meta.write_bytes(b"{}")
    with pytest.raises(BadInput, match="is not a file"):
        pack(meta, tmp_path / "a.sigmf-data", io.BytesIO())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_archives_of_the_sigmf_package_are_read(tmp_path: Path) -> None:
    data = tmp_path / "harbour.sigmf-data"
    data.write_bytes(DATA)
    written = sigmf.SigMFFile(
        data_file=str(data), global_info={"core:datatype": "cf32_le", "core:sample_rate": 1000.0}
    )
    written.add_capture(0, metadata={"core:frequency": 1e6})
    written.add_annotation(10, length=20)
    path = tmp_path / "harbour.sigmf"
    written.archive(str(path))
    facts = inspect(path).facts
    assert isinstance(facts, Signal)
    assert (facts.samples, facts.annotations, facts.centre_hz) == (100, 1, 1e6)
