"""The pages of logging in and out, and of the link with which an account is set up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tearline.doors.desk.access.enrol import Enrolling
from tearline.doors.desk.access.reception import Reception, TooMany, aside, new_key
from tearline.doors.desk.access.request import (
    Handler,
    Render,
    answering_json,
    field,
    from_here,
    go,
)
from tearline.doors.desk.access.sessions import give, take_away
from tearline.doors.desk.app import local_path
from tearline.doors.desk.person import Person
from tearline.ledger import Act
from tearline.terms import Refused, TearlineError

Who = Callable[[Request], Person | None]
_CHALLENGE, _NEXT, _LINK = "challenge", "next", "link"
"""What is kept from one step to the next."""


def login_routes(reception: Reception, who: Who, render: Render) -> list[BaseRoute]:
    """`/login` and `/logout`."""
    login, enrolling = _Login(reception, who, render), Enrolling(reception)
    enrol = _Enrol(reception, enrolling, render)
    oidc = _Oidc(reception, enrolling, login)

    def route(path: str, method: str, handler: Handler) -> Route:
        guarded = from_here(reception.settings.origin, handler)
        return Route(path, guarded, methods=[method], middleware=[reception.before_login()])

    link = "/login/enrol/{link}"
    return [
        route("/login", "GET", login.page),
        route("/login/totp", "POST", login.totp),
        route("/login/passkey/options", "POST", answering_json(login.passkey_options)),
        route("/login/passkey", "POST", answering_json(login.passkey)),
        route("/login/oidc/{name}", "GET", oidc.leave),
        route("/login/oidc/{name}/callback", "GET", oidc.back),
        route(link, "GET", enrol.page),
        route(f"{link}/codes.svg", "GET", enrol.codes),
        route(f"{link}/totp", "POST", enrol.totp),
        route(f"{link}/passkey/options", "POST", answering_json(enrol.passkey_options)),
        route(f"{link}/passkey", "POST", answering_json(enrol.passkey)),
        # Not a form: `form-action` would keep it from going on to the provider (CSP Level 3, 6.4.2).
        route(f"{link}/oidc/{{name}}", "GET", oidc.link),
        route("/logout", "POST", login.logout),
    ]


class _Login:
    """Logging in by password and code, or by passkey; logging out."""

    def __init__(self, reception: Reception, who: Who, render: Render) -> None:
        self._reception, self._who, self._render = reception, who, render

    async def page(self, request: Request) -> Response:
        return self.show(request, local_path(request.query_params.get("next", "/")))

    def show(self, request: Request, following: str, problem: str = "", status: int = 200) -> Response:
        return self._render(
            request,
            "access/login.html",
            status=status,
            next=following,
            providers=self._reception.providers.names,
            problem=problem,
        )

    def onward(self, request: Request, following: str) -> Response:
        """A page that only leads on."""
        return self._render(request, "access/onward.html", next=following)

    async def totp(self, request: Request) -> Response:
        name, password, code = [await field(request, each) for each in ("name", "password", "code")]
        following = local_path(await field(request, "next"))
        try:
            session = await aside(self._reception.with_password, request, name.strip(), password, code)
        except Refused as error:
            return self.show(request, following, str(error), 429 if isinstance(error, TooMany) else 401)
        return give(go(following), session)

    async def passkey_options(self, request: Request, _: Any) -> Response:
        self._reception.admit(request)
        key = request.session[_CHALLENGE] = new_key()
        return _json_text(self._reception.passkeys.begin(key, self._reception.people.now()))

    async def passkey(self, request: Request, shown: Any) -> Response:
        key = request.session.pop(_CHALLENGE, "")
        session = await aside(self._reception.with_passkey, request, key, shown)
        return give(JSONResponse({"next": local_path(request.query_params.get("next", "/"))}), session)

    async def logout(self, request: Request) -> Response:
        person = self._who(request)
        if person is not None:
            await aside(self._end, person)
        return take_away(go("/login"))

    def _end(self, person: Person) -> None:
        with self._reception.people.recording(Act.PERSON_LOGGED_OUT, person.name) as db:
            self._reception.sessions.end(db, person)


class _Oidc:
    """Logging in through a provider, or linking what it says to the account of an enrolment link."""

    def __init__(self, reception: Reception, enrolling: Enrolling, login: _Login) -> None:
        self._reception, self._enrolling, self._login = reception, enrolling, login

    async def leave(self, request: Request) -> Response:
        request.session[_NEXT] = local_path(request.query_params.get("next", "/"))
        request.session.pop(_LINK, None)
        return await self._orelse(request, self._reception.providers.leave(request, _named(request)))

    async def link(self, request: Request) -> Response:
        link = request.path_params["link"]
        await aside(self._enrolling.find, link)
        request.session[_LINK], request.session[_NEXT] = link, "/account"
        return await self._orelse(request, self._reception.providers.leave(request, _named(request)))

    async def back(self, request: Request) -> Response:
        return await self._orelse(request, self._back(request))

    async def _back(self, request: Request) -> Response:
        link, following = request.session.pop(_LINK, None), local_path(request.session.pop(_NEXT, "/"))
        self._reception.admit(request)
        identity = await self._reception.providers.back(request, _named(request))
        if link is None:
            session = await aside(self._reception.with_identity, request, identity)
        else:
            session = await aside(self._enrolling.link, request, link, identity)
        # The browser came here from another site, and would not show the cookie on a redirect: so a page
        # of ours comes between (RFC 6265bis, section 5.2, on redirects).
        response = self._login.onward(request, following)
        response.headers["refresh"] = f"0;url={following}"
        return give(response, session)

    async def _orelse(self, request: Request, answer: Awaitable[Response]) -> Response:
        try:
            return await answer
        except Refused as error:
            return self._login.show(request, "/", str(error), 429 if isinstance(error, TooMany) else 401)


class _Enrol:
    """The page of an enrolment link: a passkey, or a password with codes, or a provider."""

    def __init__(self, reception: Reception, enrolling: Enrolling, render: Render) -> None:
        self._reception, self._enrolling, self._render = reception, enrolling, render

    async def page(self, request: Request) -> Response:
        return await self._show(request, "", 200)

    async def codes(self, request: Request) -> Response:
        drawn = await aside(self._enrolling.picture, request.path_params["link"])
        return Response(drawn, media_type="image/svg+xml")

    async def totp(self, request: Request) -> Response:
        password, again, code = [await field(request, each) for each in ("password", "again", "code")]
        link = request.path_params["link"]
        try:
            session = await aside(self._enrolling.password, request, link, password, again, code)
        except TearlineError as error:
            return await self._show(request, str(error), 400)
        return give(go("/account"), session)

    async def passkey_options(self, request: Request, _: Any) -> Response:
        key = request.session[_CHALLENGE] = new_key()
        return _json_text(await aside(self._enrolling.options, request.path_params["link"], key))

    async def passkey(self, request: Request, made: Any) -> Response:
        key = request.session.pop(_CHALLENGE, "")
        label = request.query_params.get("label", "")
        session = await aside(self._enrolling.passkey, request, request.path_params["link"], key, made, label)
        return give(JSONResponse({"next": "/account"}), session)

    async def _show(self, request: Request, problem: str, status: int) -> Response:
        link = request.path_params["link"]
        try:
            found = await aside(self._enrolling.find, link)
        except Refused as error:
            return self._render(request, "access/no-link.html", status=404, problem=str(error))
        return self._render(
            request,
            "access/enrol.html",
            status=status,
            link=link,
            account=found.account,
            secret=self._enrolling.secret(found),
            providers=self._reception.providers.names,
            problem=problem,
        )


def _named(request: Request) -> str:
    return str(request.path_params["name"])


def _json_text(text: str) -> Response:
    return Response(text, media_type="application/json")
