"""Set the administrator's password of a RabbitMQ broker.

Amazon MQ's UpdateUser knows ActiveMQ users only; a RabbitMQ user is changed through the broker's own
management interface, for which the function runs in the broker's network.
https://docs.aws.amazon.com/amazon-mq/latest/developer-guide/rabbitmq-basic-elements-user.html
"""

import base64
import http.client
import json
import ssl
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import quote

from .stores import NotYetEffectiveError
from .versions import RotationRefusedError, Value

_TIMEOUT_SECONDS = 10

Connect = Callable[[str], http.client.HTTPConnection]


def connect_tls(host: str) -> http.client.HTTPConnection:
    """Connect to the broker's management interface and verify its certificate."""
    return http.client.HTTPSConnection(
        host, 443, timeout=_TIMEOUT_SECONDS, context=ssl.create_default_context()
    )


class RabbitMqStore:
    """The administrator of a RabbitMQ broker, who changes the own password."""

    def __init__(self, connect: Connect = connect_tls) -> None:
        self._connect = connect

    def set_password(self, pending: Value, current: Value, /) -> None:
        """Change the password, unless an earlier attempt of this rotation already has.

        Raises:
            RotationRefusedError: the broker takes neither password.
        """
        if self._logs_in(pending):
            return
        if not self._logs_in(current):
            raise RotationRefusedError(
                f"broker {current.resource_id} accepts neither the current nor the pending password of "
                f"{current.username}: set its password in the web console to the value of AWSCURRENT"
            )
        path = f"/api/users/{quote(current.username, safe='')}"
        tags = self._request(current, "GET", path)[1]["tags"]
        # The interface replaces the whole user: without its tags it would be no administrator any more.
        status, _ = self._request(
            current,
            "PUT",
            path,
            {"password": pending.password, "tags": ",".join(tags) if isinstance(tags, list) else tags},
        )
        if status not in (HTTPStatus.CREATED, HTTPStatus.NO_CONTENT):
            raise NotYetEffectiveError(
                f"broker {current.resource_id} answered {status} to the password change; "
                "the step is tried again"
            )

    def check(self, value: Value) -> None:
        """Log in with the password."""
        if not self._logs_in(value):
            raise NotYetEffectiveError(
                f"broker {value.resource_id} refuses the password of {value.username}; "
                "the step is tried again"
            )

    def _logs_in(self, value: Value) -> bool:
        status, _ = self._request(value, "GET", "/api/whoami")
        if status not in (HTTPStatus.OK, HTTPStatus.UNAUTHORIZED):
            raise NotYetEffectiveError(
                f"broker {value.resource_id} answered {status} to a log-in; the step is tried again"
            )
        return status == HTTPStatus.OK

    def _request(
        self, value: Value, method: str, path: str, body: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str | list[str]]]:
        login = base64.b64encode(f"{value.username}:{value.password}".encode()).decode()
        connection = self._connect(value.host)
        try:
            connection.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers={"Authorization": f"Basic {login}", "Content-Type": "application/json"},
            )
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        return response.status, json.loads(content) if content else {}
