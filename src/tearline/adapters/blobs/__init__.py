"""Where the files of imagery and signals lie, each under the SHA-256 of its bytes: see `Blobs`.

`local` keeps them in the node's folder; `s3` in an S3-compatible store, by configuration.
"""

from pathlib import Path

from tearline.adapters.blobs.local import LocalBlobs
from tearline.adapters.blobs.port import Blob, Blobs, TooLarge
from tearline.terms import BadInput

__all__ = ["Blob", "Blobs", "LocalBlobs", "TooLarge", "open_blobs"]


def open_blobs(folder: Path, url: str | None, limit: int) -> Blobs:
    """The store that a node is configured with: at `url`, else in `folder`. `limit`: bytes of one file."""
    if url is None:
        return LocalBlobs(folder, limit)
    try:
        from tearline.adapters.blobs.s3 import ObjectBlobs  # noqa: PLC0415 - obstore is an extra
    except ImportError:
        raise BadInput("node.toml", "blobs", "needs obstore", "install tearline[s3]") from None
    return ObjectBlobs.at(url, LocalBlobs(folder, limit))
