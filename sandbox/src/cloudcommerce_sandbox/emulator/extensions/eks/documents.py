"""What all of EKS's resources have in common."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cloudcommerce_sandbox.emulator.wire import ApiError

Document = dict[str, Any]
"""A structure as the API has it, by its member names."""

DEFAULT_PAGE = 100


def now() -> datetime:
    """Returns the current time, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """Returns an identifier of the form EKS gives."""
    return str(uuid.uuid4())


def present(document: Mapping[str, Any]) -> Document:
    """Returns a structure without the members that have no value."""
    return {name: value for name, value in document.items() if value is not None}


def not_found(what: str) -> ApiError:
    """Returns the error of a resource that is not there."""
    return ApiError("ResourceNotFoundException", what, 404)


def in_use(what: str) -> ApiError:
    """Returns the error of a resource that is there already or still needed."""
    return ApiError("ResourceInUseException", what, 409)


def bad_request(what: str) -> ApiError:
    """Returns the error of a call that the resource's state does not admit."""
    return ApiError("InvalidRequestException", what, 400)


def page(names: Iterable[str], parameters: Mapping[str, Any]) -> tuple[list[str], str | None]:
    """Returns one page of a listing, in order of the names, and the token of the next page.

    Args:
        names: all there is.
        parameters: of the call; `maxResults` and `nextToken` are read.
    """
    start = parameters.get("nextToken") or ""
    rest = [name for name in sorted(names) if name >= start]
    size = int(parameters.get("maxResults") or DEFAULT_PAGE)
    return rest[:size], rest[size] if len(rest) > size else None


@dataclass
class Update:
    """A change that EKS carries out.

    Attributes:
        type: the API's UpdateType, such as `VersionUpdate`.
        params: what changes, by UpdateParamType.
        nodegroup: the node group that it is of, if any.
        addon: the add-on that it is of, if any.
    """

    type: str
    params: Mapping[str, str]
    nodegroup: str | None = None
    addon: str | None = None
    id: str = field(default_factory=new_id)
    status: str = "InProgress"
    errors: list[Document] = field(default_factory=list)
    created_at: datetime = field(default_factory=now)

    @property
    def is_open(self) -> bool:
        """Whether it is still being carried out."""
        return self.status == "InProgress"

    def finish(self, errors: Iterable[Document] = ()) -> None:
        """Ends it, as failed when there are errors."""
        self.errors = list(errors)
        self.status = "Failed" if self.errors else "Successful"

    def describe(self) -> Document:
        """Returns the API's Update."""
        return {
            "id": self.id,
            "status": self.status,
            "type": self.type,
            "params": [{"type": name, "value": value} for name, value in self.params.items()],
            "createdAt": self.created_at,
            "errors": self.errors,
        }
