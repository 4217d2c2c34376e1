"""Failures of AWS calls, and what they mean for the plugin."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from cloudcommerce_sandbox.plugins.provider import ProviderError

_GONE: Final = re.compile(r"NotFound|NoSuch|DoesNotExist|NotExists?\b|\.Missing$")
_TAKEN: Final = re.compile(r"AlreadyExist|Duplicate|ResourceConflict|ResourceExists")
_THROTTLED: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException.Throttled",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""botocore's own list: https://docs.aws.amazon.com/boto3/latest/guide/retries.html"""


_TOO_MANY: Final = 429
_SERVER: Final = 500


class AwsError(ProviderError):
    """A refused or failed AWS call.

    Attributes:
        operation: `service:Operation`.
        code: AWS's error code.
        status: HTTP status; 0 when there was no answer.
        may_be_done: Whether an earlier attempt of the same call ended without telling what it did.
    """

    may_be_done = False

    def __init__(self, operation: str, code: str, message: str, status: int = 0) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.operation = operation
        self.code = code
        self.message = message
        self.status = status

    @property
    def is_gone(self) -> bool:
        """Whether AWS says that there is no such thing."""
        return bool(_GONE.search(self.code))

    @property
    def is_transient(self) -> bool:
        """Whether the same call can succeed a moment later: throttled, failed inside AWS, or no answer."""
        return (
            self.code in _THROTTLED
            or self.status == _TOO_MANY
            or self.status >= _SERVER
            or self.code == NO_ANSWER
        )

    @property
    def leaves_doubt(self) -> bool:
        """Whether AWS may have done what was asked: no answer, or a failure inside AWS."""
        return self.code == NO_ANSWER or self.status >= _SERVER

    @property
    def is_taken(self) -> bool:
        """Whether AWS says that such a thing exists already."""
        return bool(_TAKEN.search(self.code))

    def matches(self, patterns: Iterable[str]) -> bool:
        """Whether the error is one of `Code` or `Code: part of the message`."""
        return any(self._matches(pattern) for pattern in patterns)

    def _matches(self, pattern: str) -> bool:
        code, _, part = pattern.partition(": ")
        return self.code == code and part.lower() in self.message.lower()


NO_ANSWER: Final = "NoAnswer"
"""The code we give to connection failures and timeouts."""


class EmulatorGapError(AwsError):
    """The emulator lacks the operation; never retried."""

    def __init__(self, operation: str, detail: str) -> None:
        super().__init__(
            operation,
            "NotEmulated",
            f"the emulator does not implement {operation}, or fails in it ({detail}; its log tells which). "
            "Mend it in the emulator's extensions, or leave the resource out of the stack",
        )

    @property
    def is_transient(self) -> bool:
        """A gap stays a gap."""
        return False

    @property
    def is_gone(self) -> bool:
        """A gap says nothing about the thing."""
        return False


def is_emulator_gap(response: Any) -> str:
    """Tell a gap of the emulator from an error of AWS; return what it answered, "" for an error of AWS.

    moto's server answers an operation it lacks with an HTML page and status 404, 500 or 501, which botocore's
    parsers turn into an error whose code is the bare status.
    """
    metadata = response.get("ResponseMetadata", {})
    content = metadata.get("HTTPHeaders", {}).get("content-type", "")
    status = metadata.get("HTTPStatusCode", 0)
    message = str(response.get("Error", {}).get("Message", ""))
    is_page = content.startswith("text/html") and "<!doctype html" in message.lower()
    if is_page or (content.startswith("text/html") and status in (404, 500, 501)):
        return f"HTTP {status} with an HTML page"
    return "it says so" if "not yet implemented" in message.lower() or "NotImplemented" in message else ""
