"""Taking a stack down, step by step; a run that was cut off is simply run again."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from operations.backups import close_journal, journal, keep_backup, open_journal
from operations.catalogue import KINDS, Kind, Status, Thing
from operations.clients import Clients
from operations.cluster.api import ClusterUnreachableError, KubernetesApi
from operations.cluster.connection import Clusters
from operations.errors import OperationError, StackLockedError
from operations.interaction import Interaction
from operations.ownership import Census, Owner, arn_type, owner_of, take_census
from operations.pulumi_cli import EngineEvent, PulumiCli
from operations.recovery.orphans import SNAPSHOT_ARN_TYPES
from operations.removal.drain import Claimed, claims, drain
from operations.removal.protection import Lifted, images, lift_protection, name_final_snapshots
from operations.removal.retained import Remainder, declared, remainders
from operations.state import Deployment

DELETE_UNREACHABLE = "PULUMI_K8S_DELETE_UNREACHABLE"
"""Pulumi's own switch, which takes the objects of a cluster that does not answer out of the state
(https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/)."""

_NAMESPACE = "kubernetes:core/v1:Namespace"

_CLAIM_FATES = {True: "deleted with its claim", False: "kept: its storage class retains volumes"}


@dataclass(frozen=True, kw_only=True)
class Teardown:
    """What a teardown works with.

    Attributes:
        pulumi: The stack.
        clients: Clients of its region.
        interaction: The terminal.
        clusters: The stack's clusters, as the state knows them.
        kinds: What is looked for in AWS; everything the platform makes.
    """

    pulumi: PulumiCli
    clients: Clients
    interaction: Interaction
    clusters: Clusters
    kinds: tuple[Kind, ...] = tuple(KINDS.values())


@dataclass(frozen=True)
class Outcome:
    """How a teardown ended.

    Attributes:
        deleted: Resources in the state before and not after.
        lifted: Protection that was lifted.
        retained: What AWS keeps by design.
        leftovers: What else is left: id and what it is. There must be none.
        failure: What the engine could not delete, in its own words; empty when it deleted everything.
    """

    deleted: int
    lifted: tuple[Lifted, ...]
    retained: tuple[Remainder, ...]
    leftovers: dict[str, str]
    failure: str = ""

    def document(self) -> dict[str, Any]:
        """Return the outcome as plain data."""
        return asdict(self)


def show(teardown: Teardown, deployment: Deployment) -> None:
    """Show what goes, what of it holds data, and what will stay."""
    counts = Counter(deployment.component_of(resource) for resource in deployment.cloud_resources)
    teardown.interaction.table("What goes", ("Component", "Resources"), sorted(counts.items()))
    stored = images(teardown.clients, deployment)
    rows = [
        (resource.name, resource.resource_type, resource.id, _fate(resource.name, resource.outputs, stored))
        for resource in deployment.cloud_resources
        if (kind := KINDS.get(resource.resource_type)) and kind.holds_data
    ]
    rows += [
        (claim.id, f"volume of {claim.size}", claim.volume or "none yet", _CLAIM_FATES[claim.goes])
        for claim in _doomed_claims(teardown, deployment)
    ]
    teardown.interaction.table("What holds data", ("Name", "Type", "Id", "What becomes of the data"), rows)
    present = {resource.resource_type for resource in deployment.cloud_resources}
    stays = {(rule["what"], rule["why"]) for rule in declared() if rule["type"] in present}
    teardown.interaction.table("What AWS keeps by design", ("What", "Why"), sorted(stays))


def reachable_clusters(teardown: Teardown) -> tuple[KubernetesApi, ...]:
    """Return the stack's clusters, each of which has answered; none when their loss is accepted.

    Raises:
        OperationError: One does not answer, so that what its controllers made could not be removed.
    """
    if os.environ.get(DELETE_UNREACHABLE, "").lower() == "true":
        return ()
    try:
        found = tuple(teardown.clusters.all())
        for api in found:
            api.version()
    except ClusterUnreachableError as error:
        raise OperationError(
            f"{error}\nNothing was changed: what is in the cluster cannot be deleted, and volumes and load "
            "balancers that its controllers made would outlive it. Make it reachable and run again. If it is "
            f"gone for good, set {DELETE_UNREACHABLE}=true: its objects then leave the state as they are, "
            "and what its controllers left in AWS is listed at the end"
        ) from error
    return found


def _doomed_claims(teardown: Teardown, deployment: Deployment) -> Iterator[Claimed]:
    """Yield the claims that go: all of a cluster that goes, else those in namespaces of the stack."""
    for api in reachable_clusters(teardown):
        namespaces = {
            each.id
            for each in deployment.cloud_resources
            if each.resource_type == _NAMESPACE
            and (stands_in := teardown.clusters.of(each))
            and stands_in.address == api.address
        }
        everything = teardown.clusters.is_own(api)
        yield from (claim for claim in claims(api) if everything or claim.namespace in namespaces)


def tear_down(teardown: Teardown, deployment: Deployment) -> Outcome:
    """Delete everything of a stack and look whether it is gone.

    Args:
        teardown: What to work with; the stack's lock is free.
        deployment: The state that was shown, without pending operations.

    Raises:
        OperationError: The stack has changed since it was shown.
        botocore.exceptions.ClientError: AWS refuses.
    """
    pulumi, interaction = teardown.pulumi, teardown.interaction
    before = journal(pulumi.directory, pulumi.stack)
    owner = owner_of(_merged(before, deployment), pulumi.stack, pulumi.directory)
    prepared = name_final_snapshots(deployment)
    clusters = reachable_clusters(teardown)
    pulumi.require_unchanged(deployment)
    lifted: tuple[Lifted, ...] = ()
    failure = ""
    if prepared.resources:
        keep_backup(pulumi.directory, pulumi.stack, deployment)
        open_journal(pulumi.directory, pulumi.stack, _merged(before, prepared))
        lifted = tuple(lift_protection(teardown.clients, prepared))
        for each in lifted:
            interaction.note(f"{each.name}: {each.what}")
        pulumi.replace_state(deployment, prepared)
        pulumi.unprotect_all()
        # Where the cluster stays its controllers do too, and take away what goes with the stack's namespaces.
        for api in filter(teardown.clusters.is_own, clusters):
            for left_in in drain(api, interaction.note):
                interaction.note(f"{api.name}: {left_in} did not go in time; look for it in AWS afterwards")
        try:
            pulumi.destroy(_Progress(interaction))
        except StackLockedError:
            raise
        except OperationError as error:
            # What is left is exactly what the person now has to know.
            failure = str(error)
    remembered = _merged(before, prepared)
    left = pulumi.export_state()
    census = take_census(teardown.clients, owner, teardown.kinds)
    retained = remainders(teardown.clients, remembered)
    leftovers = _leftovers(census, owner, remembered, retained)
    leftovers |= {each.urn: "still in the state" for each in left.cloud_resources}
    if not leftovers and not failure:
        close_journal(pulumi.directory, pulumi.stack)
    deleted = len(deployment.cloud_resources) - len(left.cloud_resources)
    return Outcome(deleted, lifted, retained, leftovers, failure)


def refuse_pending(deployment: Deployment) -> None:
    """Refuse a state with operations whose end nobody saw: what they made would be left behind.

    Raises:
        OperationError: There are such operations.
    """
    if deployment.pending:
        urns = ", ".join(each.resource.urn for each in deployment.pending)
        raise OperationError(f"an update died in the middle of {urns}; run `operations recover` first")


class _Progress:
    """Prints the engine's deletions as they end."""

    def __init__(self, interaction: Interaction) -> None:
        self._interaction = interaction
        self._done = 0

    def __call__(self, event: EngineEvent) -> None:
        metadata = event.get("resOutputsEvent", {}).get("metadata", {})
        if (
            metadata.get("op") == "delete"
            and metadata["old"].get("custom")
            and not str(metadata["type"]).startswith("pulumi:")
        ):
            self._done += 1
            name = str(metadata["urn"]).rsplit("::", 1)[-1]
            self._interaction.note(f"[{self._done}] deleted {metadata['type']} {name}")


def _merged(before: Deployment | None, now: Deployment) -> Deployment:
    """Return a state with the resources that only an unfinished teardown's journal still knows."""
    if before is None:
        return now
    known = {(each.urn, each.id) for each in now.resources}
    return now.with_more(each for each in before.cloud_resources if (each.urn, each.id) not in known)


def _leftovers(
    census: Census, owner: Owner, before: Deployment, retained: Sequence[Remainder]
) -> dict[str, str]:
    kept = {each.id for each in retained}
    left = {
        _key(thing): f"{thing.kind.resource_type}, {thing.status.value}"
        for thing in census.of(owner, before)
        if thing.status is not Status.DELETING and not kept & thing.identities
    }
    for arn in census.tagged_elsewhere:
        if arn_type(arn) not in SNAPSHOT_ARN_TYPES:
            left[arn] = "carries the stack's tags"
    for unlisted in census.unlisted:
        left[unlisted.resource_type] = f"could not be listed, so nothing is proved: {unlisted.reason}"
    return left


def _key(thing: Thing) -> str:
    return thing.arn or thing.id


def _fate(name: str, outputs: Any, stored: Any) -> str:
    if name in stored:
        return f"{stored[name]} images are deleted"
    if outputs.get("finalSnapshotIdentifier") and not outputs.get("skipFinalSnapshot"):
        return "kept in a final snapshot"
    if "deletionWindowInDays" in outputs:
        return f"key pending deletion for {outputs['deletionWindowInDays']} days"
    if "recoveryWindowInDays" in outputs:
        return f"recoverable for {outputs['recoveryWindowInDays']} days"
    return "deleted"
