"""Banner lines and portion marks: reading is total, and writing is never wider than what was read."""

from datetime import date

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from tearline.label import (
    dominates,
    narrow,
    parse,
    parse_banner,
    parse_portion,
    render_banner,
    render_portion,
)
from tearline.label.capco import label_of
from tearline.label.grammar import read
from tearline.label.marks import write
from tearline.label.tables import COALITIONS, members
from tearline.terms import Label, Quarantine, Reach, Refused, Use
from tests.strategies import labels, marks, parties

dates = st.dates(date(1950, 1, 1), date(2040, 1, 1))
AT = date(2026, 11, 1)
# fmt: off
PIECES = st.sampled_from((
    "SECRET", "S", "TOP SECRET", "JOINT ", "NATO ", "USA", "GBR", "EDU", "FVEY", "FGI", "SI", "TK", "G",
    "SAR-", "BP", "RD", "SIGMA 14", "NOFORN", "NF", "REL TO ", "EYES ONLY", "ORCON", "SBU", "//", "/",
    ", ", " ", "-", "(", ")", "\n",
))
# fmt: on


def said(label: Label) -> Label:
    """What a banner line can say of a label: neither TLP nor PAP, and `info` need not be kept."""
    return msgspec.structs.replace(label, reach=Reach.CLEAR, use=Use.CLEAR, info=frozenset())


@given(st.text() | st.lists(PIECES, max_size=12).map("".join), dates)
def test_reading_is_total_and_names_what_it_could_not_read(text, at):
    for label in (parse(text, at=at)[1], parse_banner(text, at=at), parse_portion(text, at=at)):
        if isinstance(label, Quarantine):
            assert label.mark in text
            assert label.reason
        else:
            assert label.owners or label.level == ()


@given(marks(), st.booleans())
def test_a_written_mark_is_read_as_itself(mark, portion):
    assert read(write(mark, portion=portion), portion=portion, at=AT) == mark


@given(marks(), st.booleans(), st.data())
def test_a_mark_with_a_fault_is_another_mark_or_none(mark, portion, data):
    text = write(mark, portion=portion)
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 3))
    faulty = text[:at] + data.draw(PIECES | st.just("")) + text[at + cut :]
    label = (parse_portion if portion else parse_banner)(faulty, at=AT)
    if isinstance(label, Quarantine):
        assert label.mark in faulty
    else:  # then it is itself well written, up to titles in full and old forms
        again = read(faulty.removeprefix("(").removesuffix(")"), portion=portion, at=AT)
        assert label_of(again, at=AT) == label
        assert read(write(again, portion=portion), portion=portion, at=AT) == again


@given(marks(), dates, dates)
def test_what_was_read_can_be_written_and_never_gets_wider_on_any_day(mark, at, later):
    label = label_of(mark, at=at)
    # What is released to nobody who is named in a list has no banner.
    assume(mark.owners != ("FGI",) or mark.release)
    assume(mark.owners != ("NATO",) or at.year > 1949)
    for text, again in ((render_banner(label), parse_banner), (render_portion(label), parse_portion)):
        assert dominates(again(text, at=later), said(label)), text


@given(labels())
def test_any_label_is_written_no_wider_or_not_at_all(label):
    try:
        banner, portion = render_banner(label), render_portion(label)
    except Refused:
        return
    assert dominates(parse_banner(banner, at=AT), said(label))
    assert parse_banner(banner, at=AT) == parse_portion(portion, at=AT)


@given(marks(owners=st.just(("USA",))), parties, dates)
def test_a_copy_tells_nothing_of_other_recipients(mark, party, at):
    label = narrow(label_of(mark, at=at), party)
    codes = set(read(render_banner(label), portion=False, at=at).release) - label.owners
    assert codes <= {party}


@given(st.sampled_from(sorted(COALITIONS)), dates, dates)
def test_a_coalition_never_grows_backwards(coalition, one, other):
    early, late = (members(coalition, day) for day in sorted((one, other)))
    assert (early is None) == (late is None)
    if early is not None and late is not None:
        assert early <= late
