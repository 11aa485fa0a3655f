"""The vault made real: its file on disk, its process behind a Unix socket, and the client that asks it."""

from tearline.adapters.vault.client import VaultClient
from tearline.adapters.vault.file import VaultFile
from tearline.adapters.vault.process import harden
from tearline.adapters.vault.server import VaultServer

__all__ = ["VaultClient", "VaultFile", "VaultServer", "harden"]
