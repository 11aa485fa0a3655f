"""The queue: who sees it, what is hidden in it, and that each key decides what it says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from tearline.adapters import store
from tearline.agreement import load
from tearline.doors.desk import Role
from tearline.doors.desk.app import Desk
from tearline.node import Node, consider, hand_over, mosaic, protect, referral
from tearline.vault import Obligations
from tearline.vault.source import PlaceGrain, TimeGrain
from tests.adoption import adopt, found
from tests.coalition import AGREEMENTS
from tests.desk import PASSPHRASE, as_person, made_desk
from tests.unit.node.test_protect import CRYPTONYM, NAME, REPORT, FakeVault
from tests.unit.node.world import GREEN, bundle, malware, nodes, page_of, take

QUOTED = f"“Only I saw them all leave that night”, said {NAME}, who"
WHY = "He said so on the radio too."


class Queue:
    """A node, its desk, and a person at it."""

    def __init__(self, node: Node, desk: Desk) -> None:
        self.node, self.desk = node, desk
        self.client = TestClient(desk.app, base_url="https://localhost", follow_redirects=False)
        self.sit("heron-1", Role.OFFICER)

    def sit(self, name: str, *roles: Role) -> None:
        self.name = name
        self.client.cookies.set("person", as_person(name, *roles))

    def page(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def api(self, path: str) -> Any:
        answer = self.client.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **data: Any) -> Any:
        token = self.desk.form_token(hashlib.sha256(self.name.encode()).hexdigest())
        return self.client.post(path, data={"form": token} | data)

    def given(self, party: str = "USA") -> str:
        while consider(self.node) + hand_over(self.node):
            pass
        return "".join(item.decode() for item in page_of(self.node, party))

    def later(self, seconds: float) -> str:
        """What the USA has once so much time went by."""
        self.node.clock.now += timedelta(seconds=seconds)  # type: ignore[attr-defined]
        return self.given()


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> FakeVault:
    made = FakeVault()
    monkeypatch.setattr(protect, "ask_vault", lambda _: made)
    monkeypatch.setattr(mosaic, "ask_vault", lambda _: nullcontext(made))
    return made


@pytest.fixture
def at(tmp_path: Path, vault: FakeVault) -> Iterator[Queue]:
    with nodes(tmp_path, "GBR", "USA", "CAN", "AUS") as (node, *_):
        with node.writing() as db:
            store.put_vault_state(db, 1, "0" * 64)
        found(node)
        take(node, REPORT.format(said=QUOTED).encode())
        with made_desk(node.home.folder) as desk:
            made = desk.nodes._make
            desk.nodes._make = lambda home: _with_clock(made(home), node)
            made_queue = Queue(node, desk)
            assert made_queue.given() == ""
            yield made_queue


def _with_clock(made: Node, other: Node) -> Node:
    made.clock = other.clock
    return made


def product(at: Queue) -> str:
    return str(at.api("/referrals")["rows"][0]["product"])


def where(at: Queue, partner: str = "USA") -> str:
    return f"/referrals/{product(at)}/{partner}"


def seal(at: Queue) -> str:
    return str(at.api(where(at))["referral"]["seal"])


@pytest.mark.parametrize("role", [Role.ANALYST, Role.AUDITOR, Role.ADMINISTRATOR])
def test_the_queue_is_for_officers_and_source_handlers(at: Queue, role: Role) -> None:
    path = where(at)
    at.sit("wren-1", role)
    for each in ("/referrals", path, "/referrals/next"):
        assert at.client.get(each).status_code == 403
        assert at.client.get(f"/api/v1{each}").status_code == 403


def test_a_source_handler_sees_it_and_decides_nothing(at: Queue) -> None:
    path = where(at)
    at.sit("wren-1", Role.SOURCE_HANDLER)
    assert "/withhold" not in at.page(path)
    for act in ("tearline", "withhold", "clear", "ask"):
        assert at.post(f"{path}/{act}", why=WHY, seal="x").status_code == 403
    assert at.post("/referrals/decisions/1/undo").status_code == 403


def test_the_queue_is_narrowed_by_partner_category_and_reason(at: Queue) -> None:
    every = at.api("/referrals")
    assert [each["partner"] for each in every["rows"]] == ["AUS", "CAN", "USA"]
    assert {each["code"] for row in every["rows"] for each in row["reasons"]} >= {"sanitize.quote"}
    assert [(each["value"], each["count"]) for each in every["partners"]] == [
        ("AUS", 1),
        ("CAN", 1),
        ("USA", 1),
    ]
    assert [each["partner"] for each in at.api("/referrals?partner=CAN")["rows"]] == ["CAN"]
    code = every["codes"][0]["value"]
    assert at.api(f"/referrals?code={code}&category=report")["total"] == 3
    nothing = at.api("/referrals?category=cyber")
    assert (nothing["rows"], nothing["total"], nothing["all"]) == ([], 0, 3)
    assert "Nothing of this kind waits" in at.page("/referrals?category=cyber")
    assert at.client.get("/referrals?category=gossip").status_code == 400


def test_the_queue_is_paged(at: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tearline.doors.desk.areas.referrals.ROWS", 2)
    first, second = at.api("/referrals"), at.api("/referrals?page=2")
    assert (len(first["rows"]), len(second["rows"]), first["pages"]) == (2, 1, 2)
    assert "page=2" in at.page("/referrals")


def test_what_was_found_is_hidden_wherever_it_stands(at: Queue) -> None:
    shown = at.api(where(at))["referral"]
    page = at.page(where(at))
    for text in (json.dumps(shown, ensure_ascii=False), page):
        assert NAME not in text
        assert "Чорнолозюк" not in text
        assert "█" * 8 in text
        assert CRYPTONYM in text
    line = shown["lines"][1]
    assert [each["kind"] for each in line["original"]].count("hidden") == 1
    assert "a source with direct access" in "".join(
        each["text"] for each in line["tearline"] if each["kind"] == "new"
    )
    assert shown["lines"][1]["mark"] == "(//GBR S//REL TO USA, FVEY)"
    assert "spelt as the vault has it" in page
    assert "five-eyes/" in page


def test_a_name_in_a_field_is_hidden_too(at: Queue) -> None:
    take(at.node, bundle(malware("Kettle", GREEN, description=f"Sold by {NAME} at Osk.")))
    at.given()
    row = next(each for each in at.api("/referrals")["rows"] if each["category"] == "cyber")
    shown = at.api(f"/referrals/{row['product']}/USA")["referral"]
    fields = {each["path"]: each["text"] for each in shown["fields"]}
    assert [each["kind"] for each in fields["description"]] == ["same", "hidden", "same"]
    assert not shown["has_tearline"]
    assert NAME not in at.page(f"/referrals/{row['product']}/USA")


def test_a_tearline_goes_once_it_cannot_be_undone_and_the_next_opens(at: Queue) -> None:
    answer = at.post(f"{where(at)}/tearline", why=WHY, seal=seal(at))
    assert answer.status_code == 303
    number = at.api("/referrals/next")["referral"]["number"]
    assert answer.headers["location"] == f"/referrals/next?after={number}&partner=USA"
    page = at.page(answer.headers["location"])
    assert "Referral for AUS" in page  # after the last the first
    assert "1 of 1 officers said yes" in page
    assert "decisions/1/undo" in page
    assert [each["partner"] for each in at.api("/referrals")["rows"]] == ["AUS", "CAN"]
    assert at.given() == ""
    assert "direct access" in at.later(31)
    assert at.api("/referrals")["undoable"] == []


def test_a_decision_is_undone_in_time_and_not_later(at: Queue) -> None:
    path = where(at)
    at.post(f"{path}/withhold", why=WHY, seal=seal(at))
    (kept,) = at.api("/referrals")["undoable"]
    assert (kept["choice"], kept["partner"]) == ("withhold", "USA")
    assert 0 < kept["seconds"] <= 30
    answer = at.post(f"/referrals/decisions/{kept['number']}/undo")
    assert answer.headers["location"] == path
    assert "it waits for an officer again" in at.page(path)
    at.post(f"{path}/withhold", why=WHY, seal=seal(at))
    at.later(31)
    assert at.post("/referrals/decisions/2/undo").status_code == 409


def test_words_can_be_changed_and_none_taken_for_all(at: Queue) -> None:
    shown = at.api(where(at))["referral"]
    texts = [each["text"] for each in shown["lines"] if each["text"]]
    said = {"why": WHY, "seal": shown["seal"], "portions": len(texts)}
    emptied = at.post(f"{where(at)}/tearline", texts=["" for _ in texts], **said)
    assert emptied.status_code == 400
    one = at.post(f"{where(at)}/tearline", texts=[*texts[:-1], ""], **said)
    assert one.status_code == 400
    assert len(texts) == 3
    named = at.post(f"{where(at)}/tearline", texts=[*texts[:-1], f"Seen by {NAME}."], **said)
    assert named.status_code == 409, named.text
    assert NAME not in named.text
    at.post(f"{where(at)}/tearline", texts=[*texts[:-1], "The water is free."], **said)
    assert "The water is free." in at.later(31)


@pytest.mark.parametrize(("why", "sealed", "status"), [("", True, 400), (WHY, False, 409)])
def test_a_decision_needs_a_reason_and_what_was_seen(at: Queue, why: str, sealed: bool, status: int) -> None:
    told = seal(at) if sealed else "0" * 64
    for act in ("tearline", "withhold"):
        assert at.post(f"{where(at)}/{act}", why=why, seal=told).status_code == status
    assert at.api("/referrals")["total"] == 3


def test_somebody_who_is_no_officer_of_the_node_decides_nothing(at: Queue) -> None:
    at.sit("magpie-1", Role.OFFICER)
    answer = at.post(f"{where(at)}/withhold", why=WHY, seal=seal(at))
    assert answer.status_code == 409
    assert "magpie-1 is not an officer" in answer.text


def test_with_four_eyes_the_second_officer_sees_what_the_first_approved(at: Queue) -> None:
    folder = AGREEMENTS / "five-eyes"
    manifest = (folder / "agreement.toml").read_text("utf-8")
    clauses = (folder / "clauses.cedar").read_text("utf-8")
    adopt(at.node, load(_four_eyed(manifest), clauses, "five-eyes"))
    shown = at.api(where(at))["referral"]
    assert (shown["four_eyes"], shown["quorum"], shown["proposal"]) == (True, 2, None)
    texts = [each["text"] for each in shown["lines"] if each["text"]]
    texts[-1] = "The water is free."
    said = {"why": WHY, "seal": shown["seal"], "portions": len(texts), "texts": texts}
    assert at.post(f"{where(at)}/tearline", **said, passphrase="wrong").status_code == 400
    path = where(at)
    assert at.post(f"{path}/tearline", **said, passphrase=PASSPHRASE).status_code == 303
    assert "1 of 2 officers said yes" in at.page("/referrals")
    waiting = next(each for each in at.api("/referrals")["rows"] if each["partner"] == "USA")
    assert waiting["proposed_by"] == "heron-1"
    # The first officer alone cannot let it go, however often.
    assert at.post(f"{path}/tearline", **said, passphrase=PASSPHRASE).status_code == 303
    assert "free" not in at.later(31)
    at.sit("heron-2", Role.OFFICER)
    seen = at.api(path)["referral"]
    assert seen["proposal"]["by"] == "heron-1"
    assert (seen["proposal"]["mine"], seen["proposal"]["reworded"]) == (False, True)
    assert [each["text"] for each in seen["lines"] if each["text"]] == texts
    # Other words are another tearline: those lack an officer again.
    other = said | {"texts": [*texts[:-1], "The water is open."], "passphrase": PASSPHRASE}
    assert at.post(f"{path}/tearline", **other).status_code == 303
    assert "open." not in at.later(31)
    assert at.post(f"{path}/tearline", **said, passphrase=PASSPHRASE).status_code == 303
    assert "The water is free." in at.later(31)
    with at.node.reading() as db:
        assert {each.state for each in store.decisions(db)} == {"standing", "replaced"}


def _four_eyed(manifest: str) -> str:
    before, line, after = manifest.partition("\n")
    return f"{before}{line}four_eyes = true\n{after}"


def test_hits_that_would_be_held_are_cleared_by_two(at: Queue) -> None:
    take(at.node, bundle(malware("Kettle", GREEN, description=f"Sold by {NAME}.")))
    at.given()
    row = next(each for each in at.api("/referrals")["rows"] if each["category"] == "cyber")
    path = f"/referrals/{row['product']}/USA"
    (hit,) = at.api(path)["referral"]["hits"]
    assert hit["disposition"] == "hold"
    assert at.post(f"{path}/clear", why=WHY, hits=[], passphrase=PASSPHRASE).status_code == 409
    assert at.post(f"{path}/clear", why=WHY, hits=[hit["id"]], passphrase="no").status_code == 400
    assert at.post(f"{path}/clear", why=WHY, hits=[hit["id"]], passphrase=PASSPHRASE).status_code == 303
    assert NAME not in at.given()
    assert at.api(path)["referral"]["clear_approved"] == ["heron-1"]
    at.sit("heron-2", Role.OFFICER)
    assert at.post(f"{path}/clear", why=WHY, hits=[hit["id"]], passphrase=PASSPHRASE).status_code == 303
    assert NAME in at.given()
    assert at.client.get(path).status_code == 409


def test_what_another_made_can_be_asked_for(at: Queue) -> None:
    path = where(at)
    assert at.api(path)["referral"]["can_ask"] is False
    assert at.post(f"{path}/ask", why=WHY).status_code == 409


def test_how_many_persons_are_left_is_shown_before_it_goes(
    at: Queue, vault: FakeVault, tmp_path: Path
) -> None:
    table = tmp_path / "harbour.csv"
    rows = [f"{town},{trade}" for town in ("Varnik", "Osk") for trade in ("pilot", "clerk") * 5]
    table.write_text("\n".join(["town,trade", *rows]), encoding="utf-8")
    owed = Obligations(k=6, time=TimeGrain.EXACT, place=PlaceGrain.EXACT)
    vault.standing = msgspec.structs.replace(vault.standing, obligations=owed)
    mosaic.keep_population(at.node, "harbour", table, {}, "heron-1")
    mosaic.link_source(at.node, CRYPTONYM, "harbour", "heron-1")
    body = f"(//GBR S//REL TO USA, GBR) “Nine barges, and no guard”, he said. [[{CRYPTONYM}: town=Varnik]]\n"
    head = REPORT.split("(//GBR S//")[0].replace("Topics:", f"Sources: {CRYPTONYM}\nTopics:")
    take(at.node, f"{head}{body}\n//GBR SECRET\n".replace("//REL TO USA, FVEY\nTitle", "\nTitle").encode())
    at.given()
    last = at.api("/referrals")["rows"][-1]
    (left,) = at.api(f"/referrals/{last['product']}/{last['partner']}")["referral"]["exposed"]
    assert (left["source"], left["attributes"]) == (CRYPTONYM, ["town"])
    assert (left["before"], left["after"], left["k"]) == ([20, 20], [10, 10], 6)
    assert "20 → <b>10</b>" in at.page(f"/referrals/{last['product']}/{last['partner']}")


def test_while_the_vault_is_shut_nothing_is_shown(at: Queue, vault: FakeVault) -> None:
    path = where(at)
    vault.shut = True
    answer = at.client.get(path)
    assert answer.status_code == 409
    assert "the vault is not open" in answer.text
    assert at.client.get("/referrals").status_code == 200


def test_what_is_not_referred_is_not_shown(at: Queue) -> None:
    assert at.client.get("/referrals/nothing/USA").status_code == 409
    with at.node.reading() as db:
        assert referral.count(at.node) == len(store.referred(db))
