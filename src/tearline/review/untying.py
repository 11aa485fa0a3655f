"""How to come loose from a partner: what ties, and in which order to undo it with the least loss."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from tearline.review.dependency import Group
from tearline.terms import Party


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


def untying(own: Party, partner: Party, groups: Iterable[Group], ties: Sequence[Tie]) -> Untying:
    """What the partner alone gives goes stream by stream, one for each originator: the cheapest first.

    Streams share no item, so that what a step costs does not depend on the steps before it, and this order
    loses least at each. Technical ties are undone after what still needs them.
    """
    mine = [group for group in groups if group.holder == own]
    total = sum(group.now.value for group in mine)
    streams: dict[Party, float] = {}
    for group in mine:
        if partner in group.givers:
            alone = group.now.value if group.givers == {partner} else 0.0
            streams[group.originator] = streams.get(group.originator, 0.0) + alone
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
            f"do without what {originator} made and {partner} gives",
            loss,
            f"find another giver or source for it; until then take it as before ({loss:,.0f} of value)",
            "take it in again: nothing was told to the partner",
        )
        for originator, loss in sorted(streams.items(), key=lambda each: (each[1], each[0]))
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
