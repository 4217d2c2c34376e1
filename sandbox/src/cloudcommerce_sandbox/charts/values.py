"""The values of a release as far as they are settled before anything is applied.

What another resource will tell, and what is secret, is a placeholder: the rest says whether a recording still
fits the program.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final

from cloudcommerce_sandbox.plugins.wire import UNKNOWN, Secret

PLACEHOLDER: Final[dict[str, Any]] = {"$placeholder": True}
"""Stands in a recording for a value that is secret or known only once the stack is applied."""

SAMPLE: Final = "placeholder"
"""What a chart gets for a placeholder when it is rendered for a recording."""

_DIGEST_LENGTH: Final = 12


def settled(values: Any) -> Any:
    """Return values with placeholders for what is unknown or secret.

    Args:
        values: A property tree of the engine, or settled values.
    """
    if values is UNKNOWN or isinstance(values, Secret):
        return PLACEHOLDER
    if isinstance(values, dict):
        return {key: settled(value) for key, value in values.items()}
    if isinstance(values, list):
        return [settled(value) for value in values]
    return values


def sampled(values: Any) -> Any:
    """Return settled values with a sample text for each placeholder, fit to be given to a chart."""
    if values == PLACEHOLDER:
        return SAMPLE
    if isinstance(values, dict):
        return {key: sampled(value) for key, value in values.items()}
    if isinstance(values, list):
        return [sampled(value) for value in values]
    return values


def digest(values: Any) -> str:
    """Return the hash of settled values by which a recording is found (12 hexadecimal digits of SHA-256)."""
    text = json.dumps(settled(values), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]


def differences(recorded: Any, now: Any, path: str = "values") -> Iterator[str]:
    """Yield, in words, where values differ from recorded ones.

    A recorded placeholder fits whatever is there now, and what is not known yet fits whatever was recorded.

    Args:
        recorded: Settled values.
        now: A property tree of the engine, or settled values.
        path: Where both are, for the words.
    """
    if recorded == PLACEHOLDER or now is UNKNOWN or (now == PLACEHOLDER and recorded is not None):
        return
    if isinstance(now, Secret):
        yield f"{path} is secret now and was recorded in the open"
    elif isinstance(recorded, dict) and isinstance(now, dict):
        yield from _of_mappings(recorded, now, path)
    elif isinstance(recorded, list) and isinstance(now, list) and len(recorded) == len(now):
        for index, (before, after) in enumerate(zip(recorded, now, strict=True)):
            yield from differences(before, after, f"{path}[{index}]")
    elif type(recorded) is not type(now) or recorded != now:
        yield f"{path} is {_shown(now)} now and was {_shown(recorded)}"


def _of_mappings(recorded: dict[str, Any], now: dict[str, Any], path: str) -> Iterator[str]:
    for key in sorted({*recorded, *now}):
        if key not in now:
            yield f"{path}.{key} is gone"
        elif key not in recorded:
            yield f"{path}.{key} is new"
        else:
            yield from differences(recorded[key], now[key], f"{path}.{key}")


def _shown(value: Any) -> str:
    """Return a value for a message: containers by their size, because secrets may be in them."""
    if isinstance(value, dict | list):
        return f"{'a map' if isinstance(value, dict) else 'a list'} of {len(value)}"
    return json.dumps(value, default=str)
