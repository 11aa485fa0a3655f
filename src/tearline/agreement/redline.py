"""Red lines: "nothing on topic X that comes from human sources to partner P until reviewed", as a clause.

A red line is a forbid: it holds for every partner that it names and over every permit, of whatever agreement.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

import msgspec

from tearline.agreement.difference import is_same
from tearline.agreement.fmt import formatted
from tearline.agreement.manifest import Agreement, load
from tearline.agreement.wording import sentence
from tearline.terms import BadInput, Category, Discipline, Level, Party, Region, Topic

FOR_EVER = date(2999, 12, 31)
"""The end of an agreement that holds until it is withdrawn."""


class RedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What must not go. Of several values one is enough; what is left empty does not count.

    `above`: only what lies above this level of the agreement's scale. It ends at the beginning of the day
    `until`; without one it stands until it is withdrawn. `review`: the day by which it is looked at again.
    """

    partners: frozenset[Party] = frozenset()
    topics: frozenset[Topic] = frozenset()
    disciplines: frozenset[Discipline] = frozenset()
    regions: frozenset[Region] = frozenset()
    categories: frozenset[Category] = frozenset()
    above: Level | None = None
    until: date | None = None
    review: date | None = None
    reason: str
    id: str = ""

    @property
    def is_for_everything(self) -> bool:
        return not (self.topics or self.disciplines or self.regions or self.categories) and self.above is None


def red_line(line: RedLine, today: date, *, everything: bool = False) -> str:
    """The clause, laid out; its last line ends with a semicolon and a line's end.

    Raises `BadInput` where it contradicts itself, has neither an end nor a day of review, or would stop
    everything to everybody without `everything`.
    """
    _must_make_sense(line, today, everything)
    tests = [
        _any("category", "Category", line.categories, is_one=True),
        _any("topics", "Topic", line.topics),
        _any("disciplines", "Discipline", line.disciplines),
        _any("regions", "Region", line.regions),
        "" if line.above is None else f"resource.level > {int(line.above)}",
        "" if line.until is None else f'context.now < datetime("{line.until}")',
    ]
    who = sorted(line.partners)
    head = f'principal == Partner::"{who[0]}"' if len(who) == 1 else "principal"
    if len(who) > 1:
        several = " || ".join(f'principal == Partner::"{party}"' for party in who)
        tests.insert(0, f"({several})")
    notes = [
        f'@id("{line.id or _named(line)}")',
        f"@reason({_quoted(line.reason.strip())})",
        f'@review("{line.review or line.until}")',
    ]
    condition = " && ".join(filter(None, tests))
    when = f"when {{ {condition} }}" if condition else ""
    text = "\n".join([*notes, f'forbid ({head}, action in Action::"share", resource)', f"{when};"])
    return formatted(text, "red line")


def appended(agreement: Agreement, line: RedLine, today: date, *, everything: bool = False) -> Agreement:
    """`agreement` with the red line as its last clause; the partners that it names are declared.

    Raises `BadInput` also where the agreement ends before the red line does, or has it already; `Refused`
    where the agreement is not sound.
    """
    agreement.must_be_sound()
    clause = red_line(line, today, everything=everything)
    end = line.until or line.review
    if end is not None and agreement.valid_until < end:
        raise BadInput(
            agreement.id,
            "valid_until",
            f"the agreement ends on {agreement.valid_until}, and the red line with it",
            "put it into one that lasts longer, or into a new folder",
        )
    strangers = line.partners - agreement.names
    manifest = _declared(agreement.manifest, strangers) if strangers else agreement.manifest
    text = f"{agreement.clauses.rstrip()}\n\n{clause}" if agreement.clauses.strip() else clause
    made = load(manifest, text, agreement.id)
    *before, new = made.parsed
    for old in before:
        if old.id == new.id:
            raise BadInput(agreement.id, "", f"there is a clause {new.id} already", "give this one an --id")
        if is_same(old.tree, new.tree):
            raise BadInput(agreement.id, "", f"the clause {old.id} says this already", "change that one")
    if made.names != agreement.names | strangers:
        raise _not_declared(strangers)
    made.must_be_sound()
    return made


def in_words(made: Agreement) -> str:
    """The last clause of an agreement as a sentence."""
    return sentence(made.parsed[-1].tree)


def manifest_for(parties: Iterable[Party], name: str, line: RedLine, today: date) -> str:
    """A manifest for an agreement that holds this red line alone. It permits nothing.

    Every level of its parties keeps its rank. Others' levels count as above all: more is stopped, not less.
    """
    codes = sorted({*parties, *line.partners})
    ranks = "".join(f'{rank.name} = "{rank.name}"\n' for rank in Level)
    levels = "\n".join(f"[levels.{policy}]\n{ranks}" for policy in [*codes, "JOINT"])
    quoted = ", ".join(f'"{code}"' for code in codes)
    return f"""\
id = "{name}"
title = "Red lines"
parties = [{quoted}]
valid_from = {today}
valid_until = {line.until or FOR_EVER}

# This agreement permits nothing. Its forbids hold over every permit of the others.

{levels}"""


def _must_make_sense(line: RedLine, today: date, everything: bool) -> None:
    if not line.reason.strip() or not line.reason.isprintable():
        raise _refused("--reason", "a red line gives its reason in one line", "say why, in one sentence")
    if line.until is None and line.review is None:
        raise _refused("--until", "it has neither an end nor a day of review", "give --until or --review")
    for name, day in (("--until", line.until), ("--review", line.review)):
        if day is not None and day <= today:
            raise _refused(name, f"{day} has passed", "give a later day")
    if line.until is not None and line.review is not None and line.review > line.until:
        raise _refused(
            "--review", f"it is to be reviewed after its end on {line.until}", "give an earlier day"
        )
    if line.above is max(Level):
        raise _refused("--max-level", f"nothing lies above {line.above.name}", "give a lower level")
    if line.is_for_everything and not line.partners and not everything:
        raise _refused(
            "", "this would stop everything, to everybody", "say what or to whom, or add --everything"
        )
    if everything and not (line.is_for_everything and not line.partners):
        raise _refused("--everything", "it stands beside what narrows the red line", "leave one of them out")


def _refused(place: str, reason: str, remedy: str) -> BadInput:
    return BadInput("red line", place, reason, remedy)


def _any(attribute: str, kind: str, names: Iterable[str], *, is_one: bool = False) -> str:
    """A test that the attribute is, or holds, one of the names."""
    listed = [f'{kind}::"{name}"' for name in sorted(map(str, names))]
    if not listed:
        return ""
    if len(listed) == 1:
        return (
            f"resource.{attribute} == {listed[0]}"
            if is_one
            else f"resource.{attribute}.contains({listed[0]})"
        )
    several = f"[{', '.join(listed)}]"
    return (
        f"{several}.contains(resource.{attribute})"
        if is_one
        else f"resource.{attribute}.containsAny({several})"
    )


def _named(line: RedLine) -> str:
    """An id made of what the line says: `no-humint-proliferation-to-gbr`."""
    named = (line.categories, line.disciplines, line.topics, line.regions)
    what = [str(name) for names in named for name in sorted(names)]
    what += [f"above-{line.above.name}"] if line.above is not None else []
    parts = ["no", *what, *(["to", *sorted(line.partners)] if line.partners else [])]
    parts = [*parts, "anything"] if len(parts) == 1 else parts
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _declared(manifest: str, parties: frozenset[Party]) -> str:
    """The manifest with `parties` among its `others`."""
    quoted = ", ".join(f'"{party}"' for party in sorted(parties))
    listed = re.search(r"^others[ \t]*=[ \t]*\[([^\]#]*)\]", manifest, re.MULTILINE)
    if listed is not None:
        names = ", ".join(filter(None, [listed[1].strip().rstrip(","), quoted]))
        return f"{manifest[: listed.start()]}others = [{names}]{manifest[listed.end() :]}"
    after = re.search(r"^(coalitions|parties)[ \t]*=[ \t]*\[[^\]#]*\].*\n", manifest, re.MULTILINE)
    if after is None:
        raise _not_declared(parties)
    return f"{manifest[: after.end()]}others = [{quoted}]\n{manifest[after.end() :]}"


def _not_declared(parties: frozenset[Party]) -> BadInput:
    names = ", ".join(sorted(parties))
    return BadInput("agreement.toml", "others", f"{names} is not declared", "add it to others by hand")
