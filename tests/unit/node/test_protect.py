"""Laws 2 and 3 at a node: no protected identity goes out, and nothing while the vault is shut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tearline.adapters import store
from tearline.node import Node, consider, hand_over, mosaic, protect
from tearline.scan import Hit, Identity, Kind, Scanner
from tearline.terms import Refused
from tearline.vault import Obligations, Standing, State
from tearline.vault.source import PlaceGrain, TimeGrain
from tests.unit.node.world import GREEN, bundle, malware, nodes, page_of, releases, take

NAME = "Звенислава Чорнолозюк"
CRYPTONYM = "OBLONG-KETTLE"
LOOSE = Obligations(time=TimeGrain.EXACT, place=PlaceGrain.EXACT, descriptor="a source with direct access")
REPORT = """\
//GBR SECRET//REL TO USA, FVEY
Title: (//GBR U) Barges at Velna
Date: 2026-10-02T05:00:00Z
Topics: maritime
Regions: eastern-europe
Discipline: sigint

(//GBR S//REL TO USA, FVEY) Nine barges lay at Velna. {said} counted them.

(//GBR S//REL TO USA, FVEY) The river is open.

//GBR SECRET//REL TO USA, FVEY
"""


class FakeVault:
    """Answers as the vault's process does, from within."""

    shut = False

    def __init__(self, owed: Obligations = LOOSE) -> None:
        self.scanner = Scanner([Identity(CRYPTONYM, NAME, Kind.PERSON, "uk")], key=bytes(32))
        self.standing = Standing(cryptonym=CRYPTONYM, obligations=owed, state=State.ACTIVE, rows=1)

    def sources(self) -> tuple[Standing, ...]:
        if self.shut:
            raise Refused("the vault is not open")
        return (self.standing,)

    def scan(self, texts: Sequence[str]) -> list[tuple[Hit, ...]]:
        if self.shut:
            raise Refused("the vault is not open")
        return [tuple(self.scanner.scan(text)) for text in texts]

    def close(self) -> None:
        pass


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA") as made:
        yield made


@pytest.fixture
def vault(pair: list[Node], monkeypatch: pytest.MonkeyPatch) -> FakeVault:
    made = FakeVault()
    monkeypatch.setattr(protect, "ask_vault", lambda _: made)
    with pair[0].writing() as db:
        store.put_vault_state(db, 1, "0" * 64)
    return made


def go(node: Node) -> str:
    """Everything that the other can read after a round."""
    while consider(node) + hand_over(node):
        pass
    return "".join(item.decode() for item in page_of(node, "USA"))


def form(node: Node) -> tuple[str, set[str]]:
    """The form of the last outcome, and its reasons."""
    with node.reading() as db:
        kind, *_ = db.exec_driver_sql("SELECT kind FROM outcome ORDER BY product DESC").one()
        (reasons,) = db.exec_driver_sql("SELECT reasons FROM outcome ORDER BY product DESC").one()
    return kind, {code for code in protect_codes() if code.encode() in bytes(reasons)}


def protect_codes() -> list[str]:
    return ["source.touched", "source.found", "source.forbidden", "source.ask", "sanitize.quote"]


def test_what_names_nobody_goes_whole(pair: list[Node], vault: FakeVault) -> None:
    take(pair[0], REPORT.format(said="The pilot").encode())
    assert "The pilot counted them" in go(pair[0])
    assert form(pair[0])[0] == "whole"


@pytest.mark.parametrize(
    "said", ["Zvenyslava Chornoloziuk", "ЧОРНОЛОЗЮК Звенислава", "Zvenyslava Chornolozyuk"]
)
def test_an_identity_is_masked_in_any_writing(pair: list[Node], vault: FakeVault, said: str) -> None:
    take(pair[0], REPORT.format(said=said).encode())
    given = go(pair[0])
    assert form(pair[0]) == ("tearline", {"source.touched"})
    assert "A source with direct access counted them" in given
    assert "hornol" not in given.casefold()
    assert CRYPTONYM not in given


def test_an_object_that_names_a_source_goes_to_an_officer(pair: list[Node], vault: FakeVault) -> None:
    take(pair[0], bundle(malware("Kettle", GREEN, description=f"Sold by {NAME}.")))
    assert go(pair[0]) == ""
    assert form(pair[0]) == ("refer", {"source.touched"})


def test_quoted_words_go_to_an_officer(pair: list[Node], vault: FakeVault) -> None:
    take(pair[0], REPORT.format(said=f"“Only I saw them all leave that night”, said {NAME}, who").encode())
    assert go(pair[0]) == ""
    assert form(pair[0]) == ("refer", {"source.touched", "sanitize.quote"})


@pytest.mark.parametrize(
    ("owed", "kind", "code"),
    [
        (Obligations(forbidden=frozenset({"USA"})), "withhold", "source.forbidden"),
        (
            Obligations(ask=("desk-four",), time=TimeGrain.EXACT, place=PlaceGrain.EXACT),
            "refer",
            "source.ask",
        ),
    ],
)
def test_what_a_source_is_owed_is_kept(
    pair: list[Node], vault: FakeVault, owed: Obligations, kind: str, code: str
) -> None:
    vault.standing = Standing(cryptonym=CRYPTONYM, obligations=owed, state=State.ACTIVE, rows=1)
    take(pair[0], REPORT.format(said=NAME).encode())
    assert go(pair[0]) == ""
    assert form(pair[0]) == (kind, {"source.touched", code})


def test_nothing_goes_while_the_vault_is_shut(pair: list[Node], vault: FakeVault) -> None:
    vault.shut = True
    take(pair[0], REPORT.format(said="The pilot").encode())
    assert go(pair[0]) == ""
    assert pair[0].held_up == "the vault is not open"
    vault.shut = False
    assert "The pilot" in go(pair[0])
    assert pair[0].held_up == ""


def test_what_is_found_in_the_draft_at_last_is_not_given(
    pair: list[Node], vault: FakeVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mask that fails is noticed by the last scan: planted here."""
    monkeypatch.setattr("tearline.gate.sanitize.product.mask", lambda text, *_: text)
    take(pair[0], REPORT.format(said=NAME).encode())
    assert go(pair[0]) == ""
    assert form(pair[0]) == ("refer", {"source.touched", "source.found"})
    assert not releases(pair[0])


def test_what_was_told_before_counts_whoever_it_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 3: either fact alone leaves ten of twenty, both leave five; six must remain, for all pooled."""
    table = tmp_path / "harbour.csv"
    rows = [f"{town},{trade}" for town in ("Varnik", "Osk") for trade in ("pilot", "clerk") * 5]
    table.write_text("\n".join(["town,trade", *rows]), encoding="utf-8")
    vault = FakeVault(Obligations(k=6, time=TimeGrain.EXACT, place=PlaceGrain.EXACT))
    monkeypatch.setattr(protect, "ask_vault", lambda _: vault)
    with nodes(tmp_path, "GBR", "USA") as (gbr, _):
        with gbr.writing() as db:
            store.put_vault_state(db, 1, "0" * 64)
        mosaic.keep_population(gbr, "harbour", table, {}, "heron-1")
        mosaic.link_source(gbr, CRYPTONYM, "harbour", "heron-1")
        for fact in ("town=Varnik", "trade=pilot"):
            report = REPORT.format(said=f"A man [[{CRYPTONYM}: {fact}]]")
            take(gbr, report.replace("Topics:", f"Sources: {CRYPTONYM}\nTopics:").encode())
        assert go(gbr).count("The river is open") == 2
        assert go(gbr).count("A man counted them") == 1
        with gbr.reading() as db:
            told = mosaic.told_of(db, [CRYPTONYM])[CRYPTONYM][1]
        assert told.to("USA") in [({"town": "Varnik"},), [{"town": "Varnik"}]]


def test_what_one_partner_gets_counts_for_the_next_of_the_same_product(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "harbour.csv"
    rows = [f"{town},{trade}" for town in ("Varnik", "Osk") for trade in ("pilot", "clerk") * 5]
    table.write_text("\n".join(["town,trade", *rows]), encoding="utf-8")
    vault = FakeVault(Obligations(k=6, time=TimeGrain.EXACT, place=PlaceGrain.EXACT))
    monkeypatch.setattr(protect, "ask_vault", lambda _: vault)
    with nodes(tmp_path, "GBR", "USA", "CAN") as (gbr, *_):
        with gbr.writing() as db:
            store.put_vault_state(db, 1, "0" * 64)
        mosaic.keep_population(gbr, "harbour", table, {}, "heron-1")
        mosaic.link_source(gbr, CRYPTONYM, "harbour", "heron-1")
        report = f"""\
//GBR SECRET
Title: (//GBR U) Barges at Velna
Date: 2026-10-02T05:00:00Z
Sources: {CRYPTONYM}
Topics: maritime
Regions: eastern-europe
Discipline: sigint

(//GBR S//REL TO USA, GBR) Nine barges lay at Velna. [[{CRYPTONYM}: town=Varnik]]

(//GBR S//REL TO CAN, GBR) Nobody counted them. [[{CRYPTONYM}: trade=pilot]]

(//GBR S//REL TO USA, CAN, GBR) The river is open.

//GBR SECRET
"""
        take(gbr, report.encode())
        given = go(gbr) + "".join(item.decode() for item in page_of(gbr, "CAN"))
        assert given.count("The river is open") == 2
        assert ("Nine barges" in given) != ("Nobody counted" in given)
