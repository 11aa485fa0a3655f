"""The command: opens files, builds the index, shows how far it is."""

from __future__ import annotations

import os
import re
import secrets
import stat
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import DownloadColumn as BytesColumn
from rich.text import Text

from tearline.cli.scan.read import Lines, Report, documents_of, identities_of
from tearline.cli.scan.work import batches, results
from tearline.cli.show import plain
from tearline.scan import Disposition, Identity, Kind, Scanner
from tearline.terms import BadInput

BATCH = 1 << 17
"""Characters that a process is given at a time."""
_STDIO = Path("-")
_TWO_WORDS = re.compile(r"[a-zа-яєіїґ]{3,}[^,;]* [a-zа-яєіїґ]{3,}", re.IGNORECASE)
_ORDINARY = {
    Kind.PERSON: _TWO_WORDS,
    Kind.ALIAS: _TWO_WORDS,
    Kind.PHONE: re.compile(r"(?:\d\D*){9}"),
    Kind.EMAIL: re.compile(r"^[\w.+-]+@[\w-]+\.[\w.-]+$"),
}
"""By kind, the shapes of names that the scanner finds without doubt."""


@click.command()
@click.option(
    "--identities",
    type=click.Path(path_type=Path),
    required=True,
    help="CSV with the columns id, name, kind, lang: several rows may have one id; lang may be empty; "
    f"kind is one of {', '.join(Kind)}.",
)
@click.option(
    "--documents",
    type=click.Path(allow_dash=True, path_type=Path),
    default=_STDIO,
    show_default=True,
    help='JSON lines: {"doc": ..., "text": ...}.',
)
@click.option(
    "--output",
    type=click.Path(allow_dash=True, path_type=Path),
    default=_STDIO,
    show_default=True,
    help="JSON lines, one a hit: doc, start, end, id, score, disposition, why. Offsets are Unicode code "
    "points of the text. A file appears when it is whole.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Scan with so many processes.",
)
def scan(identities: Path, documents: Path, output: Path, processes: int) -> None:
    """Find known identities in documents, however they are written.

    Lines that cannot be read are named and left out; the others are scanned. Ends with status 1 if there were
    any. Neither names nor text are ever printed.
    """
    if output.exists() and any(path.exists() and path.samefile(output) for path in (identities, documents)):
        raise BadInput("--output", "", "this file is read at the same time", "name another one")
    console = Console(stderr=True)
    counts: Counter[str] = Counter()

    def report(error: BadInput) -> None:
        counts["bad"] += 1
        console.print(Text(plain(str(error)), style="yellow"), soft_wrap=True)

    with ExitStack() as stack:
        source = sys.stdin.buffer if documents == _STDIO else stack.enter_context(documents.open("rb"))
        target = stack.enter_context(_written(output))
        scanner = _scanner(identities, console, report)
        lines = Lines(source, "standard input" if documents == _STDIO else str(documents), report)
        given = batches(documents_of(lines), 0 if processes == 1 else BATCH)
        done_in_order = stack.enter_context(results(scanner, given, processes))
        bar = stack.enter_context(_bar(console, BytesColumn(), "{task.fields[hits]:,} hits"))
        task = bar.add_task("documents", total=_size(source), hits=0)
        for done in done_in_order:
            target.write(done.output)
            target.flush()
            counts.update(done.counts)
            for line, fault in done.failed:
                reason = f"the document could not be scanned ({fault})"
                report(BadInput(lines.where, f"line {line}", reason, "take it as not checked"))
            bar.update(task, completed=lines.read, hits=counts["hits"])
    kinds = ", ".join(f"{counts[each]:,} {each}" for each in Disposition)
    sentence = (
        f"{counts['documents']:,} documents, {counts['hits']:,} hits ({kinds}), {counts['bad']:,} bad lines"
    )
    click.echo(sentence, err=True)
    if counts["bad"]:
        sys.exit(1)


def _scanner(path: Path, console: Console, report: Report) -> Scanner:
    """Raises BadInput if no identity can be read: to find nothing would look like safety."""
    with path.open("rb") as stream, _bar(console, MofNCompleteColumn()) as bar:
        lines = Lines(stream, str(path), report)
        rows = list(identities_of(lines))
        if not rows:
            raise BadInput(str(path), "", "there is no identity in it", "name at least one to look for")
        task = bar.add_task("identities", total=len(rows))
        # Hits name ids, so nobody needs the key of this index again.
        key, identities = secrets.token_bytes(32), [identity for _, identity in rows]
        scanner = Scanner(identities, key=key, progress=lambda done: bar.update(task, completed=done))
        for number, identity in rows:
            if not _ordinary(identity) and all(hit.id != identity.id for hit in scanner.scan(identity.name)):
                reason, remedy = "the scanner would not find this name", "write it longer, or as another kind"
                report(BadInput(lines.where, f"line {number}", reason, remedy))
        return scanner


def _ordinary(identity: Identity) -> bool:
    """Whether the scanner surely finds it: others are tried, for to try a million names takes minutes."""
    shape = _ORDINARY.get(identity.kind)
    return shape is not None and shape.search(identity.name) is not None


def _size(stream: BinaryIO) -> int | None:
    """Bytes, where that is known."""
    status = os.fstat(stream.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else None


@contextmanager
def _written(target: Path) -> Iterator[BinaryIO]:
    """A stream to write. A file is there only when all is written: until then it has another name."""
    if target == _STDIO:
        yield sys.stdout.buffer
    elif target.exists() and not target.is_file():  # a pipe or a device
        with target.open("wb") as stream:
            yield stream
    else:
        target = target.resolve()
        part = target.with_name(f"{target.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as stream:
                yield stream
            part.rename(target)
        finally:
            part.unlink(missing_ok=True)


def _bar(console: Console, *columns: str | ProgressColumn) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *columns,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
