"""A node's folder: who may read it, and what happens where it is no such folder."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tearline.adapters.home import Config, Home, write_private
from tearline.terms import BadInput

CONFIG = Config(party="GBR", name='Desk "north" \\ ключ', port=8443)


def test_what_is_made_is_what_is_opened(tmp_path: Path) -> None:
    made = Home.create(tmp_path / "node", CONFIG)
    opened = Home(tmp_path / "node")
    assert opened.config == CONFIG == made.config
    assert opened.secret == made.secret
    assert len(opened.secret) == 32
    assert opened.signing_key.public_key() == made.signing_key.public_key()


def test_nobody_else_can_read_anything(tmp_path: Path) -> None:
    home = Home.create(tmp_path / "node", CONFIG)
    for path in (home.folder, *home.folder.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o077 == 0 or path == home.certificate, f"{path.name} has mode {mode:o}"


def test_a_node_is_never_overwritten(tmp_path: Path) -> None:
    before = Home.create(tmp_path / "node", CONFIG)
    with pytest.raises(BadInput, match="there is a node here already"):
        Home.create(tmp_path / "node", CONFIG)
    assert Home(tmp_path / "node").secret == before.secret


@pytest.mark.parametrize("party", ["", "gbr", "G B", "../GBR", "A" * 40, "-GBR"])
def test_a_party_is_a_code(tmp_path: Path, party: str) -> None:
    with pytest.raises(BadInput, match="not an organisation's code"):
        Home.create(tmp_path / "node", Config(party=party, name="x"))
    assert not (tmp_path / "node").exists()


@pytest.mark.parametrize(
    "text", ["", "party = 3", 'party = "GBR"\nname = "x"\nsecret = "y"', "party = ", "\x00"]
)
def test_a_bad_configuration_is_named(tmp_path: Path, text: str) -> None:
    home = Home.create(tmp_path / "node", CONFIG)
    (home.folder / "node.toml").write_text(text)
    with pytest.raises(BadInput, match=r"node\.toml"):
        Home(home.folder)


def test_a_folder_without_a_node(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="tearline init"):
        Home(tmp_path)


def test_a_private_file_replaces_a_part_left_by_a_crash(tmp_path: Path) -> None:
    (tmp_path / "key.part").write_bytes(b"half")
    write_private(tmp_path / "key", b"whole")
    assert (tmp_path / "key").read_bytes() == b"whole"
    assert not (tmp_path / "key.part").exists()


def test_keys_are_not_changed_under_a_desk(tmp_path: Path) -> None:
    home = Home.create(tmp_path / "gbr", Config(party="GBR", name="Example"))
    other = Home(home.folder)
    with home.at_desk(), other.at_desk(), pytest.raises(BadInput, match="a desk is open"), home.no_desk():
        raise AssertionError("the keys could have been changed")
    with home.no_desk(), pytest.raises(BadInput, match="being changed"), home.at_desk():
        raise AssertionError("a desk could have read them")
    with home.at_desk(), home.lock():
        pass
