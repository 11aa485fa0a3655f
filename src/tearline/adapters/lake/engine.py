"""The engines that work expressions out: DuckDB in this process, Spark where it is installed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import reduce
from itertools import count
from pathlib import Path
from typing import Any, Self

from tearline.adapters.lake import files
from tearline.adapters.lake.holdings import Changed, Cut, Holdings
from tearline.terms import BadInput, Party, Refused

MEMORY = "3GB"
"""What DuckDB may take; what is more lies in a folder that goes with it."""


class _DuckDB:
    """Tables lie in a folder that goes with it: on disk as far as they do not fit in `memory`."""

    def __init__(self, memory: str, threads: int) -> None:
        ibis, _ = files.module("ibis"), files.module("duckdb")
        self._folder = tempfile.TemporaryDirectory(prefix="tearline-lake-")
        self._numbers = count()
        self.connection = ibis.duckdb.connect(
            str(Path(self._folder.name) / "lake.duckdb"),
            memory_limit=memory,
            threads=threads,
            temp_directory=self._folder.name,
        )
        self.connection.raw_sql("SET TimeZone = 'UTC'")
        self.connection.raw_sql("SET preserve_insertion_order = false")

    def keep(self, expression: Any) -> Any:
        return self.connection.create_table(f"kept_{next(self._numbers)}", expression, temp=True)

    def small(self, columns: Mapping[str, Sequence[Any]]) -> Any:
        return files.module("ibis").memtable(files.module("pyarrow").table(columns))

    def close(self) -> None:
        self.connection.disconnect()
        self._folder.cleanup()


class _Spark:
    """In this process, on all cores, with nothing open to the network."""

    def __init__(self) -> None:
        ibis, sql = files.module("ibis"), files.module("pyspark.sql")
        settings = {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": "2",
            "spark.ui.enabled": "false",
        }
        try:
            self._session = sql.SparkSession.builder.master("local[*]").config(map=settings).getOrCreate()
        except Exception as error:  # whatever Java or Spark say
            raise Refused("Spark does not start: it needs Java 17 and the extra `spark`") from error
        self._folder = tempfile.TemporaryDirectory(prefix="tearline-lake-")
        self._numbers = count()
        self.connection = ibis.pyspark.connect(self._session)

    def keep(self, expression: Any) -> Any:
        """On disk: else a plan that is asked again and again grows with every step.

        Spark takes numbers with a point for decimals: they come back as what the expression says they are.
        """
        path = str(Path(self._folder.name) / f"kept_{next(self._numbers)}")
        self.connection.to_parquet(expression, path)
        return self.connection.read_parquet(path).cast(expression.schema())

    def small(self, columns: Mapping[str, Sequence[Any]]) -> Any:
        name = f"small_{next(self._numbers)}"
        table = files.module("pyarrow").table(columns)
        self._session.createDataFrame(table).createOrReplaceTempView(name)
        return self.connection.table(name)

    def close(self) -> None:
        self._session.stop()
        self._folder.cleanup()


class Lake:
    """An engine, opened. Use it in a `with`."""

    def __init__(self, engine: _DuckDB | _Spark) -> None:
        self._engine = engine

    @classmethod
    def duckdb(cls, *, memory: str = MEMORY, threads: int | None = None) -> Self:
        """Raises `Refused` where the extra `analytics` is not installed."""
        return cls(_DuckDB(memory, threads or os.cpu_count() or 1))

    @classmethod
    def spark(cls) -> Self:
        """Raises `Refused` where Spark or Java is not there."""
        return cls(_Spark())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.close()

    def holdings(
        self,
        paths: Sequence[Path],
        rounds: Sequence[Sequence[Cut]] = (),
        *,
        changed: Changed | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Holdings:
        """Files of holdings, read; what two of them tell of one copy counts once. Raises `BadInput`."""
        if not paths:
            raise BadInput("--holdings", "", "no file is given", "name one or more Parquet files")
        for path in paths:
            files.check(path)
        given: Party = changed.giver if changed else ""
        return Holdings(
            reduce(lambda one, other: one.union(other), map(self._read, paths)),
            self._engine,
            rounds,
            changed=self._read(changed.file, "gone") if changed else None,
            changed_giver=given,
            since=since,
            until=until,
        )

    def _read(self, path: Path, *more: str) -> Any:
        table = self._engine.connection.read_parquet(str(path))
        absent = {"topics": "", "regions": "", "form": files.WHOLE, "uses": 0}
        ibis = files.module("ibis")
        table = table.mutate(
            **{name: ibis.literal(value) for name, value in absent.items() if name not in table.columns}
        )
        return _texts(table).select(*files.COLUMNS, *more)


def _texts(table: Any) -> Any:
    """Columns of one type in every file: a set of words is one text."""
    sets = {name: table[name] for name in ("topics", "regions")}
    return table.mutate(
        **{
            name: (column.join(",") if column.type().is_array() else column.cast("string")).fill_null("")
            for name, column in sets.items()
        },
        form=table["form"].fill_null(files.WHOLE),
        uses=table["uses"].cast("int64").fill_null(0),
    )
