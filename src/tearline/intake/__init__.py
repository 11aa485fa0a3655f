"""Intake: bytes to labelled products. `read` tells the format by content; there is one reader per format.

What cannot be taken is a `Fault` that names file, place and reason; its good neighbours are taken all the
same. Nothing here does I/O but read the given stream.
"""

from tearline.intake.context import Context, Fault
from tearline.intake.limits import Limits
from tearline.intake.sniff import read

__all__ = ["Context", "Fault", "Limits", "read"]
