"""Small agreements between USA, GBR and AUS for tests of the proof, and proofs of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tearline.agreement import Agreement, load
from tearline.agreement.proof import Answer, Proof, Status, prove

SINCE = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
ROWS = '[levels.USA]\nUNCLASSIFIED = "UNCLASSIFIED"\nCONFIDENTIAL = "CONFIDENTIAL"\nSECRET = "SECRET"\n'
RELEASE, TEARLINE, SHARE = (
    'action == Action::"release"',
    'action == Action::"releaseTearline"',
    'action in Action::"share"',
)
NO_PERSON = '!resource.disciplines.contains(Discipline::"humint")'
"""Keeps a clause that gives whole products within the charter."""


def clause(
    name: str, when: str = "", *, effect: str = "permit", who: str = "principal", action: str = RELEASE
) -> str:
    body = f" when {{ {when} }}" if when else ""
    return f'@id("{name}") @reason("Example.") {effect} ({who}, {action}, resource){body};'


def agreement(
    *clauses: str,
    name: str = "club",
    parties: Sequence[str] = ("AUS", "GBR", "USA"),
    first: str = "2020-01-01",
    end: str = "2040-01-01",
    rows: str = ROWS,
) -> Agreement:
    listed = ", ".join(f'"{party}"' for party in parties)
    manifest = (
        f'id = "{name}"\ntitle = "Example"\nparties = [{listed}]\ncoalitions = ["FVEY", "NATO"]\n'
        f'others = ["FIN"]\nvalid_from = {first}\nvalid_until = {end}\n[levels]\n{rows}'
    )
    return load(manifest, "\n".join(clauses), name)


def proved(present: Sequence[Agreement], proposed: Agreement, **more: Any) -> Proof:
    return prove("USA", present, proposed, since=more.pop("since", SINCE), **more)


def answer(proof: Proof, question: str, about: str) -> Answer:
    (found,) = (each for each in proof.answers if (each.question, each.about) == (question, about))
    return found


def found(proof: Proof, question: str) -> dict[str, str]:
    """The sentences of the answers to a question that are not proved, or of clauses that are, by subject."""
    of_clauses = question in {"dead", "shadowed"}
    return {
        each.about: each.sentence
        for each in proof.answers
        if each.question == question and (each.status is Status.PROVED) == of_clauses
    }
