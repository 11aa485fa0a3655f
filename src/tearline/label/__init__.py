"""Labels: the lattice (`algebra`), and the markings that are read into it and rendered from it."""

from tearline.label.algebra import BOTTOM, bars, dominates, join, join_all, may, may_be_shown, narrow

__all__ = ["BOTTOM", "bars", "dominates", "join", "join_all", "may", "may_be_shown", "narrow"]
