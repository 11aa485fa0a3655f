"""The command line: what works says so, what does not says why in one sentence, with exit status 1."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tearline.cli import main
from tearline.ledger import Act
from tearline.node import Node, consider, hand_over, logins, persons
from tearline.node.invitation import read_invitation
from tests.adoption import adopt
from tests.coalition import AGREEMENTS, bundle, free_port, serve, stop, tearline
from tests.unit.node.world import REPORT, five_eyes, malware
from tests.unit.node.world import bundle as bundled

FIVE = str(AGREEMENTS / "five-eyes")
AMBER = ("--reach", "amber")
BY = ("--officer", "heron-1", "--why", "Example.")


class Desk:
    """A folder with the nodes GBR and USA, who know each other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.invited: dict[str, tuple[str, ...]] = {}

    def run(self, *words: str, home: str = "gbr", typed: str | None = None) -> Result:
        arguments = ["--home", str(self.folder / home), *words]
        return CliRunner().invoke(main, arguments, input=typed, catch_exceptions=False)

    def done(self, *words: str, home: str = "gbr", typed: str | None = None) -> str:
        result = self.run(*words, home=home, typed=typed)
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        return result.stdout

    def refused(self, *words: str, home: str = "gbr") -> str:
        """The one sentence on stderr."""
        result = self.run(*words, home=home)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        assert result.stderr.startswith("tearline: ")
        assert result.stderr.count("\n") == 1
        return result.stderr.removeprefix("tearline: ").rstrip()

    def invite(self, party: str, home: str) -> str:
        """What is said of a fresh invitation; `invited` has what its partner adds."""
        path = str(self.folder / f"{party}.invitation")
        said = self.done("partner", "invite", "--output", path, home=home)
        self.invited[party] = (path, "--phrase", said.split()[-1])
        return said

    def file(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    for home, party in (("gbr", "GBR"), ("usa", "USA")):
        desk.done(
            "init", "--party", party, "--name", f"Desk {party} [/b]", "--port", str(free_port()), home=home
        )
        desk.invite(party, home)
    for home, own, other in (("gbr", "GBR", "USA"), ("usa", "USA", "GBR")):
        desk.done("partner", "add", *desk.invited[other], "--clearance", f"{own}=SECRET", *AMBER, home=home)
        with Node.open(tmp_path / home) as node:
            adopt(node, five_eyes())
    return desk


def work(desk: Desk) -> None:
    with Node.open(desk.folder / "gbr") as node:
        while consider(node) + hand_over(node):
            pass


# --- init, status --------------------------------------------------------------------------


def test_init_says_what_to_do_next(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    said = desk.done("init", "--party", "FRA", "--name", "Bureau français", home="a b")
    assert "tearline --home '" in said
    assert said.rstrip().endswith("partner invite --output FRA.invitation")
    assert "holds for 14 days" in desk.invite("FRA", "a b")
    invitation, _ = read_invitation(tmp_path / "FRA.invitation")
    assert (invitation.card.party, invitation.card.name) == ("FRA", "Bureau français")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--party", "gbr", "--name", "x"), "'gbr' is not an organisation's code"),
        (("--party", "../X", "--name", "x"), "is not an organisation's code"),
        (("--party", "FRA", "--name", "x", "--host", "exämple"), "is not a host's name"),
        (("--party", "FRA", "--name", "x", "--host", "a b"), "is not a host's name"),
    ],
)
def test_init_refuses(tmp_path: Path, options: tuple[str, ...], sentence: str) -> None:
    assert sentence in Desk(tmp_path).refused("init", *options, home="new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("option", [("--port", "99999"), ("--port", "0"), ("--pull-interval", "-3")])
def test_init_refuses_numbers_that_cannot_be(tmp_path: Path, option: tuple[str, str]) -> None:
    result = Desk(tmp_path).run("init", "--party", "FRA", "--name", "x", *option)
    assert result.exit_code == 2
    assert option[0] in result.stderr


def test_a_second_init_changes_nothing(desk: Desk) -> None:
    before = (desk.folder / "gbr" / "node.toml").read_text()
    assert "there is a node here already" in desk.refused("init", "--party", "GBR", "--name", "x")
    assert (desk.folder / "gbr" / "node.toml").read_text() == before


@pytest.mark.parametrize(
    "words",
    [
        ("partner", "invite", "--output", "x"),
        ("status",),
        ("serve",),
        ("intake", "x"),
        ("partner", "list"),
        ("agreement", "list"),
        ("agreement", "propose", FIVE, *BY),
        ("agreement", "adopt", "five-eyes", *BY),
        ("officer", "list"),
        ("quarantine", "list"),
        ("ledger", "verify"),
        ("ledger", "checkpoint"),
        ("ledger", "show"),
    ],
)
def test_without_a_node(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert "this is not a node's folder; run `tearline init` first" in Desk(tmp_path).refused(*words)
    assert not (tmp_path / "gbr").exists()


def test_a_folder_that_cannot_be_made(desk: Desk) -> None:
    for words in (("init", "--party", "FRA", "--name", "x"), ("status",)):
        assert "Not a directory" in desk.refused(*words, home="gbr/node.toml/x")


def test_a_node_without_its_keys(desk: Desk) -> None:
    (desk.folder / "gbr" / "keys" / "secret").unlink()
    assert "No such file" in desk.refused("status")


def test_status_says_what_was_decided(desk: Desk) -> None:
    assert "0 products" in desk.done("status")
    desk.done("intake", desk.file("a.json", bundle(2, "x")), desk.file("r.md", REPORT))
    assert "Nothing is decided yet" in desk.done("status")
    work(desk)
    said = desk.done("status")
    assert "GBR: 3 products, 3 considered, 3 releases, 3 delivered, 0 received" in said
    assert "five-eyes/cyber-whole" in said
    assert "five-eyes/reports-tearline" in said


class _Barges:
    def persons(self, text: str, language: str) -> list[tuple[int, int]]:
        return [(at, at + 6) for at in [text.find("barges")] if at >= 0]


def test_unknown_persons_are_shown_with_their_portion(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tearline.cli.flags.is_installed", lambda: False)
    assert "no recogniser is installed" in desk.done("status")
    assert "no recogniser is installed" in desk.done("flags")
    desk.done("intake", desk.file("r.md", REPORT))
    work(desk)
    with Node.open(desk.folder / "gbr") as node:
        products = persons.waiting(node)
        assert persons.keep(node, products, persons.look(products, _Barges()))
    assert "1 products seem to name persons whom the vault does not know" in desk.done("status")
    row = next(
        line for line in desk.done("flags", "--limit", "1").splitlines() if products[0].product.id in line
    )
    assert [cell.strip() for cell in row.split("│")[2:5]] == ["2", "1", "barges"]
    assert "barges" not in desk.done("status")


def test_tables_are_whole_in_a_narrow_terminal(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.done("intake", desk.file("a.json", bundle(2, "x")))
    work(desk)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    for words in (("status",), ("partner", "list"), ("agreement", "list")):
        said = desk.done(*words)
        assert "…" not in said, words


# --- partners and agreements ---------------------------------------------------------------------


def test_partner_add_takes_what_is_granted(desk: Desk) -> None:
    desk.done("partner", "add", *desk.invited["USA"], "--need", "si", "--duty", "fouo")
    listed = desk.done("partner", "list")
    assert "Desk USA [/b]" in listed
    assert "SI" in listed
    assert "FOUO" in listed


def test_partner_add_asks_for_the_phrase_and_does_not_show_it(desk: Desk) -> None:
    path, _, phrase = desk.invited["USA"]
    said = desk.done("partner", "add", path, typed=f"{phrase.upper().replace('-', ' ')}\n")
    assert "read to you" in said
    assert phrase not in said
    sentence = desk.refused("partner", "add", path, "--phrase", desk.invited["GBR"][2])
    assert "may have been replaced" in sentence
    assert phrase not in sentence


def test_partner_add_refuses(desk: Desk) -> None:
    usa = desk.invited["USA"]
    assert "not a partner's invitation" in desk.refused("partner", "add", desk.file("x", "party = 'USA'"))
    assert "cannot be read" in desk.refused("partner", "add", str(desk.folder / "none"))
    assert "cannot be read" in desk.refused("partner", "add", str(desk.folder))
    assert "node's own" in desk.refused("partner", "add", *desk.invited["GBR"])
    for level in ("SECRETT", ""):
        sentence = desk.refused("partner", "add", *usa, "--clearance", f"GBR={level}")
        assert "levels are UNCLASSIFIED, RESTRICTED, CONFIDENTIAL, SECRET, TOP_SECRET" in sentence
    twice = desk.refused("partner", "add", *usa, "--clearance", "GBR=SECRET", "--clearance", "gbr=TOP SECRET")
    assert "GBR is given twice" in twice
    assert desk.run("partner", "add", *usa, "--reach", "pink").exit_code == 2


def test_partner_revoke_and_remove_and_key_rotate(desk: Desk) -> None:
    assert "revoked" in desk.done("partner", "revoke", "USA", *BY)
    assert "was revoked here" in desk.refused("partner", "add", *desk.invited["USA"])
    assert "signs with" in desk.done("key", "rotate", *BY, home="usa")
    assert "new certificate" in desk.done("key", "rotate", "--tls", *BY, home="usa")
    desk.invite("USA", "usa")
    assert "added" in desk.done("partner", "add", *desk.invited["USA"])
    assert "no partner any more" in desk.done("partner", "remove", "USA", *BY)
    assert "USA" not in desk.done("partner", "list")
    assert "USA is not a partner" in desk.refused("partner", "remove", "USA", *BY)
    for home in ("gbr", "usa"):
        assert "as it was written" in desk.done("ledger", "verify", home=home)


def test_partner_login(desk: Desk) -> None:
    password = "a long enough password"
    desk.done("partner", "login", "USA", "joe", "--password", password)
    said = desk.done("partner", "login", "USA", "ann", typed=f"{password}\n{password}\n")
    assert password not in said
    with Node.open(desk.folder / "gbr") as node:
        assert {user: party for user, (party, _) in logins(node).items()} == {"ann": "USA", "joe": "USA"}
    assert "fewer than 12" in desk.refused("partner", "login", "USA", "joe", "--password", "short")
    assert "FRA is not a partner" in desk.refused("partner", "login", "FRA", "joe", "--password", password)
    assert "colon" in desk.refused("partner", "login", "USA", "a:b", "--password", password)


def test_agreements(desk: Desk) -> None:
    assert "keeps to the profile" in desk.done("agreement", "check", FIVE)
    assert "five-eyes" in desk.done("agreement", "list")
    bad = desk.folder / "bad"
    bad.mkdir()
    assert "agreement.toml: it cannot be read" in desk.refused("agreement", "propose", str(bad), *BY)
    assert "cannot be read" in desk.refused("agreement", "check", str(desk.folder / "none"))
    (bad / "agreement.toml").write_bytes((AGREEMENTS / "five-eyes" / "agreement.toml").read_bytes())
    (bad / "clauses.cedar").write_text("permit (principal, action, resource);")
    assert "clauses.cedar, line 1" in desk.refused("agreement", "propose", str(bad), *BY)
    found = desk.run("agreement", "check", str(bad))
    assert found.exit_code == 1
    assert "clauses.cedar:1:" in found.stdout
    assert "cannot be adopted" in found.stderr
    desk.done("init", "--party", "FRA", "--name", "x", home="fra")
    assert "FRA is not a party to five-eyes" in desk.refused("agreement", "propose", FIVE, *BY, home="fra")


# --- intake --------------------------------------------------------------------------------------


def counts(result: Result) -> list[int]:
    """Taken in, in quarantine, held already, bad, warnings."""
    return [int(word) for word in result.stdout.splitlines()[-1].replace(",", "").split() if word.isdigit()]


def test_intake_counts_and_names_what_was_bad(desk: Desk) -> None:
    good = desk.file("good.json", bundle(3, "x"))
    result = desk.run("intake", good, desk.file("[b].md", ""), str(desk.folder), "none", good)
    assert result.exit_code == 1
    assert counts(result) == [3, 0, 3, 3, 0]
    assert result.stderr.splitlines() == [
        f"{desk.folder}/[b].md: is empty",
        f"{desk.folder}: cannot be read (Is a directory)",
        "none: cannot be read (No such file or directory)",
    ]


def test_intake_of_unmarked_products(desk: Desk) -> None:
    path = desk.file("a.json", bundled(malware("a")))
    assert "is not a TLP or PAP marking" in desk.run("intake", path, "--marking", "TLP:PINK").stderr
    result = desk.run("intake", path)
    assert (result.exit_code, counts(result)) == (0, [0, 1, 0, 0, 0])
    assert result.stderr == f"{malware('a')['id']}: no marking\n"
    assert f"{malware('a')['id']}: no marking (version 2026-03-01T00:00:00.000Z)" in desk.done(
        "quarantine", "list"
    )
    assert "is not in quarantine" in desk.refused("quarantine", "resolve", "x", "--marking", "TLP:RED")
    assert "--marking" in desk.refused("quarantine", "resolve", malware("a")["id"], "--marking", "PINK")
    desk.done("quarantine", "resolve", malware("a")["id"], "--marking", "TLP:GREEN")
    assert desk.done("quarantine", "list") == "Nothing is in quarantine.\n"


def test_intake_says_when_it_says_no_more(desk: Desk) -> None:
    path = desk.file("a.json", bundled(*(malware(f"{number}") for number in range(60))))
    result = desk.run("intake", path)
    assert len(result.stderr.splitlines()) == 51
    assert result.stderr.splitlines()[-1] == "... and 10 more like these"


MISP = {"Event": {"info": "Phish", "Tag": [{"name": "tlp:green"}], "Attribute": []}}
OLD = {"type": "bundle", "id": malware("x")["id"], "spec_version": "2.0", "objects": [{"type": "malware"}]}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        ("Доставка вантажу до порту".encode("cp1251"), "is not UTF-8; save it as UTF-8 text"),
        (REPORT.encode("utf-16"), "is not UTF-8"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "is not UTF-8"),
        (json.dumps(OLD).encode(), "is a bundle of STIX 2.0; send STIX 2.1"),
        (json.dumps(MISP).encode(), "is JSON of a form that is not known; STIX 2.1, MISP galaxies"),
        (bundle(1, "x")[:90], "the file ends too early"),
        (bundle(1, "x") + b"{}", "text goes on after the end of the JSON"),
    ],
)
def test_files_that_cannot_be_taken(desk: Desk, content: bytes, sentence: str) -> None:
    result = desk.run("intake", desk.file("file", content))
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert counts(result)[1:] == [0, 0, 1, 0]


@pytest.mark.parametrize("change", [("", "\ufeff"), ("\n", "\r\n"), ("\n", "\r")])
def test_reports_from_other_systems(desk: Desk, change: tuple[str, str]) -> None:
    text = change[1] + REPORT if not change[0] else REPORT.replace(*change)
    result = desk.run("intake", desk.file("r.md", text))
    assert (result.exit_code, counts(result)) == (0, [1, 0, 0, 0, 0])


def test_a_bundle_of_the_stix2_library(desk: Desk) -> None:
    stix2 = pytest.importorskip("stix2")
    v21 = stix2.v21
    terms = v21.MarkingDefinition(definition_type="statement", definition=v21.StatementMarking("Ask first."))
    address = v21.IPv4Address(value="198.51.100.7")
    green, red = stix2.TLP_GREEN, stix2.TLP_RED
    family = v21.Malware(name="Quiet Heron", is_family=True, object_marking_refs=[green, terms])
    pattern = "[ipv4-addr:value = '198.51.100.7']"
    sign = v21.Indicator(
        pattern=pattern, pattern_type="stix", valid_from="2026-01-01T00:00:00Z", object_marking_refs=[green]
    )
    seen = v21.ObservedData(
        first_observed="2026-01-01T00:00:00Z",
        last_observed="2026-01-02T00:00:00Z",
        number_observed=2,
        object_refs=[address.id],
        object_marking_refs=[green],
    )
    part = {"selectors": ["description"], "marking_ref": red.id}
    objects = [
        green,
        red,
        terms,
        address,
        family,
        sign,
        seen,
        v21.Sighting(sighting_of_ref=sign.id, count=3, object_marking_refs=[green]),
        v21.Relationship(sign, "indicates", family, object_marking_refs=[green]),
        v21.Tool(name="x", description="y", granular_markings=[part], object_marking_refs=[green]),
        v21.Tool(name="terms alone say not who", object_marking_refs=[terms]),
    ]
    result = desk.run("intake", desk.file("b.json", v21.Bundle(*objects).serialize()))
    # The address has no marking, and the statement alone does not say who may have the second tool.
    assert (result.exit_code, counts(result)) == (0, [6, 2, 0, 0, 0])


# --- ledger --------------------------------------------------------------------------------------


def test_ledger(desk: Desk) -> None:
    desk.done("intake", desk.file("a.json", bundle(1, "x")))
    note = desk.file("note", desk.done("ledger", "checkpoint"))
    assert "every entry is as it was written" in desk.done("ledger", "verify", "--known", note)
    shown = desk.done("ledger", "show", "--last", "2").splitlines()
    assert len(shown) == 2
    assert "product-taken-in" in shown[-1]
    assert "is not a checkpoint" in desk.refused("ledger", "verify", "--known", desk.file("x", b"\xff"))
    assert "No such file" in desk.refused("ledger", "verify", "--known", str(desk.folder / "none"))
    assert desk.run("ledger", "show", "--last", "-3").exit_code == 2


def test_a_changed_ledger_is_named(desk: Desk) -> None:
    with sqlite3.connect(desk.folder / "gbr" / "node.db") as db:
        db.execute("UPDATE log_entry SET data = x'00' WHERE seq = 1")
    result = desk.run("ledger", "verify")
    assert result.exit_code == 1
    assert "GBR/ledger: entry 1: not as written" in result.stderr
    assert result.stderr.splitlines()[-1].endswith("the record was changed")


def test_what_a_partner_chose_is_not_obeyed_by_the_terminal(desk: Desk) -> None:
    with Node.open(desk.folder / "gbr") as node, node.writing():
        node.record(Act.RELEASE_REFUSED, {"giver": "USA", "reason": "\x1b[2J\x9b2J\nline"})
    said = desk.done("ledger", "show", "--last", "1")
    assert "\x1b" not in said
    assert "\x9b" not in said
    assert said.count("\n") == 1


# --- serve, as processes -------------------------------------------------------------------------


def fails(folder: Path, *words: str) -> str:
    done = subprocess.run(tearline(folder, *words), capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_a_node_is_served_once(desk: Desk) -> None:
    running = serve(desk.folder / "gbr")
    try:
        assert "is being served already" in fails(desk.folder / "gbr", "serve")
    finally:
        stop(running)
    assert running.returncode == 0


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        Desk(tmp_path).done("init", "--party", "FRA", "--name", "x", "--port", port)
        assert f"port {port}" in fails(tmp_path / "gbr", "serve")
