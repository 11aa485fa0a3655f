"""Whose is it, and might its giver pass it on? What the recipient of a release checks of its custody (law 4).

After the checks of `seal`, in this order; `Unproven` is raised at the first that fails:

8. `custody`     what travels with the object can be read, whole and in its one spelling.
9. `originator`  the originator signed it: a party whose key is known, and not the recipient itself.
10. `core`        it is about this object: its id, its version and its core.
11. `consent`    every owner but the giver has consented to a release by the giver to the recipient, today. A
                 recall of what the recipient holds needs none: it goes wherever the product went.
12. `claim`      where the giver says that the object is its own, no other party is known to have made it.

A release without custody is its giver's claim that the object is its own; or it takes back what the giver had
passed on (`revoked`), which it needs nobody's leave for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tearline.deliver.consent import Consent, Form, Subject, consent_in, read_consent
from tearline.deliver.custody import Chain, Custody, core_digest, custody_in, verify_custody
from tearline.deliver.dsse import Envelope
from tearline.deliver.seal import Opened, check, must
from tearline.terms import Broken, Party


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the recipient knows. `keys`: of all parties it can verify, the giver among them."""

    party: Party
    keys: Mapping[Party, Sequence[Ed25519PublicKey]]
    creators: Mapping[str, Party]
    """The parties by their STIX identity."""
    made_by: frozenset[Party] = frozenset()
    """Who is known to have made an object of this id, or of this substance."""
    gave: Party | None = None
    """Whose the object of this id is that came by this giver, if not the giver's."""
    holds: frozenset[Party] = frozenset()
    """From which originators it holds an object of this id."""
    accepts_unknown: bool = False
    """Whether an originator whose key is not known will do."""


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """A release whose giver might give it."""

    originator: Party
    custody: Custody | None
    verified: bool
    """False where a key was not known, and the recipient takes such releases all the same."""


def admit(release: Opened, known: Known, now: datetime) -> Admitted:
    """Whose product a release is. Raises `Unproven`; see the module for the checks."""
    giver, item, chain = release.statement.giver, release.object, release.chain
    custody, verified = None, True
    if chain is not None:
        with check(8, "custody", "its custody cannot be read"):
            custody = custody_in(chain.custody)
        with check(9, "originator", "its originator did not sign it, or is not known here"):
            verified = _signed(chain, custody, known)
        with check(10, "core", "it is not what its originator signed"):
            must(
                (custody.object_id, custody.version)
                == (release.statement.object_id, release.statement.version)
            )
            must(core_digest(item) == custody.core)
        with check(11, "consent", "an owner has not consented that it is passed on to this recipient"):
            if not _is_recall(item, custody, known):
                verified = _consented(chain, custody, giver, known, now) and verified
    elif known.gave is not None and item.get("revoked") is True:
        return Admitted(originator=known.gave, custody=None, verified=True)
    originator = giver if custody is None else custody.originator
    if originator == giver:
        with check(12, "claim", "its giver says that it is its own, but it is known as another's"):
            must(known.creators.get(str(item.get("created_by_ref")), giver) == giver)
            must(_is_observable(item) or known.made_by <= {giver})
    return Admitted(originator=originator, custody=custody, verified=verified)


def _signed(chain: Chain, custody: Custody, known: Known) -> bool:
    must(custody.originator != known.party)
    if custody.originator not in known.keys:
        must(known.accepts_unknown)
        return False
    verify_custody(chain.custody, known.keys[custody.originator])
    return True


def _is_recall(item: Mapping[str, Any], custody: Custody, known: Known) -> bool:
    return item.get("revoked") is True and custody.originator in known.holds


def _consented(chain: Chain, custody: Custody, giver: Party, known: Known, now: datetime) -> bool:
    """Whether all consents could be verified; raises `Broken` where one is missing."""
    verified = True
    said = [(envelope, consent_in(envelope)) for envelope in chain.consents]
    for owner in sorted(custody.owners - {giver}):
        given = [
            envelope
            for envelope, consent in said
            if consent.originator == owner and covers(consent, custody, giver, known.party, now)
        ]
        must(bool(given))
        if owner in known.keys:
            must(any(_holds(envelope, owner, known.keys[owner]) for envelope in given))
        else:
            must(known.accepts_unknown)
            verified = False
    return verified


def covers(consent: Consent, custody: Custody, holder: Party, recipient: Party, now: datetime) -> bool:
    """Whether a consent lets `holder` pass on to `recipient` what this custody is about, at this moment.

    What the holder signed itself is a text of its own making: a tearline, where it is not all its own.
    """
    form = Form.TEARLINE if custody.originator == holder else Form.WHOLE
    if not consent.allows(holder, recipient, form, now):
        return False
    if isinstance(consent.subject, Subject):
        return consent.subject == Subject(custody.object_id, custody.version, custody.core)
    return consent.subject.covers(custody.category, custody.topics)


def _holds(envelope: Envelope, owner: Party, keys: Sequence[Ed25519PublicKey]) -> bool:
    try:
        read_consent(envelope, owner, keys)
    except Broken:
        return False
    return True


def _is_observable(item: Mapping[str, Any]) -> bool:
    """Whether it is a STIX cyber observable: its id is made of what it says, so anybody makes the same."""
    return "created" not in item
