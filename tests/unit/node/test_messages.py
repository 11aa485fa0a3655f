"""Messages between nodes: said once, sealed like a release, done whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection

from tearline.adapters import store
from tearline.adapters.view import OUT
from tearline.deliver import Kind
from tearline.ledger import Act
from tearline.node import Node, hand_over, ledger_tail, receive
from tearline.node import messages as said
from tearline.terms import Broken
from tests.unit.node.world import EVERYTHING, nodes

BODY = {"number": 7, "text": "Велна"}


def page(giver: Node, recipient: str) -> list[dict[str, Any]]:
    view = giver.view(recipient)
    return [orjson.loads(body) for body in view.page(OUT, EVERYTHING, after=-1, limit=100).items]


def say(node: Node, to: str, about: str = "one", body: Any = BODY) -> None:
    with node.writing() as db:
        said.send(node, db, to, Kind.RECEIPT, body, about=about)


def test_a_message_is_said_once_and_arrives_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[said.Taken] = []
    monkeypatch.setattr(said, "HANDLERS", {Kind.RECEIPT: lambda _node, _db, taken: heard.append(taken)})
    with nodes(tmp_path, "GBR", "USA") as (gbr, usa):
        say(gbr, "USA")
        say(gbr, "USA")
        assert hand_over(gbr) == 1
        assert hand_over(gbr) == 0
        assert receive(usa, "GBR", page(gbr, "USA")) == 1
        assert receive(usa, "GBR", page(gbr, "USA")) == 0
        assert [(taken.giver, taken.message.body) for taken in heard] == [("GBR", BODY)]
        acts = [entry.act for _, entry in ledger_tail(usa, 3)]
        assert acts[-2:] == [Act.RELEASE_RECEIVED, Act.MESSAGE_RECEIVED]
        with usa.reading() as db:
            assert list(store.held(db)) == []  # a message is no product


def test_a_message_that_does_not_hold_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(node: Node, db: Connection, taken: said.Taken) -> None:
        node.record(Act.LOGIN_ADDED, {"half": "done"})
        store.put_login(db, "half", taken.giver, "x")
        raise Broken("it does not hold")

    monkeypatch.setattr(said, "HANDLERS", {Kind.RECEIPT: half})
    with nodes(tmp_path, "GBR", "USA") as (gbr, usa):
        say(gbr, "USA")
        hand_over(gbr)
        receive(usa, "GBR", page(gbr, "USA"))
        acts = [entry.act for _, entry in ledger_tail(usa, 3)]
        assert Act.LOGIN_ADDED not in acts
        assert acts[-1] is Act.RELEASE_REFUSED
        with usa.reading() as db:
            assert store.logins(db) == {}


def test_a_message_without_our_seal_is_nothing(tmp_path: Path) -> None:
    with nodes(tmp_path, "GBR", "USA") as (gbr, usa):
        say(gbr, "USA")
        hand_over(gbr)
        bare = [item | {"extensions": {}} for item in page(gbr, "USA")]
        assert receive(usa, "GBR", bare) == 0
        with usa.reading() as db:
            assert list(store.held(db)) == []
