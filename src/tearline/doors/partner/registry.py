"""Who may come in, and what is open for them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from functools import partial

from tearline.adapters import tls
from tearline.adapters.view import View
from tearline.doors.partner.inbox import Inbox
from tearline.terms import Party


class Registry:
    """Partners by the fingerprint of their TLS key. A partner's view is opened when it first comes.

    Used in one event loop. `open_view` opens the view of a party and nothing else. `given` is told who gave
    something new.
    """

    def __init__(
        self, open_view: Callable[[Party], View], given: Callable[[Party], None] = lambda _: None
    ) -> None:
        self._open_view, self._given = open_view, given
        self._keys: dict[str, Party] = {}
        self._anchors: set[str] = set()
        self._inboxes: dict[Party, Inbox] = {}

    def admit(self, certificates: Mapping[Party, str], context: ssl.SSLContext | None = None) -> None:
        """From now on exactly these partners may come in, each by the key of its certificate (PEM).

        New certificates become anchors of `context`, the one that the door is served with, so that partners
        can be added while it serves. Who is left out is turned away at its next request, and its view closed.
        """
        keys = {tls.key_fingerprint(pem): party for party, pem in certificates.items()}
        if context is not None:
            for pem in set(certificates.values()) - self._anchors:
                tls.trust(context, pem)
            self._anchors |= set(certificates.values())
        self._keys = keys
        for party in self._inboxes.keys() - certificates.keys():
            self._inboxes.pop(party).close()

    def party(self, tls_key: str | None) -> Party | None:
        """The partner who holds a key, by its fingerprint."""
        return None if tls_key is None else self._keys.get(tls_key)

    def inbox(self, party: Party) -> Inbox:
        """The open view of a partner, with what writes to it."""
        if party not in self._inboxes:
            self._inboxes[party] = Inbox(self._open_view(party), partial(self._given, party))
        return self._inboxes[party]

    def close(self) -> None:
        for inbox in self._inboxes.values():
            inbox.close()
        self._inboxes.clear()
