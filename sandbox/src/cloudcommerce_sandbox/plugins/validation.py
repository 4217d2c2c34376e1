"""Checking inputs against the types of the installed SDK."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from cloudcommerce_sandbox.plugins.provider import DEFAULTS, Failure
from cloudcommerce_sandbox.plugins.sdk import Kind, Property
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, Asset, Secret


def failures(
    inputs: Mapping[str, Any], properties: Mapping[str, Property], parent: str = ""
) -> Iterator[Failure]:
    """Yield unknown, missing and wrongly typed properties of an object; never shows values."""
    for name, value in inputs.items():
        if name == DEFAULTS:
            continue
        path = f"{parent}{name}"
        if name not in properties:
            yield Failure(path, _unknown_property(name, properties))
        elif value is not None:
            yield from _value_failures(value, properties[name].kind, path)
    for name, property_ in properties.items():
        if property_.required and inputs.get(name) is None:
            yield Failure(f"{parent}{name}", "is required and was not given")


def _unknown_property(name: str, properties: Mapping[str, Property]) -> str:
    near = difflib.get_close_matches(name, properties, n=1)
    return f"is no property of this type{f'; did you mean {near[0]}?' if near else ''}"


def _value_failures(value: Any, kind: Kind, path: str) -> Iterator[Failure]:
    if isinstance(value, Secret):
        value = value.value
    if value is UNKNOWN or value is None or kind.name == "any":
        return
    if kind.name == "union":
        if not any(not list(_value_failures(value, choice, path)) for choice in kind.choices):
            yield Failure(path, f"must be one of {', '.join(_article(choice) for choice in kind.choices)}")
    elif not _fits(value, kind):
        yield Failure(path, f"must be {_article(kind)}, got {_type_of(value)}")
    elif kind.name == "object":
        yield from failures(value, kind.fields, f"{path}.")
    elif kind.item is not None:
        items = enumerate(value) if kind.name == "list" else value.items()
        for key, item in items:
            yield from _value_failures(
                item, kind.item, f"{path}[{key}]" if kind.name == "list" else f"{path}.{key}"
            )


def _fits(value: Any, kind: Kind) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    checks = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": is_number and float(value).is_integer(),
        "number": is_number,
        "list": isinstance(value, list),
        "map": isinstance(value, dict),
        "object": isinstance(value, dict),
        "asset": isinstance(value, Asset),
    }
    return checks.get(kind.name, True)


def _article(kind: Kind) -> str:
    return f"{'an' if kind.name[0] in 'aio' else 'a'} {kind.name}"


def _type_of(value: Any) -> str:
    names = {
        str: "a string",
        bool: "a boolean",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "a map",
    }
    return names.get(type(value), "an asset" if isinstance(value, Asset) else type(value).__name__)
