"""Whose copy was it? Marks that a copy carries, and the naming of its recipient with a stated doubt."""
