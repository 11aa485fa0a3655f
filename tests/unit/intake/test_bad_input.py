"""Files that no reader can take: each is named with place and reason, and costs little."""

from __future__ import annotations

import io
import tracemalloc
from typing import BinaryIO, cast

import orjson
import pytest

from tearline import intake
from tearline.intake import Fault, Limits
from tests.unit.intake.material import NOW, bundle, fault, faults, ident, products, quarantine, read, sdo

MIB = 1 << 20


class Endless(io.BufferedIOBase):
    """A file of `head`, then `middle` `times` over, then `tail`; it is never held as a whole."""

    def __init__(self, head: bytes, middle: bytes, times: int, tail: bytes) -> None:
        self._parts = [(head, 1), (middle, times), (tail, 1)]
        self.handed_out = 0
        self.seek(0)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        assert (offset, whence) == (0, io.SEEK_SET)
        self._left = [(part, times) for part, times in self._parts if part and times]
        self._at = 0
        return 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert 0 <= size <= 64 * MIB
        out = bytearray()
        while self._left and len(out) < size:
            part, times = self._left[0]
            taken = part[self._at : self._at + size - len(out)]
            out += taken
            self._at += len(taken)
            if self._at == len(part):
                self._at = 0
                self._left[:1] = [(part, times - 1)] if times > 1 else []
        self.handed_out += len(out)
        return bytes(out)


def take(stream: io.BufferedIOBase) -> list[object]:
    context = intake.Context(party="USA", at=NOW, default_marking="TLP:GREEN")
    return [str(item) if isinstance(item, Fault) else item.id for item in
            intake.read(cast(BinaryIO, stream), "file", context=context)]  # fmt: skip


def test_a_line_of_a_gigabyte_is_refused_without_holding_it_and_its_neighbours_are_taken() -> None:
    before, after = sdo("tool", 1), sdo("tool", 2)
    head = b'{"type":"bundle","objects":[%b,{"type":"' % orjson.dumps(before)
    stream = Endless(head, b"x" * MIB, 1024, b'"},%b]}' % orjson.dumps(after))
    tracemalloc.start()
    try:
        items = take(stream)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert items == [before["id"], "file, objects[1]: is longer than 64 MiB", after["id"]]
    assert peak < 80 * MIB


def test_a_report_of_a_gigabyte_is_refused_by_its_first_part() -> None:
    stream = Endless(b"(U) ", b"x" * MIB, 1024, b"\n")
    assert take(stream) == ["file: is longer than a report may be, 16 MiB"]
    assert stream.handed_out < 18 * MIB


def test_a_gigabyte_of_brackets_is_given_up() -> None:
    stream = Endless(b'{"type":"bundle","objects":[', b"[" * MIB, 1024, b"")
    assert take(stream) == ["file, byte 6429: nested too deep to find the end"]
    assert stream.handed_out < 4 * MIB


def nested(levels: int) -> bytes:
    return b'{"type":"x-a","id":"%b","x":%b1%b}' % (
        ident("x-a", 5).encode(), b"[" * (levels - 1), b"]" * (levels - 1),
    )  # fmt: skip


def test_nesting() -> None:
    good = [orjson.dumps(sdo("tool", number)) for number in (1, 2)]
    items = read(b'{"type":"bundle","objects":[%b,%b,%b]}' % (good[0], nested(200), good[1]))
    assert len(products(items)) == 2
    assert [str(found) for found in faults(items)] == ["file, objects[1]: is nested deeper than 64 levels"]
    assert len(products(read(b"[%b]" % nested(64)))) == 1
    assert faults(read(b"[%b]" % nested(65)))
    assert fault(nested(65)).reason == "is nested deeper than 64 levels"


BAD_PIECES = {
    "bad UTF-8": (b'{"type":"tool","name":"\xff"}', "is not UTF-8"),
    "a NUL byte": (b'{"type":"to\x00ol"}', "control character"),
    "a lone surrogate": (b'{"type":"\\ud800"}', "half of a surrogate pair"),
    "a member twice": (b'{"id":"a","type":"b","id":"c"}', "names the member 'id' twice"),
    "not a number": (b'{"type":NaN}', "NaN is not a JSON number"),
    "infinity": (b'{"type":Infinity}', "Infinity is not a JSON number"),
    "a huge number": (b'{"x":' + b"7" * 10_000 + b"}", "is too large"),
    "broken inside": (b'{"type" "tool"}', "is not JSON"),
    "brackets that do not match": (b'{"x":[1}]', "is not JSON"),
    "a number": (b"5", "expected `object`, got `int`"),
    "null": (b"null", "expected `object`, got `null`"),
    "a word": (b"spade", "is not JSON"),
}


@pytest.mark.parametrize(("bad", "reason"), BAD_PIECES.values(), ids=BAD_PIECES)
def test_a_bad_object_leaves_those_before_and_after_it(bad: bytes, reason: str) -> None:
    good = [orjson.dumps(sdo("tool", number)) for number in (1, 2)]
    content = b'{"type":"bundle","objects":[%b,%b,%b]}' % (good[0], bad, good[1])
    items = read(content)
    assert [product.content for product in products(items)] == good
    (found,) = faults(items)
    assert found.where == "file"
    assert found.place.startswith("objects[1]")
    assert reason in found.reason
    assert found.sentence.count("\n") == 0
    if "byte" in found.place:
        offset = int(found.place.rpartition(" ")[2])
        assert content.index(bad) <= offset < content.index(bad) + len(bad)


def test_a_bad_member_beside_the_objects_is_named_and_they_are_taken() -> None:
    items = read(b'{"type":"bundle","x":NaN,"objects":[%b]}' % orjson.dumps(sdo()))
    assert len(products(items)) == 1
    assert [found.place for found in faults(items)] == ["x, byte 21"]


@pytest.mark.parametrize(
    ("cut", "taken"),
    [
        (lambda content: content[:-1], 2),
        (lambda content: content[:-2], 2),
        (lambda content: content[:-3], 1),
        (lambda content: content[: len(content) // 2], 0),
        (lambda content: content + b"x", 2),
        (lambda content: content + content, 2),
        (lambda content: content.replace(b"},{", b"}{"), 1),
        (lambda content: content.replace(b"},{", b"},,{"), 1),
    ],
)
def test_a_file_that_breaks_off_gives_what_came_before(cut: object, taken: int) -> None:
    assert callable(cut)
    content = cut(bundle(sdo("tool", 1), sdo("tool", 2)))
    items = read(content)
    assert len(products(items)) == taken
    (found,) = faults(items)
    assert found.place.startswith("byte ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \n\t", "is empty"),
        (b"{}", "is JSON of a form that is not known"),
        (b'{"Event":{"info":"x"}}', "is JSON of a form that is not known"),
        (b'{"type":"bundle","objects":{}}', "should be a list"),
        (b'{"type":"bundle","type":"bundle","objects":[]}', "the member 'type' stands twice"),
        (b'{"objects":[],"objects":[]}', "the member 'objects' stands twice"),
        (b'{"type":"tool"', "the file ends too early"),
        (b"\x89PNG\r\n\x1a\n\x00", "is not UTF-8"),
        (b"GIF89a\x01\x00\x01\x00", "holds the control character U+0001"),
        (b"\x1f\x8b\x08\x00", "is an archive"),
        (b"\x00" * 100, "holds the control character U+0000"),
    ],
)
def test_what_is_not_known_is_refused(content: bytes, reason: str) -> None:
    found = fault(content)
    assert found.where == "file"
    assert reason in found.reason


def test_a_report_may_begin_with_a_bracket() -> None:
    text = b"[DRAFT] The port closed.\n"
    (found, warning) = read(b"Date: 2026-10-01\n\n" + text) + read(text)[1:]
    assert products([found])
    assert "no Date" in str(warning)


@pytest.mark.parametrize(
    "before",
    ["HTTP/1.1 200 OK\nServer: x\n\n", "Here it is:\n\n", "Here: \n- ", "<!-- -->", "var x =\n", "<?xml?>"],
)
def test_data_behind_something_else_gets_no_default_marking(before: str) -> None:
    (product,) = products(read(before.encode() + bundle(sdo())))
    assert "another format" in quarantine(product).reason


def test_reading_ends_after_too_many_errors() -> None:
    items = read(b"[" + b"1," * 50 + orjson.dumps(sdo()) + b"]", limits=Limits(faults=10))
    assert len(items) == 11
    assert str(items[-1]) == "file: has 10 errors; the rest was not read"


@pytest.mark.parametrize(
    "line",
    [
        "(" + "//" * 200_000,
        "(C) " * 100_000,
        "(//" * 100_000,
        "SOURCE " * 60_000,
        "source" + " " * 400_000 + "x",
        "#" * 400_000,
        "- " * 200_000 + "x",
        "1. " * 130_000 + "x",
        "{ " * 200_000,
        "(" + "a" * 400_000,
        "(" * 400_000,
        "Classification: " + "TLP:RED " * 50_000,
        "a" + " " * 400_000 + "b",
    ],
)
def test_no_line_takes_long(line: str) -> None:
    """Each would take hours if any step were quadratic."""
    for text in (line, f"(U) {line}", f"TLP:RED\n\n{line}"):
        items = read(text.encode())
        assert len(products(items)) + len(faults(items)) == 1


def test_no_tag_or_word_takes_long() -> None:
    long = "classif" * 60_000
    cluster = {"uuid": "0c6a4d0e-3c5e-4c1e-9a53-7d9b7f3c2a11", "value": long, "meta": {"motive": long}}
    content = {"type": "threat-actor", "version": 1, "tags": [long], "values": [cluster]}
    (product,) = products(read(orjson.dumps(content)))
    assert len(product.title) == 200


def test_an_error_of_the_disk_is_not_the_files_fault() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "input/output error")

    with pytest.raises(OSError, match="input/output"):
        take(Failing())
