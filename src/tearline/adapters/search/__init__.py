"""The index of the texts of products on disk: which of them say what is asked (`search.db`)."""

from tearline.adapters.search.index import Entry, Found, Piece, Search, Wanted
from tearline.adapters.search.words import expression

__all__ = ["Entry", "Found", "Piece", "Search", "Wanted", "expression"]
