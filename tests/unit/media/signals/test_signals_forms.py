"""Forms: what is in them, what is not, and that others can read them."""

from __future__ import annotations

import json
import tarfile
import tracemalloc
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sigmf

from tearline.adapters import sandbox
from tearline.media import Inspect, Make, Preview, Verify
from tearline.media.signals import answer, pack
from tearline.media.signals.datatype import datatype
from tearline.terms import BadInput, Grain, ImageryForm, Position, SignalForm
from tests.recordings import RATE, archive, files, inspect, make, metadata, noise, stored, verify

SHARED = Path(__file__).parents[5] / "shared" / "data" / "media"
ALL = [f"{kind}{number}" for kind in "cr" for number in ("u8", "i8")] + [
    f"{kind}{number}_{order}"
    for kind in "cr"
    for number in ("f32", "f64", "i16", "u16", "i32", "u32")
    for order in ("le", "be")
]
PLAIN = SignalForm(name="plain")
NARROW = SignalForm(name="narrow", bandwidth_hz=RATE / 5)
MARKING = "UNCLASSIFIED//REL TO USA, GBR"


def annotated(path: Path, samples: int, *spans: tuple[int, int], dtype: str = "cf32_le", **more: Any) -> Path:
    meta = metadata(dtype)
    meta["annotations"] = [{"core:sample_start": start, "core:sample_count": count} for start, count in spans]
    return archive(path, meta, more.get("data") or noise(dtype, samples))


def opened_by_sigmf(path: Path) -> sigmf.SigMFFile:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copy = path.with_suffix(".sigmf")
        copy.write_bytes(path.read_bytes())
        found = sigmf.fromfile(str(copy), autoscale=False)
        found.validate()
    return found


@pytest.mark.parametrize("dtype", ALL)
def test_every_datatype_in_every_form(tmp_path: Path, dtype: str) -> None:
    channels, samples = 2, 6000
    meta = metadata(dtype, core__num_channels=channels)
    meta["annotations"] = [{"core:sample_start": 777, "core:sample_count": 4000}]
    data = noise(dtype, samples, channels)
    source = archive(tmp_path / "a.source", meta, data)
    for form, factor, first, count in (
        (PLAIN, 1, 0, samples),
        (SignalForm(name="narrow", bandwidth_hz=RATE / (5 if dtype[0] == "c" else 10)), 5, 0, samples // 5),
        (SignalForm(name="cut", annotated=True), 1, 777, 4000),
        (
            SignalForm(name="both", annotated=True, bandwidth_hz=RATE / (5 if dtype[0] == "c" else 10)),
            5,
            780,
            799,
        ),
    ):
        path, made = make(source, form, MARKING)
        assert verify(path, form, made, MARKING) == ()
        assert inspect(path).facts == made.facts
        assert inspect(path).marking == MARKING
        assert (made.facts.samples, made.facts.channels) == (count, channels)
        read = opened_by_sigmf(path)
        assert len(read) == count
        assert read.get_global_field("core:sample_rate") == RATE / factor
        fresh = np.frombuffer(files(path)[1], stored(dtype)).astype(np.float64).reshape(count, -1)
        form_of = datatype(dtype)
        assert form_of is not None
        raw = np.frombuffer(data, stored(dtype)).reshape(samples, -1)
        if factor == 1:
            assert np.array_equal(fresh, raw[first : first + count].astype(np.float64))
            continue
        signal = form_of.decode(raw)[:, first : first + count * factor].astype(np.complex128)
        expected = np.stack([filtered(row, factor) for row in signal]).T
        if dtype[0] == "c":
            numbers = np.ascontiguousarray(expected).view(np.float64)
        else:
            numbers = np.ascontiguousarray(expected.real)
        error = np.abs(fresh - form_of.zero - numbers).max()
        assert error <= max(0.51 if stored(dtype).kind != "f" else 0.0, 1e-5 * np.abs(numbers).max())


def filtered(row: np.ndarray[Any, Any], factor: int) -> np.ndarray[Any, Any]:
    from tearline.media.signals.channel import taps

    impulse = taps(factor)
    return np.convolve(row, impulse)[len(impulse) // 2 :][: len(row) : factor]


def test_the_same_request_gives_the_same_bytes(tmp_path: Path) -> None:
    source = annotated(tmp_path / "a.sigmf", 5000, (100, 3000))
    first, made = make(source, NARROW, MARKING)
    again, twice = make(source, NARROW, MARKING)
    assert made == twice
    assert first.stat().st_size == made.size == again.stat().st_size


def test_what_is_cut_leaves_no_trace_in_what_stays(tmp_path: Path) -> None:
    quiet = np.frombuffer(noise("cf32_le", 8000), "<f4").reshape(-1, 2).copy()
    loud = quiet.copy()
    loud[:3000], loud[6000:] = 1000.0, -1000.0
    form = SignalForm(name="cut", annotated=True, bandwidth_hz=RATE / 7)
    one = make(annotated(tmp_path / "a.sigmf", 0, (3000, 3000), data=quiet.tobytes()), form)[0].read_bytes()
    other = make(annotated(tmp_path / "b.sigmf", 0, (3000, 3000), data=loud.tobytes()), form)[0].read_bytes()
    assert one == other


def test_a_cut_is_on_the_grid_of_the_decimation_and_inside(tmp_path: Path) -> None:
    source = annotated(tmp_path / "a.sigmf", 8000, (1001, 10), (1500, 1003))
    path, made = make(source, SignalForm(name="cut", annotated=True, bandwidth_hz=RATE / 4))
    assert made.facts.samples == (2503 - 1004) // 4
    assert [tuple(note.values()) for note in files(path)[0]["annotations"]] == [(0, 2), (124, 250)]


def test_metadata_alone(tmp_path: Path) -> None:
    form = SignalForm(name="none", samples=False)
    path, made = make(annotated(tmp_path / "a.sigmf", 5000, (100, 3000)), form, MARKING)
    assert verify(path, form, made, MARKING) == ()
    meta, data = files(path)
    assert (data, meta["global"]["core:metadata_only"], made.facts.samples) == (b"", True, 0)
    assert meta["annotations"] == [{"core:sample_start": 100, "core:sample_count": 3000}]
    sigmf.SigMFFile(metadata=meta).validate()
    again, twice = make(path, SignalForm(name="again", samples=False), MARKING)
    assert verify(again, SignalForm(name="again", samples=False), twice, MARKING) == ()


def test_annotations_outside_the_band_are_not_told(tmp_path: Path) -> None:
    meta = metadata()
    meta["annotations"] = [
        {"core:sample_start": 0, "core:freq_lower_edge": 433.3e6, "core:freq_upper_edge": 433.4e6},
        {
            "core:sample_start": 1000,
            "core:sample_count": 2000,
            "core:freq_lower_edge": 432.99e6,
            "core:freq_upper_edge": 433.45e6,
            "core:label": "heron",
        },
    ]
    source = archive(tmp_path / "a.sigmf", meta, noise("cf32_le", 5000))
    form = SignalForm(name="cut", annotated=True, bandwidth_hz=RATE / 5)
    path, made = make(source, form)
    assert verify(path, form, made) == ()
    assert made.facts.samples == 400
    assert files(path)[0]["annotations"] == [
        {
            "core:sample_start": 0,
            "core:sample_count": 400,
            "core:freq_lower_edge": 432_990_000,
            "core:freq_upper_edge": 433_100_000,
        }
    ]


def test_tunings_are_filtered_apart_and_headers_left_out(tmp_path: Path) -> None:
    meta = metadata("rf32_le", core__dataset="old.wav", core__offset=500)
    meta["captures"] = [
        {"core:sample_start": 500, "core:frequency": 1e6, "core:header_bytes": 4},
        {"core:sample_start": 2503, "core:frequency": 2e6, "core:header_bytes": 8},
        {"core:sample_start": 3000, "core:frequency": 2e6},
    ]
    ones, twos = np.ones(2003, "<f4"), np.full(1500, 2, "<f4")
    data = b"HEAD" + ones.tobytes() + b"HEADHEAD" + twos.tobytes()
    source = archive(tmp_path / "a.sigmf", meta, data, dataset="old.wav")
    plain, _ = make(source, PLAIN)
    assert files(plain)[1] == ones.tobytes() + twos.tobytes()
    form = SignalForm(name="narrow", bandwidth_hz=RATE / 8)
    path, made = make(source, form)
    assert verify(path, form, made) == ()
    captures = files(path)[0]["captures"]
    assert [(c["core:sample_start"], c["core:frequency"]) for c in captures] == [
        (0, 1_000_000),
        (500, 2_000_000),
        (500 + (3000 - 500 - 2004) // 4, 2_000_000),
    ]
    found = np.frombuffer(files(path)[1], "<f4")
    assert len(found) == 500 + (3503 - 2004) // 4
    assert np.allclose(found[100:400], 1, atol=1e-4)
    assert np.allclose(found[600:800], 2, atol=1e-4)


@pytest.mark.parametrize(
    ("grain", "times"),
    [
        (Grain.EXACT, ["2031-05-17T14:31:09.251000Z", "2031-05-17T14:31:12.251500Z"]),
        (Grain.HOUR, ["2031-05-17T14:00:00.000000Z", "2031-05-17T14:00:03.000500Z"]),
        (Grain.DAY, ["2031-05-17T00:00:00.000000Z", "2031-05-17T00:00:03.000500Z"]),
        (Grain.MONTH, ["2031-05-01T00:00:00.000000Z", "2031-05-01T00:00:03.000500Z"]),
        (Grain.NONE, [None, None]),
    ],
)
def test_times_are_told_by_the_grain_and_intervals_stay(
    tmp_path: Path, grain: Grain, times: list[str | None]
) -> None:
    meta = metadata()
    meta["captures"].append({"core:sample_start": 3000, "core:datetime": "2031-05-17T14:31:12.251500Z"})
    meta["annotations"] = [{"core:sample_start": 1000}]
    source = archive(tmp_path / "a.sigmf", meta, noise("cf32_le", 5000))
    form = SignalForm(name="cut", annotated=True, time=grain)
    path, made = make(source, form)
    assert verify(path, form, made) == ()
    assert [capture.get("core:datetime") for capture in files(path)[0]["captures"]] == times


def test_a_time_that_the_product_alone_knows_is_told_as_coarsely(tmp_path: Path) -> None:
    meta = metadata()
    del meta["captures"][0]["core:datetime"]
    source = archive(tmp_path / "a.sigmf", meta, noise("cf32_le", 500))
    _, made = make(source, PLAIN, taken=datetime(2031, 5, 17, 23, 31, 9, tzinfo=UTC))
    assert made.facts.taken is not None
    assert made.facts.taken.isoformat() == "2031-05-17T00:00:00+00:00"


@pytest.mark.parametrize(
    ("grid", "told"),
    [
        (None, None),
        (1.0, (-33.5, 151.5)),
        (0.1, (-33.85, 151.25)),
        (0.01, (-33.855, 151.215)),
        (90.0, (-45.0, 135.0)),
        (0.0, (-33.8568, 151.2153)),
    ],
)
def test_a_position_is_told_on_the_grid(
    tmp_path: Path, grid: float | None, told: tuple[float, float] | None
) -> None:
    meta = metadata(core__geolocation={"type": "Point", "coordinates": [151.2153, -33.8568, 4.0]})
    source = archive(tmp_path / "a.sigmf", meta, noise("cf32_le", 500))
    form = SignalForm(name="grid", position_deg=grid)
    path, made = make(source, form)
    assert verify(path, form, made) == ()
    assert made.facts.position == (Position(*told) if told else None)
    assert ("geolocation" in json.dumps(files(path)[0])) is (told is not None)


@pytest.mark.parametrize(
    ("form", "meta", "reason"),
    [
        (SignalForm(name="cut", annotated=True), {}, "none in the band"),
        (SignalForm(name="narrow", bandwidth_hz=1.0), {}, "nothing of it is left"),
        (SignalForm(name="narrow", bandwidth_hz=0.0), {}, "bandwidth of nothing"),
        (SignalForm(name="narrow", bandwidth_hz=-5.0), {}, "bandwidth of nothing"),
        (SignalForm(name="narrow", bandwidth_hz=float("nan")), {}, "bandwidth of nothing"),
        (SignalForm(name="narrow", bandwidth_hz=5.0), {"core:sample_rate": None}, "not stated"),
        (SignalForm(name="grid", position_deg=-1.0), {}, "grid"),
        (SignalForm(name="grid", position_deg=float("nan")), {}, "grid"),
    ],
)
def test_forms_that_cannot_be_made_say_why(
    tmp_path: Path, form: SignalForm, meta: dict[str, Any], reason: str
) -> None:
    whole = metadata(core__geolocation={"type": "Point", "coordinates": [1.0, 2.0]})
    whole["global"] = {key: value for key, value in (whole["global"] | meta).items() if value is not None}
    source = archive(tmp_path / "a.sigmf", whole, noise("cf32_le", 500))
    with pytest.raises(BadInput, match=reason):
        make(source, form)


@pytest.mark.parametrize("form", [PLAIN, NARROW])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_go_nowhere(tmp_path: Path, form: SignalForm, value: float) -> None:
    samples = np.zeros(20_000, "<f4")
    samples[9_000] = value
    source = archive(tmp_path / "a.sigmf", metadata(), samples.tobytes())
    with pytest.raises(BadInput, match="no finite numbers"):
        make(source, form)


def test_of_a_whole_recording_nothing_is_made(tmp_path: Path) -> None:
    source = archive(tmp_path / "a.sigmf", metadata(), noise("cf32_le", 10))
    for form in (None, ImageryForm(name="picture")):
        request = Make(source=str(source), target=str(tmp_path / "b"), form=form, marking="")
        with pytest.raises(BadInput, match="recording of signals"):
            answer(request, lambda done: None)


def test_samples_cannot_be_made_of_metadata_alone(tmp_path: Path) -> None:
    source = archive(tmp_path / "a.sigmf", metadata(core__metadata_only=True), None)
    with pytest.raises(BadInput, match="metadata alone"):
        make(source, PLAIN)


@pytest.mark.parametrize("form", [PLAIN, NARROW])
def test_memory_does_not_grow_with_the_recording(tmp_path: Path, form: SignalForm) -> None:
    peaks = []
    for samples in (2_000_000, 6_000_000):
        source = archive(tmp_path / "a.sigmf", metadata(), bytes(8 * samples))
        tracemalloc.start()
        make(source, form)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert max(peaks) < 60e6
    assert peaks[1] < 1.1 * peaks[0]


@pytest.mark.skipif(not SHARED.exists(), reason="the folder of real input is absent")
def test_a_real_recording_in_the_confined_process(tmp_path: Path) -> None:
    source, target, picture = (str(tmp_path / name) for name in ("a.sigmf", "b.sigmf", "b.png"))
    with Path(source).open("wb") as out:
        pack(SHARED / "sigmf_logo.sigmf-meta", SHARED / "sigmf_logo.sigmf-data", out)
    assert sandbox.run(Inspect(source=source)).marking is None
    form = SignalForm(name="narrow", annotated=True, bandwidth_hz=6000.0, time=Grain.MONTH)
    told: list[float] = []
    request = Make(source=source, target=target, form=form, marking=MARKING)
    made = sandbox.run(request, progress=told.append)
    assert told[-1] == 1.0
    assert sandbox.run(Verify(made=target, form=form, marking=MARKING, expected=made)).found == ()
    read = opened_by_sigmf(Path(target))
    assert read.get_global_field("core:sample_rate") == 12_000.0
    assert len(read) == 276_000 // 4
    drawn = sandbox.run(Preview(source=target, target=picture))
    assert (drawn.width, drawn.height) == (512, 256)
    with tarfile.open(target) as found:
        assert {member.mtime for member in found.getmembers()} == {0}
    for word in (b"Kyle", b"K6OF", b"Audacity", b"Osci", b"Official", b"creativecommons", b"logo", b"T23:17"):
        assert word not in Path(target).read_bytes()
