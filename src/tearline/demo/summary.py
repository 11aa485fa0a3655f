"""What a newcomer sees: the live table while it runs, and the summary at the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tearline import deliver
from tearline.adapters import store
from tearline.demo.coalition import NAMES
from tearline.demo.desk import ROLES, OpenDesk
from tearline.demo.run import PULL_INTERVAL, Run, Snapshot
from tearline.gate import CODES
from tearline.node import Node, progress, quorum, tally
from tearline.terms import Imagery, Media, Party


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
    console.print(_files(run))
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


class _Shared(NamedTuple):
    """A picture or recording of one node: what each partner got of it, in words."""

    originator: Party
    what: str
    got: dict[Party, str]


def _files(run: Run) -> Table:
    table = Table(
        title="Pictures and recordings: in which form, and whether the file was fetched",
        caption="whole, or the name of the agreement's form; + the partner holds the file that was signed.",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("of")
    for party in run.homes:
        table.add_column(party)
    held = {party: _digests(home) for party, home in run.homes.items()}
    for home in run.homes.values():
        for each in _shared(home, held):
            cells = ("" if party == each.originator else each.got.get(party, "-") for party in run.homes)
            table.add_row(f"{each.originator} [dim]{each.what}[/dim]", *cells)
    return table


def _shared(home: Path, held: dict[Party, set[str]]) -> Iterator[_Shared]:
    """What became of each picture and recording of one node."""
    with Node.open(home) as node:
        with node.reading() as db:
            answers = store.answers_about_files(db)
            own = {
                each.seq: msgspec.json.decode(each.product.content, type=Media)
                for each in store.held(db)
                if deliver.is_media(each.product) and each.received_as is None
            }
            sent = {(seq, to): release for to, release, seq, _, _ in store.releases(db)}
        digests = {
            (party, file.release): file.sha256
            for party in node.partners
            for file in node.view(party).released_files()
        }
    for seq, media in own.items():
        got = {}
        for each in answers:
            if each.product == seq and (release := sent.get((seq, each.partner))) is not None:
                fetched = digests.get((each.partner, release)) in held[each.partner]
                form = "whole" if each.kind == "whole" else each.form
                got[each.partner] = f"{form} +" if fetched else form
        yield _Shared(node.party, _what(media), got)


def _what(media: Media) -> str:
    facts = media.facts
    if isinstance(facts, Imagery):
        return "picture" if facts.gsd_m is None else f"picture, {facts.gsd_m:.3g} m"
    return "recording" if facts.centre_hz is None else f"recording, {facts.centre_hz / 1e6:.5g} MHz"


def _digests(home: Path) -> set[str]:
    """Of all files that a node holds."""
    return {path.parent.name + path.name for path in (home / "blobs").glob("??/*")}


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


def nodes_hint(homes: dict[Party, Path]) -> str:
    """How to look further into nodes that stay up."""
    first = next(iter(homes.values()))
    return (
        f"The nodes stay up. Look into one: tearline --home {first} status, "
        f"and into the life of an agreement: tearline --home {first} agreement history five-eyes"
    )


def desk_hint(desk: OpenDesk) -> Iterator[str]:
    """The last lines: where the desk is, who can get in, and how it all ends. Each is whole, to be copied."""
    yield f"The officers' desk of {NAMES[desk.party]}: {desk.address}"
    for name, link in desk.links.items():
        yield f"{name} ({', '.join(sorted(ROLES[name]))}) logs in by: {link}"
    yield f"Their signing keys are at the desk, and open with: {desk.passphrase}"
    yield "The certificate is the node's own: a browser asks before it goes on, and takes no passkeys there."
    yield "Each link works once; choose a password and a code. Ctrl-C ends the desk and the nodes."
