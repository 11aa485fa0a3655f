"""Two versions of an agreement: what one changes against the other, in words and side by side."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import msgspec

from tearline.agreement import Agreement
from tearline.agreement.clauses import CLAUSES, MANIFEST
from tearline.agreement.lifecycle import IN_FORCE
from tearline.doors.desk.areas.agreements.area import SEES, TextChanges, area, changes_of
from tearline.doors.desk.areas.agreements.listing import AgreementBrief, brief
from tearline.doors.desk.areas.agreements.version import found_of
from tearline.doors.desk.endpoint import At
from tearline.terms import Refused

_MOST_LINES = 4_000
"""Lines of a file that are shown side by side."""


class AgreementOtherAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`other`: the version to compare with; the one in force where it is not given."""

    version: str
    other: str = ""


class DifferenceLine(msgspec.Struct, frozen=True):
    """A line of both texts; a number is 0 where there is none on that side. `kind`: `same`, `changed`,
    `removed`, `added` or `gap`, where lines that are the same are left out."""

    kind: str
    old_number: int
    old: str
    new_number: int
    new: str


class DifferenceFile(msgspec.Struct, frozen=True):
    name: str
    lines: tuple[DifferenceLine, ...]


class AgreementDifference(msgspec.Struct, frozen=True, kw_only=True):
    """What `new` changes against `old`, in words and side by side."""

    old: AgreementBrief
    new: AgreementBrief
    changes: TextChanges
    files: tuple[DifferenceFile, ...]
    """Only those in which lines differ."""
    others: tuple[AgreementBrief, ...]


@area.shows("/agreements/versions/{version}/difference", "agreements/difference.html", roles=SEES)
def difference(at: At, asked: AgreementOtherAsked) -> AgreementDifference:
    """What a version changes against another of its agreement, in words and side by side."""
    known, new = found_of(at.node, asked.version)
    others = [each for each in known if each is not new]
    if asked.other:
        _, old = found_of(at.node, asked.other)
    else:
        in_force = [each for each in others if each.state in IN_FORCE]
        if not others:
            raise Refused(f"{new.agreement.id} has no other version to compare with")
        old = (in_force or others[-1:])[0]
    return AgreementDifference(
        old=brief(at.node, old),
        new=brief(at.node, new),
        changes=changes_of(old.agreement, new.agreement),
        files=tuple(_files(old.agreement, new.agreement)),
        others=tuple(brief(at.node, each) for each in others),
    )


def _files(old: Agreement, new: Agreement) -> Iterator[DifferenceFile]:
    for name, was, now in (
        (MANIFEST, old.manifest, new.manifest),
        (CLAUSES, old.clauses, new.clauses),
    ):
        if was != now:
            yield DifferenceFile(name, tuple(_lines(was.splitlines(), now.splitlines())))


def _lines(was: list[str], now: list[str]) -> Iterator[DifferenceLine]:
    """With three lines that are the same around what differs."""
    was, now = was[:_MOST_LINES], now[:_MOST_LINES]
    last = 0
    for group in difflib.SequenceMatcher(None, was, now, autojunk=False).get_grouped_opcodes(3):
        if group[0][1] > last:
            yield DifferenceLine("gap", 0, "", 0, "")
        for tag, old_start, old_end, new_start, new_end in group:
            for step in range(max(old_end - old_start, new_end - new_start)):
                old, new = old_start + step, new_start + step
                has_old, has_new = old < old_end, new < new_end
                kind = "same" if tag == "equal" else _KINDS[has_old, has_new]
                yield DifferenceLine(
                    kind,
                    old + 1 if has_old else 0,
                    was[old] if has_old else "",
                    new + 1 if has_new else 0,
                    now[new] if has_new else "",
                )
        last = group[-1][2]


_KINDS = {(True, True): "changed", (True, False): "removed", (False, True): "added"}
