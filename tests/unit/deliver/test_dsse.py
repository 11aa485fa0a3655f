"""DSSE: the encoding is that of its specification, and only the right key and type open an envelope."""

from __future__ import annotations

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tearline.deliver import dsse
from tearline.terms import Broken

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))


def test_the_encoding_of_the_specification() -> None:
    assert (
        dsse.pae("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_lengths_are_in_bytes() -> None:
    assert dsse.pae("є", "ї".encode()) == "DSSEv1 2 є 2 ї".encode()


def test_an_envelope_opens_also_after_json() -> None:
    envelope = dsse.sign("a/b", b"text", KEY)
    data = msgspec.json.encode(envelope)
    assert sorted(msgspec.json.decode(data)) == ["payload", "payloadType", "signatures"]
    again = msgspec.json.decode(data, type=dsse.Envelope)
    assert dsse.verify(again, [OTHER.public_key(), KEY.public_key()], "a/b") == b"text"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda e: msgspec.structs.replace(e, payload=b"test"),
        lambda e: msgspec.structs.replace(e, payload_type="a/c"),
        lambda e: msgspec.structs.replace(e, signatures=[]),
        lambda e: msgspec.structs.replace(e, signatures=[dsse.Signature(e.signatures[0].keyid, bytes(64))]),
        lambda e: msgspec.structs.replace(e, signatures=[dsse.Signature("", e.signatures[0].sig)]),
        lambda e: dsse.sign("a/b", b"text", OTHER),
    ],
)
def test_a_spoilt_envelope(spoil: object) -> None:
    with pytest.raises(Broken):
        dsse.verify(spoil(dsse.sign("a/b", b"text", KEY)), [KEY.public_key()], "a/b")


def test_a_signature_on_another_type_does_not_count() -> None:
    with pytest.raises(Broken):
        dsse.verify(dsse.sign("a/c", b"text", KEY), [KEY.public_key()], "a/b")
