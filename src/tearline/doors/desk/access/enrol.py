"""What an enrolment link lets its holder do, once: set up one way to log in, and come in by it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request

from tearline.adapters import accounts as store
from tearline.adapters.accounts import Enrolment, Identity
from tearline.adapters.store import stamp
from tearline.doors.desk.access.password import counter_of, picture
from tearline.doors.desk.access.reception import Reception
from tearline.doors.desk.endpoint import N_
from tearline.ledger import Act
from tearline.node.people import add_identity
from tearline.terms import BadInput, Refused

_MAX_LABEL = 64
_OVER = N_("this link was used, or its time is over: ask your administrator for another")


class Enrolling:
    """Methods block: call them aside. Each raises `Refused` where the link does not work."""

    def __init__(self, reception: Reception) -> None:
        self._reception, self._people = reception, reception.people

    def find(self, link: str) -> Enrolment:
        """The link, while it works. Looking at it does not use it up."""
        with self._people.reading() as db:
            found = store.enrolment(db, store.digest(link))
        if found is None or found.expires_at <= stamp(self._people.now()):
            raise Refused(_OVER)
        return found

    def secret(self, found: Enrolment) -> str:
        """What an app makes codes of, base32."""
        return self._people.seal.open(found.account, found.totp)

    def picture(self, link: str) -> bytes:
        found = self.find(link)
        return picture(self.secret(found), found.account, self._reception.node.party)

    def password(self, request: Request, link: str, password: str, again: str, code: str) -> str:
        """A password, with a code that shows that the app has the secret. Raises `BadInput` for either."""
        found = self.find(link)
        if password != again:
            raise BadInput("password", "", "it was not the same twice")
        kept = self._reception.passwords.chosen(found.account, password)
        counter = counter_of(self.secret(found), code, self._people.now())
        if counter is None:
            raise BadInput("code", "", "it is not the one that the app shows now")
        with self._people.recording(Act.ACCOUNT_CHANGED, found.account, change="password-set") as db:
            self._use(db, found)
            store.set_password(db, found.account, kept, found.totp, counter)
        return self._reception.let_in(request, found.account, "totp")

    def options(self, link: str, key: str) -> str:
        found = self.find(link)
        account = self._people.find(found.account)
        with self._people.reading() as db:
            known = store.passkeys(db, account.name)
        return self._reception.passkeys.begin_registration(key, account, known, self._people.now())

    def passkey(self, request: Request, link: str, key: str, made: Any, label: str) -> str:
        found = self.find(link)
        account, now = self._people.find(found.account), self._people.now()
        passkey = self._reception.passkeys.register(key, account, made, label_of(label), now)
        with self._people.recording(Act.ACCOUNT_CHANGED, account.name, change="passkey-added") as db:
            self._use(db, found)
            if store.passkey(db, passkey.id) is not None:
                raise Refused(N_("this passkey is known already"))
            store.add_passkey(db, passkey)
        return self._reception.let_in(request, account.name, "passkey")

    def link(self, request: Request, link: str, identity: Identity) -> str:
        found = self.find(link)
        with self._people.recording(Act.ACCOUNT_CHANGED, found.account, change="identity-linked") as db:
            self._use(db, found)
            add_identity(db, found.account, identity)
        return self._reception.let_in(request, found.account, "oidc")

    def _use(self, db: Connection, found: Enrolment) -> None:
        if not store.use_enrolment(db, found.digest):
            raise Refused(_OVER)


def label_of(text: str) -> str:
    """What a person calls a passkey or token. Raises `BadInput` where it is no line of text."""
    label = text.strip() or "-"
    if len(label) > _MAX_LABEL or not label.isprintable():
        raise BadInput("name", "", f"it is not one line of at most {_MAX_LABEL} characters")
    return label
