"""The laws of the lattice of labels (design, section 5)."""

from hypothesis import given

from tearline.label import BOTTOM, bars, dominates, join, join_all, may, may_be_shown, narrow
from tests.strategies import labels, parties, recipients


@given(labels(), labels(), labels())
def test_join_is_associative(a, b, c):
    assert join(join(a, b), c) == join(a, join(b, c)) == join_all([a, b, c])


@given(labels(), labels())
def test_join_is_commutative_and_idempotent_and_bottom_is_its_unit(a, b):
    assert join(a, b) == join(b, a)
    assert join(a, a) == a == join(a, BOTTOM)


@given(labels(), labels(), labels())
def test_dominates_is_a_partial_order_and_join_its_least_upper_bound(a, b, c):
    assert dominates(a, a)
    assert dominates(a, BOTTOM)
    assert not (dominates(a, b) and dominates(b, a)) or a == b
    both = join(a, b)
    assert dominates(both, a)
    assert dominates(both, b)
    upper = join(both, c)
    assert dominates(upper, a)
    assert dominates(upper, b)
    assert dominates(upper, both)


@given(labels(), labels(), recipients())
def test_what_is_combined_may_go_where_each_part_may(a, b, recipient):
    assert may(join(a, b), recipient) == (may(a, recipient) and may(b, recipient))
    assert set(bars(join(a, b), recipient)) >= set(bars(a, recipient))


@given(labels(), labels(), recipients())
def test_a_narrower_label_lets_nobody_in_whom_the_wider_keeps_out(a, b, recipient):
    if dominates(a, b) and may(a, recipient):
        assert may(b, recipient)
    assert may(b, recipient) or not may(join(a, b), recipient)


@given(labels(), recipients())
def test_narrowing_changes_nothing_for_its_recipient_and_opens_nothing(label, recipient):
    for_it = narrow(label, recipient.party)
    assert dominates(for_it, label)
    assert bars(for_it, recipient) == bars(label, recipient)
    assert may_be_shown(for_it, recipient) == may_be_shown(label, recipient)


@given(labels(), parties)
def test_a_narrowed_label_names_only_owners_and_recipient(label, party):
    for_it = narrow(label, party)
    for listed in (for_it.release, for_it.display):
        assert listed is None or listed <= label.owners | {party}
    assert narrow(for_it, party) == for_it
