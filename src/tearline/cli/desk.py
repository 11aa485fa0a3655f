"""`tearline desk`: serve the officers' desk, and say who has an account there."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import click
import structlog
from sqlalchemy import Connection

from tearline.adapters import accounts as store
from tearline.adapters.accounts import Account, Identity
from tearline.adapters.home import Home
from tearline.adapters.vault import harden
from tearline.cli.show import table
from tearline.cli.vault import who
from tearline.doors.desk import Role
from tearline.ledger import Act
from tearline.node import Node
from tearline.node.people import INVITED, People
from tearline.terms import BadInput, Refused

_ROLES = click.option(
    "--role",
    "roles",
    type=click.Choice([str(role) for role in Role]),
    multiple=True,
    required=True,
    help="What the person is here for; may be given several times.",
)


@click.group()
def desk() -> None:
    """The officers' desk: serve it, and keep its accounts."""


@desk.command("serve")
@click.pass_obj
def serve_(home: Path) -> None:
    """Serve the desk where `[desk]` in node.toml says. Ends on SIGTERM or SIGINT."""
    harden()  # passphrases and identities pass through it
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    access = _access()
    from tearline.doors.desk.serve import serve  # noqa: PLC0415 (an extra)

    asyncio.run(
        serve(Home(home), access.open_access, lambda address: click.echo(f"the desk is open: {address}"))
    )


@desk.group()
def account() -> None:
    """Who may log in at the desk. An officer's account bears the officer's code."""


@account.command()
@click.argument("name")
@_ROLES
@click.pass_obj
def add(home: Path, name: str, roles: tuple[str, ...]) -> None:
    """Add the account NAME, and print the link with which its person sets it up."""
    with _people(home) as people:
        _say_link(people, people.add(name, roles, by=who()))


@account.command("list")
@click.pass_obj
def list_(home: Path) -> None:
    """Show the accounts: their roles, how they log in, how many sessions and tokens are open."""
    with _people(home) as people, people.reading() as db:
        rows = [
            (
                each.name,
                " ".join(sorted(each.roles)),
                _ways(db, each),
                "yes" if _access().has_key(people.node.home, each.name) else "",
                str(len(store.sessions(db, each.name))),
                str(len(store.tokens(db, each.name))),
            )
            for each in store.accounts(db)
        ]
    table(("account", "roles", "logs in by", "signing key", "sessions", "tokens"), rows)


@account.command()
@click.argument("name")
@_ROLES
@click.pass_obj
def roles(home: Path, name: str, roles: tuple[str, ...]) -> None:
    """Give the account NAME these roles and no others. Its sessions end."""
    with _people(home) as people:
        people.set_roles(name, roles, by=who())
    click.echo(f"{name} is {' and '.join(sorted(set(roles)))}.")


@account.command()
@click.argument("name")
@click.option("--issuer", required=True, help="The provider, as `[desk.oidc.NAME]` in node.toml names it.")
@click.option("--subject", required=True, help="What the provider calls the person: the claim `sub`.")
@click.pass_obj
def link(home: Path, name: str, issuer: str, subject: str) -> None:
    """Let the account NAME in as whom an OpenID provider says it is."""
    with _people(home) as people:
        known = {each.issuer for each in people.node.home.config.desk.oidc.values()}
        if issuer not in known:
            raise Refused(f"no provider in node.toml has the issuer {issuer}")
        people.link(name, Identity(issuer, subject), by=who())
    click.echo(f"{name} can log in through {issuer}.")


@account.command()
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, exists=True, path_type=Path))
@click.option(
    "--passphrase-file",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="Its passphrase. [default: asked for]",
)
@click.pass_obj
def key(home: Path, name: str, file: Path, passphrase_file: Path | None) -> None:
    """Put the encrypted signing key FILE of the officer NAME at the desk. The passphrase only checks it."""
    if passphrase_file is not None:
        phrase = passphrase_file.read_text(encoding="utf-8").partition("\n")[0]
    else:
        phrase = str(click.prompt(f"Passphrase of {file.name}", hide_input=True, err=True))
    with _people(home) as people:
        _access().keep_key(people, name, file.read_bytes(), phrase, by=who())
    click.echo(f"The key of {name} is at the desk, encrypted as it was.")


@account.command()
@click.argument("name")
@click.pass_obj
def reset(home: Path, name: str) -> None:
    """Take every way in from the account NAME, end what it has open, and print a new link."""
    with _people(home) as people:
        _say_link(people, people.reset(name, by=who()))


@account.command()
@click.argument("name")
@click.pass_obj
def remove(home: Path, name: str) -> None:
    """Remove the account NAME, with its sessions, tokens and signing key."""
    with _people(home) as people:
        people.remove(name, by=who())
        _access().forget_key(people.node.home, name)
    click.echo(f"There is no account {name} any more.")


@account.command()
@click.argument("name")
@click.option("--revoke", metavar="LABEL", help="Remove the tokens of this label.")
@click.pass_obj
def tokens(home: Path, name: str, revoke: str | None) -> None:
    """Show the tokens of the account NAME, or revoke some."""
    with _people(home) as people:
        people.find(name)
        if revoke is not None:
            _revoke(people, name, revoke)
        with people.reading() as db:
            found = store.tokens(db, name)
    table(
        ("token", "roles", "since", "until"),
        [(each.label, " ".join(sorted(each.roles)), each.added_at, each.expires_at) for each in found],
    )


def _revoke(people: People, name: str, label: str) -> None:
    with people.recording(Act.ACCOUNT_CHANGED, name, by=who(), change="token-removed") as db:
        meant = [each for each in store.tokens(db, name) if each.label == label]
        if not meant:
            raise Refused(f"{name} has no token {label}")
        for each in meant:
            store.remove_token(db, name, each.digest)


def _say_link(people: People, link: str) -> None:
    desk = people.node.home.config.desk
    hours = int(INVITED.total_seconds()) // 3600
    click.echo(f"{_access().origin_of(desk, desk.port)}/login/enrol/{link}")
    click.echo(f"This link works once, for {hours} hours: hand it over by a way that you trust.", err=True)


def _ways(db: Connection, account: Account) -> str:
    ways = [f"{len(keys)} passkeys"] if (keys := store.passkeys(db, account.name)) else []
    ways += ["password and code"] if account.password is not None else []
    ways += [each.issuer for each in store.identities(db, account.name)]
    return ", ".join(ways) or "nothing yet"


def _access() -> ModuleType:
    """The part of the desk that knows people; it needs libraries that not every node has."""
    try:
        from tearline.doors.desk import access  # noqa: PLC0415 (an extra)
    except ModuleNotFoundError as error:
        reason = f"{error.name} is not installed"
        raise BadInput("the desk", "", reason, "pip install 'tearline[desk]'") from None
    return access


@contextmanager
def _people(home: Path) -> Iterator[People]:
    _access()  # before anything is done
    with Node.open(home) as node:
        people = People(node)
        try:
            yield people
        finally:
            people.close()
