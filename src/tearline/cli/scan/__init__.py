"""`tearline scan`: known identities in anyone's documents. JSON lines in, JSON lines out, no node needed."""

from tearline.cli.scan.command import scan

__all__ = ["scan"]
