"""What can go wrong between the plugin and a cluster, as types that the rest can tell apart."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from cloudcommerce_sandbox.plugins.provider import ProviderError


class UnreachableError(ProviderError):
    """No API server answers, or the kubeconfig leads to none."""


class NoSuchKindError(ProviderError):
    """The API server does not serve this kind: its CustomResourceDefinition is missing, for example."""

    def __init__(self, api_version: str, kind: str) -> None:
        super().__init__(
            f"the API server serves no kind {kind} of {api_version}; "
            "is the CustomResourceDefinition (or the chart that brings it) installed before this resource?"
        )
        self.api_version = api_version
        self.kind = kind


class ApiError(ProviderError):
    """The API server's refusal, a `Status` object.

    Attributes:
        code: HTTP status.
        reason: Machine-readable reason, for example `AlreadyExists`, `Invalid`, `Forbidden`.
        message: What the server says.
        details: Kind, name and causes of the `Status`.
    """

    def __init__(self, code: int, status: Mapping[str, Any]) -> None:
        self.code = code
        self.reason = str(status.get("reason") or "")
        self.message = str(status.get("message") or f"HTTP {code}")
        self.details: Mapping[str, Any] = status.get("details") or {}
        super().__init__(self.message)

    @property
    def is_missing(self) -> bool:
        """Whether the object, or something it refers to, is not there."""
        return self.code == HTTPStatus.NOT_FOUND

    @property
    def is_conflict(self) -> bool:
        """Whether another writer is in the way: an owner of fields or a newer version."""
        return self.code == HTTPStatus.CONFLICT and self.reason == "Conflict"

    @property
    def is_taken(self) -> bool:
        """Whether an object of that name is there already."""
        return self.reason == "AlreadyExists"

    @property
    def is_forbidden(self) -> bool:
        """Whether authorization or admission refused."""
        return self.code == HTTPStatus.FORBIDDEN

    @property
    def causes(self) -> list[Mapping[str, Any]]:
        """The single findings of a validation: `field`, `reason`, `message`."""
        return [dict(cause) for cause in self.details.get("causes") or ()]
