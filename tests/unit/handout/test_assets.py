"""What others wrote is listed with its licence, and is as it came."""

from __future__ import annotations

import json
from hashlib import sha256
from importlib.resources import files

import pytest

from tearline.handout import assets

HERE = files("tearline.handout.assets")


def test_each_is_unchanged_and_has_a_licence() -> None:
    for name, digest in assets.names().items():
        assert sha256(assets.read(name)).hexdigest() == digest
    entries = json.loads(HERE.joinpath("manifest.json").read_text())
    for entry in entries:
        assert entry["licence"]
        assert entry["source"].startswith(("https://registry.npmjs.org/", "npm: "))
        assert any(name.endswith("LICENSE") for name in entry["files"])


def test_nothing_else_lies_there() -> None:
    kept = {path.name for path in HERE.iterdir() if path.is_file()}
    assert kept == {*assets.names(), "manifest.json", "__init__.py"}


@pytest.mark.parametrize("name", ["manifest.json", "__init__.py", "../shell.html", "none.js", ""])
def test_no_other_file_is_named(name: str) -> None:
    with pytest.raises(KeyError):
        assets.read(name)
