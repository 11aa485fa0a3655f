"""Agreements as plain data: rendered for the nodes, and judged naively for the observer.

The observer must not trust what it tests. So what an agreement means is written here a second time, from the
laws alone, over data that has no Cedar in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache

import msgspec

from tearline.agreement import Agreement, load
from tearline.terms import Party, Topic

WHOLE, TEARLINE = "release", "releaseTearline"
RANKS = ("UNCLASSIFIED", "CONFIDENTIAL", "SECRET")
"""The levels for which every deal's table has a row. TOP SECRET has none."""


class Clause(msgspec.Struct, frozen=True):
    """Who may get what, or must not. Empty fields ask nothing. `not_humint`: unless a person told us."""

    effect: str
    actions: tuple[str, ...]
    who: Party = ""
    category: str = ""
    topics: tuple[Topic, ...] = ()
    level: int = 9
    """The highest rank on the common scale; 9 asks nothing."""
    not_humint: bool = False


class Deal(msgspec.Struct, frozen=True):
    """An agreement. It holds from the day `first` until the day `end` begins."""

    id: str
    parties: tuple[Party, ...]
    clauses: tuple[Clause, ...]
    first: date
    end: date


class Facts(msgspec.Struct, frozen=True):
    """What a deal may ask of a product, or of the part of it that is to go."""

    category: str
    topics: frozenset[Topic]
    humint: bool
    level: int
    """The highest rank of any policy; 9 where a table has no row for it."""


CYBER = Clause("permit", (WHOLE,), category="cyber", level=3, not_humint=True)
REPORTS = Clause("permit", (WHOLE,), category="report", level=3, not_humint=True)
LINES = Clause("permit", (TEARLINE,), category="report", level=3)
WARNING = Clause("permit", (WHOLE,), topics=(Topic.THREAT_TO_LIFE,), level=2)
RED_LINE = Clause("forbid", (WHOLE, TEARLINE), topics=(Topic.PROLIFERATION,))
MARITIME = Clause("permit", (WHOLE,), category="report", topics=(Topic.MARITIME,), not_humint=True)
BREAKS_CHARTER = Clause("permit", (WHOLE,), category="report", level=2)
"""It lets go whole what a person told us: charter C5 is broken, so no version with it can be adopted."""

TEXTS: dict[str, tuple[Clause, ...]] = {
    "plain": (CYBER, REPORTS, LINES, RED_LINE),
    "warning": (CYBER, WARNING, LINES, RED_LINE),
    "narrow": (CYBER, LINES),
    "sea": (MARITIME, LINES, RED_LINE),
    "nothing": (RED_LINE,),
    "unsound": (BREAKS_CHARTER, LINES),
}
"""Every text that officers propose. Which of them keep the charter, the prover was asked beforehand: see
`KEEPS_CHARTER`."""

KEEPS_CHARTER = {name: name != "unsound" for name in TEXTS}
"""What both solvers answer for each text (`tests/unit/simulate/test_deals.py` asks them). A simulated year
cannot wait for them at each adoption."""


def permits(
    deals: Iterable[Deal], own: Party, partner: Party, facts: Facts, action: str, now: datetime
) -> bool:
    """Whether the deals in force permit: no forbid holds, and a permit of a deal with the partner does."""
    found = False
    for deal in deals:
        if own not in deal.parties or not deal.first <= now.date() < deal.end:
            continue
        for clause in deal.clauses:
            if action in clause.actions and _holds(clause, partner, facts):
                if clause.effect == "forbid":
                    return False
                found |= partner in deal.parties and facts.level < 9
    return found


def _holds(clause: Clause, partner: Party, facts: Facts) -> bool:
    return (
        clause.who in ("", partner)
        and clause.category in ("", facts.category)
        and (not clause.topics or not facts.topics.isdisjoint(clause.topics))
        and (clause.level == 9 or facts.level <= clause.level)
        and not (clause.not_humint and facts.humint)
    )


# --- Rendering ------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def agreement(deal: Deal) -> Agreement:
    """The deal as an agreement: a manifest and clauses in Cedar."""
    clauses = "\n".join(_clause(number, clause) for number, clause in enumerate(deal.clauses, 1))
    return load(_manifest(deal), clauses, deal.id)


def _manifest(deal: Deal) -> str:
    parties = ", ".join(f'"{party}"' for party in deal.parties)
    rows = "\n".join(f'{rank} = "{rank}"' for rank in RANKS)
    tables = "\n".join(f"[levels.{party}]\n{rows}" for party in deal.parties)
    return (
        f'id = "{deal.id}"\ntitle = "Agreement {deal.id}"\nparties = [{parties}]\n'
        f"valid_from = {deal.first}\nvalid_until = {deal.end}\n{tables}\n"
    )


def _clause(number: int, clause: Clause) -> str:
    who = f' == Partner::"{clause.who}"' if clause.who else ""
    action = f' == Action::"{clause.actions[0]}"' if len(clause.actions) == 1 else ' in Action::"share"'
    tests = [f'resource.category == Category::"{clause.category}"'] if clause.category else []
    if clause.topics:
        topics = ", ".join(f'Topic::"{topic}"' for topic in clause.topics)
        tests.append(f"resource.topics.containsAny([{topics}])")
    if clause.level != 9:
        tests.append(f"resource.level <= {clause.level}")
    when = f"\nwhen {{ {' && '.join(tests)} }}" if tests else ""
    unless = '\nunless { resource.disciplines.contains(Discipline::"humint") }' if clause.not_humint else ""
    return (
        f'@id("c{number}") @reason("Example.")\n'
        f"{clause.effect} (principal{who}, action{action}, resource){when}{unless};"
    )
