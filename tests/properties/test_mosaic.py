"""Law 3: k persons always remain, and no decision depends on who the source really is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap
from sqlalchemy import create_engine

from tearline.adapters import store
from tearline.adapters.population import Table, pack
from tearline.gate import mosaic
from tearline.gate.mosaic import Facts, Plan, Population, Told, plan
from tearline.node.mosaic import told_of

PARTNERS = ("GBR", "FRA", "UKR")
Row = tuple[str, str, str | None]
Decide = Callable[..., Plan]

rows: st.SearchStrategy[list[Row]] = st.lists(
    st.tuples(
        st.sampled_from(["a1", "a2", "b1", "b2", "b3"]),
        st.sampled_from(["pilot", "clerk", "diver"]),
        st.sampled_from(["yes", "no", None]),
    ),
    min_size=4,
    max_size=24,
)
asked = st.lists(
    st.tuples(
        st.sampled_from(PARTNERS),
        st.lists(
            st.sampled_from(["town", "district", "trade", "access"]), min_size=1, max_size=3, unique=True
        ),
    ),
    min_size=1,
    max_size=6,
)


def table(people: Sequence[Row]) -> Population:
    town, trade, access = zip(*people, strict=True)
    columns = {"town": town, "district": [name[0] for name in town], "trade": trade, "access": access}
    return Population(columns, coarser={"town": "district"})


def facts_of(person: Row, names: Sequence[str]) -> dict[str, str]:
    town, trade, access = person
    known = {"town": town, "district": town[0], "trade": trade, "access": access}
    return {name: value for name in names if (value := known[name]) is not None}


def keep(source: Row) -> Decide:
    """What decides: knows nothing of the source."""
    return mosaic.plan


def live(
    people: Sequence[Row],
    source: Row,
    questions: Sequence[tuple[str, list[str]]],
    k: int,
    rule: Callable[[Row], Decide] = keep,
) -> tuple[list[Plan], list[Facts]]:
    """The decisions on these questions in order, and all that was told, where `source` is the source."""
    population = table(people)
    told: dict[str, list[Facts]] = {partner: [] for partner in PARTNERS}
    plans = []
    for partner, names in questions:
        facts = facts_of(source, names)
        made = rule(source)(population, Told(told), partner, facts, k)
        plans.append(made)
        told[partner].append(made.apply(population, facts))
    return plans, Told(told).to_all()


@given(rows, asked, st.integers(2, 5), st.data())
@settings(max_examples=200, deadline=None)
def test_k_always_remain_and_the_source_is_among_them(
    people: list[Row], questions: list[tuple[str, list[str]]], k: int, data: st.DataObject
) -> None:
    source = data.draw(st.sampled_from(people))
    _, told = live(people, source, questions, k)
    left = table(people).candidates(told)
    assert people.index(source) in left
    assert len(left) >= min(k, len(people))


def differ(
    people: Sequence[Row],
    questions: Sequence[tuple[str, list[str]]],
    k: int,
    rule: Callable[[Row], Decide] = keep,
) -> bool:
    """Whether a decision tells two persons apart whom nothing told so far told apart.

    Compared are persons of whom the same is known: a source whose trade nobody knows is never asked for it.
    """
    full = [person for person in people if None not in person]
    for source in full:
        for other in full:
            mine, theirs = (live(people, who, questions, k, rule)[0] for who in (source, other))
            apart = next((n for n, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b), None)
            if apart is not None:
                _, told = live(people, source, questions[:apart], k, rule)
                if people.index(other) in table(people).candidates(told):
                    return True
    return False


@given(rows.filter(lambda made: len(made) <= 10), asked, st.integers(2, 4))
@settings(max_examples=80, deadline=None)
def test_no_decision_depends_on_who_the_source_is(
    people: list[Row], questions: list[tuple[str, list[str]]], k: int
) -> None:
    assert not differ(people, questions, k)


# --- Planted faults --------------------------------------------------------------------------------

CROWD: list[Row] = [
    ("a1", "pilot", "yes"), ("a1", "pilot", "yes"), ("a1", "clerk", "yes"), ("a1", "clerk", "no"),
    ("b1", "pilot", "yes"), ("b2", "clerk", "no"), ("b2", "diver", "yes"), ("b3", "diver", "no"),
]  # fmt: skip
QUESTIONS = [("GBR", ["trade"]), ("FRA", ["town"]), ("GBR", ["access"]), ("UKR", ["town", "trade"])]


def unsafe(people: Sequence[Row], questions: Sequence[tuple[str, list[str]]], k: int) -> bool:
    return any(len(table(people).candidates(live(people, who, questions, k)[1])) < k for who in people)


def best_case(patch: pytest.MonkeyPatch) -> None:
    real = mosaic.Population.cells
    biggest: Callable[..., Any] = lambda self, among, names: [max(real(self, among, names), key=len)]  # noqa: E731
    patch.setattr(mosaic.Population, "cells", biggest)


def partner_alone(patch: pytest.MonkeyPatch) -> None:
    real = mosaic._least
    patch.setattr(mosaic, "_least", lambda table, sets, names, k: real(table, (sets[0], sets[0]), names, k))


def facts_one_by_one(patch: pytest.MonkeyPatch) -> None:
    real = mosaic.Population.cells

    def cells(self: Population, among: BitMap, names: Any) -> list[BitMap]:
        return [cell for name in names for cell in real(self, among, [name])]

    patch.setattr(mosaic.Population, "cells", cells)


def one_too_few(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(mosaic, "plan", lambda *rest: plan(*rest[:-1], max(2, rest[-1] - 1)))


@pytest.mark.parametrize("plant", [best_case, partner_alone, facts_one_by_one, one_too_few])
def test_a_planted_fault_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not unsafe(CROWD, QUESTIONS, 3)
    plant(monkeypatch)
    assert unsafe(CROWD, QUESTIONS, 3) or unsafe(CROWD, QUESTIONS[3:], 2) or unsafe(CROWD, QUESTIONS[:2], 2)


def test_a_decision_that_looks_at_the_source_is_found() -> None:
    """The fault that the law speaks of: a fact is told wherever its own value leaves enough."""

    def looking(source: Row) -> Decide:
        def decide(population: Population, told: Told, partner: str, names: Any, k: int) -> Plan:
            left = population.candidates([*told.to_all(), facts_of(source, names)])
            return Plan({name: name if len(left) >= k else None for name in names}, (0, 0), (0, 0))

        return decide

    assert not differ(CROWD, QUESTIONS, 3)
    assert differ(CROWD, QUESTIONS, 3, looking)


# --- The stored form -------------------------------------------------------------------------------

FALCON = "FALCON-RIVER"


class Stored:
    """The same table and the same history as the node keeps them; now and then a transaction is undone."""

    def __init__(self, people: Sequence[Row]) -> None:
        self.engine = create_engine("sqlite://")
        store.metadata.create_all(self.engine)
        made = table(people)
        kept = Table(made.size, made._values)
        with self.engine.begin() as db:
            version = store.KeptPopulation(
                "crowd", kept.digest(made.coarser), made.size, made.coarser, "2026-11-23"
            )
            store.put_population(
                db,
                version,
                [
                    store.Class(name, value, len(persons), pack(persons))
                    for name, values in made._values.items()
                    for value, persons in values.items()
                ],
            )
            store.link_source(db, FALCON, "crowd")

    def known(self) -> tuple[Population, Told]:
        with self.engine.connect() as db:
            return told_of(db, [FALCON, "OAK-HILL"])[FALCON]

    def tell(self, partner: str, *told: Facts) -> None:
        with self.engine.begin() as db:
            store.add_disclosures(
                db, [store.Disclosure(FALCON, partner, "r", facts, "2026-11-23") for facts in told]
            )

    def lose(self, partner: str, *told: Facts) -> None:
        """A crash before the commit, after what was written was read."""
        with suppress(MemoryError), self.engine.begin() as db:
            store.add_disclosures(
                db, [store.Disclosure(FALCON, partner, "r", facts, "2026-11-23") for facts in told]
            )
            told_of(db, [FALCON])
            raise MemoryError


def known_in_part(people: list[Row]) -> bool:
    """A table in which nobody has a value of an attribute is not taken in."""
    return any(access for *_, access in people)


lost = st.lists(st.sampled_from([{"town": "a1"}, {"trade": "diver"}, {"access": "no"}]), max_size=3)


@given(rows.filter(known_in_part), asked, st.integers(2, 5), st.data())
@settings(max_examples=40, deadline=None)
def test_what_is_kept_step_by_step_is_what_is_counted_from_scratch(
    people: list[Row], questions: list[tuple[str, list[str]]], k: int, data: st.DataObject
) -> None:
    source = data.draw(st.sampled_from(people))
    scratch, stored = table(people), Stored(people)
    told: dict[str, list[Facts]] = {}
    for partner, names in questions:
        stored.lose(partner, *data.draw(lost))
        population, past = stored.known()
        for party in PARTNERS:
            assert population.candidates(past.to(party)) == scratch.candidates(told.get(party, []))
        assert population.candidates(past.to_all()) == scratch.candidates(Told(told).to_all())
        facts = facts_of(source, names)
        made = plan(population, past, partner, facts, k)
        assert made == plan(scratch, Told(told), partner, facts, k)
        telling = [made.apply(population, facts)] * data.draw(st.integers(1, 2))
        stored.tell(partner, *telling)
        told.setdefault(partner, []).extend(telling)


@given(rows.filter(lambda made: len(made) <= 8).filter(known_in_part), asked, st.integers(2, 4), st.data())
@settings(max_examples=40, deadline=None)
def test_the_stored_facts_values_change_no_plan_among_compatible_persons(
    people: list[Row], questions: list[tuple[str, list[str]]], k: int, data: st.DataObject
) -> None:
    full = [person for person in people if None not in person]
    if len(full) < 2:
        return
    one, other = data.draw(st.sampled_from(full)), data.draw(st.sampled_from(full))
    sides = [(one, Stored(people)), (other, Stored(people))]
    for partner, names in questions:
        known = [stored.known() for _, stored in sides]
        facts = [facts_of(who, names) for who, _ in sides]
        plans = [plan(*each, partner, its, k) for each, its in zip(known, facts, strict=True)]
        assert plans[0] == plans[1]
        telling = [made.apply(each[0], its) for made, each, its in zip(plans, known, facts, strict=True)]
        if telling[0] != telling[1]:
            return  # from here on they are told apart
        for (_, stored), told in zip(sides, telling, strict=True):
            stored.tell(partner, told)


def test_a_cache_that_forgets_what_was_undone_too_late_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def candidates() -> int:
        stored = Stored(CROWD)
        stored.tell("GBR", {"trade": "pilot"})
        stored.lose("FRA", {"town": "a1"}, {"access": "yes"})
        stored.tell("FRA", {"trade": "pilot"}, {"access": "yes"})
        population, past = stored.known()
        return len(population.candidates(past.to_all()))

    assert candidates() == 3
    monkeypatch.setattr("tearline.adapters.store.mosaic.secrets.token_hex", lambda _: "same")
    assert candidates() == 2
