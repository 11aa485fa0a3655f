"""Passwords: kept as scrypt hashes, checked once and remembered, guessed slowly."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable

import pytest
from starlette.requests import Request

from tearline.doors.partner import ByPassword, Login, credentials, hash_password
from tearline.doors.partner.problem import Problem
from tearline.terms import BadInput

HASH = hash_password("correct horse")


def asking(user: str, password: str, address: str = "192.0.2.1", scheme: str = "Basic") -> Request:
    text = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = [(b"authorization", f"{scheme} {text}".encode())]
    return Request({"type": "http", "headers": headers, "client": (address, 1)})


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def answer(check: ByPassword, request: Request) -> str | int:
    """The party, or the status of the refusal."""
    try:
        return asyncio.run(check(request))
    except Problem as problem:
        return problem.status


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password that was put to scrypt."""
    calls: list[str] = []
    real: Callable[[str, str], bool] = credentials.check_password

    def check(stored: str, password: str) -> bool:
        calls.append(password)
        return real(stored, password)

    monkeypatch.setattr(credentials, "check_password", check)
    return calls


def test_a_hash_holds_for_its_password_only() -> None:
    assert credentials.check_password(HASH, "correct horse")
    assert not credentials.check_password(HASH, "correct horse ")
    assert not credentials.check_password(HASH, "")
    assert hash_password("correct horse") != HASH
    assert "correct" not in HASH


@pytest.mark.parametrize("stored", ["", "correct horse", "scrypt$1$2$3", HASH + "0", "md5" + HASH])
def test_what_is_no_hash_is_refused(stored: str) -> None:
    with pytest.raises(BadInput):
        ByPassword({"user": Login("BBB", stored)})


def test_who_knows_the_password_comes_in() -> None:
    check = ByPassword({"user": Login("BBB", HASH)})
    assert answer(check, asking("user", "correct horse")) == "BBB"
    assert answer(check, asking("user", "correct horse", scheme="bASIC")) == "BBB"
    for user, password in (("user", "wrong"), ("nobody", "correct horse"), ("", ""), ("user", "")):
        assert answer(check, asking(user, password)) == 401


@pytest.mark.parametrize(
    "header", [b"", b"Basic", b"Basic %%%", b"Bearer dXNlcjp4", b"Basic dXNlcg==", b"Basic /w=="]
)
def test_what_is_not_basic_is_asked_again(header: bytes) -> None:
    request = Request({"type": "http", "headers": [(b"authorization", header)], "client": None})
    with pytest.raises(Problem) as caught:
        asyncio.run(ByPassword({})(request))
    assert caught.value.status == 401
    assert caught.value.headers["www-authenticate"].startswith("Basic ")


def test_a_right_password_is_checked_once(counted: list[str]) -> None:
    check = ByPassword({"user": Login("BBB", HASH)})
    counted.clear()
    assert [answer(check, asking("user", "correct horse")) for _ in range(5)] == ["BBB"] * 5
    assert counted == ["correct horse"]


def test_a_user_that_does_not_exist_costs_a_check_too(counted: list[str]) -> None:
    check = ByPassword({})
    assert answer(check, asking("nobody", "guess")) == 401
    assert counted == ["guess"]


def test_a_login_that_is_taken_back_is_not_remembered() -> None:
    check = ByPassword({"user": Login("BBB", HASH)})
    assert answer(check, asking("user", "correct horse")) == "BBB"
    check.replace({})
    assert answer(check, asking("user", "correct horse")) == 401


def test_an_address_that_guesses_has_to_wait(monkeypatch: pytest.MonkeyPatch, counted: list[str]) -> None:
    clock = Clock()
    monkeypatch.setattr(credentials, "_N", 2)
    check = ByPassword({"user": Login("BBB", HASH)}, clock=clock)
    answers = [answer(check, asking("nobody", f"guess {n}")) for n in range(12)]
    assert answers == [401] * 10 + [429] * 2
    counted.clear()
    assert answer(check, asking("user", "correct horse")) == 429
    assert counted == []
    assert answer(check, asking("user", "correct horse", address="192.0.2.2")) == "BBB"
    clock.now += 61
    assert answer(check, asking("user", "correct horse")) == "BBB"


def test_who_is_known_is_not_kept_out_by_a_neighbours_guesses(monkeypatch: pytest.MonkeyPatch) -> None:
    check = ByPassword({"user": Login("BBB", HASH)}, clock=Clock())
    assert answer(check, asking("user", "correct horse")) == "BBB"
    for n in range(11):
        answer(check, asking("nobody", f"guess {n}"))
    assert answer(check, asking("nobody", "guess")) == 429
    assert answer(check, asking("user", "correct horse")) == "BBB"
