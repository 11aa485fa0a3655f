"""The corridor: the only room that knows the order. Intake, gate, ledger, deliver.

Each step is one transaction of `node.db` (or of one partner's view) and can be repeated after a crash:

1. `take_in`    products and their ledger entries; then intake is acknowledged.
2. `consider`   outcomes, their ledger entries and the outbox rows of what is to go.
3. `hand_over`  in each partner's view: statements to its log, a signed checkpoint, the sealed objects.
                The release id is unique there, so a second time changes nothing.
4. then the outbox rows are marked delivered.

`receive` is the way in for what partners release to us; `record` reads and verifies the ledger.
"""

from tearline.deliver import Kind
from tearline.node import consent, keys, messages, receipts
from tearline.node.agreements import read_agreement
from tearline.node.consider import consider, reconsider
from tearline.node.hand_over import hand_over
from tearline.node.officers import approve, approvers, quorum, sign_approval
from tearline.node.opened import Node
from tearline.node.receive import receive, take_inbox
from tearline.node.record import (
    checkpoint,
    consents_on_ledger,
    ledger_tail,
    progress,
    releases_on_ledger,
    tally,
    verify_ledger,
)
from tearline.node.relations import (
    Card,
    Terms,
    add_login,
    add_partner,
    add_server,
    authorizations,
    logins,
    remove_partner,
)
from tearline.node.take_in import AlreadyHeld, TakenIn, quarantined, resolve, take_in

__all__ = [
    "AlreadyHeld",
    "Card",
    "Node",
    "TakenIn",
    "Terms",
    "add_login",
    "add_partner",
    "add_server",
    "approve",
    "approvers",
    "authorizations",
    "checkpoint",
    "consents_on_ledger",
    "consider",
    "hand_over",
    "ledger_tail",
    "logins",
    "progress",
    "quarantined",
    "quorum",
    "read_agreement",
    "receive",
    "reconsider",
    "releases_on_ledger",
    "remove_partner",
    "resolve",
    "sign_approval",
    "take_in",
    "take_inbox",
    "tally",
    "verify_ledger",
]

messages.HANDLERS.update(
    {
        Kind.KEY_CHANGE: keys.partner_changed,
        Kind.RECEIPT: receipts.take,
        Kind.CONSENT_REQUEST: consent.take_request,
        Kind.CONSENT_ANSWER: consent.take_answer,
    }
)
