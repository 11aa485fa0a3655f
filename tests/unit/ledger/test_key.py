"""Public keys as text."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tearline.ledger import public_key, public_key_text
from tearline.terms import BadInput

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def test_keys_as_text() -> None:
    text = public_key_text(KEY.public_key())
    assert public_key(text).public_bytes_raw() == KEY.public_key().public_bytes_raw()


@pytest.mark.parametrize("text", ["", "AAAA", "!", "A" * 43, "є", public_key_text(KEY.public_key()) + "\n"])
def test_a_text_that_is_no_key(text: str) -> None:
    with pytest.raises(BadInput):
        public_key(text)
