"""Invented reports with many places that can be marked, for the tests of marks and traces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tearline import deliver
from tearline.adapters.home import Marks
from tearline.node import Node
from tests.unit.node.world import page

FIRST = """\
About 40 lorries were seen near the railway station of Velna on 3 October 2026, although the drivers
did not begin to unload them until the evening. For example, fuel was carried together with spare
parts. Nevertheless, the first column came back from the depot shortly after midnight. Because of
the rain, the lower road was mostly closed; the drivers tried to use the northern road instead of
the bridge. Afterwards almost everyone was kept in the yard, apart from the guards. The repair was
carried out quickly despite the weather.
"""
SECOND = """\
The whole area is located close to the river Osk, and in addition to the lorries more than 1200
crates were stored there. At first nobody took part in the loading except for the crews; at the same
time, the harbour office asked for 12 cranes. The work took place from time to time during the
night, and the following day the cranes were completely covered. It is often said that the depot is
owned by someone in Trelsk. On 9 October 2026 the gate was once more guarded by approximately 30
men, and they seemed to wait for each other.
"""
THIRD = """\
Nobody knows if the barges will return. Several times a week a boat stops in front of the old pier,
usually at dawn, and the goods are brought to the warehouse by hand. Shortly before the inspection
of 11 October 2026 the papers were in part destroyed on purpose. The owners were unable to explain
it, and therefore the port closed the pier until now. However, the previous day the manager was
allowed to enter, in order to look for the books.
"""
TEXTS = (FIRST, SECOND, THIRD)
_TITLES = ("Lorries at Velna", "Crates on the Osk", "The old pier")


def report(texts: Sequence[str], *, title: str = "", narrow: str = "", name: str = "", day: int = 14) -> str:
    """A report of GBR; `narrow` is a paragraph that stays with GBR, and makes a tearline of the rest."""
    wide = "//GBR SECRET//REL TO USA, AUS, CAN, GBR, NZL"
    banner = "//GBR SECRET" if narrow else wide
    portions = [f"(//GBR S{wide.removeprefix('//GBR SECRET')}) {' '.join(text.split())}" for text in texts]
    portions += [f"(//GBR S) {narrow}"] if narrow else []
    head = [f"Id: {name}"] if name else []
    lines = [
        banner,
        f"Title: (//GBR U) {title or _TITLES[0]}",
        *head,
        f"Date: 2026-10-{day:02}T05:00:00Z",
        "Topics: land",
        "Regions: eastern-europe",
        "Discipline: osint",
        "",
        "\n\n".join(portions),
        "",
        banner,
    ]
    return "\n".join(lines) + "\n"


def mark(node: Node, **says: Any) -> Node:
    """Let a node mark what it releases from now on."""
    marks = Marks(**{"text": True, **says})
    node.home.config = msgspec.structs.replace(node.home.config, marks=marks)
    return node


def reports(giver: Node, taker: Node) -> list[dict[str, Any]]:
    """The reports that stand in a view, every version."""
    return [item for item in page(giver, taker) if item["type"] == "report"]


def body(item: dict[str, Any]) -> str:
    """What a report tells, without portion marks."""
    return deliver.undressed(item["description"])[0]
