"""Joining: an invitation that was altered, replaced, meant for another or is over adds nobody."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tearline.node import Card, Node, add_partner
from tearline.node.invitation import accepted, invite, phrase, read_invitation
from tearline.terms import BadInput, Refused
from tests.unit.node.world import TERMS, entries, make


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Node, Node]]:
    gbr, usa = make(tmp_path / "gbr", "GBR"), make(tmp_path / "usa", "USA")
    yield gbr, usa
    gbr.close()
    usa.close()


def written(node: Node, path: Path, **more: object) -> Path:
    path.write_bytes(invite(node, **more))  # type: ignore[arg-type]
    return path


def test_an_invitation_adds_its_partner(pair: tuple[Node, Node], tmp_path: Path) -> None:
    gbr, usa = pair
    invitation, words = read_invitation(written(usa, tmp_path / "usa.invitation", recipient="GBR"))
    said = words.upper().replace("-", "  ")
    card = accepted(gbr, invitation, words, said)
    assert card == Card.of(usa)
    add_partner(gbr, card, TERMS, checkpoint=invitation.checkpoint)
    assert entries(gbr)[-1].body["checkpoint"] == invitation.checkpoint
    for secret in (usa.home.secret.hex(), "PRIVATE"):
        assert secret not in (tmp_path / "usa.invitation").read_text()


def test_who_replaces_it_does_not_have_its_phrase(pair: tuple[Node, Node], tmp_path: Path) -> None:
    gbr, usa = pair
    _, words = read_invitation(written(usa, tmp_path / "true"))
    mallory = make(tmp_path / "mallory", "USA")
    forged, its_own = read_invitation(written(mallory, tmp_path / "forged"))
    mallory.close()
    assert its_own != words
    with pytest.raises(Refused, match="phrase"):
        accepted(gbr, forged, its_own, words)


def test_it_is_for_one_and_for_a_time(pair: tuple[Node, Node], tmp_path: Path) -> None:
    gbr, usa = pair
    other, words = read_invitation(written(usa, tmp_path / "one", recipient="CAN"))
    with pytest.raises(Refused, match="for CAN"):
        accepted(gbr, other, words, words)
    short, words = read_invitation(written(usa, tmp_path / "two", valid=timedelta(days=1)))
    gbr.clock.now += timedelta(days=2)  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="ended"):
        accepted(gbr, short, words, words)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_was_altered_is_none(pair: tuple[Node, Node], tmp_path: Path, data: st.DataObject) -> None:
    whole = json.loads(invite(pair[1]))
    part = data.draw(st.sampled_from(["payload", "sig"]))
    raw = bytearray(b64decode(whole["payload"] if part == "payload" else whole["signatures"][0]["sig"]))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    text = b64encode(raw).decode()
    if part == "payload":
        whole["payload"] = text
    else:
        whole["signatures"][0]["sig"] = text
    path = tmp_path / "altered"
    path.write_text(json.dumps(whole))
    with pytest.raises(BadInput, match="altered"):
        read_invitation(path)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff\xfe", b'{"payload": 1}', b"x" * 300_000])
def test_what_is_no_invitation(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(BadInput, match="not a partner's invitation"):
        read_invitation(tmp_path / "file")
    with pytest.raises(BadInput, match="cannot be read"):
        read_invitation(tmp_path / "none")


def test_words_are_proquints() -> None:
    """The examples of the paper: 127.0.0.1 is lusab-babad."""
    from tearline.node.invitation import _word

    assert [_word(0x7F00), _word(0x0001), _word(0x3F54), _word(0xDCC1)] == [
        "lusab",
        "babad",
        "gutih",
        "tugad",
    ]
    assert len({phrase(bytes([number])) for number in range(256)}) == 256
