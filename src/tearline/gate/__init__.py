"""The gate: `consider` one product and many partners; one outcome each, with its reasons (`CODES`)."""

from tearline.gate.decide import CODES, consider, recipient_of

__all__ = ["CODES", "consider", "recipient_of"]
