"""What is shown in a terminal, whole: nothing is cut off, and nothing that came from outside is obeyed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDE = 10_000
"""Where the output is a pipe or a file, a row is a line."""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table. Cells are text, not rich's markup; long ones go on in the next line."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDE)
    shown = Table()
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(plain(cell)) for cell in row))
    console.print(shown)


def plain(text: str) -> str:
    """`text` without what a terminal would obey (control characters); a partner may have chosen it."""
    return "".join(char if char.isprintable() else "�" for char in text)
