"""The gate: `consider` one product and many partners; one outcome each, with its reasons (`CODES`).

`Openings` tells what is left open before any agreement is asked; an `Exposure` what the product could show of
protected sources. Imagery and signals go in a form that an agreement declares (`Tearline.form`), and not
before it is `due`: the node parks it until then, and lets the gate answer anew. What is referred to an
officer comes back with their `Decision`, which holds for what bears its `seal`.
"""

from tearline.gate.decide import CODES, consider
from tearline.gate.exposure import NOTHING_EXPOSED, Exposure
from tearline.gate.forms import due, must_be_readable, offers, unreadable
from tearline.gate.openings import Form, Openings, recipient_of
from tearline.gate.referral import NO_DECISIONS, Choice, Decision, Decisions, seal, withheld

__all__ = [
    "CODES",
    "NOTHING_EXPOSED",
    "NO_DECISIONS",
    "Choice",
    "Decision",
    "Decisions",
    "Exposure",
    "Form",
    "Openings",
    "consider",
    "due",
    "must_be_readable",
    "offers",
    "recipient_of",
    "seal",
    "unreadable",
    "withheld",
]
