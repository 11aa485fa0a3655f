"""The frame of every page: one file that fetches nothing, and runs only the scripts that it was made with."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import orjson

_PLACE = re.compile(r"\{\{([a-z]+)\}\}")
_NONE: Mapping[str, Any] = MappingProxyType({})


def page(
    title: str, *, style: str, body: str, scripts: Sequence[str] = (), data: Mapping[str, Any] = _NONE
) -> str:
    """The page. `style`: CSS after the frame's own. `body`: HTML, with all texts escaped by whoever made it.
    `data`: what the scripts read, by the id of the element; whatever texts are in it stay data."""
    hashes = " ".join(f"'sha256-{_hash(script)}'" for script in scripts)
    parts = {
        "title": html.escape(title),
        "scripts": f"; script-src {hashes}" if scripts else "",
        "style": style,
        "body": body,
        "data": "\n".join(
            f'<script type="application/json" id="{name}">{_within_script(value)}</script>'
            for name, value in data.items()
        ),
        "code": "\n".join(f"<script>{script}</script>" for script in scripts),
    }
    return _PLACE.sub(lambda match: parts[match[1]], read("shell.html"))


def read(name: str) -> str:
    """A text file that lies beside this one."""
    return files(__package__).joinpath(name).read_text("utf-8")


def _within_script(value: Any) -> str:
    """JSON that ends no script element, whatever texts are in it."""
    return orjson.dumps(value).decode().replace("<", "\\u003c")


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
