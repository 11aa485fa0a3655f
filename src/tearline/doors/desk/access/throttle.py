"""How often somebody may try. Counted in memory; a lock-out itself is kept, and survives a restart."""

from __future__ import annotations

from datetime import timedelta

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from tearline.adapters import accounts as store
from tearline.adapters.store import stamp
from tearline.ledger import Act
from tearline.node.people import People

OF_NAME = RateLimitItemPerMinute(5, 15)
"""Tries under one name that may fail; the next one locks it."""
OF_ADDRESS = RateLimitItemPerMinute(60, 5)
"""Tries from one address: an office behind one address has many people, so it is wider."""
OF_PASSPHRASE = RateLimitItemPerMinute(5, 15)
"""Tries at the passphrase of one officer's signing key."""
LOCKED = timedelta(minutes=15)


class Throttle:
    """Admits tries. A name that is no account's is counted, locked and recorded as one that is."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def from_address(self, address: str) -> bool:
        """Whether one more try from there is admitted."""
        return self._limiter.hit(OF_ADDRESS, address)

    def under_name(self, name: str) -> bool:
        """Whether one more try under this name is. Counted before it is known whether it succeeds, so that
        many at once are no way round."""
        if self._is_locked(named := store.digest(name)):
            return False
        if self._limiter.hit(OF_NAME, named):
            return True
        self._lock(name, named)
        return False

    def succeeded(self, name: str) -> None:
        self._limiter.clear(OF_NAME, store.digest(name))

    def at_passphrase(self, name: str) -> bool:
        """Whether one more try at the officer's signing key is admitted."""
        return self._limiter.hit(OF_PASSPHRASE, name)

    def opened(self, name: str) -> None:
        self._limiter.clear(OF_PASSPHRASE, name)

    def _is_locked(self, named: str) -> bool:
        with self._people.reading() as db:
            until = store.locked_until(db, named)
        return until is not None and until > stamp(self._people.now())

    def _lock(self, name: str, named: str) -> None:
        # What was typed as a name may be anything, a password even: only a real one is told.
        with self._people.reading() as db:
            told = "" if store.account(db, name) is None else name
        with self._people.recording(Act.PERSON_LOCKED_OUT, told) as db:
            store.lock(db, named, stamp(self._people.now() + LOCKED))
        self._limiter.clear(OF_NAME, named)
