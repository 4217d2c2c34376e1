"""Requests as curl would send them, shown as they happen."""

import contextlib
import http.client
import json
import shlex
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from queue import Empty, Queue
from typing import Any

_TIMEOUT_SECONDS = 30.0
Show = Callable[[str], None]


class DemoError(Exception):
    """The shop did not do what it should; the message says what was wanted and what came."""


def expect(holds: bool, wanted: str, found: object) -> None:
    """Stop the demo when something is not as it should be.

    Args:
        holds: Whether it is.
        wanted: What should be.
        found: What is.

    Raises:
        DemoError: It does not hold.
    """
    if not holds:
        raise DemoError(f"{wanted}; found: {found}")


@dataclass(frozen=True)
class Answer:
    """An answer with its body read.

    Attributes:
        body: From JSON; None when there is none.
        milliseconds: From the request's first byte to the answer's last.
    """

    status: int
    headers: Mapping[str, str]
    body: Any
    milliseconds: float


@dataclass
class Client:
    """Somebody who talks to one address.

    Attributes:
        host: Such as `127.0.0.1:8088`.
        show: Takes each line that people should see.
        token: Access token to send; empty sends none.
        name: The variable that stands for the token in curl lines.
    """

    host: str
    show: Show
    token: str = ""
    name: str = "TOKEN"
    _default: dict[str, str] = field(default_factory=lambda: {"accept": "application/json"})

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        wanted: int,
        shown: str | None = "",
    ) -> Answer:
        """Send a request, show it with the interesting part of its answer, and check its status.

        Args:
            method: HTTP method.
            path: Path with its query.
            body: Sent as JSON; None sends none.
            headers: More headers.
            wanted: The status that must come.
            shown: Names of the fields of the answer to show, separated by spaces; None shows nothing at all.

        Raises:
            DemoError: Another status came, or no answer.
        """
        content = None if body is None else json.dumps(body)
        sent = {**self._default, **(headers or {})}
        if content is not None:
            sent["content-type"] = "application/json"
        if shown is not None:
            self.show(self._curl(method, path, content, sent))
        answer = self._send(method, path, content, self._authorized(sent))
        if shown is not None:
            self.show(
                f"  {answer.status} in {answer.milliseconds:.0f} ms {_picked(answer.body, shown)}".rstrip()
            )
        expect(answer.status == wanted, f"{method} {path} is answered {wanted}", (answer.status, answer.body))
        return answer

    @contextlib.contextmanager
    def stream(self, path: str) -> Iterator["Events"]:
        """Follow server-sent events while the block lasts.

        Args:
            path: Their path.

        Raises:
            DemoError: It is no stream of events.
        """
        self.show(self._curl("GET", path, None, {"accept": "text/event-stream"}) + " --no-buffer &")
        connection = http.client.HTTPConnection(self.host, timeout=_TIMEOUT_SECONDS)
        connection.connect()
        stream: socket.socket = connection.sock
        try:
            connection.request("GET", path, headers=self._authorized({"accept": "text/event-stream"}))
            response = connection.getresponse()
            kind = response.headers.get("content-type", "")
            expect(
                response.status == http.HTTPStatus.OK and kind.startswith("text/event-stream"),
                f"GET {path} streams events",
                (response.status, kind),
            )
            yield Events(response)
        finally:
            # Closing alone would wait for the thread that reads, until the next heartbeat.
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _authorized(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {**headers, **({"authorization": f"Bearer {self.token}"} if self.token else {})}

    def _curl(self, method: str, path: str, content: str | None, headers: Mapping[str, str]) -> str:
        parts = ["curl", "-sS", *([] if method == "GET" else ["-X", method]), f"http://{self.host}{path}"]
        for name, value in headers.items():
            if name != "accept":
                parts += ["-H", f"{name}: {value}"]
        if content is not None:
            parts += ["-d", content]
        # Double quotes, so that a shell fills the token in.
        token = f' -H "authorization: Bearer ${self.name}"' if self.token else ""
        return "$ " + shlex.join(parts) + token

    def _send(self, method: str, path: str, content: str | None, headers: Mapping[str, str]) -> Answer:
        connection = http.client.HTTPConnection(self.host, timeout=_TIMEOUT_SECONDS)
        started = time.perf_counter()
        try:
            connection.request(method, path, content, dict(headers))
            response = connection.getresponse()
            raw = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise DemoError(f"{method} http://{self.host}{path} got no answer: {error}") from error
        finally:
            connection.close()
        elapsed = (time.perf_counter() - started) * 1000
        is_json = "json" in response.headers.get("content-type", "")
        body = json.loads(raw) if is_json and raw else raw.decode(errors="replace") or None
        received = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, received, body, elapsed)


class Events:
    """The events of a stream, as they come.

    Args:
        response: The open answer.
    """

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._events: Queue[tuple[str, Any]] = Queue()
        threading.Thread(target=self._read, args=(response,), daemon=True).start()

    def next(self, timeout: float) -> tuple[str, Any]:
        """Return the next event's name and data.

        Args:
            timeout: Seconds to wait for it.

        Raises:
            DemoError: None came.
        """
        try:
            return self._events.get(timeout=timeout)
        except Empty:
            raise DemoError(f"an event comes within {timeout:.0f} s; found: none") from None

    def _read(self, response: http.client.HTTPResponse) -> None:
        event = ""
        try:
            for raw in response:
                line = raw.decode().rstrip("\r\n")
                if line.startswith("event:"):
                    event = line.removeprefix("event:").strip()
                elif line.startswith("data:"):
                    self._events.put((event, json.loads(line.removeprefix("data:"))))
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            return  # closed by us, or cut off: who waits for an event finds out


def _picked(body: Any, names: str) -> str:
    if not isinstance(body, dict):
        return ""
    return " ".join(f"{name}={json.dumps(body[name])}" for name in names.split() if name in body)
