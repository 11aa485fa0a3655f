"""The desk against its OpenAPI description: whatever a program asks, the answer is one that it promises."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import get_type_hints

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi import checks
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from tearline.doors.desk import EVERYBODY, Person
from tearline.doors.desk.app import Desk
from tearline.doors.desk.areas import AREAS
from tearline.doors.desk.openapi import API, description
from tests.desk import made_desk
from tests.unit.node.world import GREEN, REPORT, bundle, malware, nodes, take, work

EXAMPLES = 200 if os.environ.get("TEARLINE_LONG") else 12


SERVED: list[Desk] = []
BEARER = {"Authorization": "Bearer tl_wren"}


def program(request: Request) -> Person | None:
    """A program with a token that may all: it has no session, so no form's token is asked of it."""
    if request.headers.get("authorization") != BEARER["Authorization"]:
        return None
    return Person(name="wren-1", roles=EVERYBODY, method="token")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    with nodes(folder, "GBR", "USA") as (gbr, _):
        take(gbr, bundle(malware("a", GREEN)))
        take(gbr, REPORT.encode())
        work(gbr)
        with made_desk(gbr.home.folder) as made:
            made.access.who = program  # type: ignore[method-assign]
            SERVED.append(made)
            yield made


async def served(scope: Scope, receive: Receive, send: Send) -> None:
    """The desk of the fixture; tests are made of the description before it is there."""
    await SERVED[-1].app(scope, receive, send)


# Its `security` is left out: every example bears the token. Who has none is turned away by test_frame.py.
ENDPOINTS = [each for area in AREAS for each in area.endpoints if each.api]
schema = schemathesis.openapi.from_dict({**description(ENDPOINTS), "security": []})
schema.app = served


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=True,
)
def test_every_answer_is_as_described(case: schemathesis.Case, desk: Desk) -> None:
    # Of an act a schema cannot say all: that a reason is not empty, that an agreement can be read.
    beyond = [checks.positive_data_acceptance] if case.method == "POST" else []
    case.call_and_validate("http://localhost", headers=BEARER, excluded_checks=beyond)


@pytest.mark.parametrize("number", [2**63, 2**200, -1])
def test_a_number_that_no_database_holds_is_no_fault_of_ours(number: int, desk: Desk) -> None:
    client = TestClient(desk.app, base_url="http://localhost", headers=BEARER)
    tried = 0
    for each in ENDPOINTS:
        numbers = {name: number for name, kind in get_type_hints(each.asks).items() if "int" in str(kind)}
        if numbers and not each.does:
            path = re.sub(r"\{\w+:int\}", str(number), each.path).replace("{party}", "USA")
            query = {name: number for name in numbers if name not in each.named}
            told = client.get(API + path, params=query)
            assert told.status_code < 500, (each.name, told.text)
            tried += 1
    assert tried > 2
