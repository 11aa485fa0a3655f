"""Marks in recordings: how weak, where not, and that they are found again."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.signal import resample_poly

from tearline.media import Detect, Detected, Failed, Findings, Made, Make, Mark, Verify
from tearline.media.__main__ import answer
from tearline.media.marks import waves
from tearline.media.signals import pack
from tearline.media.signals.recording import opened
from tearline.terms import SignalForm

SEEDS = tuple(sha256(b"recipient %d" % number).digest() for number in range(16))
FORM = SignalForm(name="own")
SURE = 1e-6 / 64
RATE = 48000.0


def archive(
    folder: Path, name: str, stored: Any, datatype: str, rate: float = RATE, channels: int = 1
) -> Path:
    data, meta, path = (folder / f"{name}{end}" for end in (".sigmf-data", ".sigmf-meta", ".sigmf"))
    data.write_bytes(stored.tobytes())
    told = {
        "core:datatype": datatype,
        "core:sample_rate": rate,
        "core:num_channels": channels,
        "core:version": "1.2.0",
    }
    meta.write_text(json.dumps({"global": told, "captures": [{"core:sample_start": 0}], "annotations": []}))
    with path.open("wb") as file:
        pack(meta, data, file)
    return path


def heard(samples: int = 60_000, seed: int = 1) -> Any:
    """Keying, 20 dB over noise of power 1, in the middle of the band."""
    rng = np.random.default_rng(seed)
    keys = np.exp(0.5j * np.pi * np.repeat(rng.integers(0, 4, samples // 8 + 1), 8)[:samples])
    noise = rng.standard_normal(samples) + 1j * rng.standard_normal(samples)
    return 10 * np.convolve(keys, np.hanning(9) / 4.5, "same") + noise / 2**0.5


def pairs(signal: Any, kind: str, scale: float = 1.0) -> Any:
    both = np.stack([signal.real, signal.imag], axis=1) * scale
    if np.dtype(kind).kind == "f":
        return both.astype(kind)
    zero = 128 if kind == "u1" else 0
    span = np.iinfo(kind)
    return np.rint(both + zero).clip(span.min, span.max).astype(kind)


def copy_of(folder: Path, source: Path, number: int = 0) -> tuple[Path, Path]:
    """The form without a mark, and a recipient's copy, which is verified."""
    form, copy = folder / "form", folder / f"copy{number}"
    made = answer(Make(source=str(source), target=str(form), form=FORM, marking="TLP:GREEN"))
    assert isinstance(made, Made), made
    marked = answer(Mark(source=str(form), target=str(copy), made=made, seed=SEEDS[number]))
    assert isinstance(marked, Made), marked
    assert marked.facts == made.facts
    assert marked.sha256 == sha256(copy.read_bytes()).hexdigest() != made.sha256
    check = Verify(made=str(copy), form=FORM, marking="TLP:GREEN", expected=marked)
    assert answer(check) == Findings(found=())
    return form, copy


def read(path: Path) -> Any:
    recording = opened(path)
    return np.concatenate(list(recording.stream(0, recording.samples, 1 << 20)))


def signal_of(path: Path) -> Any:
    stored = read(path).astype(float)
    return stored[:, 0] + 1j * stored[:, 1]


def found(folder: Path, form: Path, stored: Any, datatype: str, rate: float = RATE) -> Detected:
    leak = archive(folder, "leak", stored, datatype, rate)
    said = answer(Detect(leaked=str(leak), original=str(form), seeds=SEEDS))
    assert isinstance(said, Detected), said
    return said


@pytest.mark.parametrize(
    ("datatype", "kind", "scale"),
    [("cf32_le", "<f4", 1.0), ("ci16_be", ">i2", 40.0), ("cu8", "u1", 6.0), ("cf64_le", "<f8", 1e-3)],
)
def test_it_lies_under_the_noise_and_is_found_in_a_part(
    tmp_path: Path, datatype: str, kind: str, scale: float
) -> None:
    form, copy = copy_of(tmp_path, archive(tmp_path, "a", pairs(heard(), kind, scale), datatype))
    change = signal_of(copy) - signal_of(form)
    noise = scale**2
    rounding = 0.3 if np.dtype(kind).kind != "f" else 0.0
    assert (np.abs(change) ** 2).mean() <= noise * 10 ** (-19 / 10) + rounding
    said = found(tmp_path, form, pairs(signal_of(copy)[20_000:45_000], "<f4"), "cf32_le")
    assert said.chances[0] < SURE < min(said.chances[1:])
    assert "25000 samples from sample 20000" in said.how


def test_of_real_samples_and_two_channels(tmp_path: Path) -> None:
    one, two = heard(seed=1).real, heard(seed=2).real
    stored = np.rint(np.stack([one, two], axis=1) * 100).astype("<i2")
    form, copy = copy_of(tmp_path, archive(tmp_path, "a", stored, "ri16_le", channels=2))
    leak = read(copy)[10_000:40_000, 1:]
    said = found(tmp_path, form, leak.astype("<f4"), "rf32_le")
    assert said.chances[0] < SURE < min(said.chances[1:])
    assert "of channel 1" in said.how


def test_found_after_gain_offset_shift_and_coarser_numbers(tmp_path: Path) -> None:
    form, copy = copy_of(tmp_path, archive(tmp_path, "a", pairs(heard(), "<f4"), "cf32_le"))
    signal = signal_of(copy)[5000:50_000]
    turned = signal * 0.4 * np.exp(2j * np.pi * (0.0031 * np.arange(len(signal)) + 0.2)) + 0.05
    said = found(tmp_path, form, pairs(turned, "i1", 100 / np.abs(turned).max()), "ci8")
    assert said.chances[0] < SURE < min(said.chances[1:])
    assert "0.0031 of the rate" in said.how


def test_found_after_resampling_and_noise(tmp_path: Path) -> None:
    form, copy = copy_of(tmp_path, archive(tmp_path, "a", pairs(heard(), "<f4"), "cf32_le"))
    slower = resample_poly(signal_of(copy)[5000:50_000], 3, 4)
    noise = np.random.default_rng(5).standard_normal((len(slower), 2)) @ (1, 1j)
    said = found(tmp_path, form, pairs(slower + 0.3 * noise, "<f4"), "cf32_le", RATE * 3 / 4)
    assert said.chances[0] < SURE < min(said.chances[1:])


def test_nobody_is_found_without_a_mark_or_in_another_recording(tmp_path: Path) -> None:
    form, _ = copy_of(tmp_path, archive(tmp_path, "a", pairs(heard(), "<f4"), "cf32_le"))
    assert min(found(tmp_path, form, pairs(signal_of(form), "i1", 9.0), "ci8").chances) > SURE
    assert found(tmp_path, form, pairs(heard(seed=9), "<f4"), "cf32_le").scores == ()


def test_silence_and_saturation_stay(tmp_path: Path) -> None:
    stored = pairs(heard(), "<i2", 40.0)
    stored[10_000:20_000] = 0
    stored[30_000:31_000] = 32767
    form, copy = copy_of(tmp_path, archive(tmp_path, "a", stored, "ci16_le"))
    before, after = read(form), read(copy)
    assert (after[10_001:19_999] == 0).all()
    assert (after[30_000:31_000] == 32767).all()
    assert (before != after).mean() > 0.2


def test_blocks_have_no_seam(tmp_path: Path) -> None:
    recording = opened(archive(tmp_path, "a", pairs(heard(20_000), "<f4"), "cf32_le"))
    (whole,) = recording.stream(0, 20_000, 20_000)
    rms = waves.strength(waves.floors(recording))
    parts = [(start, whole[start : start + 3000]) for start in range(0, 20_000, 3000)]
    by_parts = np.concatenate(list(waves.marked(recording, parts, SEEDS[0], rms)))
    (at_once,) = waves.marked(recording, [(0, whole)], SEEDS[0], rms)
    assert np.allclose(by_parts, at_once, atol=1e-5)


def test_pure_silence_bears_no_mark_and_metadata_alone_is_no_leak(tmp_path: Path) -> None:
    source, form = archive(tmp_path, "a", np.zeros((9000, 2), "<f4"), "cf32_le"), tmp_path / "form"
    made = answer(Make(source=str(source), target=str(form), form=FORM, marking=""))
    assert isinstance(made, Made)
    said = answer(Mark(source=str(form), target=str(tmp_path / "copy"), made=made, seed=SEEDS[0]))
    assert isinstance(said, Failed)
    assert "no noise" in said.reason
    short = archive(tmp_path, "b", np.ones((10, 2), "<f4"), "cf32_le")
    refused = answer(Detect(leaked=str(short), original=str(form), seeds=SEEDS))
    assert isinstance(refused, Failed)
