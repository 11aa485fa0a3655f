"""What is composed again on another day is the same release: found by the simulator, by a reconsideration."""

from __future__ import annotations

from datetime import timedelta

from tearline import deliver, label
from tearline.terms import Label, Role, Tearline
from tests.releases import ISSUED, NODE, portion, report


def test_a_tearline_of_another_day_is_the_same_release() -> None:
    """Its marks of our own are made anew each day, with an id of that day."""
    kept = (portion("(//GBR U)", "Notes", Role.TITLE), portion("(//GBR U)", "Nine barges."))
    product = report([*kept, portion("(//GBR S//REL TO UKR)", "At Velna.")])
    own = label.join_all(each.label for each in kept if isinstance(each.label, Label))
    outcome = Tearline(partner="UKR", portions=kept, label=own, reasons=())
    first, later = (
        deliver.compose(product, outcome, node=NODE, issued=ISSUED + timedelta(days=days)) for days in (0, 3)
    )
    assert first.object["object_marking_refs"] != later.object["object_marking_refs"]
    assert (first.release_id, first.object_id) == (later.release_id, later.object_id)


def test_another_label_is_another_release() -> None:
    kept = (portion("(//GBR U)", "Notes", Role.TITLE), portion("(//GBR U)", "Nine barges."))
    product = report([*kept, portion("(//GBR S//REL TO UKR)", "At Velna.")])
    drafts = {
        deliver.compose(
            product,
            Tearline(partner="UKR", portions=kept, label=each, reasons=()),
            node=NODE,
            issued=ISSUED,
        ).release_id
        for each in (Label(), label.join_all(each.label for each in kept if isinstance(each.label, Label)))
    }
    assert len(drafts) == 2
