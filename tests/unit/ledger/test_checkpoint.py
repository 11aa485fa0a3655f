"""Checkpoints: read what others signed, refuse every departure from the format."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tearline.ledger import Checkpoint, Verifier, open_note, parse_vkey, sign, vkey
from tearline.terms import BadInput, Broken

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
STATE = Checkpoint("ARN/ledger", 20_852_163, bytes(range(32)))
OURS = Verifier("ARN", KEY.public_key())
DASH = "\u2014"


def _open(note: str, verifier: Verifier = OURS) -> Checkpoint:
    return open_note(note, verifier, origin="ARN/ledger")


def _note(text: str, key: Ed25519PrivateKey = KEY, name: str = "ARN") -> str:
    """A well signed note with any text."""
    signature = Verifier(name, key.public_key()).key_id + key.sign(text.encode())
    return f"{text}\n{DASH} {name} {base64.b64encode(signature).decode()}\n"


def test_a_checkpoint_of_the_go_checksum_database() -> None:
    vector = json.loads((Path(__file__).parents[2] / "vectors/ledger/sum.golang.org.json").read_text())
    verifier = parse_vkey(vector["vkey"])
    assert vkey(verifier.name, verifier.key) == vector["vkey"]
    checkpoint = open_note(vector["note"], verifier, origin=vector["origin"])
    assert checkpoint == Checkpoint(vector["origin"], vector["size"], base64.b64decode(vector["root"]))
    with pytest.raises(Broken, match="signature"):
        open_note(vector["note"].replace("63096908", "63096909"), verifier, origin=vector["origin"])


def test_what_is_signed_opens() -> None:
    note = sign(STATE, KEY, "ARN")
    root = base64.b64encode(STATE.root).decode()
    assert note.startswith(f"ARN/ledger\n20852163\n{root}\n\n{DASH} ARN ")
    assert note == _note(STATE.text())
    assert _open(note) == STATE


def test_signatures_of_others_are_ignored() -> None:
    note = sign(STATE, KEY, "ARN")
    witness = _note(STATE.text(), OTHER, "witness.example").splitlines(keepends=True)[-1]
    namesake = _note(STATE.text(), OTHER, "ARN").splitlines(keepends=True)[-1]
    assert _open(note + witness + namesake) == STATE
    with pytest.raises(Broken, match="not signed by ARN"):
        _open(STATE.text() + "\n" + witness + namesake)


def test_one_wrong_signature_of_ours_spoils_the_note() -> None:
    wrong = base64.b64encode(OURS.key_id + bytes(64)).decode()
    with pytest.raises(Broken, match="is wrong"):
        _open(sign(STATE, KEY, "ARN") + f"{DASH} ARN {wrong}\n")


def test_extension_lines_are_let_pass() -> None:
    assert _open(_note(STATE.text() + "more\n")) == STATE


def test_a_checkpoint_of_another_log_is_refused() -> None:
    with pytest.raises(Broken, match="not of the log"):
        open_note(sign(STATE, KEY, "ARN"), OURS, origin="ARN/BEL/out")


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"ARN/ledger\n01\n{ROOT}\n",
        f"ARN/ledger\n-1\n{ROOT}\n",
        f"ARN/ledger\n1 \n{ROOT}\n",
        f"ARN/ledger\n١\n{ROOT}\n",
        f"ARN/ledger\n{'9' * 30}\n{ROOT}\n",
        f"ARN/ledger\n1\n{ROOT[:-4]}\n",
        f"ARN/ledger\n1\n {ROOT}\n",
        f"ARN/ledger\n1\n{ROOT[:-2]}B=\n",
        "ARN/ledger\n1\n",
        f"\n1\n{ROOT}\n",
        f"ARN/ledger\n1\n{ROOT}\n\nmore\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint(text: str) -> None:
    with pytest.raises(Broken, match="not a checkpoint"):
        _open(_note(text))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda note: "",
        lambda note: note[:-1],
        lambda note: note.replace("\n\n", "\n"),
        lambda note: note.replace("\n", "\r\n"),
        lambda note: note.replace(DASH, "-"),
        lambda note: note.replace(f"{DASH} ARN ", f"{DASH} ARN  "),
        lambda note: note + "more\n",
        lambda note: note + f"{DASH} witness.example AAAA\n",
        lambda note: note + f"{DASH} a+b AAAAAAAA\n",
        lambda note: note.replace("\n\n", "\n\x01\n\n"),
        lambda note: note + f"{DASH} w {base64.b64encode(bytes(64)).decode()}\n" * 2000,
    ],
)
def test_what_is_no_note(spoil: object) -> None:
    with pytest.raises(Broken):
        _open(spoil(sign(STATE, KEY, "ARN")))


def test_the_empty_log_has_a_checkpoint_too() -> None:
    empty = Checkpoint("ARN/ledger", 0, bytes(32))
    assert _open(sign(empty, KEY, "ARN")) == empty


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ARN",
        "ARN+00000000+AAAA",
        "ARN+zz+" + "A" * 44,
        vkey("ARN", KEY.public_key())[:-2],
        vkey("ARN", KEY.public_key()).replace("ARN", "BEL"),
        vkey("ARN", KEY.public_key()) + "\n",
    ],
)
def test_a_verifier_key_that_is_none(text: str) -> None:
    with pytest.raises(BadInput):
        parse_vkey(text)


@pytest.mark.parametrize("name", ["", "A B", "A+B", "A\u2003B", "A\n"])
def test_a_name_that_cannot_sign(name: str) -> None:
    with pytest.raises(BadInput):
        Verifier(name, KEY.public_key())
