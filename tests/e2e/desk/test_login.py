"""Passkeys in a real browser: an account is set up, its person logs in, shows it again, and logs out."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, CDPSession, Page, Route, expect

from tearline.adapters import tls
from tearline.doors.desk import Role
from tearline.ledger import Act
from tests.desk import HUGE, NARROW, chromium, must_be_accessible, picture
from tests.people import PASSWORD, Office
from tests.unit.node.world import nodes


@contextmanager
def served(folder: Path) -> Iterator[Office]:
    """A desk with real accounts, over TLS: cookies and passkeys are as they are in earnest."""
    certificate, key = tls.make_identity(folder, "GBR", "localhost")
    with (
        nodes(folder, "GBR", "USA") as (node, _),
        socket.create_server(("127.0.0.1", 0)) as listening,
        Office(node.home.folder, f"https://localhost:{listening.getsockname()[1]}") as office,
    ):
        config = uvicorn.Config(
            office.desk.app, log_config=None, lifespan="off", ssl_certfile=certificate, ssl_keyfile=key
        )
        server, started = uvicorn.Server(config), threading.Event()

        async def run() -> None:
            serving = asyncio.create_task(server.serve([listening]))
            while not server.started:
                await asyncio.sleep(0.01)
            started.set()
            await serving

        thread = threading.Thread(target=lambda: asyncio.run(run()))
        thread.start()
        try:
            assert started.wait(30)
            yield office
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with served(tmp_path) as made:
        yield made


@pytest.fixture
def page(browser: Browser, office: Office) -> Iterator[Page]:
    context = browser.new_context(
        base_url=office.origin, ignore_https_errors=True, locale="en", reduced_motion="reduce"
    )
    yield context.new_page()
    context.close()


def authenticator(page: Page, *, verifies: bool = True) -> tuple[CDPSession, str]:
    """Give the page's browser a passkey's device that knows its person, or does not."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": verifies,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, str(made["authenticatorId"])


def test_a_passkey_is_made_used_and_shown_again(office: Office, page: Page) -> None:
    device, _ = authenticator(page)
    page.goto(office.invite("heron-3", Role.OFFICER))
    page.get_by_label("What you call it").fill("blue key")
    page.get_by_role("button", name="Make a passkey").click()
    expect(page).to_have_url(f"{office.origin}/account")
    expect(page.get_by_text("Passkey “blue key”")).to_be_visible()
    picture(page, "desk-account")
    page.get_by_text("heron-3", exact=True).first.click()
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(f"{office.origin}/login")
    page.goto("/account")
    expect(page).to_have_url(re.compile("/login"))

    page.get_by_role("button", name="Use my passkey").click()
    expect(page).to_have_url(f"{office.origin}/account")
    office.clock.wait(minutes=6)
    page.get_by_role("button", name="Add another way").click()
    expect(page).to_have_url(f"{office.origin}/account/confirm?next=/account")
    page.get_by_role("button", name="Use my passkey").click()
    expect(page).to_have_url(f"{office.origin}/account")
    page.get_by_role("button", name="Add another way").click()
    expect(page.get_by_role("heading", name="A password and a code")).to_be_visible()
    acts = [entry.act for entry in office.acts(6)]
    assert acts == [
        Act.ACCOUNT_ADDED,
        Act.ACCOUNT_CHANGED,
        Act.PERSON_LOGGED_IN,
        Act.PERSON_LOGGED_OUT,
        Act.PERSON_LOGGED_IN,
        Act.PERSON_CONFIRMED,
    ]
    device.detach()


def test_a_device_that_does_not_know_its_person_is_not_enough(office: Office, page: Page) -> None:
    device, named = authenticator(page)
    link = office.invite("heron-3")
    page.goto(link)
    page.get_by_role("button", name="Make a passkey").click()
    expect(page).to_have_url(f"{office.origin}/account")
    device.send("WebAuthn.setUserVerified", {"authenticatorId": named, "isUserVerified": False})
    page.context.clear_cookies()
    page.goto("/login")
    page.get_by_role("button", name="Use my passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("The passkey was not accepted")
    page.goto("/account")
    expect(page).to_have_url(re.compile("/login"))


def lower(route: Route) -> None:
    """What an attacker at the browser would do: not ask the device to know its person."""
    told = route.fetch()
    route.fulfill(response=told, json=told.json() | {"userVerification": "discouraged"})


def test_the_desk_itself_asks_whether_the_device_knew_its_person(office: Office, page: Page) -> None:
    device, named = authenticator(page)
    page.goto(office.invite("heron-3"))
    page.get_by_role("button", name="Make a passkey").click()
    expect(page).to_have_url(f"{office.origin}/account")
    device.send("WebAuthn.setUserVerified", {"authenticatorId": named, "isUserVerified": False})
    page.context.clear_cookies()
    page.goto("/login")
    page.route("**/passkey/options", lower)
    page.get_by_role("button", name="Use my passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("this passkey lets nobody in here")


def test_a_passkey_of_a_removed_account_lets_nobody_in(office: Office, page: Page) -> None:
    authenticator(page)
    page.goto(office.invite("heron-3"))
    page.get_by_role("button", name="Make a passkey").click()
    expect(page).to_have_url(f"{office.origin}/account")
    office.people.remove("heron-3", by="admin")
    page.goto("/login")
    page.get_by_role("button", name="Use my passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("this passkey lets nobody in here")


def test_a_recorded_login_cannot_be_played_again(office: Office, page: Page) -> None:
    authenticator(page)
    page.goto(office.invite("heron-3"))
    page.get_by_role("button", name="Make a passkey").click()
    expect(page).to_have_url(f"{office.origin}/account")
    page.context.clear_cookies()
    page.goto("/login")
    with page.expect_request("**/login/passkey?next=/") as sent:
        page.get_by_role("button", name="Use my passkey").click()
    expect(page).to_have_url(f"{office.origin}/")
    before = sent.value.all_headers()["cookie"]
    page.context.clear_cookies()
    headers = {"origin": office.origin, "content-type": "application/json", "cookie": before}
    answer = page.request.post("/login/passkey", data=sent.value.post_data or "", headers=headers)
    assert (answer.status, answer.json()["error"]) == (403, "that took too long: try again")


def test_password_and_code_without_any_script(office: Office, browser: Browser) -> None:
    context = browser.new_context(
        base_url=office.origin, ignore_https_errors=True, locale="en", java_script_enabled=False
    )
    page = context.new_page()
    page.goto(office.invite("heron-3", Role.ANALYST))
    office.secrets["heron-3"] = page.locator("code").inner_text()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_label("Code that the app shows now").fill(office.code("heron-3"))
    page.get_by_role("button", name="Set password and codes").click()
    expect(page).to_have_url(f"{office.origin}/account")
    page.get_by_label("What it is for").fill("sums")
    page.get_by_label("analyst").check()
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_text("tl_")).to_be_visible()
    page.context.clear_cookies()
    office.clock.wait(minutes=1)
    page.goto("/login?next=/account")
    page.get_by_label("Name").fill("heron-3")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Code of the app").fill(office.code("heron-3"))
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{office.origin}/account")
    context.close()


@pytest.mark.parametrize(("size", "dark", "language"), [(NARROW, True, "uk"), (HUGE, False, "en")])
def test_the_pages_are_for_everybody(
    office: Office, browser: Browser, size: tuple[int, int], dark: bool, language: str
) -> None:
    context = browser.new_context(
        base_url=office.origin,
        ignore_https_errors=True,
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        locale=language,
        reduced_motion="reduce",
    )
    page = context.new_page()
    authenticator(page)
    page.goto("/login")
    must_be_accessible(page)
    page.goto(office.invite("heron-3", Role.OFFICER))
    must_be_accessible(page)
    page.locator("[data-passkey=create]").click()
    expect(page).to_have_url(f"{office.origin}/account")
    must_be_accessible(page)
    page.goto("/account/confirm")
    must_be_accessible(page)
    context.close()


def test_an_administrator_adds_somebody(office: Office, page: Page) -> None:
    authenticator(page)
    page.goto(office.invite("heron-1", Role.ADMINISTRATOR))
    page.get_by_role("button", name="Make a passkey").click()
    page.get_by_role("link", name="People").click()
    page.get_by_role("link", name="Unlock").click()
    page.get_by_role("button", name="Use my passkey").click()
    expect(page).to_have_url(f"{office.origin}/people")
    page.get_by_text("Change heron-1").click()
    must_be_accessible(page)
    picture(page, "desk-people")
    page.get_by_label("Name: of an officer").fill("heron-2")
    page.get_by_role("group", name="Roles").last.get_by_label("officer").check()
    page.get_by_role("button", name="Add the account").click()
    link = page.locator("code").inner_text()
    must_be_accessible(page)
    page.context.clear_cookies()
    page.goto(link.partition(":8470")[2])
    expect(page.get_by_text("You set up the account heron-2")).to_be_visible()
