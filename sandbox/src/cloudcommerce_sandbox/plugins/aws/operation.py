"""One operation on one resource: the context that steps and escape-hatch functions run in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cloudcommerce_sandbox.plugins.aws import templates
from cloudcommerce_sandbox.plugins.aws.clients import Clients
from cloudcommerce_sandbox.plugins.aws.declaration import ResourceType
from cloudcommerce_sandbox.plugins.aws.errors import AwsError
from cloudcommerce_sandbox.plugins.provider import ProviderError

FIRST_POLL: Final = 0.1
LONGEST_POLL: Final = 5.0
"""Seconds between two looks at something that settles."""

_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


def partition_of(region: str) -> str:
    """Return the AWS partition of a region."""
    return next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws")


@dataclass
class Operation:
    """Implements `Context`; see there for the attributes that declarations may use."""

    kind: ResourceType
    clients: Clients
    region: str
    account_id: Callable[[], str]
    id: str = ""
    inputs: dict[str, Any] = field(default_factory=dict)
    old_inputs: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    response: Mapping[str, Any] = field(default_factory=dict)
    changed: frozenset[str] = frozenset()
    timeout: float = 0.0
    retry: tuple[str, ...] = ()
    deadline: float = 0.0

    @property
    def account(self) -> str:
        """The account id."""
        return self.account_id()

    @property
    def partition(self) -> str:
        """The AWS partition."""
        return partition_of(self.region)

    @property
    def properties(self) -> dict[str, Any]:
        """What is wanted, over what is known; a property taken out of the program is not there."""
        known = {name: value for name, value in self.state.items() if name not in self.old_inputs}
        return {**known, **self.inputs}

    def call(self, operation: str, *, service: str = "", region: str = "", **request: Any) -> dict[str, Any]:
        """See `Context.call`."""
        return self.clients.call(
            service or self.kind.service,
            region or self.region,
            operation,
            request,
            retry=self.retry,
            deadline=self.deadline,
        )

    def find(self, operation: str, path: str, *, service: str = "", region: str = "", **request: Any) -> Any:
        """See `Context.find`."""
        try:
            answer = self.call(operation, service=service, region=region, **request)
        except AwsError as error:
            if error.is_gone:
                return None
            raise
        return templates.select(path, answer)

    def expand(self, template: Any) -> Any:
        """See `Context.expand`."""
        return templates.expand(template, _Values(self))

    def poll(self, is_settled: Callable[[], bool], seconds: float, what: str) -> None:
        """See `Context.poll`."""
        end, pause = self.limit(seconds), FIRST_POLL
        while not is_settled():
            if time.monotonic() >= end:
                message = (
                    f"{what} was not done after {self.timeout or seconds:g} s; "
                    "set customTimeouts if it needs longer"
                )
                raise ProviderError(message)
            self.clients.pause(pause)
            pause = min(LONGEST_POLL, pause * 1.5)

    def limit(self, default: float) -> float:
        """Return the time at which a wait ends: the user's timeout or the declared one from now."""
        return time.monotonic() + (self.timeout or default)


class _Values(Mapping[str, Any]):
    """The names that templates know; the account costs a call, so only templates that name it ask."""

    _COMPUTED = ("id", "region", "account", "partition")

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._properties = operation.properties

    def __getitem__(self, name: str) -> Any:
        if name in self._COMPUTED:
            return getattr(self._operation, name) or None
        return self._properties[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a name or the default."""
        try:
            return self[name]
        except KeyError:
            return default

    def __iter__(self) -> Iterator[str]:
        return iter((*self._COMPUTED, *self._properties))

    def __len__(self) -> int:
        return len(self._COMPUTED) + len(self._properties)
