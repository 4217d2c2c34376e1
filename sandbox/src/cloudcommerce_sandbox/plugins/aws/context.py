"""What an escape-hatch function of a resource type gets to work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from cloudcommerce_sandbox.plugins.wire import UNKNOWN, Asset

__all__ = ["UNKNOWN", "Asset", "Context", "Properties"]

Properties = dict[str, Any]
"""Plain Python values under Pulumi's camelCase property names (secrets already unwrapped)."""


class Context(Protocol):
    """One operation on one resource, as seen by functions in a resource type's file.

    Attributes:
        id: The resource's id; empty until the first create step has answered.
        inputs: The inputs wanted now (on read and delete: the inputs in state, perhaps empty on import).
        old_inputs: On update the inputs before; empty otherwise.
        state: The outputs known so far (on create: what the create steps returned, mapped to properties).
        response: The last answer of AWS inside this operation (the create response after the create call).
        changed: On update the top-level properties whose value differs; on create those that are given.
        region: The region this resource lives in (its own `region` or the provider's).
    """

    id: str
    inputs: Properties
    old_inputs: Properties
    state: Properties
    response: Mapping[str, Any]
    changed: frozenset[str]
    region: str

    @property
    def account(self) -> str:
        """The account id."""

    @property
    def partition(self) -> str:
        """The AWS partition, for example `aws`."""

    def call(self, operation: str, *, service: str = "", region: str = "", **request: Any) -> dict[str, Any]:
        """Call an AWS operation with the plugin's retries and error reporting.

        Args:
            operation: botocore client method, for example `describe_vpcs`.
            service: botocore service; the resource type's own by default.
            region: Region; the resource's own by default.
            **request: The request's members as botocore names them.

        Returns:
            The response without `ResponseMetadata`; every page of a paginated operation merged.

        Raises:
            AwsError: With `code` and `message` of the API, or that the emulator lacks the operation.
        """

    def find(self, operation: str, path: str, *, service: str = "", region: str = "", **request: Any) -> Any:
        """Call an operation and return what the JMESPath `path` selects; None when there is no such thing.

        A not-found error of AWS counts as None; every other error is raised.
        """

    def expand(self, template: Any) -> Any:
        """Fill properties, `{id}`, `{region}`, `{account}`, `{partition}` into a template (`Call.set`)."""

    def poll(self, is_settled: Callable[[], bool], seconds: float, what: str) -> None:
        """Ask with growing pauses until the answer is true.

        Args:
            is_settled: Asks once; what it raises ends the wait.
            seconds: The limit, unless the resource has customTimeouts.
            what: Named in the error, for example `the update of the version`.

        Raises:
            ProviderError: It took too long, or the plugin was told to stop.
        """
