"""Recovery, step by step; each step may be cut off and the whole run again.

The state changes in one place only, by `pulumi stack import` of a complete document, after an export was
kept.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from operations.backups import journal, keep_backup
from operations.catalogue import KINDS, Kind, Status, Thing
from operations.clients import Clients
from operations.cluster.connection import Clusters, cluster_names
from operations.errors import OperationError, StateError
from operations.interaction import Interaction
from operations.ownership import Census, Owner, arn_type, owner_of, take_census
from operations.pulumi_cli import PulumiCli
from operations.recovery.diagnosis import Scene, diagnose
from operations.recovery.orphans import SNAPSHOT_ARN_TYPES, delete_things, orphans_of
from operations.recovery.verdict import Finding, Verdict
from operations.state import Deployment, PendingOperation, Resource

_MAX_ROUNDS = 8
"""Adopting one resource can reveal the next; a chain of lost creations is as long as the plugin's parallel
calls."""

_FORGETTABLE = frozenset({Verdict.ABSENT, Verdict.REPEATABLE, Verdict.GOING, Verdict.AMBIGUOUS})


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """What a recovery works with.

    Attributes:
        pulumi: The stack.
        clients: Clients of its region.
        interaction: The terminal.
        forget: URNs whose pending operation the person has settled by hand.
        delete_orphans: Whether orphans are deleted without asking.
        patience: Seconds to wait for a thing to become ready, or to be deletable.
        pause: Seconds between two looks.
        kinds: What is looked for in AWS; everything the platform makes.
    """

    pulumi: PulumiCli
    clients: Clients
    interaction: Interaction
    forget: frozenset[str] = frozenset()
    delete_orphans: bool = False
    patience: float = 2700
    pause: float = 15
    kinds: tuple[Kind, ...] = tuple(KINDS.values())


@dataclass
class Report:
    """What was found and done.

    Attributes:
        adopted: URN and id of what was taken into the state.
        forgotten: URN and reason of creations that left nothing to adopt.
        reread: URN and what became of interrupted updates and deletions.
        deleted: Ids of what was deleted.
        orphans: Ids of what carries the stack's tags and is in no state.
        unresolved: URN or type and reason; these need a person.
    """

    adopted: dict[str, str] = field(default_factory=dict)
    forgotten: dict[str, str] = field(default_factory=dict)
    reread: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    orphans: dict[str, str] = field(default_factory=dict)
    unresolved: dict[str, str] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether the next `up` can run without a person looking first."""
        return not self.orphans and not self.unresolved


def recover(recovery: Recovery, deployment: Deployment) -> Report:
    """Bring the state and AWS together again.

    Args:
        recovery: What to work with; the stack's lock is free.
        deployment: The state, exported before the lock was probed, for a refresh forgets pending updates.

    Raises:
        OperationError: Pulumi or AWS refuses.
        botocore.exceptions.ClientError: AWS refuses.
    """
    owner = owner_of(deployment, recovery.pulumi.stack, recovery.pulumi.directory)
    if before := journal(recovery.pulumi.directory, recovery.pulumi.stack):
        # A teardown took the cluster out of the state, and what its controllers made is still the stack's.
        owner = replace(owner, clusters=owner.clusters | cluster_names(before))
    report = Report()
    _resolve_pending(recovery, owner, deployment, report)
    if _resolve_planned(recovery, owner, report):
        _resolve_orphans(recovery, owner, report)
    return report


def _resolve_pending(recovery: Recovery, owner: Owner, deployment: Deployment, report: Report) -> None:
    if not deployment.pending:
        return
    census = take_census(recovery.clients, owner, recovery.kinds)
    scene = _scene(recovery, owner, census, deployment)
    lost = [each.resource for each in deployment.pending if each.kind in {"creating", "importing"}]
    findings = [
        _diagnose(resource, scene, recovery) for resource in lost if resource.urn not in deployment.urns
    ]
    # A replacement's creation is lost while the old resource is still in the state; the new one is then an
    # orphan.
    replaced = [
        Finding(r, Verdict.ABSENT, "its replacement was cut off") for r in lost if r.urn in deployment.urns
    ]
    _apply(recovery, scene, [*findings, *replaced], report)
    _reread([each for each in deployment.pending if each.resource not in lost], recovery, report)


def _resolve_planned(recovery: Recovery, owner: Owner, report: Report) -> bool:
    for _ in range(_MAX_ROUNDS):
        recovery.interaction.note("Asking the program what it would create…")
        try:
            plan = recovery.pulumi.plan()
        except OperationError as error:
            report.unresolved["preview"] = (
                f"the program's plan could not be read, so orphans are not judged: {error}"
            )
            return False
        deployment = recovery.pulumi.export_state()
        census = take_census(recovery.clients, owner, recovery.kinds)
        scene = _scene(recovery, owner, census, deployment)
        findings = [diagnose(resource, scene) for resource in plan.creates if resource.is_cloud]
        # What exists and cannot be adopted is an orphan; what does not exist is the next `up`'s business.
        found = [each for each in findings if each.verdict in {Verdict.ADOPT, Verdict.BROKEN}]
        before = len(report.adopted)
        # Who refused a deletion is not asked again; what could not be adopted is, with its planned parents.
        worth = [
            each
            for each in found
            if each.verdict is Verdict.ADOPT or each.resource.urn not in report.unresolved
        ]
        _apply(recovery, scene, worth, report, {each.urn: each for each in plan.creates})
        if len(report.adopted) == before:
            return True
    return True


def _resolve_orphans(recovery: Recovery, owner: Owner, report: Report) -> None:
    deployment = recovery.pulumi.export_state()
    census = take_census(recovery.clients, owner, recovery.kinds)
    for unlisted in census.unlisted:
        report.unresolved[unlisted.resource_type] = f"could not be listed: {unlisted.reason}"
    for arn in census.tagged_elsewhere:
        if arn_type(arn) not in SNAPSHOT_ARN_TYPES and not deployment.holds("", [arn]):
            report.orphans[arn] = "of a type that this program cannot delete; delete it by hand"
    orphans = orphans_of(census, owner, deployment)
    report.orphans.update({thing.id: thing.kind.resource_type for thing in orphans})
    if not orphans:
        return
    listed = ", ".join(f"{thing.kind.resource_type} {thing.id}" for thing in orphans)
    question = f"Delete {len(orphans)} orphan(s) that carry the stack's tags and are in no state ({listed})?"
    if recovery.delete_orphans or (not recovery.interaction.yes and recovery.interaction.confirm(question)):
        _delete(recovery, orphans, report)


def _scene(recovery: Recovery, owner: Owner, census: Census, deployment: Deployment) -> Scene:
    clusters = Clusters(deployment, recovery.pulumi.reveal_state)
    return Scene(recovery.clients, owner, census, deployment, clusters)


def _diagnose(resource: Resource, scene: Scene, recovery: Recovery) -> Finding:
    if resource.urn in recovery.forget:
        return Finding(resource, Verdict.ABSENT, "forgotten on request")
    return diagnose(resource, scene)


def _apply(
    recovery: Recovery,
    scene: Scene,
    findings: Sequence[Finding],
    report: Report,
    planned: Mapping[str, Resource] = MappingProxyType({}),
) -> None:
    deployment, adopted = scene.deployment, []
    pending = {each.resource.urn for each in deployment.pending}
    for finding in findings:
        urn = finding.resource.urn
        if finding.verdict is Verdict.ADOPT:
            try:
                with_parents = deployment.with_components(finding.resource, planned)
                grown = with_parents.adopt(finding.resource, finding.id, finding.overrides)
            except StateError as error:
                report.unresolved[urn] = (
                    f"{finding.id} exists and cannot be adopted: {error}; run again after `up`"
                )
                continue
            _wait_until_ready(recovery, finding)
            deployment = grown
            report.unresolved.pop(urn, None)
            report.adopted[urn] = finding.id
            adopted.append(urn)
        elif finding.verdict is Verdict.BROKEN and finding.thing:
            deployment = _discard(recovery, finding, finding.thing, deployment, report)
        elif finding.verdict in _FORGETTABLE and urn in pending:
            deployment = deployment.without_pending(urn)
            report.forgotten[urn] = finding.reason
        elif finding.verdict is Verdict.UNDECIDED:
            report.unresolved[urn] = finding.reason
    _store(recovery, deployment, scene.deployment)
    if adopted:
        recovery.pulumi.refresh(adopted, lambda _: None)


def _discard(
    recovery: Recovery, finding: Finding, thing: Thing, deployment: Deployment, report: Report
) -> Deployment:
    urn = finding.resource.urn
    if not recovery.interaction.confirm(f"{finding.reason}. Delete it?"):
        report.unresolved[urn] = f"{finding.reason}; it was not deleted"
        return deployment
    _delete(recovery, [thing], report)
    report.forgotten[urn] = finding.reason
    return deployment.without_pending(urn)


def _store(recovery: Recovery, changed: Deployment, original: Deployment) -> None:
    if changed is original:
        return
    path = keep_backup(recovery.pulumi.directory, recovery.pulumi.stack, original)
    recovery.interaction.note(f"The state from before is kept in {path}.")
    recovery.pulumi.replace_state(original, changed)


def _reread(operations: Sequence[PendingOperation], recovery: Recovery, report: Report) -> None:
    urns = [
        each.resource.urn for each in operations if each.resource.urn in recovery.pulumi.export_state().urns
    ]
    if urns:
        recovery.pulumi.refresh(urns, lambda _: None)
    after = recovery.pulumi.export_state()
    for operation in operations:
        urn = operation.resource.urn
        still_there = "still there; the next `up` takes it up again" if urn in after.urns else "gone"
        report.reread[urn] = f"{operation.kind}: {still_there}"
    settled = after
    for operation in operations:
        settled = settled.without_pending(operation.resource.urn)
    if len(settled.pending) != len(after.pending):
        _store(recovery, settled, after)


def _wait_until_ready(recovery: Recovery, finding: Finding) -> None:
    thing = finding.thing
    if thing is None or thing.status is not Status.CREATING:
        return
    recovery.interaction.note(f"Waiting for {thing.id} to become ready…")
    _wait(recovery, thing, lambda status: status is Status.READY)


def _wait(recovery: Recovery, thing: Thing, good: Callable[[Status | None], bool]) -> None:
    deadline = time.monotonic() + recovery.patience
    while True:
        now = {each.id: each.status for each in thing.kind.things(recovery.clients)}.get(thing.id)
        if good(now):
            return
        if now in {None, Status.FAILED} or time.monotonic() >= deadline:
            raise OperationError(
                f"{thing.id} is {now or 'gone'} and did not become ready; run `operations recover` again"
            )
        time.sleep(recovery.pause)


def _delete(recovery: Recovery, things: Sequence[Thing], report: Report) -> None:
    refused = delete_things(
        recovery.clients, things, recovery.interaction.note, patience=recovery.patience, pause=recovery.pause
    )
    for thing in things:
        if thing.id in refused:
            report.orphans[thing.id] = f"could not be deleted: {refused[thing.id]}"
        else:
            report.orphans.pop(thing.id, None)
            report.deleted.append(thing.id)
