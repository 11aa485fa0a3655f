"""Review: what a revision would change, before it is adopted."""
