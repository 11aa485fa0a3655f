"""A pair of `.sigmf-meta` and `.sigmf-data` as one archive, in which form a recording is always held.

Nothing of either file is parsed: this may run where files from outside are not read.
"""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import BinaryIO

from tearline.terms import BadInput

_CONFORMING = ".sigmf-data"


def pack(meta: Path, data: Path | None, out: BinaryIO) -> None:
    """Write the archive to `out`, streaming. The same two files always give the same bytes.

    A conforming dataset loses its file's name; a non-conforming one keeps it, for the metadata names it.
    `data` is `None` for metadata alone.

    Raises:
        BadInput: one of them is not a regular file, or changed while it was read.
    """
    names = [(meta, "recording/recording.sigmf-meta")]
    if data is not None:
        conforming = data.name.endswith(_CONFORMING)
        names.append((data, "recording/" + ("recording.sigmf-data" if conforming else data.name)))
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.GNU_FORMAT, bufsize=1 << 20) as archive:
        for path, name in names:
            if not path.is_file():
                raise BadInput(path.name, "", "is not a file", "a recording is a .sigmf-meta and its data")
            entry = tarfile.TarInfo(name)
            with path.open("rb") as file:
                entry.size = file.seek(0, 2)
                file.seek(0)
                try:
                    archive.addfile(entry, file)
                except OSError as error:
                    if error.errno is not None:
                        raise
                    raise BadInput(path.name, "", "changed while it was read", "give it again") from error
