"""Scenes for tests: put into a view as the node does."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tearline.adapters.view import OUT, Item, View
from tearline.deliver import Asset, Scene, compose_scene
from tearline.terms import Box, Grain, Imagery, Position, Signal
from tests.door import open_view

NOON = datetime(2026, 3, 14, 12, 30, 15, 250_000, tzinfo=UTC)


def picture(box: Box | None, taken: datetime | None = NOON, **rest: Any) -> Imagery:
    """The facts of a released picture."""
    values = {"format": "geotiff", "width": 64, "height": 64, "bands": 1, "dtype": "uint8", "gsd_m": 10.0}
    return Imagery(**(values | rest), box=box, taken=taken)


def recording(position: Position | None, taken: datetime | None = NOON) -> Signal:
    """The facts of a released recording."""
    return Signal(
        datatype="cf32_le",
        channels=1,
        samples=1000,
        sample_rate_hz=1e6,
        centre_hz=1e8,
        position=position,
        taken=taken,
        annotations=0,
    )


def scene(
    number: int,
    facts: Imagery | Signal,
    *,
    grain: Grain = Grain.EXACT,
    title: str = "A harbour",
    asset: bool = True,
) -> Scene:
    """The scene of a release. Its id tells its number."""
    name = f"report--00000000-0000-4000-8000-{number:012x}"
    return compose_scene(
        name,
        facts,
        title=title,
        grain=grain,
        issued=NOON + timedelta(days=30),
        asset=Asset(
            path=f"/files/{name}", media_type="image/tiff; application=geotiff", sha256="ab" * 32, size=12_345
        )
        if asset
        else None,
    )


def put(view: View, scenes: Iterable[Scene], at: datetime = NOON, release: str = "") -> list[int]:
    """Release the scenes, each with its report; the dates-added."""
    every = list(scenes)
    with view.begin() as writer:
        names = [f"{release}{one.id}" for one in every]
        body = json.dumps({"type": "report"}).encode()
        items = [
            Item(
                name,
                one.id,
                "report",
                (NOON if not release else at).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "2.1",
                body,
            )
            for name, one in zip(names, every, strict=True)
        ]
        before = {added for added, _ in view.unserved(-1, 10**6)}
        writer.add(OUT, items, at)
        for name, one in zip(names, every, strict=True):
            writer.add_scene(name, one)
    return [added for added, _ in view.unserved(-1, 10**6) if added not in before]


def give(folder: Path, party: str, scenes: Iterable[Scene]) -> None:
    """As `put`, into the view of a party."""
    view = open_view(folder, party)
    put(view, scenes)
    view.close()
