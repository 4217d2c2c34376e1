"""Running the steps of a declaration: building the request, calling, settling."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from cloudcommerce_sandbox.plugins.aws import models
from cloudcommerce_sandbox.plugins.aws.declaration import UNSET, Call, Fetch, Field, Read, Run, Step, Wait
from cloudcommerce_sandbox.plugins.aws.errors import AwsError
from cloudcommerce_sandbox.plugins.aws.matching import put, shape_at
from cloudcommerce_sandbox.plugins.aws.operation import FIRST_POLL, LONGEST_POLL, Operation
from cloudcommerce_sandbox.plugins.aws.requests import Builder, coerced, member_path
from cloudcommerce_sandbox.plugins.aws.templates import select
from cloudcommerce_sandbox.plugins.aws.values import Reader
from cloudcommerce_sandbox.plugins.provider import ProviderError
from cloudcommerce_sandbox.plugins.sdk import schema

_RETRY_SECONDS: Final = 60.0
_NO_FIELD: Final = Field()


def run(
    operation: Operation,
    step: Step,
    names: Iterable[str],
    extra: Mapping[str, Any] | None = None,
    *,
    settles: bool = True,
) -> None:
    """Run one step and leave its answer in `operation.response`.

    Args:
        operation: The context.
        step: What to do.
        names: Properties to send, for a `Call`.
        extra: Request members of the machinery (tags).
        settles: Whether to wait for what the step declares. What makes the thing can't: it has no id yet.

    Raises:
        ProviderError: The step failed.
    """
    if step.when is not None and not step.when(operation):
        return
    if isinstance(step, Run):
        operation.response = step.function(operation) or {}
    else:
        operation.response = _call(operation, step, names, extra or {})
    if settles and step.wait is not None:
        settle(operation, step.wait)


def _call(operation: Operation, call: Call, names: Iterable[str], extra: Mapping[str, Any]) -> dict[str, Any]:
    request = {**build(operation, call, names), **extra}
    try:
        return operation.clients.call(
            call.service or operation.kind.service,
            operation.expand(call.region) or operation.region,
            call.operation,
            request,
            retry=(*call.retry, *operation.retry),
            deadline=operation.deadline or time.monotonic() + _RETRY_SECONDS,
        )
    except AwsError as error:
        if error.matches(call.ignore):
            return {}
        raise


def build(operation: Operation, call: Call, names: Iterable[str]) -> dict[str, Any]:
    """Build the request of a call: properties, then required members, then what `set` says."""
    kind = operation.kind
    properties = operation.properties
    fixed = expand_set(operation, call.set, call.service, call.operation)
    names = list(dict.fromkeys(names))
    wanted = {
        **properties,
        **{name: _reset(operation, name) for name in names if properties.get(name) is None},
    }
    names += [name for name in _required(operation, call, fixed) if name not in names]
    request = Builder(kind, call).build(wanted, names).members
    for path, value in fixed.items():
        put(request, path, value)
    return request


def _reset(operation: Operation, name: str) -> Any:
    """Return what a property that was taken out of the program goes back to; None: it stays."""
    if name not in operation.old_inputs:
        return None
    default = operation.kind.fields.get(name, _NO_FIELD).default
    if default is not UNSET:
        return default
    old = operation.old_inputs[name]
    return type(old)() if isinstance(old, list | dict) else None


def expand_set(
    operation: Operation, templates: Mapping[str, Any], service: str, method: str
) -> dict[str, Any]:
    """Fill the templates of `set`; values are brought into the type of the member, absent ones left out."""
    shape = models.input_shape(service or operation.kind.service, method)
    filled: dict[str, Any] = {}
    for path, template in templates.items():
        value = template(operation) if callable(template) else operation.expand(template)
        if value is not None:
            member = shape_at(shape, path) if shape is not None else None
            filled[path] = coerced(value, member)
    return filled


def _required(operation: Operation, call: Call, fixed: Mapping[str, Any]) -> list[str]:
    shape = models.input_shape(call.service or operation.kind.service, call.operation)
    missing = (
        [member for member in shape.required_members if member not in fixed] if shape is not None else []
    )
    if not missing:
        return list(call.props)
    properties = operation.properties
    found = [name for name in properties if member_path(operation.kind, call, name) in missing]
    return [*call.props, *found]


def read_item(operation: Operation, *, deep: bool) -> dict[str, Any] | None:
    """Find the resource.

    Args:
        operation: The context, with the id.
        deep: Also make the further calls that only refresh and import need.

    Returns:
        The read item; None when the resource is gone.
    """
    read = operation.kind.read
    if read is None:
        return {}
    found = read.function(operation) if read.function is not None else _lookup(operation, read)
    if not isinstance(found, Mapping) or (read.gone and select(read.gone[0], found) in read.gone[1:]):
        return None
    item = dict(found)
    complete(operation, item, deep=deep)
    return item


def _lookup(operation: Operation, read: Read) -> Any:
    request: dict[str, Any] = {}
    for path, value in expand_set(operation, read.set, read.service, read.operation).items():
        put(request, path, value)
    try:
        answer = operation.call(read.operation, service=read.service, **request)
    except AwsError as error:
        if error.is_gone or error.matches(read.missing):
            return None
        raise
    path = operation.expand(read.item)
    return select(path, answer) if path is not None else None


def complete(operation: Operation, item: dict[str, Any], *, deep: bool) -> None:
    """Put the answers of the declaration's further read calls into the item."""
    read = operation.kind.read
    for part in read.also if read is not None else ():
        if not deep and not part.always:
            continue
        operation.state = {**operation.state, **readable(operation, item)}
        value = fetch(operation, part)
        if part.into and value is not None:
            item[part.into] = value
        elif isinstance(value, Mapping):
            item.update(value)


def fetch(operation: Operation, part: Fetch) -> Any:
    """Make one further read call; None when AWS has no such part."""
    request: dict[str, Any] = {}
    for path, value in expand_set(operation, part.set, part.service, part.operation).items():
        put(request, path, value)
    try:
        answer = operation.call(part.operation, service=part.service, **request)
    except AwsError as error:
        if error.is_gone or error.matches(part.missing):
            return None
        raise
    path = operation.expand(part.item)
    return select(path, answer) if path is not None else None


def readable(operation: Operation, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return every property that a read item tells, tags and region excepted."""
    kinds = {
        name: kind
        for name, kind in schema(operation.kind.pulumi_type).outputs.items()
        if name not in ("tags", "tagsAll", "region")
    }
    return Reader(operation.kind).read(item, kinds)


def settle(operation: Operation, wait: Wait, *, gone: bool = False) -> dict[str, Any] | None:
    """Read until the resource has settled.

    Args:
        operation: The context.
        wait: What to wait for.
        gone: The resource is expected to disappear.

    Returns:
        The last read item; None when the resource is gone.

    Raises:
        ProviderError: It failed, disappeared unexpectedly, or took too long.
    """
    end, pause, status = operation.limit(wait.timeout), FIRST_POLL, None
    while True:
        item = read_item(operation, deep=False)
        if item is None and gone:
            return None
        status = select(wait.status, item) if item is not None else "not visible"
        if item is not None and status in wait.until:
            return item
        if status in wait.failed:
            message = (
                f"it ended as {status!r} instead of {' or '.join(map(repr, wait.until))}{_why(wait, item)}"
            )
            raise ProviderError(message)
        if time.monotonic() >= end:
            wanted = "gone" if gone else " or ".join(map(repr, wait.until))
            message = (
                f"still {status!r} after {operation.timeout or wait.timeout:g} s, waited for {wanted}"
                f"{_why(wait, item)}; set customTimeouts if it needs longer"
            )
            raise ProviderError(message)
        operation.clients.pause(pause)
        pause = min(LONGEST_POLL, pause * 1.5)


def _why(wait: Wait, item: Mapping[str, Any] | None) -> str:
    reasons = select(wait.reasons, item) if wait.reasons and item else None
    return f" ({'; '.join(map(str, reasons))})" if reasons else ""
