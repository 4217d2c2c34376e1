"""Reading and changing the tags of a resource in AWS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudcommerce_sandbox.plugins.aws import steps, tags
from cloudcommerce_sandbox.plugins.aws.operation import Operation


def change(operation: Operation, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Bring the tags of a resource from `old` to `new`, with calls only for what differs."""
    style = operation.kind.tags
    if style is None:
        return
    service = style.service
    target = steps.expand_set(operation, style.target, service, style.tag)
    gone, come = tags.removed(old, new), tags.added(old, new)
    if gone:
        keys: dict[str, Any]
        if style.untag_member is None:
            keys = {style.tag_member: tags.shaped(style, {key: old[key] for key in gone})}
        else:
            keys = {style.untag_member: list(gone)}
        operation.call(style.untag, service=service, **target, **keys)
    if come:
        operation.call(style.tag, service=service, **target, **{style.tag_member: tags.shaped(style, come)})


def actual(operation: Operation, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tags that the resource carries in AWS."""
    style = operation.kind.tags
    if style is None:
        return {}
    found = tags.from_item(style, item)
    if found is None and style.list is not None:
        found = tags.plain(style, steps.fetch(operation, style.list))
    return found or {}
