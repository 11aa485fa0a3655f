"""Population tables: what is read, what is not kept, and what cannot be taken."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tearline.adapters import population
from tearline.adapters.population import Table, pack, read, unpack
from tearline.terms import BadInput

HARBOUR = """\
id,Town,district,trade
Anneke Vosk,Varnik,coast,pilot
Bela Trum,Varnik,coast, pilot
Corin Fesh,Osk,coast,clerk
Dalia Morv,Osk,coast,
Emeric Salt,Osk,coast,clerk
"""


def file(folder: Path, content: str | bytes, name: str = "harbour.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def plain(table: Table) -> dict[str, dict[str, list[int]]]:
    return {name: {value: list(of) for value, of in values.items()} for name, values in table.values.items()}


def test_a_table_is_kept_by_value_and_without_its_rows(tmp_path: Path) -> None:
    table = read(file(tmp_path, HARBOUR))
    assert table.size == 5
    assert plain(table) == {
        "town": {"Osk": [0, 1, 2], "Varnik": [3, 4]},
        "district": {"coast": [0, 1, 2, 3, 4]},
        "trade": {"clerk": [1, 2], "pilot": [3, 4]},
    }


def test_the_order_of_rows_and_the_format_do_not_matter(tmp_path: Path) -> None:
    header, *rows = HARBOUR.splitlines()
    random.Random(1).shuffle(rows)
    shuffled = read(file(tmp_path, "\n".join([header, *rows])))
    columns = dict(
        zip(header.split(","), map(list, zip(*(row.split(",") for row in rows), strict=True)), strict=True)
    )
    columns["trade"] = [trade or None for trade in columns["trade"]]  # type: ignore[misc]
    pq.write_table(pa.table(columns), tmp_path / "harbour.parquet")
    digests = {
        made.digest({"town": "district"})
        for made in (read(file(tmp_path, HARBOUR)), shuffled, read(tmp_path / "harbour.parquet"))
    }
    assert len(digests) == 1
    assert shuffled.digest({}) not in digests
    other = read(file(tmp_path, HARBOUR.replace("Osk,coast,\n", "Osk,coast,pilot\n")))
    assert other.digest({"town": "district"}) not in digests


def test_what_is_packed_comes_back() -> None:
    persons = population.BitMap([1, 2, 3, 70_000, 2**31])
    assert unpack(pack(persons)) == persons


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("id,town\n", "it holds no persons"),
        ("id\na\n", "it has 0 attributes"),
        ("id,town,Town\n1,a,a\n", "column 3: there are two columns town"),
        ("id,\n1,a\n", "column 2: its name"),
        ("id,a;b\n1,a\n", "column 2: its name"),
        ("id,town\n1,Osk\n2\n", "row 2: it has 1 cells, not 2"),
        ("id,town\n1,Osk\n2,O[sk\n", "row 2, column town: the value is not one line"),
        (f"id,town\n1,{'O' * 201}\n", "row 1, column town: the value is not one line"),
        ("id,town\n1,\n2,\n", "column town: nobody has a value"),
        ("id,town\n1,Osk\n2,Lum\n3,Mell\n4,\n", "column town: it identifies: of 3 persons with a value, 3"),
        ('id,town\n1,"Osk\n', "after row 0: it is not sound CSV"),
        (b"id,town\n1,Osk\n2,\xff\n", "line 3: is not UTF-8"),
        ("id," + ",".join(f"a{n}" for n in range(101)) + "\n", "it has 101 attributes; keep 1 to 100"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_place(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    with pytest.raises(BadInput) as caught:
        read(file(tmp_path, content))
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))


def test_half_alone_is_the_most(tmp_path: Path) -> None:
    shared = "id,town\n1,Osk\n2,Lum\n3,Varnik\n4,Varnik\n"
    assert read(file(tmp_path, shared)).size == 4
    with pytest.raises(BadInput, match="of 5 persons with a value, 3 have one that nobody else has"):
        read(file(tmp_path, shared + "5,Mell\n"))


def test_limits_and_other_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content, said in [
        ("a.txt", "id,town\n", "neither in .csv nor in .parquet"),
        ("a.parquet", "id,town\n", "not a sound Parquet file"),
    ]:
        with pytest.raises(BadInput, match=said):
            read(file(tmp_path, content, name))
    pq.write_table(pa.table({"town": [["Osk"], ["Osk"]]}), tmp_path / "list.parquet")
    with pytest.raises(BadInput, match="column town: it is of the type list"):
        read(tmp_path / "list.parquet")
    monkeypatch.setattr(population, "MAX_ROWS", 4)
    with pytest.raises(BadInput, match="there are more than 4 persons"):
        read(file(tmp_path, HARBOUR))


def test_without_pyarrow_a_csv_file_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(pa.table({"town": ["Osk", "Osk"]}), tmp_path / "a.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert read(file(tmp_path, HARBOUR)).size == 5
    with pytest.raises(BadInput, match="save the table as CSV"):
        read(tmp_path / "a.parquet")
