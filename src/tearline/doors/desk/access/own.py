"""The page of one's own account, and the second unlock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from tearline.adapters import accounts as store
from tearline.doors.desk.access.enrol import label_of
from tearline.doors.desk.access.reception import Reception, aside
from tearline.doors.desk.access.request import (
    Handler,
    Render,
    answering_json,
    field,
    from_here,
    go,
)
from tearline.doors.desk.access.sessions import give
from tearline.doors.desk.access.signing import MAX_KEY, has_key, keep_key
from tearline.doors.desk.app import local_path
from tearline.doors.desk.endpoint import N_
from tearline.doors.desk.pages import LANGUAGES
from tearline.doors.desk.person import Person, Role
from tearline.ledger import Act
from tearline.terms import BadInput, Refused, TearlineError

Own = Callable[[Request, Person], Awaitable[Response]]
FURTHER = timedelta(minutes=10)
"""How long the link works with which a person sets up a further way in."""
MAX_DAYS = 366
"""How long a token can be good."""


def own_routes(
    reception: Reception, who: Callable[[Request], Person | None], render: Render
) -> list[BaseRoute]:
    """`/account` and what is done there."""
    own = _Own(reception, render)

    def somebody(handler: Own) -> Handler:
        """For a person who is here: programs have no account page, and make no tokens."""

        async def answer(request: Request) -> Response:
            person = who(request)
            if person is None or not person.session:
                return go(f"/login?next={request.url.path}" if request.method == "GET" else "/login")
            return await handler(request, person)

        return answer

    def recently(handler: Own) -> Handler:
        """For one who showed a few minutes ago who they are: a session that was left open is not enough."""

        async def answer(request: Request, person: Person) -> Response:
            if not await aside(reception.is_recent, person):
                return go("/account/confirm?next=/account")
            try:
                return await handler(request, person)
            except TearlineError as error:
                return await own.show(request, person, problem=str(error), status=400)

        return somebody(answer)

    def json(handler: Callable[[Request, Person, Any], Awaitable[Response]]) -> Handler:
        async def answer(request: Request, body: Any) -> Response:
            person = who(request)
            if person is None or not person.session:
                raise Refused(N_("your session has ended: log in again"))
            return await handler(request, person, body)

        return answering_json(answer)

    def route(path: str, method: str, handler: Handler) -> Route:
        return Route(path, from_here(reception.settings.origin, handler), methods=[method])

    return [
        route("/account", "GET", somebody(own.show)),
        route("/account/language", "POST", somebody(own.language)),
        route("/account/sessions", "POST", somebody(own.end_others)),
        route("/account/enrol", "POST", recently(own.enrol)),
        route("/account/passkeys/remove", "POST", recently(own.remove_passkey)),
        route("/account/tokens", "POST", recently(own.add_token)),
        route("/account/tokens/remove", "POST", somebody(own.remove_token)),
        route("/account/key", "POST", recently(own.key)),
        route("/account/confirm", "GET", somebody(own.confirm)),
        route("/account/confirm/totp", "POST", somebody(own.confirm_totp)),
        route("/account/confirm/passkey/options", "POST", json(own.confirm_options)),
        route("/account/confirm/passkey", "POST", json(own.confirm_passkey)),
    ]


class _Own:
    def __init__(self, reception: Reception, render: Render) -> None:
        self._reception, self._people, self._render = reception, reception.people, render

    async def show(
        self, request: Request, person: Person, *, problem: str = "", token: str = "", status: int = 200
    ) -> Response:
        values = await aside(self._shown, person)
        return self._render(
            request, "access/account.html", status=status, problem=problem, token=token, **values
        )

    def _shown(self, person: Person) -> dict[str, Any]:
        account = self._people.find(person.name)
        with self._people.reading() as db:
            return {
                "passkeys": [(bytes_to_base64url(each.id), each) for each in store.passkeys(db, person.name)],
                "has_password": account.password is not None,
                "identities": store.identities(db, person.name),
                "sessions": store.sessions(db, person.name),
                "tokens": store.tokens(db, person.name),
                "roles": sorted(person.roles),
                "is_officer": Role.OFFICER in person.roles,
                "has_key": has_key(self._reception.node.home, person.name),
                "max_days": MAX_DAYS,
            }

    async def language(self, request: Request, person: Person) -> Response:
        wanted = await field(request, "language")

        def keep() -> None:
            with self._people.writing() as db:
                store.set_language(db, person.name, wanted if wanted in LANGUAGES else None)

        await aside(keep)
        return go("/account")

    async def end_others(self, request: Request, person: Person) -> Response:
        def end() -> None:
            with self._people.recording(Act.PERSON_LOGGED_OUT, person.name, others=True) as db:
                store.end_sessions(db, person.name, but=person.session)

        await aside(end)
        return go("/account")

    async def enrol(self, request: Request, person: Person) -> Response:
        return go(f"/login/enrol/{await aside(self._people.enrol, person.name, FURTHER)}")

    async def remove_passkey(self, request: Request, person: Person) -> Response:
        named = await field(request, "passkey")

        def remove() -> None:
            with self._changed(person, "passkey-removed") as db:
                if not store.remove_passkey(db, person.name, _bytes(named)):
                    raise Refused(N_("there is no such passkey"))
                account = store.account(db, person.name)
                ways = [*store.passkeys(db, person.name), *store.identities(db, person.name)]
                if not ways and (account is None or account.password is None):
                    raise Refused(N_("this is your only way in: set up another one first"))

        await aside(remove)
        return go("/account")

    async def add_token(self, request: Request, person: Person) -> Response:
        form = await request.form()
        roles = [Role(each) for each in form.getlist("roles") if each in set(Role)]
        label, days = label_of(await field(request, "label")), await field(request, "days")
        if not days.isdecimal() or not 1 <= int(days[:9]) <= MAX_DAYS:
            raise BadInput("days", "", f"it is not from 1 to {MAX_DAYS}")
        if not roles or not person.roles.issuperset(roles):
            raise BadInput("roles", "", "choose at least one, and none that is not yours")

        def add() -> str:
            with self._changed(person, "token-added", roles=sorted(roles), days=int(days)) as db:
                return self._reception.sessions.new_token(db, person, label, roles, int(days))

        return await self.show(request, person, token=await aside(add))

    async def remove_token(self, request: Request, person: Person) -> Response:
        named = await field(request, "token")

        def remove() -> None:
            with self._changed(person, "token-removed") as db:
                store.remove_token(db, person.name, named)

        await aside(remove)
        return go("/account")

    async def key(self, request: Request, person: Person) -> Response:
        form = await request.form()
        file, passphrase = form.get("key"), await field(request, "passphrase")
        if Role.OFFICER not in person.roles or not isinstance(file, UploadFile):
            raise Refused(N_("officers alone have a signing key"))
        pem = await file.read(MAX_KEY + 1)

        await aside(partial(keep_key, self._people, person.name, pem, passphrase, by=person.name))
        return go("/account")

    async def confirm(
        self, request: Request, person: Person, *, problem: str = "", status: int = 200
    ) -> Response:
        given = request.query_params.get("next", "") or await field(request, "next")
        values = await aside(self._shown, person)
        return self._render(
            request,
            "access/confirm.html",
            status=status,
            next=local_path(given),
            problem=problem,
            has_passkey=bool(values["passkeys"]),
            has_password=values["has_password"],
        )

    async def confirm_totp(self, request: Request, person: Person) -> Response:
        try:
            session = await aside(self._reception.confirm_code, person, await field(request, "code"))
        except Refused as error:
            return await self.confirm(request, person, problem=str(error), status=401)
        return give(go(local_path(await field(request, "next"))), session)

    async def confirm_options(self, request: Request, person: Person, _: Any) -> Response:
        with self._people.reading() as db:
            known = store.passkeys(db, person.name)
        text = self._reception.passkeys.begin(_key(person), self._people.now(), known)
        return Response(text, media_type="application/json")

    async def confirm_passkey(self, request: Request, person: Person, shown: Any) -> Response:
        session = await aside(self._reception.confirm_passkey, person, _key(person), shown)
        return give(JSONResponse({"next": local_path(request.query_params.get("next", "/"))}), session)

    def _changed(self, person: Person, change: str, **told: object) -> Any:
        return self._people.recording(Act.ACCOUNT_CHANGED, person.name, by=person.name, change=change, **told)


def _key(person: Person) -> str:
    """What ties the steps of a confirmation together: the session that it is of."""
    return f"confirm {person.session}"


def _bytes(text: str) -> bytes:
    try:
        return base64url_to_bytes(text)
    except ValueError:
        raise Refused(N_("there is no such passkey")) from None
