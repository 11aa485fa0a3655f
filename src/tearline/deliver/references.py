"""What a released object points to: nothing but what its recipient was given, or the node that gives.

A reference is any string in an object that is a STIX id and nothing else (STIX 2.1, section 2.9), at any
depth: `*_ref`, `*_refs`, what custom properties and extensions hold. Whether its target is withheld or was
never held makes no difference: `given` is all that is looked at.

- `created_by_ref` becomes the node's identity. Of `object_refs` of a report or grouping that would be empty
  the node's identity is left. Every other reference goes: a member of a list from its list, a property from
  its object, and an object that stands in a list goes whole.
- What an object cannot be without (`_NEEDS`) is not cut: `cut` gives `None`, and the object has to wait.

Not references: `object_marking_refs`, which are made for the recipient, and the names of extensions.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any

import orjson

ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_OURS = frozenset({"id", "object_marking_refs"})
_ANY_OF: Mapping[str, tuple[tuple[str, ...], ...]] = {
    # One of each: sections 3.2 (required properties), 5.1, 5.2, 4.11, 4.13, 4.14, 6.12, 7.1.
    "language-content": (("object_ref",),),
    "malware-analysis": (("result", "analysis_sco_refs"),),
    "network-traffic": (("src_ref", "dst_ref"),),
    "note": (("object_refs",),),
    "observed-data": (("object_refs", "objects"),),
    "opinion": (("object_refs",),),
    "relationship": (("source_ref",), ("target_ref",)),
    "sighting": (("sighting_of_ref",),),
}
_LISTS = frozenset({"report", "grouping"})
"""Whose `object_refs` may name anything, and may not be empty (sections 4.16 and 4.4)."""
_OF_EXTENSION = {"archive-ext": "contains_refs"}
"""Section 6.7.2: an extension that is nothing without its references."""
_COMMON = frozenset({"type", "id", "spec_version", "object_marking_refs", "defanged"})

_GONE = object()


def targets(item: Mapping[str, Any]) -> set[str]:
    """Every id that `item` refers to, its own aside."""
    found = {ref for key, value in item.items() if key not in _OURS for ref in _ids(value)}
    return found - {item["id"]}


def mentioned(item: Mapping[str, Any]) -> set[str]:
    """`targets`, and the ids that stand within its texts."""
    return targets(item) | {ref[0] for ref in ID.finditer(orjson.dumps(item).decode())}


def awaited(item: Mapping[str, Any]) -> set[str]:
    """Those of `targets` that `item` is worth waiting for: all but who made or changed it."""
    rest = {key: value for key, value in item.items() if not _says_who(key, value)}
    return targets(rest)


def cut(item: Mapping[str, Any], given: Container[str], node_id: str) -> dict[str, Any] | None:
    """`item` with references to what is in `given` alone; `None` where it cannot be without another."""
    keep = _Keep(given, item["id"], node_id)
    left = {
        key: value
        for key, whole in item.items()
        if (value := whole if key in _OURS else _left(whole, keep)) is not _GONE
    }
    if "created_by_ref" in item:
        left.setdefault("created_by_ref", node_id)
    if item["type"] in _LISTS and "object_refs" in item:
        left.setdefault("object_refs", [node_id])
    whole = all(any(key in left for key in keys) for keys in _ANY_OF.get(item["type"], ()))
    # Observables that are nothing but references (a process, say) are nothing without them.
    hollow = not set(left) - _COMMON and bool(set(item) - _COMMON)
    return {key: left[key] for key in item if key in left} if whole and not hollow else None


class _Keep:
    """What may be pointed to."""

    def __init__(self, given: Container[str], *more: str) -> None:
        self._given, self._more = given, more

    def __contains__(self, ref: str) -> bool:
        return ref in self._more or ref in self._given


def _left(value: Any, keep: _Keep, name: str = "", *, listed: bool = False) -> Any:
    """What is left of `value`; `_GONE` where it goes whole. `listed`: it is a member of a list."""
    match value:
        case str():
            return _GONE if ID.fullmatch(value) and value not in keep else value
        case list():
            members = [left for each in value if (left := _left(each, keep, listed=True)) is not _GONE]
            return members if members or not value else _GONE
        case dict():
            left = {key: its for key, each in value.items() if (its := _left(each, keep, key)) is not _GONE}
            lost = len(left) < len(value)
            broken = lost and (listed or not left or _OF_EXTENSION.get(name) in value.keys() - left.keys())
            return _GONE if broken else left
        case _:
            return value


def _ids(value: Any) -> Iterator[str]:
    match value:
        case str():
            if ID.fullmatch(value):
                yield value
        case list():
            for each in value:
                yield from _ids(each)
        case dict():
            for each in value.values():
                yield from _ids(each)


def _says_who(key: str, value: Any) -> bool:
    return key.endswith("_by_ref") and str(value).startswith("identity--")
