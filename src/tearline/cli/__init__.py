"""The front door: `tearline`. Reads the command line, opens the node, says what happened."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from tearline import __version__
from tearline.cli.show import plain
from tearline.terms import TearlineError

_MODULES = {
    "init": "node",
    "status": "node",
    "serve": "node",
    "reconsider": "node",
    "partner": "partner",
    "officer": "officer",
    "key": "key",
    "agreement": "agreement",
    "review": "review",
    "search": "search",
    "requirement": "requirement",
    "intake": "intake",
    "quarantine": "intake",
    "recall": "recall",
    "revise": "recall",
    "ledger": "ledger",
    "scan": "scan",
    "vault": "vault",
    "source": "source",
    "mosaic": "mosaic",
    "consent": "consent",
    "catalogue": "catalogue",
    "flags": "flags",
    "referral": "referral",
    "trace": "trace",
    "desk": "desk",
    "demo": "demo",
    "simulate": "simulate",
}
"""A command's name, and the module of this room where the function of that name stands."""


class _Commands(Mapping[str, click.Command]):
    """The commands; a module is imported when its command is asked for: `scan` need not wait for the node."""

    def __getitem__(self, name: str) -> click.Command:
        command: click.Command = getattr(import_module(f"tearline.cli.{_MODULES[name]}"), name)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


class _Front(click.Group):
    """Turns our errors, and files that cannot be opened, into one sentence and exit status 1.

    Anything else is a fault of ours and shows.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _Commands()  # type: ignore[assignment]  # click reads it only

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TearlineError as error:
            sentence = str(error)
        except ExceptionGroup as group:  # of a node that serves: its parts end together
            known, unknown = group.split(TearlineError)
            if known is None or unknown is not None:
                raise
            sentence = str(_first(known))
        except OSError as error:
            if error.filename is None:
                raise
            sentence = f"{error.filename}: {error.strerror}"
        click.echo(f"tearline: {plain(sentence)}", err=True)
        sys.exit(1)


def _first(error: Exception) -> Exception:
    return _first(error.exceptions[0]) if isinstance(error, ExceptionGroup) else error


@click.group(cls=_Front, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tearline")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="TEARLINE_HOME",
    default=Path("~/.tearline"),
    show_default=True,
    help="The node's folder (or set TEARLINE_HOME).",
)
@click.pass_context
def main(context: click.Context, home: Path) -> None:
    """Share intelligence with allies, nearly automatically, and without ever burning a source."""
    context.obj = home.expanduser()
