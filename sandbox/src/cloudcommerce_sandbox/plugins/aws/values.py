"""Reading Pulumi properties out of AWS responses by the SDK's types."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

from cloudcommerce_sandbox.plugins.aws.declaration import UNSET, Field, ResourceType
from cloudcommerce_sandbox.plugins.aws.matching import folded
from cloudcommerce_sandbox.plugins.aws.templates import select
from cloudcommerce_sandbox.plugins.provider import ProviderError
from cloudcommerce_sandbox.plugins.sdk import Kind

_NO_FIELD = Field()
_ABSENT = object()


class Reader:
    """Reads the properties of one resource type."""

    def __init__(self, kind: ResourceType) -> None:
        self._kind = kind

    def read(self, item: Mapping[str, Any], kinds: Mapping[str, Kind]) -> dict[str, Any]:
        """Read every property that the response tells about.

        Args:
            item: The resource in the response.
            kinds: Properties to read with their types.

        Returns:
            The properties found. Those absent in the response are absent here, unless `Field.absent` says
            what absence means.
        """
        return self._members(item, kinds, "")

    def _members(self, item: Mapping[str, Any], kinds: Mapping[str, Kind], parent: str) -> dict[str, Any]:
        index: dict[str, str] = {}
        for member in item:
            index.setdefault(folded(member), member)
        found: dict[str, Any] = {}
        for name, kind in kinds.items():
            path = f"{parent}{name}"
            value = self._value(item, index, name, path, kind)
            if value is not _ABSENT:
                found[name] = value
        return found

    def _value(
        self, item: Mapping[str, Any], index: Mapping[str, str], name: str, path: str, kind: Kind
    ) -> Any:
        field = self._kind.fields.get(path, _NO_FIELD)
        if field.write_only or path in self._kind.local or path in self._kind.unsupported:
            return _ABSENT
        raw = self._raw(item, index, name, field)
        if raw is None:
            return _ABSENT if field.absent is UNSET else field.absent
        if field.convert is not None:
            try:
                return _typed(field.convert.read(raw), kind)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                message = f"{path}: AWS's value can't be converted: {type(error).__name__}: {error}"
                raise ProviderError(message) from error
        return self._shaped(raw, kind, path)

    @staticmethod
    def _raw(item: Mapping[str, Any], index: Mapping[str, str], name: str, field: Field) -> Any:
        if field.read is not None:
            return select(field.read, item) if field.read else None
        if field.member is not None:
            if field.member == "":
                return item
            by_member = select(field.member, item)
            if by_member is not None:
                return by_member
        member = name if name in item else index.get(folded(name))
        return None if member is None else item[member]

    def _shaped(self, raw: Any, kind: Kind, path: str) -> Any:
        """Bring a response value into the property's type, following blocks and lists flattened by Pulumi."""
        if kind.name == "list" and kind.item is not None:
            items = raw if isinstance(raw, list) else [raw]
            shaped = (self._shaped(item, kind.item, path) for item in items if item is not None)
            return [item for item in shaped if item is not _ABSENT]
        if isinstance(raw, list) and kind.name not in ("any", "union"):
            return self._shaped(raw[0], kind, path) if raw else _ABSENT
        if kind.name == "object" and isinstance(raw, Mapping):
            kinds = {name: property_.kind for name, property_ in kind.fields.items()}
            return self._members(raw, kinds, f"{path}.")
        if kind.name == "map" and isinstance(raw, Mapping) and kind.item is not None:
            return {key: self._shaped(item, kind.item, path) for key, item in raw.items()}
        return _typed(raw, kind)


def _typed(raw: Any, kind: Kind) -> Any:
    """Bring a scalar into the property's type."""
    if isinstance(raw, Mapping) and set(raw) == {"Value"}:
        raw = raw["Value"]
    if isinstance(raw, datetime.datetime):
        return raw.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(raw, bytes):
        return raw.decode(errors="replace")
    if kind.name == "string":
        return _as_text(raw)
    if kind.name in ("integer", "number") and isinstance(raw, str) and raw.lstrip("-").isdigit():
        return int(raw)
    if kind.name == "boolean" and isinstance(raw, str):
        return raw.lower() in ("true", "enabled", "1")
    return raw


def _as_text(raw: Any) -> Any:
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, int | float):
        return str(raw)
    return json.dumps(raw, separators=(",", ":"), default=str) if isinstance(raw, dict | list) else raw
