"""Our STIX extensions: what proves a release (`EXTENSION`), which file it brings (`FILE`), and what it says
of a recall (`RECALL`).

They are property extensions (STIX 2.1, section 7.3), so that clients which do not know them read the object
as if they were not there.
"""

from __future__ import annotations

from typing import Any

EXTENSION = "extension-definition--36d001c7-4d3e-4c9b-9055-e3554b00a9e1"

DEFINITION: dict[str, Any] = {
    "type": "extension-definition",
    "spec_version": "2.1",
    "id": EXTENSION,
    "created_by_ref": "identity--4f4c6a3b-2c84-4f5b-9a0e-6f1c2f0c8d17",
    "created": "2026-11-01T00:00:00.000Z",
    "modified": "2026-11-23T00:00:00.000Z",
    "name": "Tearline release",
    "description": "Who gave this object to whom, signed, and proof that the giver's log records it.",
    "schema": (
        "`dsse`: a DSSE v1 envelope over the release statement, of the payload type"
        " `application/vnd.tearline.release+json`. `checkpoint`: a C2SP tlog-checkpoint of the giver's log"
        " to the recipient. `inclusion`: the statement's `index` in that log, and the RFC 6962 `proof`"
        " that it is there, base64 hashes, for the checkpoint's size. `previous`: `size` and `root` of that"
        " log at an earlier time, and the RFC 6962 consistency `proof` from then to the checkpoint."
        " `chain`: what the object's originator signed of it (`custody`), and the `consents` on which it was"
        " passed on, each a DSSE v1 envelope; the release statement has its digest."
    ),
    "version": "1.1.0",
    "extension_types": ["property-extension"],
}
"""The same in every node: what it says is fixed for good, or its `version` and `modified` rise."""

FILE = "extension-definition--7c1d4d0e-0c5e-4b53-9a0c-3f2a8d1b6e95"

FILE_DEFINITION: dict[str, Any] = {
    "type": "extension-definition",
    "spec_version": "2.1",
    "id": FILE,
    "created_by_ref": "identity--4f4c6a3b-2c84-4f5b-9a0e-6f1c2f0c8d17",
    "created": "2026-11-01T00:00:00.000Z",
    "modified": "2026-11-01T00:00:00.000Z",
    "name": "Tearline file",
    "description": "Which file a report brings. It is fetched from the giver, not carried in the report.",
    "schema": (
        "On a report: `sha256`, hexadecimal, `size` in bytes and `media_type` of the file, which is the"
        " artifact that `object_refs` names. On that artifact: `size`. The giver's door has the file at"
        " `/media/` and the UUID in the artifact's id."
    ),
    "version": "1.0.0",
    "extension_types": ["property-extension"],
}

RECALL = "extension-definition--638a8938-eda3-4210-8993-7e0fdacf3a33"

RECALL_DEFINITION: dict[str, Any] = {
    "type": "extension-definition",
    "spec_version": "2.1",
    "id": RECALL,
    "created_by_ref": "identity--4f4c6a3b-2c84-4f5b-9a0e-6f1c2f0c8d17",
    "created": "2026-11-01T00:00:00.000Z",
    "modified": "2026-11-01T00:00:00.000Z",
    "name": "Tearline recall",
    "description": "That an object was recalled or revised: how, when, why, and what is to be done.",
    "schema": (
        "`kind`: administrative-recall, substantive-recall, administrative-revision or substantive-revision."
        " `date`: when it was ordered. `reason` and `actions`: codes. `object`: the id of what is meant, and"
        " `before`: the instant before which versions of it are meant. `replaced_by`: `id` and `version` of"
        " the object that comes in its place. `originator`: whose recall it is, if not the giver's."
        " `instruction`: a sentence to the recipient's officer."
    ),
    "version": "1.0.0",
    "extension_types": ["property-extension"],
}
