"""Whether a JSON value is a whole STIX 2.1 object: `check`; when it was made and last changed: `times`.

What is checked is what the rest of the node relies on, and what tells a broken export: the form of ids and
references, required properties, the types of those that many objects share. Vocabularies are open.
Section numbers are those of STIX 2.1 (OASIS Standard, 10 June 2021).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tearline.intake.context import shown
from tearline.terms import BadInput

UNVERSIONED = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of cyber-observable objects: they have none (section 3.1), and when intake happened is no part
of them."""

_KIND = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
_TYPE = re.compile(_KIND)
# Section 2.9; RFC 4122: lower case, and the variant of that document.
_ID = re.compile(rf"({_KIND})--[0-9a-f]{{8}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[89ab][0-9a-f]{{3}}-[0-9a-f]{{12}}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,18})?Z")

_VERSIONED = ("spec_version", "created", "modified")
_REQUIRED = {
    # Sections 4, 5 and 7: what is required beside the common properties.
    "attack-pattern": ("name",),
    "campaign": ("name",),
    "course-of-action": ("name",),
    "extension-definition": ("name", "schema", "version", "extension_types"),
    "grouping": ("context", "object_refs"),
    "identity": ("name",),
    "incident": ("name",),
    "indicator": ("pattern", "pattern_type", "valid_from"),
    "infrastructure": ("name",),
    "intrusion-set": ("name",),
    "language-content": ("object_ref", "contents"),
    "location": (),
    "malware": ("is_family",),
    "malware-analysis": ("product",),
    "note": ("content", "object_refs"),
    "observed-data": ("first_observed", "last_observed", "number_observed"),
    "opinion": ("opinion", "object_refs"),
    "relationship": ("relationship_type", "source_ref", "target_ref"),
    "report": ("name", "published", "object_refs"),
    "sighting": ("sighting_of_ref",),
    "threat-actor": ("name",),
    "tool": ("name",),
    "vulnerability": ("name",),
}
_OBSERVABLES = frozenset(
    {
        "artifact",
        "autonomous-system",
        "directory",
        "domain-name",
        "email-addr",
        "email-message",
        "file",
        "ipv4-addr",
        "ipv6-addr",
        "mac-addr",
        "mutex",
        "network-traffic",
        "process",
        "software",
        "url",
        "user-account",
        "windows-registry-key",
        "x509-certificate",
    }
)
"""Section 6."""
_DEFINITION = "marking-definition"


class _Granular(msgspec.Struct):
    selectors: list[str]
    marking_ref: str | UnsetType = UNSET


class _KillChainPhase(msgspec.Struct):
    kill_chain_name: str
    phase_name: str


class _ExternalReference(msgspec.Struct):
    source_name: str


class _Shared(msgspec.Struct):
    """The types of the common properties (section 3.2), and of those that many objects share."""

    type: str
    id: str
    spec_version: str | UnsetType = UNSET
    created: str | UnsetType = UNSET
    modified: str | UnsetType = UNSET
    revoked: bool | UnsetType = UNSET
    labels: list[str] | UnsetType = UNSET
    confidence: Annotated[int, Meta(ge=0, le=100)] | UnsetType = UNSET
    lang: str | UnsetType = UNSET
    external_references: list[_ExternalReference] | UnsetType = UNSET
    object_marking_refs: list[str] = []
    granular_markings: list[_Granular] = []
    extensions: dict[str, dict[str, Any]] | UnsetType = UNSET
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    aliases: list[str] | UnsetType = UNSET
    kill_chain_phases: list[_KillChainPhase] | UnsetType = UNSET
    is_family: bool | UnsetType = UNSET
    pattern: str | UnsetType = UNSET
    relationship_type: str | UnsetType = UNSET
    definition_type: str | UnsetType = UNSET


class Form(msgspec.Struct, frozen=True):
    """A whole object and what was read of it. `markings`: those of the object and of its parts."""

    item: dict[str, Any]
    created: datetime
    version: str
    markings: tuple[str, ...]


def check(item: Any, name: str, place: str) -> Form:
    """`item`, if it is a whole STIX 2.1 object. Raises `BadInput`."""
    try:
        shared = msgspec.convert(item, _Shared)
        _check_type(shared, item)
        _check_presence(shared, item)
        for key, value in item.items():
            # Custom properties may end in `_ref` without being references.
            if key.endswith(("_ref", "_refs")) and not key.startswith("x_"):
                _check_references(key, value)
        parts = [part.marking_ref for part in shared.granular_markings if isinstance(part.marking_ref, str)]
        _check_references("granular_markings", parts)
        created, version = _times(item)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        raise BadInput(name, place + path.rstrip("`"), reason[0].lower() + reason[1:]) from None
    except _Flaw as flaw:
        raise BadInput(name, place + flaw.path, flaw.reason) from None
    return Form(item, created, version, tuple(sorted({*shared.object_marking_refs, *parts})))


_OLD = {"spec_version": ": it is of STIX 2.0, and only 2.1 is read"}


class _Flaw(Exception):
    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(reason)


def _check_type(shared: _Shared, item: Mapping[str, Any]) -> None:
    kind = shared.type
    # Section 3.2, `type`.
    if not _TYPE.fullmatch(kind) or not 3 <= len(kind) <= 250 or kind == "bundle":
        raise _Flaw(".type", f"{shown(kind)!r} is not an object type")
    if not (ident := _ID.fullmatch(shared.id)):
        raise _Flaw(".id", f"{shown(shared.id)!r} is not of the form TYPE--UUID")
    if ident[1] != kind:
        raise _Flaw(".id", f"{shared.id} is not the id of a {kind}")
    standard = kind in _REQUIRED or kind in _OBSERVABLES or kind == _DEFINITION
    # Section 7.3: another type is defined by an extension, or by custom (section 11.2) begins with `x-`.
    if not standard and not kind.startswith("x-") and not shared.extensions:
        raise _Flaw(".type", f"{kind} is not a type of STIX 2.1, and no extension defines it")


def _check_presence(shared: _Shared, item: Mapping[str, Any]) -> None:
    for key in _needed(shared.type, item):
        if key not in item:
            raise _Flaw("", f"{shared.type} has no {key}" + _OLD.get(key, ""))
    if shared.spec_version not in (UNSET, "2.1"):
        raise _Flaw(".spec_version", f"is of STIX {shown(str(shared.spec_version))}, and only 2.1 is read")


def _needed(kind: str, item: Mapping[str, Any]) -> tuple[str, ...]:
    if kind in _REQUIRED:
        return (*_VERSIONED, *_REQUIRED[kind])
    if kind == _DEFINITION:
        return _VERSIONED[:2]
    # A custom object without times is a custom observable.
    return _VERSIONED if kind not in _OBSERVABLES and ("created" in item or "modified" in item) else ()


def _check_references(key: str, value: Any) -> None:
    refs = [value] if key.endswith("_ref") else value
    if not isinstance(refs, list):
        raise _Flaw(f".{shown(key)}", "should be a list of ids")
    for number, ref in enumerate(refs):
        if not isinstance(ref, str) or not _ID.fullmatch(ref):
            path = f".{shown(key)}" + ("" if refs is not value else f"[{number}]")
            raise _Flaw(path, f"{shown(str(ref))!r} is not of the form TYPE--UUID")


def _times(item: Mapping[str, Any]) -> tuple[datetime, str]:
    """When it was made, and its version: its last change, in milliseconds."""
    created = _time(item, "created") if "created" in item else UNVERSIONED
    modified = _time(item, "modified") if "modified" in item else created
    if modified < created:
        raise _Flaw(".modified", "is before created")
    return created, version_of(modified)


def version_of(changed: datetime) -> str:
    """A product's version: an instant in UTC, in milliseconds."""
    return f"{changed.isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"


def _time(item: Mapping[str, Any], key: str) -> datetime:
    try:
        if _TIME.fullmatch(item[key]):
            return datetime.fromisoformat(item[key])
    except ValueError:
        pass
    raise _Flaw(f".{key}", f"{shown(item[key])!r} is not a time such as 2026-11-02T10:00:00.000Z")
