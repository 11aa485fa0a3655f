"""The mosaic at a node: populations, links, officers' facts, and what was told of whom to whom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from tearline import gate
from tearline.adapters import store
from tearline.gate import mosaic as rule
from tearline.gate.mosaic import Told, plan
from tearline.ledger import Act
from tearline.node import Node, mosaic, verify_ledger
from tearline.node import consider as consider_next
from tearline.terms import BadInput, Broken, Portion, Refused
from tests.adoption import OFFICERS, WHY
from tests.releases import portion
from tests.unit.node.world import REPORT, entries, held, nodes, releases, take, work

HARBOUR = """\
id,town,district,trade
1,Varnik,coast,pilot
2,Varnik,coast,pilot
3,Varnik,coast,clerk
4,Varnik,coast,clerk
5,Osk,coast,pilot
6,Osk,coast,pilot
7,Osk,coast,clerk
8,Lumen,inland,clerk
9,Lumen,inland,
"""
LADDER = {"town": "district"}
FALCON = "FALCON-RIVER"


@pytest.fixture
def gbr(tmp_path: Path) -> Iterator[Node]:
    with nodes(tmp_path, "GBR", "USA") as made:
        yield made[0]


def keep(node: Node, content: str = HARBOUR, name: str = "harbour") -> bool:
    path = node.home.folder.parent / "harbour.csv"
    path.write_text(content, encoding="utf-8")
    return mosaic.keep_population(node, name, path, LADDER, "heron")[1]


def linked(node: Node) -> None:
    keep(node)
    mosaic.link_source(node, FALCON, "harbour", "heron")


def telling(**facts: str) -> list[Portion]:
    told = ((FALCON, tuple(sorted(facts.items()))),)
    plain = portion("(//GBR U)", "Nine barges.")
    return [Portion(text=plain.text, marking=None, label=plain.label, facts=told)]


def told(node: Node, partner: str, release: str, **facts: str) -> None:
    with node.writing() as db:
        mosaic.tell(node, db, partner, release, telling(**facts))


def known(node: Node, *cryptonyms: str) -> dict[str, mosaic.Known]:
    with node.reading() as db:
        return mosaic.told_of(db, cryptonyms or (FALCON,))


def sound(node: Node) -> bool:
    return verify_ledger(node)[1] == []


# --- Populations and links -----------------------------------------------------------------------


def test_a_population_is_kept_once_and_replaced_by_a_new_version(gbr: Node) -> None:
    assert keep(gbr)
    assert not keep(gbr)
    assert keep(gbr, HARBOUR + "10,Osk,coast,clerk\n")
    (kept,) = mosaic.populations(gbr)
    assert (kept.name, kept.size, kept.coarser) == ("harbour", 10, LADDER)
    recorded = [entry.body for entry in entries(gbr, Act.POPULATION_KEPT)]
    assert [body["persons"] for body in recorded] == [9, 10]
    assert recorded[-1] == {"population": "harbour", "digest": kept.digest, "persons": 10, "by": "heron"}
    _, sizes = mosaic.show_population(gbr, "harbour")
    assert sizes == {"district": [2, 8], "town": [2, 4, 4], "trade": [4, 5]}
    assert sound(gbr)


def test_a_ladder_that_contradicts_the_table_is_refused_with_the_file(gbr: Node) -> None:
    with pytest.raises(BadInput, match=r"harbour\.csv, town Osk: a value belongs to several of district"):
        keep(gbr, HARBOUR.replace("7,Osk,coast", "7,Osk,inland"))
    assert mosaic.populations(gbr) == []


def test_a_source_is_in_one_population(gbr: Node) -> None:
    with pytest.raises(Refused, match="no population of this name"):
        mosaic.link_source(gbr, FALCON, "harbour", "heron")
    with pytest.raises(BadInput) as caught:
        mosaic.link_source(gbr, "Hlib Sorvat", "harbour", "heron")
    assert "Sorvat" not in str(caught.value)
    linked(gbr)
    keep(gbr, name="yard")
    assert known(gbr)[FALCON][0].size == 9
    mosaic.link_source(gbr, FALCON, "yard", "heron")
    assert mosaic.links(gbr) == {FALCON: "yard"}
    assert [entry.body["population"] for entry in entries(gbr, Act.SOURCE_LINKED)] == ["harbour", "yard"]
    assert sound(gbr)


def test_nothing_is_known_of_a_source_in_no_population(gbr: Node) -> None:
    linked(gbr)
    assert set(known(gbr, FALCON, "OAK-HILL")) == {FALCON}
    assert mosaic.told_of(None, []) == {}  # type: ignore[arg-type]


def test_what_changes_a_decision_makes_the_gate_look_again(gbr: Node) -> None:
    before = gbr.generation
    keep(gbr)
    gbr.refresh()
    assert gbr.generation > before
    before = gbr.generation
    mosaic.link_source(gbr, FALCON, "harbour", "heron")
    gbr.refresh()
    assert gbr.generation > before


def test_unknown_attributes_and_values_cannot_be_decided(gbr: Node) -> None:
    linked(gbr)
    table = known(gbr)[FALCON][0]
    assert table.doubt({"town": "Osk", "trade": "pilot"}) == ""
    assert table.doubt({"rank": "mate"}) == "the population has no attribute rank"
    assert table.doubt({"town": "Sorvat"}) == "nobody in the population has this town"


# --- What was told -------------------------------------------------------------------------------


def test_what_is_told_is_on_the_ledger_and_counts(gbr: Node) -> None:
    linked(gbr)
    told(gbr, "USA", "r1", district="coast")
    told(gbr, "USA", "r2", trade="pilot")
    told(gbr, "FRA", "r3", district="coast")
    table, past = known(gbr)[FALCON]
    assert past == Told({"USA": ({"district": "coast", "trade": "pilot"},), "FRA": ({"district": "coast"},)})
    assert (len(table.candidates(past.to("USA"))), len(table.candidates(past.to("FRA")))) == (4, 7)
    assert [entry.body for entry in entries(gbr, Act.FACTS_TOLD)][1] == {
        "source": FALCON,
        "partner": "USA",
        "release": "r2",
        "facts": {"trade": "pilot"},
    }
    assert sound(gbr)


def test_an_earlier_answer_does_not_change(gbr: Node) -> None:
    linked(gbr)
    told(gbr, "USA", "r1", district="coast")
    _, before = known(gbr)[FALCON]
    told(gbr, "USA", "r2", trade="pilot")
    assert before == Told({"USA": ({"district": "coast"},)})


def test_a_new_version_of_the_population_counts_at_once(gbr: Node) -> None:
    linked(gbr)
    told(gbr, "USA", "r1", town="Lumen")
    keep(gbr, HARBOUR + "10,Lumen,inland,clerk\n")
    table, past = known(gbr)[FALCON]
    assert len(table.candidates(past.to("USA"))) == 3


def test_a_transaction_that_is_undone_tells_nothing(gbr: Node) -> None:
    """Also where it was read from within, and its numbers are given again."""
    linked(gbr)
    told(gbr, "USA", "r1", district="coast")
    for lost, then in (("pilot", "clerk"), ("clerk", "clerk")):
        with suppress(MemoryError), gbr.writing() as db:
            mosaic.tell(gbr, db, "USA", "r2", telling(town="Osk"))
            mosaic.tell(gbr, db, "USA", "r3", telling(trade=lost))
            assert "Osk" in str(mosaic.told_of(db, [FALCON])[FALCON][1])
            raise MemoryError
        with gbr.writing() as db:
            mosaic.tell(gbr, db, "USA", "r2", telling(district="coast"))
            mosaic.tell(gbr, db, "USA", "r3", telling(trade=then))
        assert known(gbr)[FALCON][1].to("USA") == ({"district": "coast", "trade": "clerk"},)
    assert sound(gbr)


def test_a_cache_that_is_not_validated_would_be_found(gbr: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store.mosaic.secrets, "token_hex", lambda _: "same")
    with pytest.raises(AssertionError):
        test_a_transaction_that_is_undone_tells_nothing(gbr)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM disclosure WHERE release_id = 'r1'", "1 disclosures about sources"),
        ('UPDATE disclosure SET facts = \'{"town":"Osk"}\'', "2 disclosures about sources"),
        ("UPDATE disclosure SET partner = 'FRA'", "2 disclosures about sources"),
        ("DELETE FROM population", "the populations are not those"),
        ("UPDATE population SET size = 90", "the population harbour is not as it was recorded"),
        (
            "UPDATE population_class SET value = 'Osk' WHERE value = 'Lumen'",
            "the population harbour is not as",
        ),
        (
            "UPDATE population_class SET persons = x'00' WHERE value = 'Osk'",
            "the population harbour is not as",
        ),
        ("DELETE FROM source_population", "the sources are not in the populations"),
    ],
)
def test_a_change_behind_the_ledger_is_found(gbr: Node, change: str, said: str) -> None:
    linked(gbr)
    told(gbr, "USA", "r1", district="coast")
    assert sound(gbr)
    with gbr._engine.begin() as db:
        if "value = 'Osk' WHERE value = 'Lumen'" in change:
            db.execute(text("DELETE FROM population_class WHERE value = 'Osk'"))
        db.execute(text(change))
    assert any(said in finding.detail for finding in verify_ledger(gbr)[1])


def test_a_population_that_was_changed_is_not_used(gbr: Node) -> None:
    linked(gbr)
    with gbr._engine.begin() as db:
        db.execute(text("UPDATE population_class SET persons = x'00' WHERE value = 'Osk'"))
    with pytest.raises(Broken, match="the population harbour is not as it was recorded"):
        known(gbr)


# --- An officer's facts --------------------------------------------------------------------------


def add(node: Node, product: str, number: int = 2, **facts: str) -> list[str]:
    return mosaic.add_fact(node, product, number, FALCON, facts, officer=OFFICERS[0], why=WHY)


def test_a_fact_is_added_and_the_gate_answers_anew(gbr: Node) -> None:
    take(gbr, REPORT.encode())
    product = held(gbr)[0].product.id
    assert add(gbr, product, town="Osk") == []
    now = mosaic.facts_of(gbr, product)
    assert [each.facts for each in now.portions] == [(), ((FALCON, (("town", "Osk"),)),), ()]
    assert now.sources == {FALCON}
    add(gbr, product, trade="pilot")
    assert mosaic.facts_of(gbr, product).portions[1].facts == (
        (FALCON, (("town", "Osk"), ("trade", "pilot"))),
    )
    (first, _) = entries(gbr, Act.FACTS_ADDED)
    assert (first.body["officer"], first.body["portion"], first.body["facts"]) == (
        OFFICERS[0],
        2,
        {"town": "Osk"},
    )
    with gbr.reading() as db:
        assert len(store.pending(db, 10)) == 1
        assert list(store.disclosures(db)) == []
    assert sound(gbr)


def test_what_was_told_already_is_counted_at_once(gbr: Node) -> None:
    take(gbr, REPORT.encode())
    work(gbr)
    ((partner, release, _, form, _),) = releases(gbr)
    assert (partner, form) == ("USA", "tearline")
    product = held(gbr)[0].product.id
    assert add(gbr, product, town="Osk") == ["USA"]
    assert add(gbr, product, 3, trade="pilot") == [], "a source line is in no tearline"
    with gbr.reading() as db:
        rows = [each for _, _, each in store.disclosures(db)]
    assert [(each.partner, each.release_id, each.facts) for each in rows] == [
        ("USA", release, {"town": "Osk"})
    ]
    assert sound(gbr)


def test_a_fact_that_comes_while_the_gate_decides_is_not_missed(
    gbr: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(gbr, REPORT.encode())
    product = held(gbr)[0].product.id
    real = gate.consider

    def deciding(*arguments: object, **more: object) -> object:
        monkeypatch.setattr(gate, "consider", real)
        add(gbr, product, town="Osk")
        return real(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(gate, "consider", deciding)
    consider_next(gbr)
    assert releases(gbr) == [], "it is asked again, with the fact"


def test_facts_are_added_only_and_by_officers(gbr: Node) -> None:
    take(gbr, REPORT.encode())
    product = held(gbr)[0].product.id
    add(gbr, product, town="Osk")
    for wrong, facts in ((Refused, {"town": "Lumen"}), (Refused, {"town": "Osk"})):
        with pytest.raises(wrong):
            add(gbr, product, **facts)
    with pytest.raises(BadInput, match="there is no portion 4; give 1 to 3"):
        add(gbr, product, 4, town="Osk")
    with pytest.raises(Refused, match="is not held"):
        add(gbr, "report--none", town="Osk")
    for officer, why in (("nobody", WHY), (OFFICERS[0], " ")):
        with pytest.raises((Refused, BadInput)):
            mosaic.add_fact(gbr, product, 2, FALCON, {"trade": "pilot"}, officer=officer, why=why)
    with pytest.raises(Refused, match="in the version 2000"):
        mosaic.facts_of(gbr, product, "2000")
    assert len(entries(gbr, Act.FACTS_ADDED)) == 1


def test_what_has_no_portions_or_is_in_quarantine_takes_no_facts(gbr: Node) -> None:
    take(gbr, b"TLP:AMBER\nDate: 2026-10-02\n\nThe port closed.\n")
    take(gbr, REPORT.replace("(//GBR S) SOURCE", "(//GBR SS) SOURCE").encode())
    plain, quarantined = (each.product.id for each in held(gbr))
    with pytest.raises(Refused, match="no separately marked portions"):
        add(gbr, plain, 1, town="Osk")
    with pytest.raises(Refused, match="is in quarantine"):
        add(gbr, quarantined, town="Osk")


# --- Counting ------------------------------------------------------------------------------------


def test_the_count_tells_before_and_after(gbr: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="in no population"):
        mosaic.count(gbr, FALCON)
    linked(gbr)
    told(gbr, "FRA", "r1", district="coast")
    shut = mosaic.count(gbr, FALCON, ["town", "trade"])
    assert (shut.population, shut.persons, shut.k) == ("harbour", 9, None)
    assert {party: (made.before, made.after) for party, made in shut.plans.items()} == {
        "FRA": ((7, 7), (1, 1)),
        "USA": ((9, 7), (1, 1)),
    }
    monkeypatch.setattr(mosaic, "_owed", lambda *_: 3)
    open_ = mosaic.count(gbr, FALCON, ["town", "trade"], "FRA")
    assert open_.plans == {
        "FRA": rule.Plan({"town": "district", "trade": "trade"}, before=(7, 7), after=(3, 3))
    }
    table, past = known(gbr)[FALCON]
    assert open_.plans["FRA"] == plan(table, past, "FRA", ["town", "trade"], 3)
    with pytest.raises(
        BadInput, match="--if: the population has no attribute rank; known are district, town, trade"
    ):
        mosaic.count(gbr, FALCON, ["rank"])
    with pytest.raises(Refused, match="POL is not a partner"):
        mosaic.count(gbr, FALCON, (), "POL")
