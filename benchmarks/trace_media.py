"""How surely a leaked picture or recording names its recipient, and what an innocent risks.

    python benchmarks/trace_media.py --size quick
    python benchmarks/trace_media.py --markdown

Scenes: crops of GeoTIFFs, where there are any (`--scenes FOLDER`, and ../shared/data/media), and made ones:
1/f texture of several slopes, fields with edges, sensor noise, 8 to 12 bits; among them some that show nearly
nothing. What is counted as found: the true recipient's bound times 64 recipients is at most 1e-6, and nobody
else's is.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
from PIL import Image
from rasterio.transform import from_origin
from scipy.ndimage import rotate, zoom

from tearline.media import Detect, Detected, Made, Make, Mark
from tearline.media.__main__ import answer
from tearline.media.marks import pattern
from tearline.media.marks.compare import hefts, rest, scores
from tearline.media.marks.keyed import chance
from tearline.media.signals import pack
from tearline.media.signals.recording import opened
from tearline.terms import ImageryForm, SignalForm

RECIPIENTS = 64
FALSE_ALARM = 1e-6
SIDE = 512
SEEDS = tuple(sha256(b"recipient %d" % number).digest() for number in range(RECIPIENTS))
SHARED = Path(__file__).parents[1] / ".." / "shared" / "data" / "media"
Row = tuple[str, str]


def fractal(size: int, slope: float, dice: Any) -> Any:
    f = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None])
    f[0, 0] = 1.0
    data = np.fft.ifft2(np.fft.fft2(dice.standard_normal((size, size))) / f**slope).real
    return (data - data.mean()) / data.std()


def made_scene(number: int) -> Any:
    """(1, row, column), uint16; every fourth uint8, every fifth with hardly any texture."""
    dice = np.random.default_rng(number)
    flat = number % 5 == 4
    ground = fractal(SIDE, (1.0, 1.2, 1.5, 1.8)[number % 4], dice)
    fields = np.digitize(fractal(SIDE, 1.7, dice), (-0.8, 0.0, 0.7)) * (0.0 if flat else 0.7)
    lines = (np.abs(fractal(SIDE, 1.8, dice)) < 0.02) * (0.0 if flat else 1.0)
    data = (0.15 if flat else 1.0) * ground + fields + lines
    data = data + dice.standard_normal(data.shape) * (0.02, 0.05, 0.01)[number % 3]
    data = (data - data.min()) / np.ptp(data)
    if number % 4 == 3:
        return np.rint(20 + (60 if flat else 200) * data).astype(np.uint8)[None]
    return np.rint(200 + (250, 900, 1800, 3500)[number % 4] * data).astype(np.uint16)[None]


def real_scenes(folder: Path | None) -> Iterator[tuple[str, Any]]:
    """Crops of real pictures of at least `SIDE`; of smaller ones that which there is."""
    paths = sorted(SHARED.glob("*.tif")) + (sorted(folder.rglob("*.tif")) if folder else [])
    for path in paths:
        with rasterio.open(path) as file:
            data = file.read()
            sound = file.dataset_mask() > 0
        if min(data.shape[1:]) < 256 or data.dtype.kind == "f":
            continue
        height, width = data.shape[1:]
        for top, left in {(0, 0), (max(0, height - SIDE), max(0, width - SIDE))}:
            part = np.s_[top : top + SIDE, left : left + SIDE]
            if sound[part].mean() > 0.6:
                yield f"{path.stem} {top},{left}", data[:, *part]


def screen(data: Any, low: float = 0.5, high: float = 99.5, gamma: float = 1.0) -> Any:
    """(row, column) or (row, column, 3), 8 bits, stretched."""
    data = np.asarray(data, float)
    data = data[:3].transpose(1, 2, 0) if len(data) >= 3 else data[0]
    first, last = np.percentile(data, (low, high))
    return np.rint(255 * ((data - first) / (last - first)).clip(0, 1) ** gamma).astype(np.uint8)


def packed(data: Any, kind: str = "PNG", **how: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(data).save(file, kind, **how)
    return file.getvalue()


def cut(data: Any, share: float, dice: Any) -> Any:
    height, width = (int(side * share**0.5) for side in data.shape[:2])
    top, left = dice.integers(0, data.shape[0] - height + 1), dice.integers(0, data.shape[1] - width + 1)
    return data[top : top + height, left : left + width]


def turned(data: Any, degrees: float, scale: float) -> Any:
    more = (1,) * (data.ndim - 2)
    done = rotate(data.astype(float), degrees, reshape=False, order=3)
    edge = int(0.045 * len(done))
    done = zoom(done[edge:-edge, edge:-edge], (scale, scale, *more), order=3)
    return np.rint(done.clip(0, 255)).astype(np.uint8)


def smaller(data: Any, scale: float) -> Any:
    picture = Image.fromarray(data)
    size = int(picture.width * scale), int(picture.height * scale)
    return np.asarray(picture.resize(size, Image.Resampling.BICUBIC))


def attacks(copies: list[Any], dice: Any) -> Iterator[tuple[str, bytes, int]]:
    """What the holders of `copies` publish: a name, the file, and how many of them are in it."""
    one = copies[0]
    yield "JPEG q50 + 50 % crop", packed(cut(screen(one), 0.5, dice), "JPEG", quality=50), 1
    half = cut(turned(screen(one), 2.5, 0.83), 0.75, dice)
    yield "turned 2.5°, scaled 0.83, 25 % off, JPEG q60", packed(half, "JPEG", quality=60), 1
    shot = smaller(screen(one, 2, 98, 0.8), 0.7)
    yield "screenshot: stretched, gamma 0.8, scaled 0.7, PNG", packed(shot), 1
    yield "5 bits", packed(screen(one) & 0xF8), 1
    mean = np.mean(copies, axis=0)
    yield "mean of four copies, 8 bits", packed(screen(mean)), 4
    yield (
        "mean of four copies, JPEG q50 + 50 % crop",
        packed(cut(screen(mean), 0.5, dice), "JPEG", quality=50),
        4,
    )
    pushed = 2.0 * copies[0] - copies[1]
    yield "copy plus its difference to another's, JPEG q75", packed(screen(pushed), "JPEG", quality=75), 1


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def copies(self, scene: Any) -> tuple[Path, list[Any], float]:
        """The form without a mark, four recipients' copies, and the worst PSNR of the first."""
        source, form = self.folder / "source.tif", self.folder / "form.tif"
        bands, height, width = scene.shape
        profile = {"driver": "GTiff", "width": width, "height": height, "count": bands, "dtype": scene.dtype}
        place = {"crs": "EPSG:32636", "transform": from_origin(500_000, 5_500_000, 2, 2)}
        with rasterio.open(source, "w", **profile, **place) as file:
            file.write(scene)
        made = answer(Make(source=str(source), target=str(form), form=ImageryForm(name="f"), marking=""))
        assert isinstance(made, Made), made
        found = []
        for seed in SEEDS[:4]:
            copy = self.folder / "copy.tif"
            marked = answer(Mark(source=str(form), target=str(copy), made=made, seed=seed))
            assert isinstance(marked, Made), marked
            with rasterio.open(copy) as file:
                found.append(file.read().astype(float))
        error = ((found[0] - scene) ** 2).mean(axis=(1, 2))
        span = np.subtract(*np.percentile(scene.astype(float), (99.5, 0.5), axis=(1, 2)))
        return form, found, float((10 * np.log10(span**2 / error)).min())

    def detect(self, leak: bytes, form: Path) -> Detected:
        path = self.folder / "leak"
        path.write_bytes(leak)
        said = answer(Detect(leaked=str(path), original=str(form), seeds=SEEDS))
        assert isinstance(said, Detected), said
        return said


def named(said: Detected) -> set[int]:
    return {number for number, each in enumerate(said.chances) if each * RECIPIENTS <= FALSE_ALARM}


def pictures(count: int, folder: Path | None) -> Iterator[Row]:
    """A row for each attack."""
    scenes = list(real_scenes(folder))[:count]
    real = len(scenes)
    scenes += [(f"made {number}", made_scene(number)) for number in range(count - real)]
    found: dict[str, list[tuple[int, int, bool, float]]] = {}
    sharp: dict[str, list[float]] = {}
    innocent: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        bench = Bench(Path(place))
        for number, (name, scene) in enumerate(scenes):
            print(f"{number + 1} of {len(scenes)}: {name} {scene.dtype}", file=sys.stderr, flush=True)
            form, copies, psnr = bench.copies(scene)
            sharp.setdefault(str(scene.dtype), []).append(psnr)
            for attack, leak, guilty in attacks(copies, np.random.default_rng(number)):
                said = bench.detect(leak, form)
                who = named(said)
                least = min(said.scores[:guilty], default=0.0)
                wrong = bool(who - set(range(4)))
                found.setdefault(attack, []).append((guilty, len(who & set(range(guilty))), wrong, least))
                innocent += said.scores[4:]
    for attack, each in found.items():
        some, all_ = (sum(hit >= need for need, hit in pairs) for pairs in _needs(each))
        least = sorted(score for *_, score in each)
        told = f"{some} of {len(each)}" + (f" (all four: {all_})" if each[0][0] > 1 else "")
        wrong = sum(wrong for _, _, wrong, _ in each)
        told += f"; innocent named: {wrong}; score at least {least[0]:.1f}"
        yield attack, f"{told}, median {least[len(least) // 2]:.1f}"
    for kind, values in sorted(sharp.items()):
        yield f"PSNR, {kind}, {len(values)} scenes", f"{min(values):.2f} to {max(values):.2f} dB of the span"
    yield "scenes", f"{real} real, {len(scenes) - real} made"
    yield "largest score of an innocent", f"{max(innocent):.2f} of {len(innocent)}"


def _needs(each: list[tuple[int, int, bool, float]]) -> Iterator[list[tuple[int, int]]]:
    yield [(1, hit) for _, hit, *_ in each]
    yield [(guilty, hit) for guilty, hit, *_ in each]


def calibration(seeds: int) -> Iterator[Row]:
    """Scores of many seeds that had nothing to do with it, against the normal tail and the bound."""
    data = np.rint(screen(made_scene(1)) / 1.0).astype(np.float32)[None]
    leak = np.asarray(Image.open(io.BytesIO(packed(screen(made_scene(1)), "JPEG", quality=50))), np.float32)
    part = np.s_[:128, :128]
    inside = np.ones((128, 128), bool)
    weighed = hefts(rest(data[:, *part], leak[part], inside), np.ones((128, 128), np.float32), inside)
    tried = (sha256(b"innocent %d" % number).digest() for number in range(seeds))
    z = np.array(list(scores(weighed, (0, 0), tried)))
    yield f"innocents: {seeds} seeds, mean and deviation", f"{z.mean():.4f}, {z.std():.4f} (0 and 1 are due)"
    for at in (2.0, 3.0, 3.7):
        normal = math.erfc(at / math.sqrt(2)) / 2
        yield (
            f"innocents over {at}",
            f"{(z > at).mean():.2e} (normal tail {normal:.2e}, bound {chance(at):.2e})",
        )


def estimated(scenes: int) -> Iterator[Row]:
    """Average the marks of many scenes of one partner, even if it had the originals: what does that give?"""
    size, total, own = 256, np.zeros((256, 256), np.float32), []
    for number in range(scenes):
        seed = sha256(b"product %d, partner" % number).digest()
        mark = pattern.smooth(pattern.field(seed, 0, size, 0, size))
        own.append(mark)
        total += mark / scenes
    alike = [float(np.corrcoef(total.ravel(), mark.ravel())[0, 1]) for mark in own]
    new = pattern.smooth(pattern.field(sha256(b"product new, partner").digest(), 0, size, 0, size))
    fresh = float(np.corrcoef(total.ravel(), new.ravel())[0, 1])
    yield (
        f"mean of {scenes} marks of one partner, correlation with the mark of its next copy",
        f"{fresh:+.4f} (with each of its own: {np.mean(alike):.3f})",
    )


def speed(side: int) -> Iterator[Row]:
    class Rows:
        width = height = side
        rows = 256

        def read(self, top: int, bottom: int) -> tuple[Any, Any]:
            return data[:, top:bottom], np.ones((bottom - top, side), bool)

    data = np.random.default_rng(1).integers(0, 4000, (1, side, side)).astype(np.uint16)
    start = time.process_time()
    usual = pattern.levels(Rows())
    for _ in pattern.strips(Rows(), usual, SEEDS[0]):
        pass
    seconds = time.process_time() - start
    yield "marking a picture of 16 bits", f"{seconds / (data.nbytes / 1e6) * 1000:.0f} ms of processor a MB"


# --- Recordings ------------------------------------------------------------------------------------


def heard(samples: int, dice: Any, snr_db: float) -> Any:
    keys = np.exp(0.5j * np.pi * np.repeat(dice.integers(0, 4, samples // 8 + 1), 8)[:samples])
    noise = dice.standard_normal(samples) + 1j * dice.standard_normal(samples)
    return 10 ** (snr_db / 20) * np.convolve(keys, np.hanning(9) / 4.5, "same") + noise / 2**0.5


def archive(folder: Path, stored: Any, datatype: str) -> Path:
    data, meta, path = (folder / f"recording{end}" for end in (".sigmf-data", ".sigmf-meta", ".sigmf"))
    data.write_bytes(stored.tobytes())
    told = {"core:datatype": datatype, "core:sample_rate": 48000.0, "core:version": "1.2.0"}
    meta.write_text(json.dumps({"global": told, "captures": [{"core:sample_start": 0}], "annotations": []}))
    with path.open("wb") as file:
        pack(meta, data, file)
    return path


def pairs(signal: Any, kind: str = "<f4") -> Any:
    both = np.stack([signal.real, signal.imag], axis=1)
    return both.astype(kind) if kind[-2] == "f" else np.rint(both).clip(-128, 127).astype(kind)


def recordings(lengths: tuple[int, ...], times: int) -> Iterator[Row]:
    """Found, by length and by what was done; added noise is told against the recording's own."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for length in lengths:
            found: dict[str, list[tuple[float, bool]]] = {}
            for number in range(times):
                dice = np.random.default_rng(number)
                source = archive(folder, pairs(heard(2 * length, dice, 20.0)), "cf32_le")
                form, copy = folder / "form", folder / "copy"
                made = answer(
                    Make(source=str(source), target=str(form), form=SignalForm(name="f"), marking="")
                )
                assert isinstance(made, Made), made
                marked = answer(Mark(source=str(form), target=str(copy), made=made, seed=SEEDS[0]))
                assert isinstance(marked, Made), marked
                recording = opened(copy)
                stored = np.concatenate(list(recording.stream(0, recording.samples, 1 << 20)))
                part = (stored[:, 0] + 1j * stored[:, 1])[length // 2 : length // 2 + length]
                for name, done in _changes(dice):
                    leak = archive(folder, *done(part))
                    said = answer(Detect(leaked=str(leak), original=str(form), seeds=SEEDS))
                    assert isinstance(said, Detected), said
                    found.setdefault(name, []).append((max(said.scores[:1], default=0.0), named(said) == {0}))
            for name, each in found.items():
                least = min(score for score, _ in each)
                yield (
                    f"{name}, {length} samples",
                    f"{sum(hit for _, hit in each)} of {times}; score at least {least:.1f}",
                )


def _changes(dice: Any) -> list[tuple[str, Callable[[Any], tuple[Any, str]]]]:
    def noisy(level_db: float) -> Callable[[Any], tuple[Any, str]]:
        def add(part: Any) -> tuple[Any, str]:
            noise = (dice.standard_normal(len(part)) + 1j * dice.standard_normal(len(part))) / 2**0.5
            return pairs(part + 10 ** (level_db / 20) * noise), "cf32_le"

        return add

    def shifted(part: Any) -> tuple[Any, str]:
        turned_ = part * np.exp(2j * np.pi * 0.0021 * np.arange(len(part)))
        return pairs(turned_ * (120 / np.abs(turned_).max()), "|i1"), "ci8"

    return [
        ("half cut off, gain, 0.0021 of the rate higher, ci8", shifted),
        ("noise as strong as its own", noisy(0.0)),
        ("noise 10 dB over its own", noisy(10.0)),
    ]


class Size(NamedTuple):
    """How many of each; recordings by their samples, and so many of each; a side in pixels."""

    scenes: int
    innocents: int
    estimates: int
    samples: tuple[int, ...]
    recordings: int
    side: int


SIZES = {
    "full": Size(24, 100_000, 200, (8_192, 32_768, 131_072), 5, 3072),
    "short": Size(6, 20_000, 50, (8_192, 32_768, 131_072), 2, 2048),
    "quick": Size(2, 2_000, 20, (16_384,), 1, 1024),
}


def table(*, size: str = "full", scenes: Path | None = None) -> list[Row]:
    """All rows: what, and how good."""
    asked = SIZES[size]
    rows = list(pictures(asked.scenes, scenes))
    rows += calibration(asked.innocents)
    rows += estimated(asked.estimates)
    rows += recordings(asked.samples, asked.recordings)
    rows += speed(asked.side)
    return rows


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--size", choices=SIZES, default="full", help="quick: a few scenes, half a minute")
    asked.add_argument("--markdown", action="store_true")
    asked.add_argument("--scenes", type=Path, help="a folder with GeoTIFFs")
    chosen = asked.parse_args()
    start = time.process_time()
    rows = table(size=chosen.size, scenes=chosen.scenes)
    rows.append(("processor time of this run", f"{time.process_time() - start:.0f} s"))
    if chosen.markdown:
        print("| what | how good |\n|---|---|")
    for what, good in rows:
        print(f"| {what} | {good} |" if chosen.markdown else f"{what:62} {good}")


if __name__ == "__main__":
    main()
