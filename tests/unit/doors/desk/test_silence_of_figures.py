"""Metrics and logs of the desk tell of no partner, product, source or person, whatever is looked at."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from starlette.testclient import TestClient

from tearline.agreement.suspension import Scope
from tearline.doors.desk import Role
from tearline.doors.desk.app import API, Desk
from tearline.node import Node, receive
from tearline.node.suspend import suspend
from tearline.terms import Category, Topic
from tearline.vault import sealed as sealing
from tests.desk import as_person, made_desk
from tests.sources import KETTLE, LADDER, open_vault, with_sources
from tests.unit.node.world import GREEN, bundle, held, malware, nodes, page, take, work
from tests.unit.vault.world import BOTH, CHEAP, WORDS

PERSON = "wren-1"


@pytest.fixture
def gbr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    """A node that has some of everything."""
    monkeypatch.setattr(sealing, "COST", CHEAP)
    with nodes(tmp_path, "GBR", "USA", "CAN") as (gbr, usa, _):
        take(usa, bundle(malware("Fennel", GREEN)))
        take(gbr, bundle(malware("Sorrel", GREEN), malware("Tansy", GREEN)))
        work(gbr), work(usa)
        receive(gbr, "USA", page(usa, gbr))
        with_sources(gbr)
        suspend(gbr, "CAN", Scope(), officer="heron-1", reason="A reason of ours.")
        yield gbr


@pytest.fixture
def desk(gbr: Node) -> Iterator[Desk]:
    with open_vault(gbr), made_desk(gbr.home.folder) as made:
        yield made


def secrets(node: Node) -> set[str]:
    """What may be in no figure and no line."""
    products = [each.product for each in held(node)]
    told = {"USA", "CAN", "five-eyes", PERSON, "heron-1", KETTLE, LADDER, "harbour", "A reason of ours."}
    told |= {each.id for each in products} | {each.title for each in products} | {*Category, *Topic}
    with node.reading() as db:
        told |= {name for (name,) in db.exec_driver_sql("SELECT release_id FROM outbox")}
    return told | {row.text for source in BOTH.sources.values() for row in source.rows} | {WORDS}


def test_no_figure_and_no_line_tells_of_anything(gbr: Node, desk: Desk) -> None:
    client = TestClient(
        desk.app, base_url="https://localhost", follow_redirects=False, raise_server_exceptions=False
    )
    client.cookies.set("person", as_person(PERSON, *Role))
    desk.access.fresh = True  # type: ignore[attr-defined]
    form = desk.form_token(hashlib.sha256(PERSON.encode()).hexdigest())
    named = {"party": "USA", "cryptonym": KETTLE, "partner": "USA", "product": held(gbr)[0].product.id}
    answered = 0
    with structlog.testing.capture_logs() as lines:
        for endpoint in desk.endpoints:
            path = re.sub(r"\{([a-z_]+)(:[a-z]+)?\}", lambda found: named.get(found[1], "USA"), endpoint.path)
            for base in ("", API):
                if endpoint.slow:
                    continue  # a job writes no line of its own
                if endpoint.does:
                    given = {"form": form, "why": "USA", "reason": "USA", "passphrase": WORDS}
                    client.post(base + path, data=given, headers={"x-form": form})
                else:
                    answered += (
                        client.get(base + path, params={"product": named["product"]}).status_code == 200
                    )
        client.get(f"/nowhere/{KETTLE}")
        client.get(f"/jobs/{KETTLE}")
        client.get(f"{API}/openapi.json")
    figures = client.get("/metrics")
    assert figures.status_code == 200
    shown = sum(not each.does for each in desk.endpoints)
    assert answered > shown // 2, "many pages were there to be seen"
    assert len(lines) > answered
    # What endpoints are called is the same at every node.
    spoken = [re.sub(r"endpoint=\"[a-z_.]+\"", "", figures.text)]
    spoken += [str({name: value for name, value in line.items() if name != "endpoint"}) for line in lines]
    known = {each.name for each in desk.endpoints} | {"jobs.job", "metrics", "other"}
    assert {line["endpoint"] for line in lines if "endpoint" in line} <= known | {"openapi"}
    for secret in secrets(gbr):
        found = [text for text in spoken if re.search(rf"\b{re.escape(secret)}\b", text)]
        assert not found, (secret, found[:1])


def test_the_figures_are_sums_over_all_partners(desk: Desk) -> None:
    client = TestClient(desk.app, base_url="https://localhost")
    client.cookies.set("person", as_person(PERSON, Role.AUDITOR))
    labels = set(re.findall(r"\{([^}]*)\}", client.get("/metrics").text))
    names = {name for each in labels for name in re.findall(r"([a-z]+)=", each)}
    assert names <= {"endpoint", "status", "le"}
