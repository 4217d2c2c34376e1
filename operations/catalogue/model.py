"""How a type of resource is seen in AWS: listed, recognized and deleted.

A `Kind` is a row of data. Listing every thing of a kind and choosing by tag, name or id answers every
question of recover and teardown with one mechanism, and needs no call per resource.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import botocore.exceptions
import jmespath

from operations.clients import Clients, error_code, is_missing

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


class Status(StrEnum):
    """Where a thing is in its life."""

    READY = "ready"
    CREATING = "creating"
    DELETING = "deleting"
    FAILED = "failed"


_WORDS = {
    Status.CREATING: (
        "creating",
        "pending",
        "creation_in_progress",
        "backing-up",
        "modifying",
        "rebooting",
        "configuring",
    ),
    Status.DELETING: ("delet", "shutting", "terminat"),
    Status.FAILED: ("fail", "incompatible", "create-error"),
}


def status_of(word: str) -> Status:
    """Sort a service's own word for a state, such as `create-failed`, into the four that matter here."""
    lowered = word.lower().replace(" ", "-")
    if lowered.startswith("pending") and "delet" in lowered:
        return Status.DELETING
    for status in (Status.FAILED, Status.DELETING, Status.CREATING):
        if any(part in lowered for part in _WORDS[status]):
            return status
    return Status.READY


@dataclass(frozen=True)
class TagCall:
    """The call that reads the tags of one thing, where listing does not show them.

    Attributes:
        operation: boto3 method.
        parameter: Its parameter that names the thing.
        value: JMESPath in the listed item.
        result: JMESPath of the tags in the answer.
    """

    operation: str
    parameter: str
    value: str
    result: str


@dataclass(frozen=True)
class Detail:
    """A second call for each listed item whose answer is merged into it.

    Attributes:
        operation: boto3 method.
        parameter: Its parameter.
        value: JMESPath in the listed item.
        result: JMESPath in the answer.
    """

    operation: str
    parameter: str
    value: str
    result: str


@dataclass(frozen=True)
class Within:
    """The listing of what a kind is listed in, one at a time, such as the clusters of node groups.

    Attributes:
        operation: boto3 method.
        items: JMESPath of their names in a page.
        parameter: Parameter of the kind's own calls that takes a name; the listed items get it too.
    """

    operation: str
    items: str
    parameter: str


Delete = Callable[[Clients, "Thing"], None]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A type of resource.

    Attributes:
        resource_type: Pulumi's type.
        service: boto3 service.
        operation: boto3 method that lists.
        items: JMESPath of the items in a page.
        within: What it is listed in, when the service lists no further than that.
        id: JMESPath of the id that the Terraform-based provider keeps.
        id_inputs: Template of that id in Pulumi's inputs, where these settle it.
        arn: JMESPath of the ARN, where the item has one.
        arn_type: `service:type` at the head of its ARNs, by which the tagging API's answers are recognized.
        name: JMESPath of the physical name.
        name_input: Pulumi input that holds the physical name.
        tags: JMESPath of the tags in the item, a call that reads them, or None when it cannot be tagged.
        state: JMESPath of the service's word for its state.
        request: Fixed arguments of the listing.
        detail: Second call for each item.
        delete: How it is deleted.
        rank: Order of deletion; lower goes first.
        holds_data: Whether deleting it loses data.
    """

    resource_type: str
    service: str
    operation: str
    items: str
    id: str
    arn_type: str
    arn: str | None = None
    name: str | None = None
    name_input: str | None = None
    tags: str | TagCall | None = "Tags"
    state: str | None = None
    within: Within | None = None
    id_inputs: str = ""
    request: Mapping[str, Any] = field(default_factory=dict)
    detail: Detail | None = None
    delete: Delete
    rank: int = 50
    holds_data: bool = False

    def things(self, clients: Clients) -> Iterator["Thing"]:
        """List what the account has of this kind in the region, whoever owns it.

        Raises:
            botocore.exceptions.ClientError: AWS refuses.
        """
        client = clients.get(self.service)
        for scope in self._scopes(client):
            for item in self._items(client, scope):
                yield self._thing(client, {**scope, **item}, scope)

    def id_of(self, inputs: Mapping[str, Any]) -> str:
        """Return the id that inputs settle; empty when they do not."""
        try:
            return self.id_inputs.format_map(inputs)
        except KeyError:
            return ""

    def _scopes(self, client: Any) -> Iterator[Mapping[str, Any]]:
        if self.within is None:
            yield {}
            return
        for page in _pages(client, self.within.operation, {}):
            for name in jmespath.search(self.within.items, page) or ():
                yield {self.within.parameter: name}

    def _items(self, client: Any, scope: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        try:
            for page in _pages(client, self.operation, {**self.request, **scope}):
                yield from jmespath.search(self.items, page) or ()
        except botocore.exceptions.ClientError as error:
            if not (scope and is_missing(error)):  # what it is listed in went away in the meantime
                raise

    def _thing(self, client: Any, item: Mapping[str, Any], scope: Mapping[str, Any]) -> "Thing":
        if self.detail:
            answer = _call(client, self.detail, item, scope)
            item = {**item, **(answer or {})}
        word = jmespath.search(self.state, item) if self.state else ""
        return Thing(
            kind=self,
            id=str(jmespath.search(self.id, item)),
            arn=_optional(self.arn, item),
            name=_optional(self.name, item),
            tags=self._tags(client, item),
            status=status_of(str(word or "")),
            item=item,
        )

    def _tags(self, client: Any, item: Mapping[str, Any]) -> Mapping[str, str]:
        if self.tags is None:
            return {}
        if isinstance(self.tags, str):
            return tag_map(jmespath.search(self.tags, item))
        return tag_map(_call(client, self.tags, item))


@dataclass(frozen=True)
class Thing:
    """Something that stands in AWS.

    Attributes:
        kind: Its kind.
        id: What Pulumi would hold as its id.
        arn: Its ARN, where the listing shows one.
        name: Its physical name.
        tags: Its tags.
        status: Where it is in its life.
        item: What AWS listed.
    """

    kind: Kind
    id: str
    arn: str | None
    name: str | None
    tags: Mapping[str, str]
    status: Status
    item: Mapping[str, Any] = field(repr=False, hash=False, compare=False)

    @property
    def identities(self) -> frozenset[str]:
        """Everything it is called by."""
        return frozenset(value for value in (self.id, self.arn, self.name) if value)

    @property
    def overrides(self) -> Mapping[str, Any]:
        """Pulumi inputs that AWS knows better than a plan: the physical name."""
        if self.kind.name_input and self.name:
            return {self.kind.name_input: self.name}
        return {}

    def delete(self, clients: Clients) -> None:
        """Delete it.

        Raises:
            botocore.exceptions.ClientError: AWS refuses, for instance while something depends on it.
        """
        self.kind.delete(clients, self)


def simply(operation: str, parameter: str, value: str | None = None, **fixed: Any) -> Delete:
    """Make a deletion that is one call.

    Args:
        operation: boto3 method.
        parameter: Its parameter that names the thing; ends in `[]` when it takes a list.
        value: JMESPath in the listed item; the thing's id when absent.
        fixed: Further arguments.
    """

    def delete(clients: Clients, thing: Thing) -> None:
        target: Any = jmespath.search(value, thing.item) if value else thing.id
        name = parameter.removesuffix("[]")
        wrapped = [target] if parameter.endswith("[]") else target
        getattr(clients.get(thing.kind.service), operation)(**{name: wrapped}, **fixed)

    return delete


def tag_map(tags: Any) -> Mapping[str, str]:
    """Turn any of AWS's spellings of tags into a mapping."""
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    found: dict[str, str] = {}
    for tag in tags or ():
        lowered = {key.lower(): value for key, value in tag.items()}
        key = lowered.get("key", lowered.get("tagkey"))
        found[str(key)] = str(lowered.get("value", lowered.get("tagvalue", "")))
    return found


def _pages(client: Any, operation: str, request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if client.can_paginate(operation):
        yield from client.get_paginator(operation).paginate(**request)
    else:
        yield getattr(client, operation)(**request)


def _call(
    client: Any,
    call: TagCall | Detail,
    item: Mapping[str, Any],
    scope: Mapping[str, Any] = MappingProxyType({}),
) -> Any:
    request = {**scope, call.parameter: jmespath.search(call.value, item)}
    try:
        answer = getattr(client, call.operation)(**request)
    except botocore.exceptions.ClientError as error:
        # Gone since it was listed, or a neighbor's in the same account: in both cases not ours.
        if is_missing(error) or error_code(error) in _DENIED:
            return None
        raise
    return jmespath.search(call.result, answer)


def _optional(path: str | None, item: Mapping[str, Any]) -> str | None:
    value = jmespath.search(path, item) if path else None
    return str(value) if value else None
