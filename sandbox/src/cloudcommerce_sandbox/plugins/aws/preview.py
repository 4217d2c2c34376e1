"""What create and update would come to, as far as it can be known without doing it."""

from __future__ import annotations

from typing import Any

from cloudcommerce_sandbox.plugins import sdk
from cloudcommerce_sandbox.plugins.aws import coverage
from cloudcommerce_sandbox.plugins.aws.declaration import UNSET, Field
from cloudcommerce_sandbox.plugins.aws.operation import Operation
from cloudcommerce_sandbox.plugins.aws.tags import TagPolicy
from cloudcommerce_sandbox.plugins.aws.templates import references
from cloudcommerce_sandbox.plugins.provider import DEFAULTS
from cloudcommerce_sandbox.plugins.wire import UNKNOWN

_NO_FIELD = Field()


def create(operation: Operation, policy: TagPolicy) -> dict[str, Any]:
    """Return the outputs of a create to come: inputs, defaults, and `UNKNOWN` for what AWS will tell."""
    kind = operation.kind
    schema = sdk.schema(kind.pulumi_type)
    outputs = {name: value for name, value in operation.inputs.items() if name != DEFAULTS}
    quiet = {*kind.local, *kind.unsupported, *kind.no_output}
    for name in schema.outputs:
        if name not in outputs and name not in quiet:
            outputs[name] = _foreseen(operation, name)
    _complete_blocks(operation, outputs)
    if kind.tags is not None:
        outputs["tagsAll"] = _all_tags(operation, policy)
        outputs["tags"] = operation.inputs.get("tags")
    if "region" in schema.outputs:
        outputs["region"] = operation.region
    return {name: value for name, value in outputs.items() if value is not None}


def update(operation: Operation, policy: TagPolicy) -> dict[str, Any]:
    """Return the outputs of an update to come: what is known now, over it what is wanted."""
    kept = {
        name: value
        for name, value in operation.state.items()
        if name not in operation.old_inputs and not name.startswith("__")
    }
    outputs = {**kept, **{name: value for name, value in operation.inputs.items() if name != DEFAULTS}}
    _complete_blocks(operation, outputs)
    if operation.kind.tags is not None:
        outputs["tagsAll"] = _all_tags(operation, policy)
    return outputs


def _complete_blocks(operation: Operation, outputs: dict[str, Any]) -> None:
    """Put into blocks what only AWS can tell: as it was, or not yet known."""
    for path in coverage.computed_members(operation.kind):
        block, _, member = path.partition(".")
        before = operation.state.get(block)
        if isinstance(outputs.get(block), dict):
            known = before.get(member, UNKNOWN) if isinstance(before, dict) else UNKNOWN
            outputs[block] = {**outputs[block], member: known}


def _all_tags(operation: Operation, policy: TagPolicy) -> Any:
    own = operation.inputs.get("tags")
    return UNKNOWN if own is UNKNOWN else policy.all_tags(own)


def _foreseen(operation: Operation, name: str) -> Any:
    field = operation.kind.fields.get(name, _NO_FIELD)
    if field.default is not UNSET:
        return field.default
    template = operation.kind.outputs.get(name)
    known = {*operation.inputs, "region", "partition", "account"}
    if template is not None and references(template) <= known:
        return operation.expand(template)
    return UNKNOWN
