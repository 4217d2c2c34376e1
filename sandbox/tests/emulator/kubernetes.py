"""A cluster to test with, and somebody who follows it."""

import base64
import json
from typing import Any

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import Network, unique

NODE_CONFIG = {
    "apiVersion": "node.eks.aws/v1alpha1",
    "kind": "NodeConfig",
    "spec": {"kubelet": {"config": {"maxPods": 58, "kubeReserved": {"memory": "893Mi"}}}},
}


def role(emulator: RunningEmulator, service: str, *actions: str) -> str:
    """Makes a role that a service may assume, and returns its ARN."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": list(actions or ("sts:AssumeRole",)),
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    created = emulator.client("iam").create_role(RoleName=unique("role"), AssumeRolePolicyDocument=document)
    return str(created["Role"]["Arn"])


def multipart(config: Any) -> str:
    """User data as EKS takes it, in base64."""
    text = (
        'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="//"\n\n--//\n'
        f"Content-Type: application/node.eks.aws\n\n{json.dumps(config)}\n\n--//--\n"
    )
    return base64.b64encode(text.encode()).decode()


class Account:
    """An account with a network and roles, whose clusters may be followed."""

    def __init__(self, emulator: RunningEmulator, network: Network) -> None:
        self.emulator = emulator
        self.network = network
        self.eks: Any = emulator.client("eks")
        self.ec2: Any = emulator.client("ec2")
        self.autoscaling: Any = emulator.client("autoscaling")
        self.cluster_role = role(emulator, "eks.amazonaws.com")
        self.node_role = role(emulator, "ec2.amazonaws.com")

    def cluster_arguments(self, **overrides: Any) -> dict[str, Any]:
        return {
            "name": unique("cluster"),
            "version": "1.35",
            "roleArn": self.cluster_role,
            "resourcesVpcConfig": {"subnetIds": self.network.subnets},
            "accessConfig": {"authenticationMode": "API"},
            **overrides,
        }

    def cluster(self, **overrides: Any) -> str:
        return str(self.eks.create_cluster(**self.cluster_arguments(**overrides))["cluster"]["name"])

    def nodegroup_arguments(self, cluster: str, **overrides: Any) -> dict[str, Any]:
        return {
            "clusterName": cluster,
            "nodegroupName": unique("nodes"),
            "nodeRole": self.node_role,
            "subnets": self.network.subnets,
            "scalingConfig": {"minSize": 1, "maxSize": 6, "desiredSize": 3},
            **overrides,
        }

    def nodegroup(self, cluster: str, **overrides: Any) -> str:
        created = self.eks.create_nodegroup(**self.nodegroup_arguments(cluster, **overrides))
        return str(created["nodegroup"]["nodegroupName"])

    def describe_nodegroup(self, cluster: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)[
            "nodegroup"
        ]
        return found

    def template(self, **data: Any) -> str:
        created = self.ec2.create_launch_template(LaunchTemplateName=unique("lt"), LaunchTemplateData=data)
        return str(created["LaunchTemplate"]["LaunchTemplateId"])

    def scaling_group(self, cluster: str, name: str) -> str:
        resources = self.describe_nodegroup(cluster, name)["resources"]
        return str(resources["autoScalingGroups"][0]["name"])

    def document(self, cluster: str) -> dict[str, Any]:
        clusters = self.emulator.api("GET", "kubernetes")["clusters"]
        found: dict[str, Any] = next(c for c in clusters if c["name"] == cluster)
        return found

    def document_of(self, cluster: str, nodegroup: str) -> dict[str, Any]:
        groups = self.document(cluster)["nodegroups"]
        found: dict[str, Any] = next(group for group in groups if group["name"] == nodegroup)
        return found

    def instance_ids(self, cluster: str, nodegroup: str) -> set[str]:
        return {instance["id"] for instance in self.document_of(cluster, nodegroup)["instances"]}

    def report(self, path: str, **report: Any) -> None:
        self.emulator.api("POST", f"kubernetes/clusters/{path}", {"region": "us-east-1", **report})

    def activate(self, cluster: str) -> None:
        self.report(cluster, status="ACTIVE", endpoint="https://127.0.0.1:6443", certificateAuthority="Y2E=")

    def report_all_ready(self, cluster: str, nodegroup: str) -> None:
        ready = sorted(self.instance_ids(cluster, nodegroup))
        self.report(f"{cluster}/nodegroups/{nodegroup}", ready=ready)
