"""What botocore's models say about the values of a request: enums, ranges, lengths and patterns."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

_MOST_SHOWN = 12
_NUMBERS = frozenset({"integer", "long", "float", "double"})


def violations(value: Any, shape: Any) -> Iterator[str]:
    """Yield what is wrong with one converted request value, in words that name value and limit.

    Args:
        value: A leaf, list or map of the request.
        shape: Its botocore shape.
    """
    limits = shape.metadata
    if isinstance(value, str):
        yield from _text(value, limits)
    elif shape.type_name in _NUMBERS and isinstance(value, int | float) and not isinstance(value, bool):
        yield from _range(value, limits, "")
    elif isinstance(value, list | dict):
        yield from _range(len(value), limits, "its number of items, ")


def _text(value: str, limits: Any) -> Iterator[str]:
    choices = limits.get("enum")
    if choices and value not in choices:
        shown = ", ".join(choices[:_MOST_SHOWN]) + (", …" if len(choices) > _MOST_SHOWN else "")
        yield f"{value!r} is not one of {shown}"
        return
    yield from _range(len(value), limits, "its length, ")
    pattern = _compiled(limits["pattern"]) if "pattern" in limits else None
    if pattern and not pattern.fullmatch(value):
        yield f"{value!r} does not match the pattern {limits['pattern']}"


def _range(number: float, limits: Any, what: str) -> Iterator[str]:
    if "min" in limits and number < limits["min"]:
        yield f"{what}{number}, is less than the minimum of {limits['min']}"
    if "max" in limits and number > limits["max"]:
        yield f"{what}{number}, is more than the maximum of {limits['max']}"


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Compile a pattern of the model; those in a dialect that Python lacks are not checked."""
    try:
        return re.compile(pattern)
    except re.error:
        return None
