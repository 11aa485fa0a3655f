"""The quick form of the benchmark: its figures are few, and yet they must hold."""

from __future__ import annotations

from benchmarks import trace
from benchmarks.trace_codes import PROTOTYPE, QUICK, RECIPIENTS


def test_the_quick_tables_hold() -> None:
    (head, needed), (_, accused), (_, calibrated) = trace.tables("codes", size="quick")
    slots = {row[0]: [int(cell) for cell in row[1 : 1 + len(QUICK.attacks)]] for row in needed}
    assert head[1:-2] == list(QUICK.attacks)
    assert slots["single: 1"] == [26, 26]
    assert max(slots["single: 2"]) <= PROTOTYPE[2]
    assert max(slots["collusion: 3"]) <= PROTOTYPE[3]
    for _, share, simulated, _ in accused:
        chance, error = map(float, simulated.split(" ± "))
        assert chance <= float(share) + 4 * error
        assert float(share) * RECIPIENTS <= 1.001e-6
    for *_, ratio in calibrated:
        near, error = map(float, ratio.split(" ± "))
        assert abs(near - 1) <= 4 * error
