"""Differences that the engine asks for: of objects and of provider configurations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from cloudcommerce_sandbox.plugins import wire
from cloudcommerce_sandbox.plugins.kubernetes import diff, immutable, kubeconfig, objects, preview
from cloudcommerce_sandbox.plugins.kubernetes.awaiting import wait
from cloudcommerce_sandbox.plugins.kubernetes.errors import ApiError, NoSuchKindError, UnreachableError
from cloudcommerce_sandbox.plugins.kubernetes.operation import INPUTS, Operation
from cloudcommerce_sandbox.plugins.provider import Change, Difference, Kind, ProviderError, Tree

_LEADS_ELSEWHERE: Final = ("kubeconfig", "context", "cluster")
_IDENTIFIER: Final = "clusterIdentifier"
_UNREADY: Final = f'metadata.annotations["{objects.REPLACE_UNREADY}"]'


def of_configuration(old: Tree, new: Tree) -> Difference:
    """Compare provider configurations.

    With the same `clusterIdentifier` nothing replaces; another one does. Without it the cluster that the
    kubeconfig leads to tells whether it is another one.
    """
    keys = [key for key in {**old, **new} if wire.reveal(old.get(key)) != wire.reveal(new.get(key))]
    changes = {key: Change(Kind.UPDATE) for key in sorted(keys)}
    before, after = wire.reveal(old.get(_IDENTIFIER)), wire.reveal(new.get(_IDENTIFIER))
    if before and before == after:
        return Difference(changes)
    if before and after and not isinstance(after, wire.Unknown):
        changes[_IDENTIFIER] = Change(Kind.UPDATE, replace=True)
    if _leads_elsewhere(old, new):
        for key in _LEADS_ELSEWHERE:
            if key in changes:
                changes[key] = Change(Kind.UPDATE, replace=True)
    return Difference(changes)


def _leads_elsewhere(old: Tree, new: Tree) -> bool:
    if any(wire.reveal(new.get(key)) is wire.UNKNOWN for key in _LEADS_ELSEWHERE):
        return True
    before, after = _active_cluster(old), _active_cluster(new)
    return before is not None and after is not None and before != after


def _active_cluster(config: Tree) -> dict[str, Any] | None:
    given = wire.reveal(config)
    try:
        loaded = kubeconfig.load(given.get("kubeconfig"))
    except UnreachableError:
        return None
    return kubeconfig.active_cluster(loaded, str(given.get("context") or ""), str(given.get("cluster") or ""))


def of_object(operation: Operation) -> Difference:
    """Compare the inputs in state with the wanted ones; ask the server what it would not change in place."""
    request = operation.request
    old = request.old_inputs or wire.reveal(request.state.get(INPUTS)) or {}
    changes = diff.compare(old, request.inputs)
    _drop_same_place(operation, changes)
    for path in [path for path in changes if _is_ignored(path, request.ignore_changes)]:
        del changes[path]
    wanted: Tree = wire.reveal(request.inputs)
    fields = immutable.replacing_fields(wanted, operation.cluster.settings, patch=operation.is_patch)
    changes = _replacing(changes, (*fields, *_group_change(old, wanted)))
    if changes and not any(change.replace for change in changes.values()):
        changes = _replacing(changes, _refused(operation))
    if _is_unready_job(operation, wanted):
        changes[_UNREADY] = Change(Kind.UPDATE, replace=True)
    old_object = operation.state or old
    in_place = immutable.may_replace_in_place(wanted, old_object)
    replaced = any(change.replace for change in changes.values())
    return Difference(changes, delete_before_replace=replaced and in_place)


def _is_ignored(path: str, ignored: Sequence[str]) -> bool:
    return any(path == each or path.startswith((f"{each}.", f"{each}[")) for each in ignored)


def _replacing(changes: dict[str, Change], fields: tuple[str, ...]) -> dict[str, Change]:
    return {
        path: replace(change, replace=True) if immutable.replaces(path, fields) else change
        for path, change in changes.items()
    }


def _drop_same_place(operation: Operation, changes: dict[str, Change]) -> None:
    """A namespace that was only guessed before the kind was known is no move."""
    moved = "metadata.namespace" in changes and operation.state
    if moved and objects.namespace(operation.wanted) == objects.namespace(operation.state):
        del changes["metadata.namespace"]


def _group_change(old: Any, wanted: Tree) -> tuple[str, ...]:
    """Another version shows the same object, and so do groups that Kubernetes itself moved a kind between."""
    groups = [str(value.get("apiVersion") or "").rpartition("/")[0] for value in (old, wanted)]
    built_in = all("." not in group or group.endswith(".k8s.io") for group in groups)
    return () if groups[0] == groups[1] or built_in else ("apiVersion",)


def _refused(operation: Operation) -> tuple[str, ...]:
    """Return the fields that the server calls immutable in answer to a dry run."""
    if operation.is_patch or wire.has_unknown(operation.request.inputs):
        return ()
    try:
        preview.dry_update(operation)
    except ApiError as error:
        return immutable.refused_fields(error)
    except ProviderError:
        return ()  # the update, or its preview, will say it
    return ()


def _is_unready_job(operation: Operation, wanted: Tree) -> bool:
    if not objects.is_true(wanted, objects.REPLACE_UNREADY):
        return False
    if wanted.get("kind") != "Job":
        operation.warn(f"{objects.REPLACE_UNREADY} works for Jobs only")
        return False
    try:
        live = operation.find(operation.state) if operation.state else None
        return live is not None and not wait.is_ready(operation.cluster, live)
    except (UnreachableError, NoSuchKindError):
        return False
