"""What was found about a version: the answers of a proof, and the review that adoption asks for."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

import msgspec

from tearline.agreement.lifecycle import Need, Step
from tearline.agreement.proof import Answer, Proof, Status
from tearline.doors.desk.areas.agreements.area import SEES, area
from tearline.doors.desk.areas.agreements.listing import AgreementBrief, brief
from tearline.doors.desk.areas.agreements.version import (
    AgreementReviewBrief,
    AgreementVersionAsked,
    found_of,
    review_brief,
    steps_of,
)
from tearline.doors.desk.endpoint import N_, At
from tearline.node import agreement_record, agreements
from tearline.review import Change, in_words
from tearline.terms import Refused


class AgreementProofAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`job`: that proved it; the proof of the stored review where it is not given."""

    version: str
    job: str = ""


class ProofCase(msgspec.Struct, frozen=True, kw_only=True):
    """An item for which the answer is no. Cedar confirms it."""

    partner: str
    coalitions: tuple[str, ...]
    supposed: bool
    """These are not the partner's coalitions of today."""
    action: str
    at: datetime
    until: datetime | None
    originator: str
    category: str
    levels: tuple[str, ...]
    topics: tuple[str, ...]
    regions: tuple[str, ...]
    disciplines: tuple[str, ...]
    clauses: tuple[str, ...]


class ProofAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`question`: `releases-more`, `forms`, `withholds-more`, `charter`, `dead` or `shadowed`."""

    question: str
    about: str
    status: Status
    sentence: str
    case: ProofCase | None


class AgreementProof(msgspec.Struct, frozen=True, kw_only=True):
    """What a version would change for every item there can be, and whether it keeps the charter.

    `known`: there is a proof; `against`: what was in force then, as `ID VERSION`."""

    brief: AgreementBrief
    known: bool
    at: datetime | None
    against: tuple[str, ...]
    keeps_charter: bool
    unknown: bool
    answers: tuple[ProofAnswer, ...]


class AgreementReviewTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Of one partner, items: whole and as a tearline, now and then, and what becomes of them."""

    partner: str
    whole_now: int
    whole_then: int
    tearline_now: int
    tearline_then: int
    changes: dict[Change, int]


class AgreementReviewCell(msgspec.Struct, frozen=True, kw_only=True):
    """Of one partner, category and topic: what changes. An item with two topics is in two cells."""

    partner: str
    category: str
    topic: str
    changes: dict[Change, int]


class AgreementReviewExample(msgspec.Struct, frozen=True, kw_only=True):
    """An item that would have fared otherwise."""

    product: str
    version: str
    partner: str
    change: Change
    now: str
    then: str


class AgreementReview(msgspec.Struct, frozen=True, kw_only=True):
    """The stored review that counts; nothing where there is none."""

    brief: AgreementBrief
    review: AgreementReviewBrief | None
    against: tuple[str, ...]
    totals: tuple[AgreementReviewTotals, ...]
    cells: tuple[AgreementReviewCell, ...]
    examples: tuple[AgreementReviewExample, ...]
    notes: tuple[str, ...]
    lacks: str
    """Why it is not good for adoption; empty where it is, or where nothing is to be adopted."""


@area.shows("/agreements/versions/{version}/proof", "agreements/proof.html", roles=SEES)
def proof(at: At, asked: AgreementProofAsked) -> AgreementProof:
    """The answers of a proof: what would newly go, what no longer, and whether the charter is kept."""
    _, found = found_of(at.node, asked.version)
    if asked.job:
        kept = at.kept(asked.job)
        if not isinstance(kept, AgreementProof) or kept.brief.version != found.agreement.version:
            raise Refused("this job proved something else")
        return kept
    made = agreement_record.newest_review(at.node, found.agreement.version)
    return _proof(brief(at.node, found), made.proof if made else None, made.at if made else None)


@area.does(
    "/agreements/versions/{version}/prove",
    roles=SEES,
    slow=True,
    then="/agreements/versions/{version}/proof?job={job}",
    says=N_("Proving what would change, for every item there can be"),
)
def prove(at: At, asked: AgreementVersionAsked) -> AgreementProof:
    """Prove what a version would change, and that it keeps the charter. Nothing is kept."""
    _, found = found_of(at.node, asked.version)
    made = agreements.proved(at.node, found.agreement, progress=at.progress)
    return _proof(brief(at.node, found), made, at.node.clock())


@area.shows("/agreements/versions/{version}/review", "agreements/review.html", roles=SEES)
def review(at: At, asked: AgreementVersionAsked) -> AgreementReview:
    """The stored review: what would have changed in all that is held, by partner, category and topic."""
    _, found = found_of(at.node, asked.version)
    mine = found.agreement.version
    made = agreement_record.newest_review(at.node, mine)
    changes = made.changes if made else None
    sums: defaultdict[tuple[str, str, str], dict[Change, int]] = defaultdict(dict)
    for cell in changes.cells if changes else ():
        counts = sums[cell.partner, cell.category.value, cell.topic]
        for change, count in cell.counts.items():
            counts[change] = counts.get(change, 0) + count
    lacking = agreements.lacking(at.node, mine) if Step.ADOPT in steps_of(found) else {}
    return AgreementReview(
        brief=brief(at.node, found),
        review=review_brief(made),
        against=made.against if made else (),
        totals=tuple(
            AgreementReviewTotals(
                partner=each.partner,
                whole_now=each.whole[0],
                whole_then=each.whole[1],
                tearline_now=each.tearline[0],
                tearline_then=each.tearline[1],
                changes=each.counts,
            )
            for each in (changes.totals if changes else ())
        ),
        cells=tuple(
            AgreementReviewCell(partner=partner, category=category, topic=topic, changes=counts)
            for (partner, category, topic), counts in sorted(sums.items())
        ),
        examples=tuple(
            AgreementReviewExample(
                product=each.id,
                version=each.version,
                partner=each.partner,
                change=each.change,
                now=in_words(each.before),
                then=in_words(each.after),
            )
            for each in (changes.examples if changes else ())
        ),
        notes=changes.notes if changes else (),
        lacks=lacking.get(Need.REVIEW, ""),
    )


# --- Proof ----------------------------------------------------------------------------------------


def _proof(of: AgreementBrief, made: Proof | None, at: datetime | None) -> AgreementProof:
    return AgreementProof(
        brief=of,
        known=made is not None,
        at=at,
        against=made.against if made else (),
        keeps_charter=made is not None and made.keeps_charter,
        unknown=made is not None and made.unknown,
        answers=tuple(map(_answer, made.answers)) if made else (),
    )


def _answer(answer: Answer) -> ProofAnswer:
    return ProofAnswer(
        question=answer.question,
        about=answer.about,
        status=answer.status,
        sentence=answer.sentence,
        case=_case(answer),
    )


def _case(answer: Answer) -> ProofCase | None:
    example = answer.example
    if example is None:
        return None
    facts = example.facts
    return ProofCase(
        partner=example.partner,
        coalitions=tuple(sorted(example.coalitions)),
        supposed=example.supposed,
        action=str(example.action),
        at=example.at,
        until=example.until,
        originator=facts.originator,
        category=facts.category.value,
        levels=tuple(f"{policy} {level.name.replace('_', ' ')}" for policy, level in facts.level),
        topics=tuple(sorted(each.value for each in facts.topics)),
        regions=tuple(sorted(each.value for each in facts.regions)),
        disciplines=tuple(sorted(each.value for each in facts.disciplines)),
        clauses=example.clauses,
    )
