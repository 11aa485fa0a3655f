"""From which released texts a leaked one comes, without any mark: docs/likeness.md.

`features` says by what a text is found again, in its language and without; `candidates` ranks the forms that
an index finds by it; `align` and `covered` say which words and which parts of a form stand in the leak,
`echoed` which parts a translation repeats.
"""

from tearline.trace.likeness.alignment import align, covered
from tearline.trace.likeness.echoes import echoed
from tearline.trace.likeness.features import VERSION, Features, features
from tearline.trace.likeness.ranking import ENOUGH, Candidate, Found, Index, Source, candidates, ranked
from tearline.trace.likeness.words import sentences

__all__ = [
    "ENOUGH",
    "VERSION",
    "Candidate",
    "Features",
    "Found",
    "Index",
    "Source",
    "align",
    "candidates",
    "covered",
    "echoed",
    "features",
    "ranked",
    "sentences",
]
