"""Whose a thing is that exists already when it shall be made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudcommerce_sandbox.plugins.aws import steps, tag_calls
from cloudcommerce_sandbox.plugins.aws.declaration import Step
from cloudcommerce_sandbox.plugins.aws.errors import AwsError
from cloudcommerce_sandbox.plugins.aws.operation import Operation
from cloudcommerce_sandbox.plugins.aws.templates import select
from cloudcommerce_sandbox.plugins.provider import DEFAULTS, ProviderError


def made_unheard(
    operation: Operation, first: Step, own: Mapping[str, Any], error: AwsError
) -> dict[str, Any]:
    """Find what an attempt has made whose answer got lost, when the next one was told that it exists.

    Somebody else's thing may have the name as well. Ours is what has the random name of this very create, or
    carries every tag that the attempt gave it.

    Returns:
        The read item; the operation has its id.

    Raises:
        ProviderError: There is no doubt about the failure, or it can't be told whose the thing is.
    """
    if not (error.may_be_done and error.is_taken):
        raise error
    kind, rule = operation.kind, operation.kind.id
    name = kind.name.property if kind.name is not None else ""
    template = operation.expand(rule.template) if rule.template else None
    operation.id = str(operation.inputs.get(name) or template or "")
    item = steps.read_item(operation, deep=False) if operation.id else None
    if item:
        operation.state = {**operation.state, **steps.readable(operation, item)}
        is_named_by_us = name in (operation.inputs.get(DEFAULTS) or ())
        carried = tag_calls.actual(operation, item)
        if is_named_by_us or (own and own.items() <= carried.items()):
            within = rule.response.removeprefix(f"{first.item}.")
            operation.id = str((select(within, item) if within else None) or operation.id)
            return item
    message = (
        f"{error}. An attempt before had no answer, so this may be its work: if it is nobody else's, "
        "import or delete it"
    )
    raise ProviderError(message) from error
