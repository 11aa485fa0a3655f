"""`tearline source`: the protected sources. Identities are typed or read from a file, never arguments."""

from __future__ import annotations

import csv
import secrets
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from tearline.adapters.home import PARTY
from tearline.cli.show import table
from tearline.cli.vault import unlock, unlocking, who
from tearline.ledger import Act
from tearline.node import Node
from tearline.node.sources import (
    ask_vault,
    change_vault,
    oblige_source,
    open_vault,
    retire_source,
    show_source,
)
from tearline.terms import BadInput, Refused
from tearline.vault import (
    Admitted,
    Obligations,
    Opened,
    Passphrase,
    PlaceGrain,
    Register,
    Row,
    RowKind,
    Standing,
    TimeGrain,
    admit,
)

COLUMNS = ["id", "name", "kind", "lang"]
_KINDS = [kind.value for kind in RowKind]
MAX_TOLD = 20
"""Warnings shown one by one."""


@click.group()
def source() -> None:
    """Add, list, show and retire protected sources, and say what they are owed."""


@source.command()
@click.option("--cryptonym", default="", help="Capitals joined by hyphens; drawn by chance when not given.")
@click.option(
    "--from",
    "file",
    type=click.Path(path_type=Path),
    help="Read a CSV file with the columns id,name,kind,lang instead of asking.",
)
@unlocking
@click.pass_obj
def add(
    home: Path, cryptonym: str, file: Path | None, passphrase_file: Path | None, passphrase_fd: int | None
) -> None:
    """Add a protected source: everything that identifies it is asked for.

    In a CSV file, rows with one id are one source, and a row without id is one of its own. An id that is a
    source's cryptonym adds to that source; any other is forgotten, and a cryptonym is drawn.
    """
    if cryptonym and file:
        raise BadInput("--cryptonym", "", "a file's sources get theirs by chance", "leave one of the two out")
    key = unlock(passphrase_file, passphrase_fd)
    groups = _read(file) if file else {"": _typed()}

    def edit(opened: Opened) -> Admitted:
        held = opened.register.sources
        return admit(
            opened.register,
            [tuple(rows) for name, rows in groups.items() if name not in held],
            [(name, tuple(rows)) for name, rows in groups.items() if name in held],
            key=opened.index_key,
            below=secrets.randbelow,
            cryptonym=cryptonym,
        )

    _admit(home, key, edit)


@source.command()
@click.argument("cryptonym")
@unlocking
@click.pass_obj
def extend(home: Path, cryptonym: str, passphrase_file: Path | None, passphrase_fd: int | None) -> None:
    """Add further identities to the source CRYPTONYM (a new alias, another telephone); they are asked for."""
    key = unlock(passphrase_file, passphrase_fd)
    more = [(cryptonym, tuple(_typed()))]
    _admit(
        home,
        key,
        lambda opened: admit(opened.register, [], more, key=opened.index_key, below=secrets.randbelow),
    )


@source.command("list")
@unlocking
@click.pass_obj
def list_(home: Path, passphrase_file: Path | None, passphrase_fd: int | None) -> None:
    """Show the sources by cryptonym, and what they are owed. No identity is shown.

    The passphrase is asked for only where the vault's process does not run.
    """
    with Node.open(home) as node:
        try:
            with ask_vault(node) as client:
                standings: Iterable[Standing] = client.sources()
        except Refused:
            opened = open_vault(node, unlock(passphrase_file, passphrase_fd), who())
            standings = [one.standing() for one in opened.register.sources.values()]
    rows = [
        (one.cryptonym, one.state, str(one.rows), *_cells(one.obligations))
        for one in sorted(standings, key=lambda one: one.cryptonym)
    ]
    table(("source", "state", "rows", *_OWED), rows)


@source.command()
@click.argument("cryptonym")
@unlocking
@click.pass_obj
def show(home: Path, cryptonym: str, passphrase_file: Path | None, passphrase_fd: int | None) -> None:
    """Show who CRYPTONYM is. Asks for the passphrase always; that you looked is on the ledger first."""
    key = unlock(passphrase_file, passphrase_fd)
    with Node.open(home) as node:
        found = show_source(node, key, cryptonym, who())
    click.echo(f"{found.cryptonym}, {found.state}")
    table(("kind", "identity", "language"), [(row.kind, row.text, row.lang) for row in found.rows])
    table(_OWED, [_cells(found.obligations)])


@source.command()
@click.argument("cryptonym")
@click.option("--k", type=int, help="The fewest persons that all disclosures together leave possible.")
@click.option(
    "--forbid",
    multiple=True,
    metavar="PARTY",
    help="A partner that gets nothing that touches this source. Replaces those before; `none` for nobody.",
)
@click.option(
    "--time", type=click.Choice([grain.value for grain in TimeGrain]), help="How coarse a time must be."
)
@click.option(
    "--place", type=click.Choice([grain.value for grain in PlaceGrain]), help="How coarse a place must be."
)
@click.option(
    "--expires",
    metavar="DATE",
    help="The last day to rely on these obligations; after it everything is referred. Or `never`.",
)
@click.option(
    "--ask",
    multiple=True,
    metavar="NAME",
    help="An officer who must be asked. Replaces those before; `none` for nobody.",
)
@click.option("--descriptor", help='What a tearline says instead, such as "a source with direct access".')
@unlocking
@click.pass_obj
def obligation(
    home: Path, /, cryptonym: str, passphrase_file: Path | None, passphrase_fd: int | None, **given: Any
) -> None:
    """Change what the source CRYPTONYM is owed. What is not given stays as it is."""
    changes = _obligations(**given)
    if not changes:
        raise BadInput("obligation", "", "nothing is to be changed", "give at least one option")
    key = unlock(passphrase_file, passphrase_fd)

    with Node.open(home) as node:
        oblige_source(node, key, cryptonym, changes, who())
    click.echo(f"{cryptonym} is owed what you said.")


@source.command()
@click.argument("cryptonym")
@unlocking
@click.pass_obj
def retire(home: Path, cryptonym: str, passphrase_file: Path | None, passphrase_fd: int | None) -> None:
    """Mark CRYPTONYM as no longer reporting. Its identity stays protected, and scanned for, for ever."""
    key = unlock(passphrase_file, passphrase_fd)
    with Node.open(home) as node:
        retire_source(node, key, cryptonym, who())
    click.echo(f"{cryptonym} is retired. Its identity stays protected, and is still scanned for.")


def _admit(home: Path, key: Passphrase, edit: Callable[[Opened], Admitted]) -> None:
    """Save what was admitted, say the cryptonyms, and warn of what the scanner will not find."""
    said: list[Admitted] = []

    def recorded(opened: Opened) -> tuple[Register, list[tuple[Act, dict[str, Any]]]]:
        done = edit(opened)
        said.append(done)
        acts = [(Act.SOURCE_EXTENDED, {"source": name}) for name in done.extended]
        acts += [(Act.SOURCE_ADDED, {"source": name}) for name in done.added]
        return done.register, acts

    with Node.open(home) as node, Console(stderr=True).status("trying the new rows on the scanner"):
        change_vault(node, key, who(), recorded)
    for done in said:
        for verb, names in (("extended", done.extended), ("added", done.added)):
            for name in names:
                click.echo(f"{verb} {name}")
        for name, number in done.unfound[:MAX_TOLD]:
            click.echo(f"warning: the scanner does not stop on row {number} of {name}", err=True)
        if more := done.unfound[MAX_TOLD:]:
            click.echo(f"warning: nor on {len(more)} further rows", err=True)
        if done.untried:
            click.echo(f"the last {done.untried} rows were not tried one by one", err=True)


def _typed() -> list[Row]:
    """Identity rows as an officer types them; an empty line ends."""
    rows: list[Row] = []
    while True:
        number = f"row {len(rows) + 1}"
        text = click.prompt(f"Identity, {number} (empty to end)", default="", show_default=False, err=True)
        if not text:
            break
        kind = click.prompt("  kind", type=click.Choice(_KINDS), default=_KINDS[0], err=True)
        lang = click.prompt("  language, such as uk", default="", show_default=False, err=True)
        try:
            rows.append(Row.read(kind, text, lang, where="source", place=number))
        except BadInput as error:
            click.echo(f"{error}; type it again", err=True)
    if not rows:
        raise BadInput("source", "", "nothing that identifies it was given")
    return rows


def _read(file: Path) -> dict[str, list[Row]]:
    """The rows of a CSV file by id. Raises `BadInput` with the line's number; never shows what it holds."""
    groups: dict[str, list[Row]] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            for line, cells in _cells_of(file, csv.reader(lines, strict=True)):
                name, text, kind, lang = cells
                row = Row.read(kind, text, lang, where=str(file), place=f"line {line}")
                groups.setdefault(name.strip() or f"\0{line}", []).append(row)
    except UnicodeDecodeError:
        raise BadInput(str(file), "", "it is not UTF-8", "save it as UTF-8 text") from None
    except csv.Error:  # its text is csv's own, but what it is about is not said
        raise BadInput(str(file), "", "it is not a sound CSV file") from None
    if not groups:
        raise BadInput(str(file), "", "it holds no rows")
    return groups


def _cells_of(file: Path, reader: Any) -> Iterator[tuple[int, list[str]]]:
    if next(reader, None) != COLUMNS:
        raise BadInput(str(file), "line 1", "its columns are not id,name,kind,lang")
    for cells in reader:
        if len(cells) != len(COLUMNS):
            raise BadInput(str(file), f"line {reader.line_num}", f"it does not have {len(COLUMNS)} cells")
        yield reader.line_num, cells


_OWED = ("k", "forbidden", "time", "place", "until", "ask", "described as")


def _cells(owed: Obligations) -> tuple[str, ...]:
    return (
        str(owed.k),
        " ".join(sorted(owed.forbidden)),
        owed.time,
        owed.place,
        str(owed.expires or "never ends"),
        ", ".join(owed.ask),
        owed.descriptor,
    )


def _obligations(**given: Any) -> dict[str, Any]:
    """The changed fields of `Obligations`. Raises `BadInput` where one cannot be."""
    changes = {name: given[name] for name in ("k", "descriptor") if given[name] is not None}
    if given["time"]:
        changes["time"] = TimeGrain(given["time"])
    if given["place"]:
        changes["place"] = PlaceGrain(given["place"])
    if given["forbid"]:
        changes["forbidden"] = frozenset(map(_party, _unless_none(given["forbid"])))
    if given["ask"]:
        changes["ask"] = _unless_none(given["ask"])
    if given["expires"]:
        changes["expires"] = _day(given["expires"])
    return changes


def _unless_none(given: tuple[str, ...]) -> tuple[str, ...]:
    return () if given == ("none",) else given


def _party(code: str) -> str:
    if PARTY.fullmatch(code) is None:
        raise BadInput("--forbid", "", "this is not an organisation's code", "use capitals, such as USA")
    return code


def _day(text: str) -> date | None:
    if text == "never":
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput("--expires", "", "this is not a date", "write it as YYYY-MM-DD") from None
