"""Turns an outcome into the STIX 2.1 object that is given, marked for its one recipient.

A tearline is an object of its own: nothing in it is taken from the original but the text that may go, its
topics, regions and language, and nobody without the node's secret can tell to what it belongs.
"""

from __future__ import annotations

import hmac
import re
import uuid
from collections.abc import Container
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

import msgspec
import orjson

from tearline import label
from tearline.deliver import references
from tearline.deliver.custody import Chain
from tearline.deliver.extension import DEFINITION, EXTENSION, FILE_DEFINITION, RECALL
from tearline.deliver.file import Content, File, is_media, named, passed_on, to_artifact, told_in
from tearline.deliver.scene import Asset, Scene, compose_scene
from tearline.deliver.text import portions_text, whole_text
from tearline.label.stix import render_markings
from tearline.ledger import canonical
from tearline.terms import (
    BadInput,
    Category,
    Label,
    Media,
    Party,
    Product,
    Quarantine,
    Refused,
    Role,
    Tearline,
    Whole,
)

_NAMESPACE = uuid.UUID("cf3f6b1b-3013-4012-8730-9e8df91e391c")
_BEGINNING = "2026-11-01T00:00:00.000Z"
"""`created` of objects that never change, and so must be the same whenever they are made."""

OURS = frozenset({EXTENSION, RECALL})
"""What a giver said to us alone, and we do not pass on."""

_Marks = tuple[dict[str, Any], ...]
_REPORT_ID = re.compile(r"report--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER = re.compile(r"\A\s*\(?\d{1,3}(?:\.\d{1,3})*[.)]\s+")


class NodeIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Who gives. `secret`: 32 bytes that only this node has; ids that must tell nothing are made with it."""

    party: Party
    name: str
    secret: bytes
    door: str = ""
    """Where partners reach it: `https://host:port`."""

    @property
    def id(self) -> str:
        """The STIX id of this organisation: the same for everyone."""
        return identity_id(self.party)

    def __repr__(self) -> str:
        return f"NodeIdentity({self.party})"

    def to_stix(self) -> dict[str, Any]:
        """The STIX identity object."""
        return {
            "type": "identity",
            "spec_version": "2.1",
            "id": self.id,
            "created": _BEGINNING,
            "modified": _BEGINNING,
            "name": self.name,
            "identity_class": "organization",
        }

    def opaque(self, *what: str) -> bytes:
        """32 bytes that are the same for the same `what`, and mean nothing to others."""
        return hmac.digest(self.secret, "\0".join(what).encode(), "sha256")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be given to `recipient`, not yet signed. Survives JSON and back."""

    release_id: str
    """The same for the same content to the same recipient: doing it again changes nothing."""
    recipient: Party
    object_id: str
    version: str | None
    """The object's `modified`, else its `created`; `None` where STIX gives it neither."""
    issued: str
    """RFC 3339, microseconds, `Z`."""
    digest: str
    """SHA-256 of `object` in RFC 8785 form, hexadecimal."""
    object: dict[str, Any]
    supporting: tuple[dict[str, Any], ...]
    """What `object` refers to: marking definitions, the node's identity, the extension's definition."""
    chain: Chain | None = None
    """Its custody; `None` for what is no product."""
    file: File | None = None
    """The file that goes with it."""
    scene: Scene | None = None
    """What the recipient's catalogue shows of it."""

    @property
    def brings(self) -> frozenset[str]:
        """The ids of what comes with it and nothing else: the artifact of its file."""
        return frozenset() if self.file is None else frozenset({self.file.artifact})


class _Everything:
    def __contains__(self, _: object) -> bool:
        return True


EVERYTHING = _Everything()
"""In the place of `given`, for what `pointing_within` cuts later."""


def compose(
    product: Product,
    outcome: Whole | Tearline,
    *,
    node: NodeIdentity,
    issued: datetime,
    given: Container[str] = frozenset(),
    after: str = "",
    content: Content | None = None,
) -> Draft:
    """The draft for `outcome.partner`; `issued` is in UTC. It points only to what is `given` to the partner.

    `after`: a recall after which the same tearline is given anew, so that it is another object. `content`: of
    a picture or recording, the file that goes.

    Raises `Refused` where no marking can say the label, a source would be named, or it cannot be without
    something that is not given; and `BadInput` where the product's JSON has no canonical form.
    """
    whole = isinstance(outcome, Whole)
    own = product.label if isinstance(outcome, Whole) else outcome.label
    if isinstance(own, Quarantine):
        raise Refused("a product in quarantine goes to nobody")
    marks = markings(own, outcome.partner, node, issued)
    item: dict[str, Any] | None
    if is_media(product) and content is None:
        raise Refused("a picture or recording goes with its file, or not at all")
    if content is not None and isinstance(outcome, Tearline):
        item = _form(product, outcome, content, node, issued, marks, after)
    elif content is not None:
        item = _whole_media(product, content, node, marks)
    elif isinstance(outcome, Tearline):
        item = _tearline(product, outcome, node, issued, marks, after)
    elif _is_stix(product):
        item = _original(product, marks)
    else:
        item = _whole_report(product, outcome.partner, node, marks)
    if _names_a_source(product, item):
        raise Refused("a cryptonym goes to nobody")
    if (item := references.cut(item, given, node.id)) is None:
        raise Refused("it waits for what it refers to")
    supporting = (*marks, node.to_stix(), DEFINITION)
    form = "whole" if whole else "tearline"
    # A new version that changes only what is withheld gives the same tearline, so it is no new release.
    what = item["id"] if isinstance(outcome, Tearline) else f"{product.id} {product.version}"
    release = node.opaque("release", product.originator, what, outcome.partner, form).hex()
    file = scene = None
    if content is not None:
        file = named(content, node.opaque("file", release))
        item["object_refs"] = [file.artifact]
        supporting = (*supporting, FILE_DEFINITION, to_artifact(file, _refs(marks), node.door))
        scene = _scene(item, content, file, issued)
    return Draft(
        release_id=release,
        recipient=outcome.partner,
        object_id=item["id"],
        version=item.get("modified", item.get("created")),
        issued=issued.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        digest=sha256(canonical(item)).hexdigest(),
        object=item,
        supporting=supporting,
        file=file,
        scene=scene,
    )


def _scene(item: dict[str, Any], content: Content, file: File, issued: datetime) -> Scene:
    asset = Asset(path=file.path, media_type=file.media_type, sha256=file.sha256, size=file.size)
    title, grain = item["name"], content.grain
    return compose_scene(item["id"], content.facts, title=title, grain=grain, issued=issued, asset=asset)


def pointing_within(draft: Draft, given: Container[str], node: NodeIdentity) -> Draft | None:
    """`draft`, pointing only to what is `given`; `None` where it cannot be without something else."""
    item = references.cut(draft.object, given, node.id)
    return None if item is None else with_object(draft, item)


def with_object(draft: Draft, item: dict[str, Any]) -> Draft:
    """`draft` with less in its object."""
    if item == draft.object:
        return draft
    return msgspec.structs.replace(draft, object=item, digest=sha256(canonical(item)).hexdigest())


def markings(own: Label, recipient: Party, node: NodeIdentity, at: datetime) -> _Marks:
    """The marking definitions that say `own` to `recipient` alone, its lists narrowed (law 5)."""
    return _marks(own, recipient, node.id, at.astimezone(UTC).date())


@lru_cache(maxsize=1024)
def _marks(own: Label, recipient: Party, node_id: str, day: date) -> _Marks:
    return tuple(render_markings(label.narrow(own, recipient), created_by_ref=node_id, at=day))


@lru_cache(maxsize=1024)
def identity_id(party: Party) -> str:
    """The STIX id of an organisation's node: the same for everyone."""
    return f"identity--{uuid.uuid5(_NAMESPACE, party)}"


def _names_a_source(product: Product, item: dict[str, Any]) -> bool:
    """Whether a cryptonym of the product stands in what is to go; one without a hyphen only in capitals."""
    if not product.sources:
        return False
    text = orjson.dumps(item).decode()
    return any(
        name in text.upper() if "-" in name else re.search(rf"(?<![A-Z]){name}(?![A-Z])", text)
        for name in product.sources
    )


# --- the forms -----------------------------------------------------------------------------


def _is_stix(product: Product) -> bool:
    """Whether its content is a STIX object, as that of reports from partners is too."""
    return product.category is Category.CYBER or product.content.startswith(b"{")


def _original(product: Product, marks: _Marks) -> dict[str, Any]:
    """The STIX object itself, under the marking made for its recipient."""
    try:
        item: dict[str, Any] = orjson.loads(product.content)
    except orjson.JSONDecodeError:
        raise BadInput(product.id, "", "its content is not JSON") from None
    item.pop("granular_markings", None)  # joined into the label already
    item["object_marking_refs"] = _refs(marks)
    extensions = {name: body for name, body in item.pop("extensions", {}).items() if name not in OURS}
    return item | ({"extensions": extensions} if extensions else {})


def _whole_report(product: Product, recipient: Party, node: NodeIdentity, marks: _Marks) -> dict[str, Any]:
    ours = product.id if _REPORT_ID.fullmatch(product.id) else _report_id(product)
    item = _report(product, product.title, whole_text(product, recipient), node, marks)
    created = _stamp(product.created)
    return item | {"id": ours, "created": created, "modified": product.version, "published": created}


def _whole_media(product: Product, content: Content, node: NodeIdentity, marks: _Marks) -> dict[str, Any]:
    """The report that brings the file. Of the texts that stand in the file nothing is told beside it."""
    came_as = msgspec.json.decode(product.content, type=Media).came_as
    if came_as is None:
        ours = product.id if _REPORT_ID.fullmatch(product.id) else _report_id(product)
        created = _stamp(product.created)
        times = {"id": ours, "created": created, "modified": product.version, "published": created}
        return _report(product, product.title, "", node, marks) | times | {"extensions": told_in(content)}
    return passed_on(came_as, content, _refs(marks))


def _form(
    product: Product,
    outcome: Tearline,
    content: Content,
    node: NodeIdentity,
    issued: datetime,
    marks: _Marks,
    after: str,
) -> dict[str, Any]:
    """A report of its own that brings a sanitized form: its title is not the product's."""
    kind = "Picture" if product.category is Category.IMAGERY else "Recording"
    item = _report(product, f"{kind}: {_about(product)}", "", node, marks) | {"extensions": told_in(content)}
    return item | _own_id_and_day(product, outcome, item, node, issued, after)


def _tearline(
    product: Product,
    outcome: Tearline,
    node: NodeIdentity,
    issued: datetime,
    marks: _Marks,
    after: str,
) -> dict[str, Any]:
    kept = [
        msgspec.structs.replace(portion, text=_NUMBER.sub("", portion.text, count=1))
        for portion in outcome.portions
        if portion.role is not Role.SOURCE
    ]
    title = next((portion.text for portion in kept if portion.role is Role.TITLE), None)
    text = portions_text(product, kept, outcome.partner)
    item = _report(product, title or f"Report: {_about(product)}", text, node, marks)
    return item | _own_id_and_day(product, outcome, item, node, issued, after)


def _about(product: Product) -> str:
    return ", ".join(sorted(topic.replace("-", " ") for topic in product.topics)) or "no topic given"


def _own_id_and_day(
    product: Product,
    outcome: Tearline,
    item: dict[str, Any],
    node: NodeIdentity,
    issued: datetime,
    after: str,
) -> dict[str, str]:
    """What makes `item` an object of its own, of the day on which it is made."""
    # By its text and label the id is the recipient's own, so one object can never show two contents. The ids
    # of its marks are those of the day: with them it would be another release tomorrow.
    said = canonical({name: value for name, value in item.items() if name != "object_marking_refs"})
    marked = msgspec.json.encode(label.narrow(outcome.label, outcome.partner), order="deterministic")
    what = (product.originator, product.id, outcome.partner, said.decode(), marked.decode())
    own = node.opaque("tearline", *what, *filter(None, [after]))
    day = issued.astimezone(UTC).strftime("%Y-%m-%dT00:00:00.000Z")
    return {
        "id": f"report--{uuid.UUID(bytes=own[:16], version=4)}",
        "created": day,
        "modified": day,
        "published": day,
    }


def _report_id(product: Product) -> str:
    return f"report--{uuid.uuid5(_NAMESPACE, product.id)}"


def _report(product: Product, name: str, text: str, node: NodeIdentity, marks: _Marks) -> dict[str, Any]:
    """A STIX report without id and times."""
    tags = sorted(map(str, product.topics)) + sorted(map(str, product.regions))
    optional = {"description": text, "labels": tags, "lang": product.language}
    return {
        "type": "report",
        "spec_version": "2.1",
        "created_by_ref": node.id,
        "name": name,
        "object_refs": [node.id],
        "object_marking_refs": _refs(marks),
    } | {key: value for key, value in optional.items() if value}


def _refs(marks: _Marks) -> list[str]:
    return [mark["id"] for mark in marks]


def _stamp(at: datetime) -> str:
    at = at.astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"
