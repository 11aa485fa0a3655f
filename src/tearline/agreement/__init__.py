"""Agreements: who gives what to whom, in a strict profile of Cedar.

`load` reads one, `check` says where it leaves the profile, `between` gives its text to another pair;
`Agreements` are those in force at a node, compiled to `rule` on a product's `Facts`.
"""

from tearline.agreement.clauses import Finding
from tearline.agreement.evaluate import Action, Agreements, Facts, Ruling, Verdict
from tearline.agreement.manifest import Agreement, between, check, load

__all__ = [
    "Action",
    "Agreement",
    "Agreements",
    "Facts",
    "Finding",
    "Ruling",
    "Verdict",
    "between",
    "check",
    "load",
]
