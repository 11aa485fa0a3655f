"""Clauses that are dead or shadowed, and why."""

from __future__ import annotations

import pytest

from tests.unit.agreement.proof.texts import (
    NO_PERSON,
    RELEASE,
    SHARE,
    TEARLINE,
    agreement,
    clause,
    found,
    proved,
)

AIR, LAND = (f'resource.topics.contains(Topic::"{word}")' for word in ("air", "land"))
NEVER = "nothing ever meets its conditions, from now on"
NOT_IN_FORCE = "it holds only when the agreement is not in force"
NO_PARTY = "it names only partners that are no party to the agreement"
REPORT = 'resource.category == Category::"report"'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (clause("odd", "resource.reach < 2 && resource.reach > 1"), NEVER),
        (clause("odd", 'context.now < datetime("2026-01-01")'), NEVER),
        (clause("odd", "resource.use == 4"), NEVER),
        (clause("odd", f"resource.topics.isEmpty() && {AIR}"), NEVER),
        (
            clause("odd", f"{REPORT} && !({REPORT})", effect="forbid"),
            NEVER,
        ),
        (clause("odd", 'context.now >= datetime("2040-01-01")'), NOT_IN_FORCE),
        (
            clause("odd", 'context.now >= datetime("2040-01-01")', effect="forbid"),
            NOT_IN_FORCE,
        ),
        (clause("odd", who='principal == Partner::"FIN"'), NO_PARTY),
        (
            clause("odd", " && ".join(f'principal != Partner::"{party}"' for party in ("AUS", "GBR", "USA"))),
            NO_PARTY,
        ),
        (
            clause("odd", "resource.level > 3"),
            "the agreement's table has no row for the levels that it asks for",
        ),
        (
            clause("odd", AIR) + clause("line", f"{AIR} || {LAND}", effect="forbid", action=SHARE),
            "clauses that forbid override it",
        ),
    ],
)
def test_a_dead_clause(text: str, why: str) -> None:
    proof = proved([], agreement(text))
    assert found(proof, "dead") == {"club/odd": f"Clause club/odd never decides: {why}."}
    assert found(proof, "shadowed") == {}
    assert not proof.unknown


@pytest.mark.parametrize(
    "text",
    [
        clause("odd", "resource.level == 3"),
        clause("odd", 'context.now <= datetime("2026-11-23T14:30:00Z")'),
        clause("odd", who='principal == Partner::"USA"'),
        clause("odd", AIR)
        + clause("line", AIR, effect="forbid", action=SHARE, who='principal in Coalition::"NATO"'),
        clause("odd", AIR, action=SHARE) + clause("line", AIR, effect="forbid", action=TEARLINE),
        clause("odd", who='principal == Partner::"FIN"', effect="forbid"),
        clause("odd", "resource.level > 3", effect="forbid"),
    ],
)
def test_a_clause_that_decides_something(text: str) -> None:
    proof = proved([], agreement(text))
    assert found(proof, "dead") == found(proof, "shadowed") == {}


@pytest.mark.parametrize(
    ("text", "shadowed"),
    [
        (
            clause("a", f"resource.level <= 2 && {AIR}") + clause("b", AIR),
            {"club/a": "All that clause club/a permits is permitted by clause club/b alone."},
        ),
        (
            clause("a", AIR) + clause("b", AIR),
            {
                "club/a": "All that clause club/a permits is permitted by clause club/b alone.",
                "club/b": "All that clause club/b permits is permitted by clause club/a alone.",
            },
        ),
        (
            clause("a", "resource.reach <= 2")
            + clause("b", "resource.reach <= 1")
            + clause("c", "resource.reach >= 2"),
            {
                "club/a": "All that clause club/a permits is permitted by other clauses together.",
                "club/b": "All that clause club/b permits is permitted by clause club/a alone.",
            },
        ),
        (clause("a", AIR, action=SHARE) + clause("b", action=RELEASE), {}),
        (clause("a", AIR, action=TEARLINE) + clause("b", action=RELEASE), {}),
        (
            clause("a", AIR, action=TEARLINE) + clause("b", action=SHARE),
            {"club/a": "All that clause club/a permits is permitted by clause club/b alone."},
        ),
        # Where the other covers all but what is forbidden anyway.
        (
            clause("a", AIR) + clause("b", f"{AIR} && !({LAND})") + clause("c", LAND, effect="forbid"),
            {
                "club/a": "All that clause club/a permits is permitted by clause club/b alone.",
                "club/b": "All that clause club/b permits is permitted by clause club/a alone.",
            },
        ),
        (
            clause("a", f"{AIR} && {LAND}", effect="forbid")
            + clause("b", LAND, effect="forbid", action=SHARE),
            {"club/a": "All that clause club/a forbids is forbidden by clause club/b alone."},
        ),
        (clause("a", LAND, effect="forbid") + clause("b", LAND), None),
    ],
)
def test_a_shadowed_clause(text: str, shadowed: dict[str, str] | None) -> None:
    proof = proved([], agreement(text))
    assert found(proof, "shadowed") == (shadowed or {})
    assert set(found(proof, "dead")) == (set() if shadowed is not None else {"club/b"})
    assert not proof.unknown


def test_another_agreement_covers_only_while_it_is_in_force() -> None:
    mine = agreement(clause("a", NO_PERSON))
    theirs = {"name": "other", "parties": ("AUS", "GBR", "USA", "FIN")}
    assert found(proved([agreement(clause("b"), **theirs)], mine), "shadowed") == {  # type: ignore[arg-type]
        "club/a": "All that clause club/a permits is permitted by clause other/b alone."
    }
    short = agreement(clause("b"), end="2039-12-31", **theirs)  # type: ignore[arg-type]
    assert found(proved([short], mine), "shadowed") == {}
