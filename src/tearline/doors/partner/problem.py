"""What a partner is told when a request cannot be served: a TAXII error (section 3.6.1) and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from starlette.responses import Response

from tearline.deliver.taxii import MEDIA_TYPE
from tearline.terms import BadInput


class Problem(Exception):
    """Ends a request with an HTTP status. `description` is a sentence; it holds nothing of our own."""

    def __init__(self, status: int, description: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, description)
        self.status, self.description, self.headers = status, description, dict(headers or {})

    @classmethod
    def of(cls, error: BadInput, status: int = 400) -> Problem:
        """What was wrong with the client's input, in our words."""
        at = f"{error.place}: " if error.place else ""
        return cls(status, f"{at}{error.reason}" + (f"; {error.remedy}" if error.remedy else ""))

    def body(self) -> bytes:
        """The error resource. Problems of one status and description are the same to the byte."""
        error = {"title": _title(self.status), "http_status": str(self.status)}
        return orjson.dumps(error | ({"description": self.description} if self.description else {}))

    def response(self) -> Response:
        return Response(self.body(), self.status, self.headers, MEDIA_TYPE)


def not_found() -> Problem:
    """One answer for what is hidden and for what is not there (law 5)."""
    return Problem(404, "There is nothing here for you.")


def _title(status: int) -> str:
    return HTTPStatus(status).phrase
