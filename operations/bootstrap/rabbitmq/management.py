"""A client of RabbitMQ's management HTTP API, as far as the bootstrap needs it."""

import base64
import hashlib
import hmac
import json
import secrets
import ssl
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pika
from pika.exceptions import AMQPConnectionError, AuthenticationError, ProbableAuthenticationError

from operations.bootstrap.credentials import Credentials
from operations.bootstrap.errors import StoreError, StoreUnreachableError
from operations.bootstrap.plan import RabbitBroker
from operations.bootstrap.waiting import until_reachable

_TIMEOUT = 15.0
_HASHING = "rabbit_password_hashing_sha256"
_SALT_BYTES = 4
# Answers of a node that is starting, or of a load balancer in front of one.
_NOT_READY = frozenset(
    {
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)


def hash_password(password: str, salt: bytes | None = None) -> str:
    """RabbitMQ's salted hash of a password, so that the clear text never travels.

    Base64 of a 4-byte salt and SHA-256 over salt and password:
    https://www.rabbitmq.com/docs/passwords#computing-password-hash
    """
    salt = salt if salt is not None else secrets.token_bytes(_SALT_BYTES)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def is_hash_of(stored: str, algorithm: str, password: str) -> bool:
    """Whether a stored hash is of a password; a hash of another algorithm counts as of another password."""
    if algorithm != _HASHING or not stored:
        return False
    salt = base64.b64decode(stored)[:_SALT_BYTES]
    return hmac.compare_digest(stored, hash_password(password, salt))


class BrokerAccess:
    """How the bootstrap reaches a broker.

    Attributes:
        broker: The plan's part.
        master: The user of the management API.
    """

    def __init__(
        self, broker: RabbitBroker, master: Credentials, ca_file: Path | None, patience: float
    ) -> None:
        self.broker = broker
        self.master = master.username
        self._tls = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        token = base64.b64encode(f"{master.username}:{master.password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        self._patience = patience

    def get(self, *path: str) -> Any:
        """Read an object or a list; None when there is no such thing."""
        return self._request("GET", path)

    def put(self, body: Mapping[str, Any], *path: str) -> None:
        """Create an object or replace it."""
        self._request("PUT", path, body)

    def delete(self, *path: str) -> None:
        """Delete an object; that it is gone already is as good."""
        self._request("DELETE", path)

    def set_password(self, login: Credentials) -> None:
        """Give a user a password and take all its tags."""
        self.put({"password_hash": hash_password(login.password), "hashing_algorithm": _HASHING, "tags": ""},
                 "users", login.username)  # fmt: skip

    def close_to_login(self, name: str) -> None:
        """Create or change a user so that it has no tags and no password at all: none is accepted."""
        self.put({"password_hash": "", "tags": ""}, "users", name)

    def accepts(self, login: Credentials, vhost: str) -> bool:
        """Whether a password works, tried over AMQP: the management API refuses users without a tag anyway.

        Args:
            login: Whose.
            vhost: One that the user may enter.
        """
        parameters = pika.ConnectionParameters(
            host=self.broker.host,
            port=self.broker.amqp_port,
            virtual_host=vhost,
            credentials=pika.PlainCredentials(login.username, login.password),
            ssl_options=pika.SSLOptions(self._tls, self.broker.host),
            socket_timeout=_TIMEOUT,
            blocked_connection_timeout=_TIMEOUT,
        )
        return until_reachable(partial(self._try_amqp, parameters), self._patience)

    def _try_amqp(self, parameters: pika.ConnectionParameters) -> bool:
        try:
            pika.BlockingConnection(parameters).close()
        except (AuthenticationError, ProbableAuthenticationError):
            return False
        except (AMQPConnectionError, OSError) as error:
            raise self._unreachable(self.broker.amqp_port, error) from None
        return True

    def _request(self, method: str, path: tuple[str, ...], body: Mapping[str, Any] | None = None) -> Any:
        return until_reachable(partial(self._request_once, method, path, body), self._patience)

    def _request_once(self, method: str, path: tuple[str, ...], body: Mapping[str, Any] | None) -> Any:
        url = "/api/" + "/".join(quote(part, safe="") for part in path)
        connection = HTTPSConnection(self.broker.host, self.broker.port, timeout=_TIMEOUT, context=self._tls)
        try:
            connection.request(method, url, json.dumps(body) if body is not None else None, self._headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, HTTPException) as error:
            raise self._unreachable(self.broker.port, error) from None
        finally:
            connection.close()
        if response.status == HTTPStatus.NOT_FOUND and method in {"GET", "DELETE"}:
            return None
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise self._refused(method, path, response.status, content)
        return json.loads(content) if content else None

    def _unreachable(self, port: int, error: Exception) -> StoreError:
        subject = f"server {self.broker.host}:{port}"
        if isinstance(error, ssl.SSLCertVerificationError):
            return StoreError(
                self.broker.name, subject, error.verify_message,
                "Give the broker's CA bundle as ca_file, and the host name of its certificate",
            )  # fmt: skip
        return StoreUnreachableError(
            self.broker.name, subject, str(error) or type(error).__name__,
            "Check that the broker is running and that its security group admits this machine",
        )  # fmt: skip

    def _refused(self, method: str, path: tuple[str, ...], status: int, content: bytes) -> StoreError:
        if status == HTTPStatus.UNAUTHORIZED:
            return StoreError(
                self.broker.name, f"login {self.master}",
                "the broker refuses the master, or it has no management tag",
                "Put the right password into the master secret; the user needs the tag administrator",
            )  # fmt: skip
        kind = StoreUnreachableError if status in _NOT_READY else StoreError
        return kind(
            self.broker.name, " ".join(path), f"{method} is answered with {status}{_reason(content)}",
            "Look in the broker's log for the request",
        )  # fmt: skip


def _reason(content: bytes) -> str:
    try:
        return f" ({json.loads(content)['reason']})"
    except (ValueError, KeyError, TypeError):
        return ""
