"""The index of released texts on disk: which forms share features with a leak (`traces.db`)."""

from tearline.adapters.traces.index import Asked, Found, Traces

__all__ = ["Asked", "Found", "Traces"]
