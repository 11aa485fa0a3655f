"""The charter: its list is documented, C5 is what a text can break, C1 to C4 notice a faulty evaluation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tearline.agreement import Agreement, check
from tearline.agreement.proof import CHARTER, Status
from tearline.agreement.proof.encode import Encoder
from tests.unit.agreement.proof.texts import SHARE, TEARLINE, agreement, answer, clause, found, proved

PAGE = Path(__file__).parents[4] / "docs" / "charter.md"
HUMINT = 'resource.disciplines.contains(Discipline::"humint")'
WARNING = 'resource.topics.contains(Topic::"threat-to-life")'


def test_every_law_is_documented() -> None:
    told = re.findall(r"^## (C\d+)\n\n(.+?) \(Law \d+\.\)$", PAGE.read_text(), flags=re.MULTILINE)
    assert told == [(law.code, law.statement) for law in CHARTER]


def test_the_pages_examples_are_what_it_says() -> None:
    page = PAGE.read_text()
    breaks, keeps = (
        agreement(text, name="example") for text in re.findall(r"```cedar\n(.*?)```", page, flags=re.DOTALL)
    )
    (quoted,) = re.findall(r"^> (.+)$", page, flags=re.MULTILINE)
    assert check(breaks) == check(keeps) == []
    assert found(proved([], breaks), "charter") == {"C5": quoted.replace("GBR", "USA")}
    assert found(proved([], keeps), "charter") == {}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (clause("all"), False),
        (clause("all", action=SHARE), False),
        (clause("all", action=TEARLINE), True),
        (clause("all", f"!{HUMINT}"), True),
        (clause("all", f"{HUMINT} && {WARNING}"), True),
        (clause("all", f"!{HUMINT} || {WARNING}"), True),
        (clause("all", f"!{HUMINT} || {WARNING} || resource.level == 0"), False),
        (clause("all", 'resource.disciplines.contains(Discipline::"osint")'), False),
        (clause("all", HUMINT, who='principal == Partner::"FIN"'), True),
        (clause("all", 'context.now < datetime("2026-01-01")'), True),
        (clause("all") + clause("line", f"{HUMINT} && !{WARNING}", effect="forbid"), True),
        (
            clause("all") + clause("line", f"{HUMINT}", effect="forbid", who='principal == Partner::"GBR"'),
            False,
        ),
    ],
)
def test_what_a_person_told_us(text: str, kept: bool) -> None:
    proof = proved([], agreement(text))
    assert proof.keeps_charter is kept
    assert not proof.unknown
    if not kept:
        (sentence,) = found(proof, "charter").values()
        assert "of discipline" in sentence
        assert "humint" in sentence
        assert "(by clause club/all), against C5; write unless {" in sentence


def test_c5_is_kept_by_each_agreement_itself() -> None:
    """Neither another's forbid saves a text, nor another's breach stops it."""
    red = agreement(clause("line", HUMINT, effect="forbid", action=SHARE), name="red", parties=("USA", "FIN"))
    loose = agreement(clause("all"))
    assert not proved([red], loose).keeps_charter
    assert proved([loose], red).keeps_charter


OPEN = agreement(clause("all", f"!{HUMINT}", action=SHARE))
STOPPED = agreement(
    clause("ukr", effect="forbid", action=SHARE, who='principal == Partner::"GBR"'),
    name="suspensions",
    parties=("USA", "GBR"),
)


def test_a_suspension_in_force_is_held_against_every_text() -> None:
    proof = proved([STOPPED], OPEN)
    assert proof.keeps_charter
    (sentence,) = {each for each in found(proof, "releases-more").values() if "go whole" in each}
    assert "to AUS" in sentence


@pytest.mark.parametrize(
    ("law", "fault", "present"),
    [
        ("C1", "shared", []),
        ("C1", "in_force", []),
        ("C2", "ranked", []),
        ("C3", "any_matches", [STOPPED]),
        ("C4", "any_matches", [STOPPED]),
    ],
)
def test_a_faulty_encoder_is_noticed(
    law: str, fault: str, present: list[Agreement], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each planted fault breaks its law, and Cedar does not confirm it: unknown, so nothing is adopted."""
    if fault == "any_matches":  # forbids do not count
        right = Encoder.any_matches
        monkeypatch.setattr(
            Encoder,
            fault,
            lambda encoder, spoken: right(encoder, [one for one in spoken if one.name.startswith("club")]),
        )
    else:
        monkeypatch.setattr(Encoder, fault, lambda encoder, _: encoder.terms.TRUE)
    proof = proved(present, OPEN)
    assert answer(proof, "charter", law).status is Status.UNKNOWN
    assert not proof.keeps_charter
    assert "Cedar does not confirm" in answer(proof, "charter", law).sentence
