"""The desk against its own OpenAPI description: whatever a program asks, the answer is one that it promises."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from starlette.requests import Request

from tearline.doors.desk import EVERYBODY, Person
from tearline.doors.desk.app import Desk
from tearline.doors.desk.areas import AREAS
from tearline.doors.desk.openapi import API, description
from tests.desk import made_desk
from tests.unit.node.world import GREEN, REPORT, bundle, malware, nodes, take, work

EXAMPLES = 200 if os.environ.get("TEARLINE_LONG") else 12


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
            yield made


schema = schemathesis.openapi.from_dict(description(each for area in AREAS for each in area.endpoints))


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=True,
)
def test_every_answer_is_as_described(case: schemathesis.Case, desk: Desk) -> None:
    case.operation.app = desk.app
    case.call_and_validate(base_url="http://localhost", headers=BEARER)
