"""Vaults for tests: invented people, a cheap key derivation, chance that repeats itself."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable

from tearline.vault import Opened, Passphrase, Register, Row, RowKind, Source, make, unseal
from tearline.vault.sealed import Cost

WORDS = "seven quiet herons at dawn"
CHEAP = Cost(memory=64, iterations=1, lanes=1)
KEY = bytes(range(32))

PERSON, PHONE, CALLSIGN = RowKind.PERSON, RowKind.PHONE, RowKind.CALLSIGN
ZVENYSLAVA = Source(
    cryptonym="OBLONG-KETTLE",
    rows=(
        Row(PERSON, "Звенислава Чорнолозюк", "uk"),
        Row(PERSON, "Zvenyslava Chornoloziuk", "en"),
        Row(PHONE, "+380 44 555 01 73"),
    ),
)
TIBOR = Source(
    cryptonym="MUTED-LADDER",
    rows=(Row(PERSON, "Tibor Quendlewick", "en"), Row(RowKind.EMAIL, "t.quendlewick@mail.example")),
)
BOTH = Register().add([ZVENYSLAVA, TIBOR])


def opened(register: Register = BOTH, words: str = WORDS) -> Opened:
    """A vault with `register` in it, saved once. Needs `sealed.COST` to be cheap to be quick."""
    return unseal(sealed(register, words), Passphrase(words))


def sealed(register: Register = BOTH, words: str = WORDS) -> bytes:
    return make(Passphrase(words), secrets.token_bytes).sealed(register, secrets.token_bytes)


def chance(seed: int = 1) -> Callable[[int], int]:
    return random.Random(seed).randrange
