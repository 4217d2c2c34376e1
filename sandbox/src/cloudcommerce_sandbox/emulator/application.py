"""The way of one request: admission, control API, faults, refusals, moto, record."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
import traceback
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from cloudcommerce_sandbox.emulator.admission import refusal
from cloudcommerce_sandbox.emulator.faults import FaultKind, FaultPlan, fault_error
from cloudcommerce_sandbox.emulator.recorder import CallRecorder, RecordedCall
from cloudcommerce_sandbox.emulator.server import ConnectionDropped
from cloudcommerce_sandbox.emulator.wire import ApiError, AwsCall, Environ, Response, identify

Guard = Callable[[AwsCall], None]

# Not one of the 5xx that clients retry: a hole in the emulator stays a hole.
_UNSUPPORTED = HTTPStatus.NOT_IMPLEMENTED

# These wait for code that calls the emulator itself, and take the lock on their own when they touch state.
_UNLOCKED = frozenset({("lambda", "Invoke")})


class _Dispatcher(DomainDispatcherApplication):
    def get_backend_for_host(self, host: str | None) -> Any:
        if (
            host
            and "." in host
            and not any(base.match(f"http://{host}") for _, base in self.backend_url_patterns)
        ):
            raise NotImplementedError(f"moto has no service at {host}")
        return super().get_backend_for_host(host)


class EmulatorApplication:
    """Answers AWS calls by moto, one at a time.

    moto's backends are plain dictionaries that no lock protects, and CPython runs one thread at a time
    anyway: one lock around each call takes every race away. Measured with DescribeSubnets on 1, 4 and 16
    threads, a call takes 3 ms of processor time with the lock and without it, and as many calls a second.

    Args:
        guard: raises ApiError for a call that AWS refuses and moto lets through.
        control: answers requests under /sandbox-api.
        faults: failures to inject.
        recorder: told of every call.
        lock: held while a call runs; share it with whatever else reads moto's state.
        after: told of every call that was carried out, while the lock is still held.
    """

    def __init__(
        self,
        guard: Guard,
        control: Callable[[Environ], Response],
        *,
        faults: FaultPlan,
        recorder: CallRecorder,
        lock: threading.RLock,
        after: Callable[[AwsCall], None],
    ) -> None:
        self._guard = guard
        self._control = control
        self._faults = faults
        self._recorder = recorder
        self._lock = lock
        self._after = after
        self._moto = _Dispatcher(create_backend_app)
        self.stopping = threading.Event()

    def __call__(self, environ: Environ) -> Response:
        """Answers one request; raises ConnectionDropped when it is to get no answer."""
        if reason := refusal(environ):
            return Response(HTTPStatus.FORBIDDEN, {"Content-Type": "text/plain"}, reason.encode())
        if environ["PATH_INFO"].startswith("/sandbox-api/"):
            return self._control(environ)
        started = time.perf_counter()
        call = identify(environ)
        status = 0
        try:
            response = self._answer(call) if call else self._ask_moto(environ)
            status = response.status
        finally:
            if call:
                elapsed = (time.perf_counter() - started) * 1000
                self._recorder.record(
                    RecordedCall(call.service, call.operation, call.region, status, round(elapsed, 3))
                )
        return response

    def _answer(self, call: AwsCall) -> Response:
        fault = self._faults.strike(call)
        if fault is None:
            return self._execute(call)
        if fault.delay_seconds:
            self.stopping.wait(fault.delay_seconds)
        if fault.kind in {FaultKind.TIMEOUT, FaultKind.DROP_CONNECTION}:
            raise ConnectionDropped
        if fault.kind is FaultKind.LOST_RESPONSE:
            self._execute(call)
            raise ConnectionDropped
        return call.refuse(fault_error(fault.kind, call))

    def _execute(self, call: AwsCall) -> Response:
        locked = contextlib.nullcontext() if (call.service, call.operation) in _UNLOCKED else self._lock
        try:
            with locked:
                self._guard(call)
                response = self._ask_moto(call.environ)
                self._after(call)
        except ApiError as error:
            return call.refuse(error)
        except NotImplementedError:
            return call.refuse(_unsupported(call))
        except Exception as error:  # noqa: BLE001 - whatever moto trips over becomes an answer
            traceback.print_exc(file=sys.stderr)
            message = f"{call.service}:{call.operation} broke the emulator: {type(error).__name__}: {error}"
            return call.refuse(ApiError("EmulatorFailure", message, _UNSUPPORTED))
        if response.status == HTTPStatus.NOT_FOUND and b"<!doctype html>" in response.body[:64].lower():
            return call.refuse(_unsupported(call))
        return response

    def _ask_moto(self, environ: Environ) -> Response:
        answer: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
            answer.update(status=int(status.split(" ", 1)[0]), headers=dict(headers))

        environ["wsgi.input"].seek(0)
        chunks = self._moto(environ, start_response)
        try:
            body = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close:
                close()
        return Response(answer["status"], answer["headers"], body)


def _unsupported(call: AwsCall) -> ApiError:
    name = call.operation or f"{call.environ['REQUEST_METHOD']} {call.environ['PATH_INFO']}"
    return ApiError(
        "EmulatorUnsupportedOperation",
        f"The emulator has no {call.service}:{name}; add it in sandbox emulator/extensions",
        _UNSUPPORTED,
    )
