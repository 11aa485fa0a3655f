"""When to try a partner again who did not answer: pure rules, time and chance are arguments.

Exponential back-off with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog,
2015): the wait is drawn evenly between nothing and a bound that doubles with every failure. After some
failures in a row the circuit is open (M. Nygard, "Release It!", 2007, "Circuit Breaker"): then the wait has a
lower bound too, and what ends it is a trial with a single object; only when that succeeds everything goes
again.
"""

from __future__ import annotations

import msgspec

BASE, CAP = 0.1, 60.0
"""Seconds: the bound of the first wait, and that which no bound exceeds."""
BREAKS_AT = 5
"""Failures in a row after which the circuit is open."""
REST = 2.0
"""Seconds that an open circuit rests at least."""


class Patience(msgspec.Struct, frozen=True):
    """How it stands with one partner. `until`: not before this instant (seconds of any one clock)."""

    failures: int = 0
    until: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the circuit is open: the next attempt is a trial."""
        return self.failures >= BREAKS_AT

    def wait(self, now: float) -> float:
        """Seconds to wait from `now` on."""
        return max(0.0, self.until - now)

    def failed(self, now: float, drawn: float) -> Patience:
        """After an attempt that failed. `drawn`: from 0 up to, not including, 1."""
        failures = self.failures + 1
        bound = min(CAP, BASE * 2 ** min(failures - 1, 32))
        wait = bound * drawn
        if failures >= BREAKS_AT:
            wait = max(wait, REST)
        return Patience(failures, now + wait)

    def heard(self, now: float) -> Patience:
        """After the partner came to us: it is up, so it can be tried at once, as a trial if it was open."""
        return Patience(self.failures, min(self.until, now))


FRESH = Patience()
"""How it stands in the beginning, and after every success."""
