"""A node with a vault, two sources, and one that a partner has learnt of: for tests of the desk."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tearline.adapters.vault import VaultFile, VaultServer, talk
from tearline.ledger import Act
from tearline.node import Node, mosaic
from tearline.node.sources import change_vault, make_vault
from tearline.vault import Opened, Passphrase, Register, unseal
from tests.adoption import OFFICERS, WHY
from tests.unit.node.world import REPORT, held, take, work
from tests.unit.vault.world import BOTH, WORDS

KETTLE, LADDER = "OBLONG-KETTLE", "MUTED-LADDER"
HARBOUR = "id,town,trade\n" + "".join(
    f"{number},{'Varnik' if number < 9 else 'Osk'},{'pilot' if number % 2 else 'clerk'}\n"
    for number in range(24)
)


def with_sources(node: Node) -> None:
    """Before: no vault. After: `KETTLE` is one of 24 persons, of 4 for who has the report."""
    take(node, REPORT.encode())
    work(node)
    make_vault(node, Passphrase(WORDS), "heron-1")
    told = [(Act.SOURCE_ADDED, {"source": name}) for name in BOTH.sources]

    def edit(opened: Opened) -> tuple[Register, list[tuple[Act, dict[str, str]]]]:
        return BOTH, told

    change_vault(node, Passphrase(WORDS), "heron-1", edit)
    table = node.home.folder.parent / f"harbour-{node.party}.csv"
    table.write_text(HARBOUR, encoding="utf-8")
    mosaic.keep_population(node, "harbour", table, {}, "heron-1")
    mosaic.link_source(node, KETTLE, "harbour", "heron-1")
    (report,) = (each.product for each in held(node) if each.product.portions)
    facts = {"town": "Varnik", "trade": "pilot"}
    mosaic.add_fact(node, report.id, 1, KETTLE, facts, officer=OFFICERS[0], why=WHY)


class _Stop(Exception):
    pass


@contextmanager
def open_vault(node: Node) -> Iterator[None]:
    """The vault's server in a thread of this process; ended by a connection that it is told not to admit."""
    file = VaultFile(node.home.folder)
    one = VaultServer(file, unseal(file.read(), Passphrase(WORDS)))
    ready, talks, admit = threading.Event(), list[socket.socket](), one._admit

    def noted(made: socket.socket) -> None:
        talks.append(made)
        admit(made)

    def stop(made: socket.socket) -> None:
        made.close()
        raise _Stop

    def run() -> None:
        with suppress(_Stop):
            one.run(ready.set)

    one._admit = noted  # type: ignore[method-assign]
    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(10)
    try:
        yield
    finally:
        one._admit = stop  # type: ignore[method-assign]
        with socket.socket(socket.AF_UNIX) as last, talk.short_path(file.socket) as path:
            last.connect(path)
        thread.join(10)
        for made in talks:
            with suppress(OSError):
                made.shutdown(socket.SHUT_RDWR)
