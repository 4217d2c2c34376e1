"""Inputs of a component: plain values, or outputs that are known later or depend on other resources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi

Inputs = Mapping[str, Any]
"""Property bag under Pulumi's camelCase names."""


def is_given(value: Any) -> bool:
    """Whether a value asks for something: any output does, and any plain value that is not empty or false."""
    return isinstance(value, pulumi.Output) or bool(value)


def member(resource: Any, name: str) -> pulumi.Output[Any]:
    """Return an attribute of a resource that may be known later."""
    return pulumi.Output.from_input(resource).apply(lambda known: getattr(known, name))


def merged_tags(*tags: Any, name: str = "") -> pulumi.Output[dict[str, str]]:
    """Return tags over tags, later ones winning over earlier ones and over `Name`."""

    def merge(given: list[Any]) -> dict[str, str]:
        merged = {"Name": name} if name else {}
        for one in given:
            merged.update(one or {})
        return merged

    return pulumi.Output.all(*tags).apply(merge)


def json_text(value: Any) -> pulumi.Output[str] | None:
    """Return a value as JSON with sorted keys; None when it is not given."""
    return None if value is None else pulumi.Output.from_input(value).apply(compact_json)


def compact_json(value: Any) -> str:
    """Return JSON without spaces, keys sorted."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
