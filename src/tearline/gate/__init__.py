"""The gate: `consider` one product and many partners; one outcome each, with its reasons (`CODES`).

`Openings` tells what is left open before any agreement is asked.
"""

from tearline.gate.decide import CODES, consider
from tearline.gate.openings import Form, Openings, recipient_of

__all__ = ["CODES", "Form", "Openings", "consider", "recipient_of"]
