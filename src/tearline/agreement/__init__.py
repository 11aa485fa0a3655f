"""Agreements: who gives what to whom, in a strict profile of Cedar.

`load` reads one, `check` says where it leaves the profile, `between` gives its text to another pair;
`Agreements` are those in force at a node, compiled to `rule` on a product's `Facts`.
For those who write them: `examine` says everything that is to be said of the two files, `formatted` lays
clauses out, `sentence` reads one aloud, `difference` tells what a revision changes.
"""

from tearline.agreement.clauses import Finding
from tearline.agreement.difference import Change, Difference, Kind, difference
from tearline.agreement.evaluate import Action, Agreements, Facts, Ruling, Verdict
from tearline.agreement.examine import examine
from tearline.agreement.fmt import formatted
from tearline.agreement.manifest import Agreement, between, check, load
from tearline.agreement.media import NOT_MEDIA, Detail
from tearline.agreement.wording import sentence

__all__ = [
    "NOT_MEDIA",
    "Action",
    "Agreement",
    "Agreements",
    "Change",
    "Detail",
    "Difference",
    "Facts",
    "Finding",
    "Kind",
    "Ruling",
    "Verdict",
    "between",
    "check",
    "difference",
    "examine",
    "formatted",
    "load",
    "sentence",
]
