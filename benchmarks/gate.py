"""How fast the gate is: CPU time of `consider` for one product and 8 or 32 partners.

    .venv/bin/python benchmarks/gate.py

Four kinds of product: a cyber product (whole or not); a report with ten portions that its label closes (a
tearline or not); one of a human source, open by its label (the agreements are asked twice: whole, then as a
tearline); and what another originator made (withheld at check 3). "new": every product has facts not
seen before, so that Cedar is asked each time; "known": the facts have been seen, the rulings are remembered.
Half of the partners share an agreement like the five-party one, each of the others has one of its own. The
last lines show where the time of a new human-source report with 32 partners goes.
"""

from __future__ import annotations

import cProfile
import itertools
import pstats
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.resources import files
from itertools import count

from msgspec.structs import replace

from tearline.agreement import Agreement, Agreements, between, load
from tearline.gate import consider
from tearline.terms import (
    Category,
    Discipline,
    Label,
    Level,
    Partner,
    Portion,
    Product,
    Reach,
    Region,
    Role,
    Topic,
    Use,
)

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ROUNDS = 150
FIVE = ("AUS", "CAN", "GBR", "NZL")
OTHERS = tuple(f"P{number:02}" for number in range(28))


def shipped(name: str) -> Agreement:
    folder = files("tearline.demo") / "agreements" / name
    manifest = (folder / "agreement.toml").read_text(encoding="utf-8")
    return load(manifest, (folder / "clauses.cedar").read_text(encoding="utf-8"), name)


def agreements(parties: list[str]) -> Agreements:
    bilateral = shipped("bilateral")
    allies, others = parties[: len(parties) // 2], parties[len(parties) // 2 :]
    five = shipped("five-eyes")
    wide = ", ".join(f'"{party}"' for party in ["USA", *allies])
    manifest = five.manifest.replace('"AUS", "CAN", "GBR", "NZL", "USA"', wide)
    coalition = five.clauses.replace('principal in Coalition::"FVEY"', "principal")
    pairs = [between(bilateral, ("USA", "UKR"), ("USA", party)) for party in others]
    return Agreements("USA", [load(manifest, coalition, "wide"), *pairs])


def partner(party: str) -> Partner:
    return Partner(
        party=party,
        name=party,
        tls_key="",
        signing_key="",
        url="",
        clearance=(("USA", Level.SECRET),),
        reach=Reach.AMBER,
    )


def cyber(originator: str) -> Iterator[Product]:
    secret = Label(level=(("USA", Level.CONFIDENTIAL),), owners=frozenset({originator}))
    for number, (topics, regions, use) in zip(count(), facts(), strict=False):
        yield Product(
            id=f"malware--{number}",
            version="2026-10-01T00:00:00.000Z",
            originator=originator,
            category=Category.CYBER,
            title="",
            created=datetime(2026, 10, 1, tzinfo=UTC),
            topics=topics,
            regions=regions,
            disciplines=frozenset({Discipline.CYBER}),
            marking=None,
            label=Label(level=secret.level, owners=secret.owners, use=use),
            content=b"{}",
        )


def report(parties: list[str], *, human: bool = False) -> Iterator[Product]:
    whole = Label(level=(("USA", Level.SECRET),), owners=frozenset({"USA"}))
    own, listed = frozenset({"USA"}), frozenset({"USA", *parties})
    closed = whole if human else replace(whole, release=own, display=own)
    partly = replace(whole, release=listed, display=listed)
    marks = [whole, partly, partly, whole, partly, whole, whole, partly, closed, closed]
    roles = [Role.TITLE] + [Role.BODY] * 8 + [Role.SOURCE]
    discipline = Discipline.HUMINT if human else Discipline.SIGINT
    for product, use in zip(cyber("USA"), itertools.cycle(Use), strict=False):
        portions = tuple(
            Portion(text=f"Paragraph {number}.", role=role, marking=None, label=replace(mark, use=use))
            for number, (mark, role) in enumerate(zip(marks, roles, strict=True))
        )
        yield replace(
            product,
            category=Category.REPORT,
            topics=product.topics | {Topic.LAND},
            disciplines=frozenset({discipline}),
            label=closed,
            portions=portions,
        )


def facts() -> Iterator[tuple[frozenset[Topic], frozenset[Region], Use]]:
    for topics in itertools.combinations(Topic, 2):
        for region in Region:
            for use in (Use.CLEAR, Use.GREEN):
                yield frozenset(topics), frozenset({region}), use


def measure(work: Callable[[Product], object], products: list[Product]) -> float:
    """Mean CPU seconds for one product."""
    start = time.process_time()
    for product in products:
        work(product)
    return (time.process_time() - start) / len(products)


def main() -> None:
    print(f"{'partners':>8}  {'product':<22} {'CPU ms':>8} {'products/s':>11} {'us/partner':>11}")
    for size in (8, 32):
        parties = [*FIVE, *OTHERS][:size]
        partners = [partner(party) for party in parties]
        kinds = {
            "cyber": cyber("USA"),
            "report": report(parties),
            "human source": report(parties, human=True),
            "received": cyber("FRA"),
        }
        for name, made in kinds.items():
            products = list(itertools.islice(made, ROUNDS + 1))
            rules = agreements(parties)

            def work(product: Product, rules: Agreements = rules, partners: list[Partner] = partners) -> None:
                outcomes = consider(product, partners, rules, NOW).values()
                if any(reason.code == "error" for outcome in outcomes for reason in outcome.reasons):
                    raise SystemExit("the gate ran into an error")

            work(products.pop())
            for state in ("new", "known"):
                spent = measure(work, products)
                print(
                    f"{size:>8}  {name + ', ' + state:<22} {spent * 1e3:>8.3f} {1 / spent:>11,.0f}"
                    f" {spent * 1e6 / size:>11.1f}"
                )
    profile = cProfile.Profile()
    rules = agreements(parties)
    products = list(itertools.islice(report(parties, human=True), ROUNDS))
    profile.runcall(lambda: [consider(product, partners, rules, NOW) for product in products])
    rows = pstats.Stats(profile).stats.items()  # type: ignore[attr-defined]
    print(
        "\nthe parts of a new human-source report with 32 partners, profiled (profiling slows Python code):"
    )
    for name in ("decide", "bars", "_release_whole", "_release_tearlines", "with_products", "ask"):
        spent = sum(row[3] for (_, _, function), row in rows if function == name)
        print(f"  {name:<20} {spent / len(products) * 1e3:>7.3f} ms")


if __name__ == "__main__":
    main()
