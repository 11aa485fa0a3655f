"""Proof: what a proposed version would change, and whether it keeps the charter, for every item, partner
and time there can be. Two solvers (the extra `proof`) must agree, and Cedar confirms every example.

`prove` answers with a `Proof`; the laws it checks are the `CHARTER` (`docs/charter.md`).
"""

from tearline.agreement.proof.answers import Answer, Example, Proof, Status
from tearline.agreement.proof.charter import CHARTER, Law
from tearline.agreement.proof.revision import Progress, prove

__all__ = ["CHARTER", "Answer", "Example", "Law", "Progress", "Proof", "Status", "prove"]
