"""Whatever is put into the vault's file comes out; whatever is changed in it is refused."""

from __future__ import annotations

import secrets
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.terms import BadInput, Broken, Refused, TearlineError
from tearline.vault import (
    Obligations,
    Passphrase,
    PlaceGrain,
    Register,
    Row,
    RowKind,
    Source,
    State,
    TimeGrain,
    unseal,
)
from tearline.vault import sealed as sealing
from tearline.vault.cryptonym import FIRST, SECOND
from tests.unit.vault.world import BOTH, CHEAP, WORDS, sealed


@pytest.fixture(autouse=True, scope="module")
def _cheap_keys() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "COST", CHEAP)
        yield


TYPED = "abcXYZ019 !?-_ÄéßїЇщЩёПароль\N{COMBINING DIAERESIS}漢🙂"
letters = st.text("abcdefghijklmnopqrstuvwxyzабвгдеєжзіїйклмнопрстуфхцчшщьюя'- ", min_size=2, max_size=40)
rows = st.builds(Row, st.sampled_from(RowKind), letters, st.sampled_from(["", "uk", "ru", "en"]))
obligations = st.builds(
    Obligations,
    k=st.integers(2, 1_000),
    forbidden=st.frozensets(st.sampled_from(["USA", "GBR", "CERT-UA"])),
    time=st.sampled_from(TimeGrain),
    place=st.sampled_from(PlaceGrain),
    expires=st.none() | st.dates(date(2026, 1, 1), date(2040, 1, 1)),
    ask=st.lists(st.sampled_from(["desk chief", "lawyer"]), max_size=2).map(tuple),
)
sources = st.builds(
    Source,
    cryptonym=st.lists(st.sampled_from(FIRST + SECOND), min_size=1, max_size=3).map("-".join),
    rows=st.lists(rows, min_size=1, max_size=5).map(tuple),
    obligations=obligations,
    state=st.sampled_from(State),
)
registers = st.lists(sources, max_size=6, unique_by=lambda one: one.cryptonym).map(Register().add)


@given(registers, st.text(TYPED, min_size=12, max_size=40))
@settings(max_examples=40, deadline=None)
def test_what_is_put_in_comes_out(register: Register, words: str) -> None:
    opened = unseal(sealed(register, words), Passphrase(words))
    assert opened.register == register
    assert list(opened.register.sources) == list(register.sources)
    again = unseal(opened.sealed(register, secrets.token_bytes), Passphrase(words))
    assert again.register == register


def test_any_flipped_bit_is_refused() -> None:
    """Every byte of a small vault, one bit in each; and the file cut short or with more at its end."""
    data = sealed(Register())
    assert len(data) < 400
    passphrase = Passphrase(WORDS)
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << (at % 8)
        with pytest.raises(TearlineError):
            unseal(bytes(changed), passphrase)
    for other in (*(data[:at] for at in range(len(data))), data + b"\0", data + data):
        with pytest.raises(TearlineError):
            unseal(other, passphrase)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_change_is_refused(data: st.DataObject) -> None:
    whole = sealed(BOTH)
    at = data.draw(st.integers(0, len(whole) - 1))
    put = data.draw(st.binary(min_size=1, max_size=8))
    changed = whole[:at] + put + whole[at + data.draw(st.integers(0, 8)) :]
    if changed != whole:
        with pytest.raises((BadInput, Broken, Refused)):
            unseal(changed, Passphrase(WORDS))


@given(st.text(TYPED, max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_other_passphrase_is_refused(words: str) -> None:
    if words != WORDS:
        with pytest.raises(Refused):
            unseal(sealed(), Passphrase(words))
