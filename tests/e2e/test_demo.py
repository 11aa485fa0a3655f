"""The main job: the coalition of eight, whole, with a small input of one's own, and a desk to look at it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter

from tearline.adapters.home import Home
from tearline.demo.coalition import OFFICERS
from tests.coalition import bundle


class ByOtherName(HTTPAdapter):
    """Trusts a certificate, not the name in it: a node's own is made for its door, not for `localhost`."""

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        super().init_poolmanager(*args, **kwargs, assert_hostname=False)  # type: ignore[arg-type]


def test_the_coalition_shares_and_says_so_and_opens_a_desk(tmp_path: Path) -> None:
    own, folder, errors = tmp_path / "own.json", tmp_path / "coalition", tmp_path / "errors"
    own.write_bytes(bundle(40, "demo"))
    command = [sys.executable, "-m", "tearline.cli", "demo", "--products", f"GBR={own}", "--seed", "3"]
    command += ["--picture", str(tmp_path / "demo.svg"), "--keep", "--folder", str(folder)]
    with (
        errors.open("w") as said,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=said, text=True, start_new_session=True
        ) as demo,
    ):
        try:
            lines = []
            for line in demo.stdout or ():
                lines.append(line)
                if "Ctrl-C ends" in line:
                    break
            text = "".join(lines)
            assert lines, errors.read_text()
            assert "Ctrl-C ends" in lines[-1], text + errors.read_text()
            must_say_what_came_of_it(text)
            must_be_open(text, folder)
            demo.send_signal(signal.SIGTERM)
            assert demo.wait(60) == 0
            with pytest.raises(ProcessLookupError):  # nobody of its session is left
                os.killpg(demo.pid, 0)
        finally:
            if demo.poll() is None:
                os.killpg(demo.pid, signal.SIGKILL)
    assert folder.is_dir(), "what was kept is kept"
    assert "releasability" in (tmp_path / "demo.svg").read_text(encoding="utf-8")
    assert "Traceback" not in text + errors.read_text()


def must_say_what_came_of_it(text: str) -> None:
    for expected in (
        "Who got how much from whom",
        "What was not released, and why",
        "No law was broken and nothing was lost",
        "releases received in",
    ):
        assert expected in text


def must_be_open(text: str, folder: Path) -> None:
    """The desk is where the summary says, and each officer's link leads in."""
    address = "".join(re.findall(r"officers' desk of .*: (https://\S+)$", text, re.MULTILINE))
    links = dict(re.findall(r"^(\S+) \(.*\) logs in by: (\S+)$", text, re.MULTILINE))
    assert tuple(links) == OFFICERS
    (home,) = [each for each in folder.iterdir() if (each / "desk.db").exists()]
    assert {path.stem for path in (home / "desk" / "keys").iterdir()} == set(OFFICERS)
    with requests.Session() as browser:
        browser.trust_env = False
        browser.verify = str(Home(home).certificate)
        browser.mount("https://", ByOtherName())
        login = browser.get(f"{address}/login", timeout=30)
        assert login.status_code == 200
        assert Home(home).party in login.text
        for name, link in links.items():
            assert link.startswith(address)
            enrol = browser.get(link, timeout=30)
            assert (enrol.status_code, name in enrol.text) == (200, True)
