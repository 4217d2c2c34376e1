"""JSON logs and W3C trace context."""

import logging
import os
import re
import secrets
import sys
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

SERVICE = "product"
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {
    "message",
    "asctime",
    "color_message",
    "taskName",
}


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Where the current work stands in its trace.

    Attributes:
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits.
        sampled: Whether the caller records this trace.
    """

    trace_id: str = field(default_factory=lambda: secrets.token_hex(16))
    span_id: str = field(default_factory=lambda: secrets.token_hex(8))
    sampled: bool = True

    @classmethod
    def continued(cls, traceparent: str | None) -> "TraceContext":
        """A new span in the caller's trace, or in a new one where the header is absent or malformed.

        https://www.w3.org/TR/trace-context/#traceparent-header
        """
        match = _TRACEPARENT.fullmatch(traceparent or "")
        if match is None or set(match[1]) == {"0"} or set(match[2]) == {"0"}:
            return cls()
        return cls(trace_id=match[1], sampled=bool(int(match[3], 16) & 1))

    @property
    def traceparent(self) -> str:
        """The header that hands this context on."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


current_trace: ContextVar[TraceContext | None] = ContextVar("current_trace", default=None)


def trace_id() -> str:
    """The current trace's id, or nothing outside of a request."""
    context = current_trace.get()
    return context.trace_id if context else ""


class JsonFormatter(logging.Formatter):
    """One JSON object a line; an exception adds its type and stack, never to an answer, only here."""

    def format(self, record: logging.LogRecord) -> str:
        """Render a record."""
        context = current_trace.get()
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "service": SERVICE,
            "trace_id": context.trace_id if context else "",
            "span_id": context.span_id if context else "",
        }
        entry |= {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(entry, default=str, option=orjson.OPT_UTC_Z).decode()


def configure_logging(level: str) -> None:
    """Send all logs to standard output as JSON; uvicorn's access log is replaced by the middleware's."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("uvicorn.access").disabled = True
    # httpx logs whole URLs at info.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def configure_tracing() -> TracerProvider | None:
    """Export spans where OTEL_EXPORTER_OTLP_ENDPOINT names a collector; cost nothing elsewhere."""
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return None
    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider
