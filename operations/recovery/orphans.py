"""What carries the stack's tags and stands in no state."""

import time
from collections.abc import Callable, Collection, Sequence

import botocore.exceptions

from operations.catalogue import Status, Thing
from operations.catalogue.cluster import CLUSTER_TYPE
from operations.clients import Clients, is_missing
from operations.ownership import Census, Owner, cluster_of, holds, is_of_controllers
from operations.state import Deployment

SNAPSHOT_ARN_TYPES = frozenset(
    {
        "rds:snapshot",
        "rds:cluster-snapshot",
        "rds:auto-backup",
        "elasticache:snapshot",
        "backup:recovery-point",
        "ec2:snapshot",
    }
)
"""Copies of data carry the tags of what they were taken from, and outlive it on purpose."""


def orphans_of(census: Census, owner: Owner, deployment: Deployment) -> tuple[Thing, ...]:
    """Return the stack's things that its state does not know, in the order of deletion."""
    standing = {
        thing.id
        for thing in census.things
        if thing.kind.resource_type == CLUSTER_TYPE and holds(deployment, thing)
    }
    lost = [
        thing
        for thing in census.of(owner)
        if not holds(deployment, thing)
        and thing.status is not Status.DELETING
        and not _is_kept_by(standing, owner, thing)
    ]
    return tuple(sorted(lost, key=lambda thing: (thing.kind.rank, thing.id)))


def _is_kept_by(clusters: Collection[str], owner: Owner, thing: Thing) -> bool:
    """Tell whether a thing is the work of controllers whose cluster still stands: no orphan."""
    by_controllers = is_of_controllers(thing.tags) or not owner.made(thing.tags)
    return by_controllers and cluster_of(thing.tags) in clusters


def delete_things(
    clients: Clients,
    things: Sequence[Thing],
    note: Callable[[str], None],
    *,
    patience: float = 1800,
    pause: float = 10,
) -> dict[str, str]:
    """Delete things, and try again while AWS says that something still depends on them.

    Args:
        clients: Clients of their region.
        things: In the order of deletion.
        note: Receives a line per deleted thing.
        patience: Seconds until what AWS still refuses is given up.
        pause: Seconds between two rounds.

    Returns:
        AWS's last answer by id, for what could not be deleted.
    """
    refused: dict[str, str] = {}
    waiting, deadline = list(things), time.monotonic() + patience
    while waiting:
        refused = {}
        for thing in tuple(waiting):
            answer = _delete(clients, thing)
            if answer is None:
                note(f"deleted {thing.kind.resource_type} {thing.id}")
                waiting.remove(thing)
            else:
                refused[thing.id] = answer
        if not waiting or time.monotonic() >= deadline:
            break
        time.sleep(pause)
    return refused


def _delete(clients: Clients, thing: Thing) -> str | None:
    try:
        thing.delete(clients)
    except botocore.exceptions.ClientError as error:
        return None if is_missing(error) else str(error)
    return None
