"""The roll-up: fail-closed, whatever the portions."""

from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tearline.label import dominates, join_all, may, parse_banner
from tearline.label.capco import label_of
from tearline.label.marks import write
from tearline.label.rollup import roll_up
from tearline.terms import Label, Level, Refused
from tests.strategies import marks, recipients

dates = st.dates(date(1950, 1, 1), date(2040, 1, 1))
usa = st.just(("USA",))

LOADED = settings(suppress_health_check=[HealthCheck.too_slow])
"""On a busy machine drawing marks takes long; that says nothing of them."""


def dropped(banner: Label, parts: Label) -> set[str]:
    """The axes on which the banner alone is wider than the join of the portions' labels."""
    axes = ("level", "need", "release", "display", "owners", "consent", "duties")
    return {axis for axis in axes if not dominates(banner, Label(**{axis: getattr(parts, axis)}))}


@LOADED
@given(st.lists(marks(), min_size=1, max_size=4), dates, recipients())
def test_a_document_is_never_wider_than_its_portions(portions, at, recipient):
    try:
        rolled = roll_up(portions, at=at)
    except Refused:
        return
    assert all(dominates(rolled.label, label_of(portion, at=at)) for portion in portions)
    assert dominates(rolled.label, parse_banner(write(rolled.banner, portion=False), at=at))
    if may(rolled.label, recipient):
        assert all(may(label_of(portion, at=at), recipient) for portion in portions)


@LOADED
@given(st.lists(marks(owners=usa), min_size=1, max_size=4), dates)
def test_what_the_banner_alone_drops_is_what_the_manual_lets_it_drop(portions, at):
    rolled = roll_up(portions, at=at)
    banner = parse_banner(write(rolled.banner, portion=False), at=at)
    parts = join_all(label_of(portion, at=at) for portion in portions)
    classified = rolled.banner.rank > Level.UNCLASSIFIED
    allowed = set()
    if classified or "DSEN" in rolled.banner.dissem:
        parts = Label(**{**_fields(parts), "duties": parts.duties - {"FOUO"}})
    if classified:
        parts = Label(**{**_fields(parts), "need": parts.need - {"DCNI", "UCNI"}})
    if "FGI" in rolled.banner.fgi:
        allowed = {"owners", "level", "consent"}
    assert dropped(banner, parts) <= allowed


def _fields(label: Label) -> dict:
    return {name: getattr(label, name) for name in Label.__struct_fields__}


@given(st.lists(marks(owners=usa), min_size=1, max_size=3), dates)
def test_the_order_of_portions_does_not_matter(portions, at):
    assert roll_up(portions, at=at) == roll_up(portions[::-1], at=at)


@given(marks(owners=usa), dates)
def test_a_document_of_one_portion_is_not_wider_than_it(portion, at):
    rolled = roll_up([portion], at=at)
    assert dominates(rolled.label, label_of(portion, at=at))
    assert rolled.banner.rank == portion.rank
    assert rolled.banner.sci == portion.sci
