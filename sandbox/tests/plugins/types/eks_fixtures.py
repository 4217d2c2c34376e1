"""What the tests of EKS types start from: roles, a cluster's program, a launch template."""

import json
from typing import Any

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import Network, unique

CLUSTER = "aws:eks/cluster:Cluster"
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
ADDON = "aws:eks/addon:Addon"
ACCESS_ENTRY = "aws:eks/accessEntry:AccessEntry"
ACCESS_POLICY = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
POD_IDENTITY = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
VERSION = "1.34"
NEXT_VERSION = "1.35"

_POLICIES = {
    "eks.amazonaws.com": ("AmazonEKSClusterPolicy",),
    "ec2.amazonaws.com": (
        "AmazonEKSWorkerNodePolicy",
        "AmazonEKS_CNI_Policy",
        "AmazonEC2ContainerRegistryReadOnly",
    ),
    "pods.eks.amazonaws.com": (),
}


def make_role(emulator: RunningEmulator, service: str) -> str:
    """Make a role for a service, with the policies that EKS asks for; return its ARN."""
    iam = emulator.client("iam")
    actions = ["sts:AssumeRole", "sts:TagSession"]
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": actions}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    name = unique(service.partition(".")[0])
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]
    for policy in _POLICIES[service]:
        iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    return str(role["Arn"])


def production_cluster(role: str, network: Network, key: str) -> dict[str, Any]:
    return {
        "roleArn": role,
        "version": VERSION,
        "vpcConfig": {
            "subnetIds": network.subnets,
            "endpointPrivateAccess": True,
            "endpointPublicAccess": False,
        },
        "accessConfig": {
            "authenticationMode": "API",
            "bootstrapClusterCreatorAdminPermissions": True,
        },
        "enabledClusterLogTypes": ["audit", "api"],
        "encryptionConfig": {"provider": {"keyArn": key}, "resources": ["secrets"]},
        "upgradePolicy": {"supportType": "STANDARD"},
        "tags": {"Name": "core"},
    }


def make_cluster(emulator: RunningEmulator, network: Network) -> str:
    """Make a cluster by hand; return its name."""
    name = unique("cluster")
    emulator.client("eks").create_cluster(
        name=name,
        version=VERSION,
        roleArn=make_role(emulator, "eks.amazonaws.com"),
        resourcesVpcConfig={"subnetIds": network.subnets},
        accessConfig={"authenticationMode": "API"},
    )
    return name


def make_launch_template(emulator: RunningEmulator) -> str:
    """Make a launch template of two versions; return its id."""
    ec2 = emulator.client("ec2")
    options = {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
    template = ec2.create_launch_template(
        LaunchTemplateName=unique("nodes"), LaunchTemplateData={"MetadataOptions": options}
    )["LaunchTemplate"]["LaunchTemplateId"]
    ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData={"EbsOptimized": True})
    return str(template)
