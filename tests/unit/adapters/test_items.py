"""Files of items: what is written is read again; what cannot be taken is named with its place."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tearline.adapters import items
from tearline.agreement import Detail, Facts
from tearline.agreement.tables import TEARLINE, WHOLE, Row
from tearline.terms import BadInput, Category, Discipline, Level, Reach, Refused, Region, Topic, Use
from tests import agreements as made

AT = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)


def drawn(number: int) -> list[Row]:
    draw, rows = random.Random(3), []
    for item in range(number):
        forms = draw.choice([[WHOLE | TEARLINE], [WHOLE], [WHOLE, TEARLINE, TEARLINE]])
        for place, form in enumerate(forms):
            to = None if draw.random() < 0.5 else frozenset(draw.sample(made.PARTNERS, draw.randrange(4)))
            rows.append(
                Row(
                    id=f"item-{item}",
                    version=draw.choice(["", "2"]) if place == 0 else rows[-1].version,
                    at=made.instant(draw, [made.agreement(draw, "one")]) if item < 3 else AT,
                    day=draw.choice(made.DAYS),
                    facts=made.some_facts(draw),
                    form=form,
                    to=to,
                    first=place == 0,
                )
            )
    return rows


def back(path: Path, **more: int) -> list[Row]:
    return [columns.row(number) for columns in items.read(path, **more) for number in range(len(columns))]


def parquet(path: Path, **columns: Any) -> Path:
    """A file of two good items, but for `columns`; `None` leaves one out."""
    good = {
        "id": pa.array(["a", "b"]),
        "at": pa.array([AT, AT], pa.timestamp("us", tz="UTC")),
        "originator": pa.array(["USA", "GBR"]),
        "category": pa.array(["cyber", "report"]),
        "level": pa.array([["USA:SECRET"], []], pa.list_(pa.string())),
    }
    pq.write_table(
        pa.table({name: each for name, each in (good | columns).items() if each is not None}), path
    )
    return path


@pytest.mark.parametrize("batch", [1, 2, 7, 1 << 18])
def test_what_is_written_is_read_again(tmp_path: Path, batch: int) -> None:
    path, rows = tmp_path / "items.parquet", drawn(60)
    assert items.write(path, [rows[:50], rows[50:]]) == len(rows) == items.count(path)
    assert back(path, batch=batch) == rows
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_no_item_is_split_between_batches(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    items.write(path, [drawn(60)])
    for columns in items.read(path, batch=4):
        assert columns.first is not None
        assert columns.first[0]


def test_few_columns_are_enough(tmp_path: Path) -> None:
    (columns,) = items.read(parquet(tmp_path / "few.parquet"))
    assert columns.form is None
    assert columns.first is None
    assert columns.row(0) == Row(
        id="a",
        version="",
        at=AT,
        day=AT.date(),
        facts=Facts(
            originator="USA",
            category=Category.CYBER,
            level=(("USA", Level.SECRET),),
            topics=frozenset(),
            regions=frozenset(),
            disciplines=frozenset({Discipline.UNKNOWN}),
            reach=Reach.RED,
            use=Use.RED,
        ),
    )


def test_gaps_are_what_an_absent_column_is(tmp_path: Path) -> None:
    texts, lists = pa.array([None, None], pa.string()), pa.array([None, None], pa.list_(pa.string()))
    gaps = parquet(
        tmp_path / "gaps.parquet",
        **dict.fromkeys(("version", "reach", "use", "form"), texts),
        **dict.fromkeys(("topics", "regions", "disciplines", "to"), lists),
        day=pa.array([None, None], pa.date32()),
        **dict.fromkeys(Detail._fields, pa.array([None, None], pa.int8())),
    )
    assert back(gaps) == back(parquet(tmp_path / "few.parquet"))


def test_other_exporters_types_are_read(tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "other.parquet",
        id=pa.array(["a", "b"], pa.large_string()),
        at=pa.array([AT, AT]).cast(pa.timestamp("ns", tz="Europe/Kyiv")),
        originator=pa.array(["USA", "GBR"]).dictionary_encode(),
        topics=pa.array([["air", "land", "air"], None], pa.large_list(pa.large_string())),
        regions=pa.array([[], ["global"]], pa.list_(pa.string())),
        reach=pa.array(["AMBER+STRICT", "CLEAR"]),
        to=pa.array([["GBR"], []], pa.list_(pa.string())),
    )
    first, second = back(path)
    assert first.at == AT
    assert first.facts.topics == {Topic.AIR, Topic.LAND}
    assert second.facts.topics == frozenset()
    assert second.facts.regions == {Region.GLOBAL}
    assert (first.facts.reach, second.facts.reach) == (Reach.AMBER_STRICT, Reach.CLEAR)
    assert (first.to, second.to) == (frozenset({"GBR"}), frozenset())


def test_a_whole_form_for_each_of_some_parties_is_no_second_one(tmp_path: Path) -> None:
    twice = {"id": strings("a", "a"), "form": strings("whole", "whole")}
    (columns,) = items.read(parquet(tmp_path / "one.parquet", **twice, to=lists(["GBR"], ["SWE"])))
    assert columns.first is not None
    assert columns.first.tolist() == [True, False]
    with pytest.raises(BadInput, match="column form, row 2"):
        back(parquet(tmp_path / "two.parquet", **twice, to=lists(["GBR"], ["SWE", "GBR"])))


def test_an_empty_file_has_no_items(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    assert items.write(path, []) == 0
    assert back(path) == []


def strings(*values: str | None) -> pa.Array:
    return pa.array(values, pa.string())


def lists(*values: Sequence[str | None] | None) -> pa.Array:
    return pa.array(values, pa.list_(pa.string()))


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a column is missing": ({"level": None}, "column level: it is missing"),
    "a misspelt column": ({"topic": lists([], [])}, "column topic: the format has none; it has id, at"),
    "an instant without a zone": (
        {"at": pa.array([AT.replace(tzinfo=None)] * 2)},
        r"column at: it is timestamp\[us\]; make it a timestamp with a time zone",
    ),
    "numbers for texts": ({"originator": pa.array([1, 2])}, "column originator: it is int64; make it a str"),
    "a text for a list": ({"level": strings("USA:SECRET", "")}, "column level: .*make it a list of strings"),
    "an empty instant": ({"at": pa.array([AT, None], pa.timestamp("us", tz="UTC"))}, "column at, row 2"),
    "an empty id": ({"id": strings("a", None)}, "column id, row 2: it is empty; give each item an id"),
    "an empty level": ({"level": lists(["USA:SECRET"], None)}, "column level, row 2: it is empty"),
    "an unknown category": ({"category": strings("cyber", "Report")}, "column category, row 2: 'Report'"),
    "an unknown rank": ({"level": lists(["USA:HIGH"], [])}, "column level, row 1: 'USA:HIGH'"),
    "a policy twice": ({"level": lists([], ["USA:SECRET", "USA:RESTRICTED"])}, "column level, row 2"),
    "an unknown topic": ({"topics": lists(None, ["air", "aire"])}, "column topics, row 2: 'aire'.*write one"),
    "an empty element": ({"regions": lists(["global"], [None])}, "column regions, row 2: an empty element"),
    "no party": ({"to": lists(["GBR", "gbr"], [])}, "column to, row 1: 'gbr'"),
    "two parties in one": ({"to": lists([], ["GBR,USA"])}, "column to, row 2: 'GBR,USA'"),
    "an unknown reach": ({"reach": strings("RED", "TLP:RED")}, "column reach, row 2: 'TLP:RED'"),
    "a class that there is not": (
        {"gsd": pa.array([4, 5])},
        r"column gsd, row 2: 5 is no class; write 0 \(sharper than 0\.5 m\), 1",
    ),
    "metres for a class": ({"gsd": pa.array([0.5, 10.0])}, "column gsd: it is double; make it an integer"),
    "an unknown form": ({"form": strings("whole", "half")}, "column form, row 2: 'half'"),
    "the whole form twice": (
        {"id": strings("a", "a"), "form": strings("whole", None)},
        "column form, row 2: the item has its whole form twice for a party; tell versions",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_taken_is_named_with_its_place(tmp_path: Path, name: str) -> None:
    columns, sentence = BAD[name]
    with pytest.raises(BadInput, match=sentence) as raised:
        back(parquet(tmp_path / "bad.parquet", **columns))
    assert str(raised.value).startswith(str(tmp_path / "bad.parquet"))
    assert "\n" not in str(raised.value)


def test_rows_are_counted_over_batches(tmp_path: Path) -> None:
    many = ["cyber"] * 99 + ["none"]
    path = parquet(
        tmp_path / "bad.parquet",
        id=strings(*map(str, range(100))),
        at=pa.array([AT] * 100, pa.timestamp("us", tz="UTC")),
        originator=strings(*["USA"] * 100),
        category=strings(*many),
        level=lists(*[[]] * 100),
        form=strings(*["whole"] * 100),
    )
    with pytest.raises(BadInput, match="column category, row 100: 'none'"):
        back(path, batch=7)


def test_the_documentation_has_every_column_and_its_example_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[3] / "docs" / "items-format.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| [\w ]+ \| (yes)? ?\|", page, flags=re.MULTILINE)
    assert sorted(name for name, _ in rows) == sorted(items.COLUMNS)
    assert {name for name, needed in rows if needed} == set(items.NEEDED)
    (example,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    assert [row.id for row in back(tmp_path / "items.parquet")] == ["report-1", "report-2"]


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("id,at\n")
    with pytest.raises(BadInput, match="this is not a Parquet file"):
        items.count(tmp_path / "text.parquet")
    with pytest.raises(BadInput, match="there is no such file"):
        back(tmp_path / "none.parquet")


def test_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    items.write(path, [drawn(2000)])
    content = bytearray(path.read_bytes())
    content[4:2000] = np.random.default_rng(1).bytes(1996)
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"damaged|cannot be taken|empty"):
        back(path)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def batches() -> Any:
        yield drawn(3)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        items.write(tmp_path / "items.parquet", batches())
    assert list(tmp_path.iterdir()) == []


def test_without_pyarrow_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str, *_: Any) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(items, "import_module", absent)
    with pytest.raises(Refused, match=r"tearline\[analytics\]"):
        items.count(tmp_path / "items.parquet")
