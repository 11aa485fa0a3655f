"""Zip archives: their files are read, and none can cost more than it should."""

from __future__ import annotations

import io
import zipfile

import pytest

from tearline.intake import Limits
from tests.unit.intake.material import bundle, fault, faults, products, read, sdo

REPORT = b"TLP:GREEN\nDate: 2026-10-01\n\nThe port of Averly closed.\n"


def packed(files: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_every_file_is_read_by_its_content(packing: int) -> None:
    files = {
        "a.bin": bundle(sdo("tool", 1)),
        "folder/": b"",
        "folder/b": REPORT,
        "c.txt": bundle(sdo("tool", 2)),
    }
    items = read(packed(files, packing))
    assert [product.id.partition("--")[0] for product in products(items)] == ["tool", "report", "tool"]
    assert len(items) == 3


def test_a_path_is_only_a_name() -> None:
    files = {"../../etc/x.md": REPORT, "/root/y.md": REPORT + b"\n", "C:\\z\n\x1b[2J": b"\x00"}
    items = read(packed(files))
    assert len(products(items)) == 2
    assert [str(found) for found in faults(items)] == [
        "file!C:\\z [2J, line 1: holds the control character U+0000"
    ]


def test_a_bad_file_leaves_its_neighbours() -> None:
    files = {"a": bundle(sdo("tool", 1)), "b": bundle(sdo(name=5)), "c": b"", "d": bundle(sdo("tool", 2))}
    items = read(packed(files))
    assert len(products(items)) == 2
    assert [(found.where, found.place) for found in faults(items)] == [
        ("file!b", "objects[0].name"),
        ("file!c", ""),
    ]


@pytest.mark.parametrize("inner", [packed({"x": REPORT}), b"\x1f\x8b\x08rest", b"7z\xbc\xaf\x27\x1crest"])
def test_an_archive_in_an_archive_is_refused(inner: bytes) -> None:
    found = fault(packed({"inner": inner}))
    assert found.where == "file!inner"
    assert "is an archive" in found.reason


def test_a_bomb_is_refused_by_its_ratio_and_its_neighbours_are_read() -> None:
    items = read(packed({"bomb": b"\n" * 10_000_000, "b": REPORT}))
    assert len(products(items)) == 1
    assert "unpacks to more than 100 times" in faults(items)[0].reason


def test_what_all_files_unpack_to_is_bounded() -> None:
    content = packed(dict.fromkeys("abc", REPORT), zipfile.ZIP_STORED)
    items = read(content, limits=Limits(unpacked=2 * len(REPORT)))
    assert len(products(items)) == 2
    assert [found.where for found in faults(items)] == ["file!c"]


def test_the_number_of_files_and_the_size_are_bounded() -> None:
    content = packed(dict.fromkeys("abc", REPORT))
    assert "more than 2 files" in fault(content, limits=Limits(entries=2)).reason
    assert "longer than" in fault(content, limits=Limits(archive=len(content) - 1)).reason


def test_files_that_share_their_bytes_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", REPORT * 20)
        archive.filelist += archive.filelist * 20
    assert "overlap" in fault(out.getvalue()).reason


def test_an_encrypted_file_is_refused() -> None:
    content = bytearray(packed({"a": REPORT, "b": REPORT}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    items = read(bytes(content))
    assert len(products(items)) == 1
    assert [(found.where, found.reason) for found in faults(items)] == [("file!a", "is encrypted")]


def test_an_unusual_packing_is_refused() -> None:
    assert "method 14" in fault(packed({"a": REPORT * 9}, zipfile.ZIP_LZMA)).reason


def test_a_file_longer_than_it_declares_is_cut_and_refused() -> None:
    content = bytearray(packed({"a": REPORT}, zipfile.ZIP_STORED))
    central = content.index(b"PK\x01\x02")
    content[central + 24 : central + 28] = (20).to_bytes(4, "little")
    assert fault(bytes(content)).reason == "is broken in the archive"


def test_changed_bytes_are_found() -> None:
    content = bytearray(packed({"a": REPORT}, zipfile.ZIP_STORED))
    content[content.index(b"Averly")] ^= 1
    assert fault(bytes(content)).reason == "is broken in the archive"


def test_a_cut_archive_is_refused() -> None:
    content = packed({"a": REPORT})
    assert fault(content[:-10]).reason == "is a broken zip archive"
    assert fault(content[: len(content) // 2]).reason == "is a broken zip archive"


def test_an_empty_archive_holds_nothing() -> None:
    assert read(packed({})) == []
