"""Which fields of a live object a program would have to set to be its source."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from cloudcommerce_sandbox.plugins.kubernetes import objects
from cloudcommerce_sandbox.plugins.kubernetes.cluster import Object

_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_CONTROLLERS: Final = ("kube-controller-manager", "kube-scheduler", "kubelet", "cluster-autoscaler")


def inputs_of(live: Object) -> Object:
    """Return the inputs of an imported object: what somebody applied or set, without the server's defaults.

    They come from what kubectl applied last, else from the fields that managers other than controllers own,
    else, where nobody's fields are recorded, are all that can be written.
    """
    identity = {"apiVersion": live["apiVersion"], "kind": live["kind"]}
    applied = _applied(live)
    if applied is None:
        owned = _owned_fields(live)
        applied = _pick(live, owned) if owned else live
    cleaned = objects.without_read_only({**applied, **identity})
    metadata = {"name": objects.name(live), **(cleaned.get("metadata") or {})}
    if objects.namespace(live):
        metadata["namespace"] = objects.namespace(live)
    return {**cleaned, "metadata": metadata}


def _applied(live: Object) -> Object | None:
    text = objects.annotation(live, _LAST_APPLIED)
    try:
        found = json.loads(text) if text else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _owned_fields(live: Object) -> dict[str, Any]:
    owned: dict[str, Any] = {}
    for entry in objects.metadata(live).get("managedFields") or ():
        if not entry.get("subresource") and not str(entry.get("manager")).startswith(_CONTROLLERS):
            _join(owned, entry.get("fieldsV1") or {})
    return owned


def _join(target: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        _join(target.setdefault(key, {}), value)


def _pick(value: Any, fields: Mapping[str, Any]) -> Any:
    """Return the owned part of a value; a field without inner ones is owned as a whole."""
    inner = {key: more for key, more in fields.items() if key != "."}
    if not inner:
        return value
    if isinstance(value, dict):
        chosen = {key.removeprefix("f:"): more for key, more in inner.items() if key.startswith("f:")}
        return {key: _pick(value[key], more) for key, more in chosen.items() if key in value}
    if isinstance(value, list):
        return [_pick(item, more) for item in value if (more := _fields_of(item, inner)) is not None]
    return value


def _fields_of(item: Any, fields: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the owned fields of a list's item: `k:` names it by keys, `v:` by its value."""
    for key, more in fields.items():
        kind, _, text = key.partition(":")
        if kind == "v" and json.loads(text) == item:
            return dict(more)
        if kind == "k" and isinstance(item, dict) and _matches(item, json.loads(text)):
            return {**more, **{f"f:{name}": {} for name in json.loads(text) if f"f:{name}" in more}}
    return None


def _matches(item: Mapping[str, Any], keys: Mapping[str, Any]) -> bool:
    return all(item.get(name) == value for name, value in keys.items())
