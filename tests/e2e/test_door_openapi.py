"""The door against its own OpenAPI description: whatever is sent, the answer is one that it promises."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi import checks

from tearline.doors.partner import app
from tearline.terms import Box, Grain, Position
from tests.catalogue import give, picture, recording, scene
from tests.door import MEDIA_TYPE, Door, Identity, indicator, release, serving
from tests.openapi import PART, WHOLE, catalogue_part

EXAMPLES = 400 if os.environ.get("TEARLINE_LONG") else 25

schema = schemathesis.openapi.from_path(str(WHOLE))


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity.make(tmp_path_factory.mktemp("people") / "BBB", "BBB")


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, partner: Identity) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    release(folder, "BBB", [indicator(number, version=number) for number in range(8)])
    give(folder, "BBB", [scene(number, picture(Box(number, 0, number + 1, 1))) for number in range(12)])
    give(folder, "BBB", [scene(20, recording(Position(1.0, 1.0)), grain=Grain.DAY), scene(21, picture(None))])
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
    # Of a search a schema cannot say all: that south is below north, that only one of two filters is given.
    beyond = [checks.positive_data_acceptance] if case.path.startswith("/stac/") else []
    case.call_and_validate(
        base_url=door.url,
        session=session,
        verify=session.verify,
        cert=session.cert,
        excluded_checks=beyond,
    )


def test_the_description_has_every_endpoint_and_method() -> None:
    paths = yaml.safe_load(WHOLE.read_text())["paths"]
    described = {
        (re.sub(r"\{\w+\}", "*", path), method.upper())
        for path, methods in paths.items()
        for method in methods
        if method != "parameters"
    }
    served = {
        (re.sub(r"\(\?P<\w+>\[\^/\]\+\)", "*", path), method)
        for path, methods in app._PATHS
        for method in methods
    }
    assert described == served


def test_the_door_gives_out_the_catalogues_part_of_it() -> None:
    assert PART.read_text() == catalogue_part(), "run `python -m tests.openapi`"
