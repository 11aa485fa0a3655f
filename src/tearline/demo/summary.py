"""What a newcomer sees: the live table while it runs, and the summary at the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tearline.adapters import store
from tearline.demo.coalition import NAMES
from tearline.demo.run import PULL_INTERVAL, Run, Snapshot
from tearline.gate import CODES
from tearline.node import Node, progress, quorum, tally
from tearline.terms import Party


def live(snapshot: Snapshot) -> Table:
    """The table that is shown while the demo runs."""
    table = Table(title=f"Eight nodes at work, {snapshot.files_left} inputs to go", title_justify="left")
    for heading in ("node", "products", "considered", "releases", "delivered", "received"):
        table.add_column(heading, justify="left" if heading == "node" else "right")
    for party, node in snapshot.progress.items():
        table.add_row(
            f"{party} [dim]{NAMES[party]}[/dim]",
            f"{node.products:,}",
            f"{node.considered:,}",
            f"{node.released:,}",
            f"{node.delivered:,}",
            f"{node.received:,}",
        )
    return table


def show(run: Run, console: Console) -> None:
    """Print who got how much of what from whom, what was withheld and why, and how fast it went."""
    given: Counter[tuple[Party, Party, str]] = Counter()
    kinds: Counter[tuple[str, str]] = Counter()
    withheld: dict[Party, Counter[tuple[str, str, str]]] = defaultdict(Counter)
    waits: list[float] = []
    products = 0
    for party, home in run.homes.items():
        with Node.open(home) as node:
            products += progress(node).products
            for partner, kind, code, clause, count in tally(node, own=True):
                given[party, partner, kind] += count
                if kind in ("withhold", "refer"):
                    withheld[party][kind, code, clause] += count
            with node.reading() as db:
                for category, form, count in store.given_by_category(db):
                    kinds[category, form] += count
                for _, _, at, issued in store.received(db, messages=False):
                    waits.append((_instant(at) - _instant(issued)).total_seconds())
    console.print(_who_got_what(run, given))
    console.print(_of_what(kinds))
    console.print(_withheld(run, withheld))
    console.print(_lives(run))
    console.print(_how_fast(run, products, waits))


def _who_got_what(run: Run, given: Counter[tuple[Party, Party, str]]) -> Table:
    table = Table(
        title="Who got how much from whom: products whole + tearlines",
        caption="A row gives, a column gets.",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("from \\ to")
    for party in run.homes:
        table.add_column(party, justify="right")
    table.add_column("given", justify="right", style="bold")
    for giver in run.homes:
        cells = []
        for taker in run.homes:
            whole, tearline = given[giver, taker, "whole"], given[giver, taker, "tearline"]
            cells.append("" if giver == taker else f"{whole:,}" + (f" + {tearline}" if tearline else ""))
        total = sum(n for (g, _, kind), n in given.items() if g == giver and kind in ("whole", "tearline"))
        table.add_row(giver, *cells, f"{total:,}")
    return table


def _of_what(kinds: Counter[tuple[str, str]]) -> Table:
    table = Table(title="Of what", title_justify="left")
    table.add_column("category")
    table.add_column("released whole", justify="right")
    table.add_column("as a tearline", justify="right")
    for category in sorted({category for category, _ in kinds}):
        table.add_row(category, f"{kinds[category, 'whole']:,}", f"{kinds[category, 'tearline']:,}")
    return table


def _withheld(run: Run, withheld: dict[Party, Counter[tuple[str, str, str]]]) -> Table:
    table = Table(
        title="What was not released, and why: decisions",
        caption="Each column is one node's own view: nobody else can see it. See docs/outcomes.md.",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("because")
    for party in run.homes:
        table.add_column(party, justify="right")
    reasons = sum(withheld.values(), Counter())
    for reason, _ in reasons.most_common():
        kind, code, clause = reason
        because = f"{CODES[code]} [dim]({clause})[/dim]" if clause else CODES[code]
        cells = (f"{withheld[party][reason] or ''}" for party in run.homes)
        table.add_row(f"{because} [yellow]-> an officer[/yellow]" if kind == "refer" else because, *cells)
    return table


def _how_fast(run: Run, products: int, waits: list[float]) -> Text:
    waits.sort()

    def at(share: float) -> str:
        return f"{waits[min(len(waits) - 1, int(len(waits) * share))] * 1000:,.0f} ms"

    sentence = (
        f"{products:,} products, {len(waits):,} releases received in {run.seconds:.1f} s "
        f"({len(waits) / run.seconds:,.0f} a second)."
    )
    if waits:
        sentence += (
            f" From the decision to the partner's verified copy: half within {at(0.5)}, "
            f"99 of 100 within {at(0.99)}; partners look every {PULL_INTERVAL * 1000:,.0f} ms."
        )
    return Text(sentence)


def _instant(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)


def _lives(run: Run) -> Text:
    """By what right anything went: the life of every agreement in force."""
    in_force, officers = 0, 0
    for home in run.homes.values():
        with Node.open(home) as node:
            in_force, officers = in_force + len(node.agreements), quorum(node)
    return Text(
        f"{in_force} agreements are in force at the {len(run.homes)} nodes, each proved to keep the charter, "
        f"reviewed, and approved by {officers} officers."
    )


def desk_hint(homes: dict[Party, Path]) -> str:
    """How to look further into nodes that stay up."""
    first = next(iter(homes.values()))
    return (
        f"The nodes stay up until Ctrl-C. Look into one: tearline --home {first} status, "
        f"and into the life of an agreement: tearline --home {first} agreement history five-eyes"
    )
