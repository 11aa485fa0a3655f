"""The sources' pages: cryptonyms for officers, and identities behind a second unlock, on the ledger first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from starlette.testclient import TestClient

from tearline.doors.desk import Role
from tearline.doors.desk.app import Desk
from tearline.doors.desk.areas import sources
from tearline.ledger import Act
from tearline.node import Node
from tearline.vault import sealed as sealing
from tests.desk import as_person, made_desk
from tests.sources import KETTLE, LADDER, open_vault, with_sources
from tests.unit.node.world import entries, nodes
from tests.unit.vault.world import CHEAP, WORDS, ZVENYSLAVA

HANDLER, OFFICER = Role.SOURCE_HANDLER, Role.OFFICER
API = "/api/v1"
NAMES = [row.text for row in ZVENYSLAVA.rows]
OWED = {"k": "30", "time": "month", "place": "country", "descriptor": "a person in the harbour"}
ASKED = {"why": "A warning has to reach them.", "passphrase": WORDS}


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    monkeypatch.setattr(sealing, "COST", CHEAP)
    with nodes(tmp_path, "GBR", "USA") as (gbr, _):
        with_sources(gbr)
        yield gbr


@pytest.fixture
def desk(node: Node) -> Iterator[Desk]:
    with made_desk(node.home.folder) as made:
        yield made


@pytest.fixture
def client(desk: Desk) -> TestClient:
    made = TestClient(desk.app, base_url="https://localhost", follow_redirects=False)
    return as_role(made, HANDLER)


def as_role(client: TestClient, *roles: Role) -> TestClient:
    client.cookies.set("person", as_person("wren-1", *roles))
    return client


def token(desk: Desk) -> str:
    return desk.form_token(hashlib.sha256(b"wren-1").hexdigest())


def ask(client: TestClient, desk: Desk, path: str = f"/sources/{KETTLE}/identity", **changes: str) -> Any:
    return client.post(path, data=ASKED | changes | {"form": token(desk)})


def confirmed(desk: Desk) -> None:
    desk.access.fresh = True  # type: ignore[attr-defined]


def test_handlers_see_what_each_is_owed_and_officers_what_was_learnt(node: Node, client: TestClient) -> None:
    with open_vault(node):
        shown = client.get(f"{API}/sources").json()
        assert shown["vault"] | {"version": 0} == {
            "made": True, "open": True, "version": 0, "sources": 2, "why": "",
        }  # fmt: skip
        ladder, kettle = shown["sources"]
        assert (ladder["cryptonym"], kettle["cryptonym"]) == (LADDER, KETTLE)
        assert (kettle["k"], kettle["persons"], kettle["pooled"], kettle["least"]) == (10, 24, 4, 4)
        assert (kettle["below"], kettle["products"]) == (True, 1)
        assert kettle["owed"]["rows"] == 3
        assert ladder["persons"] is None
        as_role(client, OFFICER)
        shown = client.get(f"{API}/sources").json()
        assert [each["owed"] for each in shown["sources"]] == [None, None]
        assert [each["pooled"] for each in shown["sources"]] == [None, 4]
        for path in ("/sources", f"/sources/{KETTLE}"):
            assert client.get(path).status_code == 200


def test_one_source_tells_what_each_partner_has_learnt(node: Node, client: TestClient) -> None:
    with open_vault(node):
        shown = client.get(f"{API}/sources/{KETTLE}").json()
        assert shown["learnt"] == [{"partner": "USA", "facts": 2, "left": 4, "released": 1}]
        assert client.get(f"/sources/{KETTLE}").status_code == 200
    answer = client.get(f"{API}/sources/Zvenyslava Chornoloziuk")
    assert (answer.status_code, "Zvenyslava" in answer.text) == (409, False)


def test_while_the_vault_is_shut_it_is_said_and_the_mosaic_is_still_shown(client: TestClient) -> None:
    shown = client.get(f"{API}/sources").json()
    assert (shown["vault"]["made"], shown["vault"]["open"]) == (True, False)
    assert [(each["cryptonym"], each["k"], each["pooled"]) for each in shown["sources"]] == [
        (KETTLE, None, 4)
    ]
    assert "does not answer" in client.get("/sources").text


def test_a_long_list_comes_in_pages(node: Node, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST", 1)
    with open_vault(node):
        first = client.get(f"{API}/sources").json()
        rest = client.get(f"{API}/sources?after={first['after']}").json()
    assert [each["cryptonym"] for each in (*first["sources"], *rest["sources"])] == [LADDER, KETTLE]
    assert rest["after"] == ""


@pytest.mark.parametrize("role", [Role.ANALYST, Role.AUDITOR, Role.ADMINISTRATOR])
def test_others_see_no_sources(client: TestClient, desk: Desk, role: Role) -> None:
    as_role(client, role)
    for path in ("/sources", f"/sources/{KETTLE}", f"/sources/{KETTLE}/identity"):
        assert client.get(path).status_code == 403
        assert client.get(API + path).status_code == 403
    assert ask(client, desk).status_code == 403


# --- Identities -----------------------------------------------------------------------------------


def test_an_identity_is_shown_after_it_is_on_the_ledger(node: Node, desk: Desk, client: TestClient) -> None:
    confirmed(desk)
    answer = ask(client, desk)
    assert answer.status_code == 200
    assert all(name in answer.text for name in NAMES)
    assert answer.headers["cache-control"] == "no-store"
    assert WORDS not in answer.text
    (told,) = entries(node, Act.SOURCE_SHOWN)
    assert told.body == {"source": KETTLE, "by": "wren-1", "why": ASKED["why"], "person": "wren-1"}


def test_without_a_confirmation_nothing_is_unlocked(node: Node, desk: Desk, client: TestClient) -> None:
    assert "/account/confirm?next=" in client.get(f"/sources/{KETTLE}/identity").text
    answer = ask(client, desk)
    assert (answer.status_code, NAMES[1] in answer.text) == (409, False)
    assert "/account/confirm" in answer.text
    assert ask(client, desk, f"/sources/{KETTLE}/retire").status_code == 409
    assert ask(client, desk, f"/sources/{KETTLE}/oblige", **OWED).status_code == 409
    done = (Act.SOURCE_SHOWN, Act.SOURCE_RETIRED, Act.SOURCE_OBLIGED, Act.VAULT_REFUSED)
    assert not [each for act in done for each in entries(node, act)]


@pytest.mark.parametrize(
    ("changes", "status"), [({"passphrase": "not the words"}, 409), ({"why": " "}, 400), ({"why": ""}, 400)]
)
def test_a_wrong_passphrase_or_no_reason_shows_nothing(
    node: Node, desk: Desk, client: TestClient, changes: dict[str, str], status: int
) -> None:
    confirmed(desk)
    answer = ask(client, desk, **changes)
    assert (answer.status_code, NAMES[1] in answer.text) == (status, False)
    assert not entries(node, Act.SOURCE_SHOWN)
    assert len(entries(node, Act.VAULT_REFUSED)) == ("passphrase" in changes)


def test_officers_and_programs_see_no_identity(desk: Desk, client: TestClient, node: Node) -> None:
    confirmed(desk)
    for path in (f"/sources/{KETTLE}/{what}" for what in ("identity", "retire", "oblige")):
        answer = client.post(API + path, json=ASKED, headers={"x-form": token(desk)})
        assert answer.status_code in {404, 405}
    described = client.get(f"{API}/openapi.json").json()
    assert "post" not in described["paths"].get(f"{API}/sources/{{cryptonym}}/identity", {})
    assert "Identity" not in described["components"]["schemas"]
    as_role(client, OFFICER)
    assert ask(client, desk).status_code == 403
    assert not entries(node, Act.SOURCE_SHOWN)


def test_no_identity_and_no_passphrase_is_logged(desk: Desk, client: TestClient) -> None:
    confirmed(desk)
    with structlog.testing.capture_logs() as lines:
        ask(client, desk)
        ask(client, desk, passphrase="not the words")
    assert lines
    assert not any(word in str(lines) for word in (*NAMES, WORDS, "not the words", KETTLE))


def test_a_source_is_retired(node: Node, desk: Desk, client: TestClient) -> None:
    confirmed(desk)
    assert ask(client, desk, f"/sources/{KETTLE}/retire").headers["location"] == f"/sources/{KETTLE}"
    assert [each.body["source"] for each in entries(node, Act.SOURCE_RETIRED)] == [KETTLE]
    with open_vault(node):
        assert client.get(f"{API}/sources/{KETTLE}").json()["source"]["state"] == "retired"
    assert ask(client, desk, f"/sources/{KETTLE}/retire").status_code == 409


def test_what_a_source_is_owed_is_changed(node: Node, desk: Desk, client: TestClient) -> None:
    confirmed(desk)
    wanted = OWED | {"forbidden": "USA CAN", "ask": "heron-1, heron-2", "expires": "2027-06-30"}
    assert ask(client, desk, f"/sources/{KETTLE}/oblige", **wanted).status_code == 303
    with open_vault(node):
        shown = client.get(f"{API}/sources/{KETTLE}").json()["source"]
        form = client.get(f"/sources/{KETTLE}/identity").text
    owed = {"forbidden": ["CAN", "USA"], "time": "month", "place": "country", "expires": "2027-06-30"}
    assert shown["owed"] | owed == shown["owed"]
    assert (shown["k"], shown["owed"]["ask"]) == (30, ["heron-1", "heron-2"])
    assert 'value="a person in the harbour"' in form
    (told,) = entries(node, Act.SOURCE_OBLIGED)
    assert told.body["person"] == "wren-1"


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"k": "1"}, 400),
        ({"time": "now and then"}, 400),
        ({"forbidden": "usa"}, 400),
        ({"descriptor": "Tibor Quendlewick"}, 409),
    ],
)
def test_obligations_that_cannot_be_change_nothing(
    node: Node, desk: Desk, client: TestClient, wrong: dict[str, str], status: int
) -> None:
    confirmed(desk)
    answer = ask(client, desk, f"/sources/{KETTLE}/oblige", **OWED | wrong)
    assert (answer.status_code, "Tibor" in answer.text) == (status, False)
    assert not entries(node, Act.SOURCE_OBLIGED)
