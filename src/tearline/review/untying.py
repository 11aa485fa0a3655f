"""How to come loose from a partner: what ties, and in which order to undo it with the least loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from tearline.terms import Category, Party, Topic


class Given(NamedTuple):
    """Items of one kind that this node has by the partner: how many, what they are worth, and what of that
    nobody else gave."""

    category: Category
    topics: frozenset[Topic]
    items: float
    alone: float


class Tie(msgspec.Struct, frozen=True):
    """Something that binds: `kind` is one of `agreement`, `consent given`, `consent held`, `key`,
    `delivery waiting`, `requirement`."""

    kind: str
    what: str
    count: int = 1


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One step. `loss`: of all that the node's holdings are worth; `left`: what is left after it."""

    what: str
    loss: float
    left: float
    how: str
    back: str


class Untying(msgspec.Struct, frozen=True, kw_only=True):
    partner: Party
    ties: tuple[Tie, ...]
    steps: tuple[Move, ...]


def untying(partner: Party, total: float, given: Sequence[Given], ties: Sequence[Tie]) -> Untying:
    """What the partner alone gives goes stream by stream, a category on a topic each: always the one that
    loses least of what is left. `total`: what all that this node holds is worth.

    An item on two topics goes with the first of its streams to go. Technical ties are undone after what
    still needs them.
    """
    moves: list[tuple[str, float, str, str]] = []
    waiting = sum(tie.count for tie in ties if tie.kind == "delivery waiting")
    if waiting:
        moves.append(
            (
                f"decide on {waiting} deliveries that wait",
                0.0,
                "let them go, or suspend first: then they are held back",
                "what a suspension held back is asked about again when it ends",
            )
        )
    moves.append(
        (
            f"give {partner} nothing more",
            0.0,
            f"tearline partner suspend {partner} --scope all",
            f"tearline partner resume {partner}, with the quorum's approvals",
        )
    )
    moves += [
        (
            f"do without {category} on {topic or 'no topic'} from {partner}: {items:,.0f} items",
            loss,
            "others give these too"
            if not loss
            else f"find another giver or source for it; until then take it as before ({loss:,.0f} of value)",
            "take it in again: nothing was told to the partner",
        )
        for category, topic, items, loss in _streams(given)
    ]
    moves += [
        (
            f"end {tie.count} consents that {partner} has of us",
            0.0,
            "tearline consent revoke",
            "give them anew",
        )
        for tie in ties
        if tie.kind == "consent given"
    ]
    moves += [
        (
            f"leave {partner} out of the agreement {tie.what}",
            0.0,
            "where others are parties to it, propose and adopt a version without this one; else "
            f"tearline agreement withdraw {tie.what}, with the quorum's approvals",
            "propose, review, approve and adopt the version of before again",
        )
        for tie in ties
        if tie.kind == "agreement"
    ]
    moves.append(
        (
            f"forget {partner}'s keys",
            0.0,
            f"tearline partner remove {partner}",
            "exchange cards anew, and compare the fingerprints by telephone",
        )
    )
    left, steps = total, []
    for what, loss, how, back in moves:
        left -= loss
        steps.append(
            Move(
                what=what,
                loss=loss / total if total else 0.0,
                left=left / total if total else 0.0,
                how=how,
                back=back,
            )
        )
    return Untying(partner=partner, ties=tuple(ties), steps=tuple(steps))


def _streams(given: Sequence[Given]) -> Iterator[tuple[Category, str, float, float]]:
    """Category, topic, items and what is lost with them: the least first, and again of what is left."""
    left = list(given)
    while left:
        sums: dict[tuple[Category, str], tuple[float, float]] = {}
        for each in left:
            for topic in each.topics or ("",):
                items, loss = sums.get((each.category, str(topic)), (0.0, 0.0))
                sums[each.category, str(topic)] = items + each.items, loss + each.alone
        (category, name), (items, loss) = min(sums.items(), key=lambda each: (each[1][1], each[0]))
        yield category, name, items, loss
        left = [
            each
            for each in left
            if each.category != category or (name not in each.topics if name else bool(each.topics))
        ]
