"""The lattice of labels: `join` what is combined, ask whether one `dominates` another, and who `may` have it.

Every axis is a lattice of its own and every question about a recipient is a down-set of it, so that
`may(join(a, b), r)` holds exactly when `may(a, r)` and `may(b, r)` do.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

import msgspec

from tearline.terms import Label, Level, Party, Policy, Recipient

BOTTOM = Label()
"""Bars nobody; the unit of `join`."""


def join(a: Label, b: Label) -> Label:
    """The least label that is at least as narrow as both: the label of what combines `a` and `b`."""
    return Label(
        level=_highest(a.level, b.level),
        need=a.need | b.need,
        release=_common(a.release, b.release),
        display=_common(a.display, b.display),
        reach=max(a.reach, b.reach),
        use=max(a.use, b.use),
        owners=a.owners | b.owners,
        consent=a.consent | b.consent,
        duties=a.duties | b.duties,
        info=a.info | b.info,
    )


def join_all(labels: Iterable[Label]) -> Label:
    """The join of any number of labels; `BOTTOM` for none."""
    return reduce(join, labels, BOTTOM)


def dominates(a: Label, b: Label) -> bool:
    """Whether `a` is at least as narrow as `b` on every axis."""
    return join(a, b) == a


def bars(label: Label, recipient: Recipient) -> tuple[str, ...]:
    """The axes on which `label` keeps `recipient` out, in a fixed order; empty when none does.

    `level` no clearance row, or one too low; `need` not read in; `release` not on the releasability
    list; `reach`/`use` beyond what the recipient undertakes; `duties` not accepted; `owners` an
    owner (other than the recipient) has not consented.
    """
    clearance = dict(recipient.clearance)
    found = {
        "level": any(policy not in clearance or clearance[policy] < rank for policy, rank in label.level),
        "need": not label.need <= recipient.needs,
        "release": label.release is not None and recipient.party not in label.release,
        "reach": label.reach > recipient.reach,
        "use": label.use > recipient.use,
        "duties": not label.duties <= recipient.duties,
        "owners": not (label.owners | label.consent) <= recipient.consents | {recipient.party},
    }
    return tuple(axis for axis, barred in found.items() if barred)


def may(label: Label, recipient: Recipient) -> bool:
    """Whether `label` lets `recipient` have a copy. Total: every label and recipient has an answer."""
    return not bars(label, recipient)


def may_be_shown(label: Label, recipient: Recipient) -> bool:
    """Whether `recipient` may at least be shown it (DISPLAY ONLY), were it not for the releasability list."""
    shown = label.display is None or recipient.party in label.display
    return shown and set(bars(label, recipient)) <= {"release"}


def narrow(label: Label, recipient: Party) -> Label:
    """`label` with its lists cut to owners and recipient: a full list tells who else received it (law 5)."""
    keep = label.owners | {recipient}
    return msgspec.structs.replace(
        label,
        release=None if label.release is None else label.release & keep,
        display=None if label.display is None else label.display & keep,
    )


def _highest(
    a: tuple[tuple[Policy, Level], ...], b: tuple[tuple[Policy, Level], ...]
) -> tuple[tuple[Policy, Level], ...]:
    ranks = dict(a)
    for policy, rank in b:
        ranks[policy] = max(rank, ranks.get(policy, rank))
    return tuple(sorted(ranks.items()))


def _common(a: frozenset[Party] | None, b: frozenset[Party] | None) -> frozenset[Party] | None:
    if a is None or b is None:
        return a if b is None else b
    return a & b
