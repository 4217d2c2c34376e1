"""Middleware as plain ASGI: no copies of a request, no task of its own."""

import asyncio
import logging
import time
from typing import Any

from opentelemetry import trace
from opentelemetry.propagate import extract
from opentelemetry.trace import Span, SpanKind
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloudcommerce_product import metrics
from cloudcommerce_product.problems import Problem, is_outage
from cloudcommerce_product.telemetry import TraceContext, current_trace

_log = logging.getLogger("cloudcommerce_product.access")
_tracer = trace.get_tracer("cloudcommerce_product")
_BODY_SECONDS = 10.0
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_SECURITY = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Observe:
    """Continues the caller's trace, measures, logs, and turns what escapes into a 500.

    Args:
        app: The application.
        tracing: Whether spans are exported; without a collector they are not even made.
    """

    def __init__(self, app: ASGIApp, *, tracing: bool = False) -> None:
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        span: Span | None = None
        if self._tracing:
            span, context = _begin_span(scope, headers)
        else:
            context = TraceContext.continued(headers.get("traceparent"))
        token = current_trace.set(context)
        begun = time.perf_counter()
        answer = _Answer(send)
        try:
            await self._app(scope, receive, answer)
        except Exception as error:  # noqa: BLE001 - the last place to turn a fault into an answer
            await _fail(scope, receive, answer, error)
        finally:
            _finish(scope, answer.status, time.perf_counter() - begun, span)
            current_trace.reset(token)


class _Answer:
    """Passes messages on and remembers the status."""

    __slots__ = ("_send", "status")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *_SECURITY]
        await self._send(message)


class LimitBody:
    """Refuses bodies that are too large or too slow, however they announce themselves.

    Args:
        app: The application.
        limit: The largest body, in bytes.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or int(length) > self._limit:
            await self._refusal().response(scope["path"])(scope, receive, send)
            return
        await self._app(scope, self._limited(receive), send)

    def _limited(self, receive: Receive) -> Receive:
        received = 0
        complete = False

        async def limited() -> Message:
            nonlocal received, complete
            if complete:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), _BODY_SECONDS)
            except TimeoutError:
                raise HTTPException(408, "The body took too long.") from None
            received += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if received > self._limit:
                raise HTTPException(413, self._refusal().detail)
            return message

        return limited

    def _refusal(self) -> Problem:
        return Problem(
            413, "content-too-large", "Content Too Large", f"A body may have {self._limit} bytes at most."
        )


def wrap(app: ASGIApp, *, body_limit: int, tracing: bool = False) -> ASGIApp:
    """Put the middleware around an application."""
    return Observe(
        LimitBody(GZipMiddleware(app, minimum_size=1024, compresslevel=4), body_limit), tracing=tracing
    )


def _begin_span(scope: Scope, headers: Headers) -> tuple[Span, TraceContext]:
    span = _tracer.start_span(
        scope["method"],
        context=extract(headers),
        kind=SpanKind.SERVER,
        attributes={"http.request.method": scope["method"], "url.path": scope["path"]},
    )
    own = span.get_span_context()
    return span, TraceContext(f"{own.trace_id:032x}", f"{own.span_id:016x}", own.trace_flags.sampled)


def _finish(scope: Scope, status: int, seconds: float, span: Span | None) -> None:
    # The route, not the path: a path would make a time series for each product.
    route: Any = getattr(scope.get("route"), "path", "unmatched")
    method = scope["method"] if scope["method"] in _METHODS else "other"
    metrics.request_timer(method, route, status).observe(seconds)
    if scope["path"] not in _QUIET:
        _log.info(
            "request",
            extra={
                "method": method,
                "route": route,
                "status": status,
                "duration_ms": round(seconds * 1000, 2),
            },
        )
    if span is not None:
        span.update_name(f"{method} {route}")
        span.set_attributes({"http.route": route, "http.response.status_code": status})
        span.end()


async def _fail(scope: Scope, receive: Receive, answer: _Answer, error: Exception) -> None:
    if is_outage(error):
        _log.warning("a store went away", extra={"cause": type(error).__name__})
    else:
        _log.error("unhandled error", exc_info=error)
    if answer.status == 0:
        problem = Problem(
            500, "internal", "Internal error", "This is our fault; the trace id tells us where."
        )
        await problem.response(scope["path"])(scope, receive, answer)
