"""The lookup table of one column: which of its values the tests of a program cannot tell apart.

Values with the same truths under all tests on the column are one class; what the table gives is its number.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tearline.agreement.evaluate import ABOVE_ALL, Members
from tearline.agreement.manifest import Agreement
from tearline.agreement.media import Detail
from tearline.agreement.tables.program import Test
from tearline.terms import Level, Party, Policy

Truths = NDArray[np.bool_]
MILLISECOND = 1_000
"""Cedar's clock counts whole milliseconds, a column of instants microseconds."""

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "less": operator.lt,
    "less_eq": operator.le,
    "greater": operator.gt,
    "greater_eq": operator.ge,
    "eq": operator.eq,
}


class Lookup:
    """Classes of one column's values; new values may bring new classes."""

    def __init__(
        self, column: str, tests: Sequence[Test], scales: Sequence[Agreement], partners: Sequence[Party]
    ) -> None:
        self.tests = [test for test in dict.fromkeys(tests) if test.column == column]
        self._numbers = {test: number for number, test in enumerate(self.tests)}
        self._judge = _judges(scales, partners).get(column, _is_one_of)
        self._classes: dict[bytes, int] = {}
        self._truths: list[Truths] = []
        self._stacked = np.zeros((0, len(self.tests)), bool)

    def of(self, values: Sequence[Any]) -> NDArray[np.int64]:
        """The class of each value."""
        if not self.tests or not len(values):
            return np.zeros(len(values), np.int64)
        # (values, tests, 1), or (values, tests, partners) where the truth is one for each partner.
        truths = np.stack([self._judge(test, values) for test in self.tests], axis=1)
        flat = truths.reshape(len(values), -1)
        packed = np.packbits(np.pad(flat, ((0, 0), (0, 1))), axis=1)  # there may be no partners
        keys, one, which = np.unique(
            packed.view(f"V{packed.shape[1]}").ravel(), return_index=True, return_inverse=True
        )
        return np.array([self._class(bytes(key), truths[row]) for key, row in zip(keys, one, strict=True)])[
            which
        ]

    @property
    def classes(self) -> int:
        """How many there are so far; where nothing is tested, all values are one."""
        return max(1, len(self._classes))

    def truths(self, test: Test) -> Truths:
        """The truth of a test for each class: (classes, 1) or (classes, partners)."""
        if len(self._stacked) < len(self._truths):
            self._stacked = np.array(self._truths)
        return self._stacked[:, self._numbers[test]]

    def _class(self, key: bytes, truths: Truths) -> int:
        if key not in self._classes:
            self._classes[key] = len(self._classes)
            self._truths.append(truths)
        return self._classes[key]


# --- Tests: the truth of one for each value -----------------------------------------------------------


def _judges(
    scales: Sequence[Agreement], partners: Sequence[Party]
) -> dict[str, Callable[[Test, Sequence[Any]], Truths]]:
    return {
        "level": lambda test, values: _is_level(test, values, scales),
        "day": lambda test, values: _is_among(test, values, partners),
        "at": _is_time,
        "detail": _is_detail,
        **dict.fromkeys(("reach", "use"), _is_rank),
        **dict.fromkeys(("topics", "regions", "disciplines"), _is_set),
    }


def _is_one_of(test: Test, values: Sequence[str]) -> Truths:
    return np.array([[value in test.constant] for value in values], bool)


def _is_rank(test: Test, values: Sequence[int]) -> Truths:
    return np.array([[_COMPARE[test.op](int(value), test.constant)] for value in values], bool)


def _is_detail(test: Test, values: Sequence[Detail]) -> Truths:
    name, constant = test.constant
    return np.array([[_COMPARE[test.op](getattr(value, name), constant)] for value in values], bool)


def _is_set(test: Test, values: Sequence[int]) -> Truths:
    masks = np.asarray(values, np.uint32)[:, None]
    common = masks & np.uint32(test.constant)
    return np.asarray({"any": common != 0, "all": common == test.constant, "empty": masks == 0}[test.op])


def _is_level(
    test: Test, values: Sequence[Sequence[tuple[Policy, Level]]], scales: Sequence[Agreement]
) -> Truths:
    """A level without a row is above all ranks, for forbids; permits ask besides whether it is ranked."""
    number, constant = test.constant
    ranks = [scales[number].common_rank(level) for level in values]
    if test.op == "ranked":
        return np.array([[rank is not None] for rank in ranks], bool)
    compare = _COMPARE[test.op]
    return np.array([[compare(ABOVE_ALL if rank is None else rank, constant)] for rank in ranks], bool)


def _is_time(test: Test, values: Sequence[int]) -> Truths:
    at = np.asarray(values, np.int64)[:, None]
    if test.op == "within":
        first, end = test.constant
        return np.asarray((first <= at) & (at < end))
    return np.asarray(_COMPARE[test.op](at // MILLISECOND, test.constant // MILLISECOND))


def edges(tests: Sequence[Test]) -> list[int]:
    """The instants at which the truth of tests on time may change, in order."""
    found: set[int] = set()
    for test in tests:
        found.update(test.constant if test.op == "within" else (test.constant, test.constant + MILLISECOND))
    return sorted(found)


def _is_among(test: Test, values: Sequence[Members], partners: Sequence[Party]) -> Truths:
    """For each partner, whether it is the one that is named, or in the coalition that is named."""
    if test.op == "is":
        return np.array([[party == test.constant for party in partners] for _ in values], bool)
    return np.array(
        [[test.constant in members.get(party, ()) for party in partners] for members in values], bool
    )
