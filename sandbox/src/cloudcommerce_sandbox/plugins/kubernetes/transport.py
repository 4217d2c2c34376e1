"""Requests to one API server: credentials by the official client, one connection pool, retries."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import urllib3

from cloudcommerce_sandbox.plugins.kubernetes import credentials
from cloudcommerce_sandbox.plugins.kubernetes.errors import ApiError, UnreachableError

PATIENCE: Final = 30.0
"""Seconds during which a server that is restarted or overloaded is asked again."""
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 4.0
_WARNING: Final = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
"""Deprecated versions, Pod Security in warn mode, webhooks: RFC 7234, section 5.5."""
_BUSY: Final = (429, 500, 502, 503, 504)
_REFUSALS: Final = 400
_UNAUTHORIZED: Final = 401


class Transport:
    """Sends requests to the API server that a kubeconfig's context names. Safe for many threads.

    Args:
        config: The kubeconfig.
        context: Name of the context; empty for the current one.
        cluster: Name of a cluster that overrides the context's.
        cancelled: Ends waits early.

    Raises:
        UnreachableError: The kubeconfig leads to no server, or gives no credentials.
    """

    def __init__(
        self, config: Mapping[str, Any], context: str, cluster: str, cancelled: threading.Event
    ) -> None:
        self._cancelled = cancelled
        self._settings, self._pool = credentials.connect(config, context, cluster)
        self._refresh_lock = threading.Lock()
        self._local = threading.local()
        self.host = str(self._settings.host)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        patience: float = PATIENCE,
    ) -> Any:
        """Send a request and return the parsed answer.

        A server that refuses connections or says that it is busy is asked again with growing pauses, so that
        its restart in the middle of an update goes unnoticed. A caller of a request that is not idempotent
        has to expect that an earlier attempt succeeded unheard.

        Args:
            method: HTTP method.
            path: Path on the server.
            query: Query parameters.
            body: What to send, as plain values.
            content_type: Type of the body.
            accept: Wanted type of the answer.
            patience: Seconds to go on for.

        Raises:
            ApiError: The server refused.
            UnreachableError: It did not answer for that long.
        """
        url = self.host + path + ("?" + urlencode(query) if query else "")
        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept": accept, "Content-Type": content_type}
        end, pause = time.monotonic() + patience, _FIRST_PAUSE
        while True:
            failure, wait = self._attempt(method, url, data, headers)
            if not isinstance(failure, Exception):
                return failure
            if wait is None or time.monotonic() + wait > end or self._cancelled.is_set():
                raise failure
            self._cancelled.wait(max(pause, wait))
            pause = min(_LONGEST_PAUSE, pause * 2)

    def take_warnings(self) -> list[str]:
        """Return what the server warned of in answers to this thread since the last call, each once."""
        found = list(dict.fromkeys(self._warnings()))
        self._warnings().clear()
        return found

    def _warnings(self) -> list[str]:
        if not hasattr(self._local, "warnings"):
            self._local.warnings = []
        warnings: list[str] = self._local.warnings
        return warnings

    def _attempt(
        self, method: str, url: str, data: bytes | None, headers: dict[str, str]
    ) -> tuple[Any, float | None]:
        """Return the answer or the failure, and after how many seconds to try again (None: never)."""
        try:
            answer = self._pool.request(
                method, url, body=data, headers={**headers, **self._credentials()}, retries=False
            )
        except urllib3.exceptions.SSLError as error:
            return UnreachableError(f"no trusted connection to {self.host}: {error}"), None
        except urllib3.exceptions.HTTPError as error:
            return UnreachableError(f"{self.host} does not answer: {_reason(error)}"), 0.0
        self._warnings().extend(_WARNING.findall(answer.headers.get("Warning") or ""))
        if answer.status >= _REFUSALS:
            return _refusal(answer, self.host)
        try:
            return json.loads(answer.data), None
        except ValueError:
            return UnreachableError(f"{self.host} answers no JSON; is it an API server?"), None

    def _credentials(self) -> dict[str, str]:
        # The official client runs the kubeconfig's `exec` command again when its token is about to expire.
        with self._refresh_lock:
            token = self._settings.get_api_key_with_prefix("authorization")
        return {"Authorization": token} if token else {}


def _refusal(answer: Any, host: str) -> tuple[ApiError | UnreachableError, float | None]:
    try:
        status = json.loads(answer.data)
    except ValueError:
        status = {}
    if not isinstance(status, dict) or status.get("kind") != "Status":
        text = answer.data[:300].decode(errors="replace").strip()
        status = {"message": f"{host} answers HTTP {answer.status}: {text}"}
    error = ApiError(answer.status, status)
    if answer.status == _UNAUTHORIZED:
        message = f"{host} does not accept the credentials of the kubeconfig: {error.message}"
        return UnreachableError(message), None
    if answer.status not in _BUSY:
        return error, None
    return error, float(answer.headers.get("Retry-After") or 0)


def _reason(error: Exception) -> str:
    text = str(error)
    return text.rpartition(">: ")[2] or text or type(error).__name__
