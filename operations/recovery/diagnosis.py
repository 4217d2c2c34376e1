"""What became of a creation whose end nobody saw. Looks, and changes nothing."""

from dataclasses import dataclass

from operations.catalogue import KINDS, Status, Thing
from operations.catalogue.children import FINDERS, OUTSIDE_AWS, REPEATABLE, find_child
from operations.clients import Clients
from operations.cluster.connection import Clusters
from operations.cluster.diagnosis import diagnose_object
from operations.cluster.keys import PREFIX
from operations.ownership import Census, Owner, identify
from operations.plan import has_unknowns
from operations.recovery.verdict import Finding, Verdict
from operations.state import Deployment, Resource


@dataclass(frozen=True)
class Scene:
    """Where a diagnosis looks.

    Attributes:
        clients: Clients of the region.
        owner: The stack.
        census: What stands there.
        deployment: The state.
        clusters: The clusters in it.
    """

    clients: Clients
    owner: Owner
    census: Census
    deployment: Deployment
    clusters: Clusters


def diagnose(resource: Resource, scene: Scene) -> Finding:
    """Tell what became of the creation of a resource.

    Args:
        resource: Its record, without an id.
        scene: Where to look.

    Raises:
        botocore.exceptions.ClientError: AWS refuses to answer.
    """
    resource_type = resource.resource_type
    if resource_type.startswith(OUTSIDE_AWS):
        return Finding(resource, Verdict.ABSENT, "lives in the state only; nothing was left behind")
    if resource_type.startswith(PREFIX):
        return diagnose_object(resource, scene.clusters)
    if resource_type in REPEATABLE:
        return Finding(resource, Verdict.REPEATABLE, "the next `up` sets it again, with the same effect")
    if resource_type in KINDS:
        return _diagnose_listed(resource, scene)
    if resource_type in FINDERS:
        return _diagnose_child(resource, scene)
    return Finding(
        resource,
        Verdict.UNDECIDED,
        f"no finder for {resource_type}: look for it in AWS; if it exists, delete it or take it in by "
        f"`pulumi import {resource_type} {resource.name} ID`; "
        f"then `operations recover --forget '{resource.urn}'`",
    )


def _diagnose_child(resource: Resource, scene: Scene) -> Finding:
    if has_unknowns(resource):
        return Finding(resource, Verdict.ABSENT, "what it hangs on does not exist, so it cannot either")
    child = find_child(scene.clients, resource)
    if child is None:
        return Finding(resource, Verdict.ABSENT, "AWS has no such thing")
    return Finding(resource, Verdict.ADOPT, "found by what it connects", child.id, child.overrides)


def _diagnose_listed(resource: Resource, scene: Scene) -> Finding:
    unlisted = [each for each in scene.census.unlisted if each.resource_type == resource.resource_type]
    if unlisted:
        return Finding(
            resource,
            Verdict.UNDECIDED,
            f"could not be looked for: {unlisted[0].reason}; allow the call, then run again",
        )
    candidates = identify(resource, scene.census.things, scene.owner, scene.deployment)
    if not candidates:
        return Finding(resource, Verdict.ABSENT, "AWS has no such thing")
    if len(candidates) > 1 and not all(thing.status is Status.DELETING for thing in candidates):
        names = ", ".join(thing.id for thing in candidates)
        return Finding(resource, Verdict.AMBIGUOUS, f"several could be it ({names}); all are orphans")
    return _verdict(resource, candidates[0])


def _verdict(resource: Resource, thing: Thing) -> Finding:
    how = "by its tags" if thing.tags else "by its name"
    if thing.status is Status.DELETING:
        return Finding(resource, Verdict.GOING, f"{thing.id} is being deleted", thing.id, thing=thing)
    if thing.status is Status.FAILED:
        return Finding(
            resource, Verdict.BROKEN, f"{thing.id} failed and never became usable", thing.id, thing=thing
        )
    if has_unknowns(resource):
        reason = (
            f"{thing.id} exists, but its inputs are unknown until what it needs exists; run again after `up`"
        )
        return Finding(resource, Verdict.UNDECIDED, reason, thing.id, thing=thing)
    return Finding(resource, Verdict.ADOPT, f"found {how}", thing.id, thing.overrides, thing)
