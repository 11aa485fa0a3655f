"""`tearline officer`: who decides at this node, and what they sign."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tearline import deliver
from tearline.adapters.officer_key import make_key, read_key
from tearline.adapters.store import Approval
from tearline.cli.show import table
from tearline.node import Node
from tearline.node.officers import (
    add_officer,
    approve,
    officers,
    quorum,
    remove_officer,
    sign_approval,
)
from tearline.terms import BadInput, Party

MIN_PASSPHRASE = 12
T = TypeVar("T")
_FILE = click.Path(dir_okay=False, path_type=Path)


class Signing(msgspec.Struct, frozen=True):
    """How an approval is given: signed here, signed elsewhere, or brought from there."""

    by: str | None
    key: Path | None
    passphrase_file: Path | None
    why: str | None
    sign_only: str | None
    approval: Path | None

    @property
    def reason(self) -> str:
        return _given("--why", self.why)

    def sign(self, party: Party, act: str, subject: str, at: datetime) -> Approval:
        key = load_key(_given("--key", self.key), self.passphrase_file)
        return sign_approval(party, _given("--officer", self.by), key, act=act, subject=subject, at=at)

    def sign_elsewhere(self, act: str, subject: str) -> str:
        """The approval as JSON, to be carried to the node of `sign_only`."""
        signed = self.sign(_given("--sign-only", self.sign_only), act, subject, datetime.now(UTC))
        return msgspec.json.encode(signed).decode()

    def approval_for(self, node: Node, of: Callable[[], tuple[str, str]]) -> Approval:
        """The approval that was brought; else one of the act and subject that `of` tells, signed now."""
        if self.approval is not None:
            return _read_approval(self.approval)
        return self.sign(node.party, *of(), node.clock())


def signed(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `Signing`, which it takes as `how`."""

    @functools.wraps(command)
    def with_how(*arguments: Any, **options: Any) -> None:
        how = Signing(**{name: options.pop(name) for name in Signing.__struct_fields__})
        command(*arguments, how=how, **options)

    for option in reversed(
        (
            click.option("--officer", "by", help="Who approves."),
            click.option("--key", type=_FILE, help="The private key, made with `tearline officer key`."),
            click.option("--passphrase-file", type=_FILE, help="Its passphrase. [default: asked for]"),
            click.option("--why", help="Why, in one sentence. Not needed with --sign-only."),
            click.option(
                "--sign-only",
                metavar="PARTY",
                help="Only print the approval, signed for the node of PARTY: on the officer's own machine.",
            ),
            click.option("--approval", type=_FILE, help="Take in the approval that --sign-only printed."),
        )
    ):
        with_how = option(with_how)
    return with_how


@click.group()
def officer() -> None:
    """Make keys, add and list officers, approve their changes.

    Officers go by pseudonymous codes, such as heron-3. As many as the quorum (`approvals` in node.toml) can
    be added freely; from then on each change of the register needs the approvals of the quorum.
    """


@officer.command()
@click.option(
    "--output",
    type=_FILE,
    required=True,
    help="The file of the private key; .pub is added for the public one.",
)
@click.option("--passphrase-file", type=_FILE, help="Where the passphrase stands. [default: asked for]")
@click.option("--no-passphrase", is_flag=True, help="Do not encrypt the key.")
def key(output: Path, passphrase_file: Path | None, no_passphrase: bool) -> None:
    """Make an officer's key pair. No node is needed: make it on the officer's own machine."""
    public = output.with_name(output.name + ".pub")
    if public.exists():
        raise BadInput(str(public), "", "there is a file already", "choose another name")
    phrase = None if no_passphrase else _new_passphrase(passphrase_file)
    text = deliver.public_key_text(make_key(output, phrase).public_key())
    public.write_text(text + "\n", encoding="ascii")
    if no_passphrase:
        click.echo(f"{output} is not encrypted: whoever has the file can approve as this officer.", err=True)
    click.echo(text)


@officer.command()
@click.argument("name")
@click.option(
    "--key", "public", required=True, metavar="PUBLIC", help="The officer's public key or its file."
)
@click.option("--officer", "by", default="founding", help="Who does it; not needed at the founding.")
@click.option("--why", required=True, help="Why, in one sentence.")
@click.pass_obj
def add(home: Path, name: str, public: str, by: str, why: str) -> None:
    """Add the officer NAME."""
    with Node.open(home) as node:
        add_officer(node, name, _public(public), by=by, why=why)
        count = len(officers(node))
        missing = quorum(node) - count
    needed = f"; {missing} more and they can approve" if missing > 0 else ""
    click.echo(f"{name} is an officer. There are {count}{needed}.")


@officer.command()
@click.argument("name")
@click.option("--officer", "by", required=True, help="Who does it.")
@click.option("--why", required=True, help="Why, in one sentence.")
@click.pass_obj
def remove(home: Path, name: str, by: str, why: str) -> None:
    """Remove the officer NAME: what NAME approved, and is not done yet, no longer counts."""
    with Node.open(home) as node:
        remove_officer(node, name, by=by, why=why)
    click.echo(f"{name} is no officer any more.")


@officer.command("list")
@click.pass_obj
def list_(home: Path) -> None:
    """Show the officers of today and how many must approve."""
    with Node.open(home) as node:
        rows = [(row.name, row.key, row.added_at) for row in officers(node)]
        needed = quorum(node)
    table(("officer", "public key", "since"), rows)
    click.echo(f"{needed} of them must approve what one alone must not do.")


@officer.command("approve")
@click.argument("act", required=False)
@click.argument("subject", required=False)
@signed
@click.pass_obj
def approve_(home: Path, act: str | None, subject: str | None, how: Signing) -> None:
    """Approve ACT on SUBJECT, as the command that lacks approvals names them.

    Such as: officer-add "heron-9 KEY change 3".
    """
    if how.sign_only is not None:
        click.echo(how.sign_elsewhere(_given("ACT", act), _given("SUBJECT", subject)))
        return
    with Node.open(home) as node:
        approval = how.approval_for(node, lambda: (_given("ACT", act), _given("SUBJECT", subject)))
        say_count(node, approve(node, approval, how.reason))


def say_count(node: Node, count: int) -> None:
    """Print how many have approved and how many must."""
    click.echo(f"{count} of {quorum(node)} officers have approved.")


def load_key(path: Path, passphrase_file: Path | None) -> Ed25519PrivateKey:
    """An officer's private key; its passphrase is read from the file or asked for."""

    def phrase() -> str:
        if passphrase_file is not None:
            return _line(passphrase_file)
        return str(click.prompt(f"Passphrase of {path.name}", hide_input=True, err=True))

    return read_key(path, phrase)


def _read_approval(path: Path) -> Approval:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Approval)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadInput(str(path), "", "this is not an approval", "make it with --sign-only") from None


def _given(name: str, value: T | None) -> T:
    """What must be given to this form of a command."""
    if value is None:
        raise BadInput(name, "", "it is missing", "give it, or --approval FILE")
    return value


def _new_passphrase(file: Path | None) -> str:
    if file is not None:
        phrase = _line(file)
    else:
        phrase = str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True))
    if len(phrase) < MIN_PASSPHRASE:
        reason = f"it has fewer than {MIN_PASSPHRASE} characters"
        raise BadInput("passphrase", "", reason, "choose a longer one")
    return phrase


def _line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0]
    except UnicodeDecodeError:
        raise BadInput(str(file), "", "it is not UTF-8") from None


def _public(given: str) -> str:
    """A public key as it stands on the command line or in its file."""
    path = Path(given)
    return _line(path).strip() if path.is_file() else given
