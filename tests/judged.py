"""Tables held against the gate's engine: the same agreements, the same items, every partner and action."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

import numpy as np

from tearline.agreement import Action, Agreement, Agreements, Facts
from tearline.agreement.tables import Epochs, Row, Tables, columns
from tearline.terms import Party
from tests import agreements as made


def compare(world: made.World) -> Counter[bool]:
    """Assert that both permit the same; counts what they permit and what not."""
    return compare_rows(world.agreements, rows(world), tuple(world.members), world.epochs)


def rows(world: made.World) -> list[Row]:
    """Every fact at every instant, on days before, between and after the epochs."""
    days = itertools.cycle([*made.DAYS, date(1999, 1, 1)])
    pairs = itertools.product(world.facts, world.instants)
    return [row(facts, now, next(days)) for facts, now in pairs]


def row(facts: Facts, now: datetime, day: date) -> Row:
    return Row(id="", version="", at=now, day=day, facts=facts)


def compare_rows(
    agreements: Sequence[Agreement], items: Sequence[Row], partners: Sequence[Party], epochs: Epochs
) -> Counter[bool]:
    judged = Tables(made.OWN, [agreements], partners, epochs).judge(columns(items))[0]
    flat = np.unpackbits(np.ascontiguousarray(judged).view(np.uint8), bitorder="little")
    # (actions, words, rows, bits of a word) to (actions, rows, partners)
    bits = flat.reshape(*judged.shape, 64).transpose(0, 2, 1, 3).reshape(len(judged), len(items), -1)
    rules, seen = Agreements(made.OWN, agreements), Counter[bool]()
    for number, item in enumerate(items):
        members = next((dict(found) for first, found in reversed(epochs) if first <= item.day), {})
        members = {party: members.get(party, frozenset()) for party in partners}
        for action, of_action in zip(Action, bits, strict=True):
            expected = made.permitted(rules, item.facts, members, action, item.at)
            found = {party for bit, party in zip(of_action[number], partners, strict=False) if bit}
            assert found == expected, (item, action)
            assert not of_action[number, len(partners) :].any(), "bits of partners that there are not"
            seen.update({True: len(found), False: len(partners) - len(found)})
    return seen


def worlds(seed: int, count: int, *, partners: int = 5) -> list[made.World]:
    """The same for the same seed."""
    draw = random.Random(seed)
    return [made.world(draw, count=partners) for _ in range(count)]
