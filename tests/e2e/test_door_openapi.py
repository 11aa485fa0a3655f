"""The door against its own OpenAPI description: whatever is sent, the answer is one that it promises."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, settings

from tearline.doors.partner import app
from tests.door import MEDIA_TYPE, Door, Identity, indicator, release, serving

DESCRIPTION = Path(__file__).parents[2] / "docs" / "partner-door.openapi.yaml"
EXAMPLES = 400 if os.environ.get("TEARLINE_LONG") else 25

schema = schemathesis.openapi.from_path(str(DESCRIPTION))


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity.make(tmp_path_factory.mktemp("people") / "BBB", "BBB")


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, partner: Identity) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    release(folder, "BBB", [indicator(number, version=number) for number in range(8)])
    with serving(folder, {"BBB": partner}) as running:
        yield running


@pytest.fixture(scope="module")
def session(door: Door, partner: Identity) -> Iterator[requests.Session]:
    with requests.Session() as one:
        one.trust_env = False
        one.verify = str(door.server.certificate)
        one.cert = (str(partner.certificate), str(partner.key))
        yield one


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=True,
)
def test_every_answer_is_as_described(case: schemathesis.Case, door: Door, session: requests.Session) -> None:
    case.headers = {**(case.headers or {}), "Accept": MEDIA_TYPE}
    case.call_and_validate(base_url=door.url, session=session, verify=session.verify, cert=session.cert)


def test_the_description_has_every_endpoint_and_method() -> None:
    described = {
        (path.format(collection="C", object="O", status="S"), method.upper())
        for path, methods in yaml.safe_load(DESCRIPTION.read_text())["paths"].items()
        for method in methods
        if method != "parameters"
    }
    served = {
        (
            path.replace("(?P<collection>[^/]+)", "C").replace(
                "(?P<name>[^/]+)", "S" if "status" in path else "O"
            ),
            method,
        )
        for path, methods in app._PATHS
        for method in methods
    }
    assert described == served
