"""`/sandbox-api`: how the sandbox and its tests look into the emulator."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from cloudcommerce_sandbox.emulator.faults import Fault, FaultPlan
from cloudcommerce_sandbox.emulator.recorder import CallRecorder
from cloudcommerce_sandbox.emulator.wire import Environ, Response

Handler = Callable[[bytes], Any]


class ControlApi:
    """Routes the control requests.

    Args:
        identity: returns what `/sandbox-api/health` says: url, pid and incarnation.
        provenance: returns what is moto's and what is ours.
        inventory: returns every resource that a fresh account does not have.
        kubernetes: answers everything below `/sandbox-api/kubernetes`: method, the rest of the path, query
            and body. A LookupError of it is a 404.
        login: tells whether a store would accept a password, see `logins.Login`.
        faults: failures to inject.
        recorder: calls seen so far.
    """

    def __init__(
        self,
        *,
        identity: Callable[[], Mapping[str, Any]],
        provenance: Callable[[], Mapping[str, Any]],
        inventory: Callable[[], list[dict[str, Any]]],
        login: Callable[[Mapping[str, Any]], bool],
        kubernetes: Callable[[str, str, Mapping[str, str], bytes], Any],
        faults: FaultPlan,
        recorder: CallRecorder,
    ) -> None:
        self._faults = faults
        self._recorder = recorder
        self._kubernetes = kubernetes
        self._handlers: dict[tuple[str, str], Handler] = {
            ("GET", "health"): lambda _: identity(),
            ("GET", "provenance"): lambda _: provenance(),
            ("GET", "inventory"): lambda _: inventory(),
            ("GET", "calls"): lambda _: recorder.document(),
            ("DELETE", "calls"): lambda _: recorder.clear(),
            ("GET", "faults"): lambda _: faults.document(),
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): lambda _: faults.clear(),
            ("POST", "login"): lambda body: {"accepted": login(json_object(body, "a login"))},
        }

    def __call__(self, environ: Environ) -> Response:
        """Answers one control request."""
        name = environ["PATH_INFO"].removeprefix("/sandbox-api/").rstrip("/")
        if name.split("/", 1)[0] == "kubernetes":
            return self._answer_kubernetes(environ, name)
        handler = self._handlers.get((environ["REQUEST_METHOD"], name))
        if handler is None:
            known = sorted(f"{method} /sandbox-api/{path}" for method, path in self._handlers)
            return _json(404, {"error": f"no {environ['REQUEST_METHOD']} {name}", "known": known})
        try:
            return _json(200, handler(environ["wsgi.input"].read()))
        except (ValueError, TypeError) as error:
            return _json(400, {"error": str(error)})

    def _answer_kubernetes(self, environ: Environ, name: str) -> Response:
        query = {key: values[-1] for key, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        rest, body = name.removeprefix("kubernetes").lstrip("/"), environ["wsgi.input"].read()
        try:
            return _json(200, self._kubernetes(environ["REQUEST_METHOD"], rest, query, body))
        except LookupError as error:
            return _json(404, {"error": str(error.args[0]) if error.args else "not found"})
        except (ValueError, TypeError) as error:
            return _json(400, {"error": str(error)})

    def _add_fault(self, body: bytes) -> dict[str, str]:
        return {"id": self._faults.add(Fault.from_document(json_object(body, "a fault")))}


def json_object(body: bytes, what: str) -> dict[str, Any]:
    """Returns the JSON object in a request's body.

    Args:
        body: the body.
        what: what it should be, for messages.

    Raises:
        ValueError: it is no JSON.
        TypeError: it is JSON, and not an object.
    """
    try:
        document = json.loads(body)
    except RecursionError as error:
        raise ValueError(f"{what} is nested too deeply") from error
    if not isinstance(document, dict):
        raise TypeError(f"{what} is a JSON object, got {type(document).__name__}")
    return document


def _json(status: int, document: Any) -> Response:
    return Response(status, {"Content-Type": "application/json"}, json.dumps(document, default=str).encode())
