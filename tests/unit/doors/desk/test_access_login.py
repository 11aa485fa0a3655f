"""Logging in by password and code: what lets in, what does not, what can be seen from outside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tearline.doors.desk import Role
from tearline.doors.desk.access import password as password_module
from tearline.ledger import Act
from tests.people import COOKIE, ORIGIN, PASSWORD, Office, office, session_of, take


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        yield made


def test_the_way_in_and_out_is_on_the_ledger(here: Office) -> None:
    browser = here.person("heron-3", Role.OFFICER)
    assert "heron-3" in browser.get("/account").text
    assert browser.get("/").status_code == 200
    answer = browser.post("/logout")
    assert answer.headers["location"] == "/login"
    assert browser.get("/account").headers["location"] == "/login?next=/account"
    answer = here.log_in(browser, "heron-3")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    told = [(entry.act, entry.body) for entry in here.acts(5)]
    assert told == [
        (Act.ACCOUNT_ADDED, {"account": "heron-3", "by": "admin", "roles": ["officer"]}),
        (Act.ACCOUNT_CHANGED, {"account": "heron-3", "change": "password-set"}),
        (Act.PERSON_LOGGED_IN, {"account": "heron-3", "method": "totp"}),
        (Act.PERSON_LOGGED_OUT, {"account": "heron-3"}),
        (Act.PERSON_LOGGED_IN, {"account": "heron-3", "method": "totp"}),
    ]


def test_the_cookies_are_for_this_host_over_tls_and_no_script(here: Office) -> None:
    browser = here.person("heron-3")
    cookie = here.log_in(browser, "heron-3").headers["set-cookie"]
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert cookie.startswith(f"{COOKIE}=")
    assert parts == {"path=/", "secure", "httponly", "samesite=strict"}
    before = browser.post("/login/passkey/options", json={}).headers["set-cookie"]
    parts = {part.strip().lower() for part in before.split(";")[1:]}
    assert before.startswith("__Secure-tearline-login=")
    assert parts == {"path=/login", "max-age=600", "httponly", "samesite=lax", "secure"}


def test_a_session_known_before_the_login_is_worth_nothing_after_it(here: Office) -> None:
    browser = here.person("heron-3")
    before = session_of(browser)
    here.log_in(browser, "heron-3")
    assert session_of(browser) not in {None, before}
    thief = here.browser()
    take(thief, before)
    assert thief.get("/account").status_code == 303


def test_a_session_that_somebody_made_up_is_not_taken(here: Office) -> None:
    browser = here.browser()
    take(browser, "chosen-by-an-attacker")
    here.set_up(browser, here.invite("heron-3"), "heron-3")
    assert session_of(browser) != "chosen-by-an-attacker"
    thief = here.browser()
    take(thief, "chosen-by-an-attacker")
    assert thief.get("/account").status_code == 303


def test_nothing_tells_what_was_wrong(here: Office) -> None:
    here.person("heron-3")
    code = "000000" if here.code("heron-3") != "000000" else "000001"
    wrong = (
        {"password": PASSWORD + "x"},
        {"password": ""},
        {"code": code},
        {"code": "abc"},
        {"name": "heron-4"},
    )
    answers = {here.log_in(here.browser(), "heron-3", **each).text for each in wrong}
    assert len(answers) == 1
    assert "name, password or code is wrong" in answers.pop()


def test_an_account_that_is_not_there_takes_the_same_work(
    here: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the time itself, which a busy machine changes, but what takes it."""
    work: list[str] = []
    passwords = here.access._reception.passwords
    verify, counter = passwords._verify, password_module.counter_of

    def counting_verify(*told: Any) -> bool:
        work.append("password")
        return verify(*told)

    def counting_codes(*told: Any) -> int | None:
        work.append("code")
        return counter(*told)

    monkeypatch.setattr(passwords, "_verify", counting_verify)
    monkeypatch.setattr(password_module, "counter_of", counting_codes)
    here.person("heron-3")
    here.invite("heron-5")
    for name in ("heron-3", "heron-4", "heron-5"):
        here.log_in(here.browser(), name, password="wrong" * 5, code="000000")
    assert work == ["password", "code"] * 3


def test_a_code_is_used_once(here: Office) -> None:
    browser = here.person("heron-3")
    code = here.code("heron-3")
    assert here.log_in(browser, "heron-3", code=code).status_code == 303
    assert here.log_in(here.browser(), "heron-3", code=code).status_code == 401
    assert here.log_in(here.browser(), "heron-3", code=here.code("heron-3", -1)).status_code == 401
    here.clock.wait(seconds=30)
    assert here.log_in(here.browser(), "heron-3").status_code == 303


def test_a_clock_may_be_half_a_minute_off(here: Office) -> None:
    browser = here.person("heron-3")
    for steps, status in ((-2, 401), (-1, 303), (0, 303), (1, 303), (2, 401)):
        here.clock.wait(minutes=3)
        assert here.log_in(browser, "heron-3", code=here.code("heron-3", steps)).status_code == status


@pytest.mark.parametrize("name", ["heron-3", "nobody"])
def test_guessing_locks_a_name_whether_it_is_an_account_or_not(here: Office, name: str) -> None:
    here.person("heron-3")
    guessed = [here.log_in(here.browser(), name, password="guess").status_code for _ in range(7)]
    assert guessed == [401] * 5 + [429] * 2
    # The right password does not help now, from wherever it comes.
    assert here.log_in(here.browser("192.0.2.9"), name).status_code == 429
    locked = [entry.body for entry in here.acts() if entry.act is Act.PERSON_LOCKED_OUT]
    assert locked == [{"account": "heron-3" if name == "heron-3" else ""}]
    here.clock.wait(minutes=16)
    assert here.log_in(here.browser(), "heron-3").status_code == 303


def test_a_lock_out_survives_a_restart(here: Office) -> None:
    here.person("heron-3")
    for _ in range(6):
        here.log_in(here.browser(), "heron-3", password="guess")
    with Office(here.people.node.home.folder) as again:
        again.secrets = here.secrets
        assert again.log_in(again.browser(), "heron-3").status_code == 429


def test_one_address_can_try_so_often_under_many_names(here: Office) -> None:
    here.person("heron-3", address="192.0.2.7")
    tried = [here.log_in(here.browser(), f"name-{each}").status_code for each in range(61)]
    assert tried == [401] * 60 + [429]
    assert here.log_in(here.browser("192.0.2.7"), "heron-3").status_code == 303


def test_what_comes_from_another_site_does_nothing(here: Office) -> None:
    browser = here.person("heron-3")
    for path in ("/login/totp", "/logout", "/account/sessions", "/login/passkey/options"):
        for where in ("https://evil.example", "null", ""):
            assert browser.post(path, headers={"origin": where}).status_code == 403
    assert browser.get("/account").status_code == 200


def test_sessions_end_when_idle_and_at_the_end_of_the_day(here: Office) -> None:
    browser = here.person("heron-3")
    for _ in range(4):
        here.clock.wait(minutes=29)
        assert browser.get("/account").status_code == 200
    here.clock.wait(minutes=31)
    assert browser.get("/account").status_code == 303
    here.log_in(browser, "heron-3")
    for _ in range(25):
        here.clock.wait(minutes=28.7)
        browser.get("/account")
    assert browser.get("/account").status_code == 200
    here.clock.wait(minutes=5)
    assert browser.get("/account").status_code == 303


def test_new_rights_end_the_old_sessions(here: Office) -> None:
    browser = here.person("heron-3", Role.OFFICER)
    here.people.set_roles("heron-3", [Role.AUDITOR], by="admin")
    assert browser.get("/account").status_code == 303
    here.log_in(browser, "heron-3")
    assert "auditor" in browser.get("/account").text
    here.people.remove("heron-3", by="admin")
    assert browser.get("/account").status_code == 303
    assert here.log_in(browser, "heron-3").status_code == 401


def test_the_others_are_ended(here: Office) -> None:
    mine = here.person("heron-3")
    other = here.browser()
    here.log_in(other, "heron-3")
    assert mine.get("/account").text.count("(totp)") == 2
    mine.post("/account/sessions")
    assert mine.get("/account").status_code == 200
    assert other.get("/account").status_code == 303


def test_nothing_that_lets_in_stands_in_the_database(here: Office) -> None:
    browser = here.person("heron-3")
    link = here.invite("heron-4").rpartition("/")[2]
    made = browser.post("/account/tokens", data={"label": "x", "roles": "analyst", "days": "1"}).text
    token = re.search(r"tl_[\w-]{43}", made)
    assert token is not None
    folder = here.people.node.home.folder
    kept = b"".join(path.read_bytes() for path in folder.glob("*.db*"))
    for secret in (session_of(browser) or "", link, token[0], PASSWORD, here.secrets["heron-3"]):
        assert secret.encode() not in kept
    assert (folder / "desk.db").stat().st_mode & 0o077 == 0


def test_the_login_leads_on_to_the_page_that_was_asked_for(here: Office) -> None:
    here.person("heron-3")
    assert here.log_in(here.browser(), "heron-3", next="/trace?x=1").headers["location"] == "/trace?x=1"
    here.clock.wait(seconds=30)
    answer = here.log_in(here.browser(), "heron-3", next="//evil.example")
    assert answer.headers["location"] == "/"
    assert ORIGIN not in answer.headers["location"]
