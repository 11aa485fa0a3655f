"""Review: what a revision would change, before it is adopted.

`Replay` judges items of the past by present and proposed agreements; `Changes` is what it finds.
"""

from tearline.review.changes import Cell, Change, Changes, Example, Side, Totals, change_of, in_words
from tearline.review.replay import Replay, revised

__all__ = [
    "Cell",
    "Change",
    "Changes",
    "Example",
    "Replay",
    "Side",
    "Totals",
    "change_of",
    "in_words",
    "revised",
]
