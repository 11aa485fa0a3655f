"""The gate: `consider` one product and many partners; one outcome each, with its reasons (`CODES`).

`Openings` tells what is left open before any agreement is asked; an `Exposure` what the product could show of
protected sources.
"""

from tearline.gate.decide import CODES, consider
from tearline.gate.exposure import NOTHING_EXPOSED, Exposure
from tearline.gate.openings import Form, Openings, recipient_of

__all__ = ["CODES", "NOTHING_EXPOSED", "Exposure", "Form", "Openings", "consider", "recipient_of"]
