"""People: who may log in at the desk, for the administrator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec

from tearline.adapters import accounts as store
from tearline.doors.desk.access import forget_key, has_key, origin_of
from tearline.doors.desk.endpoint import N_, Area, At, Nothing
from tearline.doors.desk.person import Role
from tearline.node.people import INVITED, People
from tearline.terms import Refused

area = Area("people", title=N_("People"), path="/people", order=90, key="o")
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may log in, and how."""

    name: str
    roles: tuple[str, ...]
    passkeys: int
    password: bool
    """Whether there is a password with one-time codes."""
    issuers: tuple[str, ...]
    """The providers that say who it is."""
    signing_key: bool
    sessions: int
    tokens: int


class Accounts(msgspec.Struct, frozen=True):
    """Everybody, by name. `unlocked`: whether the one who asks can change them now."""

    accounts: tuple[Account, ...]
    unlocked: bool
    roles: tuple[Role, ...] = tuple(Role)


class NewAccount(msgspec.Struct, frozen=True):
    name: str
    roles: Annotated[tuple[Role, ...], msgspec.Meta(min_length=1)]


class OneAccount(msgspec.Struct, frozen=True):
    name: str


class Invited(msgspec.Struct, frozen=True):
    """A link that works once, with which the person sets up the account. It is shown here alone."""

    name: str
    link: str
    hours: int


@area.shows("/people", "people/list.html", roles=ADMINISTRATORS)
def people(at: At, asked: Nothing) -> Accounts:
    """Who may log in, in which roles, and how."""
    with _people(at) as kept, kept.reading() as db:
        found = tuple(
            Account(
                name=each.name,
                roles=tuple(sorted(each.roles)),
                passkeys=len(store.passkeys(db, each.name)),
                password=each.password is not None,
                issuers=tuple(identity.issuer for identity in store.identities(db, each.name)),
                signing_key=has_key(at.node.home, each.name),
                sessions=len(store.sessions(db, each.name)),
                tokens=len(store.tokens(db, each.name)),
            )
            for each in store.accounts(db)
        )
    return Accounts(found, at.keeper.is_fresh(at.person))


@area.does("/people/add", roles=ADMINISTRATORS, template="people/link.html")
def add(at: At, asked: NewAccount) -> Invited:
    """Add an account. Its person sets it up with the link."""
    with _changing(at) as kept:
        return _invited(at, asked.name, kept.add(asked.name, asked.roles, by=at.person.name))


@area.does("/people/{name}/roles", roles=ADMINISTRATORS, then="/people", says=N_("{name} has new roles."))
def set_roles(at: At, asked: NewAccount) -> NewAccount:
    """Give an account these roles and no others. Its sessions end."""
    with _changing(at) as kept:
        kept.set_roles(asked.name, asked.roles, by=at.person.name)
    return asked


@area.does("/people/{name}/reset", roles=ADMINISTRATORS, template="people/link.html")
def reset(at: At, asked: OneAccount) -> Invited:
    """Take every way in from an account, end what it has open, and give a new link."""
    with _changing(at) as kept:
        return _invited(at, asked.name, kept.reset(asked.name, by=at.person.name))


@area.does(
    "/people/{name}/remove",
    roles=ADMINISTRATORS,
    then="/people",
    says=N_("There is no account {name} any more."),
)
def remove(at: At, asked: OneAccount) -> OneAccount:
    """Remove an account, with its sessions, tokens and signing key."""
    with _changing(at) as kept:
        kept.remove(asked.name, by=at.person.name)
        forget_key(at.node.home, asked.name)
    return asked


def _invited(at: At, name: str, link: str) -> Invited:
    origin = origin_of(at.node.home.config.desk, at.node.home.config.desk.port)
    return Invited(name, f"{origin}/login/enrol/{link}", int(INVITED.total_seconds()) // 3600)


@contextmanager
def _people(at: At) -> Iterator[People]:
    kept = People(at.node)
    try:
        yield kept
    finally:
        kept.close()


@contextmanager
def _changing(at: At) -> Iterator[People]:
    """For what gives rights: a session left open, or a program's token, must not make more of itself."""
    if not at.keeper.is_fresh(at.person):  # a program never is
        raise Refused(N_("this needs a second unlock by somebody who is here: open /account/confirm"))
    with _people(at) as kept:
        yield kept
