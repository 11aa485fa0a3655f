"""What can be seen and done at the desk, each declared once.

An endpoint is a function `(at, asked) -> answer` between msgspec structs. From one declaration come

- the page: a Jinja template over `answer`;
- the form: its fields are those of `asked`;
- the REST API: `asked` and `answer` as JSON under `/api/v1`;
- its OpenAPI description, from the types;
- who may: `roles`, which has no default.

The function runs in a thread with a node of its own, and calls the same functions of `node` as the commands
do. It raises `BadInput` and `Refused`; the frame tells them to the person.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, get_type_hints

import msgspec

from tearline.doors.desk.person import Person, Role
from tearline.node import Node

if TYPE_CHECKING:
    from tearline.adapters.store import Approval

F = TypeVar("F", bound=Callable[..., Any])
_NAMED = re.compile(r"\{([a-z_]+)(?::[a-z]+)?\}")


def N_(text: str) -> str:  # noqa: N802 - the name that gettext's tools know
    """Marks a text for the catalogues; it is translated where it is shown."""
    return text


class Keeper(Protocol):
    """What outlives a request: answers of jobs, and who signs."""

    def sign(self, person: Person, act: str, subject: str, at: datetime, passphrase: str) -> Approval: ...
    def is_fresh(self, person: Person) -> bool: ...
    def kept(self, job: str, person: Person) -> Any: ...


class At(msgspec.Struct, frozen=True, kw_only=True):
    """Where an endpoint's function stands."""

    node: Node
    """Opened in this thread, and refreshed."""
    person: Person
    keeper: Keeper
    language: str = "en"
    progress: Callable[[int, int], None] = lambda done, of: None
    """To be told of a job: so many of so many."""
    doing: Callable[[str], None] = lambda what: None
    """To be told of a job: what is being done now."""

    def sign(self, act: str, subject: str, passphrase: str) -> Approval:
        """The officer's signed yes. Raises `Refused` where they have no key here, `BadInput` for a wrong
        passphrase."""
        return self.keeper.sign(self.person, act, subject, self.node.clock(), passphrase)

    def kept(self, job: str) -> Any:
        """What a job of this person found. Raises `Refused` where it is not there any more."""
        return self.keeper.kept(job, self.person)


class Nothing(msgspec.Struct, frozen=True):
    """What is asked where nothing is to be said, and answered where there is nothing to tell."""


class Download(msgspec.Struct, frozen=True):
    """An answer that is a file."""

    name: str
    media_type: str
    body: bytes
    shown: bool = False
    """Whether the browser shows it: a page made by us that runs nothing, behind walls of its own."""


class Upload(msgspec.Struct, frozen=True):
    """A file in what is asked. As JSON: its name, and its bytes in base64."""

    name: str
    body: bytes


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to see or to do."""

    name: str
    """The function's name after its area's: `referrals.queue`."""
    area: str
    path: str
    roles: frozenset[Role]
    call: Callable[[At, Any], Any]
    asks: type[msgspec.Struct]
    answers: type
    does: bool
    """Whether it acts: a POST. Else it shows: a GET, which changes nothing."""
    template: str | None
    """Of the page that shows the answer; none for what is asked through the API or downloaded."""
    then: str | None
    """The page after an act, with `{fields}` of what was asked and answered; of a job `{job}`."""
    says: str | None
    """Said on that page, with the same fields."""
    slow: bool
    """Whether it runs as a job, beside the requests."""
    api: bool = True
    """Whether programs may ask it too."""

    @property
    def named(self) -> tuple[str, ...]:
        """The fields of `asks` that stand in the path."""
        return tuple(_NAMED.findall(self.path))


class Area:
    """What belongs together: a noun of the desk, its endpoints, its place in the navigation."""

    def __init__(self, name: str, *, title: str = "", path: str = "", order: int = 0, key: str = "") -> None:
        """`title`: in the navigation, marked with `N_`; none for what has no place there. `path`: the page it
        leads to. `key`: pressed after `g` it leads there."""
        self.name, self.title, self.path, self.order, self.key = name, title, path, order, key
        self.endpoints: list[Endpoint] = []

    def shows(self, path: str, template: str | None = None, *, roles: frozenset[Role]) -> Callable[[F], F]:
        """Declare a page (or, without a template, what only the API and downloads have)."""
        return self._declare(path, roles, does=False, template=template)

    def does(
        self,
        path: str,
        *,
        roles: frozenset[Role],
        then: str | None = None,
        says: str | None = None,
        template: str | None = None,
        slow: bool = False,
        api: bool = True,
    ) -> Callable[[F], F]:
        """Declare an act. With `then` the person is led there afterwards; with a `template` the answer is
        shown at once, for acts that change nothing, such as checks of a text as it is typed. Without `api`
        it is for a person at a page alone."""
        return self._declare(
            path, roles, does=True, template=template, then=then, says=says, slow=slow, api=api
        )

    def _declare(
        self,
        path: str,
        roles: frozenset[Role],
        *,
        does: bool,
        template: str | None = None,
        then: str | None = None,
        says: str | None = None,
        slow: bool = False,
        api: bool = True,
    ) -> Callable[[F], F]:
        def declare(function: F) -> F:
            hints = get_type_hints(function)
            made = Endpoint(
                name=f"{self.name}.{function.__name__}",
                area=self.name,
                path=path,
                roles=roles,
                call=function,
                asks=hints["asked"],
                answers=hints["return"],
                does=does,
                template=template,
                then=then,
                says=says,
                slow=slow,
                api=api,
            )
            if missing := set(made.named) - set(made.asks.__struct_fields__):
                raise TypeError(f"{made.name}: {missing} stand in the path and are not asked")
            self.endpoints.append(made)
            return function

        return declare
