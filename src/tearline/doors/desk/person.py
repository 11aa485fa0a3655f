"""Who sits at the desk, and what they may do there."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What a person is here for. One person may have several."""

    ANALYST = "analyst"
    """Reads products, searches, asks reviews."""
    OFFICER = "officer"
    """Decides what goes: referrals, agreements, suspensions."""
    SOURCE_HANDLER = "source-handler"
    """Looks after protected sources; the only one who may see identities, after a second unlock."""
    AUDITOR = "auditor"
    """Reads the ledger and checks it; decides nothing."""
    ADMINISTRATOR = "administrator"
    """Accounts, partners' connections, settings; sees no content by this role alone."""


EVERYBODY = frozenset(Role)
READERS = frozenset({Role.ANALYST, Role.OFFICER, Role.SOURCE_HANDLER})
"""Who may read products."""
OFFICERS = frozenset({Role.OFFICER})
OVERSIGHT = frozenset({Role.OFFICER, Role.AUDITOR})
"""Who may see what was decided, and by whom."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has logged in. Officers' accounts bear the officer's code."""

    name: str
    roles: frozenset[Role]
    method: str
    """How they were known: `passkey`, `totp`, `oidc` or `token`."""
    language: str | None = None
    """As they chose it; None: as their browser asks."""
    session: str = ""
    """A digest that names the session; tokens against forged requests are bound to it. Empty with a token."""

    def may(self, roles: frozenset[Role]) -> bool:
        return not self.roles.isdisjoint(roles)
