"""Where each fact about the cluster is looked up: at EKS, at EC2, and in the cluster itself.

What belongs to a cluster is claimed as `CLUSTER:OWN`, an object in the cluster as `NAMESPACE/NAME`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jmespath
import yaml

from operations.cluster.connection import Clusters
from operations.errors import OperationError
from operations.proofs.lookup import Lookup, count, minor, same, strings, text

_INTERNET = frozenset({"0.0.0.0/0", "::/0"})


def _is_open(network: Any) -> bool:
    return bool(network["endpointPublicAccess"]) and bool(_INTERNET & set(network["publicAccessCidrs"] or ()))


def _all_encrypted(volumes: Any) -> bool:
    return bool(volumes) and all(each.get("Encrypted") is True for each in volumes)


def _is_required(value: Any) -> bool:
    return bool(value == "required")


def _enforces_policies(configuration: Any) -> bool:
    # EKS takes the configuration as JSON and as YAML, of which JSON is a part.
    told = yaml.safe_load(configuration or "{}")
    return isinstance(told, Mapping) and str(told.get("enableNetworkPolicy")).lower() == "true"


def _principals(arns: Any) -> list[str]:
    """Return kind and name of each principal, without those that only AWS itself can be."""
    return sorted(_principal(arn) for arn in arns if ":role/aws-service-role/" not in arn)


def _principal(arn: str) -> str:
    kind, _, name = arn.rpartition(":")[2].partition("/")
    return f"{kind}/{name.rpartition('/')[2]}" if name else kind


def _cluster(path: str, shape: Callable[[Any], Any] = same) -> Lookup:
    return Lookup("eks", "describe_cluster", "name", f"cluster.{path}", shape)


def _node_group(path: str, shape: Callable[[Any], Any] = same) -> Lookup:
    return Lookup(
        "eks", "describe_nodegroup", "nodegroupName", f"nodegroup.{path}", shape, scope="clusterName"
    )


def _addon(path: str, shape: Callable[[Any], Any]) -> Lookup:
    return Lookup("eks", "describe_addon", "addonName", f"addon.{path}", shape, scope="clusterName")


def _template(path: str, shape: Callable[[Any], Any] = same) -> Lookup:
    return Lookup(
        "ec2",
        "describe_launch_template_versions",
        "LaunchTemplateId",
        f"LaunchTemplateVersions[0].LaunchTemplateData.{path}",
        shape,
        request={"Versions": ["$Latest"]},
    )


CLUSTER_LOOKUPS: Mapping[str, Lookup] = {
    "eks.cluster.version": _cluster("version", minor),
    "eks.cluster.endpointPrivateAccess": _cluster("resourcesVpcConfig.endpointPrivateAccess"),
    "eks.cluster.openToInternet": _cluster("resourcesVpcConfig", _is_open),
    "eks.cluster.secretsEncryptionKey": _cluster(
        "encryptionConfig[?contains(resources, 'secrets')].provider.keyArn | [0]", text
    ),
    "eks.cluster.controlPlaneLogs": _cluster("logging.clusterLogging[?enabled].types[]", strings),
    "eks.cluster.authenticationMode": _cluster("accessConfig.authenticationMode", text),
    "eks.cluster.deletionProtection": _cluster("deletionProtection"),
    "eks.cluster.accessEntries": Lookup(
        "eks", "list_access_entries", "clusterName", "accessEntries[]", _principals, many=True
    ),
    "eks.nodeGroup.version": _node_group("version", minor),
    "eks.nodeGroup.subnetCount": _node_group("subnets", len),
    "eks.nodeGroup.repair": _node_group("nodeRepairConfig.enabled", bool),
    "ec2.launchTemplate.imdsV2Required": _template("MetadataOptions.HttpTokens", _is_required),
    "ec2.launchTemplate.metadataHopLimit": _template("MetadataOptions.HttpPutResponseHopLimit", count),
    "ec2.launchTemplate.volumesEncrypted": _template("BlockDeviceMappings[].Ebs", _all_encrypted),
    "ec2.launchTemplate.volumeEncryptionKey": _template("BlockDeviceMappings[0].Ebs.KmsKeyId", text),
    "eks.addon.version": _addon("addonVersion", text),
    "eks.addon.networkPolicy": _addon("configurationValues", _enforces_policies),
    "eks.accessEntry.groups": Lookup(
        "eks",
        "describe_access_entry",
        "principalArn",
        "accessEntry.kubernetesGroups",
        strings,
        scope="clusterName",
    ),
    "eks.podIdentityAssociation.role": Lookup(
        "eks",
        "describe_pod_identity_association",
        "associationId",
        "association.roleArn",
        text,
        scope="clusterName",
    ),
}
"""Lookups by fact."""


@dataclass(frozen=True)
class InClusterLookup:
    """How a fact about an object is looked up through the Kubernetes API.

    Attributes:
        resource_type: Pulumi's type of the object.
        path: JMESPath in the object.
        shape: Turns the value into the claims' words.
    """

    resource_type: str
    path: str
    shape: Callable[[Any], Any]

    @property
    def call(self) -> str:
        """The call as a person writes it."""
        return f"kubectl get {self.resource_type.rpartition(':')[2].lower()}"

    def look(self, clusters: Clusters, subject: str) -> Any:
        """Ask the cluster in which the stack made the object.

        Args:
            clusters: The stack's clusters.
            subject: `NAMESPACE/NAME`, or the name alone.

        Returns:
            The value as a claim would state it.

        Raises:
            OperationError: The stack has no such object, or its cluster does not answer.
        """
        found = clusters.object_of(self.resource_type, subject)
        if found is None:
            raise OperationError(f"{subject} does not exist in the cluster")
        return self.shape(jmespath.search(self.path, found))


def _denies_everything(spec: Any) -> bool:
    selector = spec.get("podSelector") or {}
    opened = spec.get("ingress") or spec.get("egress")
    both = set(spec.get("policyTypes") or ()) == {"Ingress", "Egress"}
    return both and not opened and not (selector.get("matchLabels") or selector.get("matchExpressions"))


def _amounts(hard: Any) -> list[str]:
    return sorted(f"{what}={most}" for what, most in (hard or {}).items())


IN_CLUSTER: Mapping[str, InClusterLookup] = {
    "kubernetes.namespace.podSecurity": InClusterLookup(
        "kubernetes:core/v1:Namespace", 'metadata.labels."pod-security.kubernetes.io/enforce"', text
    ),
    "kubernetes.resourceQuota.hard": InClusterLookup(
        "kubernetes:core/v1:ResourceQuota", "spec.hard", _amounts
    ),
    "kubernetes.networkPolicy.deniesByDefault": InClusterLookup(
        "kubernetes:networking.k8s.io/v1:NetworkPolicy", "spec", _denies_everything
    ),
}
"""Lookups in the cluster by fact."""
