"""Sanitized forms of pictures and recordings, as a manifest declares them; the most telling first.

[forms.coarse]
kind = "imagery"
gsd_m = 10                  # no sharper than 10 m; 0 or nothing: as it is
area = { west = 20.0, south = 40.0, east = 30.0, north = 50.0 }   # only what lies in it
bits = 8                    # or 16
time = "day"                # "exact", "hour", "day" (if not given), "month", "none"
delay_h = 24                # it goes so many hours after it was taken
marking = "SECRET//REL TO USA, GBR"   # of this form; else that of the product
sanitizer = "fog/1"         # made by this plug-in, in this version; else by the node itself

[forms.narrow]
kind = "signal"
samples = true              # false: the metadata alone
annotated = true            # only from the first annotated sample to the last
bandwidth_hz = 25000
position_deg = 1.0          # the receiver's position on a grid; not given: not told
# time, delay_h, marking and sanitizer as above
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tearline.terms import BadInput, Box, Grain, ImageryForm, MediaForm, SignalForm

MOST_FORMS = 32
"""Of one manifest."""

_KINDS: dict[str, type[ImageryForm | SignalForm]] = {"imagery": ImageryForm, "signal": SignalForm}
_RANGES: dict[str, tuple[float, float]] = {
    "gsd_m": (0, 100_000),
    "delay_h": (0, 10 * 366 * 24),
    "bandwidth_hz": (1, 1e12),
    "position_deg": (0.001, 90),
}
_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SANITIZER = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*/[0-9A-Za-z][0-9A-Za-z.+-]*", re.ASCII)
_LONGEST = 64
"""Characters of name and version of a sanitizer."""
_TIMES = {
    Grain.EXACT: "the exact time",
    Grain.HOUR: "the hour",
    Grain.DAY: "the day",
    Grain.MONTH: "the month",
    Grain.NONE: "no time",
}


def read(where: str, tables: Mapping[str, Mapping[str, Any]]) -> tuple[MediaForm, ...]:
    """The forms of a manifest, in its order. Raises `BadInput`, which names form and field."""
    if len(tables) > MOST_FORMS:
        raise BadInput(where, "forms", f"there are more than {MOST_FORMS}", "use fewer")
    return tuple(_form(where, name, fields) for name, fields in tables.items())


def in_words(form: MediaForm) -> str:
    """ "imagery: no sharper than 10 m, with the day"."""
    kind = "imagery" if isinstance(form, ImageryForm) else "recordings"
    return f"{kind}: {', '.join(_parts(form))}"


def _form(where: str, name: str, fields: Mapping[str, Any]) -> MediaForm:
    place = f"forms.{name}"
    if not _KEBAB.fullmatch(name):
        raise BadInput(where, place, "its name is not in kebab-case", "write [forms.coarse-day]")
    kind = _KINDS.get(str(fields.get("kind")))
    if kind is None:
        raise BadInput(where, f"{place}.kind", "it says no kind", 'write kind = "imagery" or kind = "signal"')
    known = [field for field in kind.__struct_fields__ if field != "name"]
    for field in fields.keys() - {"kind", *known}:
        raise BadInput(where, f"{place}.{field}", "such forms have none", f"use {', '.join(known)}")
    try:
        form = msgspec.convert({**fields, "type": fields["kind"], "name": name}, kind)
    except msgspec.ValidationError as error:
        reason, _, at = str(error).partition(" - at `$")
        raise BadInput(
            where,
            place + at.rstrip("`"),
            f"{reason[:1].lower()}{reason[1:]}",
            "see docs/agreement-profile.md",
        ) from None
    for field, (low, high) in _RANGES.items():
        value = getattr(form, field, None)
        if value is not None and not low <= value <= high:  # what is no number is in no range
            raise BadInput(where, f"{place}.{field}", "it is out of range", f"write {low:g} to {high:g}")
    if form.sanitizer and not (len(form.sanitizer) <= _LONGEST and _SANITIZER.fullmatch(form.sanitizer)):
        place += ".sanitizer"
        raise BadInput(where, place, "it is no name with a version", 'write sanitizer = "fog/1"')
    if isinstance(form, ImageryForm) and form.area is not None:
        _must_be_area(where, f"{place}.area", form.area, fields["area"])
    return form


def _must_be_area(where: str, place: str, box: Box, fields: Mapping[str, Any]) -> None:
    if fields.keys() != set(Box.__struct_fields__) or not (
        -180 <= box.west < box.east <= 180 and -90 <= box.south < box.north <= 90
    ):
        raise BadInput(
            where,
            place,
            "it is no area on the earth",
            "write { west = 20.0, south = 40.0, east = 30.0, north = 50.0 }, in degrees",
        )


def _parts(form: MediaForm) -> Iterator[str]:
    if isinstance(form, ImageryForm):
        yield f"no sharper than {form.gsd_m:g} m" if form.gsd_m else "as sharp as it is"
        if box := form.area:
            yield f"only from {box.west:g} to {box.east:g} east and {box.south:g} to {box.north:g} north"
        if form.bits:
            yield f"{form.bits} bits a sample"
    else:
        yield (
            "the metadata alone" if not form.samples else "annotated span" if form.annotated else "all of it"
        )
        if form.samples and form.bandwidth_hz:
            yield f"{form.bandwidth_hz:g} Hz wide"
        yield f"position on a grid of {form.position_deg:g}°" if form.position_deg else "no position"
    yield f"with {_TIMES[form.time]}"
    if form.delay_h:
        yield f"{form.delay_h} hours after it was taken"
    if form.marking:
        yield f"own ones marked {form.marking}"
    if form.sanitizer:
        yield f"made by {form.sanitizer}"
