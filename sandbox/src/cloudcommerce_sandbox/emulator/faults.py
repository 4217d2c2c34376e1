"""Injected failures: what AWS does on a bad day, on demand and in the service's own words."""

from __future__ import annotations

import itertools
import json
import random
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from types import UnionType
from typing import Any

from cloudcommerce_sandbox.emulator.wire import ApiError, AwsCall, service_model


class FaultKind(StrEnum):
    """The ways in which a call can fail."""

    THROTTLE = "throttle"
    INTERNAL = "internal"
    ACCESS_DENIED = "access-denied"
    TIMEOUT = "timeout"  # holds the call for delay_seconds, then drops it without having executed it
    DROP_CONNECTION = "drop-connection"  # drops it at once without having executed it
    LOST_RESPONSE = "lost-response"  # executes it, then drops the connection


# Error codes by wire protocol, then by service where a service differs. From the "Common Errors" page of each
# API reference, such as https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html and
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/CommonErrors.html
_BY_PROTOCOL: Mapping[str, Mapping[FaultKind, tuple[str, int]]] = {
    "ec2": {
        FaultKind.THROTTLE: ("RequestLimitExceeded", 503),
        FaultKind.INTERNAL: ("InternalError", 500),
        FaultKind.ACCESS_DENIED: ("UnauthorizedOperation", 403),
    },
    "query": {
        FaultKind.THROTTLE: ("Throttling", 400),
        FaultKind.INTERNAL: ("InternalFailure", 500),
        FaultKind.ACCESS_DENIED: ("AccessDenied", 403),
    },
    "json": {
        FaultKind.THROTTLE: ("ThrottlingException", 400),
        FaultKind.INTERNAL: ("InternalFailure", 500),
        FaultKind.ACCESS_DENIED: ("AccessDeniedException", 400),
    },
    "rest-json": {
        FaultKind.THROTTLE: ("TooManyRequestsException", 429),
        FaultKind.INTERNAL: ("InternalFailure", 500),
        FaultKind.ACCESS_DENIED: ("AccessDeniedException", 403),
    },
    "rest-xml": {
        FaultKind.THROTTLE: ("Throttling", 400),
        FaultKind.INTERNAL: ("ServiceUnavailable", 503),
        FaultKind.ACCESS_DENIED: ("AccessDenied", 403),
    },
}
_BY_SERVICE: Mapping[str, Mapping[FaultKind, tuple[str, int]]] = {
    "ecr": {FaultKind.INTERNAL: ("ServerException", 500)},
    "kms": {FaultKind.INTERNAL: ("KMSInternalException", 500)},
    "lambda": {FaultKind.INTERNAL: ("ServiceException", 500)},
    "mq": {
        FaultKind.INTERNAL: ("InternalServerErrorException", 500),
        FaultKind.ACCESS_DENIED: ("ForbiddenException", 403),
    },
    "s3": {FaultKind.THROTTLE: ("SlowDown", 503), FaultKind.INTERNAL: ("InternalError", 500)},
    "secretsmanager": {FaultKind.INTERNAL: ("InternalServiceError", 500)},
    "sns": {FaultKind.THROTTLE: ("Throttled", 429), FaultKind.ACCESS_DENIED: ("AuthorizationError", 403)},
}
_MESSAGES = {
    FaultKind.THROTTLE: "Rate exceeded",
    FaultKind.INTERNAL: "An internal error has occurred.",
}


def fault_error(kind: FaultKind, call: AwsCall) -> ApiError:
    """Returns the error of `call`'s service for a throttle, an internal error or a denied access."""
    model = service_model(call.service)
    protocol = str(model.protocol) if model else "query"
    by_protocol = _BY_PROTOCOL.get(protocol, _BY_PROTOCOL["query"])
    code, status = _BY_SERVICE.get(call.service, {}).get(kind, by_protocol[kind])
    denied = f"User is not authorized to perform: {call.service}:{call.operation}"
    return ApiError(code, _MESSAGES.get(kind, denied), status)


_LONGEST_DELAY_SECONDS = 3600
_TYPES: Mapping[str, type | UnionType] = {
    "kind": str,
    "service": str,
    "operation": str,
    "times": int | None,
    "probability": int | float,
    "delay_seconds": int | float,
}
_SPELLED = {
    "kind": "text",
    "service": "text",
    "operation": "text",
    "times": "a whole number",
    "probability": "a number",
    "delay_seconds": "a number",
}


@dataclass(frozen=True)
class Fault:
    """A rule of which calls fail, and how.

    Attributes:
        kind: what goes wrong.
        service: botocore's service name, or a pattern such as `*`.
        operation: operation name, or a pattern such as `Create*`.
        times: how many calls it strikes before it is spent; None for ever.
        probability: chance, from 0 to 1, that a matching call is struck.
        delay_seconds: how long the call is held first.
    """

    kind: FaultKind
    service: str = "*"
    operation: str = "*"
    times: int | None = None
    probability: float = 1.0
    delay_seconds: float = 0.0

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Fault:
        """Reads a fault from JSON.

        Raises:
            ValueError: an unknown key or a value outside its range; says which.
        """
        unknown = set(document) - set(cls.__dataclass_fields__)
        if unknown:
            raise ValueError(f"unknown keys {sorted(unknown)}; known are {sorted(cls.__dataclass_fields__)}")
        if "kind" not in document:
            raise ValueError(f"kind is missing; one of {[str(kind) for kind in FaultKind]}")
        for name, wanted in _TYPES.items():
            value = document.get(name)
            # A truth value is an int to Python; null is a value of `times` alone.
            if name in document and not (isinstance(value, wanted) and not isinstance(value, bool)):
                raise ValueError(f"{name} is {json.dumps(value)[:80]}; it must be {_SPELLED[name]}")
        fault = cls(**{**document, "kind": FaultKind(document["kind"])})
        if not 0 <= fault.probability <= 1:
            raise ValueError(f"probability is {fault.probability}; it must be from 0 to 1")
        if fault.times is not None and fault.times < 1:
            raise ValueError(f"times is {fault.times}; it must be at least 1, or absent for ever")
        if not 0 <= fault.delay_seconds <= _LONGEST_DELAY_SECONDS:
            raise ValueError(
                f"delay_seconds is {fault.delay_seconds}; it must be from 0 to {_LONGEST_DELAY_SECONDS}"
            )
        return fault

    def matches(self, call: AwsCall) -> bool:
        """Whether this fault is meant for `call`."""
        return fnmatchcase(call.service, self.service) and fnmatchcase(call.operation, self.operation)


class FaultPlan:
    """The faults in force. Safe to use from many threads.

    Args:
        seed: makes the draws of `probability` repeatable.
    """

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311 - draws of chance, nothing secret
        self._numbers = itertools.count(1)
        self._faults: dict[str, Fault] = {}
        self._struck: dict[str, int] = {}

    def add(self, fault: Fault) -> str:
        """Puts a fault in force and returns its identifier."""
        with self._lock:
            identifier = str(next(self._numbers))
            self._faults[identifier] = fault
            self._struck[identifier] = 0
            return identifier

    def clear(self) -> None:
        """Ends all faults."""
        with self._lock:
            self._faults.clear()
            self._struck.clear()

    def document(self) -> list[dict[str, Any]]:
        """Returns the faults with how often each has struck."""
        with self._lock:
            return [
                {"id": identifier, **asdict(fault), "struck": self._struck[identifier]}
                for identifier, fault in self._faults.items()
            ]

    def strike(self, call: AwsCall) -> Fault | None:
        """Returns the first fault that strikes `call`, counting it, or None."""
        with self._lock:
            for identifier, fault in self._faults.items():
                spent = fault.times is not None and self._struck[identifier] >= fault.times
                if spent or not fault.matches(call) or self._random.random() >= fault.probability:
                    continue
                self._struck[identifier] += 1
                return fault
        return None
