"""Holdings on DuckDB and on Spark: what counting item by item gives."""

from __future__ import annotations

import random
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tearline.adapters.lake import Asked, Changed, Copy, Cut, Lake, write
from tearline.terms import BadInput, Category, Topic
from tests.model import naive_holdings as naive

PARTIES = ("ALPHA", "BRAVO", "CHARLIE", "DELTA")
TOPICS = ("air", "maritime", "missile")
ROUNDS = (
    (Cut(giver="ALPHA", holder="BRAVO"),),
    (Cut(originator="CHARLIE", share=0.25), Cut(giver="ALPHA", topics=frozenset({Topic("air")}))),
    (Cut(giver="BRAVO", categories=frozenset({Category.REPORT}), share=0.5),),
)


def drawn(seed: int, count: int = 300, parties: tuple[str, ...] = PARTIES) -> list[Copy]:
    """Copies of items, of which some are held by several givers, and some told of twice."""
    draw = random.Random(seed)
    items = []
    for number in range(count // 3):
        item = f"report--{number}"
        facts = (
            datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=draw.randrange(400)),
            draw.choice(list(Category)),
            tuple(sorted(draw.sample(TOPICS, draw.randint(0, 2)))),
            tuple(draw.sample(("eastern-europe", "global"), draw.randint(0, 1))),
        )
        items.append((item, draw.choice(parties), facts))
    found = []
    for _ in range(count):
        item, originator, facts = draw.choice(items)
        holder = draw.choice(parties)
        giver = holder if holder == originator else draw.choice([p for p in parties if p != holder])
        copy = Copy(
            holder, item, originator, giver, *facts, draw.choice(["whole", "tearline"]), draw.randrange(3)
        )
        found += [copy] * draw.choice([1, 1, 2])
    return found


@pytest.fixture(params=["duckdb", "spark"], scope="module")
def lake(request: pytest.FixtureRequest) -> Iterator[Lake]:
    if request.param == "spark" and (shutil.which("java") is None or find_spec("pyspark") is None):
        pytest.skip("Spark is not asked: Java or the extra `spark` is not there")
    with Lake.duckdb() if request.param == "duckdb" else Lake.spark() as opened:
        yield opened


def files(folder: Path, copies: list[Copy]) -> list[Path]:
    """Two files that overlap, as the exports of two nodes do."""
    half = len(copies) // 2
    parts = {folder / "one.parquet": copies[: half + 20], folder / "two.parquet": copies[half:]}
    for path, some in parts.items():
        write(path, [some[:10], some[10:]])
    return list(parts)


def test_shares_are_what_counting_gives(lake: Lake, tmp_path: Path) -> None:
    copies = drawn(1)
    holdings = lake.holdings(files(tmp_path, copies), ROUNDS)
    expected = naive.shares(copies, ROUNDS)
    found = holdings.shares([1.0] * len(holdings.kinds))
    assert len(found) == len(expected) > 30
    for each in found:
        items, value, left = expected[each.holder, each.originator, each.givers]
        assert (each.items, each.value) == pytest.approx((items, value))
        assert [pair for pairs in each.left for pair in pairs] == pytest.approx(
            [pair for pairs in left for pair in pairs]
        )


def test_what_one_gives_another_is_counted_by_kind(lake: Lake, tmp_path: Path) -> None:
    copies = drawn(7)
    holdings = lake.holdings(files(tmp_path, copies), ROUNDS)
    worth = [float(number + 1) for number in range(len(holdings.kinds))]
    givers = defaultdict(set)
    kinds, uses = {}, Counter[tuple[str, str]]()
    for copy in copies:
        if copy.holder == "BRAVO":
            key = copy.originator, copy.item
            givers[key].add(copy.giver)
            kinds[key] = Category(copy.category), frozenset(copy.topics), frozenset(copy.regions)
            uses[key] = max(uses[key], copy.uses)
    items, alone = Counter[int](), Counter[int]()
    for key, some in givers.items():
        if "ALPHA" in some:
            kind = holdings.kinds.index(kinds[key])
            items[kind] += 1
            alone[kind] += int(worth[kind]) * (uses[key] + 1) if some == {"ALPHA"} else 0
    found = holdings.given("BRAVO", "ALPHA", worth)
    assert found == [(kind, items[kind], alone[kind]) for kind in sorted(items)]
    assert sum(alone.values()) > 0
    assert holdings.given("BRAVO", "NOBODY", worth) == []


def test_answers_are_what_counting_gives(lake: Lake, tmp_path: Path) -> None:
    copies = drawn(2)
    holdings = lake.holdings(files(tmp_path, copies), ROUNDS[:1])
    kinds = [number for number, kind in enumerate(holdings.kinds) if "air" in kind.topics]
    asked = [Asked(number, kind, "BRAVO", bool(number)) for number in (0, 1) for kind in kinds]
    found = holdings.answers(asked)
    for number in (0, 1):
        expected = naive.answers(copies, "BRAVO", "air", whole=bool(number), cuts=ROUNDS[0])
        mine = {
            (a.originator, a.month): (a.items, a.left[0])
            for a in found
            if a.requirement == number and a.month
        }
        assert mine == expected
        assert len(mine) > 5
        others = Counter[str]()
        for holder in set(PARTIES) - {"BRAVO"}:
            theirs = naive.answers(copies, holder, "air", whole=bool(number), cuts=())
            for (by, _), (now, _) in theirs.items():
                others[by] += int(now)
        assert {a.originator: a.items for a in found if a.requirement == number and not a.month} == others


def test_more_givers_than_bits(lake: Lake, tmp_path: Path) -> None:
    parties = tuple(f"P{number:03}" for number in range(130))
    copies = drawn(3, 600, parties)
    found = lake.holdings(files(tmp_path, copies)).shares([1.0] * 200)
    assert {(h.holder, h.originator, h.givers) for h in found} == set(naive.shares(copies, ()))


def test_what_agreements_change(lake: Lake, tmp_path: Path) -> None:
    copies = [copy for copy in drawn(4) if (copy.holder, copy.giver) != ("DELTA", "ALPHA")]
    lost = [copy for copy in copies if (copy.holder, copy.giver) == ("BRAVO", "ALPHA")][:7]
    new = Copy("DELTA", "report--new", "ALPHA", "ALPHA", copies[0].at, Category.REPORT, ("air",))
    schema = {name: [getattr(copy, name) for copy in [*lost, new]] for name in Copy._fields}
    gone = [True] * len(lost) + [False]
    pq.write_table(pa.table(schema | {"gone": gone}), tmp_path / "changed.parquet")
    changed = Changed("ALPHA", tmp_path / "changed.parquet")
    holdings = lake.holdings(files(tmp_path, copies), [()], changed=changed)
    keys = {(copy.holder, copy.giver, copy.item) for copy in lost}
    every = [copy for copy in copies if (copy.holder, copy.giver, copy.item) in keys]
    then: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for copy, part in naive.parts(copies, (), every).items():
        then[copy.holder][copy.item] = max(part, then[copy.holder].get(copy.item, 0.0))
    for holder in PARTIES:
        mine = [each for each in holdings.shares([1.0] * 200) if each.holder == holder]
        now = sum(value[0] for key, value in naive.shares(copies, ()).items() if key[0] == holder)
        after = sum(then[holder].values()) + (holder == "DELTA")
        assert sum(each.items for each in mine) == pytest.approx(now)
        assert sum(each.left[0][0] for each in mine) == pytest.approx(after)


def test_what_was_passed_on_is_lost_with_its_giver(lake: Lake, tmp_path: Path) -> None:
    at = datetime(2025, 1, 1, tzinfo=UTC)
    chain = [("BRAVO", "ALPHA"), ("CHARLIE", "BRAVO"), ("DELTA", "CHARLIE")]
    copies = [Copy(holder, "i", "ALPHA", giver, at, Category.REPORT) for holder, giver in chain]
    other = Copy("DELTA", "j", "ALPHA", "CHARLIE", at, Category.REPORT)  # nobody told of CHARLIE's own
    rounds = [[Cut(giver="ALPHA", holder="BRAVO", share=0.75)], [Cut(giver="BRAVO")]]
    found = lake.holdings(files(tmp_path, [*copies, other] * 10), rounds).shares([1.0])
    assert {each.holder: tuple(items for items, _ in each.left) for each in found} == {
        "BRAVO": (0.25, 1.0),
        "CHARLIE": (0.25, 0.0),
        "DELTA": (1.25, 1.0),
    }


def test_a_period(lake: Lake, tmp_path: Path) -> None:
    copies = drawn(5)
    since, until = datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 9, 1, tzinfo=UTC)
    some = [copy for copy in copies if since <= copy.at < until]
    found = lake.holdings(files(tmp_path, copies), since=since, until=until).shares([1.0] * 200)
    assert sum(each.items for each in found) == len({(c.holder, c.originator, c.item) for c in some})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"giver": None}, "column giver: it is missing"),
        ({"colour": ["red"]}, "column colour: the format has none"),
        ({"at": [3]}, "column at: it is int64"),
        ({"topics": ["weather"]}, "weather"),
    ],
)
def test_what_is_no_file_of_holdings_is_refused(
    change: dict[str, object], reason: str, tmp_path: Path
) -> None:
    good = {
        "holder": ["ALPHA"],
        "item": ["i"],
        "originator": ["BRAVO"],
        "giver": ["BRAVO"],
        "at": pa.array([0]).cast(pa.timestamp("us", tz="UTC")),
        "category": ["report"],
    }
    columns = {name: column for name, column in (good | change).items() if column is not None}
    pq.write_table(pa.table(columns), tmp_path / "odd.parquet")
    with Lake.duckdb() as opened, pytest.raises(BadInput, match=reason):
        opened.holdings([tmp_path / "odd.parquet"])
