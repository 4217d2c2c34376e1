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
from operations.errors import OperationError
from operations.state import Deployment, Resource

PROJECT_TAG = "Project"
STACK_TAG = "Environment"

_LISTERS = 8


@dataclass(frozen=True)
class Owner:
    """A stack, as its default tags name it.

    Attributes:
        project: Tag `Project`.
        stack: Tag `Environment`; the program sets it to the stack's name.
    """

    project: str
    stack: str

    def owns(self, tags: Mapping[str, str]) -> bool:
        """Tell whether tags are this stack's."""
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
        No, one, or several candidates; by tags if any carries them, for a name alone can be a neighbor's.
        What is on its way out, such as a secret of a torn-down stack in its recovery window, is a candidate
        only when nothing else is.
    """
    same_type = [thing for thing in things if thing.kind.resource_type == resource.resource_type]
    candidates = [thing for thing in same_type if not holds(deployment, thing)]
    tagged = [t for t in candidates if owner.owns(t.tags) and t.tags.get("Name") == resource.name]
    named = [t for t in candidates if _named(resource, t) and (owner.owns(t.tags) or not t.tags)]
    return _staying(tagged) or _staying(named) or tuple(tagged or named)


def _staying(things: Iterable[Thing]) -> tuple[Thing, ...]:
    return tuple(thing for thing in things if thing.status is not Status.DELETING)


def owner_of(deployment: Deployment, stack: str, directory: Path) -> Owner:
    """Return how the default tags name a stack; from its URNs, else from `Pulumi.yaml`.

    Raises:
        OperationError: There is no Pulumi project in the directory.
    """
    for resource in deployment.resources:
        _, _, stack_name, project, *_ = resource.urn.replace("::", ":").split(":")
        return Owner(project=project, stack=stack_name)
    return Owner(project=project_name(directory), stack=stack.rsplit("/", 1)[-1])


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
