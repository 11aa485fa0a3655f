"""Classes of pictures and recordings in proofs: cases are such as there can be, and are said in words."""

from __future__ import annotations

from tearline.agreement import Agreement, Detail, load
from tearline.terms import Category
from tests.unit.agreement.proof.texts import NO_PERSON, TEARLINE, agreement, answer, clause, found, proved

PICTURES = 'resource.category == Category::"imagery"'
RECORDINGS = 'resource.category == Category::"intercept"'


def test_a_picture_that_newly_goes_is_told_by_its_classes() -> None:
    old = agreement(clause("region", f"{PICTURES} && resource.gsd >= 3", action=TEARLINE))
    new = agreement(clause("region", f"{PICTURES} && resource.gsd >= 2", action=TEARLINE))
    more = answer(proved([old], new), "releases-more", "releaseTearline")
    assert more.example is not None
    assert more.example.facts.category is Category.IMAGERY
    assert more.example.facts.detail == Detail(gsd=2)
    assert more.sentence == (
        "An imagery product, no sharper than 2 m and sharper than 10 m, from originator USA, would newly go "
        "as a tearline to AUS (by clause club/region)."
    )
    assert found(proved([new], old), "releases-more") == {}


def test_whole_recordings_tell_their_place_and_have_samples() -> None:
    placeless = clause("a", f"{RECORDINGS} && resource.position >= 1 && {NO_PERSON}")
    silent = clause("b", f"{RECORDINGS} && resource.bandwidth == 0 && {NO_PERSON}")
    narrow = clause("c", f"{RECORDINGS} && resource.bandwidth <= 1 && {NO_PERSON}")
    proof = proved([], agreement(placeless, silent, narrow))
    assert sorted(found(proof, "dead")) == ["club/a", "club/b"]
    more = answer(proof, "releases-more", "release")
    assert more.example is not None
    assert more.example.facts.detail == Detail(bandwidth=1, position=0)
    lines = agreement(placeless.replace("release", "releaseTearline"))
    assert found(proved([], lines), "dead") == {}


def test_what_is_not_media_has_no_other_classes() -> None:
    """So a red line over classes does not seem to stop reports, nor a permit to give them."""
    report = 'resource.category == Category::"report"'
    dead = agreement(
        clause("sharp", f"{report} && resource.gsd <= 3 && {NO_PERSON}"),
        clause("wide", f"{PICTURES} && resource.bandwidth > 0 && {NO_PERSON}"),
        clause("large", f"{RECORDINGS} && resource.area > 0 && {NO_PERSON}"),
        clause("young", f'resource.category == Category::"cyber" && resource.delay < 4 && {NO_PERSON}'),
    )
    assert sorted(found(proved([], dead), "dead")) == ["club/large", "club/sharp", "club/wide", "club/young"]
    old = agreement(clause("all", NO_PERSON))
    new = agreement(clause("all", f"{NO_PERSON} && (resource.gsd == 4 || {PICTURES})"))
    assert found(proved([old], new), "withholds-more") == {}


def with_form(of: Agreement, *names: str) -> Agreement:
    forms = "".join(f'[forms.{name}]\nkind = "imagery"\n' for name in names)
    return load(f"{of.manifest}\n{forms}", of.clauses, of.id)


def test_a_proof_names_forms_that_are_new() -> None:
    same = agreement(clause("region", PICTURES, action=TEARLINE))
    old, new = with_form(same, "coarse"), with_form(same, "coarse", "sharp")
    for before, after in ((old, old), (new, old)):
        assert not [each for each in proved([before], after).answers if each.question == "forms"]
    assert answer(proved([old], new), "forms", "club/sharp").sentence == (
        "Form sharp, imagery: as sharp as it is, with the day: what clauses permit of it newly goes."
    )
    assert [each.about for each in proved([], new, seconds=-1.0).answers if each.question == "forms"] == [
        "club/coarse",
        "club/sharp",
    ]
