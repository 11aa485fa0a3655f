"""STIX 2.1 marking definitions: `parse_markings` joins those of one object, `render_markings` makes them.

Read are TLP 1.0 (STIX 2.1, section 7.2.1.4), TLP 2.0 and PAP (the OASIS extensions in
cti-stix-common-objects), statements (section 7.2.1.3: the duty `STATEMENT`), and our own extension. Anything
else, or a well-known id whose content is not the standard's, is quarantined.

Our extension, `EXTENSION`, is a property extension of a marking definition::

    {"extension_type": "property-extension", "scheme": "capco", "text": "SECRET//REL TO USA, GBR"}
    {"extension_type": "property-extension", "owners": ["UKR"], "consent": ["UKR"]}

`scheme` and `text` stand together: a banner line, read on the day the definition was `created`. `owners` and
`consent` (third-party rule) are party codes, where the marking has no classification that would tell them.
"""

from __future__ import annotations

import copy
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
import orjson

from tearline.label import capco, tlp
from tearline.label.algebra import join, join_all
from tearline.label.marks import FGI
from tearline.label.tables import COALITIONS, COUNTRIES
from tearline.terms import Label, Marking, Quarantine, Reach, Use

EXTENSION = "extension-definition--5a82038b-157e-4640-a99b-d4770ec9dd76"
"""Ours. The id is fixed for good; what it means may only be added to."""
TLP2_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
PAP_EXTENSION = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b"
PARSER = f"stix/2.1 {tlp.PARSER} {capco.PARSER}"

_NAMESPACE = uuid.UUID(EXTENSION.removeprefix("extension-definition--"))
_STATEMENT = "The terms of use that came with the original apply."
_CREATED = re.compile(r"(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(\.\d+)?Z")
_Party = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9][A-Z0-9_-]{0,63}\Z")]


class _Ours(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The content of our extension."""

    extension_type: Literal["property-extension"] = "property-extension"
    scheme: Literal["capco"] | None = None
    text: str | None = None
    owners: list[_Party] = []
    consent: list[_Party] = []


def _definition(day: str, ident: str = "", **properties: Any) -> dict[str, Any]:
    """A marking definition; without an `ident` of a standard, one is made of what the definition says."""
    body = {"created": f"{day}T00:00:00.000Z", **properties}
    ident = ident or str(uuid.uuid5(_NAMESPACE, orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()))
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": f"marking-definition--{ident}",
        **body,
    }


def _extended(name: str, day: str, ident: str, extension: str, **content: str) -> dict[str, Any]:
    extensions = {extension: {"extension_type": "property-extension", **content}}
    return _definition(day, ident, name=name, extensions=extensions)


def _tlp1(name: str, ident: str) -> dict[str, Any]:
    return _definition(
        "2017-01-20", ident, definition_type="tlp", name=f"TLP:{name.upper()}", definition={"tlp": name}
    )


def _tlp2(name: str, ident: str) -> dict[str, Any]:
    return _extended(f"TLP:{name.upper()}", "2022-10-01", ident, TLP2_EXTENSION, tlp_2_0=name)


def _pap(name: str, ident: str, day: str) -> dict[str, Any]:
    return _extended(f"PAP:{name.upper()}", day, ident, PAP_EXTENSION, pap=name)


_TLP2 = {
    Reach.CLEAR: _tlp2("clear", "94868c89-83c2-464b-929b-a1a8aa3c8487"),
    Reach.GREEN: _tlp2("green", "bab4a63c-aed9-4cf5-a766-dfca5abac2bb"),
    Reach.AMBER: _tlp2("amber", "55d920b0-5e8b-4f79-9ee9-91f868d9b421"),
    Reach.AMBER_STRICT: _tlp2("amber+strict", "939a9414-2ddd-4d32-a0cd-375ea402b003"),
    Reach.RED: _tlp2("red", "e828b379-4e03-4974-9ac4-e53a884c97c1"),
}
_PAP = {
    Use.CLEAR: _pap("clear", "ad15a0cd-55b6-4588-a14c-a66105329b92", "2022-10-01"),
    Use.GREEN: _pap("green", "c43594d1-4b11-4c59-93ab-1c9b14d53ce9", "2022-10-09"),
    Use.AMBER: _pap("amber", "60f8932b-e51e-4458-b265-a2e8be9a80ab", "2022-10-02"),
    Use.RED: _pap("red", "740d36e5-7714-4c30-961a-3ae632ceee0e", "2022-10-06"),
}
_OLDER = (
    _tlp1("white", "613f2e26-407d-48c7-9eca-b8e91df99dc9"),
    _tlp1("green", "34098fce-860f-48ae-8e50-ebd3cc5e41da"),
    _tlp1("amber", "f88d31f6-486f-44da-b317-01333bde0b82"),
    _tlp1("red", "5e57c739-391a-4eb3-b6be-7d15ca92d5ed"),
    _pap("white", "a3bea94c-b469-41dc-9cfe-d6e7daba7730", "2022-10-01"),
)
_KNOWN = {known["id"]: known for known in (*_TLP2.values(), *_PAP.values(), *_OLDER)}


def _contents(definition: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """What a definition says: (marking type, definition) and (extension, content) pairs."""
    kind = definition.get("definition_type")
    own = [] if kind is None else [(kind, definition.get("definition"))]
    return own + list((definition.get("extensions") or {}).items())


def _key(content: tuple[Any, Any]) -> bytes:
    return orjson.dumps(content, default=_plain, option=orjson.OPT_SORT_KEYS)


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)


_COLOUR = {_key(content): known["name"] for known in _KNOWN.values() for content in _contents(known)}
"""`TLP:AMBER` and the like by the content that means it, whatever the definition's id."""


def well_known(ref: str) -> dict[str, Any] | None:
    """The standard's own TLP or PAP definition with the id `ref`: a bundle may refer to it without it."""
    return copy.deepcopy(_KNOWN.get(ref))


# --- Reading -------------------------------------------------------------------------------------


def parse_markings(definitions: Sequence[Mapping[str, Any]]) -> tuple[Marking, Label | Quarantine]:
    """The joined label of the marking definitions that apply to one object. Total: it never raises.

    None at all, or PAP alone, is no marking and quarantined; a default is the caller's to supply.
    """
    try:
        text = orjson.dumps(list(definitions), default=_plain, option=orjson.OPT_SORT_KEYS).decode()
    except (TypeError, RecursionError):
        return Marking(scheme="stix", text="", parser=PARSER), _quarantine("", "is not JSON")
    marking = Marking(scheme="stix", text=text, parser=PARSER)
    try:
        parts = [part for definition in definitions for part in _parts(definition)]
    except _Unknown as unknown:
        return marking, unknown.quarantine
    if all(scheme == "PAP" for scheme, _ in parts):
        return marking, _quarantine("", "no marking")
    return marking, join_all(label for _, label in parts)


class _Unknown(Exception):
    def __init__(self, quarantine: Quarantine) -> None:
        self.quarantine = quarantine
        super().__init__(quarantine.reason)


def _quarantine(mark: object, reason: str) -> Quarantine:
    return Quarantine(scheme="stix", mark=str(mark)[:200], reason=reason)


def _parts(definition: object) -> list[tuple[str, Label]]:
    """What one definition says, in (scheme, label) pairs."""
    if not isinstance(definition, Mapping) or definition.get("type") != "marking-definition":
        raise _Unknown(_quarantine("", "one of the markings is not a marking definition"))
    ident = definition.get("id")
    if not isinstance(ident, str) or not isinstance(definition.get("extensions") or {}, Mapping):
        raise _Unknown(_quarantine(ident, "is not a whole marking definition"))
    contents = _contents(definition)
    if not contents or (ident in _KNOWN and contents != _contents(_KNOWN[ident])):
        raise _Unknown(_quarantine(ident, "does not say what its id stands for"))
    return [_part(definition, content) for content in contents]


def _part(definition: Mapping[str, Any], content: tuple[Any, Any]) -> tuple[str, Label]:
    if colour := _COLOUR.get(_key(content)):
        scheme, _, name = colour.partition(":")
        name = "CLEAR" if name == "WHITE" else name
        return scheme, Label(reach=tlp.REACH[name]) if scheme == "TLP" else Label(use=tlp.USE[name])
    match content:
        case "statement", {"statement": str(), **rest} if not rest:
            return "statement", Label(duties=frozenset({"STATEMENT"}))
        case extension, ours if extension == EXTENSION:
            return "tearline", _read_ours(definition, ours)
    raise _Unknown(_quarantine(definition["id"], f"is of the unknown kind {str(content[0])[:80]}"))


def _read_ours(definition: Mapping[str, Any], content: object) -> Label:
    """Our extension. Its banner line is read on the day on which the definition was created."""
    ident = definition["id"]
    try:
        ours = msgspec.convert(content, _Ours)
        created = _CREATED.fullmatch(str(definition.get("created")))
        at = date.fromisoformat(created[1]) if created else None
    except (msgspec.ValidationError, ValueError) as error:
        raise _Unknown(_quarantine(ident, "has an extension that is not of its schema")) from error
    if at is None or (ours.scheme is None) != (ours.text is None) or ours == _Ours():
        raise _Unknown(_quarantine(ident, "has an extension that is not whole"))
    label = Label(owners=frozenset(ours.owners) | frozenset(ours.consent), consent=frozenset(ours.consent))
    if ours.text is None:
        return label
    banner = capco.parse_banner(ours.text, at=at)
    if isinstance(banner, Quarantine):
        raise _Unknown(banner)
    return join(label, banner)


# --- Rendering -----------------------------------------------------------------------------------


def render_markings(label: Label, *, created_by_ref: str, at: date) -> list[dict[str, Any]]:
    """Marking definitions that say no less than `label` (its `info` aside); the same for the same arguments.

    TLP 2.0 where the label has a reach or nothing else says how to share it; PAP where it has a use; a
    statement for the duty `STATEMENT`; ours for all the rest. `at` is the day on which they are made, and
    with which they are read. Raises `Refused` where the label cannot be said.
    """
    found = [_TLP2[label.reach]] if label.reach > Reach.CLEAR else []
    found += [_PAP[label.use]] if label.use > Use.CLEAR else []
    day = at.strftime("%Y-%m-%d")
    if "STATEMENT" in label.duties:
        statement = {"statement": _STATEMENT}
        found.append(
            _definition(day, created_by_ref=created_by_ref, definition_type="statement", definition=statement)
        )
    ours = _ours(msgspec.structs.replace(label, duties=label.duties - {"STATEMENT"}))
    if ours != _Ours():
        content = msgspec.to_builtins(ours) | {"extension_type": "property-extension"}
        found.append(_definition(day, created_by_ref=created_by_ref, extensions={EXTENSION: content}))
    if all(definition in _PAP.values() for definition in found):
        found.insert(0, _TLP2[Reach.CLEAR])
    return copy.deepcopy(found)


def _ours(label: Label) -> _Ours:
    """A banner line where the label needs one, and those owners whom it does not name."""
    lists = label.release is not None or label.display is not None
    banner = bool(label.level or label.need or label.duties or lists)
    named = frozenset({FGI, *COUNTRIES, *COALITIONS}) if banner else frozenset()
    text = None
    if banner:
        known = msgspec.structs.replace(label, owners=label.owners & named, consent=label.consent & named)
        text = capco.render_banner(known)
    return _Ours(
        scheme="capco" if banner else None,
        text=text,
        owners=sorted(label.owners - named),
        consent=sorted(label.consent - named),
    )
