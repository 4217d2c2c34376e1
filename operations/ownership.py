"""Which things in AWS belong to a stack, and which of them is a given resource.

The default tags `Project` and `Environment` say whose a thing is; the tag `Name` says which resource of the
program it is.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from operations.catalogue import KINDS, Kind, Status, Thing
from operations.catalogue.children import autonamed
from operations.clients import AWS_ERRORS, Clients
from operations.cluster.connection import cluster_names
from operations.errors import OperationError
from operations.state import Deployment, Resource

PROJECT_TAG = "Project"
STACK_TAG = "Environment"

_LISTERS = 8

_CONTROLLERS = (
    "aws:eks:cluster-name",
    "eks:cluster-name",
    "elbv2.k8s.aws/cluster",
    "cluster.k8s.amazonaws.com/name",
    "KubernetesCluster",
)
"""Tags by which EKS, the load balancer controller, the CNI and the EBS driver name the cluster that they made
a thing for."""

_CLUSTER_PREFIX = "kubernetes.io/cluster/"


def cluster_of(tags: Mapping[str, str]) -> str:
    """Return the cluster that owns a thing by its tags; empty for what none owns, or only uses."""
    for key in _CONTROLLERS:
        if key in tags:
            return tags[key]
    owned = (key for key, value in tags.items() if key.startswith(_CLUSTER_PREFIX) and value == "owned")
    return next(owned, "").removeprefix(_CLUSTER_PREFIX)


def is_of_controllers(tags: Mapping[str, str]) -> bool:
    """Tell whether a cluster's controllers made a thing, and not the program with a tag of its cluster."""
    return any(key in tags for key in _CONTROLLERS)


@dataclass(frozen=True)
class Owner:
    """A stack, as its default tags name it.

    Attributes:
        project: Tag `Project`.
        stack: Tag `Environment`; the program sets it to the stack's name.
        clusters: Names of its EKS clusters: what their controllers make is the stack's too.
    """

    project: str
    stack: str
    clusters: frozenset[str] = frozenset()

    def owns(self, tags: Mapping[str, str]) -> bool:
        """Tell whether tags are this stack's, or those of one of its clusters."""
        return self.made(tags) or cluster_of(tags) in self.clusters

    def made(self, tags: Mapping[str, str]) -> bool:
        """Tell whether tags are this stack's own."""
        return tags.get(PROJECT_TAG) == self.project and tags.get(STACK_TAG) == self.stack


@dataclass(frozen=True)
class Unlisted:
    """A kind that could not be listed, so that nothing may be said about it.

    Attributes:
        resource_type: The kind.
        reason: What AWS answered.
    """

    resource_type: str
    reason: str


@dataclass(frozen=True)
class Census:
    """What stands in one region of the account.

    Attributes:
        things: Everything listed, whoever owns it.
        unlisted: Kinds that could not be listed.
        tagged_elsewhere: ARNs with the stack's tags of types that the catalogue does not list.
    """

    things: tuple[Thing, ...]
    unlisted: tuple[Unlisted, ...]
    tagged_elsewhere: tuple[str, ...]

    def of(self, owner: Owner, *deployments: Deployment) -> tuple[Thing, ...]:
        """Return what carries the stack's tags or stands in one of some states, each thing once."""
        found: dict[str, Thing] = {}
        for thing in self.things:
            if owner.owns(thing.tags) or any(holds(state, thing) for state in deployments):
                found.setdefault(thing.arn or f"{thing.kind.resource_type} {thing.id}", thing)
        return tuple(found.values())


def holds(deployment: Deployment, thing: Thing) -> bool:
    """Tell whether a state knows a thing."""
    return deployment.holds(thing.kind.resource_type, thing.identities)


def take_census(clients: Clients, owner: Owner, kinds: Iterable[Kind] = tuple(KINDS.values())) -> Census:
    """List every kind, and ask the tagging API for what the catalogue does not know.

    Args:
        clients: Clients of the region.
        owner: The stack; the tagging API is asked for its tags only.
        kinds: What to list.
    """
    wanted = tuple(kinds)
    with ThreadPoolExecutor(_LISTERS) as pool:
        answers = list(pool.map(lambda kind: _list(clients, kind), wanted))
    things = tuple(thing for answer in answers if not isinstance(answer, Unlisted) for thing in answer)
    unlisted = [answer for answer in answers if isinstance(answer, Unlisted)]
    tagged, failure = _tagged(clients, owner)
    return Census(things, tuple(unlisted + ([failure] if failure else [])), tagged)


def identify(
    resource: Resource, things: Iterable[Thing], owner: Owner, deployment: Deployment
) -> tuple[Thing, ...]:
    """Return the things that can be a resource: by tags, by physical name, or by auto-naming.

    Args:
        resource: A record without an id.
        things: What stands in its region.
        owner: Its stack.
        deployment: The state; what it holds already is no candidate.

    Returns:
        No, one, or several candidates; by the id that the inputs settle, else by tags if any carries them,
        for a name alone can be a neighbor's. What is on its way out, such as a secret of a torn-down stack in
        its recovery window, is a candidate only when nothing else is.
    """
    same_type = [thing for thing in things if thing.kind.resource_type == resource.resource_type]
    candidates = [thing for thing in same_type if not holds(deployment, thing)]
    keyed = tuple(t for t in candidates if t.id == t.kind.id_of(resource.inputs))
    if keyed:
        return keyed
    tagged = [t for t in candidates if owner.made(t.tags) and t.tags.get("Name") == resource.name]
    named = [t for t in candidates if _named(resource, t) and (owner.made(t.tags) or not t.tags)]
    return _staying(tagged) or _staying(named) or tuple(tagged or named)


def _staying(things: Iterable[Thing]) -> tuple[Thing, ...]:
    return tuple(thing for thing in things if thing.status is not Status.DELETING)


def owner_of(deployment: Deployment, stack: str, directory: Path) -> Owner:
    """Return how the default tags name a stack, from its URNs, else from `Pulumi.yaml`, and its clusters.

    Raises:
        OperationError: There is no Pulumi project in the directory.
    """
    clusters = cluster_names(deployment)
    for resource in deployment.resources:
        _, _, stack_name, project, *_ = resource.urn.replace("::", ":").split(":")
        return Owner(project, stack_name, clusters)
    return Owner(project_name(directory), stack.rsplit("/", 1)[-1], clusters)


def project_name(directory: Path) -> str:
    """Return the name in `Pulumi.yaml`.

    Raises:
        OperationError: There is no Pulumi project in the directory.
    """
    path = directory / "Pulumi.yaml"
    if not path.is_file():
        raise OperationError(f"{path} does not exist; run `operations` in the folder of the Pulumi project")
    return str(yaml.safe_load(path.read_text())["name"])


def _named(resource: Resource, thing: Thing) -> bool:
    if thing.name is None:
        return False
    if thing.kind.name_input and resource.inputs.get(thing.kind.name_input) == thing.name:
        return True
    return autonamed(resource.name, [thing.name]) is not None


def _list(clients: Clients, kind: Kind) -> tuple[Thing, ...] | Unlisted:
    try:
        return tuple(kind.things(clients))
    except AWS_ERRORS as error:
        return Unlisted(kind.resource_type, str(error).splitlines()[0])


def _tagged(clients: Clients, owner: Owner) -> tuple[tuple[str, ...], Unlisted | None]:
    filters = [{"Key": PROJECT_TAG, "Values": [owner.project]}, {"Key": STACK_TAG, "Values": [owner.stack]}]
    listed = {kind.arn_type for kind in KINDS.values()}
    try:
        pages = (
            clients.get("resourcegroupstaggingapi")
            .get_paginator("get_resources")
            .paginate(TagFilters=filters)
        )
        arns = [item["ResourceARN"] for page in pages for item in page["ResourceTagMappingList"]]
    except AWS_ERRORS as error:
        return (), Unlisted("resourcegroupstaggingapi", str(error).splitlines()[0])
    return tuple(arn for arn in arns if arn_type(arn) not in listed), None


def arn_type(arn: str) -> str:
    """Return `service:type` of an ARN; the type is what stands before the first `/` or `:` of its resource.

    SNS names topics without a type, and so does S3 buckets: those are called `sns:topic` and `s3:bucket`.
    """
    _, _, service, _, _, resource = arn.split(":", 5)
    untyped = {"sns": "topic", "s3": "bucket", "sqs": "queue"}
    return f"{service}:{untyped.get(service) or resource.replace('/', ':').split(':', 1)[0]}"
