"""The rules of STAC API 1.0 (and of STAC 1.1.0) that need no store and no socket.

`search` reads what is asked for, `shape` a geometry and what it touches; `documents` writes what is answered.
"""

from tearline.deliver.stac import documents
from tearline.deliver.stac.search import (
    MAX_LIMIT,
    OF_ITEMS,
    OF_SEARCH,
    Search,
    next_place,
    next_token,
    read_body,
    read_query,
    read_search,
)
from tearline.deliver.stac.shape import MAX_POSITIONS, Shape, read_shape

__all__ = [
    "MAX_LIMIT",
    "MAX_POSITIONS",
    "OF_ITEMS",
    "OF_SEARCH",
    "Search",
    "Shape",
    "documents",
    "next_place",
    "next_token",
    "read_body",
    "read_query",
    "read_search",
    "read_shape",
]
