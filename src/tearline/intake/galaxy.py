"""MISP galaxy clusters: a profile of a threat actor, a malware family, a tool or a weakness each.

A cluster becomes one STIX 2.1 object. Its id is made of the cluster's UUID, so it stays the same over the
galaxy's versions. Clusters have no times: an object is created on `EPOCH` and modified as many seconds later
as the galaxy's version number, so the same version is the same product whenever it is taken in.

Markings are MISP tags `tlp:...` and `PAP:...` in `tags` or `Tag`, of the cluster or of the galaxy; both are
joined. What bears none takes the default marking.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from tearline.intake import stix, stix_form, subject
from tearline.intake.context import Context, Fault, join_marks, once, shown
from tearline.intake.split import Piece, parsed
from tearline.label.tlp import PARSER, parse_tags
from tearline.terms import BadInput, Marking, Product, Quarantine

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)

_GALAXIES = {
    "threat-actor": "360net-threat-actor microsoft-activity-group threat-actor",
    "intrusion-set": "mitre-enterprise-attack-intrusion-set mitre-ics-groups mitre-intrusion-set"
    " mitre-mobile-attack-intrusion-set mitre-pre-attack-intrusion-set groups",
    "malware": "android backdoor banker botnet cryptominers malpedia mitre-enterprise-attack-malware"
    " mitre-ics-software mitre-malware mitre-mobile-attack-malware ransomware rat stealer",
    "tool": "exploit-kit mitre-enterprise-attack-tool mitre-mobile-attack-tool mitre-tool tds tool",
    "vulnerability": "branded-vulnerability",
}
"""Which object the clusters of a galaxy become. A group is a threat actor where the galaxy names people and
their state, an intrusion set where it gathers observed behaviour (STIX 2.1, sections 4.9 and 4.17)."""
_KINDS = {galaxy: kind for kind, galaxies in _GALAXIES.items() for galaxy in galaxies.split()}

_LABELS = {
    "country": "country:",
    "cfr-suspected-state-sponsor": "sponsor:",
    "cfr-suspected-victims": subject.VICTIM,
    "suspected-victims": subject.VICTIM,
    "cfr-target-category": "target:",
    "targeted-sector": "target:",
    "cfr-type-of-incident": "incident:",
    "motive": "motive:",
}
"""Fields of `meta` that become STIX labels, which no client loses; topics and regions are read from them."""

_CLASSIFYING = re.compile(r"(?:nato|de-vs|iep2?|[a-z-]*classif[a-z]*)[:=]", re.IGNORECASE)
"""MISP taxonomies that bar somebody and that no codec reads: fail closed."""


class _Tag(msgspec.Struct):
    name: str


class _Tagged(msgspec.Struct, kw_only=True):
    tags: list[str | _Tag] = []
    Tag: list[str | _Tag] = []

    @property
    def names(self) -> list[str]:
        return [tag if isinstance(tag, str) else tag.name for tag in (*self.tags, *self.Tag)]


class _Galaxy(_Tagged, kw_only=True):
    type: str
    version: Annotated[int, Meta(ge=0, le=1 << 31)]


class _Cluster(_Tagged, kw_only=True):
    value: str
    uuid: Annotated[str, Meta(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")]
    description: str = ""
    revoked: bool = False
    meta: dict[str, str | int | float | bool | list[str] | dict[str, Any] | None] = {}

    def all(self, key: str) -> list[str]:
        """The texts under `key` of `meta`, where one may stand for a list of one."""
        found = self.meta.get(key)
        texts = found if isinstance(found, list) else [found]
        return [text.strip() for text in texts if isinstance(text, str) and text.strip()]


def read(
    records: Iterable[Piece], members: dict[str, Any], name: str, context: Context
) -> Iterator[Product | Fault]:
    """The products of one galaxy file. `members`: the file's other members. Raises `BadInput`."""
    try:
        galaxy = msgspec.convert(members, _Galaxy)
    except msgspec.ValidationError as error:
        raise BadInput(name, "", f"is no MISP galaxy: {_plain(error)}") from None
    if (kind := _KINDS.get(galaxy.type)) is None:
        raise BadInput(
            name,
            "type",
            f"a galaxy of type {shown(galaxy.type)!r} holds no actors, malware, tools or weaknesses",
        )
    seen: set[str] = set()
    for piece in records:
        place = f"{piece.key}[{piece.index}]"
        try:
            cluster = _cluster(piece, name, place)
            once(cluster.uuid, seen, name, place)
        except BadInput as bad:
            yield Fault.of(bad)
            continue
        form = _form(cluster, kind, EPOCH + timedelta(seconds=galaxy.version))
        marked = _marked([*cluster.names, *galaxy.names], context)
        yield stix.product(form, marked, context.party, {})


def _cluster(piece: Piece, name: str, place: str) -> _Cluster:
    item = parsed(piece, name, place)
    try:
        return msgspec.convert(item, _Cluster)
    except msgspec.ValidationError as error:
        raise BadInput(name, place, _plain(error)) from None


def _form(cluster: _Cluster, kind: str, modified: datetime) -> stix_form.Form:
    """The STIX object of a cluster."""
    version = stix_form.version_of(modified)
    item: dict[str, Any] = {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--{cluster.uuid}",
        "created": stix_form.version_of(EPOCH),
        "modified": version,
        "name": cluster.value,
    }
    labels = sorted({prefix + text for key, prefix in _LABELS.items() for text in cluster.all(key)})
    optional: dict[str, Any] = {
        "description": cluster.description,
        "labels": labels,
        "external_references": [_reference(text) for text in cluster.all("refs")],
        "revoked": cluster.revoked,
        "is_family": kind == "malware",
    }
    if kind != "vulnerability":
        optional["aliases"] = cluster.all("synonyms")
    if kind == "threat-actor" and {*cluster.all("cfr-suspected-state-sponsor")} - {"Unknown"}:
        optional["threat_actor_types"] = ["nation-state"]
    item |= {key: value for key, value in optional.items() if value}
    return stix_form.Form(item, EPOCH, version, ())


def _reference(text: str) -> dict[str, str]:
    try:
        address = urlsplit(text)
    except ValueError:
        address = urlsplit("")
    if address.scheme in ("http", "https") and address.hostname:
        return {"source_name": address.hostname, "url": text}
    return {"source_name": "misp-galaxy", "description": text}


def _marked(tags: list[str], context: Context) -> stix.Marked:
    for tag in tags:
        if _CLASSIFYING.match(tag[:100]):
            reason = "is of a scheme that is not read"
            return None, Quarantine(scheme="misp", mark=shown(tag), reason=reason)
    own = [tag for tag in tags if tag.casefold().startswith(("tlp:", "pap:"))]
    marking = Marking(scheme="tlp2", text=" ".join(own), parser=PARSER) if own else None
    if any(tag.casefold().startswith("tlp:") for tag in own):
        return marking, parse_tags(own)
    default_marking, default = context.default(EPOCH.date())
    # PAP alone is no marking; TLP:CLEAR, which adds nothing, makes it one.
    return marking or default_marking, join_marks([parse_tags([*own, "tlp:clear"]), default])


def _plain(error: msgspec.ValidationError) -> str:
    reason = str(error)
    return reason[0].lower() + reason[1:]
