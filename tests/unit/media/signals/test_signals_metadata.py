"""Metadata and what it says of the data: what is taken, and each way to be wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tearline.media.signals.metadata import LIMIT, moment
from tearline.terms import BadInput, Position
from tests.recordings import archive, inspect, metadata, noise

SHARED = Path(__file__).parents[5] / "shared" / "data" / "media"
SAMPLES = 100
DATA = noise("cf32_le", SAMPLES)

Change = Callable[[dict[str, Any]], None]


def changed(change: Change) -> dict[str, Any]:
    meta = metadata()
    meta["annotations"] = [{"core:sample_start": 10, "core:sample_count": 20}]
    change(meta)
    return meta


def glob(**fields: Any) -> Change:
    return lambda meta: meta["global"].update({f"core:{key}": value for key, value in fields.items()})


def capture(**fields: Any) -> Change:
    return lambda meta: meta["captures"][0].update({f"core:{key}": value for key, value in fields.items()})


def note(**fields: Any) -> Change:
    return lambda meta: meta["annotations"][0].update({f"core:{key}": value for key, value in fields.items()})


def more(name: str, **fields: Any) -> Change:
    return lambda meta: meta[name].append({f"core:{key}": value for key, value in fields.items()})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda meta: meta.pop("captures"), "schema"),
        (lambda meta: meta.update(archive=[]), "schema"),
        (lambda meta: meta["global"].pop("core:datatype"), "schema"),
        (lambda meta: meta["global"].pop("core:version"), "schema"),
        (glob(version="two"), "schema"),
        (glob(version="2.0.0"), "not 1.x"),
        (glob(datatype="cf16_le"), "no dataset format"),
        (glob(datatype="cf32"), "no dataset format"),
        (glob(datatype="cf32_le\n"), "no dataset format"),
        (glob(datatype="xf32_le"), "no dataset format"),
        (glob(sample_rate=0), "schema"),
        (glob(sample_rate=-5.0), "schema"),
        (glob(sample_rate=1e13), "schema"),
        (glob(sample_rate="fast"), "schema"),
        (glob(num_channels=0), "schema"),
        (glob(num_channels=10**6), "schema"),
        (glob(num_channels=3), "no whole number of samples"),
        (glob(offset=-1), "schema"),
        (glob(offset=2**64), "schema"),
        (glob(offset=50), "before the dataset"),
        (glob(sha512="00"), "schema"),
        (glob(sha512="0" * 128), "not the hash"),
        (glob(author=["a", "b"]), "schema"),
        (glob(dataset="../other.dat"), "another name"),
        (glob(dataset="other.dat"), "another name"),
        (glob(dataset="harbour.sigmf-data", metadata_only=True), "says that there is none"),
        (glob(trailing_bytes=8), "names no dataset"),
        (capture(header_bytes=8), "names no dataset"),
        (glob(dataset="harbour.sigmf-data", trailing_bytes=2**62), "no whole number of samples"),
        (glob(geolocation={"type": "Point", "coordinates": [181, 0]}), "no place"),
        (glob(geolocation={"type": "Point", "coordinates": [1]}), "schema"),
        (glob(geolocation={"type": "Polygon", "coordinates": [1, 2]}), "schema"),
        (capture(geolocation={"type": "Point", "coordinates": [0, -90.5]}), "no place"),
        (glob(extensions=[{"name": "strange", "version": "1.0.0", "optional": False}]), "not known"),
        (glob(extensions=[{"name": "strange"}]), "schema"),
        (capture(sample_start=-1), "schema"),
        (capture(sample_start=SAMPLES + 1), "behind the last"),
        (capture(frequency=1e13), "schema"),
        (capture(datetime="yesterday"), "no time in UTC"),
        (capture(datetime="2031-05-17T14:31:09+02:00"), "no time in UTC"),
        (capture(datetime="2031-02-30T14:31:09Z"), "no time in UTC"),
        (capture(datetime="2031-05-17T14:31:61Z"), "no time in UTC"),
        (capture(datetime="9999-12-31T23:59:60Z"), "no time in UTC"),
        (lambda meta: meta["captures"].insert(0, {"core:sample_start": 5}), "not sorted"),
        (more("annotations", sample_start=5), "not sorted"),
        (note(sample_count=91), "behind the last"),
        (note(sample_count=-1), "schema"),
        (note(freq_lower_edge=5.0), "one edge"),
        (note(freq_lower_edge=5.0, freq_upper_edge=4.0), "above its upper"),
    ],
)
def test_each_way_to_be_wrong_has_its_sentence(tmp_path: Path, change: Change, reason: str) -> None:
    path = archive(tmp_path / "a.sigmf", changed(change), DATA)
    with pytest.raises(BadInput, match=reason) as caught:
        inspect(path)
    assert caught.value.where == "a.sigmf"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "line 1"),
        (b"{", "line 1"),
        (b"\xff\xfe", "UTF-8"),
        (b"[]", "schema"),
        (b'{"global": {}, "global": {}}', "twice"),
        (b'{"global": NaN}', "NaN"),
        (b'{"global": {"core:sample_rate": -Infinity}}', "NaN and Infinity"),
        (b'{"global": {"core:sample_rate": 1e999}}', "too large"),
        (b'{"global": ' + b"9" * 5000 + b"}", "JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b" " * (LIMIT + 1), "longer than 8 MiB"),
    ],
)
def test_what_is_no_metadata_is_refused(tmp_path: Path, text: bytes, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        inspect(archive(tmp_path / "a.sigmf", text, DATA))


@pytest.mark.parametrize("cut", [1, 7, 799])
def test_a_dataset_that_is_no_whole_number_of_samples_is_refused(tmp_path: Path, cut: int) -> None:
    with pytest.raises(BadInput, match="truncated"):
        inspect(archive(tmp_path / "a.sigmf", metadata(), DATA[:-cut]))


def test_no_error_repeats_what_stands_in_the_file(tmp_path: Path) -> None:
    for change in (glob(author=7, mole="heron"), glob(sample_rate="heron"), glob(datatype="heron")):
        with pytest.raises(BadInput) as caught:
            inspect(archive(tmp_path / "a.sigmf", changed(change), DATA))
        assert "heron" not in str(caught.value)
        assert "mole" not in str(caught.value)


def test_facts_are_read(tmp_path: Path) -> None:
    meta = changed(glob(num_channels=2, sha512=hashlib.sha512(DATA).hexdigest().upper()))
    meta["captures"][0]["core:geolocation"] = {"type": "Point", "coordinates": [24.5, -3.25, 12.0]}
    facts = inspect(archive(tmp_path / "a.sigmf", meta, DATA)).facts
    assert (facts.channels, facts.samples, facts.centre_hz, facts.annotations) == (2, 50, 433e6, 1)
    assert facts.position == Position(latitude=-3.25, longitude=24.5)
    assert facts.taken == datetime(2031, 5, 17, 14, 31, 9, 250000, tzinfo=UTC)


def test_what_is_not_said_is_not_guessed(tmp_path: Path) -> None:
    meta = {"global": {"core:datatype": "ri8", "core:version": "1.0.0"}, "captures": [], "annotations": []}
    facts = inspect(archive(tmp_path / "a.sigmf", meta, b"abc")).facts
    assert (facts.samples, facts.sample_rate_hz, facts.centre_hz) == (3, None, None)
    assert (facts.position, facts.taken) == (None, None)


def test_metadata_alone_has_to_say_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="metadata alone"):
        inspect(archive(tmp_path / "a.sigmf", metadata(), None))
    assert inspect(archive(tmp_path / "a.sigmf", metadata(core__metadata_only=True), None)).facts.samples == 0


def test_header_and_trailing_bytes_are_no_samples(tmp_path: Path) -> None:
    meta = metadata("ri8", core__dataset="old.wav", core__trailing_bytes=3)
    meta["captures"] = [
        {"core:sample_start": 0, "core:header_bytes": 2},
        {"core:sample_start": 4, "core:header_bytes": 1},
    ]
    path = archive(tmp_path / "a.sigmf", meta, b"HHabcdHefTTT", dataset="old.wav")
    assert inspect(path).facts.samples == 6


@pytest.mark.parametrize(
    ("fields", "marking", "quarantined"),
    [
        ({}, None, False),
        ({"core:description": "A walk along the harbour"}, None, False),
        ({"core:description": "SECRET//REL TO USA, GBR\nA walk"}, "SECRET//REL TO USA, GBR", False),
        ({"core:description": "TLP:AMBER"}, "TLP:AMBER", False),
        ({"core:description": "Secret places of the harbour"}, None, False),
        ({"harbour:classification": "//GBR SECRET"}, "//GBR SECRET", False),
        ({"harbour:classification": "SECRET", "core:description": "SECRET"}, "SECRET", False),
        ({"harbour:classification": "SECRET", "core:description": "UNCLASSIFIED"}, None, True),
        ({"harbour:classification": 3}, None, True),
    ],
)
def test_a_marking_is_taken_only_where_it_is_stated(
    tmp_path: Path, fields: dict[str, Any], marking: str | None, quarantined: bool
) -> None:
    meta = metadata()
    meta["global"] |= fields
    found = inspect(archive(tmp_path / "a.sigmf", meta, DATA))
    assert (found.marking, found.quarantine is not None) == (marking, quarantined)


def test_officers_are_told_fields_by_name_only(tmp_path: Path) -> None:
    meta = metadata(core__hw="heron", antenna__gain="osier")
    meta["captures"][0]["Osier Road 5"] = 1
    carries = inspect(archive(tmp_path / "a.sigmf", meta, DATA)).carries
    assert {"core:hw", "antenna:gain", "fields with other names than SigMF's"} <= set(carries)
    assert not any("heron" in name or "Osier" in name for name in carries)


def test_times_are_read_to_the_microsecond() -> None:
    assert moment("2031-05-17T14:31:09.1234567899Z", "") == datetime(
        2031, 5, 17, 14, 31, 9, 123456, tzinfo=UTC
    )
    assert moment("2031-12-31T23:59:60Z", "") == datetime(2032, 1, 1, tzinfo=UTC)


@pytest.mark.skipif(not SHARED.exists(), reason="the folder of real input is absent")
def test_a_real_recording_is_read(tmp_path: Path) -> None:
    meta = json.loads((SHARED / "sigmf_logo.sigmf-meta").read_text())
    data = (SHARED / "sigmf_logo.sigmf-data").read_bytes()
    found = inspect(archive(tmp_path / "a.sigmf", meta, data))
    assert (found.facts.datatype, found.facts.channels, found.facts.samples) == ("ri16_le", 2, 288_000)
    assert found.marking is None
    assert "core:author" in found.carries
