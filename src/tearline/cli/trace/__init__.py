"""`tearline trace`: whose copy was it, and what copies differ in. For this node's officers alone."""

from tearline.cli.trace.command import trace

__all__ = ["trace"]
