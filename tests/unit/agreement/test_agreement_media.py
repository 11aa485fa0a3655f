"""The classes of pictures and recordings: their edges, what is unknown, what a form makes of them, words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tearline.agreement import NOT_MEDIA, Detail, cedar, media, sentence
from tearline.terms import (
    BadInput,
    Box,
    Category,
    Imagery,
    ImageryForm,
    Label,
    Media,
    Product,
    Signal,
    SignalForm,
)

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STEP = timedelta(microseconds=1)


def picture(**facts: Any) -> Media:
    given = {"gsd_m": 5.0, "box": Box(20.0, 40.0, 21.0, 41.0), "taken": NOW - 2 * HOUR} | facts
    made = Imagery(format="geotiff", width=9, height=9, bands=1, dtype="uint8", **given)
    return Media(sha256="0" * 64, size=9, media_type="image/tiff", facts=made)


def recording(**facts: Any) -> Media:
    given = {"sample_rate_hz": 2e6, "taken": NOW - 2 * HOUR, "position": None} | facts
    made = Signal(datatype="cf32_le", channels=1, samples=9, centre_hz=None, annotations=0, **given)
    return Media(sha256="0" * 64, size=9, media_type="application/x-sigmf", facts=made)


def product(content: Media | bytes, category: Category) -> Product:
    return Product(
        id="imagery--1",
        version="",
        originator="USA",
        category=category,
        title="",
        created=NOW,
        marking=None,
        label=Label(),
        content=content if isinstance(content, bytes) else msgspec.json.encode(content),
    )


def whole(of: Media) -> Detail:
    category = Category.IMAGERY if isinstance(of.facts, Imagery) else Category.INTERCEPT
    return media.detail_of(product(of, category), NOW)


def told(form: ImageryForm | SignalForm, of: Media) -> Detail:
    found = media.detail_in(form, of, NOW)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("metres", "rank"),
    [
        (0.1, 0),
        (0.49, 0),
        (0.5, 1),
        (1.9, 1),
        (2, 2),
        (9.9, 2),
        (10, 3),
        (29.9, 3),
        (30, 4),
        (None, 0),
        (0, 0),
    ],
)
def test_the_sharpness_of_a_picture(metres: float | None, rank: int) -> None:
    assert whole(picture(gsd_m=metres)).gsd == rank


def square(km: float) -> Box:
    """On the equator."""
    side = km / 111.19493
    return Box(0.0, -side / 2, side, side / 2)


@pytest.mark.parametrize(
    ("box", "rank"),
    [
        (square(4.99), 0),
        (square(5.01), 1),
        (square(19.9), 1),
        (square(20.1), 2),
        (square(99), 2),
        (square(101), 3),
        (square(990), 3),
        (square(1010), 4),
        (None, 4),
        (Box(10.0, 5.0, 10.0, 5.0), 4),
        (Box(170.0, 0.0, -170.0, 1.0), 4),
        (Box(0.0, 80.0, 1.0, 91.0), 4),
    ],
)
def test_the_footprint_of_a_picture(box: Box | None, rank: int) -> None:
    assert whole(picture(box=box)).area == rank


@pytest.mark.parametrize(
    ("age", "rank"),
    [
        (-HOUR, 0),
        (HOUR - STEP, 0),
        (HOUR, 1),
        (24 * HOUR - STEP, 1),
        (24 * HOUR, 2),
        (168 * HOUR - STEP, 2),
        (168 * HOUR, 3),
        (720 * HOUR - STEP, 3),
        (720 * HOUR, 4),
        (None, 0),
    ],
)
def test_the_time_since_it_was_taken(age: timedelta | None, rank: int) -> None:
    taken = None if age is None else NOW - age
    assert whole(picture(taken=taken)).delay == whole(recording(taken=taken)).delay == rank
    naive = None if taken is None else taken.replace(tzinfo=None)
    assert media.detail_in(ImageryForm(name="x"), picture(taken=naive), NOW) == (2, 2, 0, 0, 4)


@pytest.mark.parametrize(
    ("hertz", "rank"),
    [(1.0, 1), (25e3, 1), (25_001.0, 2), (1e6, 2), (40e6, 3), (5e7, 4), (None, 4), (0.0, 4)],
)
def test_the_width_of_a_recording_and_its_place(hertz: float | None, rank: int) -> None:
    assert whole(recording(sample_rate_hz=hertz)) == Detail(delay=1, bandwidth=rank, position=0)


def test_a_form_makes_a_picture_coarser_and_never_finer() -> None:
    assert told(ImageryForm(name="x", gsd_m=10), picture(gsd_m=0.3)).gsd == 3
    assert told(ImageryForm(name="x", gsd_m=1), picture(gsd_m=12.0)).gsd == 3
    assert told(ImageryForm(name="x", gsd_m=100), picture(gsd_m=None)).gsd == 0


def test_a_form_cuts_a_picture_to_what_both_have() -> None:
    small = square(4)
    assert told(ImageryForm(name="x", area=small), picture(box=square(100))).area == 0
    assert told(ImageryForm(name="x", area=square(100)), picture(box=small)).area == 0
    assert told(ImageryForm(name="x", area=small), picture(box=None)).area == 4
    assert media.detail_in(ImageryForm(name="x", area=small), picture(), NOW) is None


def test_a_form_of_a_recording() -> None:
    everything = told(SignalForm(name="x", position_deg=0.001), recording())
    assert (everything.bandwidth, everything.position) == (3, 0)
    narrow = told(SignalForm(name="x", bandwidth_hz=25e3, position_deg=0.1), recording())
    assert (narrow.bandwidth, narrow.position) == (1, 2)
    assert told(SignalForm(name="x", bandwidth_hz=25e3), recording(sample_rate_hz=None)).bandwidth == 4
    log = told(SignalForm(name="x", samples=False), recording(sample_rate_hz=None))
    assert (log.bandwidth, log.position, log.gsd, log.area) == (0, 4, 4, 0)


def test_a_form_is_of_one_kind() -> None:
    assert media.detail_in(ImageryForm(name="x"), recording(), NOW) is None
    assert media.detail_in(SignalForm(name="x"), picture(), NOW) is None


def test_a_form_is_as_old_as_it_will_be_at_least() -> None:
    assert told(ImageryForm(name="x", delay_h=24), picture()).delay == 2
    assert told(ImageryForm(name="x", delay_h=1), picture(taken=NOW - 800 * HOUR)).delay == 4
    assert told(ImageryForm(name="x", delay_h=24), picture(taken=None)).delay == 0


def test_when_a_form_is_due() -> None:
    late = ImageryForm(name="x", delay_h=24)
    assert media.due(picture(), late) == NOW + 22 * HOUR
    assert media.due(picture(taken=None), late) is None
    at_once = media.due(picture(taken=None), ImageryForm(name="x"))
    assert at_once is not None
    assert at_once < NOW


def test_what_is_not_media_has_the_default() -> None:
    for category in (Category.CYBER, Category.REPORT):
        assert media.detail_of(product(b"Text", category), NOW) == NOT_MEDIA


@pytest.mark.parametrize("content", [b"Text", b"{}", b"\xff", msgspec.json.encode(recording())])
def test_content_of_another_kind_is_refused(content: bytes) -> None:
    with pytest.raises(BadInput, match="does not describe imagery"):
        media.detail_of(product(content, Category.IMAGERY), NOW)


# --- In words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("resource.gsd >= 3", "no sharper than 10 m"),
        ("resource.gsd < 2", "sharper than 2 m"),
        ("resource.gsd == 1", "no sharper than 0.5 m and sharper than 2 m"),
        ("resource.gsd != 1", "sharper than 0.5 m or no sharper than 2 m"),
        ("!(resource.gsd >= 3)", "sharper than 10 m"),
        ("resource.gsd >= 0", "of any gsd"),
        ("resource.gsd > 4", "of no gsd"),
        ("resource.gsd != 0", "no sharper than 0.5 m"),
        ("resource.area <= 1", "of at most 400 km²"),
        ("resource.area == 4", "of more than 1 000 000 km²"),
        ("resource.delay >= 2", "taken at least a day ago"),
        ("resource.delay < 3", "taken less than 7 days ago"),
        ("resource.bandwidth == 0", "without samples"),
        ("resource.bandwidth <= 2", "of at most 1 MHz"),
        ("resource.bandwidth > 0", "with samples"),
        ("resource.position == 4", "without a position"),
        ("resource.position >= 3", "placed no closer than 1°"),
        ("resource.position < 1", "placed closer than 0.01°"),
        ("resource.position <= 3", "with a position"),
    ],
)
def test_a_class_is_said_in_words(test: str, words: str) -> None:
    head = '@id("one") @reason("Example.") permit (principal, action == Action::"release", resource)'
    said = sentence(cedar.parse(f"{head} when {{ {test} }};"))
    assert said == f"Releases whole, to each party: products {words}."


def test_the_page_has_the_edges_of_the_program() -> None:
    page = (Path(__file__).parents[3] / "docs" / "agreement-profile.md").read_text("utf-8")
    table = page.split("## Classes of imagery", 1)[1]
    rows = {
        name: re.findall(r"[\d.]+(?: \d{3})*", rest)
        for name, rest in re.findall(r"\| `(\w+)` \| (.*)", table)
    }
    numbers = {name: [float(number.replace(" ", "")) for number in found] for name, found in rows.items()}
    assert numbers["gsd"][:4] == list(media._GSD_M)
    assert numbers["area"][:4] == list(media._AREA_KM2)
    assert numbers["position"][:3] == list(media._GRID_DEG)
    hours = [timedelta(hours=n) for n in numbers["delay"][:2]] + [
        timedelta(days=n) for n in numbers["delay"][2:4]
    ]
    assert tuple(hours) == media._DELAY
    assert numbers["bandwidth"][:3] == [25, 1, 40]
