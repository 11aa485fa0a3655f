"""The main job: the coalition of eight, whole, with a small input of one's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.coalition import bundle


def test_the_coalition_shares_and_says_so(tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    own.write_bytes(bundle(40, "demo"))
    command = [sys.executable, "-m", "tearline.cli", "demo", "--products", f"GBR={own}", "--seed", "3"]
    command += ["--picture", str(tmp_path / "demo.svg")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    for expected in (
        "Who got how much from whom",
        "What was not released, and why",
        "No law was broken and nothing was lost",
        "releases received in",
    ):
        assert expected in done.stdout
    assert "releasability" in (tmp_path / "demo.svg").read_text(encoding="utf-8")
    assert "Traceback" not in done.stdout + done.stderr
