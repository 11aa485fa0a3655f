"""The ledger: the hash tree (`tree`), signed checkpoints, and the entries of the private log."""

from tearline.ledger.canonical import canonical
from tearline.ledger.checkpoint import Checkpoint, Verifier, open_note, parse_vkey, sign, vkey
from tearline.ledger.entry import Act, Entry
from tearline.ledger.key import public_key, public_key_text
from tearline.ledger.tree import leaf_hash, verify_consistency, verify_inclusion

__all__ = [
    "Act",
    "Checkpoint",
    "Entry",
    "Verifier",
    "canonical",
    "leaf_hash",
    "open_note",
    "parse_vkey",
    "public_key",
    "public_key_text",
    "sign",
    "verify_consistency",
    "verify_inclusion",
    "vkey",
]
