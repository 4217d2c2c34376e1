"""Create, read, update and delete by declaration."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cloudcommerce_sandbox.plugins import sdk
from cloudcommerce_sandbox.plugins.aws import adoption, coverage, diff, steps, tag_calls, tags
from cloudcommerce_sandbox.plugins.aws.declaration import UNSET, Call, ResourceType, Run, Step
from cloudcommerce_sandbox.plugins.aws.errors import AwsError
from cloudcommerce_sandbox.plugins.aws.operation import Operation
from cloudcommerce_sandbox.plugins.aws.requests import member_path
from cloudcommerce_sandbox.plugins.aws.tags import TagPolicy
from cloudcommerce_sandbox.plugins.aws.templates import parse, select
from cloudcommerce_sandbox.plugins.provider import DEFAULTS, InitializationError, ProviderError

PENDING: Final = "__pendingCreateSteps"
"""Output of a half-made resource: how many of the last create steps are still to be run."""

_IN_USE: Final = (
    "DependencyViolation",
    "DeleteConflict",
    "DeleteConflictException",
    "ResourceInUse",
    "ResourceInUseException",
    "ConcurrentModification",
    "ConcurrentModificationException",
    "OperationAborted",
    "InvalidParameterValue: in use",
)
"""What AWS says while something else still needs the thing that shall go."""

_IN_USE_SECONDS: Final = 120.0
_VISIBLE_TRIES: Final = 8


def create(operation: Operation, policy: TagPolicy) -> tuple[str, dict[str, Any]]:
    """Make the resource.

    Returns:
        Its id and outputs.

    Raises:
        InitializationError: It exists but a later step failed.
        ProviderError: Nothing was made.
    """
    kind = operation.kind
    operation.changed = frozenset(operation.inputs)
    own = policy.all_tags(operation.inputs.get("tags")) if kind.tags is not None else {}
    position = _maker(operation)
    first = kind.create[position]
    takes_tags = kind.tags is not None and isinstance(first, Call)
    extra = tags.on_create(kind.tags, own) if kind.tags is not None and takes_tags else {}
    names = _names_to_create(first, operation.inputs, first=True)
    try:
        steps.run(operation, first, names, extra, settles=False)
    except AwsError as error:
        item = adoption.made_unheard(operation, first, own, error)
    else:
        item = _item_of(first, operation.response)
        operation.id = _id(operation, operation.response, item)
    return operation.id, _complete_create(
        operation, policy, item, len(kind.create) - position - 1, own if not extra else {}
    )


def _maker(operation: Operation) -> int:
    """Return the position of the step that makes the thing: the first whose condition holds."""
    makers = enumerate(operation.kind.create)
    return next((position for position, step in makers if step.when is None or step.when(operation)), 0)


def _complete_create(
    operation: Operation, policy: TagPolicy, item: dict[str, Any], pending: int, late_tags: Mapping[str, Any]
) -> dict[str, Any]:
    kind = operation.kind
    count = len(kind.create)
    try:
        if item:
            operation.state = {**operation.state, **steps.readable(operation, item)}
        if pending and (before := kind.create[count - pending - 1].wait) is not None:
            steps.settle(operation, before)
        for position in range(count - pending, count):
            step = kind.create[position]
            if not step.on or any(operation.inputs.get(name) is not None for name in step.on):
                steps.run(operation, step, _names_to_create(step, operation.inputs, first=False))
            pending -= 1
        if late_tags:
            tag_calls.change(operation, {}, late_tags)
        if kind.created is not None:
            item = steps.settle(operation, kind.created) or {}
        elif not item:
            item = _visible(operation)
        else:
            steps.complete(operation, item, deep=False)
        return outputs(operation, policy, item)
    except Exception as error:
        # Whatever went wrong, a defect of a declaration included: the thing exists and must not be lost.
        reason = str(error) if isinstance(error, ProviderError) else f"{type(error).__name__}: {error}"
        given = {name: value for name, value in operation.inputs.items() if name != DEFAULTS}
        state = {**operation.state, **given, PENDING: pending}
        if "region" in sdk.schema(kind.pulumi_type).outputs:
            state["region"] = operation.region
        raise InitializationError(reason, operation.id, state) from error


def _names_to_create(step: Step, inputs: Mapping[str, Any], *, first: bool) -> list[str]:
    if isinstance(step, Run):
        return []
    if step.on or not first:
        return [*step.on, *step.props]
    return [name for name in inputs if name != DEFAULTS]


def _item_of(step: Step, response: Mapping[str, Any]) -> dict[str, Any]:
    found = select(step.item, response) if step.item else None
    return dict(found) if isinstance(found, Mapping) else {}


def _visible(operation: Operation) -> dict[str, Any]:
    """Read what was just made; AWS may take a moment to show it."""
    pause = 0.1
    for _ in range(_VISIBLE_TRIES):
        item = steps.read_item(operation, deep=False)
        if item is not None:
            return item
        operation.clients.pause(pause)
        pause *= 2
    message = f"it was made as {operation.id}, but {operation.kind.service} does not show it"
    raise ProviderError(message)


def _id(operation: Operation, response: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    rule = operation.kind.id
    if rule.function is not None:
        found: Any = rule.function(operation)
    elif rule.response:
        found = select(rule.response, response)
    else:
        operation.state = steps.readable(operation, item) if item else {}
        found = operation.expand(rule.template)
    if not found:
        message = f"the answer of AWS has no {rule.response or rule.template}"
        raise ProviderError(message)
    return str(found)


def outputs(operation: Operation, policy: TagPolicy, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs: what was asked for, over what AWS tells, and what the declaration computes.

    Args:
        operation: The context, after its steps.
        policy: Default tags.
        item: The read item.
    """
    kind = operation.kind
    schema = sdk.schema(kind.pulumi_type)
    given = {
        name: value for name, value in operation.inputs.items() if name != DEFAULTS and value is not None
    }
    told = steps.readable(operation, item) if item else {}
    found = {**_defaults(kind), **operation.state, **told, **given}
    for path in coverage.computed_members(kind):
        block, _, member = path.partition(".")
        if isinstance(found.get(block), dict) and member in (told.get(block) or ()):
            found[block] = {**found[block], member: told[block][member]}
    operation.state = found
    if "region" in schema.outputs:
        found["region"] = operation.region
    for name, template in kind.outputs.items():
        if name not in given:
            found[name] = operation.expand(template)
    if kind.tags is not None:
        found["tagsAll"] = policy.all_tags(operation.inputs.get("tags"))
    return {name: value for name, value in found.items() if value is not None and name != PENDING}


def _defaults(kind: ResourceType) -> dict[str, Any]:
    fields = kind.fields.items()
    return {name: field.default for name, field in fields if field.default is not UNSET and "." not in name}


def update(operation: Operation, policy: TagPolicy) -> dict[str, Any]:
    """Change the resource in place, or finish one that was half made.

    A failure is a plain error: the engine keeps the state from before, so that the next run sees the whole
    difference again and repeats all steps. That is right because every step sets values; the protocol's
    partial update (`ErrorResourceInitFailed`) would record inputs of which nobody knows how many took effect.

    Returns:
        Its outputs.
    """
    kind = operation.kind
    pending = operation.state.pop(PENDING, None)
    if pending is not None:
        late_tags = policy.all_tags(operation.inputs.get("tags")) if kind.tags is not None else {}
        operation.changed = frozenset(operation.inputs)
        # What creation did not get to learn, such as an ARN, the remaining steps may need.
        item = steps.read_item(operation, deep=False) or {}
        _complete_create(operation, policy, item, int(pending), late_tags)
    operation.changed = diff.changed_properties(kind, operation.old_inputs, operation.inputs)
    operation.changed -= {"tags", "tagsAll", "region"}
    ran = False
    for step in kind.update:
        names = _names_to_update(operation, step)
        if names is not None:
            steps.run(operation, step, names)
            ran = True
    if kind.tags is not None:
        tag_calls.change(
            operation, operation.state.get("tagsAll") or {}, policy.all_tags(operation.inputs.get("tags"))
        )
    if ran and kind.updated is not None:
        found = steps.settle(operation, kind.updated)
    else:
        found = steps.read_item(operation, deep=False)
    operation.state = {
        name: value for name, value in operation.state.items() if name not in operation.old_inputs
    }
    return outputs(operation, policy, found or {})


def _names_to_update(operation: Operation, step: Step) -> list[str] | None:
    """Return the properties a step shall send; None when it has nothing to do."""
    changed = operation.changed
    if isinstance(step, Run):
        return [] if changed and (not step.on or changed & set(step.on)) else None
    sendable = [
        name for name in {**operation.inputs, **operation.old_inputs} if _has_member(operation, step, name)
    ]
    triggers = set(step.on or sendable) & changed
    if not triggers:
        return None
    if step.full:
        return sendable
    return [*sorted(triggers), *step.props]


def _has_member(operation: Operation, call: Call, name: str) -> bool:
    return name != DEFAULTS and member_path(operation.kind, call, name) is not None


def delete(operation: Operation) -> None:
    """Remove the resource, waiting a bounded time for what still depends on it. Gone already is fine."""
    kind = operation.kind
    operation.deadline = time.monotonic() + (operation.timeout or _IN_USE_SECONDS)
    operation.retry = (*_IN_USE, *kind.delete_retry)
    for step in kind.delete:
        try:
            steps.run(operation, step, list(step.on))
        except AwsError as error:
            missing = kind.read.missing if kind.read is not None else ()
            if not (error.is_gone or error.matches(missing)):
                raise
    if kind.deleted is not None:
        steps.settle(operation, kind.deleted, gone=True)


def parse_id(operation: Operation) -> None:
    """Put what an import id says into the state, for templates and for the inputs of the import."""
    rule = operation.kind.id
    if rule.parse is not None:
        operation.state = {**rule.parse(operation.id), **operation.state}
    elif rule.template:
        found = parse(rule.template, operation.id)
        if found is None:
            message = f"{operation.id!r} is no id of this type; it has the form {rule.template}"
            raise ProviderError(message)
        operation.state = {**found, **operation.state}


def input_names(operation: Operation) -> Iterator[str]:
    """Yield the inputs of the type that AWS can tell about."""
    kind = operation.kind
    for name in sdk.schema(kind.pulumi_type).inputs:
        if name not in kind.local and name not in kind.unsupported and name not in ("tags", "region"):
            yield name
