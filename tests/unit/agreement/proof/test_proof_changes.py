"""What a revision releases and withholds more: the sentence for each, and nothing where there is nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tearline.agreement import Action, Agreement
from tearline.agreement.proof import Status
from tearline.terms import Category, Level, Reach, Refused, Topic, Use
from tests.unit.agreement.proof.texts import (
    NO_PERSON,
    ROWS,
    SHARE,
    SINCE,
    TEARLINE,
    agreement,
    answer,
    clause,
    found,
    proved,
)

REPORT = 'resource.category == Category::"report"'
REPORTS = clause("reports", f"{REPORT} && resource.level <= 2 && {NO_PERSON}")
FROM_USA = "from originator USA, would newly go whole to"
OLD = agreement(REPORTS)


def test_the_same_text_changes_nothing() -> None:
    proof = proved([OLD], OLD)
    assert not proof.unknown
    assert proof.keeps_charter
    assert {each.status for each in proof.answers} == {Status.PROVED}
    assert [(each.question, each.about) for each in proof.answers] == [
        ("releases-more", "release"),
        ("releases-more", "releaseTearline"),
        ("withholds-more", "release"),
        ("withholds-more", "releaseTearline"),
        *(("charter", f"C{number}") for number in range(1, 6)),
    ]
    assert answer(proof, "releases-more", "release").sentence == "Nothing would newly go whole."
    assert (
        answer(proof, "withholds-more", "releaseTearline").sentence
        == "All that may go as a tearline now still may."
    )


def test_another_layout_is_the_same() -> None:
    other = agreement(
        clause("a", f'resource.level < 3 && resource.category == Category::"report" && {NO_PERSON}'),
        clause("b", f'[Category::"report"].contains(resource.category) && resource.level < 1 && {NO_PERSON}'),
    )
    proof = proved([OLD], other)
    assert found(proof, "releases-more") == found(proof, "withholds-more") == {}
    assert found(proof, "shadowed") == {
        "club/b": "All that clause club/b permits is permitted by clause club/a alone."
    }


def new(*more: str, **manifest: str) -> Agreement:
    return agreement(REPORTS, *more, **manifest)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("proposed", "sentence"),
    [
        (
            new(
                clause(
                    "imagery",
                    'resource.category == Category::"imagery" && resource.level == 3'
                    ' && resource.topics.contains(Topic::"maritime")'
                    f' && context.now >= datetime("2027-01-01") && {NO_PERSON}',
                    who='principal == Partner::"GBR"',
                )
            ),
            "A SECRET imagery product on topic maritime, from originator USA, would newly go whole to GBR"
            " from 2027-01-01 on (by clause club/imagery).",
        ),
        (
            new(clause("all", f"resource.level <= 2 && !({REPORT}) && {NO_PERSON}")),
            "A cyber product, from originator USA, would newly go whole to AUS (by clause club/all).",
        ),
        (
            new(
                clause(
                    "both",
                    'resource.topics.containsAll([Topic::"air", Topic::"land"])'
                    ' && resource.regions.contains(Region::"global")'
                    ' && resource.disciplines.contains(Discipline::"sigint")'
                    f" && resource.reach >= 2 && resource.use == 3 && {NO_PERSON}"
                    ' && resource.originator == Party::"FIN" && resource.category != Category::"report"'
                    ' && context.now <= datetime("2027-06-30T12:00:00Z")',
                )
            ),
            "A cyber product on topics air and land, of region global, of discipline sigint,"
            " marked TLP:AMBER and PAP:RED, from originator FIN, would newly go whole to AUS"
            " until 2027-06-30T12:00:00.001Z (by clause club/both).",
        ),
        (
            new(clause("members", f"{NO_PERSON}", who='principal in Coalition::"NATO"')),
            "A cyber product, from originator USA, would newly go whole to AUS if it is a member of NATO"
            " (by clause club/members).",
        ),
        (
            new(
                clause(
                    "unmarked",
                    f'resource.regions.isEmpty() && resource.topics.contains(Topic::"air")'
                    f' && ![Party::"USA", Party::"AUS"].contains(resource.originator) && {NO_PERSON}',
                )
            ),
            "A cyber product on topic air, from an originator that no agreement names, would newly go"
            " whole to AUS (by clause club/unmarked).",
        ),
        (
            new(rows=ROWS + 'RESTRICTED = "RESTRICTED"\n'),
            "A RESTRICTED report, from originator USA, would newly go whole to AUS (by clause club/reports).",
        ),
        (
            new(rows=ROWS + '[levels.NATO]\nSECRET = "SECRET"\nCONFIDENTIAL = "CONFIDENTIAL"\n'),
            f"A NATO CONFIDENTIAL report, {FROM_USA} AUS (by clause club/reports).",
        ),
        (
            new(end="2041-01-01"),
            f"A report, {FROM_USA} AUS from 2040-01-01 on (by clause club/reports).",
        ),
    ],
)
def test_what_newly_goes_whole(proposed: Agreement, sentence: str) -> None:
    proof = proved([OLD], proposed)
    assert found(proof, "releases-more") == {"release": sentence}
    assert found(proof, "withholds-more") == {}
    assert not proof.unknown


def test_what_newly_goes_to_a_new_party_or_as_a_tearline() -> None:
    proof = proved(
        [OLD], agreement(REPORTS, clause("lines", action=TEARLINE), parties=("AUS", "GBR", "NZL", "USA"))
    )
    assert found(proof, "releases-more") == {
        "release": "A report, from originator USA, would newly go whole to NZL (by clause club/reports).",
        "releaseTearline": "A cyber product, from originator USA, would newly go as a tearline to AUS"
        " (by clause club/lines).",
    }


@pytest.mark.parametrize(
    ("proposed", "why"),
    [
        (agreement(clause("reports", 'resource.topics.contains(Topic::"air")')), "no clause permits it"),
        (
            new(clause("line", action=SHARE, effect="forbid")),
            "forbidden by clause club/line",
        ),
        (agreement(REPORTS, parties=("USA", "FIN")), "no agreement with the partner is in force"),
    ],
)
def test_what_no_longer_goes_and_why(proposed: Agreement, why: str) -> None:
    assert found(proved([OLD], proposed), "withholds-more") == {
        "release": "A report, from originator USA, would no longer go whole to AUS"
        f" (now by clause club/reports; then {why})."
    }


def test_a_row_taken_out_of_the_table_withholds() -> None:
    fewer = new(rows=ROWS.replace('CONFIDENTIAL = "CONFIDENTIAL"\n', ""))
    assert found(proved([OLD], fewer), "withholds-more") == {
        "release": "A CONFIDENTIAL report, from originator USA, would no longer go whole to AUS"
        " (now by clause club/reports; then the table has no row for its level)."
    }


def test_an_agreement_that_is_added_stands_beside_those_in_force() -> None:
    red = agreement(
        clause("line", 'resource.topics.contains(Topic::"air")', effect="forbid", action=SHARE),
        name="red",
        parties=("USA", "FIN"),
    )
    proof = proved([OLD], red)
    assert found(proof, "releases-more") == {}
    assert found(proof, "withholds-more") == {
        "release": "A report on topic air, from originator USA, would no longer go whole to AUS"
        " (now by clause club/reports; then forbidden by clause red/line)."
    }
    assert proof.against == (f"club {OLD.version}",)


@pytest.mark.parametrize(
    ("when", "what"),
    [
        # One topic is less than two, whatever their order.
        (
            'resource.topics.containsAll([Topic::"air", Topic::"land"])'
            ' || resource.topics.contains(Topic::"space")',
            "A cyber product on topic space",
        ),
        # A region or a topic will do: not both.
        (
            '(resource.topics.contains(Topic::"air") || resource.regions.contains(Region::"global"))'
            ' && (resource.topics.contains(Topic::"land") || resource.regions.contains(Region::"global"))',
            "A cyber product, of region global",
        ),
        # More than are counted: none of them can be left out.
        (
            "resource.topics.containsAll("
            '[Topic::"air", Topic::"land", Topic::"space", Topic::"energy", Topic::"crime"])',
            "A cyber product on topics air, crime, energy, land and space",
        ),
        # The lowest rank of those that show it; none where none is needed.
        ("resource.level >= 1", "A CONFIDENTIAL cyber product"),
        ("resource.level != 2 || resource.reach > 1", "A cyber product"),
        ("resource.reach >= 2 && resource.use != 0", "A cyber product, marked TLP:AMBER and PAP:GREEN"),
    ],
)
def test_an_example_says_nothing_needless(when: str, what: str) -> None:
    (sentence,) = found(
        proved([], agreement(clause("c", f"({when}) && {NO_PERSON}"))), "releases-more"
    ).values()
    assert sentence == f"{what}, {FROM_USA} AUS (by clause club/c)."


def test_real_memberships_come_before_supposed_ones() -> None:
    more = new(clause("members", NO_PERSON, who='principal in Coalition::"NATO"'))
    members = {"AUS": frozenset({"FVEY"}), "GBR": frozenset({"FVEY", "NATO", "UNHEARD"})}
    (sentence,) = found(proved([OLD], more, members=members), "releases-more").values()
    assert (
        sentence
        == "A cyber product, from originator USA, would newly go whole to GBR (by clause club/members)."
    )
    without = {"AUS": frozenset({"FVEY"}), "GBR": frozenset({"FVEY"})}
    (sentence,) = found(proved([OLD], more, members=without), "releases-more").values()
    assert "to AUS if it is a member of NATO (" in sentence


def test_an_example_says_all_of_it_as_data() -> None:
    more = new(
        clause(
            "high",
            f"resource.level == 3 && resource.reach == 4 && {NO_PERSON}"
            ' && resource.category == Category::"intercept"'
            ' && resource.topics.contains(Topic::"space") && context.now < datetime("2027-01-01")',
        )
    )
    example = answer(proved([OLD], more), "releases-more", "release").example
    assert example is not None
    assert (example.facts.category, example.facts.level) == (Category.INTERCEPT, (("USA", Level.SECRET),))
    assert (example.facts.topics, example.facts.regions) == (frozenset({Topic.SPACE}), frozenset())
    assert (example.facts.reach, example.facts.use) == (Reach.RED, Use.CLEAR)
    assert (example.partner, example.coalitions, example.supposed) == ("AUS", frozenset(), False)
    assert (example.action, example.clauses) == (Action.RELEASE, ("club/high",))
    assert (example.at, example.until) == (SINCE, datetime(2027, 1, 1, tzinfo=UTC))


def test_what_was_before_is_not_asked_about() -> None:
    past = new(clause("past", f'context.now < datetime("2026-11-23T14:30:00Z") && {NO_PERSON}'))
    assert found(proved([OLD], past), "releases-more") == {}
    last = new(clause("last", f'context.now <= datetime("2026-11-23T14:30:00Z") && {NO_PERSON}'))
    (sentence,) = found(proved([OLD], last), "releases-more").values()
    assert "until 2026-11-23T14:30:00.001Z" in sentence


def test_what_the_node_would_give_itself_is_no_change() -> None:
    own = new(clause("own", NO_PERSON, who='principal == Partner::"USA"'))
    proof = proved([OLD], own)
    assert found(proof, "releases-more") == {}
    assert found(proof, "dead") == {}


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(Refused, match="club is not an agreement of USA"):
        proved([], agreement(REPORTS, parties=("AUS", "GBR")))
    with pytest.raises(Refused, match="suspensions is no name for an agreement"):
        proved([], agreement(REPORTS, name="suspensions"))
    with pytest.raises(Refused, match="E013"):
        proved([], agreement(clause("odd", who='principal == Partner::"XXX"')))
    with pytest.raises(ValueError, match="time zone"):
        proved([], OLD, since=datetime(2026, 1, 1))
