"""The second check: what a faulty maker could have left in a form is found.

Each fault is planted in a form that is otherwise as a maker would write it: hashes, sizes and names fit.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import orjson
import pytest

from tearline.media import Made
from tearline.media.signals import making
from tearline.media.signals.archive import BLOCK, header, padding
from tearline.terms import Grain, SignalForm
from tests.recordings import RATE, archive, files, inspect, make, metadata, noise, verify

FORM = SignalForm(name="form", bandwidth_hz=RATE / 2, position_deg=0.1, time=Grain.DAY)
MARKING = "TLP:GREEN"


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Made]:
    meta = metadata(core__geolocation={"type": "Point", "coordinates": [24.12, 59.98]})
    meta["captures"].append({"core:sample_start": 600, "core:frequency": 433e6})
    meta["annotations"] = [
        {
            "core:sample_start": 100,
            "core:sample_count": 800,
            "core:freq_lower_edge": 432.9e6,
            "core:freq_upper_edge": 433.1e6,
        },
        {"core:sample_start": 200},
    ]
    return make(archive(tmp_path / "a.sigmf", meta, noise("cf32_le", 1001)), FORM, MARKING)


def as_made(path: Path, before: Made) -> Made:
    """What a maker would say of the file as it is now."""
    read = path.read_bytes()
    return msgspec.structs.replace(before, sha256=hashlib.sha256(read).hexdigest(), size=len(read))


def forged(path: Path, before: Made, text: bytes, data: bytes, gap: bytes = b"") -> tuple[str, ...]:
    """The findings on a form with this metadata and dataset, `gap` after the latter."""
    name = hashlib.sha512(data).hexdigest()[:32]
    zeros = padding(len(data)) - len(gap)
    path.write_bytes(
        header(f"{name}/{name}.sigmf-data", len(data))
        + data
        + gap
        + bytes(zeros)
        + header(f"{name}/{name}.sigmf-meta", len(text))
        + text
        + bytes(padding(len(text)) + 2 * BLOCK)
    )
    return verify(path, FORM, as_made(path, before), MARKING)


def test_a_form_as_it_was_made_has_no_findings(made: tuple[Path, Made]) -> None:
    path, said = made
    meta, data = files(path)
    assert verify(path, FORM, said, MARKING) == ()
    assert forged(path, said, orjson.dumps(meta), data) == ()


Change = Callable[[dict[str, Any]], object]
FAULTS: dict[str, tuple[Change, str]] = {
    "an author": (lambda meta: meta["global"].update({"core:author": "heron"}), "in global is not on"),
    "an antenna": (lambda meta: meta["global"].update({"antenna:gain": 3}), "in global is not on"),
    "a source": (
        lambda meta: meta["captures"][1].update({"capture_details:source_file": "heron"}),
        "in captures is not on",
    ),
    "an index": (lambda meta: meta["captures"][0].update({"core:global_index": 5}), "in captures is not on"),
    "a label": (
        lambda meta: meta["annotations"][0].update({"core:label": "heron"}),
        "in annotations is not on",
    ),
    "a fourth part": (lambda meta: meta.update(collection={}), "other parts"),
    "a text for a number": (lambda meta: meta["captures"][0].update({"core:frequency": "heron"}), "type"),
    "a fraction of a hertz": (lambda meta: meta["captures"][0].update({"core:frequency": 433e6}), "type"),
    "another description": (lambda meta: meta["global"].update({"core:description": "heron"}), "marking"),
    "no description": (lambda meta: meta["global"].pop("core:description"), "marking"),
    "another version": (lambda meta: meta["global"].update({"core:version": "1.heron"}), "version"),
    "metadata only": (lambda meta: meta["global"].update({"core:metadata_only": True}), "contradicts"),
    "another datatype": (lambda meta: meta["global"].update({"core:datatype": "ci32_le"}), "maker"),
    "no datatype": (lambda meta: meta["global"].update({"core:datatype": "heron"}), "no dataset format"),
    "other channels": (lambda meta: meta["global"].update({"core:num_channels": 2}), "channels"),
    "another rate": (lambda meta: meta["global"].update({"core:sample_rate": RATE}), "bandwidth"),
    "another hash": (lambda meta: meta["global"].update({"core:sha512": "0" * 128}), "hash"),
    "a second position": (
        lambda meta: meta["captures"][1].update(
            {"core:geolocation": meta["captures"][0]["core:geolocation"]}
        ),
        "may not",
    ),
    "an exact position": (
        lambda meta: meta["captures"][0]["core:geolocation"].update(coordinates=[24.12, 59.95]),
        "grid",
    ),
    "an altitude": (
        lambda meta: meta["captures"][0]["core:geolocation"]["coordinates"].append(3.0),
        "more than a point",
    ),
    "a box": (lambda meta: meta["captures"][0]["core:geolocation"].update(bbox=[1]), "more than a point"),
    "an hour": (
        lambda meta: meta["captures"][0].update({"core:datetime": "2031-05-17T14:00:00.000000Z"}),
        "more than the form",
    ),
    "a word for a time": (lambda meta: meta["captures"][1].update({"core:datetime": "heron"}), "no time"),
    "captures out of order": (lambda meta: meta["captures"].reverse(), "not in order"),
    "a capture behind the end": (
        lambda meta: meta["captures"][1].update({"core:sample_start": 500}),
        "out of range",
    ),
    "an annotation more": (lambda meta: meta["annotations"].append({"core:sample_start": 300}), "maker"),
    "an annotation behind the end": (
        lambda meta: meta["annotations"][1].update({"core:sample_start": 501}),
        "out of range",
    ),
    "a band outside": (
        lambda meta: meta["annotations"][0].update({"core:freq_upper_edge": 433_300_000}),
        "outside",
    ),
    "half a band": (lambda meta: meta["annotations"][0].pop("core:freq_upper_edge"), "outside"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_metadata_is_found(made: tuple[Path, Made], fault: str) -> None:
    path, said = made
    meta, data = files(path)
    change, finding = FAULTS[fault]
    change(meta)
    found = forged(path, said, orjson.dumps(meta), data)
    assert any(finding in sentence for sentence in found), found
    assert "heron" not in " ".join(found)


def test_a_second_way_to_write_the_same_is_found(made: tuple[Path, Made]) -> None:
    path, said = made
    meta, data = files(path)
    text = orjson.dumps(meta)
    twice = text.replace(b'"core:version"', b'"core:version":"1.heron","core:version"')
    for odd in (json.dumps(meta).encode(), text + b" ", twice):
        assert any("one way" in sentence for sentence in forged(path, said, odd, data))


def test_what_is_no_metadata_is_found(made: tuple[Path, Made]) -> None:
    path, said = made
    data = files(path)[1]
    for odd in (b"", b"[]", b"{", b'{"global":{},"captures":[],"annotations":[]}', b'{"global":1}'):
        assert forged(path, said, odd, data)


@pytest.mark.parametrize("cut", [0, 8, 1])
def test_a_dataset_of_another_length_is_found(made: tuple[Path, Made], cut: int) -> None:
    path, said = made
    meta, data = files(path)
    data = data[: len(data) - cut] if cut else data + b"heronher"
    meta["global"]["core:sha512"] = hashlib.sha512(data).hexdigest()
    assert any("long" in sentence for sentence in forged(path, said, orjson.dumps(meta), data))


def test_numbers_that_are_not_finite_are_found(made: tuple[Path, Made]) -> None:
    path, said = made
    meta, data = files(path)
    numbers = np.frombuffer(data, "<f4").copy()
    numbers[7] = np.nan
    meta["global"]["core:sha512"] = hashlib.sha512(numbers.tobytes()).hexdigest()
    assert any("finite" in sentence for sentence in forged(path, said, orjson.dumps(meta), numbers.tobytes()))


def test_something_in_the_padding_is_found(made: tuple[Path, Made]) -> None:
    path, said = made
    meta, data = files(path)
    found = forged(path, said, orjson.dumps(meta), data, gap=b"heron")
    assert any("padding" in sentence for sentence in found)


def test_any_byte_that_is_changed_outside_of_what_was_checked_is_found(made: tuple[Path, Made]) -> None:
    """One by one, each with the hash of the file as the maker would then have said it."""
    path, said = made
    read = path.read_bytes()
    for at in random.Random(5).sample(range(len(read)), 400):
        changed = bytearray(read)
        changed[at] ^= 0x41
        path.write_bytes(changed)
        assert verify(path, FORM, as_made(path, said), MARKING), f"byte {at}"


def test_another_file_than_was_made_is_found(made: tuple[Path, Made]) -> None:
    path, said = made
    other = msgspec.structs.replace(said, sha256="0" * 64)
    assert any("not the one" in sentence for sentence in verify(path, FORM, other, MARKING))


def test_more_behind_the_end_and_other_files_are_found(made: tuple[Path, Made]) -> None:
    path, said = made
    read = path.read_bytes()
    for changed in (read + bytes(BLOCK), read[:-BLOCK], header("heron", 0) + read, read + b"heron"):
        path.write_bytes(changed)
        assert verify(path, FORM, as_made(path, said), MARKING)
    archive(path, files_of(read, path), b"", stem="heron/heron")
    assert verify(path, FORM, as_made(path, said), MARKING)


def files_of(read: bytes, path: Path) -> dict[str, Any]:
    path.write_bytes(read)
    return files(path)[0]


def test_a_form_of_another_kind_is_found(made: tuple[Path, Made]) -> None:
    path, said = made
    for change in (
        {"samples": False},
        {"bandwidth_hz": RATE / 3},
        {"position_deg": None},
        {"position_deg": 0.7},
        {"time": Grain.MONTH},
        {"time": Grain.NONE},
    ):
        assert verify(path, msgspec.structs.replace(FORM, **change), said, MARKING), change
    assert verify(path, FORM, said, "TLP:CLEAR")


def test_a_maker_that_copies_a_field_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault planted in the maker itself."""
    right = making.plan

    def copies(recording: Any, *rest: Any) -> Any:
        planned = right(recording, *rest)
        planned.metadata["global"]["core:hw"] = recording.whole["global"]["core:hw"]
        return planned

    monkeypatch.setattr(making, "plan", copies)
    source = archive(tmp_path / "a.sigmf", metadata(core__hw="heron 5"), noise("cf32_le", 100))
    path, said = make(source, SignalForm(name="plain"))
    assert verify(path, SignalForm(name="plain"), said) == ("a field in global is not on the allow-list",)


# --- Against what was told, and what it was made of -----------------------------------------------


def test_what_its_recipient_is_told_stands_in_it(made: tuple[Path, Made]) -> None:
    path, said = made
    for change in ({"centre_hz": 1.0}, {"position": None}, {"taken": None}):
        told = msgspec.structs.replace(said, facts=msgspec.structs.replace(said.facts, **change))
        assert verify(path, FORM, told, MARKING) == (
            "frequency, position or time are not what the maker said",
        )
    other = msgspec.structs.replace(said, media_type="image/nitf")
    assert verify(path, FORM, other, MARKING) == ("the form is not one of a recording",)


def test_it_is_no_more_than_its_recording(made: tuple[Path, Made], tmp_path: Path) -> None:
    path, said = made
    of = inspect(tmp_path / "a.sigmf").facts
    assert verify(path, FORM, said, MARKING, of) == ()
    for change, reason in (
        ({"samples": 990}, "it lasts longer than its recording"),
        ({"channels": 0}, "it has more channels than its recording"),
        ({"sample_rate_hz": RATE / 4}, "core:sample_rate is higher than that of its recording"),
        ({"sample_rate_hz": None}, "its sample rate is not told as of its recording, or it is longer"),
    ):
        assert verify(path, FORM, said, MARKING, msgspec.structs.replace(of, **change)) == (reason,)


def told_anew(path: Path, said: Made, change: Change, **facts: Any) -> Made:
    """Change the metadata, and the facts with it."""
    meta, data = files(path)
    change(meta)
    if not data:
        text = orjson.dumps(meta)
        name = hashlib.sha512(text).hexdigest()[:32]
        start = header(f"{name}/{name}.sigmf-meta", len(text))
        path.write_bytes(start + text + bytes(padding(len(text)) + 2 * BLOCK))
    else:
        forged(path, said, orjson.dumps(meta), data)
    return msgspec.structs.replace(as_made(path, said), facts=msgspec.structs.replace(said.facts, **facts))


def test_samples_of_a_wide_band_that_are_said_to_be_of_a_narrow_one(tmp_path: Path) -> None:
    source = archive(tmp_path / "a.sigmf", metadata(), noise("cf32_le", 1000))
    narrow = SignalForm(name="plain", bandwidth_hz=RATE / 2)
    path, wide = make(source, SignalForm(name="plain"), MARKING)
    rate = {"core:sample_rate": RATE / 2}
    lie = told_anew(path, wide, lambda meta: meta["global"].update(rate), sample_rate_hz=RATE / 2)
    assert verify(path, narrow, lie, MARKING) == (), "by itself it is sound"
    of = inspect(source).facts
    assert verify(path, narrow, lie, MARKING, of) == ("it lasts longer than its recording",)


def test_words_for_a_datatype_without_samples(tmp_path: Path) -> None:
    source = archive(tmp_path / "a.sigmf", metadata(), noise("cf32_le", 1000))
    form = SignalForm(name="log", samples=False)
    path, said = make(source, form, MARKING)
    change = {"core:datatype": "heron"}
    lie = told_anew(path, said, lambda meta: meta["global"].update(change), datatype="heron")
    assert verify(path, form, lie, MARKING) == ("core:datatype is no dataset format",)


def test_others_tell_times_where_their_samples_are(tmp_path: Path) -> None:
    meta = metadata()
    meta["captures"].append({"core:sample_start": 500, "core:datetime": "2031-05-17T14:31:09.250500Z"})
    source = archive(tmp_path / "a.sigmf", meta, noise("cf32_le", 1000))
    ours = SignalForm(name="own", time=Grain.DAY)
    by_others = msgspec.structs.replace(ours, sanitizer="fog/1")
    path, said = make(source, ours, MARKING)
    assert verify(path, by_others, said, MARKING) == ()
    exact = {"core:datetime": "2031-05-17T14:31:09.250500Z"}
    lie = told_anew(path, said, lambda meta: meta["captures"][1].update(exact))
    assert verify(path, by_others, lie, MARKING) == ("core:datetime is not where its samples are",)
