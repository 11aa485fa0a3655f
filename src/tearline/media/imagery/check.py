"""Reads a finished form with parsers that did not make it, measures it, and reports what it should not be.

GeoTIFF: every tag by tifffile; NITF: every field by jbpy; both again by GDAL. What is not expected by name is
a finding, whatever it holds; so is a byte of the file that no tag, field or tile accounts for.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from tearline.media import Findings, Verify
from tearline.media.imagery import nitf_file, tiff
from tearline.media.imagery.grid import is_common
from tearline.media.imagery.make import hashed
from tearline.media.imagery.nitf import Headers
from tearline.media.imagery.opened import MEDIA_TYPES, facts_of, format_of, opened, place_of
from tearline.media.imagery.picture import instant, told
from tearline.media.imagery.security import WIDTHS, Unwritable, fields_of
from tearline.media.imagery.tags import SAMPLES, reopened
from tearline.terms import BadInput, Box, Imagery, ImageryForm

_PLACE = 1e-4
"""Degrees, about 10 m: how far GDAL's reading of the place may lie from ours for a GeoTIFF."""
_SECOND = 1 / 3600
"""The same for NITF, whose fields tell seconds of arc or metres."""
_TURN = 0.05
"""Of a picture's sides: how far a form may lie beyond it, for maps are turned against each other by that."""


def check(request: Verify) -> Findings:
    """Total for files: one that cannot be read is a finding too."""
    path, facts = Path(request.made), request.expected.facts
    if not isinstance(facts, Imagery):
        return Findings(found=("the form is not one of a picture",))
    found: list[str] = []
    try:
        if hashed(path) != (request.expected.sha256, request.expected.size):
            found.append("its hash or size is not that of the file that was made")
        kind = format_of(path)
        if kind != facts.format or MEDIA_TYPES[kind] != request.expected.media_type:
            found.append(f"it is {kind}, not {facts.format}")
        with opened(path) as dataset:
            seen, place = facts_of(dataset, kind), place_of(dataset)
            found += _facts(seen, facts)
        if isinstance(request.form, ImageryForm):
            found += _size(seen, facts, place)
            found += _form(request, request.form, facts)
            if isinstance(request.of, Imagery):
                found += _against(request.of, facts, request.form, place)
            found += _geotiff(path, request, facts) if kind == "geotiff" else _nitf(path, request, facts)
        elif request.form is None:
            found += _marking(Headers(path), request.marking)
        else:
            found.append("the form is not one of a picture")
    except BadInput as error:
        found.append(f"it cannot be read again: {error.reason}")
    return Findings(found=tuple(found))


def _facts(seen: Imagery, told_: Imagery) -> Iterator[str]:
    """What GDAL reads against what was told of the form."""
    for name in ("width", "height", "bands", "dtype"):
        if getattr(seen, name) != getattr(told_, name):
            yield f"its {name} is {getattr(seen, name)}, not {getattr(told_, name)}"
    if (seen.box is None) != (told_.box is None):
        yield "it has a place on the earth, or has none, against what was told"
    elif seen.box and told_.box:
        near = _PLACE if told_.format == "geotiff" else _SECOND
        if any(abs(a - b) > near for a, b in zip(_sides(seen.box), _sides(told_.box), strict=True)):
            yield "it lies elsewhere than was told"


def _size(seen: Imagery, told_: Imagery, place: tuple[Any, Any] | None) -> Iterator[str]:
    """The size of its pixels: a NITF tells where its corners are to a metre, or to a second of arc."""
    if seen.gsd_m is None or told_.gsd_m is None:
        if seen.gsd_m != told_.gsd_m:
            yield "the size of its pixels is not what was told"
        return
    step = 0.0 if seen.format == "geotiff" else 1.5 if place and place[0].is_projected else 45.0
    if not abs(seen.gsd_m - told_.gsd_m) <= 1e-3 * told_.gsd_m + step / max(
        1, min(seen.width, seen.height) - 1
    ):
        yield "the size of its pixels is not what was told"


def _against(of: Imagery, facts: Imagery, form: ImageryForm, place: tuple[Any, Any] | None) -> Iterator[str]:
    """The form against the picture of which it was made: samples that are said to be larger than they are
    would reach beyond it."""
    if (of.format == "nitf") is not (facts.format == "nitf"):
        yield f"a {of.format} has no form that is {facts.format}"
    if facts.bands > of.bands:
        yield "it has more bands than its picture"
    if of.gsd_m is None or facts.gsd_m is None:
        if facts.gsd_m != of.gsd_m or facts.width > of.width or facts.height > of.height:
            yield "it has a place that its picture has not, or has not its place, or is larger"
        return
    if of.box is None or facts.box is None:
        if form.sanitizer:
            yield "it cannot be measured against its picture, which crosses the 180th meridian"
    elif _beyond(facts.box, of.box):
        yield "it reaches beyond its picture"
    averaged = form.gsd_m > of.gsd_m * 1.001
    if averaged and facts.format == "geotiff" and not (place and is_common(*place)):
        yield "its pixels are not on the common grid"


def _beyond(inner: Box, outer: Box) -> bool:
    across, down = _TURN * (outer.east - outer.west), _TURN * (outer.north - outer.south)
    return (
        inner.west < outer.west - across
        or inner.east > outer.east + across
        or inner.south < outer.south - down
        or inner.north > outer.north + down
    )


def _sides(box: Box) -> tuple[float, ...]:
    return box.west, box.south, box.east, box.north


def _form(request: Verify, form: ImageryForm, facts: Imagery) -> Iterator[str]:
    """The facts of the form against the form itself."""
    if form.gsd_m and (facts.gsd_m is None or facts.gsd_m < form.gsd_m * 0.99):
        yield "its pixels are finer than the form allows"
    if form.area:
        inner, outer = facts.box, form.area
        slack = 1e-6
        if inner is None or not (
            inner.west >= outer.west - slack
            and inner.south >= outer.south - slack
            and inner.east <= outer.east + slack
            and inner.north <= outer.north + slack
        ):
            yield "it reaches beyond the area of the form"
    if form.bits and np.dtype(facts.dtype).itemsize * 8 > form.bits:
        yield "its samples have more bits than the form allows"
    if facts.taken != instant(request.taken, form.time):
        yield "it tells another time than the form allows"


# --- GeoTIFF -------------------------------------------------------------------------------------


def _geotiff(path: Path, request: Verify, facts: Imagery) -> Iterator[str]:
    try:
        with reopened(path) as file:
            pages = list(file.pages)
            if len(pages) != 1:
                yield f"it has {len(pages)} directories"
            page: Any = pages[0]
            yield from _tags(page, request, facts)
            if (page.imagewidth, page.imagelength, page.samplesperpixel) != (
                facts.width,
                facts.height,
                facts.bands,
            ) or page.dtype != np.dtype(facts.dtype):
                yield "tifffile reads other dimensions or samples than were told"
            yield from _unaccounted(path, file, page)
    except (tifffile.TiffFileError, ValueError, KeyError, IndexError, TypeError, OSError, ArithmeticError):
        yield "tifffile cannot read it"


def _tags(page: Any, request: Verify, facts: Imagery) -> Iterator[str]:
    form, held = request.form, {tag.code: tag.value for tag in page.tags.values()}
    may: dict[int, Any] = {42113: _blanks(facts.dtype), 338: {0, (0,) * (facts.bands - 1)}}
    must: dict[int, Any] = {}
    if isinstance(form, ImageryForm) and (digits := told(request.taken, form.time)):
        must[306] = {tiff.date_time(digits).decode("ascii").rstrip("\0")}
    if facts.box is not None or 34735 in held:
        must |= {33550: held.get(33550), 33922: held.get(33922), 34735: held.get(34735)}
        yield from _place(held)
    for code, value in held.items():
        if code in SAMPLES:
            continue
        allowed = (must | may).get(code)
        if allowed is None:
            yield f"tag {code} is not allowed"
        elif isinstance(allowed, set) and value not in allowed | {(0,) * (facts.bands - 3)}:
            yield f"tag {code} does not hold what it should"
    yield from (f"tag {code} is missing" for code in sorted(must.keys() - held.keys()))


def _place(held: dict[int, Any]) -> Iterator[str]:
    """The three tags of GeoTIFF: they tell a corner, a size and a number, and nothing else."""
    if tuple(held.get(33922, ()))[:3] != (0.0, 0.0, 0.0) or len(held[33922]) != 6:
        yield "tag 33922 does not hold what it should"
    if len(held.get(33550, ())) != 3 or held[33550][2] != 0.0:
        yield "tag 33550 does not hold what it should"
    keys = list(held.get(34735, ()))
    if len(keys) != 16 or keys != tiff.geo_keys(keys[15]):
        yield "tag 34735 holds more than the number of the CRS"


def _blanks(dtype: str) -> set[str]:
    kind = np.dtype(dtype)
    return {"nan"} if kind.kind == "f" else {str(np.iinfo(kind).min)}


def _unaccounted(path: Path, file: Any, page: Any) -> Iterator[str]:
    """Bytes that neither header, directory, tags nor tiles account for, and tiles that share bytes."""
    header, entry, inline = (16, 20, 8) if file.is_bigtiff else (8, 12, 4)
    count = len(page.tags)
    parts = [(0, header), (page.offset, page.offset + (8 if file.is_bigtiff else 2) + entry * count + inline)]
    for tag in page.tags.values():
        size = tag.valuebytecount
        if size > inline:
            parts.append((tag.valueoffset, tag.valueoffset + size))
    parts += [(at, at + size) for at, size in zip(page.dataoffsets, page.databytecounts, strict=True)]
    end = 0
    with path.open("rb") as raw:
        for start, stop in sorted(parts):
            if start < end:
                yield "two parts of it share bytes"
                return
            if start > end:
                raw.seek(end)
                if start - end > 15 or any(raw.read(start - end)):
                    yield f"{start - end} bytes at {end} belong to nothing"
            end = stop
        raw.seek(end)
        if raw.read(1):
            yield f"the bytes from {end} on belong to nothing"


# --- NITF ----------------------------------------------------------------------------------------

_HEADER = {
    "FHDR": "NITF",
    "FVER": "02.10",
    "CLEVEL": r"0[35679]",
    "STYPE": "BF01",
    "OSTAID": nitf_file.STATION,
    "FDT": "-{14}",
    "FSCOP": "0{5}",
    "FSCPYS": "0{5}",
    "ENCRYP": "0",
    "FBKGC": "\0{3}",
    "FL": r"\d{12}",
    "HL": r"\d{6}",
    "NUMI": "001",
    "LISH001": r"\d{6}",
    "LI001": r"\d{10}",
    **dict.fromkeys(("NUMS", "NUMX", "NUMT", "NUMDES", "NUMRES"), "000"),
    **dict.fromkeys(("UDHDL", "XHDL"), "0{5}"),
    **dict.fromkeys(("FTITLE", "ONAME", "OPHONE"), ""),
}
"""What a field may hold, as a pattern, trailing spaces aside."""
_SUBHEADER = {
    "IM": "IM",
    "IID1": "1",
    "ENCRYP": "0",
    "PVTYPE": "INT|SI|R",
    "IREP": "MONO|RGB|MULTI",
    "ICAT": "VIS",
    "PJUST": "R",
    "ICORDS": "[NSG]?",
    "IGEOLO": r"(\d{15}){4}|(\d{6}[NS]\d{7}[EW]){4}",
    "NICOM": "0",
    "IC": "NC",
    "ISYNC": "0",
    "IMODE": "B",
    "NPPBH": "0256",
    "NPPBV": r"0\d{3}",
    "IDLVL": "001",
    "IALVL": "000",
    "ILOC": "0{10}",
    "IMAG": r"1\.0",
    **dict.fromkeys(("UDIDL", "IXSHDL"), "0{5}"),
    **dict.fromkeys(("TGTID", "IID2", "ISORCE"), ""),
    **dict.fromkeys(("NROWS", "NCOLS", "ABPP", "NBPP", "NBANDS", "XBANDS", "NBPR", "NBPC"), r"\d+"),
}
_BAND = {"IREPBAND": "[RGBM]?", "ISUBCAT": "", "IFC": "N", "IMFLT": "", "NLUTS": "0"}


def _nitf(path: Path, request: Verify, facts: Imagery) -> Iterator[str]:
    headers = Headers(path)
    if headers.tres():
        yield "it holds a tagged record extension"
    root = headers.root
    yield from _fields("file header", root["FileHeader"], "FS", _HEADER)
    time = told(request.taken, request.form.time) if isinstance(request.form, ImageryForm) else ""
    for segment in root["ImageSegments"]:
        subheader = segment["subheader"]
        yield from _fields("image", subheader, "IS", _SUBHEADER | {"IDATIM": nitf_file.stamp(time)})
        layers = subheader["NBANDS"].value or subheader["XBANDS"].value
        if (subheader["NCOLS"].value, subheader["NROWS"].value, layers) != (
            facts.width,
            facts.height,
            facts.bands,
        ):
            yield "jbpy reads other dimensions than were told"
        blocks = subheader["NBPR"].value * subheader["NBPC"].value * subheader["NPPBV"].value * nitf_file.WIDE
        if segment["Data"].get_size() != blocks * layers * np.dtype(facts.dtype).itemsize:
            yield "its image holds more or less than its samples"
    yield from _marking(headers, request.marking)


def _fields(place: str, header: Any, security: str, allowed: dict[str, str]) -> Iterator[str]:
    for field in header.values():
        name = field.name
        if name.startswith(security) and name[2:] in WIDTHS:
            continue
        pattern = allowed.get(name, _BAND.get(name.rstrip("0123456789")))
        if pattern is None:
            yield f"{place}: field {name} is not allowed"
            continue
        value = ""
        with contextlib.suppress(AttributeError, ValueError):
            value = field.encoded_value.decode("ascii").rstrip(" ")
        if not re.fullmatch(pattern, value):
            yield f"{place}: field {name} does not hold what it should"


def _marking(headers: Headers, marking: str) -> Iterator[str]:
    """Every group of security fields is that of `marking`; dates of declassification may stand."""
    try:
        due = fields_of(marking)
    except Unwritable as error:
        yield str(error)
        return
    for place, group in headers.groups():
        for name, field in group.items():
            if (
                name not in ("DCTP", "DCDT", "DCXM", "DG", "DGDT")
                and field.encoded_value != due[name].encode()
            ):
                yield f"{place}: the security field {name} is not that of the marking"
    text, why = headers.marking()
    if text != marking:
        yield f"its marking is read back as another ({why or 'a wider or narrower one'})"
