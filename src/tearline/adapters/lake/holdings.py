"""Questions about holdings, as Ibis expressions: the same ones on every engine.

A *copy* is a row of the files. An item is *held* once by its holder, however many gave it. Each copy has a
part that is left: 1 now, and for every round of a scenario 1 less what its cuts take; of one that was passed
on, no more than its giver has left. Of an item that is left which is left of its best copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, reduce
from itertools import chain
from operator import and_, or_
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from tearline.adapters.lake.files import WHOLE, module
from tearline.terms import BadInput, Category, Party, Region, Topic

_BITS = 62
"""Givers in one number."""
_HANDS = 8
"""Through how many hands a loss is followed."""
_KEY = ("holder", "originator", "item")
_OF_KIND = ("category", "topics", "regions")


class Engine(Protocol):
    """What works expressions out."""

    def keep(self, expression: Any) -> Any:
        """Works it out once, and keeps it as a table."""

    def small(self, columns: Mapping[str, Sequence[Any]]) -> Any:
        """A small table of these columns."""


class Kind(NamedTuple):
    """What requirements can ask about; many items are of one kind."""

    category: Category
    topics: frozenset[Topic]
    regions: frozenset[Region]


class Cut(NamedTuple):
    """What a scenario takes: `share` of the copies that fit, where `None` and nothing mean any.

    What a holder made itself is never cut.
    """

    giver: Party | None = None
    holder: Party | None = None
    originator: Party | None = None
    categories: frozenset[Category] = frozenset()
    topics: frozenset[Topic] = frozenset()
    share: float = 1.0

    def about(self, kind: Kind) -> bool:
        """Whether it is about items of this kind."""
        return (not self.categories or kind.category in self.categories) and (
            not self.topics or not self.topics.isdisjoint(kind.topics)
        )


class Changed(NamedTuple):
    """What new agreements do to the copies that `giver` gives: a file of `holder`, `originator`, `item`,
    `gone` and the columns of a copy. Where `gone` is false, the copy is a new one."""

    giver: Party
    file: Path


class Held(msgspec.Struct, frozen=True, gc=False):
    """Items of one originator that one holder has by the same givers: how many, and what they are worth.

    `left`: (items, value) after each round.
    """

    holder: Party
    originator: Party
    givers: frozenset[Party]
    items: float
    value: float
    left: tuple[tuple[float, float], ...]


class Asked(NamedTuple):
    """That items of a kind fit a requirement of `holder`; `whole`: not as a tearline."""

    requirement: int
    kind: int
    holder: Party
    whole: bool


class Answer(NamedTuple):
    """Items of one originator that fit a requirement and that its holder got in one month.

    Of those that its holder has not, but others have: without a month. `left`: after each round.
    """

    requirement: int
    originator: Party
    month: str
    items: float
    left: tuple[float, ...]


class Holdings:
    """Copies read once, and what is asked of them. `rounds`: of each the cuts."""

    def __init__(
        self,
        copies: Any,
        engine: Engine,
        rounds: Sequence[Sequence[Cut]] = (),
        *,
        changed: Any = None,
        changed_giver: Party = "",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> None:
        self._ibis, self._rounds = module("ibis"), len(rounds)
        self._engine = engine
        if since is not None:
            copies = copies.filter(copies["at"] >= self._ibis.literal(since))
        if until is not None:
            copies = copies.filter(copies["at"] < self._ibis.literal(until))
        copies = copies.mutate(now=self._ibis.literal(1.0), stays=self._ibis.literal(1.0))
        if changed is not None:
            copies = self._changed(copies, changed, changed_giver)
        self._lefts = [f"left{n}" for n in range(self._rounds)]
        self._about: dict[tuple[frozenset[Category], frozenset[Topic]], str] = {}
        self.kinds, kinds = self._kinds(copies, rounds)
        self.givers = self._column(copies.select("giver").distinct())
        copies = copies.join(kinds, list(_OF_KIND))
        copies = copies.select(
            *_KEY,
            "giver",
            "now",
            kind=copies["kind"].cast("int32"),
            uses=copies["uses"].cast("int32"),
            whole=(copies["form"] == WHOLE).cast("int8"),
            month=(copies["at"].year() * 12 + copies["at"].month() - 1).cast("int16"),
            onward=(copies["giver"] != copies["originator"]) & (copies["giver"] != copies["holder"]),
            **{f"left{n}": copies["stays"] * self._left(copies, cuts) for n, cuts in enumerate(rounds)},
        )
        self.held = self._held(copies)

    def _changed(self, copies: Any, changed: Any, giver: Party) -> Any:
        """With what agreements change: copies that stay no longer, and new ones."""
        ibis, key = self._ibis, _KEY
        gone = (
            changed.filter(changed["gone"])
            .select(*key)
            .distinct()
            .mutate(giver=ibis.literal(giver), lost=ibis.literal(True))
        )
        both = copies.left_join(gone, [*key, "giver"])
        copies = both.mutate(stays=ibis.ifelse(both["lost"].fill_null(False), 0.0, 1.0)).select(
            *copies.columns
        )
        new = changed.filter(~changed["gone"]).drop("gone").mutate(giver=ibis.literal(giver))
        new = new.mutate(now=ibis.literal(0.0), stays=ibis.literal(1.0)).select(*copies.columns)
        return copies.union(new)

    def _left(self, copies: Any, cuts: Sequence[Cut]) -> Any:
        """Which part of each copy is left after these cuts."""
        ibis = self._ibis
        left = ibis.literal(1.0)
        for cut in cuts:
            fits = copies["giver"] != copies["holder"]
            for name in ("giver", "holder", "originator"):
                if (party := getattr(cut, name)) is not None:
                    fits &= copies[name] == party
            if cut.categories or cut.topics:
                fits &= copies[self._about[cut.categories, cut.topics]]
            left *= ibis.ifelse(fits, 1.0 - cut.share, 1.0)
        return left

    def _kinds(self, copies: Any, rounds: Sequence[Sequence[Cut]]) -> tuple[list[Kind], Any]:
        """The kinds that there are, and a table of their numbers and of which cuts are about them."""
        rows = sorted(_rows(copies.select(*_OF_KIND).distinct()))
        kinds = [_kind(*row) for row in rows]
        texts = list(zip(*rows, strict=True)) or [("",)] * len(_OF_KIND)
        columns: dict[str, Sequence[Any]] = dict(zip(_OF_KIND, map(list, texts), strict=True))
        columns["kind"] = list(range(len(texts[0])))
        for cut in chain.from_iterable(rounds):
            name = self._about.setdefault((cut.categories, cut.topics), f"about{len(self._about)}")
            columns[name] = [cut.about(kind) for kind in kinds] or [False]
        return kinds, self._engine.small(columns)

    def _column(self, table: Any) -> list[Party]:
        return sorted(party for (party,) in _rows(table))

    def _once(self, copies: Any) -> Any:
        """Each item once for its holder, with its givers of now as bits."""
        ibis = self._ibis
        words = range(max(1, -(-len(self.givers) // _BITS)))
        names = [f"givers{word}" for word in words]
        bits: dict[str, list[Any]] = {"giver": self.givers or [""]}
        for word in words:
            places = (number - word * _BITS for number in range(len(bits["giver"])))
            bits[names[word]] = [1 << place if 0 <= place < _BITS else 0 for place in places]
        joined = copies.join(self._engine.small(bits), "giver")
        return joined.group_by(*_KEY).aggregate(
            kind=joined["kind"].min(),
            whole=joined["whole"].max(),
            month=joined["month"].min(),
            uses=joined["uses"].max(),
            now=joined["now"].max(),
            **{name: _any_bit(ibis)(ibis.ifelse(joined["now"] > 0, joined[name], 0)) for name in names},
            **{left: joined[left].max() for left in self._lefts},
        )

    def _held(self, copies: Any) -> Any:
        """Every item once for its holder, without its name.

        Only what was passed on by somebody who may lose it is followed from hand to hand; that is little.
        """
        item = ["originator", "item"]
        lost = copies.filter(self._loses(copies)).select("originator", "item", giver="holder").distinct()
        passed = copies.filter(copies["onward"]).semi_join(lost, ["giver", *item]).select(*item).distinct()
        followed = self._engine.keep(passed)
        if not followed.count().to_pyarrow().as_py():
            return self._engine.keep(self._once(copies).drop("item"))
        some = self._engine.keep(copies.semi_join(followed, item))
        rest = self._once(copies.anti_join(followed, item))
        return self._engine.keep(rest.union(self._passed_on(some)).drop("item"))

    def _loses(self, table: Any) -> Any:
        losses = (table[left] < table["now"] for left in self._lefts)
        return reduce(or_, losses, self._ibis.literal(False))

    def _passed_on(self, copies: Any) -> Any:
        """What a giver does not have any more it cannot have passed on: hand after hand, to its end."""
        ibis = self._ibis
        held = self._engine.keep(self._once(copies))
        for _ in range(_HANDS):
            mosts = {f"most{left}": held[left] for left in self._lefts}
            lost = held.filter(self._loses(held)).select("originator", "item", giver="holder", **mosts)
            some = copies.left_join(lost, ["giver", "originator", "item"])
            less = {
                left: ibis.ifelse(
                    some["onward"] & (some[f"most{left}"] < some[left]), some[f"most{left}"], some[left]
                )
                for left in self._lefts
            }
            new = self._engine.keep(self._once(some.mutate(**less).select(*copies.columns)))
            both = new.join(held, list(_KEY), rname="{name}_before")
            changed = both.filter(reduce(or_, (both[left] < both[f"{left}_before"] for left in self._lefts)))
            if not changed.count().to_pyarrow().as_py():
                break
            held = new
        return held

    # --- Questions -----------------------------------------------------------------------------------

    def shares(self, worth: Sequence[float]) -> list[Held]:
        """Items by holder, originator and givers. `worth`: of each kind; an item used n times counts n + 1
        times."""
        ibis = self._ibis
        kinds = ibis.memtable(
            {"kind": list(range(len(worth) or 1)), "worth": list(map(float, worth)) or [0.0]}
        )
        held = self.held.join(kinds, "kind")
        held = held.mutate(value=held["worth"] * (held["uses"] + 1))
        givers = [name for name in self.held.columns if name.startswith("givers")]
        sums = {"items": held["now"].sum(), "value": (held["now"] * held["value"]).sum()}
        for n in range(self._rounds):
            left = held[f"left{n}"]
            sums |= {f"items{n}": left.sum(), f"value{n}": (left * held["value"]).sum()}
        rows = _rows(held.group_by("holder", "originator", *givers).aggregate(**sums))
        end = 2 + len(givers)
        named = cache(lambda words: frozenset(self._named(words)))
        found = [
            Held(
                row[0],
                row[1],
                named(row[2:end]),
                row[end],
                row[end + 1],
                tuple(zip(row[end + 2 :: 2], row[end + 3 :: 2], strict=True)),
            )
            for row in rows
        ]
        return sorted(found, key=lambda each: (each.holder, each.originator, sorted(each.givers)))

    def given(self, holder: Party, giver: Party, worth: Sequence[float]) -> list[tuple[int, float, float]]:
        """Of each kind that `holder` has by `giver`: items, and the value of those that nobody else gave."""
        if giver not in self.givers:
            return []
        word, place = divmod(self.givers.index(giver), _BITS)
        mine = self.held.filter(self.held["holder"] == holder)
        mine = mine.filter((mine[f"givers{word}"] & (1 << place)) > 0)
        others = (
            mine[name] for name in mine.columns if name.startswith("givers") and name != f"givers{word}"
        )
        alone = reduce(and_, (other == 0 for other in others), mine[f"givers{word}"] == 1 << place)
        uses = mine["now"] * (mine["uses"] + 1)
        rows = _rows(
            mine.group_by("kind").aggregate(
                items=mine["now"].sum(), uses=self._ibis.ifelse(alone, uses, 0.0).sum()
            )
        )
        return sorted((kind, items, used * worth[kind]) for kind, items, used in rows)

    def answers(self, asked: Sequence[Asked]) -> list[Answer]:
        """What answers requirements, by originator and month; and what others hold that would."""
        if not asked:
            return []
        columns = zip(*asked, strict=True)
        table = self._engine.small(
            dict(zip(("requirement", "kind", "by", "least"), map(list, columns), strict=True))
        )
        met = self.held.join(table, "kind")
        met = met.filter(met["whole"] >= met["least"].cast("int8"))
        mine = met["holder"] == met["by"]
        found = []
        for some, month in ((met.filter(mine), ["month"]), (met.filter(~mine), [])):
            sums = {"items": some["now"].sum()}
            sums |= {f"items{n}": some[f"left{n}"].sum() for n in range(self._rounds)}
            rows = _rows(some.group_by("requirement", "originator", *month).aggregate(**sums))
            end = 2 + len(month)
            found += [
                Answer(row[0], row[1], _month(row[2]) if month else "", row[end], tuple(row[end + 1 :]))
                for row in rows
            ]
        return sorted(found)

    def months(self) -> tuple[str, str] | None:
        """The first and the last in which somebody got something."""
        month = self.held["month"]
        ((first, last),) = _rows(self.held.aggregate(first=month.min(), last=month.max()))
        return None if first is None else (_month(first), _month(last))

    def _named(self, words: Sequence[int]) -> Iterator[Party]:
        for word, bits in enumerate(words):
            left = bits
            while left:
                place = left.bit_length() - 1
                yield self.givers[word * _BITS + place]
                left ^= 1 << place


def _any_bit(ibis: Any) -> Callable[[Any], Any]:
    """Bits that are set in any: both engines call it `bit_or`, which Ibis knows of DuckDB alone."""

    def bit_or(arg: int) -> int: ...  # type: ignore[empty-body]

    made: Callable[[Any], Any] = ibis.udf.agg.builtin(bit_or, signature=((int,), int))
    return made


def _kind(category: str, topics: str, regions: str) -> Kind:
    try:
        return Kind(
            Category(category),
            frozenset(map(Topic, filter(None, topics.split(",")))),
            frozenset(map(Region, filter(None, regions.split(",")))),
        )
    except ValueError as error:
        raise BadInput(
            "holdings", str(error).split(" is ")[0], "no vocabulary has it", "see docs/review.md"
        ) from None


def _month(number: int) -> str:
    return f"{number // 12}-{number % 12 + 1:02}"


def _rows(table: Any) -> list[tuple[Any, ...]]:
    columns = table.to_pyarrow().to_pydict()
    return list(zip(*columns.values(), strict=True))
