"""Law 5 for files: what a partner's view and door hold is the same, whatever files others are given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tearline.adapters import sandbox
from tearline.adapters.view import OUT
from tearline.agreement.suspension import Scope
from tearline.deliver import RecallAction, RecallKind, RecallReason
from tearline.deliver.file import Content, File, named
from tearline.media import Inspect
from tearline.node import Node, media
from tearline.node.files import sweep
from tearline.node.recall import recall
from tearline.node.suspend import suspend
from tearline.node.take_in_file import About, take_in_file
from tearline.terms import Topic
from tests.adoption import OFFICERS
from tests.media_files import recording
from tests.unit.node.world import EVERYTHING, held, nodes, work

composing = import_module("tearline.deliver.compose")
START = datetime(2026, 11, 24, tzinfo=UTC)
TOPICS = frozenset({Topic.THREAT_TO_LIFE})
FOR_ALL = About(marking="TLP:GREEN", topics=TOPICS)
FOR_AUS = About(marking="//GBR UNCLASSIFIED//REL TO AUS, GBR", topics=TOPICS)
FOR_NOBODY = About(marking="TLP:GREEN")
NOISE = ("for aus", "for nobody", "recall", "suspend", "sweep")
CORE = 3
"""Recordings that the watched partner is given."""

_real = sandbox.run
_seen: dict[str, Any] = {}


def looked_at_once(request: Any, **more: Any) -> Any:
    """As the sandbox, but the same file is inspected once for all examples."""
    if not isinstance(request, Inspect):
        return _real(request, **more)
    name = "/".join(Path(request.source).parts[-2:])
    if name not in _seen:
        _seen[name] = _real(request)
    return _seen[name]


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "run", looked_at_once)


@cache
def files() -> Path:
    folder = Path(_FILES.name)
    for number in range(CORE + 4):
        recording(folder, str(number), seed=number, samples=512)
    return folder


_FILES = TemporaryDirectory(prefix="tearline-tests-")


def take(node: Node, number: int, about: About) -> None:
    list(take_in_file(node, files() / f"{number}.sigmf-meta", about))


def noise(node: Node, act: str, number: int) -> None:
    match act:
        case "for aus":
            take(node, CORE + number % 4, FOR_AUS)
        case "for nobody":
            take(node, CORE + number % 4, FOR_NOBODY)
        case "recall":
            ours = [each.product for each in held(node) if each.product.label.release]  # type: ignore[union-attr]
            if ours:
                recall(
                    node,
                    ours[number % len(ours)].id,
                    kind=RecallKind.SUBSTANTIVE_RECALL,
                    reason=RecallReason.FACTUAL_ERROR,
                    actions=[RecallAction.DESTROY],
                    officer=OFFICERS[0],
                )
        case "suspend":
            suspend(node, "AUS", Scope(), officer=OFFICERS[0], reason=f"Example {len(node.suspensions)}.")
        case "sweep":
            sweep(node)


@contextmanager
def history(steps: Sequence[Sequence[tuple[str, int]]]) -> Iterator[Node]:
    """A node to which the watched partner's recordings come one by one, and between them the noise."""
    with TemporaryDirectory() as folder, nodes(Path(folder) / "n", "AUS", "GBR", "USA") as (_, gbr, _usa):
        for number in range(CORE):
            moment = START + timedelta(hours=number)
            gbr.clock = lambda at=moment: at + timedelta(minutes=10)  # type: ignore[misc]
            for act, which in steps[number]:
                noise(gbr, act, which)
                work(gbr)
            gbr.clock = lambda at=moment: at + timedelta(minutes=30)  # type: ignore[misc]
            take(gbr, number, FOR_ALL)
            work(gbr)
            media.attend(gbr)
        yield gbr


def seen(node: Node, party: str) -> dict[str, Any]:
    """What the door answers to a partner out of: objects, rows of files, links and what they lead to."""
    view = node.view(party)
    page = view.page(OUT, EVERYTHING, after=-1, limit=1000)
    folder = node.home.released_to(party)
    return {
        "objects": list(zip(page.added, page.items, strict=True)),
        "files": view.released_files(),
        "links": sorted((link.name, link.read_bytes()) for link in folder.iterdir()),
        "logs": view.verify(node.home.signing_key.public_key()),
    }


QUIET: list[list[tuple[str, int]]] = [[], [], []]
noises = st.lists(
    st.lists(st.tuples(st.sampled_from(NOISE), st.integers(0, 3)), max_size=3), min_size=CORE, max_size=CORE
)


@cache
def quiet() -> dict[str, Any]:
    with history(QUIET) as node:
        assert len(list(held(node))) == CORE
        return seen(node, "USA")


@settings(max_examples=8, deadline=None)
@given(noises)
@example(
    [[("for aus", 0), ("for nobody", 1)], [("recall", 0), ("for aus", 2)], [("suspend", 0), ("sweep", 0)]]
)
def test_others_files_change_nothing(steps: list[list[tuple[str, int]]]) -> None:
    with history(steps) as node:
        assert seen(node, "USA") == quiet()


def test_the_noise_is_heard_by_those_whom_it_concerns() -> None:
    with history([[("for aus", 0)], [("for aus", 1)], []]) as node:
        assert len(node.view("AUS").released_files()) == CORE + 2
        assert len(node.view("USA").released_files()) == CORE


def test_two_partners_cannot_tell_by_names_that_they_have_the_same() -> None:
    with history(QUIET) as node:
        names = {party: {file.name for file in node.view(party).released_files()} for party in ("AUS", "USA")}
    assert names["AUS"].isdisjoint(names["USA"])
    assert {len(each) for each in names.values()} == {CORE}


def test_a_planted_leak_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that are counted over all partners: the property must not hold for them."""
    count = iter(range(1_000_000))

    def counted(content: Content, _: bytes) -> File:
        return named(content, next(count).to_bytes(16, "little"))

    monkeypatch.setattr(composing, "named", counted)
    with history(QUIET) as node:
        without = seen(node, "USA")
    count = iter(range(1_000_000))
    with history([[("for aus", 0)], [], []]) as node:
        assert seen(node, "USA") != without
