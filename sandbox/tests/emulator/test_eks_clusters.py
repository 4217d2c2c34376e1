import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.kubernetes import Account, role
from sandbox.tests.emulator.network import make_network, unique

pytestmark = pytest.mark.mission_M21


@pytest.fixture(scope="module")
def account(emulator: RunningEmulator) -> Account:
    return Account(emulator, make_network(emulator))


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def key(account: Account, **arguments: Any) -> str:
    return str(account.emulator.client("kms").create_key(**arguments)["KeyMetadata"]["Arn"])


def test_a_cluster_reads_back(account: Account) -> None:
    encryption = [{"resources": ["secrets"], "provider": {"keyArn": key(account)}}]
    name = account.cluster(
        resourcesVpcConfig={
            "subnetIds": account.network.subnets,
            "securityGroupIds": [account.network.security_group],
            "endpointPrivateAccess": True,
            "endpointPublicAccess": True,
            "publicAccessCidrs": ["203.0.113.0/24"],
        },
        kubernetesNetworkConfig={"serviceIpv4Cidr": "172.20.0.0/16"},
        accessConfig={"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
        upgradePolicy={"supportType": "STANDARD"},
        zonalShiftConfig={"enabled": True},
        computeConfig={"enabled": False},
        logging={"clusterLogging": [{"types": ["api", "audit"], "enabled": True}]},
        encryptionConfig=encryption,
        tags={"owner": "platform"},
    )
    read = account.eks.describe_cluster(name=name)["cluster"]
    assert read["status"] == "ACTIVE"
    assert read["endpoint"].startswith("https://")
    assert read["certificateAuthority"]["data"]
    vpc = read["resourcesVpcConfig"]
    assert vpc["subnetIds"] == account.network.subnets
    assert vpc["publicAccessCidrs"] == ["203.0.113.0/24"]
    assert vpc["vpcId"] == account.network.vpc
    assert read["accessConfig"] == {
        "authenticationMode": "API",
        "bootstrapClusterCreatorAdminPermissions": False,
    }
    assert read["upgradePolicy"] == {"supportType": "STANDARD"}
    assert read["zonalShiftConfig"] == {"enabled": True}
    assert read["computeConfig"] == {"enabled": False}
    assert read["encryptionConfig"] == encryption
    assert read["kubernetesNetworkConfig"]["serviceIpv4Cidr"] == "172.20.0.0/16"
    assert read["kubernetesNetworkConfig"]["ipFamily"] == "ipv4"
    on = [kind for entry in read["logging"]["clusterLogging"] if entry["enabled"] for kind in entry["types"]]
    assert on == ["api", "audit"]
    assert read["health"] == {"issues": []}
    assert read["identity"]["oidc"]["issuer"].startswith("https://oidc.eks.us-east-1.amazonaws.com/id/")
    assert read["tags"] == {"owner": "platform"}
    groups = account.emulator.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/eks/{name}/")
    assert [group["logGroupName"] for group in groups["logGroups"]] == [f"/aws/eks/{name}/cluster"]


def test_a_log_group_that_is_there_is_used(account: Account) -> None:
    name, logs = unique("cluster"), account.emulator.client("logs")
    logs.create_log_group(logGroupName=f"/aws/eks/{name}/cluster", tags={"owner": "platform"})
    account.cluster(name=name, logging={"clusterLogging": [{"types": ["api"], "enabled": True}]})
    assert logs.list_tags_log_group(logGroupName=f"/aws/eks/{name}/cluster")["tags"] == {"owner": "platform"}


def test_what_a_cluster_brings_into_its_network_goes_with_it(account: Account) -> None:
    before = account.emulator.inventory()
    name = account.cluster()
    vpc = account.eks.describe_cluster(name=name)["cluster"]["resourcesVpcConfig"]
    group = vpc["clusterSecurityGroupId"]
    described = account.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    tags = {tag["Key"]: tag["Value"] for tag in described["Tags"]}
    assert tags[f"kubernetes.io/cluster/{name}"] == "owned"
    mine = [{"Name": "description", "Values": [f"Amazon EKS {name}"]}]
    interfaces = account.ec2.describe_network_interfaces(Filters=mine)["NetworkInterfaces"]
    assert {interface["SubnetId"] for interface in interfaces} == set(account.network.subnets)
    assert refused(account.ec2.delete_security_group, GroupId=group) == "DependencyViolation"
    assert refused(account.ec2.delete_subnet, SubnetId=account.network.subnets[0]) == "DependencyViolation"
    assert refused(account.ec2.delete_vpc, VpcId=account.network.vpc) == "DependencyViolation"
    listed = {item[:2] for item in account.emulator.inventory() - before}
    assert listed == {("eks", "cluster"), ("eks", "access-entry")}
    account.eks.delete_cluster(name=name)
    assert account.emulator.inventory() == before
    assert not account.ec2.describe_network_interfaces(Filters=mine)["NetworkInterfaces"]
    assert refused(account.ec2.describe_security_groups, GroupIds=[group]) == "InvalidGroup.NotFound"
    assert refused(account.eks.describe_cluster, name=name) == "ResourceNotFoundException"
    assert refused(account.eks.delete_cluster, name=name) == "ResourceNotFoundException"


def test_a_group_of_a_cluster_stays(account: Account) -> None:
    group = account.ec2.create_security_group(
        GroupName=unique("extra"), Description="extra", VpcId=account.network.vpc
    )["GroupId"]
    config = {"subnetIds": account.network.subnets, "securityGroupIds": [group]}
    name = account.cluster(resourcesVpcConfig=config)
    assert refused(account.ec2.delete_security_group, GroupId=group) == "DependencyViolation"
    account.eks.delete_cluster(name=name)
    account.ec2.delete_security_group(GroupId=group)


def test_a_protected_cluster_stays(account: Account) -> None:
    name = account.cluster(deletionProtection=True)
    assert refused(account.eks.delete_cluster, name=name) == "InvalidRequestException"
    account.eks.update_cluster_config(name=name, deletionProtection=False)
    account.eks.delete_cluster(name=name)


@pytest.mark.parametrize(
    ("change", "type", "parameter"),
    [
        (
            {"logging": {"clusterLogging": [{"types": ["scheduler"], "enabled": True}]}},
            "LoggingUpdate",
            "ClusterLogging",
        ),
        ({"upgradePolicy": {"supportType": "STANDARD"}}, "UpgradePolicyUpdate", "UpgradePolicy"),
        ({"zonalShiftConfig": {"enabled": True}}, "ZonalShiftConfigUpdate", "ZonalShiftConfig"),
        ({"deletionProtection": False}, "DeletionProtectionUpdate", "DeletionProtection"),
        (
            {"resourcesVpcConfig": {"endpointPrivateAccess": True}},
            "EndpointAccessUpdate",
            "EndpointPrivateAccess",
        ),
    ],
)
def test_a_change_is_an_update(account: Account, change: dict[str, Any], type: str, parameter: str) -> None:  # noqa: A002
    name = account.cluster()
    update = account.eks.update_cluster_config(name=name, **change)["update"]
    assert (update["type"], update["params"][0]["type"]) == (type, parameter)
    read = account.eks.describe_update(name=name, updateId=update["id"])["update"]
    assert read["status"] == "Successful"
    assert account.eks.list_updates(name=name)["updateIds"] == [update["id"]]
    cluster = account.eks.describe_cluster(name=name)["cluster"]
    for member, value in change.items():
        if member == "logging":
            on = [e["types"] for e in cluster["logging"]["clusterLogging"] if e["enabled"]]
            assert on == [["scheduler"]]
        elif isinstance(value, dict):
            assert value.items() <= cluster[member].items()
        else:
            assert cluster[member] == value
    assert refused(account.eks.describe_update, name=name, updateId="absent") == "ResourceNotFoundException"


def test_one_update_changes_one_thing(account: Account) -> None:
    name = account.cluster()
    code = refused(
        account.eks.update_cluster_config,
        name=name,
        deletionProtection=True,
        upgradePolicy={"supportType": "STANDARD"},
    )
    assert code == "InvalidParameterException"
    assert account.eks.describe_cluster(name=name)["cluster"]["deletionProtection"] is False


def test_versions_go_up_one_by_one(account: Account) -> None:
    name = account.cluster(version="1.34")
    update = account.eks.update_cluster_version
    for version in ("1.34", "1.36", "1.33", "1.19", "latest"):
        assert refused(update, name=name, version=version) == "InvalidParameterException"
    assert update(name=name, version="1.35")["update"]["type"] == "VersionUpdate"
    assert account.eks.describe_cluster(name=name)["cluster"]["version"] == "1.35"


def test_the_default_version_is_described(account: Account) -> None:
    default = account.eks.describe_cluster_versions(defaultOnly=True)["clusterVersions"]
    name = account.cluster(version="1.35")
    arguments = account.cluster_arguments()
    del arguments["version"]
    unversioned = account.eks.create_cluster(**arguments)["cluster"]
    assert [v["clusterVersion"] for v in default] == [unversioned["version"]]
    versions = account.eks.describe_cluster_versions()["clusterVersions"]
    offered = {v["clusterVersion"]: v["versionStatus"] for v in versions}
    assert offered["1.33"] == "EXTENDED_SUPPORT"
    assert offered["1.35"] == "STANDARD_SUPPORT"
    assert account.eks.describe_cluster(name=name)["cluster"]["version"] in offered


def test_encryption_is_turned_on_once(account: Account) -> None:
    name = account.cluster()
    config = [{"resources": ["secrets"], "provider": {"keyArn": key(account)}}]
    update = account.eks.associate_encryption_config(clusterName=name, encryptionConfig=config)["update"]
    assert update["type"] == "AssociateEncryptionConfig"
    assert account.eks.describe_cluster(name=name)["cluster"]["encryptionConfig"] == config
    again = {"clusterName": name, "encryptionConfig": config}
    assert refused(account.eks.associate_encryption_config, **again) == "InvalidRequestException"


def test_clusters_that_eks_refuses(account: Account, emulator: RunningEmulator) -> None:
    subnets = account.network.subnets
    other = make_network(emulator)
    outside = account.ec2.create_subnet(
        VpcId=account.network.vpc, CidrBlock="10.0.99.0/24", AvailabilityZoneId="use1-az3"
    )["Subnet"]["SubnetId"]
    absent_key = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111"
    asymmetric = key(account, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")

    def encrypted(arn: str, resources: list[str]) -> dict[str, Any]:
        return {"encryptionConfig": [{"resources": resources, "provider": {"keyArn": arn}}]}

    cases: list[dict[str, Any]] = [
        {"version": "1.19"},
        {"version": "9.99"},
        {"name": "-x"},
        {"name": "x" * 101},
        {"roleArn": "arn:aws:iam::123456789012:role/absent"},
        {"roleArn": account.node_role},
        {"resourcesVpcConfig": {"subnetIds": subnets[:1]}},
        {"resourcesVpcConfig": {"subnetIds": []}},
        {"resourcesVpcConfig": {"subnetIds": [*subnets[:1], "subnet-0"]}},
        {"resourcesVpcConfig": {"subnetIds": [subnets[0], other.subnets[1]]}},
        {"resourcesVpcConfig": {"subnetIds": subnets, "securityGroupIds": ["sg-0"]}},
        {"resourcesVpcConfig": {"subnetIds": subnets, "endpointPublicAccess": False}},
        {"resourcesVpcConfig": {"subnetIds": subnets, "publicAccessCidrs": ["anywhere"]}},
        {"kubernetesNetworkConfig": {"serviceIpv4Cidr": "10.0.0.0/16"}},
        {"kubernetesNetworkConfig": {"serviceIpv4Cidr": "8.8.0.0/16"}},
        {"kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.16.0.0/8"}},
        {"kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.0/28"}},
        encrypted(absent_key, ["secrets"]),
        encrypted(asymmetric, ["secrets"]),
        encrypted(key(account), ["pods"]),
    ]
    before = emulator.inventory()
    for case in cases:
        arguments = account.cluster_arguments(**case)
        assert refused(account.eks.create_cluster, **arguments) == "InvalidParameterException", case
    arguments = account.cluster_arguments(resourcesVpcConfig={"subnetIds": [*subnets, outside]})
    assert refused(account.eks.create_cluster, **arguments) == "UnsupportedAvailabilityZoneException"
    assert emulator.inventory() == before
    account.ec2.delete_subnet(SubnetId=outside)


def test_the_authentication_mode_does_not_go_back(account: Account) -> None:
    name = account.cluster(accessConfig={"authenticationMode": "API_AND_CONFIG_MAP"})
    update = account.eks.update_cluster_config
    back = {"authenticationMode": "CONFIG_MAP"}
    assert refused(update, name=name, accessConfig=back) == "InvalidParameterException"
    update(name=name, accessConfig={"authenticationMode": "API"})
    back["authenticationMode"] = "API_AND_CONFIG_MAP"
    assert refused(update, name=name, accessConfig=back) == "InvalidParameterException"


def test_of_two_creations_at_once_one_wins(account: Account) -> None:
    name = unique("race")

    def create(_: int) -> str:
        try:
            account.eks.create_cluster(**account.cluster_arguments(name=name))
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "created"

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(create, range(8)))
    assert outcomes == ["ResourceInUseException"] * 7 + ["created"]
    mine = [{"Name": "description", "Values": [f"Amazon EKS {name}"]}]
    interfaces = account.ec2.describe_network_interfaces(Filters=mine)["NetworkInterfaces"]
    assert len(interfaces) == len(account.network.subnets)


def test_a_repeated_creation_gets_the_first_ones_answer(account: Account) -> None:
    arguments = account.cluster_arguments(clientRequestToken="once")
    first = account.eks.create_cluster(**arguments)["cluster"]
    assert account.eks.create_cluster(**arguments)["cluster"]["arn"] == first["arn"]
    assert account.eks.list_clusters()["clusters"].count(arguments["name"]) == 1
    other = {**arguments, "clientRequestToken": "twice"}
    assert refused(account.eks.create_cluster, **other) == "ResourceInUseException"


def test_names_are_paged(account: Account) -> None:
    names = {account.cluster() for _ in range(3)}
    pages = account.eks.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": 2})
    found = [name for page in pages for name in page["clusters"]]
    assert names <= set(found)
    assert len(found) == len(set(found))


def test_every_kind_of_resource_is_tagged(account: Account) -> None:
    team, cluster = unique("team"), account.cluster()
    pods = role(account.emulator, "pods.eks.amazonaws.com", "sts:AssumeRole", "sts:TagSession")
    eks = account.eks
    arns = [
        eks.describe_cluster(name=cluster)["cluster"]["arn"],
        account.describe_nodegroup(cluster, account.nodegroup(cluster))["nodegroupArn"],
        eks.create_addon(clusterName=cluster, addonName="vpc-cni")["addon"]["addonArn"],
        eks.create_access_entry(clusterName=cluster, principalArn=pods)["accessEntry"]["accessEntryArn"],
        eks.create_pod_identity_association(
            clusterName=cluster, namespace="a", serviceAccount="b", roleArn=pods
        )["association"]["associationArn"],
    ]
    for arn in arns:
        eks.tag_resource(resourceArn=arn, tags={"team": team, "more": "1"})
        eks.untag_resource(resourceArn=arn, tagKeys=["more"])
        assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": team}
    found = account.emulator.client("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": "team", "Values": [team]}]
    )
    assert {r["ResourceARN"] for r in found["ResourceTagMappingList"]} == set(arns)
    absent = f"{arns[0]}-absent"
    assert refused(eks.tag_resource, resourceArn=absent, tags={"a": "b"}) == "ResourceNotFoundException"


def test_regions_are_apart(account: Account, emulator: RunningEmulator) -> None:
    name, west = account.cluster(), emulator.client("eks", "us-west-2")
    assert refused(west.describe_cluster, name=name) == "ResourceNotFoundException"
    documents = {c["name"]: c["region"] for c in emulator.api("GET", "kubernetes")["clusters"]}
    assert documents[name] == "us-east-1"


def test_the_provenance_says_what_is_ours(emulator: RunningEmulator) -> None:
    eks = emulator.api("GET", "provenance")["services"]["eks"]
    assert {"CreateAddon", "CreateAccessEntry", "DescribeUpdate"} <= set(eks["added"])
    assert {"CreateCluster", "CreateNodegroup", "DescribeNodegroup"} <= set(eks["corrected"])
    assert len(json.dumps(eks["refused"])) > 1000
