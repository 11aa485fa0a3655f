"""The vault's process and its client: what is asked is answered, and whatever is wrong is an error."""

from __future__ import annotations

import os
import secrets
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest
import structlog

from tearline.adapters.vault import VaultClient, VaultFile, VaultServer, server, talk
from tearline.adapters.vault.client import BATCH
from tearline.scan import Disposition, Hit
from tearline.terms import Broken, Refused
from tearline.vault import Keeper, Opened, Passphrase, Register, unseal
from tearline.vault import sealed as sealing
from tearline.vault.wire import Failure, Hits, Scan, frame
from tests.unit.vault.world import BOTH, CHEAP, TIBOR, WORDS, ZVENYSLAVA, sealed

TEXT = "The pilot met Tibor Quendlewick on the quay."
AT = TEXT.index("Tibor")
Serving = Callable[..., AbstractContextManager[VaultServer]]


@pytest.fixture(autouse=True)
def cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "COST", CHEAP)


@pytest.fixture
def file(tmp_path: Path) -> VaultFile:
    """A vault's file with both sources, two folders deeper than a socket's address could name."""
    home = tmp_path / ("d" * 100) / "GBR"
    home.mkdir(parents=True)
    file = VaultFile(home)
    with file.locked():
        file.prepare(sealed())
        file.commit()
    return file


class _Stop(Exception):
    pass


@contextmanager
def serving(file: VaultFile) -> Iterator[VaultServer]:
    """A server in a thread of this process; ended by a connection that it is told not to admit."""
    one = VaultServer(file, unseal(file.read(), Passphrase(WORDS)), ("no core dumps",))
    ready = threading.Event()
    talks: list[socket.socket] = []
    admit = one._admit

    def noted(talk: socket.socket) -> None:
        talks.append(talk)
        admit(talk)

    one._admit = noted  # type: ignore[method-assign]

    def run() -> None:
        with suppress(_Stop):
            one.run(ready.set)

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(10)
    try:
        yield one
    finally:

        def stop(talk: socket.socket) -> None:
            talk.close()
            raise _Stop

        one._admit = stop  # type: ignore[method-assign]
        with socket.socket(socket.AF_UNIX) as last, talk.short_path(file.socket) as path:
            last.connect(path)
        thread.join(10)
        assert not thread.is_alive()
        for one_talk in talks:  # when a process ends, this is done for it
            with suppress(OSError):
                one_talk.shutdown(socket.SHUT_RDWR)


def client(file: VaultFile, timeout: float = 10.0) -> VaultClient:
    return VaultClient(file.folder.parent, timeout=timeout)


def change(file: VaultFile, edit: Callable[[Register], Register]) -> None:
    with file.locked():
        opened = unseal(file.read(), Passphrase(WORDS))
        file.prepare(opened.sealed(edit(opened.register), secrets.token_bytes))
        file.commit()


def names(hits: tuple[Hit, ...]) -> list[tuple[int, int, str]]:
    return [(hit.start, hit.end, hit.id) for hit in hits if hit.disposition is Disposition.HOLD]


# --- What is asked is answered ---------------------------------------------------------------------


def test_whole_texts_go_in_and_hits_come_out(file: VaultFile) -> None:
    with serving(file), client(file) as vault:
        clean, hit, empty, twice = vault.scan(["Nine barges lay at Velna.", TEXT, "", f"{TEXT} {TEXT}"])
        assert (clean, empty) == ((), ())
        assert names(hit) == [(AT, AT + len("Tibor Quendlewick"), "MUTED-LADDER")]
        assert len(names(twice)) == 2
        assert "uendlewick" not in repr(hit)
        assert vault.scan([]) == []


def test_offsets_count_code_points(file: VaultFile) -> None:
    text = f"𝔛𝔛 привіт — {TEXT}"
    with serving(file), client(file) as vault:
        (hits,) = vault.scan([text])
    ((start, end, _),) = names(hits)
    assert text[start:end] == "Tibor Quendlewick"


def test_many_texts_go_in_several_requests(file: VaultFile) -> None:
    filler = "barges " * (BATCH // 20)
    texts = [f"{filler}{TEXT}" if number % 2 else filler for number in range(6)]
    with serving(file), client(file, timeout=60) as vault:
        found = vault.scan(texts)
    assert [len(names(hits)) for hits in found] == [0, 1, 0, 1, 0, 1]


def test_sources_are_told_by_cryptonym(file: VaultFile) -> None:
    with serving(file), client(file) as vault:
        assert vault.sources() == (ZVENYSLAVA.standing(), TIBOR.standing())
        status = vault.status()
    assert (status.version, status.sources, status.rows) == (1, 2, 5)
    assert status.hardened == ("no core dumps",)


def test_what_an_officer_adds_is_looked_for_in_the_next_text(file: VaultFile) -> None:
    with serving(file), client(file) as vault:
        change(file, lambda _: Register().add([ZVENYSLAVA]))
        assert names(vault.scan([TEXT])[0]) == []
        change(file, lambda held: held.add([TIBOR]))
        assert len(names(vault.scan([TEXT])[0])) == 1
        change(file, lambda held: held.retire("MUTED-LADDER"))
        assert len(names(vault.scan([TEXT])[0])) == 1, "retired identities stay protected"
        assert vault.status().version == 4


def test_a_restarted_vault_is_found_again(file: VaultFile) -> None:
    with client(file) as vault:
        for _ in range(2):
            with serving(file):
                assert len(vault.sources()) == 2
            with pytest.raises(Refused, match="not open"):
                vault.sources()


def test_several_clients_at_once(file: VaultFile) -> None:
    found: list[int] = []

    def ask() -> None:
        with client(file) as vault:
            found.extend(len(names(hits)) for hits in vault.scan([TEXT] * 20))

    with serving(file):
        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert found == [1] * 120


# --- Whatever is wrong is an error ------------------------------------------------------------------


def test_a_vault_that_is_not_there(file: VaultFile, tmp_path: Path) -> None:
    for home in (file.folder.parent, tmp_path / "nowhere"):
        with (
            VaultClient(home) as vault,
            pytest.raises(Refused, match="not open: start `tearline vault serve`"),
        ):
            vault.scan([TEXT])


def test_a_socket_left_behind_by_a_crash_is_replaced(file: VaultFile) -> None:
    with socket.socket(socket.AF_UNIX) as left, talk.short_path(file.socket) as path:
        left.bind(path)
    with client(file) as vault, pytest.raises(Refused, match="not open"):
        vault.scan([TEXT])
    with serving(file), client(file) as vault:
        assert len(vault.sources()) == 2
    assert not file.socket.exists()


def test_only_one_serves(file: VaultFile) -> None:
    opened = unseal(file.read(), Passphrase(WORDS))
    with serving(file), pytest.raises(Refused, match="another process holds"):
        VaultServer(file, opened).run(lambda: None)


def test_the_socket_is_its_owners(file: VaultFile) -> None:
    with serving(file):
        assert stat.S_IMODE(file.socket.stat().st_mode) == 0o600


def test_another_user_is_not_answered(file: VaultFile, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.geteuid()
    with serving(file):
        server_thread = threading.Event()
        monkeypatch.setattr(server, "must_be_same_user", _refuse(server_thread))
        with client(file) as vault, pytest.raises(Refused):
            vault.scan([TEXT])
        assert server_thread.is_set()
        monkeypatch.undo()
        monkeypatch.setattr(talk.os, "geteuid", lambda: real + 1)
        with client(file) as vault, pytest.raises(Refused, match="its own user"):
            vault.scan([TEXT])


def _refuse(called: threading.Event) -> Callable[[socket.socket], None]:
    def refuse(one: socket.socket) -> None:
        called.set()
        raise Refused("the vault speaks only with processes of its own user")

    return refuse


def test_a_file_put_back_changed_or_gone_ends_the_answering(file: VaultFile) -> None:
    first = file.read()
    change(file, lambda held: held.retire("MUTED-LADDER"))
    second = file.read()
    with serving(file), client(file) as vault:
        assert len(vault.sources()) == 2
        for data, why in (
            (first, "older state"),
            (second[:-1] + bytes([second[-1] ^ 1]), "was changed"),
            (sealed(), "another vault"),
            (b"", "not the file of a vault"),
        ):
            file.path.write_bytes(data)
            for _ in range(2):
                with pytest.raises((Broken, Refused), match=why):
                    vault.scan([TEXT])
        file.path.unlink()
        with pytest.raises(Broken, match="cannot be read"):
            vault.scan([TEXT])
        file.path.write_bytes(second)
        assert len(names(vault.scan([TEXT])[0])) == 1


def test_a_slow_vault_is_an_error_and_not_a_wait(file: VaultFile, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    answer = Keeper.answer
    monkeypatch.setattr(Keeper, "answer", lambda self, request: (go_on.wait(20), answer(self, request))[1])
    with serving(file), client(file, timeout=0.2) as vault:
        with pytest.raises(Broken, match=r"does not answer within 0\.2 s"):
            vault.scan([TEXT])
        go_on.set()
        assert len(names(client(file).scan([TEXT])[0])) == 1


def test_a_fault_in_the_vault_is_told_by_its_type_alone(
    file: VaultFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Keeper, request: object) -> None:
        raise KeyError("Tibor Quendlewick")

    monkeypatch.setattr(Keeper, "answer", fail)
    fault = pytest.raises(Broken, match="fault of ours in the vault: KeyError")
    with structlog.testing.capture_logs() as logs, serving(file), client(file) as vault, fault as caught:
        vault.scan([TEXT])
    assert "uendlewick" not in f"{caught.value} {logs}"
    assert any(entry.get("type") == "KeyError" for entry in logs)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\xff\xff\xff\xff",
        b"\0\0\0\x03abc",
        b"\0\0\0\x09abc",
        frame(Hits(())),
        frame(Hits(((), ()))),
        frame(Hits(((Hit(0, len(TEXT) + 1, "A", 1.0, Disposition.HOLD, "x"),),))),
        frame(Hits(((Hit(3, 3, "A", 1.0, Disposition.HOLD, "x"),),))),
        frame(Failure("broken", "no")),
        frame(Scan(())),  # type: ignore[arg-type]
    ],
)
def test_an_answer_that_cannot_be_is_an_error(file: VaultFile, answer: bytes) -> None:
    """A false clean bill would pass a name: only exactly one list of hits a text is an answer."""
    with socket.socket(socket.AF_UNIX) as door, talk.short_path(file.socket) as path:
        door.bind(path)
        door.listen()

        def lie() -> None:
            one, _ = door.accept()
            with one:
                talk.receive_frame(one)
                one.sendall(answer)

        thread = threading.Thread(target=lie)
        thread.start()
        with client(file) as vault, pytest.raises((Broken, Refused)):
            vault.scan([TEXT])
        thread.join(10)


@pytest.mark.parametrize(
    "sent",
    [
        b"\xff\xff\xff\xff",
        b"\0\0\0\x00",
        b"\0\0\0\x03abc",
        b"\0\0",
        frame(Hits(())),
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_request_harms_nobody(file: VaultFile, sent: bytes) -> None:
    with serving(file):
        with socket.socket(socket.AF_UNIX) as rude, talk.short_path(file.socket) as path:
            rude.connect(path)
            rude.sendall(sent)
            rude.shutdown(socket.SHUT_WR)
            rude.settimeout(10)
            with suppress(ConnectionResetError):
                assert b"uendlewick" not in rude.recv(1_000)
        with client(file) as vault:
            assert len(vault.sources()) == 2


def test_a_text_that_cannot_be_sent_is_refused(file: VaultFile) -> None:
    with serving(file), client(file) as vault:
        with pytest.raises(Refused, match="not Unicode"):
            vault.scan(["\ud800"])
        with pytest.raises(Broken, match="longer than"):
            vault.scan(["x" * (64 << 20)])
        assert len(names(vault.scan([TEXT])[0])) == 1


def test_no_word_of_the_protocol_answers_with_an_identity(file: VaultFile) -> None:
    """All answers of a vault to all requests that there are, byte by byte."""
    with serving(file) as one:
        for request in (b"\x81\xa4type\xa4list", b"\x81\xa4type\xa6status", frame(Scan((TEXT,)))[4:]):
            answer = frame(one.answer(request))
            for source in BOTH.sources.values():
                for row in source.rows:
                    assert row.text.encode() not in answer


def test_an_open_vault_is_never_shown(file: VaultFile) -> None:
    opened = unseal(file.read(), Passphrase(WORDS))
    assert isinstance(opened, Opened)
    assert "uendlewick" not in repr(Keeper(opened)) + repr(vars(VaultServer(file, opened)))


def test_a_closed_process_says_only_the_type_of_a_fault() -> None:
    program = (
        "import threading; from tearline.adapters.vault import harden\n"
        "print(*harden(), sep='; ', flush=True)\n"
        "def fail(): raise KeyError('Tibor Quendlewick')\n"
        "one = threading.Thread(target=fail); one.start(); one.join(); fail()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("no core dumps; not readable by other processes of its user")
    assert done.stderr == "tearline: fault of ours: KeyError\n" * 2
