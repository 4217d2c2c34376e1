"""Which of the SDK's properties a declaration takes care of: nothing is ever silently dropped."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from cloudcommerce_sandbox.plugins import sdk
from cloudcommerce_sandbox.plugins.aws import models
from cloudcommerce_sandbox.plugins.aws.declaration import EVERYTHING, Call, ResourceType, Run, Step
from cloudcommerce_sandbox.plugins.aws.matching import match, shape_at, structure
from cloudcommerce_sandbox.plugins.aws.requests import member_path, nested_member
from cloudcommerce_sandbox.plugins.aws.templates import references

_MACHINERY = frozenset({"region", "tags", "tagsAll"})
_NOT_MAPPED = "the declaration does not map it"


def refused(kind: ResourceType) -> dict[str, str]:
    """Return the input paths (without list indexes) that the sandbox lacks, with the reasons."""
    return _refused(_ById(kind))


def computed_members(kind: ResourceType) -> frozenset[str]:
    """Return the members of blocks that AWS alone sets, by path."""
    return _computed_members(_ById(kind))


class _ById:
    """Makes a declaration a cache key: it is one object for the process's life."""

    def __init__(self, kind: ResourceType) -> None:
        self.kind = kind

    def __hash__(self) -> int:
        return id(self.kind)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.kind is self.kind


@functools.cache
def _computed_members(key: _ById) -> frozenset[str]:
    return frozenset(path for path, field in key.kind.fields.items() if field.computed)


@functools.cache
def _refused(key: _ById) -> dict[str, str]:
    kind = key.kind
    found = dict(kind.unsupported)
    for name, property_ in sdk.schema(kind.pulumi_type).inputs.items():
        if name not in found:
            found.update(dict.fromkeys(_unmapped(kind, name, property_.kind), _NOT_MAPPED))
    return found


def _unmapped(kind: ResourceType, name: str, type_: sdk.Kind) -> set[str]:
    if name in kind.local or _is_handled_by_code(kind, name):
        return set()
    if name in _MACHINERY:
        return {name} if name == "tags" and kind.tags is None else set()
    steps = [step for step in (*kind.create, *kind.update) if isinstance(step, Call)]
    gaps = [gap for step in steps if (gap := _gaps(kind, step, name, type_)) is not None]
    return set.intersection(*gaps) if gaps else {name}


def _is_handled_by_code(kind: ResourceType, name: str) -> bool:
    if kind.name is not None and name == kind.name.prefix:
        return True
    return any(name in _taken(step) for step in (*kind.create, *kind.update, *kind.delete))


def _taken(step: Step) -> set[str]:
    return set(step.on) if isinstance(step, Run) else references(step.set) | ({*step.on} & {*step.omit})


def _gaps(kind: ResourceType, call: Call, name: str, type_: sdk.Kind) -> set[str] | None:
    """Return the nested paths that a call can't send; None when it does not send the property at all."""
    path = member_path(kind, call, name)
    if path is None:
        return None
    shape = shape_at(models.input_shape(call.service or kind.service, call.operation), path)
    return set(_nested_gaps(kind, name, type_, shape))


def _nested_gaps(kind: ResourceType, path: str, type_: sdk.Kind, shape: Any) -> Iterator[str]:
    field = kind.fields.get(path)
    inside = structure(shape)
    while type_.name == "list" and type_.item is not None:
        type_ = type_.item
    if (field is not None and field.convert is not None) or type_.name != "object" or inside is None:
        return
    for name, property_ in type_.fields.items():
        inner = f"{path}.{name}"
        if inner in kind.local or inner in kind.unsupported or inner in computed_members(kind):
            continue
        target = nested_member(kind, inner, inside)
        if target is None:
            yield inner
        else:
            yield from _nested_gaps(
                kind, inner, property_.kind, shape_at(inside, target) if target else inside
            )


def unchangeable(kind: ResourceType) -> frozenset[str]:
    """Return the inputs that no step of update takes, though their change does not replace the resource."""
    return _unchangeable(_ById(kind))


@functools.cache
def _unchangeable(key: _ById) -> frozenset[str]:
    kind = key.kind
    if kind.force_new == EVERYTHING:
        return frozenset()
    inputs = frozenset(sdk.schema(kind.pulumi_type).inputs)
    handled = {*_MACHINERY, *kind.local}
    handled |= {path.partition(".")[0] for path in (*kind.force_new, *kind.unsupported)}
    for step in kind.update:
        if isinstance(step, Run):
            handled |= set(step.on) or inputs
        else:
            handled |= set(step.on) or {name for name in inputs if member_path(kind, step, name) is not None}
    return inputs - handled


def unreadable(kind: ResourceType) -> set[str]:
    """Return the SDK's computed outputs that the declaration neither reads, computes nor gives up."""
    schema = sdk.schema(kind.pulumi_type)
    known = {*schema.inputs, *kind.outputs, *kind.no_output, *_MACHINERY}
    return {name for name in schema.outputs if name not in known and not _is_readable(kind, name)}


def _is_readable(kind: ResourceType, name: str) -> bool:
    field = kind.fields.get(name)
    if field is not None and (field.read or field.member):
        return True
    if kind.read is None or kind.read.function is not None:
        return True
    if any(match(name, [part.into]) for part in kind.read.also if part.into):
        return True
    return any(name_matches(shape, name) for shape in _read_shapes(kind))


def name_matches(shape: Any, name: str) -> bool:
    """Whether a structure has a member for the property."""
    if shape is None:
        return False
    return shape.type_name == "map" or match(name, shape.members) is not None


def _read_shapes(kind: ResourceType) -> Iterator[Any]:
    read = kind.read
    if read is None:
        return
    service = read.service or kind.service
    yield _item_shape(models.output_shape(service, read.operation), read.item)
    for fetch in read.also:
        yield _item_shape(models.output_shape(fetch.service or kind.service, fetch.operation), fetch.item)


def _item_shape(shape: Any, path: str) -> Any:
    """Return the structure or map that a JMESPath of names, indexes and filters selects.

    What is picked by other means (a multi-select hash) can have any name: an open map stands for it.
    """
    head = path.partition("|")[0].partition("[")[0]
    plain = ".".join(
        name.strip() for name in head.split(".") if name.strip() not in ("", "@") and "{" not in name
    )
    found = shape_at(shape, plain) if shape is not None else None
    if found is not None and found.type_name == "map":
        return found
    return _OPEN if ".{" in path else structure(found)


class _Open:
    """A shape of which any member may be told."""

    type_name = "map"


_OPEN = _Open()
