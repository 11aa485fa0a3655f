"""`tearline vault`: where the identities of sources are kept, and the process that scans for them."""

from __future__ import annotations

import os
import pwd
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from tearline.adapters.vault import VaultClient, VaultFile, VaultServer, harden
from tearline.cli.show import table
from tearline.node import Node
from tearline.node.sources import change_passphrase, make_vault, restore_vault, serve_vault
from tearline.terms import BadInput
from tearline.vault import Passphrase

_MAX_PASSPHRASE = 1_024
"""Bytes."""


def unlocking(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that tell where the passphrase comes from; it is asked for where none is given.

    Never an argument or an environment variable: other processes can read both.
    """
    command = click.option(
        "--passphrase-fd",
        type=click.IntRange(min=0),
        metavar="NUMBER",
        help="Read the vault's passphrase from this open file descriptor.",
    )(command)
    return click.option(
        "--passphrase-file",
        type=click.Path(path_type=Path),
        help="Read the vault's passphrase from a file that only its owner can read.",
    )(command)


def unlock(passphrase_file: Path | None, passphrase_fd: int | None) -> Passphrase:
    """The passphrase as given or typed. Closes this process first: from here on it holds secrets."""
    harden()
    return Passphrase(_given(passphrase_file, passphrase_fd) or _asked("Passphrase of the vault"))


def who() -> str:
    """Who runs this command, for the ledger: the account, not what the environment says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def _given(file: Path | None, descriptor: int | None) -> str | None:
    if file is not None:
        if file.stat().st_mode & 0o077:
            raise BadInput(str(file), "", "others can read this file", "chmod 600 it")
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    if descriptor is None:
        return None
    try:
        with os.fdopen(descriptor, "rb") as source:
            data = source.read(_MAX_PASSPHRASE + 1)
        text = data.decode().removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError):
        raise BadInput("passphrase", "", "it cannot be read as UTF-8 text") from None
    if not text or len(data) > _MAX_PASSPHRASE:
        raise BadInput("passphrase", "", f"there is none of 1 to {_MAX_PASSPHRASE} bytes")
    return text


def _asked(prompt: str, *, twice: bool = False) -> str:
    return str(click.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True))


@click.group()
def vault() -> None:
    """Make, open and keep the vault: the encrypted file of who the sources are."""


@vault.command()
@unlocking
@click.pass_obj
def init(home: Path, passphrase_file: Path | None, passphrase_fd: int | None) -> None:
    """Make an empty vault. Nobody can open it without the passphrase: there is no other way in."""
    harden()
    text = _given(passphrase_file, passphrase_fd) or _asked("Passphrase for the vault", twice=True)
    with Node.open(home) as node:
        make_vault(node, Passphrase.chosen(text), who())
    click.echo(
        "The vault is made. Add sources with `tearline source add`; open it with `tearline vault serve`."
    )


@vault.command()
@unlocking
@click.pass_obj
def serve(home: Path, passphrase_file: Path | None, passphrase_fd: int | None) -> None:
    """Open the vault and scan what the node asks. Ends on SIGTERM; while it is closed nothing goes out."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    granted = harden()
    with Node.open(home) as node:
        opened = serve_vault(node, unlock(passphrase_file, passphrase_fd), who())
    with Console(stderr=True).status("building the scanner's index"):
        server = VaultServer(VaultFile(home), opened, granted)
    server.run(lambda: click.echo(f"the vault is open: {len(opened.register.sources)} sources"))


@vault.command()
@click.pass_obj
def status(home: Path) -> None:
    """Show whether the vault is open, and how many sources it holds."""
    with VaultClient(home) as client:
        now = client.status()
    click.echo(
        f"The vault is open at version {now.version}: {now.sources} sources, {now.rows} identity rows."
    )
    table(("its process has",), [(granted,) for granted in now.hardened])


@vault.command()
@unlocking
@click.option(
    "--new-passphrase-file",
    type=click.Path(path_type=Path),
    help="Read the new passphrase from a file that only its owner can read.",
)
@click.pass_obj
def passphrase(
    home: Path, passphrase_file: Path | None, passphrase_fd: int | None, new_passphrase_file: Path | None
) -> None:
    """Change the passphrase. Copies of the vault's file that were kept still open with the old one."""
    old = unlock(passphrase_file, passphrase_fd)
    new = _given(new_passphrase_file, None) or _asked("New passphrase", twice=True)
    with Node.open(home) as node:
        change_passphrase(node, old, Passphrase.chosen(new), who())
    click.echo("The passphrase is changed.")


@vault.command()
@click.argument("copy", type=click.Path(path_type=Path))
@unlocking
@click.pass_obj
def restore(home: Path, copy: Path, passphrase_file: Path | None, passphrase_fd: int | None) -> None:
    """Put COPY, a kept copy of the vault's file, in force. Sources added since it was made are gone."""
    key = unlock(passphrase_file, passphrase_fd)
    with Node.open(home) as node:
        restore_vault(node, copy.read_bytes(), key, who())
    click.echo("The copy is in force. Compare `tearline source list` with the ledger.")
