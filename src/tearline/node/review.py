"""A review of what a scenario implies, over the node's own records or over files of several nodes.

It decides nothing and stores nothing. Each part is asked of the room that knows it; what was not given (no
file of requirements, no estimates) is left out.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from sqlalchemy import Connection

from tearline.adapters import lake, store
from tearline.agreement import Agreement
from tearline.agreement.suspension import Scope, Suspension, compiled
from tearline.agreement.tables import Columns, Words
from tearline.node import agreement_record, consent
from tearline.node.mosaic import told_of
from tearline.node.opened import Node
from tearline.node.replay import Progress, compare
from tearline.node.requirements import seen_by
from tearline.node.sources import ask_vault
from tearline.review import Change, exposure, revised
from tearline.review.count import Rows
from tearline.review.coverage import Answering, Coverage, coverage
from tearline.review.dependency import Amount, Group, dependency
from tearline.review.relations import Relations
from tearline.review.replay import bits_of
from tearline.review.report import Review
from tearline.review.requirements import Requirement, worth
from tearline.review.scenario import Scenario
from tearline.review.untying import Given, Tie, Untying, untying
from tearline.terms import Category, Party, Refused

AFTER, ANSWERED = "after", "after the answer"
"""The rounds of a scenario: what it does, and what is left when partners have answered in kind."""
EXAMPLES = 3
_BATCH = 5_000
_REFERS = re.compile(rb'"([a-z0-9-]+--[0-9a-f-]{36})"')


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What a review reads beside the node's own records."""

    items: tuple[Path, ...] = ()
    """Files of items (docs/items-format.md) that agreements are replayed over, in place of what is held."""
    holdings: tuple[Path, ...] = ()
    """Files of holdings, in place of what the node knows of who holds what."""
    requirements: tuple[Requirement, ...] = ()
    edges: tuple[exposure.Edge, ...] = ()
    adversaries: tuple[Party, ...] = ()
    relations: Relations | None = None
    worlds: int = exposure.WORLDS
    seed: int = 0


def review(
    node: Node,
    scenario: Scenario,
    inputs: Inputs | None = None,
    *,
    partners: Collection[Party] = (),
    arguments: Sequence[str] = (),
    engine: Callable[[], lake.Lake] = lake.Lake.duckdb,
    examples: int = EXAMPLES,
    progress: Progress | None = None,
    doing: Callable[[str], None] = lambda what: None,
) -> Review:
    """All that is known of what the scenario implies. `arguments`: how it was asked for, to be shown.

    `doing` is told which part is worked on, `progress` how far the replay is.

    Raises `Refused` where the scenario names what this node does not know, `BadInput` for a file that cannot
    be taken.
    """
    inputs = inputs or Inputs()
    node.refresh()
    notes, after = _notes(node, scenario, inputs), supposed(node, scenario)
    follows = (scenario.adopt or scenario.expire) and not inputs.items
    with TemporaryDirectory(prefix="tearline-review-") as folder, engine() as opened:
        heard = _Heard(node.party, sorted(partners or node.partners))
        changes = None
        if scenario.changes_agreements:
            doing("replaying what was judged")
            changes = compare(
                node,
                after,
                inputs.items,
                partners=partners,
                period=scenario.period,
                examples=examples,
                progress=progress,
                heard=heard if follows else None,
            )
        doing("reading who holds what")
        files = inputs.holdings or (_own_holdings(node, Path(folder)),)
        held = opened.holdings(
            files,
            _rounds(node.party, scenario),
            changed=heard.changed(node, Path(folder)),
            since=scenario.period[0],
            until=scenario.period[1],
        )
        doing("counting")
        values = [worth(inputs.requirements, *kind) if inputs.requirements else 1.0 for kind in held.kinds]
        groups = _groups(held, values)
        covered = _coverage(node.party, held, inputs.requirements)
        partner = _about(scenario)
        untied = _untied(node, partner, held, values, groups, covered) if partner else None
    doing("reckoning how a release gets out")
    return Review(
        own=node.party,
        at=node.clock(),
        scenario=scenario,
        arguments=tuple(arguments),
        inputs=_told(node, inputs),
        notes=tuple(notes),
        changes=changes,
        dependency=dependency(groups, (AFTER, ANSWERED)),
        coverage=covered,
        seen=seen_by(node, inputs.requirements),
        reaches=exposure.reach(
            inputs.edges,
            sorted(partners or node.partners),
            inputs.adversaries,
            worlds=inputs.worlds,
            seed=inputs.seed,
        ),
        revealed=revealed(node, partners),
        relations=inputs.relations,
        untying=untied,
    )


# --- What is supposed -----------------------------------------------------------------------------


def supposed(node: Node, scenario: Scenario) -> tuple[Agreement, ...]:
    """The agreements that would be in force. Raises `Refused` for what is not known here."""
    found = tuple(node.agreements)
    for ended in scenario.expire:
        if ended.agreement not in {each.id for each in found}:
            raise Refused(f"no agreement {ended.agreement} is in force here")
        found = tuple(each for each in found if each.id != ended.agreement)
    for new in scenario.adopt:
        version = agreement_record.find(node, new.version)
        with node.reading() as db:
            found = revised(found, agreement_record.agreement_of(db, version))
    named = {each.partner for each in scenario.suspend} | {each.partner for each in scenario.answer}
    for partner in sorted(named - node.partners.keys()):
        raise Refused(f"{partner} is not a partner of this node")
    if not scenario.suspend:
        return found
    # No moment is in the clause, so that it holds for all of the past that is read.
    ordered = [
        Suspension(
            partner=each.partner,
            scope=Scope.read(each.scope),
            since=node.clock(),
            until=None,
            reason=scenario.title,
            officer="review",
        )
        for each in scenario.suspend
    ]
    return (*found, compiled(node.party, ordered))


def _rounds(own: Party, scenario: Scenario) -> list[list[lake.Cut]]:
    """What the scenario takes of copies, and what it takes with the answers in kind."""
    first = [lake.Cut(originator=each.originator) for each in scenario.stop]
    first += [_cut(own, each.partner, each.scope, 1.0) for each in scenario.suspend]
    return [first, [*first, *(_cut(each.partner, own, each.scope, each.share) for each in scenario.answer)]]


def _cut(giver: Party, holder: Party, scope: str, share: float) -> lake.Cut:
    read = Scope.read(scope)
    return lake.Cut(giver=giver, holder=holder, categories=read.categories, topics=read.topics, share=share)


def _notes(node: Node, scenario: Scenario, inputs: Inputs) -> Iterator[str]:
    if node.suspensions:
        named = ", ".join(sorted({each.partner for each in node.suspensions}))
        yield f"Suspended already, and counted as if they were not: {named}."
    if inputs.items and (scenario.adopt or scenario.expire):
        yield "The items are from files: what agreements change in them is not counted in who holds what."
    if scenario.answer:
        yield "What partners would answer is a supposition of the scenario, not a finding."


def _told(node: Node, inputs: Inputs) -> tuple[str, ...]:
    """What it was read from."""
    items = ", ".join(path.name for path in inputs.items)
    files = ", ".join(path.name for path in inputs.holdings)
    return (
        f"Changes: {items or 'all that this node holds'}.",
        f"Holdings: {files or f'what {node.party} knows: its own, and what it gave to each partner'}.",
    )


# --- Who holds what -------------------------------------------------------------------------------


def _own_holdings(node: Node, folder: Path) -> Path:
    path = folder / "own.parquet"
    export_holdings(node, path)
    return path


def export_holdings(node: Node, path: Path) -> int:
    """Write who holds what by whom, as far as this node knows; returns how many copies."""
    node.refresh()
    return lake.write(path, copies(node))


def copies(node: Node) -> Iterator[list[lake.Copy]]:
    """Every copy that this node has, and every one that it gave."""
    with node.reading() as db:
        came: defaultdict[str, list[tuple[Party, datetime]]] = defaultdict(list)
        for release, giver, name, at in store.objects_received(db):
            came[release].append((giver, datetime.fromisoformat(at)))
            came[name].append((giver, datetime.fromisoformat(at)))
        gave: defaultdict[int, list[tuple[Party, str, str, str | None]]] = defaultdict(list)
        for seq, partner, _, form, delivered, object_id in store.copies_given(db):
            gave[seq].append((partner, form, delivered, object_id))
        uses = _uses(node.party, db)
        batch: list[lake.Copy] = []
        for seq, received_as, product in store.about(db):
            batch += (
                _copy(product, node.party, giver, at, "whole", product.id, uses[product.id])
                for giver, at in _givers(product, received_as, came)
            )
            batch += (
                _copy(
                    product,
                    partner,
                    node.party,
                    datetime.fromisoformat(delivered),
                    form,
                    object_id or product.id,
                )
                for partner, form, delivered, object_id in gave.get(seq, ())
            )
            if len(batch) >= _BATCH:
                yield batch
                batch = []
        yield batch


def _givers(
    product: store.About, received_as: str | None, came: Mapping[str, list[tuple[Party, datetime]]]
) -> list[tuple[Party, datetime]]:
    """From whom this node has a product, and since when."""
    if received_as is None:
        return [(product.originator, product.created)]
    found = {*came.get(received_as, ()), *came.get(product.id, ())}
    giver = received_as.removeprefix("inbox of ")
    return sorted(found) or [(giver if giver != received_as else product.originator, product.created)]


def _copy(
    product: store.About, holder: Party, giver: Party, at: datetime, form: str, item: str, uses: int = 0
) -> lake.Copy:
    return lake.Copy(
        holder=holder,
        item=item,
        originator=product.originator,
        giver=giver,
        at=at,
        category=product.category,
        topics=product.topics,
        regions=product.regions,
        form=form,
        uses=uses,
    )


def _uses(own: Party, db: Connection) -> Counter[str]:
    """How many of the node's own STIX objects refer to each object."""
    found: Counter[str] = Counter()
    for name, content in store.contents(db, own, Category.CYBER):
        refers = {other.decode() for other in _REFERS.findall(content)}
        found.update(refers - {name})
    return found


class _Heard:
    """Which copies of this node new agreements end or make, told by the replay."""

    def __init__(self, own: Party, partners: Sequence[Party]) -> None:
        self._own, self._partners = own, partners
        self._found: list[tuple[lake.Copy, bool]] = []

    def __call__(self, part: Columns, items: Rows, found: Words) -> None:
        for change, gone in ((Change.WITHHELD, True), (Change.RELEASED, False)):
            for partner, row in bits_of(found, change, items, self._partners):
                at = part.row(row)
                copy = lake.Copy(
                    holder=partner,
                    item=at.id,
                    originator=at.facts.originator,
                    giver=self._own,
                    at=at.at,
                    category=at.facts.category,
                    topics=sorted(at.facts.topics),
                    regions=sorted(at.facts.regions),
                    form="tearline",
                )
                self._found.append((copy, gone))

    def changed(self, node: Node, folder: Path) -> lake.Changed | None:
        """For the lake; under the ids that partners know the products by."""
        if not self._found:
            return None
        known: defaultdict[tuple[Party, str], set[str]] = defaultdict(set)
        with node.reading() as db:
            ids = {held.seq: held.product.id for held in store.held(db)}
            for seq, partner, _, _, _, object_id in store.copies_given(db):
                known[partner, ids[seq]].add(object_id or ids[seq])
        path = folder / "changed.parquet"
        lake.write_changed(
            path,
            (
                (copy._replace(item=item), gone)
                for copy, gone in self._found
                for item in sorted(known.get((copy.holder, copy.item), {copy.item}))
            ),
        )
        return lake.Changed(self._own, path)


def _groups(held: lake.Holdings, values: Sequence[float]) -> list[Group]:
    return [
        Group(
            each.holder,
            each.originator,
            each.givers,
            Amount(each.items, each.value),
            tuple(Amount(*left) for left in each.left),
        )
        for each in held.shares(values)
    ]


def _coverage(own: Party, held: lake.Holdings, requirements: Sequence[Requirement]) -> Coverage | None:
    months = held.months()
    if not requirements or months is None:
        return None
    asked = [
        lake.Asked(number, kind, requirement.holder or own, requirement.form == "whole")
        for number, requirement in enumerate(requirements)
        for kind, facts in enumerate(held.kinds)
        if requirement.fits(*facts)
    ]
    answers = [
        Answering(each.requirement, each.originator, each.month, (each.items, *each.left))
        for each in held.answers(asked)
    ]
    return coverage(requirements, answers, months, ("now", AFTER, ANSWERED), own)


# --- Sources and ties -----------------------------------------------------------------------------


def revealed(node: Node, partners: Collection[Party] = ()) -> tuple[exposure.Revealed, ...]:
    """What each partner could leak of each source that it was told of, the most exposed first."""
    with node.reading() as db:
        known = told_of(db, sorted(store.links(db)))
    owed = _owed(node) if known else {}
    return exposure.ranked(
        exposure.Revealed(
            partner=party,
            source=source,
            facts=sum(map(len, facts)),
            persons=table.size,
            left=len(table.candidates(facts)),
            left_pooled=len(table.candidates(told.to_all())),
            k=owed.get(source),
        )
        for source, (table, told) in known.items()
        for party, facts in sorted(told.by_partner.items())
        if facts and (not partners or party in partners)
    )


def _owed(node: Node) -> dict[str, int]:
    try:
        with ask_vault(node) as client:
            return {each.cryptonym: each.obligations.k for each in client.sources()}
    except Refused:
        return {}


def _about(scenario: Scenario) -> Party | None:
    """The one partner that the scenario suspends."""
    about = {each.partner for each in scenario.suspend}
    return about.pop() if len(about) == 1 else None


def _untied(
    node: Node,
    partner: Party,
    held: lake.Holdings,
    values: Sequence[float],
    groups: Sequence[Group],
    covered: Coverage | None,
) -> Untying:
    with node.reading() as db:
        waiting = sum(1 for _ in store.waiting_products(db, partner))
    shared = [each for each in node.agreements if partner in each.parties]
    ties = [Tie("agreement", each.id, len(each.parsed)) for each in shared]
    ties += _consents(node, partner)
    its = node.partners[partner]
    ties.append(Tie("key", "keys that it signs and connects with", 2 + len(its.former_keys)))
    if waiting:
        ties.append(Tie("delivery waiting", f"releases to {partner} that have not gone", waiting))
    if covered:
        ties += [Tie("requirement", each.requirement) for each in covered.rows if each.sole == partner]
    given = [
        Given(held.kinds[kind].category, held.kinds[kind].topics, items, alone)
        for kind, items, alone in held.given(node.party, partner, values)
    ]
    total = sum(group.now.value for group in groups if group.holder == node.party)
    return untying(partner, total, given, ties)


def _consents(node: Node, partner: Party) -> Iterator[Tie]:
    kept = [each.consent for each in consent.listed(node)[0] if each.state == "in force"]
    given = [each for each in kept if each.originator == node.party and each.holder == partner]
    held = [each for each in kept if each.holder == node.party and each.originator == partner]
    if given:
        yield Tie("consent given", f"onward releases that we let {partner} make", len(given))
    if held:
        yield Tie("consent held", f"onward releases that rest on {partner}'s yes", len(held))
