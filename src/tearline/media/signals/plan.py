"""What a form of a recording holds: which samples, and metadata built anew from an allow-list.

Pure: nothing here reads a sample. What is not written down here does not go: no hardware, author, recorder,
serial or offset, no free text, no field of an extension.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec

from tearline.media.signals.channel import smooth
from tearline.media.signals.metadata import VERSION, YEARS, Annotation, Capture, moment
from tearline.media.signals.recording import Recording
from tearline.terms import BadInput, Grain, Position, Signal, SignalForm


class Run(msgspec.Struct, frozen=True):
    """Samples of one tuning without a gap, which are filtered together."""

    start: int
    """In the recording."""
    samples: int
    out: int
    """Where it starts in the form."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    metadata: dict[str, Any]
    """All but the hash of the dataset."""
    factor: int
    runs: list[Run]
    facts: Signal
    did: tuple[str, ...]


def plan(recording: Recording, form: SignalForm, marking: str, taken: datetime | None) -> Plan:
    """How `form` is made of `recording`.

    Raises:
        BadInput: the form cannot be made of it, or nothing would be left.
    """
    if form.samples and recording.data is None:
        raise BadInput(recording.where, "", "is metadata alone, and the form has samples")
    factor, rate = _factor(recording, form), recording.metadata.global_.sample_rate
    rate_out = rate / factor if rate else None
    notes = [told for note in recording.metadata.annotations if (told := _in_band(recording, note, rate_out))]
    first, last = _span(recording, form, notes)
    runs = _runs(recording, first, last, factor)
    if not runs:
        raise BadInput(recording.where, "", "nothing of it is left in this form")
    captures = _captures(recording, runs, factor, form.time, taken)
    place = _place(recording.position(), form.position_deg, recording.where)
    if place:
        point = {"type": "Point", "coordinates": [place.longitude, place.latitude]}
        captures[0]["core:geolocation"] = point
    annotations = _annotations(recording, notes, runs, factor)
    total = runs[-1].out + runs[-1].samples if form.samples else 0
    when = captures[0].get("core:datetime")
    facts = Signal(
        datatype=recording.format.name,
        channels=recording.channels,
        samples=total,
        sample_rate_hz=rate_out,
        centre_hz=captures[0].get("core:frequency"),
        position=place,
        taken=moment(when, recording.where) if when else None,
        annotations=len(annotations),
    )
    return Plan(
        metadata={"global": _heading(facts, form, marking), "captures": captures, "annotations": annotations},
        factor=factor,
        runs=runs,
        facts=facts,
        did=_did(recording, form, facts, factor),
    )


def floor(time: datetime, grain: Grain) -> datetime:
    """The begin of the hour, day or month in which it lies."""
    if grain is Grain.EXACT:
        return time
    time = time.replace(minute=0, second=0, microsecond=0)
    if grain is Grain.HOUR:
        return time
    return time.replace(hour=0, day=time.day if grain is Grain.DAY else 1)


def _heading(facts: Signal, form: SignalForm, marking: str) -> dict[str, Any]:
    heading: dict[str, Any] = {
        "core:datatype": facts.datatype,
        "core:version": VERSION,
        "core:num_channels": facts.channels,
    }
    if facts.sample_rate_hz is not None:
        heading["core:sample_rate"] = facts.sample_rate_hz
    if marking:
        heading["core:description"] = marking
    if not form.samples:
        heading["core:metadata_only"] = True
    return heading


def _factor(recording: Recording, form: SignalForm) -> int:
    """By what the samples are decimated, so that no more than the form's bandwidth can be in them."""
    if form.bandwidth_hz is None:
        return 1
    rate = recording.metadata.global_.sample_rate
    if rate is None:
        raise BadInput(
            recording.where, "core:sample_rate", "is not stated, and the form limits the bandwidth"
        )
    least = rate / form.bandwidth_hz if form.bandwidth_hz > 0 else math.inf
    if not math.isfinite(least):
        raise BadInput(recording.where, "", "the form has a bandwidth of nothing")
    return smooth(least if recording.format.is_complex else least / 2)


def _in_band(recording: Recording, note: Annotation, rate: float | None) -> Annotation | None:
    """The annotation with its band clipped to what the form holds; `None` if it lies outside.

    Edges are at radio frequency if the tuning is known, else around zero (SigMF 1.2, "Annotations Array").
    """
    if note.freq_lower_edge is None or note.freq_upper_edge is None:
        return note
    if rate is None:
        return msgspec.structs.replace(note, freq_lower_edge=None, freq_upper_edge=None)
    captures = recording.captures
    number = bisect_right(captures, note.sample_start, key=lambda capture: capture.sample_start) - 1
    capture = captures[max(0, number)]
    for centre in (capture.frequency or 0.0, 0.0):
        lower = max(note.freq_lower_edge, centre - rate / 2)
        upper = min(note.freq_upper_edge, centre + rate / 2)
        if lower <= upper:
            return msgspec.structs.replace(note, freq_lower_edge=lower, freq_upper_edge=upper)
    return None


def _span(recording: Recording, form: SignalForm, notes: list[Annotation]) -> tuple[int, int]:
    """The samples that may go: all, or from the first to the last that an annotation in the band is about."""
    ends = [recording.index(note.sample_start) + (note.sample_count or 0) for note in notes]
    extent = recording.samples
    if recording.data is None:
        extent = max(
            [1, *ends, *(recording.index(capture.sample_start) + 1 for capture in recording.captures)]
        )
    if not form.annotated:
        return 0, extent
    if not notes:
        raise BadInput(
            recording.where, "annotations", "there are none in the band, and the form is cut to them"
        )
    if any(note.sample_count is None for note in notes):
        ends.append(extent)
    return recording.index(notes[0].sample_start), max(ends)


def _runs(recording: Recording, first: int, last: int, factor: int) -> list[Run]:
    """Cut on the grid of `factor` that begins with the dataset, inwards: nothing beyond the cut is told."""
    captures = recording.captures
    breaks = [
        recording.index(new.sample_start)
        for old, new in pairwise(captures)
        if old.frequency != new.frequency or _lost(old) != _lost(new)
    ]
    runs: list[Run] = []
    out = 0
    for begin, end in pairwise([0, *breaks, last]):
        start = -(-max(begin, first) // factor) * factor
        samples = (min(end, last) - start) // factor
        if samples > 0:
            runs.append(Run(start, samples, out))
            out += samples
    return runs


def _lost(capture: Capture) -> int:
    """How many samples of the original stream are missing before it (SigMF 1.2, `core:global_index`)."""
    return 0 if capture.global_index is None else capture.global_index - capture.sample_start


def _index(runs: list[Run], factor: int, sample: int, *, up: bool) -> int:
    """Where a sample of the recording, or the end before it, stands in the form."""
    number = bisect_right(runs, sample, key=lambda run: run.start) - 1
    if number < 0:
        return 0
    run = runs[number]
    steps = -((run.start - sample) // factor) if up else (sample - run.start) // factor
    return run.out + min(run.samples, steps)


def _captures(
    recording: Recording, runs: list[Run], factor: int, grain: Grain, taken: datetime | None
) -> list[dict[str, Any]]:
    """One for each run, and for each capture that begins in one. Times move together: intervals stay."""
    sources = recording.captures
    starts = [recording.index(source.sample_start) for source in sources]
    rate = recording.metadata.global_.sample_rate
    found: dict[int, dict[str, Any]] = {}
    base: tuple[datetime, datetime] | None = None
    for run in runs:
        found[run.out] = {"core:sample_start": run.out}
        end = run.start + run.samples * factor
        for number in range(max(0, bisect_right(starts, run.start) - 1), len(sources)):
            if starts[number] >= end:
                break
            at = _index([run], factor, starts[number], up=False) if starts[number] > run.start else run.out
            capture: dict[str, Any] = {"core:sample_start": at}
            if (frequency := sources[number].frequency) is not None:
                capture["core:frequency"] = round(frequency)
            text = sources[number].datetime
            known = moment(text, recording.where) if text else (taken if starts[number] == 0 else None)
            later = run.start + (at - run.out) * factor - starts[number]
            time = _later(known, later, rate, recording.where)
            if time is not None and grain is not Grain.NONE:
                base = base or (time, floor(time, grain))
                capture["core:datetime"] = _written(base[1] + (time - base[0]))
            found[at] = capture
    return [found[at] for at in sorted(found)]


def _later(time: datetime | None, samples: int, rate: float | None, where: str) -> datetime | None:
    if time is None or (samples and rate is None):
        return None
    try:
        found = time.astimezone(UTC) + timedelta(seconds=samples / rate if rate else 0)
    except OverflowError:
        found = datetime.max.replace(tzinfo=UTC)
    if found.year not in YEARS:
        raise BadInput(where, "core:datetime", "is too far from its samples for a time that can be written")
    return found


def _written(time: datetime) -> str:
    return time.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _annotations(
    recording: Recording, notes: list[Annotation], runs: list[Run], factor: int
) -> list[dict[str, Any]]:
    """Where something is, and in which band: what it is called stays here."""
    total = runs[-1].out + runs[-1].samples
    found = []
    for note in notes:
        first = recording.index(note.sample_start)
        start = _index(runs, factor, first, up=False)
        told: dict[str, Any] = {"core:sample_start": start}
        if note.sample_count is not None:
            end = _index(runs, factor, first + note.sample_count, up=True)
            told["core:sample_count"] = end - start
        if start >= total or (note.sample_count and not told["core:sample_count"]):
            continue
        if note.freq_lower_edge is not None and note.freq_upper_edge is not None:
            told["core:freq_lower_edge"] = round(note.freq_lower_edge)
            told["core:freq_upper_edge"] = round(note.freq_upper_edge)
        found.append(told)
    return found


def _place(exact: Position | None, grid: float | None, where: str) -> Position | None:
    """The centre of the cell of the grid in which it lies."""
    if exact is None or grid is None:
        return None
    if not 0 <= grid <= 90:
        raise BadInput(where, "", "the form has a grid that no position can be put on")

    def centre(degrees: float, most: float) -> float:
        if grid == 0:
            return degrees
        return round(min(most, max(-most, (math.floor(degrees / grid) + 0.5) * grid)), 9)

    return Position(latitude=centre(exact.latitude, 90.0), longitude=centre(exact.longitude, 180.0))


def _did(recording: Recording, form: SignalForm, facts: Signal, factor: int) -> tuple[str, ...]:
    """For officers: what was done."""
    said = ["Metadata was built anew from an allow-list, without free text, hardware, persons or extensions."]
    if not form.samples:
        said.append("No samples go.")
    elif factor > 1:
        said.append(f"Filtered to {facts.sample_rate_hz or 0:g} samples a second, one for {factor}.")
    if form.annotated:
        said.append("Cut to the span from the first annotated sample to the last.")
    if form.samples:
        said.append(f"{facts.samples} samples of {recording.samples} go.")
    said.append(
        "No position is told."
        if facts.position is None
        else f"The position is told on a grid of {form.position_deg:g} degrees."
    )
    said.append(
        "No time is told."
        if facts.taken is None
        else f"The time is told by {form.time.value}; intervals stay."
    )
    return tuple(said)
