"""Read: what the resource is like now, as outputs and as the inputs that would make it so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudcommerce_sandbox.plugins import sdk
from cloudcommerce_sandbox.plugins.aws import diff, lifecycle, steps, tag_calls
from cloudcommerce_sandbox.plugins.aws.declaration import UNSET, Field, ResourceType
from cloudcommerce_sandbox.plugins.aws.operation import Operation
from cloudcommerce_sandbox.plugins.aws.tags import TagPolicy
from cloudcommerce_sandbox.plugins.provider import DEFAULTS

_NO_FIELD = Field()
_NOTHING: tuple[Any, ...] = (None, [], {}, "")


def refresh(operation: Operation, policy: TagPolicy) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Read a resource.

    With inputs in the context this is a refresh: an input keeps its value while AWS's value means the same,
    else it gets AWS's. Without, it is an import: every input that AWS tells is there, the optional ones
    listed in `__defaults`, so that a program that does not give them sees no difference.

    Returns:
        Inputs and outputs; None when the resource is gone.
    """
    importing = not operation.inputs
    if importing:
        lifecycle.parse_id(operation)
    known = operation.state
    item = steps.read_item(operation, deep=True)
    if item is None:
        return None
    actual = {**(known if importing else {}), **steps.readable(operation, item)}
    names = list(lifecycle.input_names(operation))
    if importing:
        inputs = _imported(operation.kind, actual, names)
    else:
        inputs = _overlaid(operation.kind, operation.inputs, actual, names)
    operation.state = {**known, **actual}
    found = tag_calls.actual(operation, item)
    if operation.kind.tags is not None:
        own = policy.own(found, operation.inputs.get("tags"))
        if own or "tags" in operation.inputs:
            inputs["tags"] = own
        inputs["tagsAll"] = policy.managed(found)
    if operation.inputs.get("region") or importing:
        _put_region(operation, inputs, importing=importing)
    operation.inputs = inputs
    outputs = lifecycle.outputs(operation, policy, item)
    if operation.kind.tags is not None:
        outputs["tagsAll"] = policy.managed(found)
    return inputs, outputs


def _put_region(operation: Operation, inputs: dict[str, Any], *, importing: bool) -> None:
    if "region" in sdk.schema(operation.kind.pulumi_type).inputs:
        inputs["region"] = operation.region
        if importing:
            inputs[DEFAULTS] = sorted({*inputs.get(DEFAULTS, ()), "region"})


def _imported(kind: ResourceType, actual: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    properties = sdk.schema(kind.pulumi_type).inputs
    inputs: dict[str, Any] = {}
    optional: list[str] = []
    for name in names:
        if name in actual and actual[name] not in _NOTHING:
            inputs[name] = _marked(actual[name], properties[name].kind)
            if not properties[name].required:
                optional.append(name)
    return {**inputs, DEFAULTS: sorted(optional)}


def _marked(value: Any, kind: sdk.Kind) -> Any:
    """List the optional members of nested blocks in their `__defaults`."""
    if isinstance(value, list) and kind.item is not None:
        return [_marked(item, kind.item) for item in value]
    if isinstance(value, dict) and kind.name == "object":
        fields = kind.fields
        marked = {name: _marked(item, fields[name].kind) for name, item in value.items() if name in fields}
        return {**marked, DEFAULTS: sorted(name for name in marked if not fields[name].required)}
    return value


def _overlaid(
    kind: ResourceType, old: Mapping[str, Any], actual: Mapping[str, Any], names: list[str]
) -> dict[str, Any]:
    inputs = dict(old)
    properties = sdk.schema(kind.pulumi_type).inputs
    for name in names:
        if name not in actual:
            continue
        if name in old:
            if diff.same(kind, name, actual[name], old[name]):
                continue
            value = _overlay(old[name], actual[name], properties[name].kind)
            inputs[name] = old[name] if diff.same(kind, name, value, old[name]) else value
            continue
        default = kind.fields.get(name, _NO_FIELD).default
        if default is not UNSET and not diff.same(kind, name, actual[name], default):
            inputs[name] = actual[name]
    return inputs


def _overlay(old: Any, actual: Any, kind: sdk.Kind) -> Any:
    """Take over the actual values of what the program had given.

    A member that AWS adds to a block by itself is no drift; one that somebody adds to a map is.
    """
    if kind.name == "object" and isinstance(old, dict) and isinstance(actual, dict):
        fields = kind.fields
        return {
            name: _overlay(value, actual[name], fields[name].kind)
            if name in actual and name in fields
            else value
            for name, value in old.items()
        }
    if (
        kind.item is not None
        and isinstance(old, list)
        and isinstance(actual, list)
        and len(old) == len(actual)
    ):
        return [_overlay(left, right, kind.item) for left, right in zip(old, actual, strict=True)]
    return actual
