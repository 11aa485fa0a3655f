"""A desk with real accounts, in one process and with a clock of its own; and what a person does there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import argon2
import pyotp
from starlette.testclient import TestClient

from tearline.adapters.home import Home, Provider
from tearline.doors.desk import Role
from tearline.doors.desk.access import COOKIE, Access, Settings
from tearline.doors.desk.app import Desk
from tearline.doors.desk.areas import home
from tearline.doors.desk.areas.people import area as people_area
from tearline.ledger import Entry
from tearline.node import ledger_tail
from tearline.node.people import People
from tests.unit.node.world import nodes

ORIGIN = "https://localhost:8470"
PASSWORD = "nine barges lay at velna"
QUICK = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **long: float) -> None:
        self.now += timedelta(**long)


class Office:
    """A node's desk. Accounts are made as the command makes them."""

    def __init__(self, folder: Path, origin: str = ORIGIN, **providers: Provider) -> None:
        self.clock, self.origin = Clock(), origin
        settings = Settings(origin=origin, providers=providers)
        self.access = Access(Home(folder), settings, self.clock, hasher=QUICK)
        self.desk = Desk(Home(folder), self.access, (home.area, people_area), origin=origin)
        self.people: People = self.access._reception.people
        self.secrets: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.desk.close()
        self.access.close()

    def browser(self, address: str = "192.0.2.1") -> TestClient:
        """A browser without a session, from this address."""
        return TestClient(
            self.desk.app,
            base_url=self.origin,
            headers={"origin": self.origin},
            follow_redirects=False,
            client=(address, 1),
        )

    def invite(self, name: str, *roles: Role) -> str:
        """The path of a new account's link."""
        return f"/login/enrol/{self.people.add(name, roles or [Role.ANALYST], by='admin')}"

    def person(self, name: str, *roles: Role, address: str = "192.0.2.1") -> TestClient:
        """The browser of somebody new, who has just set up a password with codes, and waited a minute."""
        browser = self.browser(address)
        answer = self.set_up(browser, self.invite(name, *roles), name)
        assert answer.status_code == 303, answer.text
        self.clock.wait(minutes=1)
        return browser

    def set_up(self, browser: TestClient, link: str, name: str, /, **changed: str) -> Any:
        found = re.search(r"<code>([A-Z2-7]+)</code>", browser.get(link).text)
        assert found is not None
        self.secrets[name] = found[1]
        form = {"password": PASSWORD, "again": PASSWORD, "code": self.code(name)} | changed
        return browser.post(f"{link}/totp", data=form)

    def code(self, name: str, steps: int = 0) -> str:
        return pyotp.TOTP(self.secrets[name]).at(self.clock.now, counter_offset=steps)

    def log_in(self, browser: TestClient, name: str, /, **changed: str) -> Any:
        code = self.code(name) if name in self.secrets else "000000"
        form = {"name": name, "password": PASSWORD, "code": code, "next": "/account"} | changed
        return browser.post("/login/totp", data=form)

    def acts(self, count: int = 50) -> list[Entry]:
        return [entry for _, entry in ledger_tail(self.people.node, count)]


@contextmanager
def office(folder: Path, **providers: Provider) -> Iterator[Office]:
    with nodes(folder, "GBR", "USA") as (node, _), Office(node.home.folder, **providers) as made:
        yield made


def session_of(browser: TestClient) -> str | None:
    return browser.cookies.get(COOKIE)


def take(browser: TestClient, session: str | None) -> None:
    """Let a browser show this session."""
    browser.cookies.clear()
    browser.cookies.set(COOKIE, session or "", domain="localhost.local")  # as the jar spells it
