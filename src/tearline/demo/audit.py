"""After the run: was any law broken, was anything lost? Read from what nodes and views really hold."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from tearline import deliver, label
from tearline.adapters import store
from tearline.demo.audit_files import check_files
from tearline.node import Node, consent, consents_on_ledger, releases_on_ledger, verify_ledger
from tearline.terms import Label, Party, Product, Recipient, Role


def audit(homes: dict[Party, Path]) -> list[str]:
    """One sentence for every breach found; empty when the laws held. Nodes must have stopped or be idle."""
    with ExitStack() as stack:
        nodes = {party: stack.enter_context(Node.open(home)) for party, home in homes.items()}
        return [
            breach
            for check in (
                *(_fail_closed, _sources, _third_party, _silence, _nothing_lost, _ledger_whole),
                check_files,
            )
            for breach in check(nodes)
        ]


def _fail_closed(nodes: dict[Party, Node]) -> Iterator[str]:
    """Law 1: every release, judged again by its label alone and apart from the gate."""
    for party, node in nodes.items():
        recipients = {
            partner.party: Recipient(
                party=partner.party,
                clearance=partner.clearance,
                needs=partner.needs,
                reach=partner.reach,
                use=partner.use,
                duties=partner.duties,
                consents=frozenset({party}),
            )
            for partner in node.partners.values()
        }
        with node.reading() as db:
            products = {held.seq: held.product for held in store.held(db)}
            for partner, release, seq, form, _ in store.releases(db):
                product = products[seq]
                if not isinstance(product.label, Label):
                    yield f"law 1: {party} released a product in quarantine to {partner} ({release})"
                elif form == "whole" and not label.may(product.label, recipients[partner]):
                    yield f"law 1: {party} released to {partner} against the label ({release})"
                elif deliver.is_media(product):
                    continue  # its form: `check_files`
                elif form == "tearline" and not any(
                    isinstance(portion.label, Label) and label.may(portion.label, recipients[partner])
                    for portion in product.portions
                ):
                    yield f"law 1: {party} gave {partner} a tearline without a releasable portion ({release})"


def _sources(nodes: dict[Party, Node]) -> Iterator[str]:
    """Law 2, as far as it is built: no text of a portion that a partner may not have is in its view."""
    for party, node in nodes.items():
        seen = {partner: b"\n".join(_bodies(node.home.view(partner))) for partner in node.partners}
        with node.reading() as db:
            given: dict[int, set[Party]] = {}
            for partner, _, seq, form, _ in store.releases(db):
                if form == "whole":
                    given.setdefault(seq, set()).add(partner)
            for held in store.held(db):
                for text in _source_lines(held.product):
                    for partner, content in seen.items():
                        if text in content and partner not in given.get(held.seq, set()):
                            yield f"law 2: a source line of {party} is in the view of {partner}"


def _source_lines(product: Product) -> Iterator[bytes]:
    for portion in product.portions:
        if portion.role is Role.SOURCE:
            # The longest run that no heading, line break or JSON escape can interrupt.
            said = portion.text.partition(":")[2] or portion.text
            yield max(re.split(r'[\n"\\]', said), key=len).strip().encode()


def _markings(view: Path) -> Iterator[str]:
    for body in _bodies(view):
        if b'"marking-definition"' in body:
            yield body.decode()


def _bodies(view: Path) -> list[bytes]:
    with closing(sqlite3.connect(f"file:{view}?mode=ro", uri=True)) as db:
        return [body for (body,) in db.execute('SELECT body FROM "out"')]


def _third_party(nodes: dict[Party, Node]) -> Iterator[str]:
    """Law 4: what another made was passed on only where the originator's own node says that it consented."""
    granted: dict[tuple[Party, Party, Party], set[str]] = {}
    for party, node in nodes.items():
        for each in consent.listed(node)[0]:
            said = each.consent
            if each.side == consent.GIVEN:
                granted.setdefault((party, said.holder, said.recipient), set()).add(said.serial)
    for party, node in nodes.items():
        shown = consents_on_ledger(node)
        with node.reading() as db:
            makers = {held.seq: held.product.originator for held in store.held(db)}
            for partner, release, seq, _, _ in store.releases(db):
                yes = granted.get((makers[seq], party, partner), set())
                if makers[seq] != party and not yes & shown.get(release, set()):
                    yield f"law 4: {party} passed on another's product to {partner} ({release})"


def _silence(nodes: dict[Party, Node]) -> Iterator[str]:
    """Law 5, as far as it is built: no view names another partner in a marking."""
    for party, node in nodes.items():
        for partner in node.partners:
            others = {other for other in nodes if other not in {party, partner}}
            for text in _markings(node.home.view(partner)):
                named = others & set(re.findall(r"[A-Z]{3,}", text))
                if named:
                    yield f"law 5: the view of {partner} at {party} names {', '.join(sorted(named))}"


def _nothing_lost(nodes: dict[Party, Node]) -> Iterator[str]:
    """Law 8: every release is delivered, and received exactly by the partner that it was for."""
    got: dict[Party, dict[str, Party]] = {}
    for party, node in nodes.items():
        with node.reading() as db:
            got[party] = {release: giver for release, giver, _, _ in store.received(db, messages=False)}
    for party, node in nodes.items():
        with node.reading() as db:
            sent = store.releases(db)
        for partner, release, _, _, delivered in sent:
            if delivered is None:
                yield f"law 8: {party} never delivered {release} to {partner}"
            elif got[partner].pop(release, None) != party:
                yield f"law 8: {partner} did not receive {release} from {party}"
    for party, rest in got.items():
        for release, giver in rest.items():
            yield f"law 8: {party} holds {release} from {giver}, which was never released to it"


def _ledger_whole(nodes: dict[Party, Node]) -> Iterator[str]:
    """Law 9: every log recomputes, and every release stands in the ledger."""
    for party, node in nodes.items():
        _, findings = verify_ledger(node)
        for finding in findings:
            yield f"law 9: the ledger of {party}: {finding}"
        recorded = releases_on_ledger(node)
        with node.reading() as db:
            for _, release, _, _, _ in store.releases(db):
                if release not in recorded:
                    yield f"law 9: {party} released {release} without a ledger entry"
