"""From a composed stack to its audit document."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
from pydantic import ValidationError

from infra.audit.controls import CONTROLS
from infra.audit.facts import FACTS
from infra.audit.getters import Subject
from infra.audit.models import AuditDocument, Claim, Comparison, ComponentAudit, DataClass, Identity
from infra.audit.subjects import SUBJECTS, opening
from stacks.production import Production

_BY_CLASS: Mapping[type, Subject] = {subject.resource: subject for subject in SUBJECTS}


GROUP_OPENINGS = "ec2.securityGroup.openings"
"""The fact of a security group that is joined from its rules, whichever component made them."""

_SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"


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
    rules = [
        each
        for parent in parents
        for each in resources_below(parent)
        if isinstance(each, aws.vpc.SecurityGroupIngressRule)
    ]
    keys = stack.foundation.keys
    classes = {data_class: getattr(keys, data_class.value).key_arn for data_class in DataClass}
    return pulumi.Output.all(
        project=pulumi.get_project(),
        stack=pulumi.get_stack(),
        region=stack.args.region,
        network=stack.args.network.cidr,
        openings=pulumi.Output.all(*(opening(rule) for rule in rules)),
        components=pulumi.Output.all(*components),
        keys=pulumi.Output.all(**{data_class.value: arn for data_class, arn in classes.items()}),
    ).apply(build)


def build(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Put the document together and check it.

    Args:
        parts: `project`, `stack`, `region`, `network` (its address range), `components`, `openings` (what
            each rule of a security group admits) and `keys` (ARN by data class).

    Raises:
        AuditError: It breaks the contract; the message says where.
    """
    class_of_key = {arn: DataClass(name) for name, arn in parts["keys"].items()}
    try:
        described = _with_openings(
            [each for each in parts["components"] if each["resources"]], parts["openings"]
        )
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
    described = [
        *(_resource(each) for each in resources_below(component) if type(each) in _BY_CLASS),
        *(cluster.apply(lambda it: _resource(it)) for cluster in clusters_below(component)),
    ]
    return pulumi.Output.all(
        name=component._name,
        type=component.pulumi_resource_type,
        resources=pulumi.Output.all(*described),
    ).apply(dict)


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


def _with_openings(
    components: Sequence[Mapping[str, Any]], openings: Sequence[Mapping[str, str]]
) -> Iterator[Mapping[str, Any]]:
    for component in components:
        resources = [
            {
                **each,
                "values": {
                    **each["values"],
                    GROUP_OPENINGS: sorted(
                        {rule["admits"] for rule in openings if rule["group"] == each["subject"]}
                    ),
                },
            }
            if each["type"] == _SECURITY_GROUP
            else each
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
