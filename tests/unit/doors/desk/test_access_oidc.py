"""Logging in through an OpenID provider: a real one, in a process of its own on loopback."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.testclient import TestClient

from tearline.adapters.accounts import Identity
from tearline.adapters.home import Provider
from tearline.doors.desk.access import Settings
from tearline.ledger import Act
from tearline.terms import BadInput
from tests.people import ORIGIN, Office, office, session_of

SUBJECT = "248289761001"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            for _ in range(300):
                try:
                    httpx.get(f"{address}/.well-known/openid-configuration", timeout=5)
                    break
                except httpx.TransportError:
                    assert process.poll() is None
                    time.sleep(0.1)  # it does not tell when it is ready
            yield address
        finally:
            process.terminate()


def provider(issuer: str, folder: Path, /, **changed: Any) -> Provider:
    secret = folder / "secret"
    secret.touch(0o600)
    secret.write_text("a secret of the client\n")
    known = {"issuer": issuer, "client_id": "desk", "client_secret_file": str(secret), "loopback_http": True}
    return Provider(**known | changed)


@pytest.fixture
def here(tmp_path: Path, issuer: str) -> Iterator[Office]:
    with office(tmp_path, agency=provider(issuer, tmp_path)) as made:
        yield made


def at_provider(address: str, subject: str = SUBJECT) -> str:
    """What the person does there; the path to which the provider sends the browser back."""
    answer = httpx.post(address, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    back = answer.headers["location"]
    assert back.startswith(f"{ORIGIN}/login/oidc/agency/callback?")
    return str(back)


def come_back(
    browser: TestClient, start: str = "/login/oidc/agency", subject: str = SUBJECT
) -> httpx.Response:
    left = browser.get(start)
    assert left.status_code == 302, left.text
    return browser.get(at_provider(left.headers["location"], subject))


def test_a_linked_person_comes_in(here: Office, issuer: str) -> None:
    here.invite("heron-3")
    here.people.link("heron-3", Identity(issuer, SUBJECT), by="admin")
    browser = here.browser()
    answer = come_back(browser, "/login/oidc/agency?next=/trace")
    assert (answer.status_code, answer.headers["refresh"]) == (200, "0;url=/trace")
    assert 'href="/trace"' in answer.text  # for whom the browser does not lead on
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    assert "heron-3" in browser.get("/account").text
    last = here.acts(1)[0]
    assert (last.act, last.body) == (Act.PERSON_LOGGED_IN, {"account": "heron-3", "method": "oidc"})


def test_what_is_asked_is_bound_to_this_browser(here: Office) -> None:
    left = here.browser().get("/login/oidc/agency").headers["location"]
    asked = {name: value for name, (value,) in parse_qs(urlsplit(left).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{ORIGIN}/login/oidc/agency/callback"
    assert (asked["response_type"], asked["scope"]) == ("code", "openid")
    assert min(len(asked["state"]), len(asked["nonce"])) >= 20
    assert len(asked["code_challenge"]) == 43


def test_somebody_without_an_account_does_not(here: Office) -> None:
    browser = here.browser()
    answer = come_back(browser, subject="somebody else")
    assert answer.status_code == 401
    assert "no account of this desk is linked" in answer.text
    assert session_of(browser) is None


@pytest.mark.parametrize("wrong", ["another browser", "another state", "no state", "twice", "another nonce"])
def test_an_answer_to_what_was_not_asked_is_not_taken(here: Office, issuer: str, wrong: str) -> None:
    here.invite("heron-3")
    here.people.link("heron-3", Identity(issuer, SUBJECT), by="admin")
    victim = here.browser()
    left = victim.get("/login/oidc/agency").headers["location"]
    if wrong == "another nonce":
        left = left.replace("nonce=", "nonce=x")
    back = at_provider(left)
    match wrong:
        case "another browser":
            victim = here.browser()
        case "another state":
            back = back.replace("state=", "state=x")
        case "no state":
            back = back.partition("&state=")[0].partition("?state=")[0]
        case "twice":
            assert victim.get(back).status_code == 200
            victim.post("/logout")
    answer = victim.get(back)
    assert (answer.status_code, session_of(victim)) == (401, None)
    assert victim.get("/account").status_code == 303


def test_a_code_that_another_browser_was_given_is_not_taken(here: Office, issuer: str) -> None:
    """The attacker's code with the victim's state: PKCE and the nonce are of different askings."""
    here.invite("heron-3")
    here.people.link("heron-3", Identity(issuer, SUBJECT), by="admin")
    attacker, victim = here.browser(), here.browser()
    stolen = parse_qs(urlsplit(at_provider(attacker.get("/login/oidc/agency").headers["location"])).query)
    state = parse_qs(urlsplit(victim.get("/login/oidc/agency").headers["location"]).query)["state"][0]
    answer = victim.get(f"/login/oidc/agency/callback?code={stolen['code'][0]}&state={state}")
    assert (answer.status_code, session_of(victim)) == (401, None)


def test_an_enrolment_link_links_the_provider_once(here: Office) -> None:
    link, browser = here.invite("heron-3"), here.browser()
    assert come_back(browser, f"{link}/oidc/agency").headers["refresh"] == "0;url=/account"
    assert "heron-3" in browser.get("/account").text
    assert here.browser().get(link).status_code == 404
    assert come_back(here.browser()).status_code == 200
    # Who is linked already cannot be linked to another account.
    link, stranger = here.invite("heron-4"), here.browser()
    assert come_back(stranger, f"{link}/oidc/agency").status_code == 401
    assert stranger.get("/account").status_code == 303
    assert stranger.get(link).status_code == 200


def test_a_refusal_at_the_provider_is_told(here: Office) -> None:
    browser = here.browser()
    left = browser.get("/login/oidc/agency").headers["location"]
    answer = httpx.post(left, data={"action": "deny"})
    answer = browser.get(answer.headers["location"])
    assert answer.status_code == 401
    assert "did not confirm who you are" in answer.text


@pytest.mark.parametrize("changed", [{"issuer": "/"}, {"client_id": "another"}])
def test_another_issuer_or_audience_is_not_trusted(
    tmp_path: Path, issuer: str, changed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = provider(issuer, tmp_path, **({"issuer": issuer + "/"} if "issuer" in changed else {}))
    with office(tmp_path, agency=told) as here:
        here.invite("heron-3")
        here.people.link("heron-3", Identity(told.issuer, SUBJECT), by="admin")
        browser = here.browser()
        left = browser.get("/login/oidc/agency")
        if "issuer" in changed:
            assert (left.status_code, "cannot be trusted" in left.text or "another issuer" in left.text) == (
                401,
                True,
            )
            return
        back = at_provider(left.headers["location"])
        # The desk expects tokens for another client from now on: this one is not for it.
        known = here.access._reception.settings.providers
        monkeypatch.setitem(known, "agency", provider(issuer, tmp_path, **changed))  # type: ignore[arg-type]
        assert browser.get(back).status_code == 401


def test_a_provider_that_is_away_is_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with office(tmp_path, agency=provider(f"http://127.0.0.1:{port}", tmp_path)) as here:
        answer = here.browser().get("/login/oidc/agency")
        assert answer.status_code == 401
        assert "cannot be reached" in answer.text
        assert here.browser().get("/login/oidc/other").status_code == 401


@pytest.mark.parametrize(
    ("issuer", "loopback"),
    [("http://id.example", True), ("http://127.0.0.1:1", False), ("ftp://id.example", True), ("id", True)],
)
def test_a_provider_without_tls_is_not_taken(issuer: str, loopback: bool) -> None:
    told = Provider(issuer=issuer, client_id="desk", loopback_http=loopback)
    with pytest.raises(BadInput, match="https"):
        Settings(origin=ORIGIN, providers={"agency": told})


def test_a_secret_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s")
    secret.chmod(0o644)
    told = Provider(issuer="https://id.example", client_id="desk", client_secret_file=str(secret))
    with pytest.raises(BadInput, match="others can read"), office(tmp_path / "n", agency=told):
        pass
