"""`tearline desk account`, as an administrator uses it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from tearline.adapters.officer_key import make_key
from tearline.cli import main
from tearline.node import Node
from tests.adoption import key_of
from tests.people import Office
from tests.unit.node.world import nodes

PHRASE = "barges in the reeds"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with nodes(tmp_path, "GBR", "USA") as (one, _):
        yield one


def run(node: Node, *words: str, status: int = 0) -> str:
    result = CliRunner().invoke(main, ["--home", str(node.home.folder), "desk", "account", *words])
    assert result.exit_code == status, result.output
    return result.stdout if status == 0 else result.stderr


def test_the_first_administrator_comes_in_by_the_printed_link(node: Node) -> None:
    link = run(node, "add", "heron-9", "--role", "administrator").strip()
    assert re.fullmatch(r"https://localhost:8470/login/enrol/[\w-]{43}", link)
    assert "nothing yet" in run(node, "list")
    with Office(node.home.folder) as office:
        browser = office.browser()
        answer = office.set_up(browser, link.removeprefix("https://localhost:8470"), "heron-9")
        assert answer.status_code == 303
        assert "administrator" in browser.get("/account").text
        assert "password and code" in run(node, "list")
        # What the command changes, the desk that is being served sees at once.
        assert run(node, "roles", "heron-9", "--role", "auditor") == "heron-9 is auditor.\n"
        assert browser.get("/account").status_code == 303
        office.clock.wait(minutes=1)
        office.log_in(browser, "heron-9")
        made = browser.post("/account/tokens", data={"label": "sums", "roles": "auditor", "days": "1"})
        assert made.status_code == 200
        assert "sums" in run(node, "tokens", "heron-9")
        assert "sums" not in run(node, "tokens", "heron-9", "--revoke", "sums")
        assert "has no token sums" in run(node, "tokens", "heron-9", "--revoke", "sums", status=1)
        run(node, "reset", "heron-9")
        assert browser.get("/account").status_code == 303
        run(node, "remove", "heron-9")
    assert "heron-9" not in run(node, "list")


def test_what_cannot_be_is_said_in_a_sentence(node: Node) -> None:
    run(node, "add", "taken", "--role", "officer")
    for words, says in (
        (("add", "Heron 9", "--role", "officer"), "not a code in kebab-case"),
        (("add", "taken", "--role", "officer"), "there is an account taken already"),
        (("roles", "nobody", "--role", "officer"), "there is no account nobody"),
        (("reset", "nobody"), "there is no account nobody"),
        (("remove", "nobody"), "there is no account nobody"),
        (("tokens", "nobody"), "there is no account nobody"),
        (("link", "taken", "--issuer", "https://id.example", "--subject", "1"), "no provider in node.toml"),
    ):
        assert says in run(node, *words, status=1)


def test_an_identity_is_linked_to_one_account(node: Node) -> None:
    toml = node.home.folder / "node.toml"
    provider = '\n[desk.oidc.agency]\nissuer = "https://id.example"\nclient_id = "desk"\n'
    toml.write_text(toml.read_text() + provider)
    run(node, "add", "heron-9", "--role", "officer")
    run(node, "add", "heron-8", "--role", "officer")
    known = ("--issuer", "https://id.example", "--subject", "248289761001")
    assert "can log in through https://id.example" in run(node, "link", "heron-9", *known)
    assert "linked to an account already" in run(node, "link", "heron-8", *known, status=1)
    assert "https://id.example" in run(node, "list")


def test_a_signing_key_is_put_at_the_desk_encrypted(node: Node, tmp_path: Path) -> None:
    plain, sealed, phrase = tmp_path / "plain.pem", tmp_path / "sealed.pem", tmp_path / "phrase"
    phrase.write_text(PHRASE + "\n")
    sealing = BestAvailableEncryption(PHRASE.encode())
    sealed.write_bytes(key_of("heron-1").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealing))
    make_key(plain, None)
    run(node, "add", "heron-1", "--role", "officer")
    given = ("--passphrase-file", str(phrase))
    assert "encrypted under a passphrase" in run(node, "key", "heron-1", str(plain), *given, status=1)
    assert "encrypted as it was" in run(node, "key", "heron-1", str(sealed), *given)
    kept = node.home.folder / "desk" / "keys" / "heron-1.pem"
    assert kept.read_bytes() == sealed.read_bytes()
    run(node, "remove", "heron-1")
    assert not kept.exists()


def test_a_node_without_the_desks_libraries_says_so(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tearline.doors.desk.access", raising=False)
    monkeypatch.delattr("tearline.doors.desk.access", raising=False)
    monkeypatch.setitem(sys.modules, "argon2", None)
    assert "pip install 'tearline[desk]'" in run(node, "add", "heron-9", "--role", "officer", status=1)
