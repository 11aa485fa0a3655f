"""How much a picture or a recording tells, in classes from 0 to 4 that clauses can compare.

=========  =======================================  =======  =======  ==========  ===========  =======
attribute  of what goes                             0        1        2           3            4
=========  =======================================  =======  =======  ==========  ===========  =======
gsd        ground sample distance, m                < 0.5    < 2      < 10        < 30         coarser
area       footprint, km²                           <= 25    <= 400   <= 10 000   <= 1 000 000 more
delay      between taking and release               < 1 h    < 24 h   < 7 d       < 30 d       longer
bandwidth  of the samples, Hz                       none     <= 25 k  <= 1 M      <= 40 M      more
position   of the receiver, told on a grid of       exact    >= 0.01° >= 0.1°     >= 1°        untold
=========  =======================================  =======  =======  ==========  ===========  =======

What is not known counts as what tells most: gsd 0, area 4, delay 0, bandwidth 4, position 0. What is no
picture has gsd 4 and area 0, what is no recording bandwidth 0 and position 4; what is neither has delay 4.
"""

from __future__ import annotations

import operator
from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, timedelta
from math import radians, sin
from typing import NamedTuple

import msgspec

from tearline.terms import (
    BadInput,
    Box,
    Category,
    Imagery,
    ImageryForm,
    Media,
    MediaForm,
    Product,
    Signal,
)

CLASSES = range(5)
EARTH_KM = 6371.0072
"""Radius of the sphere that has the surface of the earth (authalic, WGS 84)."""

_GSD_M = (0.5, 2, 10, 30)
_AREA_KM2 = (25, 400, 10_000, 1_000_000)
_DELAY = (timedelta(hours=1), timedelta(days=1), timedelta(days=7), timedelta(days=30))
_BANDWIDTH_HZ = (25_000, 1_000_000, 40_000_000)
_GRID_DEG = (0.01, 0.1, 1)


class Detail(NamedTuple):
    """The classes of one product, whole or in one form. The default is that of what is not media."""

    gsd: int = 4
    area: int = 0
    delay: int = 4
    bandwidth: int = 0
    position: int = 4


NOT_MEDIA = Detail()

_FACTS: dict[Category, type[Imagery | Signal]] = {Category.IMAGERY: Imagery, Category.INTERCEPT: Signal}
_MEDIA = msgspec.json.Decoder(Media)


def media_of(product: Product) -> Media | None:
    """What the product says of its file; `None` where its category has none.

    Raises `BadInput` where its content is not what its category asks for.
    """
    kind = _FACTS.get(product.category)
    if kind is None:
        return None
    try:
        media = _MEDIA.decode(product.content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        media = None
    if media is None or not isinstance(media.facts, kind):
        raise BadInput("product", "content", f"it does not describe {product.category}", "take its file in")
    return media


def detail_of(product: Product, now: datetime) -> Detail:
    """What the whole product tells, if it goes `now`. Raises `BadInput` as `media_of`."""
    media = media_of(product)
    if media is None:
        return NOT_MEDIA
    facts, delay = media.facts, _delay(media, now, 0)
    if isinstance(facts, Imagery):
        return Detail(gsd=_gsd(facts.gsd_m, 0), area=_area(facts.box), delay=delay)
    return Detail(delay=delay, bandwidth=_bandwidth(facts.sample_rate_hz, None), position=0)


def detail_in(form: MediaForm, media: Media, now: datetime) -> Detail | None:
    """What `media` tells in this form, if it goes `now` or as soon as it may.

    `None` where there is no such form of it: it is of the other kind, or the area leaves nothing of it.
    """
    facts, delay = media.facts, _delay(media, now, form.delay_h)
    if isinstance(form, ImageryForm):
        if not isinstance(facts, Imagery) or (form.area and facts.box and not _common(form.area, facts.box)):
            return None
        box = _common(form.area, facts.box) if form.area and facts.box else facts.box
        return Detail(gsd=_gsd(facts.gsd_m, form.gsd_m), area=_area(box), delay=delay)
    if not isinstance(facts, Signal):
        return None
    return Detail(
        delay=delay,
        bandwidth=_bandwidth(facts.sample_rate_hz, form.bandwidth_hz) if form.samples else 0,
        position=4 if form.position_deg is None else bisect_right(_GRID_DEG, form.position_deg),
    )


def due(media: Media, form: MediaForm) -> datetime | None:
    """From when on `media` may go in this form; `None`, never, where it is not known when it was taken."""
    if not form.delay_h:
        return datetime.min.replace(tzinfo=UTC)
    taken = _taken(media)
    return taken and taken + timedelta(hours=form.delay_h)


# --- Classes --------------------------------------------------------------------------------------


def _gsd(of_picture: float | None, of_form: float) -> int:
    """A form makes no picture finer; of one whose pixels have no known size it makes nothing at all."""
    if of_picture is None or not of_picture > 0:
        return 0
    return bisect_right(_GSD_M, max(of_picture, of_form))


def _area(box: Box | None) -> int:
    """Of a footprint on the sphere."""
    if box is None or not (-180 <= box.west < box.east <= 180 and -90 <= box.south < box.north <= 90):
        return 4
    height = sin(radians(box.north)) - sin(radians(box.south))
    return bisect_left(_AREA_KM2, EARTH_KM**2 * height * radians(box.east - box.west))


def _common(one: Box, other: Box) -> Box | None:
    """What lies in both; `None` where nothing does."""
    box = Box(
        max(one.west, other.west),
        max(one.south, other.south),
        min(one.east, other.east),
        min(one.north, other.north),
    )
    return box if box.west < box.east and box.south < box.north else None


def _delay(media: Media, now: datetime, hours: int) -> int:
    """At least `hours`: before that it does not go."""
    taken = _taken(media)
    return 0 if taken is None else bisect_right(_DELAY, max(now - taken, timedelta(hours=hours)))


def _taken(media: Media) -> datetime | None:
    taken = media.facts.taken
    return taken if taken is not None and taken.tzinfo is not None else None


def _bandwidth(rate: float | None, kept: float | None) -> int:
    """Of samples at this rate. No more than the rate is in them, of which at most `kept` is left."""
    if rate is None or not rate > 0:
        return 4
    return 1 + bisect_left(_BANDWIDTH_HZ, rate if kept is None else min(rate, kept))


# --- In words -------------------------------------------------------------------------------------

_COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}


def _between(edges: tuple[str, ...], below: str, above: str) -> tuple[tuple[str, str], ...]:
    return tuple((below.format(edge), above.format(edge)) for edge in edges)


_EDGES: dict[str, tuple[tuple[str, str], ...]] = {
    "gsd": _between(("0.5 m", "2 m", "10 m", "30 m"), "sharper than {}", "no sharper than {}"),
    "area": _between(
        ("25 km²", "400 km²", "10 000 km²", "1 000 000 km²"), "of at most {}", "of more than {}"
    ),
    "delay": _between(
        ("an hour", "a day", "7 days", "30 days"), "taken less than {} ago", "taken at least {} ago"
    ),
    "bandwidth": (
        ("without samples", "with samples"),
        *_between(("25 kHz", "1 MHz", "40 MHz"), "of at most {}", "of more than {}"),
    ),
    "position": (
        *_between(("0.01°", "0.1°", "1°"), "placed closer than {}", "placed no closer than {}"),
        ("with a position", "without a position"),
    ),
}
"""What lies below and above each of the four edges between classes."""


def said(name: str, sign: str, rank: int) -> str:
    """A comparison of an attribute of `Detail` with a class, as it is said of products."""
    if sign == "!=":
        runs = [range(rank), range(rank + 1, len(CLASSES))]
    else:
        held = [each for each in CLASSES if _COMPARE[sign](each, rank)]
        runs = [range(held[0], held[-1] + 1)] if held else []
    return " or ".join(_run(name, run) for run in runs if run) or f"of no {name}"


def _run(name: str, run: range) -> str:
    edges = _EDGES[name]
    parts = [edges[run[0] - 1][1]] if run[0] > 0 else []
    parts += [edges[run[-1]][0]] if run[-1] < len(edges) else []
    return " and ".join(parts) or f"of any {name}"


def legend(name: str) -> str:
    """The classes of an attribute, for somebody who wrote something else."""
    return ", ".join(f"{rank} ({said(name, '==', rank)})" for rank in CLASSES)
