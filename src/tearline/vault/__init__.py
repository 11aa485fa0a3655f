"""The vault: where real identities live. Outside it there are only cryptonyms.

`source` the words; `sealed` the encrypted file's bytes; `admission` what is looked at before a change;
`keeper` the open vault that scans; `wire` what is said to it.
"""

from tearline.vault.admission import Admitted, admit, oblige
from tearline.vault.canary import Canary
from tearline.vault.keeper import Keeper
from tearline.vault.sealed import Mark, Opened, Passphrase, Unlock, make, mark, unseal
from tearline.vault.source import (
    Obligations,
    PlaceGrain,
    Register,
    Row,
    RowKind,
    Source,
    Standing,
    State,
    TimeGrain,
)

__all__ = [
    "Admitted",
    "Canary",
    "Keeper",
    "Mark",
    "Obligations",
    "Opened",
    "Passphrase",
    "PlaceGrain",
    "Register",
    "Row",
    "RowKind",
    "Source",
    "Standing",
    "State",
    "TimeGrain",
    "Unlock",
    "admit",
    "make",
    "mark",
    "oblige",
    "unseal",
]
