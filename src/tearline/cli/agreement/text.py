"""Commands on an agreement's text alone: a node is read only for the versions that it keeps."""

from __future__ import annotations

import difflib
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
import orjson

from tearline import gate
from tearline.agreement import Agreement, Difference, Kind, difference, examine, formatted, sentence
from tearline.agreement.clauses import CLAUSES, MANIFEST
from tearline.agreement.forms import in_words
from tearline.cli.agreement.messages import as_data, coloured_diff, counted, shown
from tearline.cli.show import plain
from tearline.node import Node, agreement_record, read_agreement
from tearline.terms import BadInput, Refused

_FOLDERS = click.argument(
    "folders", metavar="FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path)
)


@click.command()
@_FOLDERS
@click.option("--json", "as_json", is_flag=True, help="Give the findings as JSON, for editors.")
def check(folders: tuple[Path, ...], as_json: bool) -> None:
    """Check the agreement in each FOLDER (agreement.toml, clauses.cedar): everything at once.

    Errors (codes E...) stop adoption; warnings (W...) do not. What each code means, and the way out, stands
    in docs/agreement-profile.md.
    """
    today = datetime.now(UTC).date()
    rows, found = [], []
    for folder in folders:
        texts = {name: _read(folder / name) for name in (MANIFEST, CLAUSES)}
        findings = examine(texts[MANIFEST], texts[CLAUSES], today, gate.unreadable)
        found += findings
        rows += [as_data(finding, folder / finding.file) for finding in findings]
        if not as_json:
            for finding in findings:
                click.echo(shown(finding, folder / finding.file, texts[finding.file]) + "\n")
            if not any(finding.is_error for finding in findings):
                read = read_agreement(folder)
                click.echo(f"{read.id} keeps to the profile. Its version is {read.version}.")
    if as_json:
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
    if any(finding.is_error for finding in found):
        raise Refused(f"{counted(found)}: what has errors cannot be adopted")


@click.command()
@_FOLDERS
@click.option("--check", "only_check", is_flag=True, help="Change nothing; fail where a file would change.")
@click.option("--diff", "as_diff", is_flag=True, help="Change nothing; show what would change.")
def fmt(folders: tuple[Path, ...], only_check: bool, as_diff: bool) -> None:
    """Give the clauses in each FOLDER the one layout. What they say and every comment stay as they are."""
    changed = []
    for folder in folders:
        path = folder / CLAUSES
        old = _read(path)
        new = formatted(old, str(path))
        if old == new:
            continue
        changed.append(path)
        if as_diff:
            lines = difflib.unified_diff(_lines(old), _lines(new), str(path), str(path), lineterm="")
            click.echo(coloured_diff(list(lines)))
        elif not only_check:
            path.write_text(new, encoding="utf-8", newline="\n")
            click.echo(f"{path}: laid out anew.")
    if only_check and changed:
        raise Refused(f"not in the one layout: {', '.join(map(str, changed))}")


@click.command()
@click.argument("old")
@click.argument("new")
@click.option("--text", is_flag=True, help="Show the changed lines of both files instead.")
@click.option("--json", "as_json", is_flag=True, help="Give the changes as JSON.")
@click.pass_obj
def diff(home: Path, old: str, new: str, text: bool, as_json: bool) -> None:
    """Say in words what NEW changes against OLD.

    Each is a folder, or a version that the node keeps (its first digits, or its agreement's id).
    """
    before, after = _agreement(home, old), _agreement(home, new)
    if text:
        for name, was, now in (
            (MANIFEST, before.manifest, after.manifest),
            (CLAUSES, before.clauses, after.clauses),
        ):
            lines = difflib.unified_diff(
                _lines(was), _lines(now), f"{old}/{name}", f"{new}/{name}", lineterm=""
            )
            if shown_lines := coloured_diff(list(lines)):
                click.echo(shown_lines)
        return
    found = difference(before, after)
    if as_json:
        click.echo(orjson.dumps(msgspec.to_builtins(found), option=orjson.OPT_INDENT_2).decode())
    else:
        _tell(found)


def show(found: Agreement) -> None:
    """Print in words what an agreement gives and forbids, clause by clause."""
    found.must_be_sound()
    click.echo(f"{plain(found.title)}\n{found.id}, version {found.version}")
    click.echo(f"between {', '.join(sorted(found.parties))}, {found.valid_from} until {found.valid_until}\n")
    for clause in found.parsed:
        notes = clause.tree.annotations
        review = f" (to be looked at again by {notes['review']})" if "review" in notes else ""
        click.echo(f"{click.style(clause.id, bold=True)}: {plain(sentence(clause.tree))}")
        click.echo(f"    because: {plain(notes['reason'])}{review}")
    for form in found.forms:
        click.echo(f"form {click.style(form.name, bold=True)}: {plain(in_words(form))}")


def _tell(found: Difference) -> None:
    if not found:
        click.echo("They say the same.")
    for words in found.manifest:
        click.echo(f"agreement: {plain(words)}")
    colours = {Kind.ADDED: "green", Kind.REMOVED: "red", Kind.REWORDED: None}
    for change in found.clauses:
        kind = click.style(change.kind, fg=colours.get(change.kind, "yellow"), bold=True)
        was = f" (was {change.was})" if change.was else ""
        click.echo(f"{kind} {change.clause}{was}: {plain(change.sentence)}")
        for part in change.parts:
            click.echo(f"    {plain(part)}")


def _agreement(home: Path, reference: str) -> Agreement:
    """The agreement in a folder, or one that the node at `home` keeps."""
    if Path(reference).is_dir():
        return read_agreement(Path(reference))
    if not Path(home).is_dir():
        raise BadInput(
            reference, "", "there is no such folder", "give an agreement's folder, or a stored version"
        )
    with Node.open(home) as node:
        version = agreement_record.find(node, reference)
        with node.reading() as db:
            return agreement_record.agreement_of(db, version)


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except OSError as error:
        remedy = f"an agreement is a folder with {MANIFEST} and {CLAUSES}"
        raise BadInput(str(path), "", f"it cannot be read ({error.strerror})", remedy) from None
    except UnicodeDecodeError:
        raise BadInput(str(path), "", "it is not UTF-8", "save it as UTF-8 text") from None
