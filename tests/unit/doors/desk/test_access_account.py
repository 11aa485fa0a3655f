"""One's own account: links, tokens, the second unlock, the signing key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tearline.adapters import accounts as store
from tearline.adapters.accounts import Seal
from tearline.doors.desk import Person, Role
from tearline.doors.desk.access import keep_key
from tearline.ledger import Act
from tearline.node import approve, approvers
from tearline.terms import BadInput, Broken, Refused
from tests.adoption import key_of
from tests.people import PASSWORD, Office, office, session_of, take

PHRASE = "barges in the reeds"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        yield made


def person(here: Office, browser: TestClient) -> Person:
    """Who the browser is, as the desk's pages are told."""
    found = here.access._reception.sessions.person(session_of(browser) or "")
    assert found is not None
    return found


def pem(name: str, phrase: str | None = PHRASE) -> bytes:
    sealed = NoEncryption() if phrase is None else BestAvailableEncryption(phrase.encode())
    return key_of(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed)


def token_of(page: str) -> str | None:
    found = re.search(r"tl_[\w-]{43}", page)
    return None if found is None else found[0]


# --- links ----------------------------------------------------------------------------------------


def test_a_link_works_once(here: Office) -> None:
    link = here.invite("heron-3")
    for _ in range(3):
        assert here.browser().get(link).status_code == 200  # looking at it does not use it up
    assert here.set_up(here.browser(), link, "heron-3").status_code == 303
    browser = here.browser()
    assert browser.get(link).status_code == 404
    form = {"password": PASSWORD, "again": PASSWORD, "code": here.code("heron-3", 1)}
    assert browser.post(f"{link}/totp", data=form).status_code == 404
    assert browser.post(f"{link}/passkey/options", json={}).status_code == 403
    assert session_of(browser) is None


def test_a_link_works_for_a_day(here: Office) -> None:
    link = here.invite("heron-3")
    here.clock.wait(hours=23.9)
    assert here.browser().get(link).status_code == 200
    here.clock.wait(hours=0.2)
    assert here.browser().get(link).status_code == 404
    assert here.browser().get(f"{link}/codes.svg").status_code == 409


def test_a_newer_link_replaces_the_older(here: Office) -> None:
    link = here.invite("heron-3")
    newer = f"/login/enrol/{here.people.reset('heron-3', by='admin')}"
    assert [here.browser().get(each).status_code for each in (link, newer)] == [404, 200]


def test_a_reset_takes_everything_away(here: Office) -> None:
    browser = here.person("heron-3")
    made = browser.post("/account/tokens", data={"label": "x", "roles": "analyst", "days": "1"})
    here.people.reset("heron-3", by="admin")
    assert browser.get("/account").status_code == 303
    assert here.log_in(here.browser(), "heron-3").status_code == 401
    bearer = {"authorization": f"Bearer {token_of(made.text)}"}
    assert here.browser().get("/api/v1", headers=bearer).status_code == 401


def test_a_weak_password_is_not_taken(here: Office) -> None:
    browser, link = here.browser(), here.invite("heron-3")
    for wrong, says in (
        ({"password": "short", "again": "short"}, "15 to 256 characters"),
        ({"again": PASSWORD + "x"}, "not the same twice"),
        ({"password": "heron-3-heron-3-x", "again": "heron-3-heron-3-x"}, "your name is in it"),
        ({"code": "12345"}, "not the one that the app shows"),
    ):
        answer = here.set_up(browser, link, "heron-3", **wrong)
        assert (answer.status_code, says in answer.text) == (400, True)
        assert session_of(browser) is None
    assert browser.get(link).status_code == 200


def test_the_codes_are_offered_as_a_picture_without_styles(here: Office) -> None:
    answer = here.browser().get(f"{here.invite('heron-3')}/codes.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "style" not in answer.text
    assert "<svg" in answer.text


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(1, 12), max_size=12))
def test_counters_only_rise(here: Office, counters: list[int]) -> None:
    """Whatever the order in which codes come: what was spent, or is older, is never taken again."""
    with here.people.writing() as db:
        if store.account(db, "heron-8") is None:
            store.add_account(db, "heron-8", ["analyst"], b"handle", "")
        store.set_password(db, "heron-8", "hash", b"sealed", 0)
        taken = [counter for counter in counters if store.spend(db, "heron-8", counter)]
    assert taken == sorted(set(taken))
    assert not counters or taken[-1] == max(counters)


def test_a_sealed_secret_opens_for_its_account_alone() -> None:
    seal = Seal(b"s" * 32)
    sealed = seal.seal("heron-3", "SECRET")
    assert seal.open("heron-3", sealed) == "SECRET"
    for other, name, data in (
        (seal, "heron-4", sealed),
        (Seal(b"t" * 32), "heron-3", sealed),
        (seal, "heron-3", sealed[:-1] + bytes([sealed[-1] ^ 1])),
    ):
        with pytest.raises(Broken):
            other.open(name, data)


# --- tokens ---------------------------------------------------------------------------------------


def test_a_token_may_no_more_than_it_was_made_for(here: Office) -> None:
    browser = here.person("heron-3", Role.OFFICER, Role.AUDITOR)
    page = browser.post("/account/tokens", data={"label": "sums", "roles": "auditor", "days": "2"}).text
    token = token_of(page)
    assert token is not None
    assert token_of(browser.get("/account").text) is None  # shown once
    program = here.browser()
    bearer = {"authorization": f"bearer {token}"}
    assert program.get("/api/v1", headers=bearer).status_code == 200
    found = here.access._reception.sessions.program(token)
    assert found is not None
    assert (found.roles, found.method, found.session) == ({Role.AUDITOR}, "token", "")
    here.people.set_roles("heron-3", [Role.OFFICER, Role.ANALYST], by="admin")
    found = here.access._reception.sessions.program(token)
    assert found is not None
    assert found.roles == frozenset()  # its role was taken from the person, others do not take its place
    assert program.get("/api/v1", headers=bearer).status_code == 403
    here.clock.wait(days=2, seconds=1)
    assert program.get("/api/v1", headers=bearer).status_code == 401


def test_a_token_gives_no_roles_that_the_person_has_not(here: Office) -> None:
    browser = here.person("heron-3", Role.ANALYST)
    for form in (
        {"label": "x", "roles": "officer", "days": "1"},
        {"label": "x", "days": "1"},
        {"label": "x", "roles": "analyst", "days": "367"},
        {"label": "x", "roles": "analyst", "days": "0"},
        {"label": "x", "roles": "analyst", "days": "²"},
        {"label": "x\n", "roles": "analyst" * 2, "days": "1"},
    ):
        answer = browser.post("/account/tokens", data=form)
        assert (answer.status_code, token_of(answer.text)) == (400, None)


def test_a_program_has_no_account_page_and_no_cookie_helps_a_wrong_token(here: Office) -> None:
    browser = here.person("heron-3")
    token = token_of(
        browser.post("/account/tokens", data={"label": "x", "roles": "analyst", "days": "1"}).text
    )
    bearer = {"authorization": f"Bearer {token}"}
    assert here.browser().get("/account", headers=bearer).status_code == 303
    form = {"label": "y", "roles": "analyst", "days": "1"}
    assert here.browser().post("/account/tokens", data=form, headers=bearer).status_code == 303
    assert browser.get("/api/v1", headers={"authorization": "Bearer tl_wrong"}).status_code == 401
    assert browser.get("/api/v1", headers={"authorization": "Basic eDp5"}).status_code == 401


def test_a_removed_token_is_worth_nothing(here: Office) -> None:
    browser = here.person("heron-3")
    page = browser.post("/account/tokens", data={"label": "x", "roles": "analyst", "days": "1"}).text
    named = re.search(r'name="token" value="(\w+)"', page)
    assert named is not None
    stranger = here.person("heron-4", address="192.0.2.2")
    bearer = {"authorization": f"Bearer {token_of(page)}"}
    stranger.post("/account/tokens/remove", data={"token": named[1]})
    assert here.browser().get("/api/v1", headers=bearer).status_code == 200
    browser.post("/account/tokens/remove", data={"token": named[1]})
    assert here.browser().get("/api/v1", headers=bearer).status_code == 401


# --- the second unlock ----------------------------------------------------------------------------


def test_a_second_unlock_counts_five_minutes_under_a_new_session(here: Office) -> None:
    browser = here.person("heron-3")
    before = session_of(browser)
    assert not here.access.is_fresh(person(here, browser))  # a login is no second unlock
    form = {"code": here.code("heron-3"), "next": "/sources"}
    answer = browser.post("/account/confirm/totp", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sources")
    assert session_of(browser) not in {None, before}
    who = person(here, browser)
    assert here.access.is_fresh(who)
    thief = here.browser()
    take(thief, before)
    assert thief.get("/account").status_code == 303
    here.clock.wait(minutes=5, seconds=1)
    assert not here.access.is_fresh(who)
    assert here.acts(1)[0].act is Act.PERSON_CONFIRMED


def test_a_second_unlock_takes_a_code_once_and_not_for_ever(here: Office) -> None:
    browser = here.person("heron-3")
    code = here.code("heron-3")
    assert browser.post("/account/confirm/totp", data={"code": code}).status_code == 303
    assert browser.post("/account/confirm/totp", data={"code": code}).status_code == 401
    for _ in range(5):
        browser.post("/account/confirm/totp", data={"code": "000000"})
    here.clock.wait(seconds=30)
    form = {"code": here.code("heron-3")}
    assert browser.post("/account/confirm/totp", data=form).status_code == 401


def test_an_open_session_is_not_enough_to_change_the_account(here: Office) -> None:
    browser = here.person("heron-3", Role.OFFICER)
    form = {"label": "x", "roles": "officer", "days": "1"}
    for path in ("enrol", "tokens", "passkeys/remove", "key"):
        here.clock.wait(minutes=6)
        answer = browser.post(f"/account/{path}", data=form)
        assert answer.headers["location"] == "/account/confirm?next=/account"
        browser.post("/account/confirm/totp", data={"code": here.code("heron-3")})
        answer = browser.post(f"/account/{path}", data=form)
        assert "confirm" not in answer.headers.get("location", "")


def test_a_further_way_in_is_set_up_by_a_link_of_ones_own(here: Office) -> None:
    browser = here.person("heron-3")
    link = browser.post("/account/enrol").headers["location"]
    new = {"password": "another " * 3, "again": "another " * 3}
    assert here.set_up(browser, link, "heron-3", **new).status_code == 303
    here.clock.wait(minutes=1)
    assert here.log_in(here.browser(), "heron-3").status_code == 401
    assert here.log_in(here.browser(), "heron-3", password=new["password"]).status_code == 303
    link = here.browser().post("/account/enrol").headers["location"]
    assert link == "/login"


def test_the_desk_speaks_the_chosen_language(here: Office) -> None:
    browser = here.person("heron-3")
    browser.post("/account/language", data={"language": "uk"})
    assert "Мій обліковий запис" in browser.get("/account").text
    browser.post("/account/language", data={"language": "tlh"})
    assert "My account" in browser.get("/account").text


# --- the signing key ------------------------------------------------------------------------------


def test_an_officer_approves_with_the_key_at_the_desk(here: Office) -> None:
    browser = here.person("heron-1", Role.OFFICER)
    form = {"passphrase": PHRASE}
    answer = browser.post("/account/key", data=form, files={"key": ("k.pem", pem("heron-1"))})
    assert answer.headers["location"] == "/account"
    kept = here.people.node.home.folder / "desk" / "keys" / "heron-1.pem"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    assert b"ENCRYPTED PRIVATE KEY" in kept.read_bytes()
    who, node = person(here, browser), here.people.node
    approval = here.access.sign(who, "adopt", "five-eyes-2", here.clock(), PHRASE)
    assert approve(node, approval, "It is right.") == 1
    assert approvers(node, act="adopt", subject="five-eyes-2") == {"heron-1"}
    for _ in range(5):
        with pytest.raises(BadInput, match="passphrase") as raised:
            here.access.sign(who, "adopt", "x", here.clock(), "wrong")
        assert str(node.home.folder) not in str(raised.value)
    with pytest.raises(Refused, match="too many"):
        here.access.sign(who, "adopt", "x", here.clock(), PHRASE)


def test_a_key_that_is_plain_or_anothers_is_not_kept(here: Office) -> None:
    here.invite("heron-1", Role.OFFICER)
    no_key = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----"
    for key, phrase, says in (
        (pem("heron-1", None), PHRASE, "encrypted under a passphrase"),
        (no_key, PHRASE, "key"),
        (b"x" * 20_000, PHRASE, "encrypted under a passphrase"),
        (pem("heron-1"), "another phrase", "passphrase"),
        (pem("heron-2"), PHRASE, "register of officers"),
    ):
        with pytest.raises((BadInput, Refused), match=says):
            keep_key(here.people, "heron-1", key, phrase, by="admin")
        assert not (here.people.node.home.folder / "desk" / "keys").exists()


def test_only_an_officer_in_person_signs(here: Office) -> None:
    here.invite("heron-1", Role.OFFICER)
    keep_key(here.people, "heron-1", pem("heron-1"), PHRASE, by="admin")
    for roles, method in ((Role.ANALYST, "passkey"), (Role.OFFICER, "token")):
        who = Person(name="heron-1", roles=frozenset({roles}), method=method)
        with pytest.raises(Refused, match="in person"):
            here.access.sign(who, "adopt", "x", here.clock(), PHRASE)
    who = Person(name="heron-2", roles=frozenset({Role.OFFICER}), method="passkey")
    with pytest.raises(Refused, match="not at this desk"):
        here.access.sign(who, "adopt", "x", here.clock(), PHRASE)
