"""What officers decide about referrals, and that it is of effect for exactly that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tearline import gate
from tearline.adapters import store
from tearline.agreement.suspension import Scope
from tearline.gate import Choice
from tearline.ledger import Act
from tearline.node import Node, consider, hand_over, mosaic, protect, reconsider, referral
from tearline.node.suspend import suspend
from tearline.scan import Identity, Kind, Scanner
from tearline.terms import BadInput, Refer, Refused
from tearline.vault import Obligations
from tearline.vault.source import PlaceGrain, TimeGrain
from tests.adoption import approve, found
from tests.unit.node.test_protect import CRYPTONYM, NAME, REPORT, FakeVault
from tests.unit.node.world import GREEN, bundle, entries, malware, nodes, page_of, take

QUOTED = f"“Only I saw them all leave that night”, said {NAME}, who"
MASKED = "“Only I saw them all leave that night”, said a source with direct access, who counted them."


class Clock:
    def __init__(self, node: Node) -> None:
        self.at = node.clock()

    def __call__(self) -> Any:
        return self.at

    def on(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> FakeVault:
    made = FakeVault()
    monkeypatch.setattr(protect, "ask_vault", lambda _: made)
    return made


@pytest.fixture
def desk(tmp_path: Path, vault: FakeVault) -> Iterator[tuple[Node, Clock]]:
    """A node with three partners, two officers and a vault, whose clock stands still."""
    with nodes(tmp_path, "GBR", "USA", "CAN", "AUS") as (node, *_):
        with node.writing() as db:
            store.put_vault_state(db, 1, "0" * 64)
        found(node)
        node.clock = clock = Clock(node)
        yield node, clock


def given(node: Node, party: str = "USA") -> str:
    """All that a partner can read after the node did what it had to do."""
    while consider(node) + hand_over(node):
        pass
    return "".join(item.decode() for item in page_of(node, party))


def refer(node: Node, said: str = QUOTED) -> str:
    take(node, REPORT.format(said=said).encode())
    assert given(node) == ""
    return referral.queue(node)[0].product


def release(node: Node, product: str, partner: str = "USA", **more: Any) -> store.Decided:
    said = {"officer": "heron-1", "why": "he said so on the radio too"} | more
    return referral.decide(node, product, partner, Choice.TEARLINE, **said)


def test_the_queue_tells_what_waits_and_why(desk: tuple[Node, Clock]) -> None:
    node, _ = desk
    refer(node)
    waiting = referral.queue(node)
    assert {each.partner for each in waiting} == {"USA", "CAN", "AUS"}
    assert {each.title for each in waiting} == {"Barges at Velna"}
    assert all("sanitize.quote" in {reason.code for reason in each.reasons} for each in waiting)
    assert not any(each.decided for each in waiting)


def test_what_is_shown_holds_the_tearline_and_the_hits_and_no_identity_of_the_vaults(
    desk: tuple[Node, Clock],
) -> None:
    node, _ = desk
    shown = referral.show(node, refer(node), "USA")
    assert MASKED in shown.portions[1].text
    (hit,) = shown.hits
    assert hit.text[hit.start : hit.end] == NAME
    assert (hit.source, hit.cleared) == (CRYPTONYM, False)


def test_a_tearline_goes_to_the_one_partner_once_it_cannot_be_undone(desk: tuple[Node, Clock]) -> None:
    node, clock = desk
    product = refer(node)
    release(node, product)
    assert [each.decided is not None for each in referral.queue(node)].count(True) == 1
    clock.on(node.home.config.undo_seconds - 1)
    assert given(node) == ""
    clock.on(1)
    assert MASKED in given(node)
    assert NAME.split()[1] not in given(node)
    assert given(node, "CAN") == ""
    assert {each.partner for each in referral.queue(node)} == {"CAN", "AUS"}


def test_a_decision_can_be_undone_in_time_and_not_later(desk: tuple[Node, Clock]) -> None:
    node, clock = desk
    product = refer(node)
    made = release(node, product)
    referral.undo(node, made.id, officer="heron-2")
    clock.on(3600)
    assert given(node) == ""
    made = release(node, product)
    clock.on(node.home.config.undo_seconds)
    with pytest.raises(Refused, match="cannot be undone"):
        referral.undo(node, made.id, officer="heron-2")
    assert MASKED in given(node)
    with pytest.raises(Refused, match="no decision"):
        referral.undo(node, 99, officer="heron-2")


def test_what_can_still_be_undone_does_not_count_when_the_gate_is_asked_again(
    desk: tuple[Node, Clock],
) -> None:
    node, _ = desk
    release(node, refer(node))
    reconsider(node)
    assert given(node) == ""


def test_what_an_officer_withholds_stays_withheld_when_all_is_considered_again(
    desk: tuple[Node, Clock],
) -> None:
    node, clock = desk
    product = refer(node)
    referral.decide(node, product, "USA", Choice.WITHHOLD, officer="heron-1", why="too plain")
    clock.on(60)
    assert given(node) == ""
    reconsider(node)
    assert given(node) == ""
    assert {each.partner for each in referral.queue(node)} == {"CAN", "AUS"}


def test_an_officer_can_say_it_in_other_words(desk: tuple[Node, Clock]) -> None:
    node, clock = desk
    product = refer(node)
    texts = [portion.text for portion in referral.show(node, product, "USA").portions]
    texts[1] = "The barges were counted by somebody who was there."
    release(node, product, texts=texts)
    clock.on(60)
    assert "counted by somebody who was there" in given(node)
    assert "Only I saw" not in given(node)


@pytest.mark.parametrize(
    ("texts", "error"),
    [
        (["one portion too few"], BadInput),
        (["a title", "", "the second"], BadInput),
        (["Barges", f"Seen by {NAME}.", "The river is open."], Refused),
        (["Barges", "Звенислава\u200b Чор-\nнолозюк saw it.", "The river is open."], Refused),
    ],
)
def test_other_words_must_be_fit(desk: tuple[Node, Clock], texts: list[str], error: type[Exception]) -> None:
    node, clock = desk
    product = refer(node)
    with pytest.raises(error):
        release(node, product, texts=texts)
    clock.on(60)
    assert given(node) == ""
    with node.reading() as db:
        assert not store.decisions(db)


def test_an_identity_that_became_known_after_the_decision_stops_the_officers_words(
    desk: tuple[Node, Clock], vault: FakeVault
) -> None:
    """Law 2: what goes is scanned when it goes, not when it was decided."""
    node, clock = desk
    product = refer(node)
    texts = [portion.text for portion in referral.show(node, product, "USA").portions]
    release(node, product, texts=[texts[0], "Ostap Vyrlook saw it.", *texts[2:]])
    known = ((NAME, "uk"), ("Ostap Vyrlook", "en"))
    rows = [Identity(CRYPTONYM, name, Kind.PERSON, lang) for name, lang in known]
    vault.scanner = Scanner(rows, key=bytes(32))
    clock.on(60)
    assert given(node) == ""
    assert "USA" in {each.partner for each in referral.queue(node)}


def test_a_decision_holds_for_what_was_looked_at_and_nothing_else(desk: tuple[Node, Clock]) -> None:
    node, clock = desk
    product = refer(node)
    with pytest.raises(Refused, match="changed since"):
        release(node, product, seal="0" * 64)
    shown = referral.show(node, product, "USA")
    release(node, product, seal=shown.seal)
    with node.writing() as db:  # planted: the decision was on another text
        (kept,) = store.decisions(db)
        db.exec_driver_sql(
            "UPDATE decision SET body = replace(CAST(body AS TEXT), ?, ?)", (shown.seal, "0" * 64)
        )
    assert kept.partner == "USA"
    clock.on(60)
    assert given(node) == ""


@pytest.mark.parametrize("choice", Choice)
def test_only_officers_decide_and_they_say_why(desk: tuple[Node, Clock], choice: Choice) -> None:
    node, _ = desk
    product = refer(node)
    with pytest.raises(Refused, match="not an officer"):
        referral.decide(node, product, "USA", choice, officer="magpie-1", why="because")
    with pytest.raises(BadInput):
        referral.decide(node, product, "USA", choice, officer="heron-1", why=" ")
    with pytest.raises(Refused, match="not referred"):
        referral.decide(node, product, "GBR", choice, officer="heron-1", why="because")
    assert not entries(node, Act.REFERRAL_DECIDED)


def test_what_has_no_tearline_can_only_be_withheld_or_cleared(desk: tuple[Node, Clock]) -> None:
    node, clock = desk
    take(node, bundle(malware("Kettle", GREEN, description=f"Sold by {NAME}.")))
    assert given(node) == ""
    product = referral.queue(node)[0].product
    with pytest.raises(
        Refused, match=r"no tearline can be let go \(source\.touched, tearline\.no-portions\)"
    ):
        release(node, product)
    referral.decide(node, product, "USA", Choice.WITHHOLD, officer="heron-1", why="he is meant")
    clock.on(60)
    assert given(node) == ""
    assert "USA" not in {each.partner for each in referral.queue(node)}


def test_hits_that_would_be_held_take_the_quorum_to_clear(desk: tuple[Node, Clock]) -> None:
    node, _ = desk
    take(node, bundle(malware("Kettle", GREEN, description=f"Sold by {NAME}.")))
    assert given(node) == ""
    product = referral.queue(node)[0].product
    (hit,) = referral.show(node, product, "USA").hits
    said = {"officer": "heron-1", "why": "a singer of that name"}
    with pytest.raises(Refused, match="0 of 2 officers"):
        referral.clear(node, product, "USA", [hit.id], **said)
    approved(node, product)
    assert referral.clear(node, product, "USA", [hit.id], **said) == 1
    assert NAME in given(node)
    assert NAME in given(node, "CAN")
    assert not referral.queue(node)
    (entry,) = entries(node, Act.HITS_CLEARED)
    assert entry.body["sources"] == [CRYPTONYM]
    assert NAME not in str(entry)


def approved(node: Node, product: str) -> None:
    version = next(each.version for each in referral.queue(node) if each.product == product)
    approve(node, referral.CLEAR, f"{product}@{version}")


def test_a_cleared_hit_clears_nothing_else(desk: tuple[Node, Clock]) -> None:
    """Another spelling in the same product, the same words in another product: both are still found."""
    node, _ = desk
    take(node, bundle(malware("Kettle", GREEN, description=f"Sold by {NAME}. Zvenyslava Chornoloziuk paid.")))
    take(node, bundle(malware("Teapot", GREEN, description=f"Sold by {NAME}.")))
    assert given(node) == ""
    product = referral.queue(node)[0].product
    shown = referral.show(node, product, "USA")
    hit = next(hit for hit in shown.hits if hit.text[hit.start : hit.end] == NAME)
    approved(node, product)
    referral.clear(node, product, "USA", [hit.id], officer="heron-1", why="a singer of that name")
    assert given(node) == ""
    reconsider(node)
    assert given(node) == ""
    with pytest.raises(Refused, match="no hit"):
        referral.clear(node, product, "USA", ["f" * 64], officer="heron-1", why="a singer of that name")


def test_a_decision_overrules_no_agreement(desk: tuple[Node, Clock]) -> None:
    """Law 1: what was permitted when it was decided must be permitted when it goes."""
    node, clock = desk
    product = refer(node)
    release(node, product)
    suspend(node, "USA", Scope.read("all"), officer="heron-1", reason="a leak is looked into")
    clock.on(60)
    assert given(node) == ""


def test_the_gate_alone_decides_by_the_seal(desk: tuple[Node, Clock]) -> None:
    node, _ = desk
    shown = referral.show(node, refer(node), "USA")
    assert isinstance(shown.outcome, Refer)
    others = [
        gate.seal(shown.product, refer_as)
        for refer_as in (
            Refer(partner="CAN", reasons=shown.outcome.reasons, portions=shown.portions),
            Refer(partner="USA", reasons=shown.outcome.reasons[:-1], portions=shown.portions),
            Refer(partner="USA", reasons=shown.outcome.reasons, portions=shown.portions[:1]),
        )
    ]
    assert len({shown.seal, *others}) == 4


def test_where_an_agreement_wants_four_eyes_the_quorum_lets_it_go(desk: tuple[Node, Clock]) -> None:
    node, clock = desk
    product = refer(node)
    assert not referral.wants_four_eyes(node, "USA")
    node.agreements = tuple(msgspec.structs.replace(each, four_eyes=True) for each in node.agreements)
    with pytest.raises(Refused, match="release-tearline") as caught:
        release(node, product)
    assert isinstance(caught.value, Refused)
    subject = str(caught.value).rsplit(" ", 1)[1]
    approve(node, referral.RELEASE, subject)
    texts = [portion.text for portion in referral.show(node, product, "USA").portions]
    with pytest.raises(Refused, match="0 of 2"):
        release(node, product, texts=[*texts[:-1], "In other words."])
    release(node, product)
    clock.on(60)
    assert MASKED in given(node)


def test_what_an_officer_lets_go_counts_for_the_mosaic_at_once(
    desk: tuple[Node, Clock], vault: FakeVault, tmp_path: Path
) -> None:
    """Law 3: both are decided, either alone leaves ten of twenty, both together five; six must remain."""
    node, clock = desk
    table = tmp_path / "harbour.csv"
    rows = [f"{town},{trade}" for town in ("Varnik", "Osk") for trade in ("pilot", "clerk") * 5]
    table.write_text("\n".join(["town,trade", *rows]), encoding="utf-8")
    owed = Obligations(k=6, time=TimeGrain.EXACT, place=PlaceGrain.EXACT)
    vault.standing = msgspec.structs.replace(vault.standing, obligations=owed)
    mosaic.keep_population(node, "harbour", table, {}, "heron-1")
    mosaic.link_source(node, CRYPTONYM, "harbour", "heron-1")
    body = f"""\
(//GBR S//REL TO USA, GBR) “Nine barges, and no guard”, he said. [[{CRYPTONYM}: town=Varnik]]

(//GBR S//REL TO CAN, GBR) “Nobody counted”, he said. [[{CRYPTONYM}: trade=pilot]]

(//GBR S//REL TO USA, CAN, GBR) The river is open.
"""
    head = REPORT.split("(//GBR S//")[0].replace("Topics:", f"Sources: {CRYPTONYM}\nTopics:")
    take(node, f"{head}{body}\n//GBR SECRET\n".replace("//REL TO USA, FVEY\nTitle", "\nTitle").encode())
    assert given(node) + given(node, "CAN") == ""
    product = referral.queue(node)[0].product
    for party in ("USA", "CAN"):
        release(node, product, party)
    clock.on(60)
    given(node)
    seen = given(node, "USA") + given(node, "CAN")
    assert ("Nine barges" in seen) != ("Nobody counted" in seen)
