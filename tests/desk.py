"""A desk for tests: served in a thread to a real browser, by an access that believes who one says one is."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from starlette.requests import Request
from starlette.routing import BaseRoute

from tearline.adapters.home import Home
from tearline.adapters.store import Approval
from tearline.doors.desk import Area, Person, Role
from tearline.doors.desk.app import Desk, Render
from tearline.doors.desk.areas import AREAS
from tearline.node import sign_approval
from tearline.terms import BadInput
from tests.adoption import key_of

PASSPHRASE = "a heron stands in the reeds"
IMAGES = Path(__file__).parents[1] / "docs" / "images"
CHROMIUM = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
NARROW, USUAL, HUGE = (360, 740), (1280, 900), (3840, 2160)


class Anybody:
    """Believes the cookie `person`, such as `heron-1:officer,analyst`, and `fresh`."""

    def __init__(self, party: str) -> None:
        self.party, self.fresh = party, False

    def who(self, request: Request) -> Person | None:
        name, _, roles = request.cookies.get("person", "").partition(":")
        if not name:
            return None
        return Person(
            name=name,
            roles=frozenset(map(Role, roles.split("."))),
            method="passkey",
            language=request.cookies.get("language"),
            session=hashlib.sha256(name.encode()).hexdigest(),
        )

    def routes(self, render: Render) -> Iterable[BaseRoute]:
        return ()

    def sign(self, person: Person, act: str, subject: str, at: datetime, passphrase: str) -> Approval:
        if passphrase != PASSPHRASE:
            raise BadInput("the passphrase", "", "it does not open your key")
        return sign_approval(self.party, person.name, key_of(person.name), act=act, subject=subject, at=at)

    def is_fresh(self, person: Person) -> bool:
        return self.fresh

    def close(self) -> None:
        """It holds nothing."""


def as_person(name: str, *roles: Role) -> str:
    """The value of the cookie `person`."""
    return f"{name}:{'.'.join(roles)}"


@contextmanager
def made_desk(folder: Path, areas: Iterable[Area] = AREAS, port: int = 80) -> Iterator[Desk]:
    """A desk over the node in `folder`; its application is `.app`."""
    home = Home(folder)
    desk = Desk(home, Anybody(home.party), areas, origin=f"http://localhost:{port}")
    try:
        yield desk
    finally:
        desk.close()


@contextmanager
def served_desk(folder: Path, areas: Iterable[Area] = AREAS) -> Iterator[str]:
    """The address of a desk that runs in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with made_desk(folder, areas, port) as desk:
            server = uvicorn.Server(uvicorn.Config(desk.app, log_config=None, lifespan="off"))
            started = threading.Event()
            startup = server.startup

            async def start(sockets: list[socket.socket] | None = None) -> None:
                await startup(sockets)
                started.set()

            server.startup = start  # type: ignore[method-assign]
            thread = threading.Thread(target=server.run, args=([listening],))
            thread.start()
            assert started.wait(30)
            try:
                yield f"http://localhost:{port}"
            finally:
                server.should_exit = True
                thread.join()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's chromium. The test is not run where there is none, and says so."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium here: apt install chromium")
    sandbox = [] if os.getuid() else ["--no-sandbox"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*sandbox, "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Browser,
    address: str,
    person: str,
    *,
    size: tuple[int, int] = USUAL,
    dark: bool = False,
    language: str = "en",
) -> Iterator[Page]:
    """A page of a person who has logged in. What the page's scripts complain of fails the test."""
    context = browser.new_context(
        base_url=address,
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        locale=language,
        reduced_motion="reduce",
    )
    context.add_cookies(
        [
            {"name": name, "value": value, "url": address}
            for name, value in (("person", person), ("language", language))
        ]
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: (
            complaints.append(said.text)
            if said.type == "error" and not re.search("status of 4|Status Error Code 4", said.text)
            else None
        ),
    )
    try:
        yield page
    finally:
        context.close()
    assert not complaints, complaints


@cache
def _axe() -> Axe:
    return Axe()


def must_be_accessible(page: Page) -> None:
    """axe finds nothing against WCAG 2.2 A and AA, and the page needs no scrolling sideways."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = _axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
    assert not found.response["violations"], found.generate_report()
    across = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert across <= 0, f"{across} pixels too wide at {page.viewport_size}"


def must_look_well(browser: Browser, address: str, path: str, person: str) -> None:
    """A page at 360 pixels in the dark and in Ukrainian, and at 4K in the light and in English."""
    for size, dark, language in ((NARROW, True, "uk"), (HUGE, False, "en")):
        with opened(browser, address, person, size=size, dark=dark, language=language) as page:
            page.goto(path)
            must_be_accessible(page)


def picture(page: Page, name: str) -> None:
    """Draw `docs/images/NAME.png`, when pictures are asked for (TEARLINE_PICTURES=1)."""
    if os.environ.get("TEARLINE_PICTURES"):
        page.screenshot(path=IMAGES / f"{name}.png")
