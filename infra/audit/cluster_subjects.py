"""Which resources of the cluster make claims, and from which of their outputs.

AWS asks for what belongs to a cluster by the cluster's name and its own: the subject joins them with a colon.
Objects in the cluster are asked for by namespace and name, joined with a slash.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from infra.audit.getters import Subject, flag, number, text, version
from infra.audit.models import Value

ACCESS_ENTRIES = "eks.cluster.accessEntries"
"""The fact of a cluster that is joined from whom the program lets in; nobody decided on any other entry."""

_INTERNET = "0.0.0.0/0"
_ENFORCE = "pod-security.kubernetes.io/enforce"


def _open_to_internet(network: Any) -> bool:
    return bool(network.endpoint_public_access) and _INTERNET in (network.public_access_cidrs or ())


def _in_cluster(resource: Any, own: pulumi.Output[str]) -> pulumi.Output[str]:
    return pulumi.Output.concat(resource.cluster_name, ":", own)


def _volumes(template: aws.ec2.LaunchTemplate) -> pulumi.Output[Sequence[Any]]:
    return template.block_device_mappings.apply(lambda devices: [each.ebs for each in devices or ()])


def _all_encrypted(volumes: Sequence[Any]) -> bool:
    # The provider says it in words.
    return bool(volumes) and all(str(each.encrypted).lower() == "true" for each in volumes)


def _network_policy(addon: aws.eks.Addon) -> pulumi.Output[Value | None]:
    return pulumi.Output.all(addon.addon_name, addon.configuration_values).apply(
        lambda each: _enforces(each[1]) if each[0] == "vpc-cni" else None
    )


def _enforces(configuration: str | None) -> bool:
    told = json.loads(configuration or "{}")
    return isinstance(told, Mapping) and str(told.get("enableNetworkPolicy")).lower() == "true"


def _denies_by_default(policy: kubernetes.networking.v1.NetworkPolicy) -> pulumi.Output[Value | None]:
    """Whether a policy denies everything to and from every pod; None for those that open something."""
    return policy.spec.apply(lambda spec: _denies(spec) if not (spec.ingress or spec.egress) else None)


def _denies(spec: Any) -> bool:
    selects = spec.pod_selector
    return set(spec.policy_types or ()) == {"Ingress", "Egress"} and not (
        selects and (selects.match_labels or selects.match_expressions)
    )


def let_in(cluster_name: pulumi.Input[str], principal: pulumi.Input[str]) -> pulumi.Output[dict[str, str]]:
    """Return what a principal adds to the claim of a cluster whose API it may call.

    Args:
        cluster_name: The cluster.
        principal: ARN of a role, of a user, or of a session of a role.
    """
    return pulumi.Output.all(cluster_name, principal).apply(
        lambda each: {"fact": ACCESS_ENTRIES, "subject": each[0], "value": principal_name(each[1])}
    )


def principal_name(arn: str) -> str:
    """Return kind and name of a principal, such as `role/deployer`; of a session, its role's.

    The ARN of a session lacks the path of the role, and names are unique in an account without it.
    """
    kind, _, name = arn.rpartition(":")[2].partition("/")
    if kind == "assumed-role":
        return f"role/{name.partition('/')[0]}"
    return f"{kind}/{name.rpartition('/')[2]}" if name else kind


CLUSTER_SUBJECTS: tuple[Subject, ...] = (
    Subject(
        aws.eks.Cluster,
        lambda r: r.name,
        {
            "eks.cluster.version": lambda r: version(r.version, 2),
            "eks.cluster.endpointPrivateAccess": lambda r: r.vpc_config.apply(
                lambda network: bool(network.endpoint_private_access)
            ),
            "eks.cluster.openToInternet": lambda r: r.vpc_config.apply(_open_to_internet),
            "eks.cluster.secretsEncryptionKey": lambda r: r.encryption_config.apply(
                lambda encryption: (encryption.provider.key_arn if encryption else None) or ""
            ),
            "eks.cluster.controlPlaneLogs": lambda r: r.enabled_cluster_log_types.apply(
                lambda types: tuple(sorted(types or ()))
            ),
            "eks.cluster.authenticationMode": lambda r: r.access_config.apply(
                lambda access: (access.authentication_mode if access else None) or ""
            ),
            "eks.cluster.deletionProtection": lambda r: flag(r.deletion_protection),
            ACCESS_ENTRIES: lambda r: r.name.apply(lambda _: ()),
        },
    ),
    Subject(
        aws.eks.NodeGroup,
        lambda r: _in_cluster(r, r.node_group_name),
        {
            "eks.nodeGroup.version": lambda r: version(r.version, 2),
            "eks.nodeGroup.subnetCount": lambda r: r.subnet_ids.apply(len),
            "eks.nodeGroup.repair": lambda r: r.node_repair_config.apply(
                lambda repair: bool(repair and repair.enabled)
            ),
        },
    ),
    Subject(
        aws.ec2.LaunchTemplate,
        lambda r: r.id,
        {
            "ec2.launchTemplate.imdsV2Required": lambda r: r.metadata_options.apply(
                lambda options: options.http_tokens == "required"
            ),
            "ec2.launchTemplate.metadataHopLimit": lambda r: number(
                r.metadata_options.apply(lambda options: options.http_put_response_hop_limit)
            ),
            "ec2.launchTemplate.volumesEncrypted": lambda r: _volumes(r).apply(_all_encrypted),
            "ec2.launchTemplate.volumeEncryptionKey": lambda r: _volumes(r).apply(
                lambda volumes: (volumes[0].kms_key_id if volumes else None) or ""
            ),
        },
    ),
    Subject(
        aws.eks.Addon,
        lambda r: _in_cluster(r, r.addon_name),
        {
            "eks.addon.version": lambda r: text(r.addon_version),
            "eks.addon.networkPolicy": _network_policy,
        },
    ),
    Subject(
        aws.eks.AccessEntry,
        lambda r: _in_cluster(r, r.principal_arn),
        {
            "eks.accessEntry.groups": lambda r: r.kubernetes_groups.apply(
                lambda groups: tuple(sorted(groups or ()))
            )
        },
    ),
    Subject(
        aws.eks.PodIdentityAssociation,
        lambda r: _in_cluster(r, r.association_id),
        {"eks.podIdentityAssociation.role": lambda r: text(r.role_arn)},
    ),
    Subject(
        kubernetes.core.v1.Namespace,
        lambda r: r.metadata.apply(lambda metadata: metadata.name),
        {
            "kubernetes.namespace.podSecurity": lambda r: r.metadata.apply(
                lambda metadata: (metadata.labels or {}).get(_ENFORCE, "")
            )
        },
    ),
    Subject(
        kubernetes.core.v1.ResourceQuota,
        lambda r: r.metadata.apply(lambda metadata: f"{metadata.namespace}/{metadata.name}"),
        {
            "kubernetes.resourceQuota.hard": lambda r: r.spec.apply(
                lambda spec: tuple(sorted(f"{what}={most}" for what, most in (spec.hard or {}).items()))
            )
        },
    ),
    Subject(
        kubernetes.networking.v1.NetworkPolicy,
        lambda r: r.metadata.apply(lambda metadata: f"{metadata.namespace}/{metadata.name}"),
        {"kubernetes.networkPolicy.deniesByDefault": _denies_by_default},
    ),
)
"""Every type of resource of the cluster that makes claims."""
