"""A release opens for its recipient; each check fails for its own reason."""

from __future__ import annotations

import copy
from hashlib import sha256
from typing import Any

import msgspec
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tearline import deliver
from tearline.deliver import dsse
from tearline.deliver.extension import EXTENSION
from tearline.deliver.seal import PAYLOAD_TYPE
from tearline.ledger import Checkpoint, canonical, leaf_hash, sign
from tests.releases import KEY, portion, report, sealed, whole

PRODUCT = report([portion("(//GBR U)", "The column left the depot.")])
DRAFT = whole(PRODUCT)
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
BEFORE, AFTER = (msgspec.structs.replace(DRAFT, release_id=name) for name in ("before", "after"))
ITEM: dict[str, Any] = orjson.loads(sealed([BEFORE, DRAFT, AFTER])[1])


def opened(item: dict[str, Any], giver: str = "GBR", recipient: str = "UKR") -> deliver.Opened:
    return deliver.open_release(item, giver=giver, keys=[KEY.public_key()], recipient=recipient)


def altered() -> tuple[dict[str, Any], dict[str, Any]]:
    """A copy of the sealed object, and our extension in it."""
    item = copy.deepcopy(ITEM)
    return item, item["extensions"][EXTENSION]


def fails(item: dict[str, Any], code: str, **parties: str) -> None:
    with pytest.raises(deliver.Unproven) as caught:
        opened(item, **parties)
    assert caught.value.code == code
    assert f"check {caught.value.check}, {code}" in str(caught.value)


def test_a_release_opens() -> None:
    assert deliver.is_release(ITEM)
    got = opened(ITEM)
    assert got.object == DRAFT.object
    assert got.statement == deliver.Statement(
        release_id=DRAFT.release_id,
        giver="GBR",
        recipient="UKR",
        object_id=DRAFT.object_id,
        version=DRAFT.version,
        digest=DRAFT.digest,
        issued="2026-11-23T10:30:15.123456Z",
    )


def test_other_extensions_are_part_of_the_content() -> None:
    other = {
        "extension-definition--aaaaaaaa-3b8c-4d9a-8d3a-111111111111": {"extension_type": "property-extension"}
    }
    content = DRAFT.object | {"extensions": other}
    draft = msgspec.structs.replace(DRAFT, object=content, digest=sha256(canonical(content)).hexdigest())
    item = orjson.loads(sealed([draft])[0])
    assert opened(item).object == content
    del item["extensions"][next(iter(other))]
    fails(item, "digest")


def test_1_extension() -> None:
    assert not deliver.is_release(DRAFT.object)
    fails(DRAFT.object, "extension")
    fails(DRAFT.object | {"extensions": []}, "extension")
    for change in (
        lambda ours: ours.pop("dsse"),
        lambda ours: ours.update(more=1),
        lambda ours: ours.update(inclusion={"index": "1", "proof": []}),
        lambda ours: ours["dsse"].update(payload="!"),
        lambda ours: ours.update(extension_type="toplevel-property-extension"),
        lambda ours: ours.pop("extension_type"),
    ):
        item, ours = altered()
        change(ours)
        fails(item, "extension")


def test_2_signature() -> None:
    item, ours = altered()
    forged = deliver.sign_draft(DRAFT, giver="GBR", key=OTHER)
    ours["dsse"] = msgspec.to_builtins(forged)
    fails(item, "signature")
    for payload_type, payload in (("application/json", DRAFT.digest.encode()), (PAYLOAD_TYPE, b"{}")):
        ours["dsse"] = msgspec.to_builtins(dsse.sign(payload_type, payload, KEY))
        fails(item, "signature")


def test_3_parties() -> None:
    fails(ITEM, "parties", recipient="USA")
    fails(ITEM, "parties", giver="USA")


def test_7_digest() -> None:
    fails(ITEM | {"name": "Another"}, "digest")
    fails(ITEM | {"x_more": 1}, "digest")
    fails(ITEM | {"x_more": 2**60}, "digest")
    fails({key: value for key, value in ITEM.items() if key != "labels"}, "digest")
    for field in ("object_id", "version"):
        item = orjson.loads(sealed([msgspec.structs.replace(DRAFT, **{field: "another"})])[0])
        fails(item, "digest")


def test_4_checkpoint() -> None:
    root = leaf_hash(deliver.sign_draft(DRAFT, giver="GBR", key=KEY).payload)
    origin = deliver.log_origin("GBR", "UKR")
    for note in (
        "",
        "\ud800",
        sign(Checkpoint(origin, 1, root), OTHER, "GBR"),
        sign(Checkpoint(origin, 1, root), KEY, "USA"),
        sign(Checkpoint(deliver.log_origin("GBR", "USA"), 1, root), KEY, "GBR"),
    ):
        item, ours = altered()
        ours["checkpoint"] = note
        fails(item, "checkpoint")


def test_5_inclusion() -> None:
    for change in (
        lambda inclusion: inclusion.update(index=0),
        lambda inclusion: inclusion.update(index=-1),
        lambda inclusion: inclusion.update(index=3),
        lambda inclusion: inclusion["proof"].pop(),
        lambda inclusion: inclusion["proof"].reverse(),
        lambda inclusion: inclusion["proof"].append(inclusion["proof"][0]),
    ):
        item, ours = altered()
        change(ours["inclusion"])
        fails(item, "inclusion")


def test_6_previous() -> None:
    for change in (
        lambda previous: previous.update(size=1),
        lambda previous: previous.update(size=3),
        lambda previous: previous.update(size=-1),
        lambda previous: previous.update(root="A" * 43 + "="),
        lambda previous: previous["proof"].append("A" * 43 + "="),
    ):
        item, ours = altered()
        change(ours["previous"])
        fails(item, "previous")


def test_a_statement_that_is_not_in_the_log() -> None:
    item, ours = altered()
    unlogged = msgspec.structs.replace(DRAFT, issued="2026-11-24T00:00:00.000000Z")
    ours["dsse"] = msgspec.to_builtins(deliver.sign_draft(unlogged, giver="GBR", key=KEY))
    fails(item, "inclusion")


def test_errors_tell_nothing_of_the_content() -> None:
    with pytest.raises(deliver.Unproven) as caught:
        opened(ITEM | {"name": "Another"})
    for secret in (PRODUCT.title, "Another", "depot", PRODUCT.id):
        assert secret not in str(caught.value)
