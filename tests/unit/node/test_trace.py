"""Traces: the right recipient with its doubt, nobody where that is not enough, and never an innocent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tearline.ledger import Act
from tearline.node import Node, canaries, marks, places, verify_ledger
from tearline.node import copies as copies_room
from tearline.node import trace as tracing
from tearline.node.trace import Case, catch_up, trace
from tearline.terms import BadInput, Refused
from tearline.trace.leak import Leak, read_leak
from tearline.trace.terms import Held
from tearline.vault import Canary
from tests.adoption import OFFICERS
from tests.traced import FIRST, TEXTS, body, mark, report, reports
from tests.unit.node.test_consent import carry
from tests.unit.node.test_marks import Vault, with_vault
from tests.unit.node.world import entries, held, nodes, take, work

BY = OFFICERS[0]


@pytest.fixture
def four(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA", "CAN", "AUS") as made:
        yield made


def leak(text: str, name: str = "leak.txt") -> Leak:
    return read_leak(name, text.encode())


def given(gbr: Node, *others: Node, **says: Any) -> None:
    """Two reports to all of the others, the second as a tearline; all is receipted."""
    mark(gbr, **says)
    take(gbr, report(TEXTS[:2], name="velna-1").encode())
    take(
        gbr, report(TEXTS[2:], title="The old pier", narrow="Nine barges lay there.", name="pier-1").encode()
    )
    carry(gbr, *others)
    for other in others:
        carry(other, gbr)


def copies(gbr: Node, taker: Node) -> list[str]:
    return [body(item) for item in reports(gbr, taker)]


def asked(gbr: Node, *texts: str, **how: Any) -> Case:
    return trace(gbr, [leak(text) for text in texts], officer=BY, **how)


def test_whoever_leaked_all_is_named_and_nobody_else(four: list[Node]) -> None:
    gbr, *others = four
    given(gbr, *others)
    for guilty in others:
        case = asked(gbr, *copies(gbr, guilty))
        best, *rest = case.verdict.suspects
        assert (best.partner, best.agree) == (guilty.party, best.slots)
        assert case.named == (guilty.party,), case.verdict.says
        assert not any(each.accused for each in rest)
        assert case.verdict.held[Held.ALL] == ("AUS", "CAN", "USA")
        assert [piece.title for piece in case.pieces] == ["Lorries at Velna", "The old pier"]
        for each in case.copies:
            assert each.made_again is True
            assert each.receipt is not None
            assert each.delivered is not None
    assert verify_ledger(gbr)[1] == []


def test_short_leaks_add_up(four: list[Node]) -> None:
    """No sentence convicts; all of them together do."""
    gbr, usa, *others = four
    given(gbr, usa, *others)
    sentences = [f"{each}." for copy in copies(gbr, usa) for each in copy.replace("\n", " ").split(". ")]
    parts = [" ".join(sentences[at : at + 3]) for at in range(0, len(sentences), 3)]
    assert all(asked(gbr, part).named == () for part in parts)
    assert asked(gbr, *parts).named == ("USA",)


def test_retyped_and_reordered(four: list[Node]) -> None:
    gbr, usa, *others = four
    given(gbr, usa, *others)
    whole, tearline = copies(gbr, usa)
    portions = [*whole.split("\n\n"), tearline]
    typed = "<p>" + "</p><p>".join(each.upper().replace(".", " .") for each in reversed(portions)) + "</p>"
    case = asked(gbr, f"<!doctype html><html>{typed}</html>")
    assert case.named == ("USA",), case.verdict.says


def test_a_bare_excerpt_names_its_product_and_nobody(four: list[Node]) -> None:
    gbr, usa, *others = four
    given(gbr, usa, *others)
    excerpt = copies(gbr, usa)[0].split(". ")[0]
    case = asked(gbr, f"Somebody wrote: {excerpt}.")
    assert [piece.title for piece in case.pieces] == ["Lorries at Velna"]
    assert case.named == ()
    assert case.verdict.says.startswith("Not enough evidence")
    assert case.verdict.held[Held.ALL] == ("AUS", "CAN", "USA")


def test_what_was_never_released_cannot_be_traced(four: list[Node]) -> None:
    gbr, usa, *others = four
    given(gbr, usa, *others)
    case = asked(
        gbr, "The museum opens at nine on Sundays, and children under twelve pay nothing at all there."
    )
    assert (case.pieces, case.places, case.named) == ((), {}, ())


def test_without_marks_it_is_known_who_held_it(four: list[Node]) -> None:
    gbr, usa, can, aus = four
    take(gbr, report(TEXTS[:1]).replace("REL TO USA, AUS, CAN, GBR, NZL", "REL TO USA, AUS, GBR").encode())
    carry(gbr, usa, can, aus)
    case = asked(gbr, FIRST)
    assert case.named == ()
    assert case.verdict.held == {Held.ALL: ("AUS", "USA"), Held.PART: (), Held.NONE: ("CAN",)}
    assert {each.mode for each in case.copies} == {""}
    assert all(each.made_again for each in case.copies)


def test_who_got_the_tearline_did_not_hold_the_rest(four: list[Node]) -> None:
    """USA got the whole, CAN and AUS a tearline of it, among other reports."""
    gbr, usa, can, aus = four
    mark(gbr)
    for number, word in enumerate(("herons", "otters", "pikes", "bitterns", "voles", "newts", "toads")):
        told = f"On day {number} {word} were counted along the {word} path by wardens with {number} boats."
        take(gbr, report([told], title=word, name=word).encode())
    text = report(TEXTS[:2]).replace("REL TO USA, AUS, CAN, GBR, NZL", "REL TO USA, GBR")
    first, _, rest = text.partition("(//GBR S//REL TO USA, GBR) The whole")
    text = first.replace("(//GBR S//REL TO USA, GBR)", "(//GBR S//REL TO USA, AUS, CAN, GBR)")
    take(gbr, f"{text}(//GBR S//REL TO USA, GBR) The whole{rest}".encode())
    carry(gbr, usa, can, aus)
    whole, part = copies(gbr, usa)[-1], copies(gbr, can)[-1]
    assert len(part) < len(whole)
    case = asked(gbr, whole)
    assert case.verdict.held == {Held.ALL: ("USA",), Held.PART: ("AUS", "CAN"), Held.NONE: ()}
    case = asked(gbr, part)
    assert case.verdict.held[Held.ALL] == ("AUS", "CAN", "USA")
    assert case.verdict.suspects[0].partner == "CAN"


def test_two_who_compare_their_copies_do_not_burn_the_third(
    four: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where their copies differ, they take either wording in turn."""
    for room in (marks, places, copies_room):  # the same letters each time: so few slots rank by luck
        monkeypatch.setattr(room, "key_of", lambda node: b"one key of many")
    gbr, usa, can, aus = four
    given(gbr, usa, can, aus, mode="collusion")
    mixed = []
    for one, other in zip(copies(gbr, usa), copies(gbr, can), strict=True):
        sentences = zip(one.split(". "), other.split(". "), strict=True)
        mixed.append(". ".join(pair[at % 2] for at, pair in enumerate(sentences)))
    case = asked(gbr, *mixed, alpha=1e-2)
    assert "AUS" not in case.named
    assert {each.partner for each in case.verdict.suspects[:2]} == {"USA", "CAN"}
    assert {each.mode for each in case.copies} == {"collusion"}


def test_two_leaks_that_contradict_each_other_count_only_where_they_agree(four: list[Node]) -> None:
    gbr, usa, can, _ = four
    given(gbr, usa, can)
    alone = asked(gbr, *copies(gbr, usa))
    both = asked(gbr, *copies(gbr, usa), *copies(gbr, can))
    assert both.contradicted + len(both.places) == len(alone.places)
    assert {each.agree for each in both.verdict.suspects if each.partner in {"USA", "CAN"}} == {
        len(both.places)
    }
    assert both.named == ()


def test_a_canary_survives_translation(four: list[Node], monkeypatch: pytest.MonkeyPatch) -> None:
    gbr, usa, can, aus = four
    take(mark(gbr), report(TEXTS[:2]).encode())
    product = held(gbr)[0].product.id
    ways = tuple(f"{number} lorries" for number in (40, 43, 46, 49, 51, 53, 56, 58))
    canary = Canary(id="c1", product=product, options=ways)
    vault = Vault("Nobody Atall", (canary,))
    with_vault(gbr, vault, monkeypatch)
    monkeypatch.setattr(canaries, "ask_vault", lambda _: vault)
    carry(gbr, usa, can, aus)
    told = canaries.given(gbr, canary)
    number = told["USA"].split()[0]
    russian = (
        f"Около {number} грузовиков видели у вокзала Велны 3 октября 2026 года, но до вечера водители их не "
        "разгружали. У реки Оск хранилось больше 1200 ящиков, а портовая служба просила 12 кранов. "
        "Склад принадлежит кому-то в Трельске. 9 октября 2026 года ворота охраняли около 30 человек."
    )
    case = asked(gbr, russian)
    (piece,), (place,) = case.pieces, case.places.values()
    assert (piece.title, piece.matches) == ("Lorries at Velna", ())
    assert (place.kind, place.options[place.read]) == ("canary", told["USA"])
    agree = {party for party, letter in place.letters.items() if letter}
    assert agree == {party for party, way in told.items() if way == told["USA"]}
    assert case.named == ()


def test_while_the_vault_is_shut_no_canary_is_read(four: list[Node], monkeypatch: pytest.MonkeyPatch) -> None:
    gbr, usa, can, aus = four
    given(gbr, usa, can, aus)
    vault = Vault("Nobody Atall")
    with_vault(gbr, vault, monkeypatch)

    def shut(_: object) -> None:
        raise Refused("the vault is not open")

    monkeypatch.setattr(canaries, "ask_vault", shut)
    case = asked(gbr, *copies(gbr, usa))
    assert not case.canaries_read
    assert case.named == ("USA",)


# --- The record -----------------------------------------------------------------------------------


def test_a_trace_is_on_the_ledger_and_can_be_repeated(four: list[Node]) -> None:
    gbr, usa, *others = four
    given(gbr, usa, *others)
    first, second = (asked(gbr, *copies(gbr, usa)) for _ in range(2))
    assert first == second
    one, other = entries(gbr, Act.TRACED)
    assert one.body == other.body
    assert one.body["case"] == first.id
    assert (one.body["officer"], one.body["leaks"]) == (BY, 2)
    assert not any("lorries" in str(entry.body) for entry in entries(gbr))


def test_only_officers_ask(four: list[Node]) -> None:
    gbr, *_ = four
    with pytest.raises(Refused):
        trace(gbr, [leak(FIRST)], officer="nobody-1")
    with pytest.raises(BadInput, match="not a partner"):
        asked(gbr, FIRST, prior={"XXX": 0.5})
    assert entries(gbr, Act.TRACED) == []


def test_what_was_thought_before_changes_no_accusation(four: list[Node]) -> None:
    gbr, usa, can, aus = four
    given(gbr, usa, can, aus)
    excerpt = copies(gbr, usa)[0][:200]
    case = asked(gbr, excerpt, prior={"CAN": 0.999})
    assert case.named == ()


def test_the_index_is_made_again_from_what_is_kept(four: list[Node]) -> None:
    gbr, usa, *others = four
    given(gbr, usa, *others)
    before = asked(gbr, *copies(gbr, usa))
    (gbr.home.folder / "traces.db").unlink()
    told: list[tuple[int, int]] = []
    catch_up(gbr, lambda *done: told.append(done))
    assert told == [(2, 2)]
    catch_up(gbr, lambda *done: told.append(done))
    assert told == [(2, 2)]
    assert asked(gbr, *copies(gbr, usa)) == before


def test_the_index_follows_in_batches(four: list[Node], monkeypatch: pytest.MonkeyPatch) -> None:
    gbr, *_ = four
    monkeypatch.setattr(tracing, "_BATCH", 2)
    for number in range(5):
        take(gbr, report([f"{FIRST} Number {number} was the last of them."], name=f"n-{number}").encode())
    work(gbr)
    index = catch_up(gbr)
    take(gbr, report([f"{TEXTS[2]} Nobody came."], name="n-9").encode())
    work(gbr)
    assert asked(gbr, TEXTS[2]).pieces[0].matches
    catch_up(gbr)
    with gbr.reading() as db:
        names = [name for _, name, _ in tracing.store.forms_before(db, 1 << 60, 100)]
    assert len(names) == 6
    assert index.known(names) == set(names)


def test_a_copy_that_is_not_the_released_one_is_said_to_be(four: list[Node]) -> None:
    """Somebody changes which marks a partner is said to have: its receipt tells otherwise."""
    gbr, usa, *others = four
    given(gbr, usa, *others)
    with gbr.writing() as db:
        db.exec_driver_sql("UPDATE copy SET mode = 'collusion' WHERE partner = 'USA'")
    case = asked(gbr, *copies(gbr, usa))
    assert {(each.partner, each.made_again) for each in case.copies} == {
        ("USA", False),
        ("AUS", True),
        ("CAN", True),
    }
    assert verify_ledger(gbr)[1] != []
