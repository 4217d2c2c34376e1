"""AWS calls: cached clients, retries with back-off, and errors that name the operation."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    InvalidRegionError,
    ParamValidationError,
)
from botocore.exceptions import (
    ConnectionError as BotocoreConnectionError,
)
from botocore.parsers import ResponseParserError
from botocore.utils import validate_region_name

from cloudcommerce_sandbox.plugins.aws import models
from cloudcommerce_sandbox.plugins.aws.errors import NO_ANSWER, AwsError, EmulatorGapError, is_emulator_gap
from cloudcommerce_sandbox.plugins.orphan import is_orphan
from cloudcommerce_sandbox.plugins.provider import ProviderError

_ATTEMPTS: Final = 10
_FIRST_DELAY: Final = 0.1
_LONGEST_DELAY: Final = 5.0
_CONFIG: Final[dict[str, Any]] = {
    # Retries are ours: botocore's would repeat the calls that the emulator does not implement.
    "retries": {"total_max_attempts": 1},
    "max_pool_connections": 128,
    "connect_timeout": 10,
    "read_timeout": 60,
    "s3": {"addressing_style": "path"},
}


@dataclass(frozen=True, kw_only=True)
class Account:
    """How to reach AWS: from the provider's configuration, else from botocore's usual environment.

    Attributes:
        region: Default region.
        access_key: Access key id; "" for the environment's.
        secret_key: Its secret.
        token: Session token.
        profile: Name of a profile in the shared files.
        endpoints: Service to endpoint URL; all others go where `AWS_ENDPOINT_URL` says.
    """

    region: str
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    profile: str = ""
    endpoints: Mapping[str, str] = field(default_factory=dict)


REGION_FORM: Final = "it has the form of us-east-1"


def is_region(name: str) -> bool:
    """Whether botocore takes this for the name of a region, of which it makes the names of hosts."""
    try:
        validate_region_name(name)
    except InvalidRegionError:
        return False
    return bool(name)


class CancelledError(ProviderError):
    """The user or the engine stopped the operation."""


class Clients:
    """Thread-safe access to AWS for one account."""

    def __init__(self, account: Account, cancelled: threading.Event | None = None) -> None:
        self._account = account
        self._cancelled = cancelled or threading.Event()
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}

    @property
    def default_region(self) -> str:
        """The provider's region."""
        return self._account.region

    def pause(self, seconds: float) -> None:
        """Sleep, but not through a cancellation.

        Raises:
            CancelledError: The operation was cancelled meanwhile.
        """
        if self._cancelled.wait(seconds):
            message = "cancelled"
            raise CancelledError(message)

    def client(self, service: str, region: str) -> Any:
        """Return the client of a service in a region, made once."""
        key = (service, region)
        found = self._clients.get(key)
        if found is None:
            with self._lock:
                found = self._clients.get(key) or self._make(service, region)
                self._clients[key] = found
        return found

    def _make(self, service: str, region: str) -> Any:
        account = self._account
        session = models.session()
        if account.profile:
            session.set_config_variable("profile", account.profile)
        try:
            return session.create_client(
                service,
                region_name=region,
                endpoint_url=account.endpoints.get(service) or None,
                aws_access_key_id=account.access_key or None,
                aws_secret_access_key=account.secret_key or None,
                aws_session_token=account.token or None,
                config=Config(**_CONFIG),
            )
        except (BotoCoreError, ValueError) as error:  # of the region, the profile, the endpoint
            message = f"no client of {service} can be made: {error}"
            raise ProviderError(message) from error

    def call(
        self,
        service: str,
        region: str,
        method: str,
        request: dict[str, Any],
        *,
        retry: tuple[str, ...] = (),
        deadline: float = 0.0,
    ) -> dict[str, Any]:
        """Call an operation; every page of a paginated one.

        Args:
            service: botocore service.
            region: Region of the client.
            method: Client method.
            request: Its members. A missing idempotency token is filled in once for all attempts.
            retry: Further errors to retry until the deadline (`Code` or `Code: part of the message`).
            deadline: `time.monotonic()` at which these end.

        Returns:
            The response without `ResponseMetadata`.

        Raises:
            AwsError: The call failed for good. `may_be_done` tells that an earlier attempt may have worked.
            CancelledError: The plugin was told to stop, or the engine is gone.
        """
        request = {**_idempotency(service, method), **request}
        attempt, in_doubt = 0, False
        while True:
            if is_orphan():
                raise CancelledError("the engine is gone")
            attempt += 1
            try:
                return self._attempt(service, region, method, request)
            except AwsError as error:
                may_pass = error.matches(retry) and time.monotonic() < deadline
                if not may_pass and not (error.is_transient and attempt < _ATTEMPTS):
                    error.may_be_done = in_doubt
                    raise
                in_doubt = in_doubt or error.leaves_doubt
            self.pause(_delay(attempt))

    def _attempt(self, service: str, region: str, method: str, request: dict[str, Any]) -> dict[str, Any]:
        client = self.client(service, region)
        label = f"{service}:{client.meta.method_to_api_mapping.get(method, method)}"
        run: Callable[..., Any] = getattr(client, method)
        if client.can_paginate(method):
            pages = client.get_paginator(method)

            def run(**members: Any) -> Any:
                return pages.paginate(**members).build_full_result()

        try:
            response = run(**request)
        except ClientError as error:
            raise _client_error(label, error) from None
        except ResponseParserError:
            raise EmulatorGapError(label, "its answer is not in AWS's protocol") from None
        except ParamValidationError as error:
            raise AwsError(label, "InvalidRequest", str(error)) from None
        except (BotocoreConnectionError, HTTPClientError) as error:
            raise AwsError(label, NO_ANSWER, str(error)) from None
        except BotoCoreError as error:
            raise AwsError(label, type(error).__name__, str(error)) from None
        response.pop("ResponseMetadata", None)
        found: dict[str, Any] = response
        return found


def _client_error(label: str, error: Any) -> AwsError:
    gap = is_emulator_gap(error.response)
    if gap:
        return EmulatorGapError(label, gap)
    body = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return AwsError(label, str(body.get("Code", "Unknown")), str(body.get("Message", "")), status)


def _idempotency(service: str, method: str) -> dict[str, str]:
    """Return a token for the operation if it takes one, so that a repeated create makes one thing only.

    Some of EC2's tokens are not marked as such in the model. What takes neither a token nor a name (a VPC, a
    key) can be made twice when an answer gets lost, as with every AWS client; the tags tell whose it is.
    """
    shape = models.input_shape(service, method)
    members = shape.members if shape is not None else {}
    tokens = (
        name
        for name, member in members.items()
        if member.metadata.get("idempotencyToken") or name == "ClientToken"
    )
    return {name: str(uuid.uuid4()) for name in tokens}


def _delay(attempt: int) -> float:
    """Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/."""
    ceiling = min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** min(attempt - 1, 10))
    return random.uniform(_FIRST_DELAY / 2, max(_FIRST_DELAY, ceiling))  # noqa: S311 - jitter, not a secret
