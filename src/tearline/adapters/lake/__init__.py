"""The lake: who holds what by whom, over files of holdings of any size. `docs/review.md` has their columns.

The questions are Ibis expressions, asked of DuckDB or of Spark: `Lake.duckdb`, `Lake.spark`. Both need the
extra `analytics`, Spark the extra `spark` and Java. `write` makes such a file.
"""

from tearline.adapters.lake.engine import Lake
from tearline.adapters.lake.files import COLUMNS, NEEDED, Copy, write, write_changed
from tearline.adapters.lake.holdings import Answer, Asked, Changed, Cut, Held, Holdings, Kind

__all__ = [
    "COLUMNS",
    "NEEDED",
    "Answer",
    "Asked",
    "Changed",
    "Copy",
    "Cut",
    "Held",
    "Holdings",
    "Kind",
    "Lake",
    "write",
    "write_changed",
]
