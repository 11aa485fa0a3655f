"""Officers' signing keys at the desk: each encrypted under a passphrase that the desk never keeps."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tearline import deliver
from tearline.adapters.home import Home, write_private
from tearline.adapters.officer_key import open_key
from tearline.adapters.store import Approval
from tearline.doors.desk.endpoint import N_
from tearline.doors.desk.person import Person, Role
from tearline.ledger import Act
from tearline.node.officers import officers, sign_approval
from tearline.node.people import People, must_be_name
from tearline.terms import BadInput, Refused

MAX_KEY = 16 << 10
"""Bytes of an encrypted key."""


def keep_key(people: People, name: str, pem: bytes, passphrase: str, *, by: str) -> None:
    """Keep an officer's key, encrypted as it is.

    Raises `BadInput` where it is not encrypted or not opened by the passphrase, `Refused` where it is not the
    key that the register of officers has under this name.
    """
    must_be_name(name)
    if len(pem) > MAX_KEY or not _is_encrypted(pem):
        reason = "it is not a private key encrypted under a passphrase"
        raise BadInput("signing key", "", reason, "make one with `tearline officer key`")
    public = deliver.public_key_text(open_key("signing key", pem, lambda: passphrase).public_key())
    if all((each.name, each.key) != (name, public) for each in officers(people.node)):
        raise Refused(N_("it is not the key that the register of officers has for this officer"))
    people.find(name)
    with people.recording(Act.ACCOUNT_CHANGED, name, by=by, change="signing-key-kept"):
        path = _path(people.node.home, name)
    for part in (path.parent.parent, path.parent):
        part.mkdir(mode=0o700, exist_ok=True)
    write_private(path, pem)


def has_key(home: Home, name: str) -> bool:
    return _path(home, name).is_file()


def forget_key(home: Home, name: str) -> None:
    _path(home, name).unlink(missing_ok=True)


def sign(home: Home, person: Person, act: str, subject: str, at: datetime, passphrase: str) -> Approval:
    """The officer's signed yes. The passphrase is used once, and not kept.

    Raises `Refused` where the person is no officer, is a program, or has no key here; `BadInput` for a wrong
    passphrase.
    """
    if Role.OFFICER not in person.roles or person.method == "token":
        raise Refused(N_("only an officer who is here in person can approve"))
    if not has_key(home, person.name):
        raise Refused(N_("your signing key is not at this desk: put it there on your account page"))
    key = open_key("passphrase", _path(home, person.name).read_bytes(), lambda: passphrase)
    return sign_approval(home.party, person.name, key, act=act, subject=subject, at=at)


def _path(home: Home, name: str) -> Path:
    must_be_name(name)
    return home.folder / "desk" / "keys" / f"{name}.pem"


def _is_encrypted(pem: bytes) -> bool:
    try:
        load_pem_private_key(pem, password=None)
    except TypeError:  # as the library says that a passphrase is missing
        return True
    except ValueError:
        return False
    return False
