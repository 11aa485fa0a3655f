"""Agreements compiled to lookup tables over columns: many items and partners judged at once.

`Tables` judges `Columns` exactly as `Agreements.rule` judges their rows one by one: one lookup in each
column, one bit for each partner.
"""

from tearline.agreement.tables.columns import (
    CATEGORIES,
    DISCIPLINES,
    EPOCH,
    REGIONS,
    TEARLINE,
    TOPICS,
    WHOLE,
    Coded,
    Codes,
    Columns,
    Row,
    Words,
    columns,
    days,
    mask,
    microseconds,
    names,
)
from tearline.agreement.tables.judge import Epochs, Tables

__all__ = [
    "CATEGORIES",
    "DISCIPLINES",
    "EPOCH",
    "REGIONS",
    "TEARLINE",
    "TOPICS",
    "WHOLE",
    "Coded",
    "Codes",
    "Columns",
    "Epochs",
    "Row",
    "Tables",
    "Words",
    "columns",
    "days",
    "mask",
    "microseconds",
    "names",
]
