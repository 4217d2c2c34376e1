"""Create, update and delete objects, safe against interruption."""

from __future__ import annotations

import time
from typing import Final

from cloudcommerce_sandbox.plugins.kubernetes import objects, ownership
from cloudcommerce_sandbox.plugins.kubernetes.awaiting import wait
from cloudcommerce_sandbox.plugins.kubernetes.awaiting.wait import NotReadyError
from cloudcommerce_sandbox.plugins.kubernetes.cluster import Object
from cloudcommerce_sandbox.plugins.kubernetes.errors import ApiError, NoSuchKindError
from cloudcommerce_sandbox.plugins.kubernetes.operation import Operation
from cloudcommerce_sandbox.plugins.provider import InitializationError, ProviderError, Tree

_PATIENCE: Final = 30.0
"""Seconds that a create waits for its namespace or definition, which another resource may be making."""
_LONGEST_PAUSE: Final = 4.0
_DELETE_SECONDS: Final = 600.0
_TRIES: Final = 4
_SKIPPABLE: Final = (
    "DaemonSet",
    "Deployment",
    "Job",
    "Namespace",
    "Pod",
    "ReplicationController",
    "StatefulSet",
)
"""Kinds whose deletion `pulumi.com/skipAwait` does not wait for, as in the official provider."""

DEFINITION: Final = "CustomResourceDefinition"


def create(operation: Operation) -> tuple[str, Tree]:
    """Make the object and wait until it is ready.

    Returns:
        Its id and outputs.

    Raises:
        InitializationError: It exists but is not ready.
        ProviderError: Nothing was made.
    """
    live = _patiently(operation)
    if live["kind"] == DEFINITION:
        operation.cluster.forget_kinds()
    return objects.id_of(live), _finish(operation, live)


def _patiently(operation: Operation) -> Object:
    end, pause = time.monotonic() + _PATIENCE, 0.25
    while True:
        try:
            live = _make(operation)
        except (ApiError, NoSuchKindError) as error:
            if isinstance(error, ApiError) and not error.is_missing:
                raise
            if time.monotonic() + pause > end or operation.cluster.cancelled.is_set():
                raise
            operation.tell(f"trying again: {error}")
            operation.cluster.cancelled.wait(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)
        else:
            operation.tell("")
            return live


def _make(operation: Operation) -> Object:
    wanted, cluster, manager = operation.wanted, operation.cluster, operation.manager
    if operation.is_patch or cluster.settings.upsert:
        return apply(operation, wanted)
    try:
        return cluster.create(wanted, manager=manager)
    except ApiError as error:
        if not error.is_taken:
            raise
        live = operation.find(wanted)
        if live is None:
            message = f"{objects.label(wanted)} was there a moment ago and is gone now; run the update again"
            raise ProviderError(message) from error
        if not ownership.is_made_by(live, manager) or live["metadata"].get("deletionTimestamp"):
            raise ProviderError(taken(wanted, live)) from error
    # An earlier create of this very resource was interrupted, or its answer was lost.
    operation.inform(f"took up {objects.label(wanted)}, made by an interrupted update")
    return apply(operation, wanted, ownership.adopt(cluster, live, manager))


def taken(wanted: Object, live: Object) -> str:
    """Return why an object that is there is not taken over, and the ways out."""
    if live["metadata"].get("deletionTimestamp"):
        return f"{objects.label(wanted)} is still being deleted; run the update again when it is gone"
    owners = sorted({str(entry.get("manager")) for entry in live["metadata"].get("managedFields") or ()})
    return (
        f"{objects.label(wanted)} exists already, made by {', '.join(owners) or 'somebody else'}. "
        "If it was this resource under another name, give that name as an alias; to manage it from here, "
        f"import it with the id {objects.id_of(wanted)}; to own only some of its fields, use "
        f"{wanted['kind']}Patch; to take over whatever exists, set upsertExistingObjects on the provider"
    )


def update(operation: Operation) -> Tree:
    """Bring the object in line with the inputs and wait until it is ready.

    Raises:
        InitializationError: It was changed but is not ready.
        ProviderError: Nothing was changed.
    """
    before = ownership.manager(operation.request, operation.state)
    live = _changed(operation)
    if live["kind"] == DEFINITION:
        operation.cluster.forget_kinds()
    elif before != operation.manager:
        relinquish(operation, live, before)
    return _finish(operation, live)


def _changed(operation: Operation) -> Object:
    for _ in range(_TRIES):
        live = require_live(operation)
        try:
            if live["kind"] == DEFINITION:
                return replace_definition(operation, live)
            if not operation.is_patch:
                live = ownership.adopt(operation.cluster, live, operation.manager)
            wanted = ownership.respect_ignored(
                operation.wanted, live, operation.request.ignore_changes, operation.manager
            )
            return apply(operation, wanted, live)
        except ApiError as error:
            if not error.is_conflict or error.causes:
                raise
    message = f"{objects.label(operation.wanted)} is changed by others all the time; run the update again"
    raise ProviderError(message)


def require_live(operation: Operation) -> Object:
    """Return the live object.

    Raises:
        ProviderError: It is gone.
    """
    live = operation.find()
    if live is None:
        message = (
            f"{objects.label(operation.wanted)} is gone, though the state has it; "
            "run pulumi refresh, then it is made anew"
        )
        raise ProviderError(message)
    return live


def apply(
    operation: Operation, wanted: Object, live: Object | None = None, *, dry_run: bool = False
) -> Object:
    """Apply on the server side; an object that records no managers is taken as it is.

    Raises:
        ProviderError: Another manager owns a field; says what to do.
        ApiError: The server refused for another reason.
    """
    unmanaged = live is not None and not live["metadata"].get("managedFields")
    force = operation.force or unmanaged
    try:
        return operation.cluster.apply(wanted, manager=operation.manager, force=force, dry_run=dry_run)
    except ApiError as error:
        raise explained(operation, error) from error


def explained(operation: Operation, error: ApiError) -> ProviderError:
    """Return an error of an apply; one about fields that others own with the ways out."""
    if not (error.is_conflict and error.causes):
        return error
    return ProviderError(
        f"others own fields of {objects.label(operation.wanted)}: {error.message}. Leave such fields out of "
        f"the program or name them in ignoreChanges, or take them with the annotation {objects.PATCH_FORCE}: "
        '"true"'
    )


def replace_definition(operation: Operation, live: Object, *, dry_run: bool = False) -> Object:
    """Put a definition as a whole: merging schemas field by field would keep what the program dropped."""
    wanted = operation.wanted
    version = live["metadata"]["resourceVersion"]
    placed = {**wanted, "metadata": {**wanted["metadata"], "resourceVersion": version}}
    return operation.cluster.replace(placed, manager=operation.manager, dry_run=dry_run)


def relinquish(operation: Operation, live: Object, manager: str) -> None:
    """Give up all fields that a manager owns by applying none.

    Raises:
        ProviderError: Somebody has to own one of them.
    """
    identity = {key: live["metadata"][key] for key in ("name", "namespace") if key in live["metadata"]}
    empty = {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": identity}
    try:
        operation.cluster.apply(empty, manager=manager)
    except ApiError as error:
        required = [str(cause.get("field")) for cause in error.causes]
        if not required:
            raise
        message = (
            f"{objects.label(live)} needs {', '.join(required)}, which only this patch sets; set the option "
            "retainOnDelete, or let another manager own it first"
        )
        raise ProviderError(message) from error


def _finish(operation: Operation, live: Object) -> Tree:
    wanted = operation.wanted
    try:
        ready = wait.until_ready(
            operation.cluster,
            live,
            wanted,
            timeout=operation.request.timeout,
            tell=operation.tell,
        )
    except ProviderError as error:
        seen = error.live if isinstance(error, NotReadyError) else live
        raise InitializationError(str(error), objects.id_of(live), operation.outputs(seen)) from error
    return operation.outputs(ready)


def delete(operation: Operation) -> None:
    """Delete the object and wait until it is gone; that it is gone already is no failure.

    Raises:
        ProviderError: It is still there.
    """
    state = operation.state or operation.wanted
    try:
        live = operation.find(state)
    except NoSuchKindError:
        return  # its definition is gone, and all its objects with it
    if live is None:
        return
    if objects.is_patch(operation.request, live):
        relinquish(operation, live, ownership.manager(operation.request, operation.wanted))
        return
    operation.cluster.delete(
        live["apiVersion"],
        live["kind"],
        objects.namespace(live),
        objects.name(live),
        propagation=_propagation(operation.wanted),
    )
    if live["kind"] == DEFINITION:
        operation.cluster.forget_kinds()
    if objects.is_true(operation.wanted, objects.SKIP_AWAIT) and live["kind"] in _SKIPPABLE:
        return
    limit = operation.request.timeout or objects.timeout(operation.wanted) or _DELETE_SECONDS
    wait.until_gone(operation.cluster, live, limit, operation.tell)


def _propagation(wanted: Object) -> str:
    policy = objects.annotation(wanted, objects.PROPAGATION).lower()
    return {"orphan": "Orphan", "background": "Background"}.get(policy, "Foreground")
