"""What an update would do, asked of the API server by dry run."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from cloudcommerce_sandbox.plugins import wire
from cloudcommerce_sandbox.plugins.kubernetes import lifecycle, ownership
from cloudcommerce_sandbox.plugins.kubernetes.cluster import Object
from cloudcommerce_sandbox.plugins.kubernetes.errors import ApiError, NoSuchKindError, UnreachableError
from cloudcommerce_sandbox.plugins.kubernetes.operation import Operation
from cloudcommerce_sandbox.plugins.provider import Tree

_MADE_LATER: Final = re.compile(
    r"error looking up service account|no PriorityClass with name|RuntimeClass .* not found"
    r"|unable to find .*service account|namespaces? \"[^\"]*\" not found"
)
"""Admission refuses an object for the lack of another one, which the same update may make before it."""

_NO_DRY_RUN: Final = "does not support dry run"

_CHOSEN_AT_CREATION: Final = (
    ("metadata", "creationTimestamp"),
    ("metadata", "resourceVersion"),
    ("metadata", "uid"),
    ("spec", "clusterIP"),
    ("spec", "clusterIPs"),
    ("spec", "healthCheckNodePort"),
)
"""A dry run answers with other values than the creation will."""


def create(operation: Operation) -> Tree:
    """Return the outputs that a creation would have; the inputs when nobody can tell yet.

    Raises:
        ProviderError: The server would refuse.
    """
    live = _asked(operation, _dry_create)
    return operation.request.inputs if live is None else _with_unknowns(operation, operation.outputs(live))


def _asked(operation: Operation, ask: Callable[[Operation], Object | None]) -> Object | None:
    """Return what the server answers to a dry run; None when nobody can tell yet."""
    if wire.has_unknown(operation.request.inputs):
        return None
    try:
        return ask(operation)
    except (UnreachableError, NoSuchKindError) as error:
        reason = str(error)
    except ApiError as error:
        if not is_about_later(error):
            raise
        reason = error.message
    # A whole application may wait for its namespace: each reason is told once.
    operation.inform_once(f"resources are previewed from their inputs alone: {reason}")
    return None


def _dry_create(operation: Operation) -> Object | None:
    wanted = operation.wanted
    if operation.is_patch:
        found = operation.find(wanted)
        return found and lifecycle.apply(operation, wanted, found, dry_run=True)
    if operation.cluster.settings.upsert:
        return lifecycle.apply(operation, wanted, dry_run=True)
    try:
        return operation.cluster.create(wanted, manager=operation.manager, dry_run=True)
    except ApiError as error:
        if not error.is_taken:
            raise
        _explain_taken(operation, wanted)
        return None


def _explain_taken(operation: Operation, wanted: Object) -> None:
    """Warn of a foreign object; ours is one that the same update replaces."""
    live = operation.find(wanted)
    if live is not None and not ownership.is_made_by(live, operation.manager):
        operation.warn(f"unless it is deleted first, the update will fail: {lifecycle.taken(wanted, live)}")


def update(operation: Operation) -> Tree:
    """Return the outputs that an update would have; the inputs when nobody can tell yet.

    Raises:
        ProviderError: The server would refuse.
    """
    live = _asked(operation, dry_update)
    return operation.request.inputs if live is None else operation.outputs(live)


def dry_update(operation: Operation) -> Object:
    """Ask the server what an update would make of the object.

    Raises:
        ApiError: The server would refuse.
        ProviderError: The object is gone, or others own fields.
    """
    live = lifecycle.require_live(operation)
    if live["kind"] == lifecycle.DEFINITION:
        return lifecycle.replace_definition(operation, live, dry_run=True)
    wanted = ownership.respect_ignored(
        operation.wanted, live, operation.request.ignore_changes, operation.manager
    )
    try:
        return operation.cluster.apply(wanted, manager=operation.manager, force=operation.force, dry_run=True)
    except ApiError as error:
        # The update would first move such fields to our manager, which a dry run can't.
        if operation.is_patch or not ownership.only_adoptable(error, operation.manager):
            raise lifecycle.explained(operation, error) from error
    return operation.cluster.apply(wanted, manager=operation.manager, force=True, dry_run=True)


def is_about_later(error: ApiError) -> bool:
    """Whether the server refused for the lack of something that the same update may make, or can't tell."""
    if error.is_missing:
        return True
    if error.code == HTTPStatus.BAD_REQUEST and _NO_DRY_RUN in error.message:
        return True
    return error.is_forbidden and bool(_MADE_LATER.search(error.message))


def _with_unknowns(operation: Operation, outputs: Tree) -> Tree:
    # What the status will be, nobody knows; an absent property counts as unknown in previews.
    known = {key: value for key, value in outputs.items() if key != "status"}
    if operation.is_patch:
        return known
    for section, key in _CHOSEN_AT_CREATION:
        part = known.get(section)
        given: Any = wire.reveal(operation.request.inputs.get(section)) or {}
        if isinstance(part, dict) and key in part and key not in given:
            known[section] = {**part, key: wire.UNKNOWN}
    return known
