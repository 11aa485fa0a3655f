"""What is withheld and what is absent take the same path at the door: nobody can tell them by the clock."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from benchmarks.timing import CLASSES, HELD_BACK, NO_SCENE, Asked, compare, welch

LONG = bool(os.environ.get("TEARLINE_LONG"))
SAMPLES = 100_000 if LONG else 1_500
AT_THE_DOOR = ("id", "filter", "refused", "scene")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    made = Asked(tmp_path_factory.mktemp("timing"))
    yield made
    made.close()


@pytest.mark.parametrize("name", AT_THE_DOOR)
def test_the_clock_tells_nothing(asked: Asked, name: str) -> None:
    found = compare(CLASSES[name](asked), SAMPLES)
    assert abs(found.t) < 4.5, found
    # In so few samples the noise of a busy machine alone can be larger: it counts what is beyond it.
    noise = abs(found.one - found.other) / max(abs(found.t), 1e-9)
    assert found.effect < 50 + (0 if LONG else 2 * noise), found


def test_both_are_answered_alike(asked: Asked) -> None:
    one, other = (asked.wire.get(path) for path in ("/api/collections/x/objects/", "/nowhere/"))
    assert one == other


def test_a_scene_that_is_held_back_is_absent(asked: Asked) -> None:
    one, other = (
        asked.wire.get(f"/stac/collections/imagery/items/{name.id}") for name in (HELD_BACK, NO_SCENE)
    )
    assert one == other


def test_a_difference_would_be_found() -> None:
    """Fifty microseconds in a noise as large as that of a busy machine."""
    draw = random.Random(7)
    one, other = ([draw.lognormvariate(6, 0.4) + more for _ in range(2_000)] for more in (50, 0))
    assert welch(one, other).t > 4.5
    assert abs(welch(other, other[::-1]).t) < 1e-6
