"""Errors as RFC 9457 problem details."""

from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from cloudcommerce_product.database.engine import is_disconnect
from cloudcommerce_product.telemetry import trace_id

MEDIA_TYPE = "application/problem+json"
_BASE = "https://cloudcommerce.example/problems/"


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """An error that the caller may see.

    Args:
        status: The HTTP status.
        slug: The last part of the problem's type.
        title: The same words for each problem of this type.
        detail: What was wrong here, with the limit and the way out.
        headers: Further headers of the answer.
        members: Further members of the document.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.title = title
        self.detail = detail
        self.headers = headers
        self.members = members

    def response(self, instance: str) -> Response:
        """The answer, for a request to the path `instance`."""
        document = {
            "type": _BASE + self.slug,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "trace_id": trace_id(),
            **self.members,
        }
        return Response(
            orjson.dumps(document, default=str), self.status, media_type=MEDIA_TYPE, headers=self.headers
        )


def not_found(what: str) -> Problem:
    """There is no such thing."""
    return Problem(404, "not-found", "Not found", f"There is no such {what}.")


def conflict(slug: str, title: str, detail: str, **members: Any) -> Problem:
    """The request does not fit the present state."""
    return Problem(409, slug, title, detail, **members)


def invalid(pointer: str, detail: str) -> Problem:
    """One value is wrong, in a way that the schema alone cannot tell."""
    return validation([{"pointer": pointer, "detail": detail}])


def validation(errors: list[dict[str, str]]) -> Problem:
    """Some values of the request are wrong."""
    return Problem(
        422, "validation", "Invalid request", "Some values are invalid; see errors.", errors=errors
    )


def unavailable(detail: str = "Try again in a moment.") -> Problem:
    """A store does not answer or has no connection free."""
    return Problem(503, "unavailable", "Service unavailable", detail, headers={"retry-after": "1"})


def pointers(errors: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Pydantic's errors as RFC 9457's; the refused values themselves stay out."""
    return [
        {
            "pointer": "/" + "/".join(_escaped(part) for part in error["loc"] if part != "body"),
            "detail": error["msg"],
        }
        for error in errors[:20]
    ]


def _escaped(part: Any) -> str:
    # RFC 6901, section 3; a hostile name of a member must not fill the answer.
    return str(part).replace("~", "~0").replace("/", "~1")[:100]


def install(app: FastAPI) -> None:
    """Make every error of an application a problem document."""

    @app.exception_handler(Problem)
    async def _problem(request: Request, error: Problem) -> Response:
        return error.response(request.url.path)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        return validation(pointers(list(error.errors()))).response(request.url.path)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        slug = status.phrase.lower().replace(" ", "-")
        problem = Problem(status, slug, status.phrase, error.detail, headers=dict(error.headers or {}))
        return problem.response(request.url.path)

    @app.exception_handler(PoolTimeoutError)
    async def _busy(request: Request, _: PoolTimeoutError) -> Response:
        return unavailable().response(request.url.path)

    @app.exception_handler(Exception)
    async def _internal(request: Request, error: Exception) -> Response:
        if is_outage(error):
            return unavailable().response(request.url.path)
        problem = Problem(
            500, "internal", "Internal error", "This is our fault; the trace id tells us where."
        )
        return problem.response(request.url.path)


def is_outage(error: Exception) -> bool:
    """Whether PostgreSQL went away under the request, or let it wait too long."""
    if isinstance(error, DBAPIError):
        return is_disconnect(error) or getattr(error.orig, "sqlstate", None) == "55P03"
    return isinstance(error, OSError)
