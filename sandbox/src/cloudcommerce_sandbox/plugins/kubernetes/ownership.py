"""Who owns which fields of an object: field managers of server-side apply.

See https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

import copy
import hashlib
import os
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from cloudcommerce_sandbox.plugins.kubernetes import objects
from cloudcommerce_sandbox.plugins.kubernetes.cluster import Cluster, Object
from cloudcommerce_sandbox.plugins.kubernetes.diff import Path, path_of
from cloudcommerce_sandbox.plugins.kubernetes.errors import ApiError
from cloudcommerce_sandbox.plugins.provider import Request

MANAGER: Final = "__fieldManager"
"""Output that keeps the manager, as in the official provider's state."""

_PREFIX: Final = "pulumi-kubernetes"
_DIGITS: Final = 12
_BACKEND: Final = "PULUMI_BACKEND_URL"
_THIS_MACHINE: Final = "file://"
_OWNER: Final = re.compile(r'conflict with "([^"]*)"(?! with subresource)')
_TAKEN_OVER: Final = (
    ("kubectl", "Apply"),
    ("kubectl", "Update"),
    ("before-first-apply", "Update"),
    (_PREFIX, "Update"),
)
"""Managers, by the beginning of their names, whose fields become ours at an update: the program is the
source of what people change by hand with kubectl. The official provider takes the same ones."""


def manager(request: Request, wanted: Mapping[str, Any]) -> str:
    """Return the field manager: the annotation's, the state's, else one made of the URN and the backend.

    That it is made of them lets a create recognize the object that an earlier create of the same resource
    made without living to tell the engine.
    """
    chosen = objects.annotation(wanted, objects.PATCH_MANAGER)
    known = request.state.get(MANAGER)
    if chosen or isinstance(known, str):
        return chosen or str(known)
    digest = hashlib.sha256(f"{_backend()} {request.urn}".encode()).hexdigest()
    return f"{_PREFIX}-{digest[:_DIGITS]}"


def _backend() -> str:
    """Return where the stack's state is: two people's stacks of one name may share a cluster.

    A folder, or a backend that the environment does not name, counts as this machine's own.
    """
    url = os.environ.get(_BACKEND, "")
    return f"{url} {platform.node()}" if not url or url.startswith(_THIS_MACHINE) else url


def is_made_by(live: Mapping[str, Any], name: str) -> bool:
    """Whether a manager has fields of an object."""
    return any(entry.get("manager") == name for entry in _entries(live))


def only_adoptable(error: ApiError, name: str) -> bool:
    """Whether an apply is only in conflict with managers whose fields `adopt` moves to ours."""
    owners = [_OWNER.search(str(cause.get("message") or "")) for cause in error.causes]
    return bool(owners) and all(
        found is not None and _is_taken({"manager": found[1], "operation": "Update"}, name)
        for found in owners
    )


def adopt(cluster: Cluster, live: Object, name: str) -> Object:
    """Move what we own without server-side apply, and what kubectl changed, to our manager.

    Without it our apply would not remove fields that our create made, and would be in conflict with kubectl.

    Returns:
        The object as it is afterwards.
    """
    entries = _entries(live)
    taken = [entry for entry in entries if _is_taken(entry, name)]
    if not taken:
        return live
    own = [entry for entry in entries if entry.get("manager") == name and entry.get("operation") == "Apply"]
    merged: dict[str, Any] = {}
    for entry in (*own, *taken):
        _union(merged, entry.get("fieldsV1") or {})
    api_version = str(live["apiVersion"])
    mine = {
        "apiVersion": api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": merged,
        "manager": name,
        "operation": "Apply",
        "time": taken[-1].get("time"),
    }
    rest = [entry for entry in entries if entry not in taken and entry not in own]
    return cluster.patch(
        live,
        [
            {"op": "replace", "path": "/metadata/managedFields", "value": [mine, *rest]},
            # With its version the patch is refused when the object has changed since it was read.
            {
                "op": "replace",
                "path": "/metadata/resourceVersion",
                "value": live["metadata"]["resourceVersion"],
            },
        ],
    )


def respect_ignored(wanted: Object, live: Object, ignored: Sequence[str], name: str) -> Object:
    """Return the object to apply when the program ignores changes of some fields.

    A field that somebody else owns alone is left out, so that it stays theirs; any other, and any part of a
    list, keeps its live value. Paths with wildcards need nothing: the engine has put the old inputs there.
    """
    result = copy.deepcopy(wanted)
    for text in ignored:
        path = path_of(text)
        if path is None:
            continue
        found, value = _lookup(live, path)
        if not found:
            continue
        owned = _owns(live, path, lambda entry: entry.get("manager") == name)
        theirs = _owns(live, path, lambda entry: entry.get("manager") != name)
        _put(result, path, value, keep=owned or not theirs)
    return result


def _entries(live: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(objects.metadata(live).get("managedFields") or ())


def _is_taken(entry: Mapping[str, Any], name: str) -> bool:
    if entry.get("subresource"):
        return False
    owner, operation = str(entry.get("manager")), entry.get("operation")
    if owner == name:
        return operation == "Update"
    return any(owner.startswith(begin) and operation == kind for begin, kind in _TAKEN_OVER)


def _union(target: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        _union(target.setdefault(key, {}), value)


def _lookup(value: Any, path: Path) -> tuple[bool, Any]:
    for part in path:
        if isinstance(part, int):
            if not isinstance(value, list) or part >= len(value):
                return False, None
        elif not isinstance(value, dict) or part not in value:
            return False, None
        value = value[part]
    return True, value


def _owns(live: Mapping[str, Any], path: Path, chosen: Callable[[Mapping[str, Any]], bool]) -> bool:
    """Whether a chosen manager owns a field; of what is in lists, managers' records do not tell by index."""
    fields = [f"f:{part}" for part in path]
    return not any(isinstance(part, int) for part in path) and any(
        chosen(entry) and _lookup(entry.get("fieldsV1") or {}, tuple(fields))[0] for entry in _entries(live)
    )


def _put(target: Any, path: Path, value: Any, *, keep: bool) -> None:
    """Set a field to a value, or take it away; an item of a list that the program lacks stays away."""
    for part in path[:-1]:
        found, inner = _lookup(target, (part,))
        if not found:
            if not keep or isinstance(part, int) or not isinstance(target, dict):
                return
            inner = target[part] = {}
        target = inner
    last = path[-1]
    if isinstance(last, int):
        if _lookup(target, (last,))[0]:
            target[last] = copy.deepcopy(value)
    elif isinstance(target, dict):
        if keep:
            target[last] = copy.deepcopy(value)
        else:
            target.pop(last, None)
