"""What `operations` sees of a cluster in the emulator's EKS: listed, recognized, judged, deleted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operations.catalogue import KINDS, Status
from operations.catalogue.children import find_child
from operations.clients import Clients
from operations.cluster.connection import Clusters
from operations.ownership import Owner, identify, take_census
from operations.proofs.contract import Claim
from operations.proofs.judge import prove
from operations.recovery.orphans import delete_things, orphans_of
from operations.removal.protection import lift_protection
from operations.state import Resource
from tests.unit.operations.stack_on_disk import record, state

TAGS = {"Project": "shop", "Environment": "prod"}
OWNER = Owner("shop", "prod", frozenset({"main"}))
EKS = tuple(kind for kind in KINDS.values() if kind.service == "eks")
OF_CLUSTERS = tuple(
    kind for kind in KINDS.values() if kind.service in {"eks", "autoscaling", "elb", "elbv2", "ec2"}
)
CLUSTER, NODES = "aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup"


def tagged(*kinds: str, **more: str) -> Any:
    tags = [{"Key": key, "Value": value} for key, value in {**TAGS, **more}.items()]
    return [{"ResourceType": kind, "Tags": tags} for kind in kinds]


class Shop:
    """An account with a network, roles and one cluster with one node."""

    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self.eks, self.ec2, self.iam = (clients.get(name) for name in ("eks", "ec2", "iam"))
        self.key = clients.get("kms").create_key()["KeyMetadata"]["Arn"]
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [self._subnet(number, zone) for number, zone in enumerate("abc")]
        self.node_role = self.role("nodes", "ec2.amazonaws.com")
        self.template = self.ec2.create_launch_template(
            LaunchTemplateName="nodes",
            LaunchTemplateData={
                "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
                "BlockDeviceMappings": [
                    {
                        "DeviceName": "/dev/xvda",
                        "Ebs": {"Encrypted": True, "KmsKeyId": self.key, "VolumeSize": 20},
                    }
                ],
            },
        )["LaunchTemplate"]["LaunchTemplateId"]
        self.eks.create_cluster(
            name="main",
            version="1.35",
            roleArn=self.role("cluster", "eks.amazonaws.com"),
            resourcesVpcConfig={
                "subnetIds": self.subnets,
                "endpointPrivateAccess": True,
                "endpointPublicAccess": False,
            },
            accessConfig={"authenticationMode": "API"},
            encryptionConfig=[{"resources": ["secrets"], "provider": {"keyArn": self.key}}],
            logging={"clusterLogging": [{"types": ["api", "audit"], "enabled": True}]},
            deletionProtection=True,
            tags={**TAGS, "Name": "main-eksCluster"},
        )
        self.eks.create_nodegroup(
            clusterName="main",
            nodegroupName="general",
            nodeRole=self.node_role,
            subnets=self.subnets,
            scalingConfig={"minSize": 1, "maxSize": 3, "desiredSize": 1},
            nodeRepairConfig={"enabled": True},
            launchTemplate={"id": self.template, "version": "1"},
            tags=TAGS,
        )
        self.eks.create_addon(
            clusterName="main",
            addonName="vpc-cni",
            configurationValues='{"enableNetworkPolicy": "true"}',
            tags=TAGS,
        )
        self.auditor = self.role("auditor", "ec2.amazonaws.com")
        self.eks.create_access_entry(
            clusterName="main", principalArn=self.auditor, kubernetesGroups=["auditor"], tags=TAGS
        )
        self.pods = self.role("pods", "pods.eks.amazonaws.com", "sts:AssumeRole", "sts:TagSession")
        self.association = self.eks.create_pod_identity_association(
            clusterName="main", namespace="shop", serviceAccount="order", roleArn=self.pods, tags=TAGS
        )["association"]["associationId"]

    def role(self, name: str, service: str, *actions: str) -> str:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": list(actions or ["sts:AssumeRole"]),
        }
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return str(self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])

    def known(self) -> Any:
        """The state of a stack in which all of it stands."""
        return state(
            record(CLUSTER, "main-eksCluster", "main", outputs={"name": "main"}),
            record(NODES, "general", "main:general"),
            record("aws:eks/addon:Addon", "cni", "main:vpc-cni"),
            record("aws:eks/accessEntry:AccessEntry", "auditor", f"main:{self.auditor}"),
            record("aws:eks/podIdentityAssociation:PodIdentityAssociation", "order", self.association),
            record("aws:ec2/launchTemplate:LaunchTemplate", "nodes", self.template),
        )

    def _subnet(self, number: int, zone: str) -> str:
        made = self.ec2.create_subnet(
            VpcId=self.vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{zone}"
        )
        return str(made["Subnet"]["SubnetId"])


@pytest.fixture
def stand(empty_aws: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A cluster that stands."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", json.loads(empty_aws.read_text())["url"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sandbox")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return Shop(Clients("us-east-1"))


@pytest.mark.mission_M71
def test_what_belongs_to_a_cluster_is_found_by_the_id_that_its_inputs_settle(stand: Shop) -> None:
    things = take_census(stand.clients, OWNER, EKS).things
    lost = {
        CLUSTER: ({"name": "main"}, "main"),
        NODES: ({"clusterName": "main", "nodeGroupName": "general"}, "main:general"),
        "aws:eks/addon:Addon": ({"clusterName": "main", "addonName": "vpc-cni"}, "main:vpc-cni"),
        "aws:eks/accessEntry:AccessEntry": (
            {"clusterName": "main", "principalArn": stand.auditor},
            f"main:{stand.auditor}",
        ),
    }
    for resource_type, (inputs, identity) in lost.items():
        resource = Resource(record(resource_type, "anything", inputs=inputs))
        assert [each.id for each in identify(resource, things, OWNER, state())] == [identity], resource_type
    other = Resource(record(NODES, "x", inputs={"clusterName": "other", "nodeGroupName": "general"}))
    assert identify(other, things, OWNER, state()) == (), "the same name in another cluster is another thing"


@pytest.mark.mission_M71
def test_a_classic_rule_is_found_by_what_it_opens(stand: Shop) -> None:
    group = stand.ec2.create_security_group(GroupName="g", Description="g", VpcId=stand.vpc)["GroupId"]
    inputs: dict[str, Any] = {
        "securityGroupId": group,
        "type": "ingress",
        "protocol": "tcp",
        "fromPort": 443,
        "toPort": 443,
    }

    def found(**more: Any) -> str | None:
        rule = Resource(record("aws:ec2/securityGroupRule:SecurityGroupRule", "r", inputs={**inputs, **more}))
        child = find_child(stand.clients, rule)
        return child.id if child else None

    assert found(cidrBlocks=["10.0.0.0/16"]) is None
    stand.ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
        ],
    )
    assert found(cidrBlocks=["10.0.0.0/16"]) == f"{group}_ingress_tcp_443_443_10.0.0.0/16"
    assert found(cidrBlocks=["10.0.0.0/16"], fromPort=80) is None
    assert found(cidrBlocks=["10.0.0.0/16", "10.1.0.0/16"]) is None
    assert found() is None, "a rule that names no source is none"


@pytest.mark.mission_M71
def test_the_work_of_controllers_is_no_orphan_while_their_cluster_stands(stand: Shop) -> None:
    volume = stand.ec2.create_volume(
        AvailabilityZone="us-east-1a",
        Size=1,
        TagSpecifications=[
            {
                "ResourceType": "volume",
                "Tags": [{"Key": "kubernetes.io/cluster/main", "Value": "owned"}],
            }
        ],
    )["VolumeId"]
    neighbors = stand.ec2.create_volume(
        AvailabilityZone="us-east-1a",
        Size=1,
        TagSpecifications=[
            {"ResourceType": "volume", "Tags": [{"Key": "kubernetes.io/cluster/theirs", "Value": "owned"}]}
        ],
    )["VolumeId"]
    census = take_census(stand.clients, OWNER, OF_CLUSTERS)
    assert census.unlisted == ()
    assert orphans_of(census, OWNER, stand.known()) == (), "instances and groups are EKS's to look after"
    orphans = orphans_of(census, OWNER, state())
    types = {each.kind.resource_type for each in orphans}
    assert {CLUSTER, NODES, "aws:ec2/instance:Instance", "aws:autoscaling/group:Group"} <= types
    assert volume in {each.id for each in orphans}
    assert neighbors not in {each.id for each in orphans}


@pytest.mark.mission_M71
def test_a_lost_cluster_is_deleted_with_all_that_its_controllers_made(stand: Shop) -> None:
    volume = stand.ec2.create_volume(
        AvailabilityZone="us-east-1a", Size=1, TagSpecifications=tagged("volume", KubernetesCluster="main")
    )["VolumeId"]
    orphans = orphans_of(take_census(stand.clients, OWNER, OF_CLUSTERS), OWNER, state())
    refused = delete_things(stand.clients, orphans, lambda _: None, patience=30, pause=0.1)
    assert refused == {}
    left = [
        (each.kind.resource_type, each.id)
        for each in take_census(stand.clients, OWNER, OF_CLUSTERS).of(OWNER)
        if each.status is not Status.DELETING
    ]
    assert left == []
    (snapshot,) = stand.ec2.describe_snapshots(Filters=[{"Name": "volume-id", "Values": [volume]}])[
        "Snapshots"
    ]
    assert {"Key": "Project", "Value": "shop"} in snapshot["Tags"], "what was on the volume is not lost"


@pytest.mark.mission_M70
def test_a_clusters_protection_is_lifted_once(stand: Shop) -> None:
    assert [each.what for each in lift_protection(stand.clients, stand.known())] == [
        "EKS deletion protection off"
    ]
    assert list(lift_protection(stand.clients, stand.known())) == []


@pytest.mark.mission_M72
def test_every_claim_on_a_cluster_holds_until_the_fact_is_turned_round(stand: Shop) -> None:
    eks, ec2 = stand.eks, stand.ec2

    def config(**change: Any) -> Callable[[], Any]:
        return lambda: eks.update_cluster_config(name="main", **change)

    def template(**data: Any) -> Callable[[], Any]:
        return lambda: ec2.create_launch_template_version(
            LaunchTemplateId=stand.template, LaunchTemplateData=data
        )

    open_endpoint = {"endpointPublicAccess": True, "publicAccessCidrs": ["0.0.0.0/0"]}
    bare = template(MetadataOptions={"HttpTokens": "optional", "HttpPutResponseHopLimit": 2})
    logs = {"clusterLogging": [{"types": ["audit"], "enabled": False}]}
    cases: tuple[tuple[str, str, Any, Callable[[], Any]], ...] = (
        ("eks.cluster.openToInternet", "main", False, config(resourcesVpcConfig=open_endpoint)),
        (
            "eks.cluster.endpointPrivateAccess",
            "main",
            True,
            config(resourcesVpcConfig={"endpointPrivateAccess": False, "endpointPublicAccess": True}),
        ),
        ("eks.cluster.controlPlaneLogs", "main", ["api", "audit"], config(logging=logs)),
        ("eks.cluster.deletionProtection", "main", True, config(deletionProtection=False)),
        ("ec2.launchTemplate.imdsV2Required", stand.template, True, bare),
        ("ec2.launchTemplate.volumesEncrypted", stand.template, True, lambda: None),
        (
            "eks.addon.networkPolicy",
            "main:vpc-cni",
            True,
            lambda: eks.update_addon(
                clusterName="main",
                addonName="vpc-cni",
                configurationValues='{"enableNetworkPolicy": "false"}',
            ),
        ),
        (
            "eks.accessEntry.groups",
            f"main:{stand.auditor}",
            ["auditor"],
            lambda: eks.update_access_entry(
                clusterName="main", principalArn=stand.auditor, kubernetesGroups=["platform"]
            ),
        ),
        (
            "eks.podIdentityAssociation.role",
            f"main:{stand.association}",
            stand.pods,
            lambda: eks.delete_pod_identity_association(clusterName="main", associationId=stand.association),
        ),
        (
            "eks.nodeGroup.repair",
            "main:general",
            True,
            lambda: eks.update_nodegroup_config(
                clusterName="main", nodegroupName="general", nodeRepairConfig={"enabled": False}
            ),
        ),
    )
    untouched: tuple[tuple[str, str, Any], ...] = (
        ("eks.cluster.version", "main", "1.35"),
        ("eks.cluster.secretsEncryptionKey", "main", stand.key),
        ("eks.cluster.authenticationMode", "main", "API"),
        ("eks.nodeGroup.version", "main:general", "1.35"),
        ("eks.nodeGroup.subnetCount", "main:general", 3),
        ("ec2.launchTemplate.metadataHopLimit", stand.template, 1),
        ("ec2.launchTemplate.volumeEncryptionKey", stand.template, stand.key),
    )

    def judged(fact: str, subject: str, value: Any) -> tuple[bool, str]:
        claim = Claim("cluster", fact, subject, value, "equals", value, ("CIS-EKS-5.4.1",))
        (proof,) = prove([claim], stand.clients, Clusters(state(), state))
        return proof.passed, f"{fact}: {proof.reason}"

    for fact, subject, value in (*untouched, *(case[:3] for case in cases)):
        passed, said = judged(fact, subject, value)
        assert passed, said
    for fact, subject, value, turn_round in cases:
        turn_round()
        passed, said = judged(fact, subject, value)
        assert not passed, said
