"""Building botocore requests from Pulumi properties by the shapes of the operation."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudcommerce_sandbox.plugins.aws import models
from cloudcommerce_sandbox.plugins.aws.constraints import violations
from cloudcommerce_sandbox.plugins.aws.conversions import Convert
from cloudcommerce_sandbox.plugins.aws.declaration import Call, Field, ResourceType
from cloudcommerce_sandbox.plugins.aws.matching import listless, match, put, shape_at, structure
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, Asset

_NO_FIELD = Field()
_UNCHANGED = Convert().send
_INTEGERS = frozenset({"integer", "long"})
_FLOATS = frozenset({"float", "double"})


@dataclass
class Built:
    """A request, what the API's model says against it, and the property paths that found no member."""

    members: dict[str, Any] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)
    unmapped: list[str] = field(default_factory=list)


def member_path(kind: ResourceType, call: Call, name: str) -> str | None:
    """Return the request path of a top-level property in a call; None when the operation has none."""
    return _member_paths(_Key(kind, call)).get(name) if _is_sendable(kind, call, name) else None


def _is_sendable(kind: ResourceType, call: Call, name: str) -> bool:
    hidden = name in kind.local or name in call.omit or name in ("region", "tags", "tagsAll")
    return not hidden and name not in kind.unsupported


@dataclass(frozen=True, eq=False)
class _Key:
    """A call of a type; declarations hold mappings and are compared by identity."""

    kind: ResourceType
    call: Call

    def __hash__(self) -> int:
        return hash((id(self.kind), id(self.call)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.kind is other.kind and self.call is other.call


class _Paths:
    """Finds and remembers the member of each property of one call."""

    def __init__(self, key: _Key) -> None:
        self._key = key
        self._found: dict[str, str | None] = {}

    def get(self, name: str) -> str | None:
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def _find(self, name: str) -> str | None:
        kind, call = self._key.kind, self._key.call
        shape = models.input_shape(call.service or kind.service, call.operation)
        root = shape_at(shape, call.root)
        if name in call.names:
            return call.names[name] if shape_at(shape, call.names[name]) is not None else None
        declared = kind.fields.get(name, _NO_FIELD).member
        if declared is not None:
            found = declared if declared == "" or shape_at(root, declared) is not None else None
        else:
            found = match(name, structure(root).members) if structure(root) is not None else None
        if found is None:
            return None
        return ".".join(part for part in (call.root, found) if part)


@functools.cache
def _member_paths(key: _Key) -> _Paths:
    return _Paths(key)


class Builder:
    """Builds the part of a request that comes from properties."""

    def __init__(self, kind: ResourceType, call: Call) -> None:
        self._kind = kind
        self._call = call
        self._shape = models.input_shape(call.service or kind.service, call.operation)

    def build(self, properties: Mapping[str, Any], names: Iterable[str]) -> Built:
        """Build from some properties.

        Args:
            properties: Plain values, `UNKNOWN` allowed.
            names: Which of them to send; those that the operation has no member for are skipped.
        """
        built = Built()
        for name in names:
            value = properties.get(name)
            path = member_path(self._kind, self._call, name)
            if value is None or path is None:
                continue
            shape = shape_at(self._shape, path)
            converted = self._convert(value, shape, name, built)
            if path:
                put(built.members, path, converted)
            elif isinstance(converted, dict):
                for key, item in converted.items():
                    put(built.members, key, item)
        return built

    def _convert(self, value: Any, shape: Any, path: str, built: Built) -> Any:
        if value is UNKNOWN:
            return UNKNOWN
        convert = self._kind.fields.get(listless(path), _NO_FIELD).convert
        if convert is not None and convert.send is not _UNCHANGED:
            try:
                value = convert.send(value)
            except (TypeError, ValueError) as error:
                built.problems.append((path, f"can't be converted for the API: {error}"))
                return value
            result = coerced(value, shape)
        else:
            result = self._fit(value, shape, path, built)
        built.problems.extend((path, reason) for reason in violations(result, shape))
        return result

    def _fit(self, value: Any, shape: Any, path: str, built: Built) -> Any:
        """Bring a value into the form of the shape, following nested blocks and flattened lists."""
        if shape.type_name == "list":
            items = value if isinstance(value, list) else [value]
            if isinstance(value, list):
                return [
                    self._convert_item(item, shape.member, f"{path}[{n}]", built)
                    for n, item in enumerate(items)
                ]
            return [self._convert_item(value, shape.member, path, built)]
        if isinstance(value, list):
            return self._fit(value[0], shape, f"{path}[0]", built) if value else None
        if shape.type_name == "structure":
            return self._structure(value, shape, path, built)
        if shape.type_name == "map" and isinstance(value, dict):
            return {
                key: self._convert_item(item, shape.value, f"{path}.{key}", built)
                for key, item in value.items()
            }
        return coerced(value, shape)

    def _convert_item(self, value: Any, shape: Any, path: str, built: Built) -> Any:
        if value is UNKNOWN or value is None:
            return value
        result = self._fit(value, shape, path, built)
        built.problems.extend((path, reason) for reason in violations(result, shape))
        return result

    def _structure(self, value: Any, shape: Any, path: str, built: Built) -> Any:
        if not isinstance(value, dict):
            return (
                {"Value": coerced(value, shape.members["Value"])}
                if set(shape.members) == {"Value"}
                else value
            )
        members: dict[str, Any] = {}
        for name, item in value.items():
            if item is None:
                continue
            inner = f"{path}.{name}"
            target = nested_member(self._kind, inner, shape)
            if target is None:
                if inner_is_handled(self._kind, inner):
                    continue
                built.unmapped.append(inner)
            elif target == "":
                members.update(self._convert(item, shape, inner, built) or {})
            else:
                put(members, target, self._convert(item, shape_at(shape, target), inner, built))
        return members


def nested_member(kind: ResourceType, path: str, shape: Any) -> str | None:
    """Return the request path of a nested property inside its block; None when there is none."""
    declared = kind.fields.get(listless(path), _NO_FIELD).member
    if declared is not None:
        return declared if declared == "" or shape_at(shape, declared) is not None else None
    return match(listless(path).rpartition(".")[2], shape.members)


def inner_is_handled(kind: ResourceType, path: str) -> bool:
    """Whether a nested property is local, hence not to be sent."""
    return listless(path) in kind.local


def coerced(value: Any, shape: Any) -> Any:
    """Bring a scalar into the type of the shape, as JSON and AWS's query protocol do."""
    if value is UNKNOWN or value is None or shape is None:
        return value
    if shape.type_name == "list" and not isinstance(value, list):
        return [coerced(value, shape.member)]
    return _scalar(value, shape.type_name)


def _scalar(value: Any, type_name: str) -> Any:
    if isinstance(value, Asset):
        return value.read() if type_name == "blob" else value.read().decode()
    if type_name == "string" and isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, str):
        return _from_text(value, type_name)
    return float(value) if type_name in _FLOATS and isinstance(value, int) else value


def _from_text(value: str, type_name: str) -> Any:
    if type_name in _INTEGERS and value.lstrip("-").isdigit():
        return int(value)
    if type_name == "boolean" and value in ("true", "false"):
        return value == "true"
    return value.encode() if type_name == "blob" else value
