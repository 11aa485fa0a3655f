"""The vault's file as bytes: what opens it, what does not, and what a copy of it tells."""

from __future__ import annotations

import secrets

import pytest

from tearline.terms import BadInput, Broken, Refused
from tearline.vault import Opened, Passphrase, Register, make, mark, unseal
from tearline.vault.sealed import MAGIC, Cost, Header
from tests.unit.vault.world import BOTH, CHEAP, TIBOR, WORDS, opened, sealed


def test_it_opens_with_its_passphrase_alone() -> None:
    data = sealed()
    assert unseal(data, Passphrase(WORDS)).register == BOTH
    for wrong in ("", WORDS + " ", WORDS.upper()):
        with pytest.raises(Refused, match="the passphrase is wrong"):
            unseal(data, Passphrase(wrong))


def test_the_same_characters_typed_otherwise_are_the_same_passphrase() -> None:
    data = sealed(words="сім тихих чапель її")
    decomposed = "сім тихих чапель і\u0308і\u0308"
    assert unseal(data, Passphrase(decomposed)).register == BOTH


def test_a_short_passphrase_is_refused_when_chosen() -> None:
    with pytest.raises(BadInput, match="fewer than 12"):
        Passphrase.chosen("eleven char")
    with pytest.raises(BadInput, match="not Unicode"):
        Passphrase.chosen("\ud800" * 12)


def test_nothing_in_the_file_is_readable() -> None:
    data = sealed()
    for source in BOTH.sources.values():
        assert source.cryptonym.encode() not in data
        for row in source.rows:
            assert row.text.encode() not in data


def test_two_saves_of_the_same_share_nothing_but_the_wrapping() -> None:
    one = opened()
    first, second = (one.sealed(BOTH, secrets.token_bytes) for _ in range(2))
    header = len(first) - len(second)
    assert header == 0
    same = sum(a == b for a, b in zip(first[-200:], second[-200:], strict=True))
    assert same < 20


def test_versions_count_up_and_marks_tell_them_apart() -> None:
    data = sealed()
    later = unseal(data, Passphrase(WORDS)).sealed(BOTH, secrets.token_bytes)
    assert (mark(data).version, mark(later).version) == (1, 2)
    assert mark(data).sha256 != mark(later).sha256
    assert mark(opened().sealed(BOTH, secrets.token_bytes, after=41)).version == 42


def test_a_new_passphrase_shuts_out_the_old_one_and_keeps_the_data_key() -> None:
    before = opened()
    data = before.sealed(BOTH, secrets.token_bytes, new=Passphrase("another twelve"))
    with pytest.raises(Refused):
        unseal(data, Passphrase(WORDS))
    after = unseal(data, Passphrase("another twelve"))
    assert after.index_key == before.index_key
    assert unseal(data, before).register == BOTH


def test_an_old_wrapping_cannot_be_put_before_a_newer_body() -> None:
    old = sealed()
    new = unseal(old, Passphrase(WORDS)).sealed(
        Register().add([TIBOR]), secrets.token_bytes, new=Passphrase("another twelve")
    )
    front = len(MAGIC) + 4 + int.from_bytes(old[len(MAGIC) : len(MAGIC) + 4], "big")
    with pytest.raises(Broken, match="was changed"):
        unseal(old[:front] + new[front:], Passphrase(WORDS))


def test_an_open_vault_does_not_open_another() -> None:
    with pytest.raises(Refused, match="another vault"):
        unseal(sealed(), opened())


def test_two_vaults_have_two_index_keys() -> None:
    assert len({opened().index_key, opened().index_key, bytes(32)}) == 3


def test_what_is_open_shows_nothing() -> None:
    one = opened()
    assert repr(one) == "Opened(version 1)"
    assert WORDS not in repr(Passphrase(WORDS))


@pytest.mark.parametrize(
    "cost", [Cost(1 << 40, 1, 1), Cost(64, 1 << 30, 1), Cost(64, 1, 0), Cost(7, 1, 1), Cost(-1, 1, 1)]
)
def test_key_parameters_that_would_hang_or_fail_are_refused_first(cost: Cost) -> None:
    header = Header(bytes(16), 1, cost, bytes(16), bytes(12), bytes(48), bytes(12))
    with pytest.raises(Broken, match="key parameters"):
        Passphrase(WORDS).data_key(header)


@pytest.mark.parametrize("data", [b"", b"tearline", MAGIC, b"x" * 1_000, MAGIC + b"\xff\xff\xff\xff"])
def test_what_is_no_vault(data: bytes) -> None:
    for read in (mark, lambda data: unseal(data, Passphrase(WORDS))):
        with pytest.raises((BadInput, Broken)):
            read(data)


def test_the_shipped_cost_is_no_weaker_than_rfc_9106_asks() -> None:
    # RFC 9106, section 4, second recommended option: t=3, p=4, m=64 MiB.
    shipped = Cost()
    assert shipped.iterations >= 3
    assert shipped.lanes >= 4
    assert shipped.memory >= 64 * 1024
    assert isinstance(make(Passphrase(WORDS), secrets.token_bytes), Opened)
    assert make(Passphrase(WORDS), secrets.token_bytes).header.cost == CHEAP
