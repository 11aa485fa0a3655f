"""The text of a released report: each portion under its mark, and every mark cut to owners and recipient.

A full REL TO list would tell who else received it (law 5), also where it stands within the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from tearline import label
from tearline.terms import Label, Party, Portion, Product, Quarantine, Refused, Role

# The keys of a report's header, as intake reads them; a test holds the two lists together.
_HEADER = re.compile(
    r"\s*(?:title|назва|название|date|дата|originator|орган|організація|организация|topics|теми|темы"
    r"|regions|регіони|регионы|discipline|вид розвідки|вид разведки|language|мова|язык|id"
    r"|marking|classification|гриф|sources|джерела|источники)\s*:(?:\s|$)",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*([-*_=])(?:\s*\1){2,}\s*$")
_INNER = re.compile(r"\([^()\n]*//[^()\n]*\)")
_DRESS = re.compile(r"(?:\A|(?<=\n\n))(?:\([^()\n]*\) )+|" + _INNER.pattern)


def portions_text(product: Product, portions: Iterable[Portion], recipient: Party) -> str:
    """Markdown: a paragraph for each portion but the title. Raises `Refused` where a label has no mark."""
    at = product.created.date()
    return "\n\n".join(
        f"{_mark(portion.label, recipient)} {_narrowed(portion.text, recipient, at)}"
        for portion in portions
        if portion.role is not Role.TITLE
    )


def whole_text(product: Product, recipient: Party) -> str:
    """All the text of a report; where it has no portions, less its header and banner lines.

    Those stand beside the text, and a header may name sources.
    """
    if product.portions:
        return portions_text(product, product.portions, recipient)
    at = product.created.date()
    lines = product.content.decode("utf-8-sig").splitlines()
    body = next((n for n, line in enumerate(lines) if not _is_before_text(line, at)), len(lines))
    kept = "\n".join(line for line in lines[body:] if not _is_marking(line, at)).strip()
    return _narrowed(kept, recipient, at)


def _is_before_text(line: str, at: date) -> bool:
    """Whether a line is blank, a rule, a banner or of the header."""
    return not line.strip() or bool(_HEADER.match(line) or _RULE.match(line)) or _is_marking(line, at)


def _mark(own: Label | Quarantine, recipient: Party) -> str:
    """A CAPCO mark where the label has what CAPCO speaks of; TLP where it has a reach, or nothing else."""
    if isinstance(own, Quarantine):
        raise Refused("a portion in quarantine goes to nobody")
    own = label.narrow(own, recipient)
    speaks = own.level or own.need or own.duties or own.release is not None or own.display is not None
    marks = [label.render_portion(own)] if speaks else []
    if own.reach or own.use or not speaks:
        marks.append(f"({label.render_tlp(own)})")
    return " ".join(marks)


def _narrowed(text: str, recipient: Party, at: date) -> str:
    """`text` with the marks that stand within it cut to owners and recipient."""

    def narrowed(mark: re.Match[str]) -> str:
        _, own = label.parse(mark[0], at=at)
        return _mark(own, recipient) if isinstance(own, Label) else mark[0]

    return _INNER.sub(narrowed, text)


def _is_marking(line: str, at: date) -> bool:
    """Whether a line is a banner, or a header line with one (`Marking: ...`)."""
    texts = (line.strip(), line.partition(":")[2].strip())
    return any(isinstance(label.parse(text, at=at)[1], Label) for text in texts if text)


Dress = tuple[tuple[int, int, str], ...]
"""What one copy of a text has in the place of parts of its body: (start, end, text), in order.

Start and end: code points of the body; alike where the copy has something that the body has not.
"""


def undressed(text: str) -> tuple[str, Dress]:
    """A released text without its portion marks and those within it, which are cut to the recipient.

    The body is the same for all who get the same portions. `dressed` undoes it, whatever the text.
    """
    body: list[str] = []
    dress: list[tuple[int, int, str]] = []
    at = size = 0
    for found in _DRESS.finditer(text):
        body.append(text[at : found.start()])
        size += found.start() - at
        dress.append((size, size, found[0]))
        at = found.end()
    return "".join([*body, text[at:]]), tuple(dress)


def dressed(body: str, dress: Dress) -> str:
    """A body with what one copy has instead of parts of it."""
    parts, at = [], 0
    for start, end, said in dress:
        parts += [body[at:start], said]
        at = end
    return "".join([*parts, body[at:]])
