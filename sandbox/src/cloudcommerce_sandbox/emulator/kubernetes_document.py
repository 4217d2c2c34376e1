"""What the follower of the emulator's EKS sees: every cluster as it should be."""

from __future__ import annotations

from typing import Any

from cloudcommerce_sandbox.emulator import kubernetes_catalog
from cloudcommerce_sandbox.emulator.extensions.eks.access import AccessEntry
from cloudcommerce_sandbox.emulator.extensions.eks.cluster import Cluster
from cloudcommerce_sandbox.emulator.extensions.eks.instance_types import instance_type
from cloudcommerce_sandbox.emulator.extensions.eks.models import all_clusters
from cloudcommerce_sandbox.emulator.extensions.eks.nodegroup import Nodegroup

Document = dict[str, Any]


def clusters() -> list[Document]:
    """Returns the clusters of all accounts and regions; hold the lock of moto's state."""
    return [_cluster(cluster) for cluster in all_clusters()]


def _cluster(cluster: Cluster) -> Document:
    return {
        "name": cluster.name,
        "arn": cluster.arn,
        "account": cluster.account,
        "region": cluster.region,
        "version": cluster.version,
        "status": cluster.status,
        "createdAt": cluster.created_at.isoformat(),
        "creatorArn": cluster.creator,
        "creatorIsAdmin": cluster.creator_is_admin,
        "serviceCidr": cluster.settings["kubernetesNetworkConfig"]["serviceIpv4Cidr"],
        "oidcIssuer": cluster.issuer,
        "accessEntries": [_access_entry(entry) for entry in cluster.access_entries.values()],
        "nodegroups": [_nodegroup(group) for group in cluster.nodegroups.values()],
        "addons": [
            {
                "name": addon.name,
                "version": addon.version,
                "status": addon.status,
                "configuration": addon.values,
                "serviceAccountRoleArn": addon.role_arn or "",
            }
            for addon in cluster.addons.values()
        ],
        "podIdentityAssociations": [
            {
                "id": association.id,
                "namespace": association.namespace,
                "serviceAccount": association.service_account,
                "roleArn": association.role_arn,
            }
            for association in cluster.associations.values()
        ],
    }


def _access_entry(entry: AccessEntry) -> Document:
    return {
        "principalArn": entry.principal,
        "username": entry.username,
        "groups": entry.groups,
        "type": entry.type,
        "policies": [
            {
                "name": association.policy_arn.removeprefix(kubernetes_catalog.POLICY_ARN_PREFIX),
                "namespaces": association.namespaces if association.scope == "namespace" else [],
            }
            for association in entry.policies.values()
        ],
    }


def _nodegroup(group: Nodegroup) -> Document:
    settings = group.settings
    return {
        "name": group.name,
        "status": group.status,
        "version": settings.get("version") or group.cluster.version,
        "amiType": settings["amiType"],
        "capacityType": settings["capacityType"],
        "labels": settings["labels"],
        "taints": settings["taints"],
        "maxPods": group.max_pods,
        "reservedMemoryMiB": group.reserved_memory_mib,
        "rootVolumeGiB": group.root_volume_gib,
        "instances": [_instance(group, instance) for instance in group.instances],
    }


def _instance(group: Nodegroup, instance: Any) -> Document:
    kind = instance_type(instance.instance_type)
    return {
        "id": instance.id,
        "type": instance.instance_type,
        "vcpus": kind.vcpus if kind else 0,
        "memoryMiB": kind.memory_mib if kind else 0,
        "architecture": kind.architecture if kind else "x86_64",
        "zone": instance.placement.zone,
        "zoneId": group.zone_id(instance),
        "subnetId": instance.subnet_id,
        "privateIp": instance.private_ip,
        "privateDnsName": instance.private_dns_name,
    }
