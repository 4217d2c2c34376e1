"""What others changed of the fields that a program set."""

from __future__ import annotations

from typing import Any, Final

from cloudcommerce_sandbox.plugins.kubernetes.equality import same

_MISSING: Final = object()
_MERGE_KEYS: Final = ("name", "mountPath", "key", "type", "ip")
"""What tells the items of the API's lists apart; see `x-kubernetes-list-map-keys` in its OpenAPI document."""


def live_inputs(inputs: Any, before: Any, now: Any) -> Any:
    """Return the inputs as they would have to be to bring about the live object.

    Three-way: only what changed in the live object since it was last seen is drift. What the server wrote
    otherwise than it was given (`1000m` as `1`), left out or never returns (`stringData`) is not, and neither
    are fields that the program does not set.

    Args:
        inputs: What the program gave.
        before: The live object as last seen.
        now: The live object.
    """
    return _merged(inputs, before, now, ())


def _merged(given: Any, before: Any, now: Any, path: tuple[str | int, ...]) -> Any:
    if isinstance(given, dict) and isinstance(now, dict):
        return _merged_map(given, before if isinstance(before, dict) else {}, now, path)
    if isinstance(given, list) and isinstance(now, list):
        return _merged_list(given, before if isinstance(before, list) else [], now, path)
    if now == before or same(given, now, path):
        return given
    return now


def _merged_map(given: Any, before: Any, now: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
    merged = {}
    for key, value in given.items():
        if key in now:
            merged[key] = _merged(value, before.get(key, _MISSING), now[key], (*path, key))
        elif key not in before:
            merged[key] = value
    return merged


def _merged_list(given: Any, before: Any, now: Any, path: tuple[str | int, ...]) -> list[Any]:
    if before == now:
        return list(given)
    key = _merge_key(given, now)
    if key:
        earlier = {item[key]: item for item in before if isinstance(item, dict) and key in item}
        present = {item[key]: item for item in now}
        return [
            _merged(item, earlier.get(item[key], _MISSING), present[item[key]], (*path, position))
            for position, item in enumerate(given)
            if item[key] in present
        ]
    if len(given) != len(now):
        return list(now)
    sources = before if len(before) == len(now) else [_MISSING] * len(now)
    return [
        _merged(item, earlier, value, (*path, position))
        for position, (item, earlier, value) in enumerate(zip(given, sources, now, strict=True))
    ]


def _merge_key(*lists: list[Any]) -> str:
    """Return the key that names every item of all lists uniquely; empty when none does."""
    for key in _MERGE_KEYS:
        if all(_names_all(key, items) for items in lists):
            return key
    return ""


def _names_all(key: str, items: list[Any]) -> bool:
    if not items or not all(isinstance(item, dict) and isinstance(item.get(key), str) for item in items):
        return False
    return len({item[key] for item in items}) == len(items)
