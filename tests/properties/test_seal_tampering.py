"""No change to the meaning of a sealed object, wherever it is made, gets past its recipient."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tearline import deliver
from tearline.terms import Label, Reach
from tests.releases import KEY, cyber, sealed, whole

PATTERN = {
    "type": "indicator",
    "spec_version": "2.1",
    "id": "indicator--26ffb872-1dd9-446e-b6f5-d58527e5b5d2",
    "created": "2026-10-01T00:00:00.000Z",
    "modified": "2026-10-14T06:30:00.000Z",
    "name": "Маяк Grey Heron",
    "indicator_types": ["malicious-activity", "attribution"],
    "pattern": "[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']",
    "pattern_type": "stix",
    "valid_from": "2026-10-01T00:00:00Z",
    "confidence": 75,
    "x_ratio": 0.25,
    "revoked": False,
    "kill_chain_phases": [{"kill_chain_name": "lockheed-martin-cyber-kill-chain", "phase_name": "delivery"}],
}
DRAFTS = [whole(cyber(PATTERN | {"confidence": n}, Label(reach=Reach.GREEN))) for n in range(5)]
BODIES = sealed(DRAFTS)
BODY = BODIES[2]


def opened(item: dict[str, Any]) -> deliver.Opened:
    return deliver.open_release(item, giver="GBR", keys=[KEY.public_key()], recipient="UKR")


def places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The path of every value in a JSON document."""
    found = [path] if path else []
    if isinstance(value, dict):
        return found + [place for name, one in value.items() for place in places(one, (*path, name))]
    if isinstance(value, list):
        return found + [place for at, one in enumerate(value) for place in places(one, (*path, at))]
    return found


scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8)
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.text(max_size=4), scalars, max_size=2)


def change(draw: st.DrawFn, item: dict[str, Any]) -> None:
    """One change somewhere in `item`, in place."""
    *path, last = draw(st.sampled_from(places(item)))
    parent: Any = item
    for step in path:
        parent = parent[step]
    kind = draw(st.sampled_from(["put", "remove", "add", "edit"]))
    if kind == "put":
        parent[last] = draw(values)
    elif kind == "remove":
        del parent[last]
    elif kind == "add" and isinstance(parent, dict):
        parent[draw(st.text(max_size=6))] = draw(values)
    elif kind == "add":
        parent.insert(last, draw(values))
    elif isinstance(parent[last], str) and parent[last]:
        text = parent[last]
        at = draw(st.integers(0, len(text) - 1))
        parent[last] = text[:at] + draw(st.characters()) + text[at + 1 :]


def spelt(item: object) -> bytes | None:
    try:
        return rfc8785.dumps(item)  # type: ignore[arg-type]
    except rfc8785.CanonicalizationError:
        return None


def test_untouched_it_opens() -> None:
    for draft, body in zip(DRAFTS, BODIES, strict=True):
        assert opened(orjson.loads(body)).object == draft.object


@settings(max_examples=1500, deadline=None)
@given(st.data())
def test_any_change_of_meaning_is_found(data: st.DataObject) -> None:
    item = orjson.loads(BODY)
    change(data.draw, item)
    assume(spelt(item) != spelt(orjson.loads(BODY)))
    with pytest.raises(deliver.Unproven):
        opened(item)


@settings(max_examples=500, deadline=None)
@given(st.integers(0, len(BODY) - 1), st.integers(0, 255))
def test_any_changed_byte_is_found(at: int, value: int) -> None:
    spoilt = BODY[:at] + bytes([value]) + BODY[at + 1 :]
    try:
        item = orjson.loads(spoilt)
    except orjson.JSONDecodeError:
        return
    assume(isinstance(item, dict) and spelt(item) != spelt(orjson.loads(BODY)))
    with pytest.raises(deliver.Unproven):
        opened(item)


@settings(deadline=None)
@given(st.sampled_from(range(5)), st.sampled_from(["dsse", "inclusion", "checkpoint"]))
def test_parts_of_another_release_do_not_fit(other: int, part: str) -> None:
    item, theirs = orjson.loads(BODY), orjson.loads(BODIES[other])
    name = next(iter(item["extensions"]))
    before = copy.deepcopy(item)
    item["extensions"][name][part] = theirs["extensions"][name][part]
    if item == before:
        assert opened(item)
        return
    with pytest.raises(deliver.Unproven):
        opened(item)
