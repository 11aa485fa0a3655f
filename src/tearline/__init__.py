"""Tearline: shares intelligence with allies, nearly automatically, without ever burning a source."""

__version__ = "0.1.0.dev0"
