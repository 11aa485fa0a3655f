"""The catalogue's part of the door's description, which the door itself gives out.

`python -m tests.openapi` writes it anew when `docs/partner-door.openapi.yaml` has changed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
WHOLE = ROOT / "docs" / "partner-door.openapi.yaml"
PART = ROOT / "src" / "tearline" / "doors" / "partner" / "catalogue.openapi.json"
_REFERENCE = re.compile(r'"#/components/([a-zA-Z]+)/([^"]+)"')


def catalogue_part() -> str:
    """The paths under `/stac` with all that they refer to, as JSON."""
    whole = yaml.safe_load(WHOLE.read_text())
    part: dict[str, Any] = {
        "openapi": whole["openapi"],
        "info": whole["info"] | {"title": "The catalogue of a Tearline node", "description": "STAC API 1.0."},
        "paths": {path: body for path, body in whole["paths"].items() if path.startswith("/stac")},
        "components": {"securitySchemes": whole["components"]["securitySchemes"]},
        "security": whole["security"],
    }
    while True:
        missing = [
            (kind, name)
            for kind, name in _REFERENCE.findall(json.dumps(part))
            if name not in part["components"].get(kind, {})
        ]
        if not missing:
            return json.dumps(part, indent=1, sort_keys=True) + "\n"
        for kind, name in missing:
            part["components"].setdefault(kind, {})[name] = whole["components"][kind][name]


if __name__ == "__main__":
    PART.write_text(catalogue_part())
