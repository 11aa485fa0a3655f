"""What every reader is given (`Context`), and what it answers where it cannot take something (`Fault`)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

from tearline import label
from tearline.intake.limits import DEFAULT, Limits
from tearline.terms import BadInput, Label, Marking, Party, Quarantine

NO_MARKING = Quarantine(scheme="none", mark="", reason="no marking")


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something in a file that was not taken, or (a warning) was taken though it is not whole.

    `where` is the file, inside an archive `ARCHIVE!ENTRY`; `place` a spot in it: a JSON path, a line,
    a byte offset from the file's start. For officers: it quotes names and marks, not content.
    """

    where: str
    place: str
    reason: str
    remedy: str = ""
    severity: Literal["error", "warning"] = "error"

    @classmethod
    def of(cls, bad: BadInput) -> Fault:
        """The fault that an exception stands for."""
        return cls(where=bad.where, place=bad.place, reason=bad.reason, remedy=bad.remedy)

    @property
    def sentence(self) -> str:
        """One plain sentence."""
        return str(BadInput(self.where, self.place, self.reason, self.remedy))

    def __str__(self) -> str:
        return self.sentence


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """`party`: originator of what names none. `at`: now, with a time zone. `default_marking`: the marking of
    what bears none, in text (`TLP:GREEN`); without it such products are quarantined."""

    party: Party
    at: datetime
    default_marking: str | None = None
    limits: Limits = DEFAULT

    def default(self, at: date) -> tuple[Marking | None, Label | Quarantine]:
        """The default marking as read on the product's date."""
        if self.default_marking is None:
            return None, NO_MARKING
        return label.parse(self.default_marking, at=at)


def join_marks(marks: list[Label | Quarantine]) -> Label | Quarantine:
    """The join of all; the first that could not be read stands for the whole."""
    for mark in marks:
        if isinstance(mark, Quarantine):
            return mark
    return label.join_all(mark for mark in marks if isinstance(mark, Label))


def shown(text: str) -> str:
    """`text` as it may stand in a sentence or a title: one line, printable, at most 200 characters."""
    line = text[:1000]
    if not line.isprintable():
        line = "".join(char if char.isprintable() else " " for char in line)
    return " ".join(line.split())[:200]


def once(what: str, seen: set[str], name: str, place: str) -> None:
    """Raise `BadInput` where `what` stands in a file for the second time."""
    if what in seen:
        raise BadInput(name, place, f"{what} stands here for the second time")
    seen.add(what)
