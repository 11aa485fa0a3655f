"""The partner door: TAXII 2.1 over mutual TLS, and over plain TLS with passwords where that is switched on.

It opens the view of the partner that asks and nothing else (law 5): neither gate, agreements nor node.
"""

from tearline.deliver.taxii import Limits
from tearline.doors.partner.app import PartnerDoor
from tearline.doors.partner.credentials import ByCertificate, ByPassword, Login, hash_password
from tearline.doors.partner.inbox import Inbox
from tearline.doors.partner.listen import run_door
from tearline.doors.partner.registry import Registry

__all__ = [
    "ByCertificate",
    "ByPassword",
    "Inbox",
    "Limits",
    "Login",
    "PartnerDoor",
    "Registry",
    "hash_password",
    "run_door",
]
