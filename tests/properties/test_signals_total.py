"""Whatever stands in a file: it is taken, or refused in one sentence; what is made of it has no findings."""

from __future__ import annotations

import json
import math
import os
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.terms import BadInput, Grain, SignalForm
from tests.recordings import RATE, archive, inspect, make, metadata, noise, verify

MANY = 10 if os.environ.get("TEARLINE_LONG") else 1
SAMPLES = 300
FORMS = st.builds(
    SignalForm,
    name=st.just("form"),
    samples=st.booleans(),
    annotated=st.booleans(),
    bandwidth_hz=st.one_of(st.none(), st.floats(min_value=1e3, max_value=2 * RATE)),
    position_deg=st.one_of(st.none(), st.floats(min_value=0.001, max_value=90)),
    time=st.sampled_from(Grain),
)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.sampled_from([10**400, -(10**400), 2**63, 2**63 - 1, 0, -1]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        ["2031-05-17T14:31:09Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "\ud800", "a\0b"]
    ),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


def whole() -> dict[str, Any]:
    meta = metadata(
        "ci16_le",
        core__geolocation={"type": "Point", "coordinates": [24.1, 59.9]},
        core__num_channels=1,
        core__offset=0,
        core__description="TLP:GREEN",
        core__extensions=[{"name": "antenna", "version": "1.0.0", "optional": False}],
    )
    meta["captures"].append({"core:sample_start": 150, "core:datetime": "2031-05-17T14:31:10Z"})
    meta["annotations"] = [
        {
            "core:sample_start": 30,
            "core:sample_count": 200,
            "core:freq_lower_edge": 432.9e6,
            "core:freq_upper_edge": 433.1e6,
        }
    ]
    return meta


def spots(value: Any) -> list[tuple[Any, Any]]:
    """Every place in the metadata: what holds it, and its key."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [spot for key, inner in pairs for spot in [(value, key), *spots(inner)]]


def taken_or_refused(path: Path, form: SignalForm) -> bool:
    refused: BadInput | None = None
    try:
        inspect(path)
        target, made = make(path, form, "TLP:GREEN")
    except BadInput as error:
        refused = error
    if refused:
        assert refused.where == path.name
        assert "\n" not in str(refused)
        return False
    assert verify(target, form, made, "TLP:GREEN") == ()
    assert inspect(target).facts == made.facts
    return True


@settings(max_examples=150 * MANY, deadline=None)
@given(data=st.data(), form=FORMS)
def test_metadata_with_anything_anywhere(data: st.DataObject, form: SignalForm) -> None:
    meta = whole()
    for _ in range(data.draw(st.integers(0, 3))):
        holder, key = data.draw(st.sampled_from(spots(meta)))
        holder[key] = data.draw(ODD)
    with tempfile.TemporaryDirectory() as folder:
        taken_or_refused(archive(Path(folder) / "a.sigmf", meta, noise("ci16_le", SAMPLES)), form)


@settings(max_examples=150 * MANY, deadline=None)
@given(data=st.data(), form=FORMS)
def test_archives_with_any_bytes_changed(data: st.DataObject, form: SignalForm) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = archive(Path(folder) / "a.sigmf", whole(), noise("ci16_le", SAMPLES))
        read = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.one_of(st.integers(0, 1600), st.integers(0, len(read) - 1)))
            new = data.draw(st.binary(max_size=12))
            read[at : at + (len(new) if data.draw(st.booleans()) else 0)] = new
        path.write_bytes(read[: data.draw(st.one_of(st.just(len(read)), st.integers(0, len(read))))])
        taken_or_refused(path, form)


@settings(max_examples=60 * MANY, deadline=None)
@given(
    rate=st.floats(min_value=1e-3, max_value=1e12),
    longitude=st.floats(min_value=-180, max_value=180),
    latitude=st.floats(min_value=-90, max_value=90),
    frequency=st.floats(min_value=-1e12, max_value=1e12),
    grid=st.floats(min_value=0.001, max_value=90),
    start=st.integers(0, SAMPLES - 1),
)
def test_honest_recordings_go(
    rate: float, longitude: float, latitude: float, frequency: float, grid: float, start: int
) -> None:
    meta = whole()
    meta["global"] |= {"core:sample_rate": rate}
    meta["global"]["core:geolocation"]["coordinates"] = [longitude, latitude]
    meta["captures"][0]["core:frequency"] = frequency
    meta["annotations"] = [{"core:sample_start": start, "core:sample_count": SAMPLES - start}]
    form = SignalForm(name="form", annotated=True, position_deg=grid, time=Grain.HOUR)
    with tempfile.TemporaryDirectory() as folder:
        path = archive(Path(folder) / "a.sigmf", meta, noise("ci16_le", SAMPLES))
        assert taken_or_refused(path, form)
        _, made = make(path, form)
        place = made.facts.position  # type: ignore[union-attr] - of a signal
        assert abs(place.latitude - latitude) <= grid / 2 + 1e-6
        assert abs(place.longitude - longitude) <= grid / 2 + 1e-6


@settings(max_examples=300 * MANY)
@given(
    number=st.floats(-1e15, 1e15),
    text=st.text(alphabet=st.characters(codec="utf-8")),
)
def test_both_writers_of_json_write_alike(number: float, text: str) -> None:
    """The check relies on it: it writes anew what it read, and compares. No number goes beyond 1e12."""
    value = {"number": number, "text": text, "whole": math.floor(number) % 2**53}
    assert orjson.dumps(orjson.loads(msgspec.json.encode(value))) == msgspec.json.encode(value)
    assert json.loads(msgspec.json.encode(value)) == value
