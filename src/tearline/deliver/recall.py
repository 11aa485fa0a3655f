"""Recall and revision: what a giver says of a product that does not hold any more, and how it is given.

What is said is what ODNI's practice asks for (XML Data Encoding Specification for Revision/Recall Metadata,
RevRecall.XML; memorandum of the DNI of 5 August 2005): the product, the kind, the date, the reason, and what
the recipient has to do. The kinds are those of RevRecall.XML and of DDMS 5 (`revisionType`).

It is a release of its own. Where STIX gives the object versions, it is the next version of the same object:

- a recall is `revoked` (STIX 2.1, section 3.2) and holds no more than STIX requires of its type;
- a revision is the corrected object.

So every TAXII client understands it. Cyber-observables have no versions and cannot be revoked: of these a
recall is a `note` on the object. What a client cannot know stands in our extension (`RECALL`), which nodes
act on. A recall means every version before the instant `before`: so whichever comes first, recall or product,
the end is the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

import msgspec

from tearline.deliver.compose import Draft, NodeIdentity
from tearline.deliver.extension import DEFINITION, RECALL, RECALL_DEFINITION
from tearline.ledger import canonical
from tearline.terms import BadInput, Broken, Party


class RecallKind(StrEnum):
    """Administrative: how it was marked, addressed or written. Substantive: what it says."""

    ADMINISTRATIVE_RECALL = "administrative-recall"
    SUBSTANTIVE_RECALL = "substantive-recall"
    ADMINISTRATIVE_REVISION = "administrative-revision"
    SUBSTANTIVE_REVISION = "substantive-revision"

    @property
    def is_recall(self) -> bool:
        return self.value.endswith("-recall")

    @property
    def nature(self) -> str:
        """`administrative` or `substantive`."""
        return self.value.partition("-")[0]


class RecallReason(StrEnum):
    """Why. See `REASONS` for what they mean."""

    MARKING_CHANGED = "marking-changed"
    RESTRICTED = "restricted"
    DISTRIBUTION_ERROR = "distribution-error"
    FORM_ERROR = "form-error"
    FACTUAL_ERROR = "factual-error"
    JUDGEMENT_CHANGED = "judgement-changed"
    REPORTING_UNRELIABLE = "reporting-unreliable"
    FABRICATED = "fabricated"
    NEW_INFORMATION = "new-information"
    LEGAL = "legal"
    UNSPECIFIED = "unspecified"


class RecallAction(StrEnum):
    """What the recipient has to do. See `ACTIONS` for what they mean."""

    DESTROY = "destroy"
    STOP_USING = "stop-using"
    REPLACE = "replace"
    APPLY_MARKING = "apply-marking"
    CORRECT_DERIVED = "correct-derived"
    TAKE_NOTE = "take-note"


ADMINISTRATIVE, SUBSTANTIVE = "administrative", "substantive"

REASONS: Mapping[RecallReason, tuple[str, frozenset[str]]] = {
    RecallReason.MARKING_CHANGED: ("its marking has been changed", frozenset({ADMINISTRATIVE})),
    RecallReason.RESTRICTED: ("who may have it has been narrowed", frozenset({ADMINISTRATIVE})),
    RecallReason.DISTRIBUTION_ERROR: ("it went to somebody by mistake", frozenset({ADMINISTRATIVE})),
    RecallReason.FORM_ERROR: ("its title, dates, form or references were wrong", frozenset({ADMINISTRATIVE})),
    RecallReason.FACTUAL_ERROR: ("something that it says is wrong", frozenset({SUBSTANTIVE})),
    RecallReason.JUDGEMENT_CHANGED: ("what it concludes does not hold", frozenset({SUBSTANTIVE})),
    RecallReason.REPORTING_UNRELIABLE: ("what it rests on cannot be relied on", frozenset({SUBSTANTIVE})),
    RecallReason.FABRICATED: ("what it rests on was made up", frozenset({SUBSTANTIVE})),
    RecallReason.NEW_INFORMATION: ("newer information corrects it", frozenset({SUBSTANTIVE})),
    RecallReason.LEGAL: ("the law asks for it", frozenset({ADMINISTRATIVE, SUBSTANTIVE})),
    RecallReason.UNSPECIFIED: ("no reason is given", frozenset({ADMINISTRATIVE, SUBSTANTIVE})),
}
"""What each reason says, and of which nature a recall for it can be."""

ACTIONS: Mapping[RecallAction, str] = {
    RecallAction.DESTROY: "destroy every copy",
    RecallAction.STOP_USING: "do not use it any more; a copy may be kept for the record",
    RecallAction.REPLACE: "use the new version in its place",
    RecallAction.APPLY_MARKING: "treat it as the new marking says",
    RecallAction.CORRECT_DERIVED: "correct what was made from it",
    RecallAction.TAKE_NOTE: "take note",
}
FOR_REVISIONS = frozenset({RecallAction.REPLACE, RecallAction.APPLY_MARKING})
"""Actions that need a new version."""

MAX_INSTRUCTION = 2000


class Replacement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The object that comes in the place of a recalled one, as its recipient knows it."""

    id: str
    version: str | None


class Notice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What our extension says of a recalled or revised object."""

    kind: RecallKind
    date: str
    """When it was ordered: RFC 3339, milliseconds, `Z`. Holders pass it on as it came to them."""
    reason: RecallReason
    actions: tuple[RecallAction, ...]
    object: str
    """The STIX id of what is meant, as its recipient knows it."""
    before: str
    """Versions before this instant are meant: RFC 3339, milliseconds, `Z`."""
    replaced_by: Replacement | None = None
    originator: Party = ""
    """Whose recall it is, where that is not the giver's own."""
    instruction: str = ""
    """A sentence from the giver's officer to the recipient's."""

    def check(self) -> None:
        """Raises `BadInput` where what it says does not fit together."""
        if self.kind.nature not in REASONS[self.reason][1]:
            raise BadInput("--reason", "", f"{self.reason} is no reason of the {self.kind.nature} kind")
        if not self.actions or len(set(self.actions)) < len(self.actions):
            raise BadInput("--action", "", "it is missing, or one of them stands there twice")
        odd = sorted(FOR_REVISIONS & set(self.actions))
        if odd and self.kind.is_recall:
            raise BadInput("--action", "", f"{odd[0]} needs a new version", "see `tearline revise`")
        if len(self.instruction) > MAX_INSTRUCTION or not _is_plain(self.instruction):
            raise BadInput("--text", "", f"it is not plain text of at most {MAX_INSTRUCTION} characters")

    def as_recall(self) -> Notice:
        """The same for whom the new version is not for: it tells nothing of a new version."""
        reason = RecallReason.UNSPECIFIED if self.reason is RecallReason.NEW_INFORMATION else self.reason
        actions = tuple(action for action in self.actions if action not in FOR_REVISIONS)
        return msgspec.structs.replace(
            self,
            kind=RecallKind(f"{self.kind.nature}-recall"),
            reason=reason,
            actions=actions or (RecallAction.DESTROY,),
            replaced_by=None,
            instruction="" if not self.kind.is_recall else self.instruction,
        )


# --- Giving --------------------------------------------------------------------------------------


def compose_recall(
    given: Mapping[str, Any],
    notice: Notice,
    *,
    modified: datetime,
    about: str,
    recipient: Party,
    node: NodeIdentity,
    issued: datetime,
) -> Draft:
    """The draft that recalls `given`, the object as the recipient has it. `notice.object` is its id.

    `modified`: the version that the recall is, UTC, later than that of `given`. `about`: the same for the
    same recall, so that doing it again changes nothing.
    """
    opaque = node.opaque("recall", recipient, notice.object, about)
    if "modified" in given:
        item = _least(given) | {"modified": _stamp(modified), "revoked": True}
    else:
        item = _note(given, notice, node, uuid.UUID(bytes=opaque[:16], version=4), _stamp(modified))
    item["extensions"] = item.get("extensions", {}) | {RECALL: _told(notice)}
    return Draft(
        release_id=opaque.hex(),
        recipient=recipient,
        object_id=item["id"],
        version=item["modified"],
        issued=issued.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        digest=sha256(canonical(item)).hexdigest(),
        object=item,
        supporting=(node.to_stix(), DEFINITION, RECALL_DEFINITION),
    )


def announce(draft: Draft, notice: Notice) -> Draft:
    """The draft of a new version of an object, saying that it comes in the place of those before it."""
    item = draft.object | {"extensions": draft.object.get("extensions", {}) | {RECALL: _told(notice)}}
    return msgspec.structs.replace(
        draft,
        object=item,
        digest=sha256(canonical(item)).hexdigest(),
        supporting=(*draft.supporting, RECALL_DEFINITION),
    )


def later(version: str | None, at: datetime) -> datetime:
    """`at` in milliseconds, or where that is not later than the version, the millisecond after it."""
    at = at.astimezone(UTC).replace(microsecond=at.microsecond // 1000 * 1000)
    if version is None:
        return at
    return max(at, _instant(version) + timedelta(milliseconds=1))


def just_after(version: str) -> datetime:
    """The next instant that a version can have: between it and the next millisecond."""
    return datetime.fromisoformat(version) + timedelta(microseconds=1)


def _instant(version: str) -> datetime:
    at = datetime.fromisoformat(version).astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def version_stamp(at: datetime) -> str:
    """A version as products have it: RFC 3339, milliseconds, `Z`."""
    at = at.astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def _stamp(at: datetime) -> str:
    """As `version_stamp`, with the microseconds where there are some."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").removesuffix("000") + "Z"


def _told(notice: Notice) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.to_builtins(notice)
    return {"extension_type": "property-extension"} | said


# --- What STIX requires --------------------------------------------------------------------------

# Beside the common properties, by type: STIX 2.1, sections 4, 5 and 7. Where one of several is required, all
# of those that are there stay. A test holds this together with what intake asks for.
REQUIRED: Mapping[str, tuple[str, ...]] = {
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
    "location": ("region", "country", "latitude", "longitude"),
    "malware": ("is_family", "name"),
    "malware-analysis": ("product", "result", "analysis_sco_refs"),
    "note": ("content", "object_refs"),
    "observed-data": ("first_observed", "last_observed", "number_observed", "object_refs", "objects"),
    "opinion": ("opinion", "object_refs"),
    "relationship": ("relationship_type", "source_ref", "target_ref"),
    "report": ("name", "published", "object_refs"),
    "sighting": ("sighting_of_ref",),
    "threat-actor": ("name",),
    "tool": ("name",),
    "vulnerability": ("name",),
}
_COMMON = ("type", "spec_version", "id", "created_by_ref", "created", "object_marking_refs")


def _least(given: Mapping[str, Any]) -> dict[str, Any]:
    """What of an object STIX requires, and what defines its type where an extension does."""
    keys = (*_COMMON, *REQUIRED.get(given["type"], ()))
    item = {key: given[key] for key in keys if key in given}
    defining = {
        name: body
        for name, body in given.get("extensions", {}).items()
        if body.get("extension_type") in {"new-sdo", "new-sro"}
    }
    return item | ({"extensions": defining} if defining else {})


def _note(
    given: Mapping[str, Any], notice: Notice, node: NodeIdentity, number: uuid.UUID, at: str
) -> dict[str, Any]:
    """What stands in the place of a new version where an object can have none."""
    return {
        "type": "note",
        "spec_version": "2.1",
        "id": f"note--{number}",
        "created_by_ref": node.id,
        "created": at,
        "modified": at,
        "abstract": "Recalled",
        "content": f"Recalled on {notice.date[:10]} ({notice.kind}): {REASONS[notice.reason][0]}. "
        f"Required: {'; '.join(ACTIONS[action] for action in notice.actions)}.",
        "object_refs": [notice.object],
    } | {key: given[key] for key in ("object_marking_refs",) if key in given}


# --- Reading -------------------------------------------------------------------------------------


def read_notice(item: Mapping[str, Any]) -> Notice | None:
    """What a released object says of versions before it; `None` where it says nothing.

    Raises `Broken` where that is not whole, or is about another object than the one that says it.
    """
    extensions = item.get("extensions")
    said = extensions.get(RECALL) if isinstance(extensions, Mapping) else None
    if said is None:
        return None
    try:
        notice = msgspec.convert({key: said[key] for key in said if key != "extension_type"}, Notice)
        notice.check()
        before, _ = (_exactly(at) for at in (notice.before, notice.date))
        holds = _is_about(item, notice, before)
    except (msgspec.ValidationError, BadInput, ValueError, TypeError):
        raise Broken("what it says of a recall cannot be read") from None
    if not holds:
        raise Broken("it recalls something else than the object that it is")
    return notice


def is_product(item: Mapping[str, Any], notice: Notice) -> bool:
    """Whether the object that bears the notice is itself what comes in the place of those before it."""
    return item.get("id") == notice.object and item.get("revoked") is not True


def _is_about(item: Mapping[str, Any], notice: Notice, before: datetime) -> bool:
    """One of the three forms: a new version of the object, a revoked one, a note on one without versions."""
    if item.get("id") != notice.object:
        gone = notice.kind.is_recall or notice.replaced_by is not None
        return gone and item.get("type") == "note" and item.get("object_refs") == [notice.object]
    if abs(datetime.fromisoformat(item["modified"]) - before) >= timedelta(milliseconds=1):
        return False
    if is_product(item, notice):
        return not notice.kind.is_recall and notice.replaced_by is None
    return notice.kind.is_recall or notice.replaced_by is not None


def _exactly(text: str) -> datetime:
    """An instant in the one spelling that versions have."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None or version_stamp(at) != text:
        raise ValueError
    return at


def _is_plain(text: str) -> bool:
    return all(char.isprintable() or char == "\n" for char in text)
