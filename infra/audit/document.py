"""From a composed stack to its audit document."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
from pydantic import ValidationError

from infra.audit.cluster_subjects import let_in
from infra.audit.controls import CONTROLS
from infra.audit.facts import FACTS
from infra.audit.getters import Subject
from infra.audit.models import AuditDocument, Claim, Comparison, ComponentAudit, DataClass, Identity
from infra.audit.subjects import JOINED, SUBJECTS, opening, way_out
from stacks.production import Production

_BY_CLASS: Mapping[type, Subject] = {subject.resource: subject for subject in SUBJECTS}


class AuditError(Exception):
    """The audit document breaks its own contract."""


def audit_document(stack: Production) -> pulumi.Output[dict[str, Any]]:
    """Describe everything that stands in a stack, with claims from the resources' own outputs.

    Args:
        stack: The composed stack.

    Returns:
        The document as JSON values; unknown in a preview until what it describes exists.

    Raises:
        AuditError: As the output's error: the document breaks the contract.
    """
    parents = list(components_of(stack))
    components = [_component(component) for component in parents]
    parts = [
        part for parent in parents for each in resources_below(parent) for part in _parts_of_others(each)
    ]
    # EKS lets whoever makes a cluster in, without an entry in any program.
    parts.append(let_in(stack.platform.cluster.cluster_name, stack.args.deployer))
    keys = stack.foundation.keys
    classes = {data_class: getattr(keys, data_class.value).key_arn for data_class in DataClass}
    return pulumi.Output.all(
        project=pulumi.get_project(),
        stack=pulumi.get_stack(),
        region=stack.args.region,
        network=stack.args.network.cidr,
        joined=pulumi.Output.all(*parts),
        components=pulumi.Output.all(*components),
        keys=pulumi.Output.all(**{data_class.value: arn for data_class, arn in classes.items()}),
    ).apply(build)


def build(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Put the document together and check it.

    Args:
        parts: `project`, `stack`, `region`, `network` (its address range), `components`, `joined` (fact,
            subject and value of each resource that is a part of another's claim) and `keys` (ARN by data
            class).

    Raises:
        AuditError: It breaks the contract; the message says where.
    """
    class_of_key = {arn: DataClass(name) for name, arn in parts["keys"].items()}
    try:
        described = _with_joined([each for each in parts["components"] if each["resources"]], parts["joined"])
        components = tuple(_record(component, class_of_key, parts["network"]) for component in described)
        used = {control for each in components for claim in claims_of(each) for control in claim.controls}
        document = AuditDocument(
            project=parts["project"],
            stack=parts["stack"],
            region=parts["region"],
            components=components,
            controls=tuple(CONTROLS[control] for control in sorted(used)),
        )
    except ValidationError as error:
        raise AuditError(
            f"the audit output breaks its contract (infra/audit/schema.json): {error}"
        ) from error
    return document.plain()


def claims_of(component: ComponentAudit) -> Iterator[Claim]:
    """Return every claim of a component, whatever its section."""
    for claims in (
        component.encryption,
        component.exposure,
        component.backups,
        component.availability,
        component.versions,
        component.logging,
    ):
        yield from claims


def components_of(value: object) -> Iterator[pulumi.ComponentResource]:
    """Return the components in a stack's typed value, in the order in which it names them."""
    if isinstance(value, pulumi.ComponentResource):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from components_of(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from components_of(each)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            yield from components_of(each)


def resources_below(parent: pulumi.Resource) -> Iterator[pulumi.CustomResource]:
    """Return the custom resources below a component in a stable order.

    Pulumi keeps the children of a resource for `depends_on`, without a public accessor. Reading them here,
    rather than what each component chooses to hand out, means that no resource can be forgotten when a
    component grows.
    """
    children = sorted(parent._childResources, key=lambda each: (type(each).__name__, each._name))
    for child in children:
        if isinstance(child, pulumi.CustomResource):
            yield child
        yield from resources_below(child)


def clusters_below(parent: pulumi.Resource) -> Iterator[pulumi.Output[aws.eks.Cluster]]:
    """Return the control planes below a component.

    `pulumi_eks` registers them in a process of its own, so they are nobody's children here.
    """
    for child in parent._childResources:
        if isinstance(child, eks.Cluster):
            yield child.eks_cluster
        yield from clusters_below(child)


def _component(component: pulumi.ComponentResource) -> pulumi.Output[dict[str, Any]]:
    resources = [_resource(each) for each in resources_below(component) if type(each) in _BY_CLASS]
    resources += [_control_plane(cluster) for cluster in clusters_below(component)]
    return pulumi.Output.all(
        name=component._name,
        type=component.pulumi_resource_type,
        resources=pulumi.Output.all(*resources),
    ).apply(dict)


def _control_plane(cluster: pulumi.Output[aws.eks.Cluster]) -> pulumi.Output[dict[str, Any]]:
    described: pulumi.Output[dict[str, Any]] = cluster.apply(_resource)
    return described


def _resource(resource: pulumi.CustomResource) -> pulumi.Output[dict[str, Any]]:
    subject = _BY_CLASS[type(resource)]
    values = {fact: get(resource) for fact, get in subject.facts.items()}
    return pulumi.Output.all(
        name=resource._name,
        type=resource.pulumi_resource_type,
        id=resource.id,
        arn=getattr(resource, "arn", None),
        subject=subject.identifier(resource),
        # `all` of nothing is a list.
        values=pulumi.Output.all(**values) if values else {},
    ).apply(dict)


def _parts_of_others(resource: pulumi.CustomResource) -> Iterator[pulumi.Output[dict[str, str]]]:
    if isinstance(resource, aws.vpc.SecurityGroupIngressRule):
        yield opening(resource)
    elif isinstance(resource, aws.ec2.Route):
        yield way_out(resource)
    elif isinstance(resource, aws.eks.AccessEntry):
        yield let_in(resource.cluster_name, resource.principal_arn)
    elif isinstance(resource, aws.eks.NodeGroup):
        # EKS makes the entry of the nodes' role itself.
        yield let_in(resource.cluster_name, resource.node_role_arn)


def _with_joined(
    components: Sequence[Mapping[str, Any]], joined: Sequence[Mapping[str, str]]
) -> Iterator[Mapping[str, Any]]:
    together: dict[tuple[str, str], set[str]] = {}
    for part in joined:
        together.setdefault((part["fact"], part["subject"]), set()).add(part["value"])
    for component in components:
        resources = [
            {
                **each,
                "values": {
                    fact: sorted(together.get((fact, each["subject"]), ()))
                    if fact in JOINED and value is not None
                    else value
                    for fact, value in each["values"].items()
                },
            }
            for each in component["resources"]
        ]
        yield {**component, "resources": resources}


def _record(
    component: Mapping[str, Any], class_of_key: Mapping[str, DataClass], network: str
) -> ComponentAudit:
    sections: dict[str, list[Claim]] = {}
    for resource in component["resources"]:
        for name, value in resource["values"].items():
            if value is not None:
                claim = _claim(name, resource["subject"], value, network)
                sections.setdefault(FACTS[name].section, []).append(claim)
    used = {
        class_of_key[claim.value]
        for claim in sections.get("encryption", ())
        if isinstance(claim.value, str) and claim.value in class_of_key
    }
    most_sensitive = next((each for each in DataClass if each in used), None)
    return ComponentAudit(
        name=component["name"],
        type=component["type"],
        data_class=most_sensitive,
        identifiers=tuple(
            Identity(name=each["name"], type=each["type"], id=each["id"], arn=each["arn"])
            for each in component["resources"]
        ),
        **{section: tuple(claims) for section, claims in sections.items()},
    )


def _claim(name: str, subject: str, value: Any, network: str) -> Claim:
    fact = FACTS[name]
    requirement = fact.requirement
    if requirement.comparison is Comparison.WITHIN:
        requirement = requirement.model_copy(update={"operand": (network,)})
    return Claim(
        fact=name,
        subject=subject,
        value=tuple(value) if isinstance(value, list) else value,
        requirement=requirement,
        controls=fact.controls,
    )
