"""Back-off and circuit breaker: bounds that hold whatever is drawn and however long it goes on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tearline.doors.post.patience import BASE, BREAKS_AT, CAP, FRESH, REST, Patience

NOW = st.floats(0, 1e9)
DRAWN = st.floats(0, 1, exclude_max=True)


def after(failures: int, now: float, drawn: float) -> Patience:
    patience = FRESH
    for _ in range(failures):
        patience = patience.failed(now, drawn)
    return patience


@given(failures=st.integers(1, 200), now=NOW, drawn=DRAWN)
def test_the_wait_keeps_to_its_bounds(failures: int, now: float, drawn: float) -> None:
    patience = after(failures, now, drawn)
    wait = patience.wait(now)
    rest = REST if failures >= BREAKS_AT else 0.0
    slack = 1e-6 * (1 + now)
    assert rest - slack <= wait <= max(rest, min(CAP, BASE * 2 ** min(failures - 1, 32))) + slack
    assert patience.is_open == (failures >= BREAKS_AT)


@given(failures=st.integers(1, 60), low=DRAWN, high=DRAWN)
def test_the_jitter_is_full_and_the_bound_doubles(failures: int, low: float, high: float) -> None:
    low, high = sorted((low, high))
    before = after(failures - 1, 0.0, 0.5)
    assert before.failed(0.0, low).until <= before.failed(0.0, high).until
    if failures < BREAKS_AT:
        assert before.failed(0.0, 0.0).until == 0.0
        assert before.failed(0.0, 0.5).until == BASE * 2 ** (failures - 1) / 2


@given(failures=st.integers(0, 60), now=NOW, drawn=DRAWN, later=st.floats(0, 100))
def test_a_partner_that_comes_to_us_is_tried_at_once_but_has_to_prove_itself(
    failures: int, now: float, drawn: float, later: float
) -> None:
    patience = after(failures, now, drawn)
    heard = patience.heard(now + later)
    assert heard.wait(now + later) == 0
    assert heard.is_open == patience.is_open
    assert heard.until <= patience.until
