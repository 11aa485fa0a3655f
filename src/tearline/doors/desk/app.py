"""The desk as an ASGI application: from the endpoints' declarations to pages, forms and the REST API.

A request is checked in one order: whose it is (else the login), what they may (403), that a form is one of
ours and not forged (403), what it asks (400), then the act itself (409 where the rules refuse it).
"""

from __future__ import annotations

import asyncio
import hmac
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

import msgspec
import structlog
from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.applications import Starlette
from starlette.datastructures import URL
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tearline.adapters.home import Home
from tearline.adapters.store import Approval
from tearline.doors.desk import asked as ask
from tearline.doors.desk.endpoint import Area, At, Download, Endpoint
from tearline.doors.desk.jobs import Job, Jobs
from tearline.doors.desk.metrics import Metrics
from tearline.doors.desk.nodes import Nodes
from tearline.doors.desk.openapi import API, description
from tearline.doors.desk.pages import Pages, chosen
from tearline.doors.desk.person import EVERYBODY, Person, Role
from tearline.terms import BadInput, Broken, Refused, TearlineError

log = structlog.get_logger()

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SHOWN_CSP = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
"""Of a page to hand round that is shown here: it has no scripts, and no origin."""
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
FORM_SECONDS = 12 * 3600
"""How long a form may be open before it is sent."""
NOTICE = "__Host-desk-notice"

Render = Callable[..., Response]
"""`render(request, template, **values)`: a page outside the areas, for `Access`."""


class Access(Protocol):
    """Who is it? The desk asks; `access/` answers."""

    def who(self, request: Request) -> Person | None: ...
    def routes(self, render: Render) -> Iterable[BaseRoute]: ...
    def sign(self, person: Person, act: str, subject: str, at: datetime, passphrase: str) -> Approval: ...
    def is_fresh(self, person: Person) -> bool: ...
    def close(self) -> None: ...


class Forged(HTTPException):
    """A form that did not come from a page of ours."""

    def __init__(self) -> None:
        super().__init__(403, "This form is not one of this desk, or is too old: open the page again.")


class Desk:
    """The application, `self.app`, and what it holds. Close it when it has been served."""

    def __init__(
        self,
        home: Home,
        access: Access,
        areas: Iterable[Area],
        *,
        origin: str,
        nodes: Nodes | None = None,
        assets: Mapping[str, bytes] | None = None,
    ) -> None:
        """`origin`: its address in browsers, such as `https://desk.example`."""
        self.home, self.access = home, access
        self.areas = sorted(areas, key=lambda area: area.order)
        self.endpoints = [each for area in self.areas for each in area.endpoints]
        self.pages, self.metrics = Pages(assets=assets), Metrics()
        self.nodes = nodes or Nodes(home)
        self.jobs = Jobs(self.nodes.submit_slow)
        secret = hmac.digest(home.secret, b"desk forms", "sha256")
        self._forms = URLSafeTimedSerializer(secret, salt="form")
        self._notices = URLSafeTimedSerializer(secret, salt="notice")
        self.app = Starlette(
            routes=[*self._routes()],
            middleware=[
                Middleware(_Outer, desk=self),
                Middleware(TrustedHostMiddleware, allowed_hosts=[urlsplit(origin).hostname or ""]),
                Middleware(RequestBodyLimitMiddleware, max_body_size=home.config.desk.max_upload_mb << 20),
            ],
            exception_handlers={
                HTTPException: self.failed,
                TearlineError: self.failed,
            },
        )

    def close(self) -> None:
        self.nodes.close()

    # --- what there is ----------------------------------------------------------------------------

    def _routes(self) -> Iterable[BaseRoute]:
        yield Route("/static/{hash}/{name:path}", self._static)
        yield Route("/jobs/{job}", self._job)
        yield Route(f"{API}/jobs/{{job}}", self._job)
        yield Route(f"{API}/openapi.json", self._description)
        yield Route("/metrics", self._metrics)
        yield from self.access.routes(self.render)
        for endpoint in self.endpoints:
            methods = ["POST"] if endpoint.does else ["GET"]
            if endpoint.api:
                yield Route(
                    API + endpoint.path.rstrip("/"),
                    self._api(endpoint),
                    methods=methods,
                    name=f"api.{endpoint.name}",
                )
            if endpoint.template or endpoint.then or endpoint.answers is Download:
                yield Route(endpoint.path, self._page(endpoint), methods=methods, name=endpoint.name)

    def _page(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            request.scope["endpoint_name"] = endpoint.name
            person = self._somebody(request, endpoint.roles)
            if endpoint.does:
                form = await ask.form_of(request)
                self._must_be_ours(request, person, form.get("form"))
                asked = await ask.from_form(endpoint, request, form)
            else:
                asked = await ask.from_form(endpoint, request, request.query_params)
            if endpoint.slow:
                job = self._start(endpoint, person, asked, self._language(request, person))
                return self._lead(request, f"/jobs/{job.id}", "")
            found = await self._call(endpoint, person, asked, self._language(request, person))
            if isinstance(found, Download):
                return _file(found)
            if endpoint.template is not None:
                return self.render(request, endpoint.template, person=person, answer=found, asked=asked)
            told = _fields(asked) | _fields(found)
            says = self.pages.says(endpoint.says or "", self._language(request, person))
            return self._lead(request, _filled(endpoint.then or "/", told), says.format_map(told))

        return answer

    def _api(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            request.scope["endpoint_name"] = endpoint.name
            person = self._somebody(request, endpoint.roles)
            if endpoint.does and person.session:
                self._must_be_ours(request, person, request.headers.get("x-form"))
            asked = await ask.from_json(endpoint, request)
            if endpoint.slow:
                return _json(self._start(endpoint, person, asked, "en"), 202)
            found = await self._call(endpoint, person, asked, "en")
            return _file(found) if isinstance(found, Download) else _json(found)

        return answer

    # --- doing it ---------------------------------------------------------------------------------

    async def _call(self, endpoint: Endpoint, person: Person, asked: msgspec.Struct, language: str) -> Any:
        return await self.nodes.call(
            person.name,
            lambda node: endpoint.call(At(node=node, person=person, keeper=self, language=language), asked),
        )

    def _start(self, endpoint: Endpoint, person: Person, asked: msgspec.Struct, language: str) -> Job:
        def work(tell: Callable[..., None]) -> Any:
            def run(node: Any) -> Any:
                at = At(
                    node=node,
                    person=person,
                    keeper=self,
                    language=language,
                    progress=lambda done, of: tell(done=done, of=of),
                    doing=lambda what: tell(doing=what),
                )
                return endpoint.call(at, asked)

            return self.nodes.here(person.name, run)

        told = _fields(asked) | {"job": "{job}"}
        title = self.pages.says(endpoint.says or "", language).format_map(told)
        return self.jobs.start(person, title, _filled(endpoint.then or "/jobs/{job}", told), work)

    def sign(self, person: Person, act: str, subject: str, at: datetime, passphrase: str) -> Approval:
        return self.access.sign(person, act, subject, at, passphrase)

    def is_fresh(self, person: Person) -> bool:
        return self.access.is_fresh(person)

    def kept(self, job: str, person: Person) -> Any:
        return self.jobs.kept(job, person)

    # --- who, and whether it is they --------------------------------------------------------------

    def _somebody(self, request: Request, roles: frozenset[Role]) -> Person:
        person = self.access.who(request)
        if person is None:
            raise HTTPException(401, "Log in first.")
        if not person.may(roles):
            raise HTTPException(403, "Your role does not do this.")
        return person

    def form_token(self, session: str) -> str:
        """What a form carries, so that no other site can send it."""
        return self._forms.dumps(session)

    def _must_be_ours(self, request: Request, person: Person, token: Any) -> None:
        """OWASP's synchroniser token, bound to the session; and where the browser tells whence a request
        comes (Fetch Metadata), it must come from here."""
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            raise Forged
        try:
            session = self._forms.loads(token if isinstance(token, str) else "", max_age=FORM_SECONDS)
        except BadData:
            raise Forged from None
        if not hmac.compare_digest(str(session), person.session):
            raise Forged

    # --- answers ----------------------------------------------------------------------------------

    def render(
        self,
        request: Request,
        template: str,
        *,
        person: Person | None = None,
        status: int = 200,
        **values: Any,
    ) -> Response:
        """A page. Every template knows who looks, the navigation, the token for forms, and what was said."""
        person = person or self.access.who(request)
        language = self._language(request, person)
        notice, cookie = "", request.cookies.get(NOTICE, "")
        if cookie and not _by_htmx(request):
            try:
                notice = str(self._notices.loads(cookie, max_age=60))
            except BadData:
                notice = ""
        text = self.pages.draw(
            template,
            language,
            person=person,
            areas=[area for area in self.areas if area.title and person and person.may(self._readers(area))],
            path=request.url.path,
            here=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            party=self.home.party,
            node_name=self.home.config.name,
            form=self.form_token(person.session) if person else "",
            notice=notice,
            API=API,
            **values,
        )
        response = Response(text, status, media_type="text/html")
        if notice:
            response.delete_cookie(NOTICE, path="/", secure=True, httponly=True, samesite="strict")
        return response

    def _readers(self, area: Area) -> frozenset[Role]:
        """Who may see the page that an area's place in the navigation leads to."""
        found = [each.roles for each in area.endpoints if not each.does and each.path == area.path]
        return frozenset().union(*found)

    def _lead(self, request: Request, to: str, says: str) -> Response:
        if _by_htmx(request):
            response = Response(status_code=204, headers={"hx-redirect": to})
        else:
            response = RedirectResponse(to, 303)
        if says:
            response.set_cookie(
                NOTICE, self._notices.dumps(says), max_age=60, path="/", secure=True, httponly=True,
                samesite="strict",
            )  # fmt: skip
        return response

    def _language(self, request: Request, person: Person | None) -> str:
        return chosen(person.language if person else None, request.headers.get("accept-language", ""))

    def failed(self, request: Request, error: Exception) -> Response:
        """What went wrong, in one sentence; of a fault of ours, only that it is one."""
        match error:
            case HTTPException():
                status, sentence = error.status_code, str(error.detail)
            case BadInput():
                status, sentence = 400, str(error)
            case Refused():
                status, sentence = 409, str(error)
            case Broken():
                status, sentence = 503, str(error)
            case _:
                status, sentence = 500, "The desk could not do this; it is not your fault."
        if request.url.path.startswith(API):
            body = {"title": _TITLES.get(status, "It was not done."), "status": status, "detail": sentence}
            allow = {"allow": ", ".join(self._methods(request))} if status == 405 else None
            return Response(msgspec.json.encode(body), status, allow, "application/problem+json")
        if status == 401:
            to = "/login?" + urlencode({"next": request.url.path}) if request.method == "GET" else "/login"
            return (
                Response(status_code=204, headers={"hx-redirect": to})
                if _by_htmx(request)
                else RedirectResponse(to, 303)
            )
        template = "problem-part.html" if _by_htmx(request) else "problem.html"
        return self.render(request, template, status=status, sentence=sentence, code=status)

    def _methods(self, request: Request) -> list[str]:
        """Those that there are for the address: a page and an act may share one."""
        there = (each for each in self.app.routes if each.matches(request.scope)[0] is not Match.NONE)
        return sorted({method for each in there if isinstance(each, Route) for method in each.methods or ()})

    # --- the rest ---------------------------------------------------------------------------------

    async def _static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if self.pages.places.get(name) != request.url.path:
            raise HTTPException(404, "There is no such page.")
        asset = self.pages.assets[name]
        year = {"cache-control": "public, max-age=31536000, immutable"}
        return Response(asset.body, media_type=asset.media_type, headers=year)

    async def _job(self, request: Request) -> Response:
        request.scope["endpoint_name"] = "jobs.job"
        person = self._somebody(request, EVERYBODY)
        job = self.jobs.find(request.path_params["job"], person)
        if request.url.path.startswith(API):
            return _json(job)
        if job.then and job.state == "done":
            return self._lead(request, job.then, "")
        return self.render(request, "job.html", person=person, job=job)

    async def _description(self, request: Request) -> Response:
        self._somebody(request, EVERYBODY)
        return _json(await asyncio.to_thread(description, self.endpoints))

    async def _metrics(self, request: Request) -> Response:
        request.scope["endpoint_name"] = "metrics"
        person = self._somebody(request, frozenset({Role.ADMINISTRATOR, Role.AUDITOR}))
        state = await self.nodes.call(person.name, self.metrics.look)
        return Response(self.metrics.text(state), media_type=self.metrics.media_type)


class _Outer:
    """Around every request: headers, and a line in the log that tells no content."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self.app, self.desk = app, desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                known = {name for name, _ in message["headers"]}
                extra = HEADERS | (_HSTS if self.desk.home.config.desk.tls else {})
                message["headers"] = [
                    *message["headers"],
                    *((k.encode(), v.encode()) for k, v in extra.items() if k.encode() not in known),
                ]
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:
            log.error("request failed", kind=type(error).__name__, at=_place(error))  # noqa: TRY400
            await self.desk.failed(Request(scope), error)(scope, receive, sending)
        finally:
            name, seconds = scope.get("endpoint_name", "other"), time.perf_counter() - began
            self.desk.metrics.served(name, status, seconds)
            log.info("served", endpoint=name, status=status, ms=round(1000 * seconds, 1))


_HSTS = {"strict-transport-security": "max-age=31536000"}
_TITLES = {
    400: "It cannot be read.",
    401: "Log in first.",
    403: "You may not do this.",
    404: "There is no such page.",
    405: "This page does not do that.",
    409: "The rules do not allow it.",
    413: "It is too long.",
    429: "Wait a while.",
    500: "The desk could not do this.",
    503: "It cannot be done now.",
}


def _by_htmx(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


def _filled(path: str, told: Mapping[str, Any]) -> str:
    """A path with its `{fields}`, each escaped."""
    return path.format_map(
        {name: "{job}" if value == "{job}" else quote(str(value), safe="") for name, value in told.items()}
    )


def _fields(struct: Any) -> dict[str, Any]:
    if not isinstance(struct, msgspec.Struct):
        return {}
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _file(found: Download) -> Response:
    name = quote(found.name, safe="")
    how = "inline" if found.shown else "attachment"
    headers = {"content-disposition": f"{how}; filename*=UTF-8''{name}"}
    if found.shown:
        headers["content-security-policy"] = SHOWN_CSP
    return Response(found.body, media_type=found.media_type, headers=headers)


def _place(error: BaseException) -> str:
    """Where in the program it happened; the text of an error could hold content."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return "".join(f"{each.name}:{each.lineno}" for each in last)


def local_path(given: str) -> str:
    """A path on this desk to lead somebody to, of what was given; else the first page."""
    url = URL(given)
    ok = given.startswith("/") and not given.startswith(("//", "/\\")) and not url.scheme and not url.netloc
    return given if ok and given.isprintable() else "/"
