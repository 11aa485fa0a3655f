"""`tearline simulate`: a coalition of real nodes over a simulated network, and the ten laws checked."""

from __future__ import annotations

import sys
from itertools import count

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tearline.simulate import FAULTS, Plan, Report, run
from tearline.terms import BadInput


@click.command()
@click.option("--nodes", type=click.IntRange(3, 64), default=8, show_default=True, help="How many nodes.")
@click.option("--days", type=click.FloatRange(0.01, 36_500), default=365, show_default=True, help="How long.")
@click.option("--seed", default=7, show_default=True, help="Everything is drawn from it.")
@click.option(
    "--faults",
    default="all",
    show_default=True,
    metavar="all|none|LIST",
    help=f"What may go wrong, with commas between: {', '.join(FAULTS)}.",
)
@click.option(
    "--events", type=click.IntRange(0), default=0, help="Stop after so many events, then heal and check."
)
@click.option(
    "--products", type=click.FloatRange(0, 100), default=0.2, show_default=True, help="A node and day."
)
@click.option(
    "--deeds",
    type=click.FloatRange(0, 100),
    default=0.02,
    show_default=True,
    help="Officers' deeds, a node and day.",
)
@click.option(
    "--stress", type=click.FloatRange(0.1, 100), default=1, show_default=True, help="How often faults come."
)
@click.option("--trace", is_flag=True, help="Print every event but polls and ticks that bring nothing.")
@click.option("--forever", is_flag=True, help="Go on with the next seed until stopped or a law is broken.")
@click.option("--json", "as_json", is_flag=True, help="Print each report as a line of JSON.")
def simulate(
    nodes: int,
    days: float,
    seed: int,
    faults: str,
    events: int,
    products: float,
    deeds: float,
    stress: float,
    trace: bool,
    forever: bool,
    as_json: bool,
) -> None:
    """Run a coalition over a simulated network and clock, break what can break, and check the ten laws.

    The nodes are the real ones; network, clock, randomness and disks are simulated, all from one seed. The
    same options give the same run, to the byte. Ends with status 1, and says how to see it again, when a law
    was broken.
    """
    plan = Plan(
        nodes=nodes,
        days=days,
        seed=seed,
        faults=_faults(faults),
        events=events,
        products=products,
        deeds=deeds,
        stress=stress,
    )
    for number in count(seed) if forever else (seed,):
        report = _one(msgspec.structs.replace(plan, seed=number), trace)
        if as_json:
            click.echo(msgspec.json.encode(report))
        else:
            click.echo("\n".join(_sentences(report)))
        if report.breaches:
            sys.exit(1)


def _one(plan: Plan, trace: bool) -> Report:
    console = Console(stderr=True)
    columns = (
        TextColumn("seed {task.description}"),
        BarColumn(),
        TextColumn("{task.fields[events]:,} events"),
    )
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task(str(plan.seed), total=1.0, events=0)
        return run(
            plan,
            watch=lambda part, events: progress.update(task, completed=part, events=events),
            trace=click.echo if trace else None,
        )


def _faults(text: str) -> tuple[str, ...]:
    if text in ("all", "none"):
        return FAULTS if text == "all" else ()
    named = tuple(dict.fromkeys(word.strip() for word in text.split(",")))
    for name in named:
        if name not in FAULTS:
            raise BadInput("--faults", "", f"{name!r} is no fault", f"known are {', '.join(FAULTS)}")
    return named


def _sentences(report: Report) -> list[str]:
    plan, cpu = report.plan, max(report.cpu_seconds, 0.001)
    lines = [
        f"Seed {plan.seed}: {plan.nodes} nodes, {report.node_years:.1f} node-years in "
        f"{report.wall_seconds:.0f} s ({report.cpu_seconds:.0f} s of CPU).",
        f"{report.events:,} events ({report.events / cpu:,.0f} a CPU second); {report.working:,} of them not "
        f"a poll or tick that brought nothing ({report.working / cpu:,.0f} a CPU second): "
        + _counted(report.by_kind)
        + ".",
        f"Faults: {_counted(report.faults) or 'none'}.",
        f"{report.products:,} products, {report.releases:,} releases, {report.received:,} received.",
        f"Digest {report.digest[:16]}.",
    ]
    if not report.breaches:
        return [*lines, "No law was broken."]
    first = min(report.breaches, key=lambda breach: breach.event)
    lines += [f"BROKEN: law {each.law}, event {each.event}: {each.what}." for each in report.breaches[:20]]
    if len(report.breaches) > 20:
        lines.append(f"... and {len(report.breaches) - 20} more.")
    faults = ",".join(plan.faults) or "none"
    again = (
        f"tearline simulate --nodes {plan.nodes} --days {plan.days:g} --seed {plan.seed} --faults {faults} "
        f"--products {plan.products:g} --deeds {plan.deeds:g} --stress {plan.stress:g} --events {first.event}"
    )
    return [*lines, f"See it again: {again} --trace"]


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{kind} {number:,}" for kind, number in counts.items())
